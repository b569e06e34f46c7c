"""The small picture in an answer: which answers have one, and what it is made of."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from kie_mcp.config import Config
from kie_mcp.context import CallContext
from kie_mcp.files.preview import Previews
from kie_mcp.kie import TaskStatus
from kie_mcp.text import Base64
from kie_mcp.tools import TOOLS, call_tool
from kie_mcp.tools.describe_imager_interface import _preview

FETCH = next(tool for tool in TOOLS if tool.name == "get_visual_task")


@pytest.fixture
def noted(monkeypatch):
    """Every set of pictures and labels that a preview was asked of; there is none of any."""
    asked = []
    monkeypatch.setattr(Previews, "make", lambda _, pictures, context: asked.append(pictures))
    return asked


def opened(preview):
    assert isinstance(preview.data, Base64)
    picture = Image.open(io.BytesIO(base64.b64decode(preview.data, validate=True)))
    assert (preview.mime_type, picture.format) == ("image/jpeg", "JPEG")
    return picture


def test_a_saved_picture_is_shown(served):
    result = served.result("generate_visual", prompt="a fox")
    assert opened(result.preview).size == (40, 30)
    assert result.preview.data not in str(result.structured)


def test_the_pictures_of_a_batch_are_shown_on_one_sheet(served):
    result = served.result("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}, {"prompt": "c"}])
    assert opened(result.preview).size == (512, 512)


def test_fetching_a_task_shows_it_each_time(served):
    served.call("create_visual_task", prompt="a fox")
    for _ in range(2):
        assert opened(served.result("get_visual_task", task_id="task-1").preview).size == (40, 30)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_visual_task", {"prompt": "a fox"}),
        ("generate_visual", {"prompt": "a fox", "wait_for_result": False}),
        ("generate_visual_batch", {"items": [{"prompt": "a fox"}], "dry_run": True}),
        ("list_visual_tasks", {}),
        ("list_models", {}),
        ("get_credits", {}),
        ("describe_imager_interface", {}),
    ],
)
def test_an_answer_without_pictures_has_none(served, noted, tool, arguments):
    assert served.result(tool, **arguments).preview is None
    assert noted == []


def test_a_failed_task_has_none(served, kie, noted):
    kie.state = lambda task_id: TaskStatus(task_id, "fail", fail_message="too dark")
    result = served.result("generate_visual", prompt="a fox")
    assert result.is_error
    assert (result.preview, noted) == (None, [])


def test_pictures_of_one_task_are_labelled_with_their_numbers(served, kie, success, noted):
    kie.state = lambda task_id: success(task_id, pictures=3)
    result = served.result("generate_visual", prompt="a fox")
    assert noted == [[(link.uri, label) for link, label in zip(result.links, "123", strict=True)]]


def test_pictures_of_a_batch_are_labelled_with_the_index_of_their_item(served, kie, success, noted):
    kie.state = lambda task_id: success(task_id, pictures=2)
    items = [{"prompt": "a"}, {"prompt": "b", "aspect_ratio": "99:1"}, {"prompt": "c"}]
    served.result("generate_visual_batch", items=items)
    assert [[label for _, label in pictures] for pictures in noted] == [["0", "0", "2", "2"]]


def test_on_the_command_line_nothing_is_shown(tools):
    assert tools.result("generate_visual", prompt="a fox").preview is None


def test_who_turns_previews_off_has_none(make_tools, serve):
    result = serve(make_tools(preview=False)).result("generate_visual", prompt="a fox")
    assert result.preview is None
    assert len(result.links) == 1


def test_a_cancelled_call_has_none(served, noted):
    picture = served.call("generate_visual", prompt="a fox")
    noted.clear()
    context = CallContext(served.clock)
    context.cancel()
    result = call_tool(FETCH, served.services, {"task_id": picture["task_id"]}, context)
    assert result.structured["output_paths"] == picture["output_paths"]
    assert (result.preview, noted) == (None, [])


def test_pictures_that_cannot_be_shown_spoil_nothing(served, noted):
    result = served.result("generate_visual", prompt="a fox")
    assert result.structured["ok"]
    assert len(result.links) == 1
    assert (result.preview, len(noted)) == (None, 1)


def test_news_leave_the_preview_in_its_place(served, die):
    served.call("create_visual_task", prompt="a fox")
    die()
    for task_id in served.services.jobs.recovery.take_over():
        served.services.jobs.recovery.attend(task_id)
    result = served.result("generate_visual", prompt="a hare")
    assert len(result.structured["finished_meanwhile"]) == 1
    assert opened(result.preview).size == (40, 30)


# what describe_imager_interface says of it


def test_the_description_says_whether_previews_are_shown(tools, make_tools):
    answer = tools.call("describe_imager_interface")
    assert answer["environment"]["preview"] == "on"
    assert answer["server"]["libraries"]["pillow"].count(".") == 2
    assert make_tools(preview=False).call("describe_imager_interface")["environment"]["preview"] == "off"


def test_the_description_says_what_is_missing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert _preview(Config()) == "off: Pillow is not installed (pip install 'kie-mcp[preview]')"
