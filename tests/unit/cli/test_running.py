"""What is said of a command that was interrupted, or that met a mistake of this program."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading

import pytest

from kie_mcp.errors import CancelledError
from kie_mcp.log import LOGGER

LONG = 60.0


def interrupted(_arguments, context):
    os.kill(os.getpid(), signal.SIGINT)
    context.sleep(LONG)


def test_a_task_that_goes_on_is_named(command, application, row):
    app = application(interrupted)
    app.ledger.rows = [row("of another process", owner="another"), row("t-1")]
    done = command("generate", "x", application=app)
    assert (done.code, done.out) == (130, "")
    assert done.err.splitlines() == [
        "kie-mcp: Interrupted; the task goes on.",
        "  What goes on at Kie is paid for: `kie-mcp collect` saves it later.",
        "  Task id: t-1",
    ]
    assert app.closed == 1
    assert done.left_with == []


def test_several_tasks_that_go_on_are_counted(command, application, row):
    app = application(interrupted)
    app.ledger.rows = [row("t-1"), row("t-2")]
    done = command("collect", "t-1", "t-2", application=app)
    assert done.code == 130
    assert "kie-mcp: Interrupted; 2 tasks go on." in done.err


def test_tasks_of_the_sandbox_do_not_go_on(command, application, row):
    app = application(interrupted, has_sandbox=True)
    app.ledger.rows = [row("t-1")]
    done = command("--sandbox", "generate", "x", application=app)
    assert done.err.startswith("kie-mcp: Interrupted.\n  The sandbox ends with this command, and its tasks with it;")


def test_where_no_task_was_made_it_says_so(command, application):
    done = command("generate", "x", application=application(interrupted))
    assert done.err.splitlines()[0] == "kie-mcp: Interrupted; no task is left running."


def test_a_command_that_makes_no_tasks_says_little(command, application):
    done = command("credits", application=application(interrupted))
    assert (done.code, done.err) == (130, "kie-mcp: Interrupted.\n  Nothing was lost.\n")


def test_a_broken_ledger_is_told_with_the_interruption(command, application):
    app = application(interrupted)
    app.ledger.broken = True
    done = command("generate", "x", application=app)
    assert done.err == "kie-mcp: Interrupted. The ledger is broken.\n  Mend it.\n"


def test_in_json_the_interruption_is_an_error_object(command, application, row):
    app = application(interrupted)
    app.ledger.rows = [row("t-1")]
    done = command("generate", "x", "--json", application=app)
    error = json.loads(done.out)["error"]
    assert (done.code, error["category"], error["task_id"]) == (130, "cancelled", "t-1")
    assert done.err == ""


def test_the_id_of_a_task_that_is_being_made_is_waited_for(command, application, generated, row):
    app = application()
    app.ledger.submitting = [row(None)]
    ended = threading.Event()
    looks = []

    def is_submitting():
        looks.append(True)
        ended.set()
        return True

    def answer(_arguments, context):
        os.kill(os.getpid(), signal.SIGINT)
        assert ended.wait(LONG)
        return generated()

    app.ledger.is_submitting = is_submitting
    app.script = [answer]
    done = command("generate", "x", application=app)
    assert (done.code, done.out) == (0, "/pictures/fox.png\n")
    assert "waiting for the id of a task that was just sent; Ctrl-C again leaves at once" in done.err


def hanging(release, *, twice=False):
    def answer(_arguments, context):
        os.kill(os.getpid(), signal.SIGINT)
        if twice:
            while not context.cancelled:
                pass
            os.kill(os.getpid(), signal.SIGINT)
        release.wait(LONG)

    return answer


def test_a_request_that_hangs_is_left_behind(command, application, row):
    release = threading.Event()
    app = application(hanging(release))
    app.ledger.rows = [row("t-1")]
    done = command("generate", "x", application=app)
    release.set()
    assert done.left_with == [130]
    assert "Task id: t-1" in done.err


def test_a_second_ctrl_c_leaves_a_task_that_is_being_made(command, application, row):
    release = threading.Event()
    app = application(hanging(release, twice=True))
    app.ledger.submitting = [row(None)]
    done = command("generate", "x", application=app)
    release.set()
    assert done.left_with == [130]
    assert done.err.splitlines()[-2:] == [
        "kie-mcp: Interrupted while a task was being submitted.",
        "  Check kie.ai/logs before asking again: the picture may already be paid for.",
    ]


def test_a_request_of_a_command_that_makes_no_tasks_is_left_behind_at_once(command, application):
    release = threading.Event()
    app = application(hanging(release))
    app.ledger.submitting = ["of another program"]
    done = command("credits", application=app)
    release.set()
    assert done.left_with == [130]


def test_a_broken_ledger_keeps_nobody_waiting(command, application):
    release = threading.Event()
    app = application(hanging(release))
    app.ledger.broken = True
    done = command("generate", "x", application=app)
    release.set()
    assert done.left_with == [130]
    assert "The ledger is broken." in done.err


def test_a_call_that_was_cancelled_by_nobody_here_is_a_failure(command, application):
    done = command("generate", "x", application=application(CancelledError("The call was cancelled.")))
    assert done.code == 1
    assert done.err.startswith("kie-mcp: The call was cancelled.\n")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_mistake_of_the_program_is_one_line_and_a_traceback_in_the_log(command, application, caplog, as_json):
    caplog.set_level(logging.DEBUG, LOGGER)
    logging.getLogger(LOGGER).propagate = True
    done = command("generate", "x", *(["--json"] if as_json else []), application=application(KeyError("inner matter")))
    assert done.code == 1
    told = done.out if as_json else done.err
    assert "Internal error (KeyError)." in told
    assert "KIE_AI_LOG_LEVEL=debug" in told
    assert "inner matter" not in done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert caplog.records[0].exc_info[0] is KeyError
