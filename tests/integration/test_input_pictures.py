"""Pictures as input, end to end: little memory, each uploaded once, links that die, results that are data."""

from __future__ import annotations

import base64
import random
import struct
import zlib
from pathlib import Path

import pytest

from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

UPLOAD = "POST /api/file-stream-upload"
POLL = "GET /api/v1/jobs/recordInfo"
RENEW = "POST /api/v1/common/download-url"
MEGABYTE = 1024 * 1024
HOUR, DAY = 3600, 86400


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def stored_png(width, height, seed=1):
    """A real picture of random pixels, which no compression makes smaller."""
    noise = random.Random(seed)
    rows = b"".join(b"\0" + noise.randbytes(3 * width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


@pytest.fixture
def picture(tmp_path):
    """A function that writes a picture; different names have different pixels."""

    def make(name="fox.png", width=40, height=30):
        path = tmp_path / name
        path.write_bytes(stored_png(width, height, seed=name))
        return path

    return make


class LaterClock(Clock):
    """Time goes on as usual, and jumps where a test says so."""

    ahead = 0.0

    def now(self):
        return super().now() + self.ahead

    def monotonic(self):
        return super().monotonic() + self.ahead


@pytest.fixture
def later():
    """The time of the stand-in alone."""
    return LaterClock()


@pytest.fixture
def kie(make_kie, later):
    return make_kie(clock=later)


# a server process


@pytest.fixture
def sandbox(key, catalogue):
    with Sandbox(SandboxOptions(task_seconds=0.05, rate=Rate(1000, 1), api_key=key), catalogue=catalogue) as running:
        yield running


@pytest.fixture
def start(server_process, environment_for, sandbox, tmp_path):
    """A function that starts a server process; all of them share a state folder."""
    return lambda: server_process(environment_for(sandbox, tmp_path), tmp_path)


def generate(server, prompt, *pictures):
    """The structured content of a call that went well."""
    answer = server.result("generate_visual", prompt=prompt, image_input=[str(path) for path in pictures])
    assert not answer.get("isError"), answer
    return answer["structuredContent"]


def test_a_picture_of_30_mb_costs_less_than_5_mb_of_memory(sandbox, start, picture):
    big = picture("big.png", 3000, 3333)
    assert 30_000_000 < big.stat().st_size < 30 * MEGABYTE
    with start() as server:
        generate(server, "to get warm", picture("small.png"))
        before = server.most_memory
        assert generate(server, "the real thing", big)["status"] == "success"
        assert server.most_memory - before < 5 * MEGABYTE
        generate(server, "the same again", big)
    assert sandbox.stats()["requests"][UPLOAD] == 2


def test_server_processes_know_each_others_uploads(sandbox, start, picture):
    for prompt in ("first", "second"):
        with start() as server:
            generate(server, prompt, picture())
    assert sandbox.stats()["requests"][UPLOAD] == 1


# once each


def test_the_same_picture_is_uploaded_once_however_it_is_given(kie, picture, tmp_path):
    path = picture()
    copy = tmp_path / "copy.png"
    copy.write_bytes(path.read_bytes())
    inline = "DATA:image/gif;base64," + base64.b64encode(path.read_bytes()).decode()
    for text in (str(path), path.as_uri(), str(copy), inline):
        assert kie.call("generate_visual", prompt="in the snow", image_input=[text, text])["status"] == "success"
    assert kie.asked(UPLOAD) == 1


def test_the_items_of_a_batch_share_one_upload(kie, picture):
    items = [{"prompt": f"fox {number}"} for number in range(12)]
    answer = kie.call("generate_visual_batch", items=items, default_image_input=[str(picture())])
    assert answer["succeeded"] == 12
    assert kie.asked(UPLOAD) == 1


def test_a_picture_in_another_input_is_uploaded_too(kie, picture):
    answer = kie.call(
        "generate_visual",
        prompt="a hat",
        model="ideogram/v3-edit",
        image_input=[str(picture("fox.png"))],
        model_params={"mask_url": str(picture("mask.png"))},
    )
    assert answer["status"] == "success"
    assert kie.asked(UPLOAD) == 2


# nothing but pictures


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("data:image/png;base64,c2VjcmV0", "not those of a picture"),
        ("data:image/png;base64,*", "not valid base64"),
        (__file__, "not those of a picture"),
        ("task:0123456789abcdef0123456789abcdef", "Kie knows no task"),
    ],
)
def test_what_is_no_picture_is_refused_before_anything_is_sent(kie, text, reason):
    error = kie.error("generate_visual", prompt="a hat", image_input=[text])
    assert error["category"] == "input"
    assert reason in error["message"]
    assert "c2Vj" not in error["message"]
    assert (kie.asked(UPLOAD), kie.billed) == (0, 0)


# links die


def test_an_upload_that_has_died_is_made_again(kie, later, picture):
    path = str(picture())
    for _ in range(2):
        assert kie.call("generate_visual", prompt="in the snow", image_input=[path])["status"] == "success"
    assert kie.asked(UPLOAD) == 1
    later.ahead += 2 * DAY
    assert kie.call("generate_visual", prompt="in the rain", image_input=[path])["status"] == "success"
    assert kie.asked(UPLOAD) == 2


def test_an_earlier_picture_is_used_by_its_link_and_uploaded_when_that_has_died(kie, later):
    earlier = f"task:{kie.call('generate_visual', prompt='a red fox')['task_id']}"
    assert kie.call("generate_visual", prompt="in the snow", image_input=[earlier])["status"] == "success"
    assert kie.asked(UPLOAD) == 0
    later.ahead += HOUR
    for prompt in ("in the rain", "in the wind"):
        assert kie.call("generate_visual", prompt=prompt, image_input=[earlier])["status"] == "success"
    assert kie.asked(UPLOAD) == 1


def test_an_earlier_picture_that_was_not_kept_is_used_by_a_renewed_link(kie, later):
    made = kie.call("generate_visual", prompt="a red fox")
    Path(made["output_path"]).unlink()
    later.ahead += HOUR
    again = kie.call("generate_visual", prompt="in the snow", image_input=[f"task:{made['task_id']}"])
    assert again["status"] == "success"
    assert (kie.asked(UPLOAD), kie.asked(RENEW)) == (0, 1)


def test_an_earlier_picture_without_link_and_file_is_refused_before_anything_is_paid(kie, later):
    made = kie.call("generate_visual", prompt="a red fox")
    Path(made["output_path"]).unlink()
    later.ahead += HOUR
    kie.sandbox.faults.add("download_url", "code", code=422, msg="url is wrong")
    error = kie.error("generate_visual", prompt="in the snow", image_input=[f"task:{made['task_id']}"])
    assert error["category"] == "input"
    assert "the link to its picture has died" in error["message"]
    assert kie.billed == 1


# results that are data


def test_a_result_that_is_data_is_remembered(kie, picture):
    wish = {"prompt": "the fox", "model": "omnihuman-1-5/subject-detection", "image_input": [str(picture())]}
    made = kie.call("generate_visual", **wish)
    polls = kie.asked(POLL)
    again = kie.call("get_visual_task", task_id=made["task_id"])
    assert again["result"] == made["result"]
    assert (again["status"], again["output_paths"]) == ("success", [])
    assert kie.asked(POLL) == polls
    assert kie.services.jobs.custody.unsaved().tasks == ()
