"""A batch with ``dry_run``: everything is checked and priced, nothing is sent."""

from __future__ import annotations

import base64

import pytest


@pytest.fixture
def rehearse(tools):
    """The answer to a dry run of these items."""

    def run(*items, **arguments):
        return tools.result("generate_visual_batch", items=list(items), dry_run=True, **arguments).structured

    return run


def test_each_item_is_shown_with_the_body_that_would_be_sent_and_its_price(rehearse, kie):
    answer = rehearse(
        {"prompt": "a fox", "aspect_ratio": "16:9", "resolution": "4K"},
        {"prompt": "a hare", "model": "seedream/4.5-text-to-image", "callback_url": "https://example.com/done"},
    )
    assert (answer["ok"], answer["dry_run"]) == (True, True)
    assert (answer["total"], answer["succeeded"], answer["failed"]) == (2, 2, 0)
    assert (answer["credits_estimated"], answer["usd_estimated"], answer["warnings"]) == (30.5, 0.1525, [])
    first, second = answer["results"]
    assert first == {
        "index": 0,
        "ok": True,
        "model": "nano-banana-pro",
        "body": {
            "model": "nano-banana-pro",
            "input": {"prompt": "a fox", "aspect_ratio": "16:9", "resolution": "4K"},
        },
        "credits_estimated": 24,
        "warnings": [],
    }
    assert second["body"] == {
        "model": "seedream/4.5-text-to-image",
        "input": {"prompt": "a hare", "aspect_ratio": "1:1", "quality": "basic"},
        "callBackUrl": "https://example.com/done",
    }
    assert kie.bodies == []


def test_nothing_is_written_down_as_a_task(tools, rehearse):
    rehearse({"prompt": "a fox"})
    assert tools.call("list_visual_tasks")["tasks"] == []


def test_what_is_wrong_with_an_item_is_told_as_in_earnest(tools, rehearse):
    items = [{"prompt": "a fox"}, {"prompt": "a hare", "aspect_ratio": "7:5"}, {"size": "big"}]
    answer = rehearse(*items)
    assert (answer["ok"], answer["succeeded"], answer["failed"]) == (True, 1, 2)
    earnest = tools.result("generate_visual_batch", items=items).structured
    assert [entry.get("error") for entry in answer["results"]] == [entry.get("error") for entry in earnest["results"]]


@pytest.mark.parametrize(
    ("items", "arguments"),
    [([{"prompt": ""}], {}), ([{"prompt": "a fox"}, {"prompt": ""}], {"continue_on_error": False})],
)
def test_it_is_an_error_where_the_batch_itself_would_be_one(tools, items, arguments):
    result = tools.result("generate_visual_batch", items=items, dry_run=True, **arguments)
    assert result.is_error
    assert "items failed; item" in result.structured["error"]["message"]
    assert len(result.structured["results"]) == len(items)


def test_a_price_over_the_limit_is_an_error_that_still_shows_the_items(make_tools):
    tools = make_tools(max_credits_per_call=20)
    result = tools.result("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}], dry_run=True)
    assert result.is_error
    assert "at least 36 credits, over KIE_AI_MAX_CREDITS_PER_CALL (20)" in result.structured["error"]["message"]
    assert [entry["credits_estimated"] for entry in result.structured["results"]] == [18, 18]


def test_items_without_a_known_price_are_counted(rehearse):
    answer = rehearse(
        {"prompt": "a"}, {"prompt": "b", "model": "ideogram/v3-remix", "image_input": ["https://example.com/a.png"]}
    )
    assert answer["credits_estimated"] == 18
    assert answer["warnings"] == ["The price of 1 of 2 items is not known before they are made."]
    assert answer["results"][1]["credits_estimated"] is None


def test_pictures_are_looked_at_but_stay_here(rehearse, kie, tmp_path, png):
    picture = tmp_path / "fox.png"
    picture.write_bytes(png)
    data = "data:image/png;base64," + base64.b64encode(png).decode()
    answer = rehearse(
        {"prompt": "a", "image_input": [str(picture), "https://example.com/a.png", data]},
        {"prompt": "b", "image_input": [str(tmp_path / "nowhere.png")]},
    )
    shown = answer["results"][0]["body"]["input"]["image_input"]
    assert shown[:2] == [str(picture), "https://example.com/a.png"]
    assert (shown[2][:22], len(shown[2])) == ("data:image/png;base64,", 200)
    assert "no such file" in answer["results"][1]["error"]["message"]
    assert kie.uploads == []


def test_an_earlier_task_that_only_kie_knows_is_taken_as_it_is_and_that_is_told(rehearse):
    (entry,) = rehearse({"prompt": "a", "image_input": ["task:never-heard-of"]})["results"]
    assert entry["body"]["input"]["image_input"] == ["task:never-heard-of"]
    assert entry["warnings"] == ["image_input 'task:never-heard-of' is known to Kie only, so it was not looked at."]


def test_no_folder_is_made(rehearse, tmp_path):
    rehearse({"prompt": "a"}, {"prompt": "b", "output_path": str(tmp_path / "new" / "deep" / "b.png")})
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_told(rehearse, tmp_path):
    (tmp_path / "file").touch()
    (entry,) = rehearse({"prompt": "b", "output_path": str(tmp_path / "file" / "b.png")})["results"]
    assert entry["error"]["category"] == "output"


def test_a_total_that_nobody_knows_is_none(rehearse):
    answer = rehearse({"prompt": "a", "model": "gpt-image-2-6-economy-text-to-image"})
    assert (answer["credits_estimated"], answer["usd_estimated"]) == (None, None)


def test_no_key_is_needed(make_tools):
    answer = make_tools(api_key=None).call("generate_visual_batch", items=[{"prompt": "a"}], dry_run=True)
    assert answer["credits_estimated"] == 18
