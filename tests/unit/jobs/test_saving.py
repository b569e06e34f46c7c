"""Saving pictures: once, whoever asks, and going on where an earlier attempt ended."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.errors import (
    CancelledError,
    ConfigError,
    DeadLinkError,
    InputError,
    NetworkError,
    OutputError,
    TaskNotFoundError,
    UnclearAnswerError,
)
from kie_mcp.files import Target
from kie_mcp.jobs.model import SavePlan
from kie_mcp.ledger import Presence

A, B, C = (f"https://result.example/{name}.png" for name in "abc")


@pytest.fixture
def other(bench):
    """A call of another process that is alive; task ``t`` is in the ledger."""
    bench.ledger.adopt("t")
    presence = Presence(bench.config.state_path / "processes")
    yield f"{presence.id}:a call"
    presence.close()


@pytest.fixture
def save(bench):
    """Save the pictures of a status, into the usual folder or elsewhere."""

    def run(status, context=None, *, output_path=None, asked_format=None):
        plan = SavePlan(bench.outputs.target(output_path), "a red fox", asked_format)
        bench.ledger.observed(status.task_id, status.state, image_urls=status.image_urls)
        return bench.saver.save(status, plan, context or bench.context())

    return run


def test_a_picture_is_saved_and_written_down(bench, save, done, png):
    (file,), warnings = save(done("t", A))
    assert Path(file.path).read_bytes() == png
    assert Path(file.path).parent == bench.config.output_dir
    assert "a-red-fox" in Path(file.path).name
    assert (file.mime_type, file.bytes, file.width, file.height) == ("image/png", len(png), 40, 30)
    assert warnings == ()
    assert bench.ledger.find("t").files == (file,)


def test_several_pictures_are_numbered_and_written_down_one_by_one(bench, save, done, downloads):
    written = []

    def look():
        written.append(len(bench.ledger.find("t").files))
        return downloads.data

    downloads.answers = {A: look, B: look, C: look}
    files, _ = save(done("t", A, B, C))
    assert written == [0, 1, 2]
    assert [Path(file.path).stem[-2:] for file in files] == ["-1", "-2", "-3"]


def test_progress_names_each_file_as_it_is_saved(bench, save, done):
    told = []
    context = bench.context(lambda _done, _total, message: told.append(message))
    files, _ = save(done("t", A, B, C), context)
    assert told == [f"saved {Path(file.path).name}, {number} of 3" for number, file in enumerate(files, 1)]
    told.clear()
    files, _ = save(done("another"), context)
    assert told == [f"saved {Path(files[0].path).name}"]


def test_an_attempt_that_failed_half_way_is_gone_on_with(bench, save, done, downloads):
    downloads.answers = {B: NetworkError("broken")}
    with pytest.raises(NetworkError) as caught:
        save(done("t", A, B, C))
    assert caught.value.task_id == "t"
    assert len(bench.ledger.find("t").files) == 1
    assert bench.saver.saved("t") == ()
    downloads.answers.clear()
    files, _ = save(done("t", A, B, C))
    assert len(files) == 3
    assert downloads.fetched == [A, B, B, C]
    assert len(bench.files()) == 3
    assert bench.saver.saved("t") == files


def test_a_second_save_fetches_nothing(bench, save, done, downloads):
    first, _ = save(done("t", A, B))
    assert save(done("t", A, B)) == (first, ())
    assert downloads.fetched == [A, B]


def test_a_file_that_has_vanished_is_fetched_again(bench, save, done, downloads):
    (one, two), _ = save(done("t", A, B))
    Path(one.path).unlink()
    assert bench.saver.saved("t") == ()
    (again, same), _ = save(done("t", A, B))
    assert Path(again.path).is_file()
    assert same == two
    assert downloads.fetched == [A, B, A]


def test_two_savers_at_once_make_one_set_of_files(bench, save, done, downloads):
    waiting, finished = threading.Event(), threading.Event()

    class WaitingClock(Clock):
        """The second saver waits until the first has finished."""

        def wait(self, event, seconds):
            waiting.set()
            assert finished.wait(10)
            return event.is_set()

    def slow():
        assert waiting.wait(10)
        return downloads.data

    begun = threading.Event()

    def first_picture():
        begun.set()
        return slow()

    downloads.answers = {A: first_picture}
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(save, done("t", A, B))
        assert begun.wait(10)
        other = pool.submit(save, done("t", A, B), CallContext(WaitingClock()))
        files, _ = one.result(10)
        finished.set()
        assert other.result(10) == (files, ())
    assert downloads.fetched == [A, B]
    assert len(bench.files()) == 2


def test_a_cancelled_wait_for_another_saver_leaves_the_claim_alone(bench, save, done, other):
    bench.custody.claim("t", other)
    context = bench.context()
    context.cancel()
    with pytest.raises(CancelledError) as caught:
        save(done("t", A), context)
    assert caught.value.task_id == "t"
    assert not bench.custody.claim("t", bench.custody.claimant_name("a third"))


def test_the_claim_of_a_process_that_hangs_runs_out(bench, clock, save, done, other):
    bench.custody.claim("t", other)
    files, _ = save(done("t", A))
    assert len(files) == 1
    assert 119 < clock.time < 122


def test_the_claim_is_renewed_while_a_long_download_runs(bench, clock, save, done, downloads, png, other):
    free = []

    def slow(url, receive, context):
        def chunks():
            for start in range(0, len(png), len(png) // 8 + 1):
                clock.time += 100
                yield png[start : start + len(png) // 8 + 1]
                free.append(bench.custody.claim("t", other))

        return receive(chunks())

    downloads.fetch = slow
    save(done("t", A))
    assert len(free) == 8
    assert not any(free)


def test_the_claim_is_renewed_between_pictures(bench, clock, save, done, downloads, other):
    free = []

    def slow():
        free.append(bench.custody.claim("t", other))
        clock.time += 100
        return downloads.data

    downloads.answers = dict.fromkeys((A, B, C), slow)
    save(done("t", A, B, C))
    assert free == [False, False, False]


def test_a_dead_link_is_asked_for_again_with_a_poll(save, done, client, downloads):
    downloads.answers = {A: DeadLinkError("gone", code=403)}
    client.scripts["poll"] = [done("t", B)]
    files, _ = save(done("t", A))
    assert len(files) == 1
    assert downloads.fetched == [A, B]
    assert client.calls["renew"] == []


def test_a_link_that_is_dead_in_the_poll_too_is_renewed(save, done, client, downloads):
    downloads.answers = {A: DeadLinkError("gone", code=403)}
    client.scripts["poll"] = [done("t", A)]
    files, _ = save(done("t", A))
    assert len(files) == 1
    assert downloads.fetched == [A, A + "?renewed"]
    assert client.calls["renew"] == [A]


def test_each_of_several_links_is_renewed_in_its_own_place(save, done, client, downloads):
    downloads.answers = {B: DeadLinkError("gone", code=403)}
    client.scripts["poll"] = [done("t", A, C)]
    save(done("t", A, B))
    assert downloads.fetched == [A, B, C]


def test_a_poll_that_names_fewer_pictures_does_not_confuse(save, done, client, downloads):
    downloads.answers = {B: DeadLinkError("gone", code=403)}
    client.scripts["poll"] = [done("t", A)]
    save(done("t", A, B))
    assert downloads.fetched == [A, B, B + "?renewed"]


@pytest.mark.parametrize("renewed", [None, InputError("url is wrong", code=422)], ids=["dead too", "refused"])
def test_a_link_that_stays_dead_is_a_clear_error(bench, save, done, client, downloads, renewed):
    downloads.answers = {A: DeadLinkError("gone", code=403), A + "?renewed": DeadLinkError("gone", code=404)}
    client.scripts["poll"] = [done("t", A)]
    client.scripts["renew"] = [renewed] if renewed else []
    with pytest.raises(OutputError, match="its link is dead and could not be renewed") as caught:
        save(done("t", A))
    assert caught.value.task_id == "t"
    assert caught.value.code == (403 if renewed else 404)
    assert bench.files() == []


def test_a_renewal_that_fails_in_passing_is_told_as_such(save, done, client, downloads):
    downloads.answers = {A: DeadLinkError("gone", code=403)}
    client.scripts["poll"] = [done("t", A)]
    client.scripts["renew"] = [UnclearAnswerError("HTTP 502")]
    with pytest.raises(UnclearAnswerError) as caught:
        save(done("t", A))
    assert caught.value.retryable


def test_a_task_that_kie_has_forgotten_is_told_as_such(save, done, client, downloads):
    downloads.answers = {A: DeadLinkError("gone", code=403)}
    client.scripts["poll"] = [TaskNotFoundError("Kie knows no task 't'.")]
    with pytest.raises(TaskNotFoundError) as caught:
        save(done("t", A))
    assert caught.value.task_id == "t"


def test_a_cancel_while_a_link_is_renewed_ends_it(save, done, client, downloads, bench):
    context = bench.context()
    downloads.answers = {A: DeadLinkError("gone", code=403)}

    def cancelled():
        context.cancel()
        context.raise_if_cancelled()

    client.scripts["poll"] = [done("t", A)]
    client.scripts["renew"] = [cancelled]
    with pytest.raises(CancelledError):
        save(done("t", A), context)


def test_a_folder_that_has_become_a_link_to_elsewhere_is_not_written_to(make_bench, done, tmp_path):
    bench = make_bench(output_roots=(tmp_path / "out",))
    status = done("t", A)
    bench.ledger.observed("t", "success", image_urls=status.image_urls)
    plan = SavePlan(bench.outputs.target(None), "a red fox")
    (tmp_path / "out").rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="outside KIE_AI_OUTPUT_ROOTS"):
        bench.saver.save(status, replace(plan, target=Target(tmp_path / "out" / "sub")), bench.context())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_no_picture_leaves_no_file(bench, save, done, downloads):
    downloads.answers = {A: b"<!doctype html><title>Expired</title>"}
    with pytest.raises(OutputError, match="HTML") as caught:
        save(done("t", A))
    assert caught.value.task_id == "t"
    assert bench.files() == []


def test_the_extension_follows_the_bytes_and_the_difference_is_told(bench, save, done, downloads, tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "x.jpg")
    downloads.answers = {A: (tmp_path / "x.jpg").read_bytes()}
    (file,), warnings = save(done("t", A), output_path=str(tmp_path / "fox.png"), asked_format="png")
    assert file.path == str(tmp_path / "fox.jpg")
    assert len(warnings) == 2
    assert bench.saver.saved("t") == (file,)


def test_a_task_without_files_has_none(bench):
    assert bench.saver.saved("nobody") == ()
    bench.ledger.observed("t", "generating")
    assert bench.saver.saved("t") == ()


def test_at_the_end_of_the_call_another_saver_is_not_waited_for(bench, save, done, other):
    assert bench.custody.claim("t", other)
    context = bench.context()
    context.deadline = bench.clock.monotonic() + 5
    with pytest.raises(OutputError, match="Another call is saving") as caught:
        save(done("t", A), context)
    assert caught.value.retryable
    assert bench.clock.monotonic() == pytest.approx(5, abs=0.5)


def test_a_folder_that_has_become_a_link_to_elsewhere_gets_nothing(make_bench, done, tmp_path):
    bench = make_bench(output_roots=(tmp_path / "out",))
    plan = SavePlan(bench.outputs.target(str(tmp_path / "out" / "art")), "a red fox")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out" / "art").rmdir()
    (tmp_path / "out" / "art").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="KIE_AI_OUTPUT_ROOTS") as caught:
        bench.saver.save(done("t", A), plan, bench.context())
    assert caught.value.task_id == "t"
    assert list(elsewhere.iterdir()) == []


def test_a_claim_that_cannot_be_given_back_is_no_reason_to_fail(bench, save, done, monkeypatch, caplog):
    def full(*_):
        raise ConfigError("the disk is full")

    monkeypatch.setattr(bench.custody, "release", full)
    files, _ = save(done("t", A))
    assert len(files) == 1
    assert "was not given back: the disk is full" in caplog.text


def test_who_was_suspended_after_placing_a_picture_leaves_the_record_to_the_one_who_went_on(
    bench, done, other, clock, monkeypatch
):
    """Between the name and the record; the other has taken over, recorded it and gone on to the second picture."""
    status = done("t", A, B)
    bench.ledger.observed("t", "success", image_urls=status.image_urls)
    plan = SavePlan(bench.outputs.target(None), "a red fox")
    record = bench.custody.saved

    def suspended(task_id, claimant, files):
        monkeypatch.undo()
        clock.time += 500
        bench.saver.save(status, plan, bench.context())
        return record(task_id, claimant, files)

    monkeypatch.setattr(bench.custody, "saved", suspended)
    with pytest.raises(OutputError, match="Another call is saving"):
        bench.saver.save(status, plan, bench.context())
    assert len(bench.files()) == 2
    assert len(bench.ledger.find("t").files) == 2


def test_who_finds_the_claim_of_another_stops_in_the_middle(bench, done, other, downloads, clock, png):
    status = done("t", A)
    bench.ledger.observed("t", "success", image_urls=status.image_urls)

    def slow(url, receive, context):
        def chunks():
            yield png[:100]
            clock.time += 500
            assert bench.custody.claim("t", other)
            yield png[100:]

        return receive(chunks())

    downloads.fetch = slow
    with pytest.raises(OutputError, match="Another call is saving"):
        bench.saver.save(status, SavePlan(bench.outputs.target(None), "a red fox"), bench.context())
    assert bench.files() == []
