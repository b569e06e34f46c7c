"""The search for the key finds it in any form."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from chaos.keys import KEY, places_of
from chaos.stage import Stage


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"Bearer {KEY}",
        quote(KEY),
        quote(KEY, safe="").replace("%2B", "%2b"),
        json.dumps(KEY).replace("/", "\\/"),
        base64.b64encode(f"Bearer {KEY}".encode()).decode(),
        base64.b64encode(f"u:{KEY}".encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        KEY.encode().hex(),
        KEY[:16],
        KEY[-16:],
    ],
)
def test_a_key_in_a_file_is_found_in_whatever_way_it_is_written(text, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 2_000_000 + text.encode() + b"x" * 10)
    (found,) = places_of(KEY, tmp_path)
    assert found.startswith("file: ")


def test_a_key_across_two_pieces_and_in_a_name_is_found_and_nothing_else(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * (1024 * 1024 - 5) + KEY.encode())
    (tmp_path / f"{quote(KEY, safe='')}.txt").touch()
    (tmp_path / "other").write_text("k-other")
    assert {place.partition(": ")[0] for place in places_of(KEY, tmp_path)} == {"file", f"{quote(KEY, safe='')}.txt"}


def test_a_key_that_the_caller_says_is_repeated_nowhere(tmp_path):
    calls = [
        ("generate_visual", {"prompt": f"my key is {KEY}"}),
        ("generate_visual", {"prompt": "a fox", "output_path": str(tmp_path / "stage" / "out" / quote(KEY, safe=""))}),
        ("generate_visual", {"prompt": "a fox", "model": KEY}),
        ("generate_visual", {"prompt": "a fox", "image_input": [f"https://example.com/{KEY}.png", KEY]}),
        ("generate_visual", {"prompt": "a fox", "model_params": {KEY: KEY}}),
        ("generate_visual", {"prompt": "a fox", KEY: 1}),
        ("generate_visual_batch", {"items": [{"prompt": KEY}, {KEY: KEY}, KEY]}),
        ("generate_visual_batch", {"items": KEY}),
        ("get_visual_task", {"task_id": KEY}),
        ("list_models", {"query": KEY}),
        ("list_visual_tasks", {"cursor": KEY}),
        (KEY, {}),
    ]
    with Stage(tmp_path / "stage") as stage:
        with stage.server() as server:
            for number, (tool, arguments) in enumerate(calls):
                server.call(number, tool, arguments, progressToken=number)
            assert all(server.response(number) for number in range(len(calls)))
            server.close_input()
            server.ended()
        assert not stage.key_places()
