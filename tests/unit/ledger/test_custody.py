"""Who looks after a task: claims, orphans, and what is half done."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.ledger import Custody, Database, Presence, SavedFile, TaskLedger
from kie_mcp.ledger.custody import _HALF_SAVED, _SUBMITTING, _UNSAVED

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

        def save(self, task_id, files):
            name = self.custody.claimant_name("a call")
            return self.custody.claim(task_id, name) and self.custody.saved(task_id, name, files)

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


def test_what_is_left_to_fetch_comes_newest_first(here):
    here.begin()
    for task_id, state in (("t1", "success"), ("t2", "generating"), ("t3", "fail"), ("t4", "success")):
        here.begin(task_id, state)
    here.save("t1", [FOX])
    assert ids(here.custody.unsaved().tasks) == ["t4", "t2"]


def test_a_task_of_which_some_pictures_are_missing_is_left_to_fetch(here):
    here.begin("t", "success", image_urls=["https://a.example/1", "https://a.example/2"])
    here.save("t", [FOX])
    assert ids(here.custody.unsaved().tasks) == ["t"]
    here.save("t", [FOX, FOX])
    assert here.custody.unsaved().tasks == ()


def test_a_task_that_was_made_elsewhere_is_fetched_only_when_it_is_named(here):
    here.ledger.observed("foreign", "generating")
    assert here.custody.unsaved().tasks == ()


def test_the_tasks_of_another_key_are_left_alone(enter, here):
    enter(account="there").begin("t1")
    here.begin("t2")
    assert ids(here.custody.unsaved().tasks) == ["t2"]
    assert here.custody.unsaved().elsewhere == 1


def test_the_tasks_of_the_living_are_not_taken_over(enter, here):
    enter().begin("theirs")
    here.begin("mine")
    assert here.custody.take_over(0) == []


def test_the_tasks_of_the_dead_are_taken_over_by_one(enter, here):
    dead, other = enter(), enter()
    dead.begin("t1")
    dead.begin("t2", "success")
    dead.begin("t3", "fail")
    dead.leave()
    assert ids(here.custody.take_over(0)) == ["t2", "t1"]
    assert other.custody.take_over(0) == []
    here.leave()
    assert ids(other.custody.take_over(0)) == ["t2", "t1"]


def test_the_tasks_of_an_older_version_are_nobodys(here):
    here.begin("t")
    with here.database.write() as connection:
        connection.execute("UPDATE tasks SET owner = NULL, account = NULL")
    assert ids(here.custody.take_over(0)) == ["t"]


def test_two_that_take_over_at_once_share_nothing(enter):
    dead, one, other = enter(), enter(), enter()
    for number in range(20):
        dead.begin(f"t{number}")
    dead.leave()
    taken = []
    threads = [
        threading.Thread(target=lambda who: taken.extend(ids(who.custody.take_over(0))), args=(who,))
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


def test_there_is_no_claim_on_what_is_not_in_the_ledger(here):
    assert not here.claim()
    assert not here.custody.journal("t", here.custody.claimant_name("a call"), {"part": "x"})


def test_a_claim_is_renewed_by_who_has_it(enter, here, clock):
    here.begin("t")
    other = enter()
    name = here.custody.claimant_name("a call")
    assert here.claim()
    clock.time += 100
    assert here.custody.renew("t", name)
    clock.time += 100
    assert not other.claim()
    clock.time += 20
    assert here.custody.renew("t", name), "nobody else wanted it"
    clock.time += 120
    assert other.claim()
    assert not here.custody.renew("t", name)
    other.custody.release("t", other.custody.claimant_name("a call"))
    assert not here.custody.renew("t", name), "what is free is not ours"


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
    other.save("t", [FOX])
    assert other.custody.half_saved() == []


def test_who_has_lost_the_claim_records_nothing(enter, here, clock):
    here.begin("t", "success")
    other = enter()
    assert here.claim()
    clock.time += 120
    assert other.save("t", [FOX, FOX])
    assert not here.custody.saved("t", here.custody.claimant_name("a call"), [FOX])
    assert len(here.ledger.find("t").files) == 2


def test_old_tasks_are_not_taken_over(enter, here, clock):
    dead = enter()
    dead.begin("old")
    clock.time += 100
    dead.begin("young")
    dead.leave()
    assert ids(here.custody.take_over(clock.now() - 50)) == ["young"]


def test_a_process_knows_its_own(enter, here):
    other = enter()
    other.begin()
    other.begin("t")
    assert other.custody.is_submitting()
    assert not here.custody.is_submitting()
    (row,) = here.custody.unsaved().tasks
    assert other.custody.is_mine(row)
    assert not here.custody.is_mine(row)


def test_the_createtask_of_an_older_version_is_given_an_hour(here, clock):
    here.begin()
    with here.database.write() as connection:
        connection.execute("UPDATE tasks SET owner = NULL")
    clock.time += 3600
    assert here.custody.end_abandoned({}) == 0
    clock.time += 1
    assert here.custody.end_abandoned({}) == 1


def test_what_is_left_is_found_by_an_index(here):
    """However long the ledger is; a look is taken with every first call."""
    queries = (_UNSAVED, _HALF_SAVED, _SUBMITTING)
    with here.database.read() as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall() for query in queries]
    assert all("USING INDEX tasks_" in step["detail"] for plan in plans for step in plan)


def test_a_task_that_kie_does_not_know_is_gone_when_it_is_missing_an_hour_later_too(here, clock):
    here.begin("t")
    here.ledger.missing("t")
    clock.time += 3599
    here.ledger.missing("t")
    assert ids(here.custody.unsaved().tasks) == ["t"]
    clock.time += 1
    here.ledger.missing("t")
    assert here.ledger.find("t").state == "not_found"
    assert here.custody.unsaved().tasks == ()
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
    assert ids(here.custody.unsaved().tasks) == ["t"]


def test_what_has_ended_is_never_missing(here, clock):
    here.begin("t", "success")
    here.ledger.missing("t")
    clock.time += 4000
    here.ledger.missing("t")
    assert here.ledger.find("t").state == "success"
