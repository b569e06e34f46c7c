"""Who looks after a task: claims, orphans, and what is half done."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.ledger import Custody, Database, Presence, SavedFile, TaskLedger

FOX = SavedFile("/pictures/fox.png", "image/png", 1234, 40, 30)


@pytest.fixture
def enter(path, clock):
    """A function that gives a process of its own: ``ledger``, ``custody`` and ``leave``."""
    entered = []

    class Process:
        def __init__(self, account="here"):
            self.database = Database(path, clock)
            self.presence = Presence(path.parent / "processes")
            self.ledger = TaskLedger(self.database, clock, owner=self.presence.id, account=account)
            self.custody = Custody(self.database, clock, self.presence, account)

        def begin(self, task_id=None, state=None, **observed):
            number = self.ledger.begin(model="z-image", prompt="a fox", request={"model": "z-image"})
            if task_id is not None:
                self.ledger.accepted(number, task_id)
            if state is not None:
                self.ledger.observed(task_id, state, **observed)
            return number

        def claim(self, call="a call"):
            return self.custody.claim("t", self.custody.claimant_name(call))

        def leave(self):
            self.presence.close()

    def make(**given):
        entered.append(Process(**given))
        return entered[-1]

    yield make
    for process in entered:
        process.presence.close()
        process.database.close()


@pytest.fixture
def here(enter):
    return enter()


def ids(rows):
    return [row.task_id for row in rows]


def test_what_is_left_to_fetch_comes_oldest_first(here):
    here.begin()
    for task_id, state in (("t1", "success"), ("t2", "generating"), ("t3", "fail"), ("t4", "success")):
        here.begin(task_id, state)
    here.ledger.saved("t1", [FOX])
    assert ids(here.custody.unsaved()) == ["t2", "t4"]


def test_a_task_of_which_some_pictures_are_missing_is_left_to_fetch(here):
    here.begin("t", "success", image_urls=["https://a.example/1", "https://a.example/2"])
    here.ledger.saved("t", [FOX])
    assert ids(here.custody.unsaved()) == ["t"]
    here.ledger.saved("t", [FOX, FOX])
    assert here.custody.unsaved() == []


def test_a_task_that_was_made_elsewhere_is_fetched_only_when_it_is_named(here):
    here.ledger.observed("foreign", "generating")
    assert here.custody.unsaved() == []


def test_the_tasks_of_another_key_are_left_alone(enter, here):
    enter(account="there").begin("t1")
    here.begin("t2")
    assert ids(here.custody.unsaved()) == ["t2"]
    assert here.custody.elsewhere() == 1


def test_the_tasks_of_the_living_are_not_taken_over(enter, here):
    enter().begin("theirs")
    here.begin("mine")
    assert here.custody.take_over() == []


def test_the_tasks_of_the_dead_are_taken_over_by_one(enter, here):
    dead, other = enter(), enter()
    dead.begin("t1")
    dead.begin("t2", "success")
    dead.begin("t3", "fail")
    dead.leave()
    assert ids(here.custody.take_over()) == ["t1", "t2"]
    assert other.custody.take_over() == []
    here.leave()
    assert ids(other.custody.take_over()) == ["t1", "t2"]


def test_the_tasks_of_an_older_version_are_nobodys(here):
    here.begin("t")
    with here.database.write() as connection:
        connection.execute("UPDATE tasks SET owner = NULL, account = NULL")
    assert ids(here.custody.take_over()) == ["t"]


def test_two_that_take_over_at_once_share_nothing(enter):
    dead, one, other = enter(), enter(), enter()
    for number in range(20):
        dead.begin(f"t{number}")
    dead.leave()
    taken = []
    threads = [
        threading.Thread(target=lambda who: taken.extend(ids(who.custody.take_over())), args=(who,))
        for who in (one, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == sorted(f"t{number}" for number in range(20))


def test_a_task_that_was_being_sent_by_the_dead_has_an_unknown_outcome(enter, here):
    dead = enter()
    dead.begin()
    here.begin()
    dead.leave()
    assert here.custody.end_abandoned({"category": "unknown_outcome"}) == 1
    mine, theirs = here.ledger.recent(limit=2)
    assert (mine.state, theirs.state) == ("submitting", "unknown_outcome")
    assert theirs.error == {"category": "unknown_outcome"}
    assert theirs.completed_at is not None
    assert here.custody.end_abandoned({}) == 0


def test_only_one_has_a_claim(enter, here):
    here.begin("t")
    other = enter()
    assert here.claim()
    assert not here.claim("another call")
    assert not other.claim()
    assert here.claim()
    other.custody.release("t", other.custody.claimant_name("a call"))
    assert not other.claim()
    here.custody.release("t", here.custody.claimant_name("a call"))
    assert other.claim()


def test_a_claim_expires(enter, here, clock):
    here.begin("t")
    other = enter()
    assert here.claim()
    clock.time += 120
    assert other.claim()
    assert not here.claim()


def test_a_claim_ends_with_its_process(enter, here):
    here.begin("t")
    other = enter()
    assert other.claim()
    other.leave()
    assert here.claim()


def test_a_claim_from_before_the_clock_went_back_holds_nobody_up(enter, here, clock):
    here.begin("t")
    assert enter().claim()
    clock.shift -= 5000
    assert here.claim()


def test_what_is_not_in_the_ledger_needs_no_claim(here):
    assert here.claim()
    assert here.custody.journal("t", here.custody.claimant_name("a call"), {"part": "x"})
    assert here.custody.half_saved() == []


def test_threads_with_connections_of_their_own_claim_once(enter):
    processes = [enter() for _ in range(4)]
    processes[0].begin("t")
    won = []

    def compete(index):
        if processes[index % 4].claim(f"call {index}"):
            won.append(index)

    threads = [threading.Thread(target=compete, args=(index,)) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1


def test_what_is_being_written_is_noted_under_the_claim_alone(enter, here):
    here.begin("t")
    other = enter()
    assert here.claim()
    assert here.custody.journal("t", here.custody.claimant_name("a call"), {"part": "mine"})
    assert not other.custody.journal("t", other.custody.claimant_name("a call"), {"part": "theirs"})
    assert here.ledger.find("t").saving == {"part": "mine"}
    assert other.custody.half_saved() == []
    here.leave()
    assert ids(other.custody.half_saved()) == ["t"]
    other.ledger.saved("t", [FOX])
    assert other.custody.half_saved() == []


def test_a_task_that_kie_does_not_know_is_gone_when_it_is_missing_an_hour_later_too(here, clock):
    here.begin("t")
    here.ledger.missing("t")
    clock.time += 3599
    here.ledger.missing("t")
    assert ids(here.custody.unsaved()) == ["t"]
    clock.time += 1
    here.ledger.missing("t")
    assert here.ledger.find("t").state == "not_found"
    assert here.custody.unsaved() == []
    assert here.ledger.recent(status="running", limit=9) == []


def test_a_task_that_turns_up_again_is_not_gone(here, clock):
    here.begin("t")
    here.ledger.missing("t")
    here.ledger.observed("t", "generating")
    clock.time += 4000
    here.ledger.missing("t")
    assert here.ledger.find("t").state == "generating"
    clock.time += 4000
    here.ledger.missing("t")
    here.ledger.observed("t", "success", image_urls=["https://a.example/1"])
    assert ids(here.custody.unsaved()) == ["t"]


def test_what_has_ended_is_never_missing(here, clock):
    here.begin("t", "success")
    here.ledger.missing("t")
    clock.time += 4000
    here.ledger.missing("t")
    assert here.ledger.find("t").state == "success"
