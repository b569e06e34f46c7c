"""What is promised in SECURITY.md, over real sockets and with real files."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from kie_mcp.sandbox import Sandbox, SandboxOptions

# the key


def spellings_of(key):
    """The bytes that would give a key away."""
    found = [key, quote(key), "".join(f"%{byte:02x}" for byte in key.encode()), base64.b64encode(key.encode()).decode()]
    return [text.lower().encode() for text in found]


def everything_below(folder):
    """The names and the contents of all files."""
    for path in sorted(folder.rglob("*")):
        yield str(path.relative_to(folder)).encode()
        if path.is_file():
            yield path.read_bytes()


def test_the_key_is_nowhere_though_kie_and_the_caller_repeat_it(
    tmp_path, catalogue, environment_for, server_process, key
):
    percent = "".join(f"%{byte:02X}" for byte in key.encode())
    encoded = base64.b64encode(key.encode()).decode()
    echo = f"{key} {percent} Basic {encoded}"
    log = tmp_path / "log.jsonl"
    settings = {"KIE_AI_LOG_LEVEL": "debug", "KIE_AI_LOG_FILE": str(log), "KIE_AI_HTTP_RETRIES": "2"}
    with Sandbox(SandboxOptions(task_seconds=0.05, api_key=key), catalogue=catalogue) as sandbox:
        faults = sandbox.faults
        faults.add("create", "code", code=422, msg=echo, match="refused")
        faults.add("create", "code", code=500, msg="x" * 490 + echo, match="broken")
        faults.add("poll", "fail", fail_code=key, fail_msg=f"x{echo}", match="failing")
        faults.add("poll", "code", code=455, msg=echo, match="a fox")
        faults.add("credits", "code", code=401, msg=echo)
        faults.add("download", "redirect", location=f"http://evil.test/{key}?{percent}", match="elsewhere")
        with (tmp_path / "stderr").open("wb") as stderr:
            server = server_process(environment_for(sandbox, tmp_path, **settings), tmp_path, stderr)
            with server:
                calls = [
                    ("generate_visual", {"prompt": f"{what} {key}"})
                    for what in ("refused", "broken", "failing", "elsewhere", "a fox")
                ]
                calls += [("get_credits", {}), ("describe_imager_interface", {}), ("list_visual_tasks", {})]
                calls += [
                    ("generate_visual", {"prompt": "x", "model": key}),
                    ("get_visual_task", {"task_id": key}),
                    (key, {}),
                ]
                server.send(key, "first")
                for number, (tool, arguments) in enumerate(calls):
                    server.call(number, tool, arguments, progressToken=number)
                answers, code = server.end()
    assert code == 0
    assert sum("id" in answer for answer in answers) == len(calls) + 1
    heap = [json.dumps(answers).encode(), *everything_below(tmp_path)]
    assert b"[redacted]" in heap[0]
    for text in (log.read_text("utf-8"), (tmp_path / "stderr").read_text("utf-8")):
        assert "a poll of task" in text
        assert "[redacted]" in text
    for bytes_there in heap:
        for text in spellings_of(key):
            assert text not in bytes_there.lower()


def test_the_key_is_in_no_traceback(tmp_path, environment_for, key):
    program = (
        "from kie_mcp import log; from kie_mcp.config import load_config; from pathlib import Path\n"
        "config = load_config(); log.configure('debug', Path('log'), config.secrets());"
        "url = f'https://host/?key={config.api_key}'\n"
        "try:\n    raise ValueError(url, config)\n"
        "except ValueError:\n    log.logger().exception('calling %s with %r', url, config)"
    )

    class Nowhere:
        base_url = upload_base_url = "http://127.0.0.1:9"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment_for(Nowhere, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=True,
    )
    shown = done.stderr + (tmp_path / "log").read_bytes()
    assert shown.count(b"Traceback") == 2
    assert key.encode() not in shown


# what leaves the machine


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "id_rsa"
    path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n" * 20, encoding="ascii")
    return path


def test_nothing_but_pictures_is_uploaded(kie, tmp_path, secret_file):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(secret_file)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "begins.png").write_bytes(b"\x89PNG\r\n\x1a\n" + secret_file.read_bytes())
    given = [
        *(str(tmp_path / name) for name in ("pipe.png", "link.png", "folder.png", "begins.png", "id_rsa", "none.png")),
        *("/dev/zero", "/dev/stdin", "/proc/self/environ", "/proc/self/mem", "/etc/passwd", "~/.ssh/id_rsa"),
        *(secret_file.as_uri(), f"file://localhost{secret_file}", f"file://elsewhere{secret_file}", "../../etc/passwd"),
        *(f"{tmp_path}/x/../id_rsa", f"{secret_file}\0.png", "/\ud800.png", "data:image/png;base64,c2VjcmV0"),
        *("http://example.com/a.png" + "\n", "ftp://example.com/a.png", "javascript:alert(1)", "/" + "x" * 5000),
    ]
    for source in given:
        error = kie.error("generate_visual", prompt="look at this", image_input=[source])
        assert error["category"] == "input", (source, error)
        error["message"].encode()
        assert "PRIVATE KEY" not in json.dumps(error)
    assert (kie.billed, kie.sandbox.stats()["uploads"]) == (0, 0)


def test_a_file_that_becomes_another_between_the_check_and_the_upload_stays_here(make_kie, secret_file, tmp_path):
    kie = make_kie(KIE_AI_RATE_LIMIT="1/2")
    picture = Path(kie.call("generate_visual", prompt="a picture to upload")["output_path"])
    swapped = threading.Event()
    jobs = kie.services.jobs
    urls = jobs.generations.sources.urls

    def swap(sources, context):
        picture.unlink()
        picture.symlink_to(secret_file)
        swapped.set()
        return urls(sources, context)

    object.__setattr__(jobs.generations, "sources", _With(jobs.generations.sources, urls=swap))
    error = kie.error("generate_visual", prompt="look at this", image_input=[str(picture)])
    assert swapped.is_set()
    assert (error["category"], "has changed since it was checked" in error["message"]) == ("input", True)
    assert (kie.billed, kie.sandbox.stats()["uploads"]) == (1, 0)


class _With:
    """An object with one of its methods replaced."""

    def __init__(self, inner, **replaced):
        self._inner = inner
        vars(self).update(replaced)

    def __getattr__(self, name):
        return getattr(self._inner, name)


# what is written, and where


def test_a_link_that_leads_nowhere_is_a_taken_name(kie, tmp_path):
    kie.output.mkdir()
    (kie.output / "fox.png").symlink_to(tmp_path / "victim.png")
    made = kie.call("generate_visual", prompt="a red fox", output_path=str(kie.output / "fox.png"))
    assert Path(made["output_path"]).name == "fox-2.png"
    assert not (tmp_path / "victim.png").exists()
    assert kie.files() == ["fox-2.png", "fox.png"]


@pytest.mark.parametrize("kind", ["file", "folder link", "pipe", "device link"])
def test_what_exists_under_a_name_is_never_written_to(kie, tmp_path, kind):
    kie.output.mkdir()
    place = kie.output / "fox.png"
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="ascii")
    {
        "file": lambda: place.write_text("mine", encoding="ascii"),
        "folder link": lambda: place.symlink_to(victim),
        "pipe": lambda: os.mkfifo(place),
        "device link": lambda: place.symlink_to("/dev/null"),
    }[kind]()
    made = kie.call("generate_visual", prompt="a red fox", output_path=str(place))
    assert Path(made["output_path"]).name == "fox-2.png"
    assert victim.read_text("ascii") == "mine"


@pytest.mark.parametrize(
    "path", ["{out}/../outside/a.png", "{out}/way-out/a.png", "{out}/way-out/deep", "{tmp}/a.png", "~/a.png"]
)
def test_nothing_is_written_outside_the_roots_nor_paid_for(make_kie, tmp_path, path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    kie = make_kie(KIE_AI_OUTPUT_ROOTS=str(tmp_path / "out"))
    kie.output.mkdir()
    (tmp_path / "outside").mkdir()
    (kie.output / "way-out").symlink_to(tmp_path / "outside")
    error = kie.error("generate_visual", prompt="a red fox", output_path=path.format(out=kie.output, tmp=tmp_path))
    assert (error["category"], "KIE_AI_OUTPUT_ROOTS" in error["message"]) == ("output", True)
    assert (kie.billed, list((tmp_path / "outside").iterdir()), kie.files()) == (0, [], ["way-out"])


# downloads


def test_a_download_that_drips_ends_and_the_picture_is_fetched_later(make_kie):
    kie = make_kie(KIE_AI_TIMEOUT_SECONDS="2", KIE_AI_HTTP_RETRIES="1")
    kie.sandbox.faults.add("download", "drip", seconds=0.02)
    error = kie.error("generate_visual", prompt="a red fox")
    assert (error["category"], "too slow" in error["message"]) == ("network", True)
    assert kie.files() == []
    assert kie.call("get_visual_task", task_id=error["task_id"])["output_path"]
    assert (kie.billed, len(kie.files())) == (1, 1)


@pytest.mark.parametrize("seconds", [0, 0.1])
def test_a_download_with_trailers_without_end_ends_and_the_picture_is_fetched_later(make_kie, seconds):
    kie = make_kie(KIE_AI_TIMEOUT_SECONDS="2", KIE_AI_HTTP_RETRIES="1")
    kie.sandbox.faults.add("download", "trailers", seconds=seconds)
    error = kie.error("generate_visual", prompt="a red fox")
    assert (error["category"], "within the time-out" in error["message"]) == ("network", True)
    assert kie.files() == []
    assert kie.call("get_visual_task", task_id=error["task_id"])["output_path"]


def test_a_picture_that_unpacks_to_a_huge_one_is_refused_in_little_memory(
    tmp_path, catalogue, environment_for, server_process
):
    with Sandbox(SandboxOptions(task_seconds=0.05), catalogue=catalogue) as sandbox:
        settings = {"KIE_AI_MAX_IMAGE_BYTES": "60000000", "KIE_AI_OUTPUT_DIR": str(tmp_path / "out")}
        with server_process(environment_for(sandbox, tmp_path, **settings), tmp_path) as server:
            assert not server.result("generate_visual", prompt="a red fox")["isError"]
            before = server.most_memory
            sandbox.faults.add("download", "gzip_bomb", bytes=1_000_000_000)
            error = server.result("generate_visual", prompt="a gift")["structuredContent"]["error"]
            grown = server.most_memory - before
    assert (error["category"], "KIE_AI_MAX_IMAGE_BYTES" in error["message"]) == ("output", True)
    assert grown < 10_000_000
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize(
    ("says", "category"), [("half", "output"), ("double", "network"), ("9" * 15, "output"), ("9" * 5000, "output")]
)
def test_a_length_that_is_a_lie_leaves_no_file(make_kie, says, category):
    kie = make_kie(KIE_AI_HTTP_RETRIES="1")
    kie.sandbox.faults.add("download", "wrong_length", says=says)
    error = kie.error("generate_visual", prompt="a red fox")
    assert error["category"] == category
    assert len(error["message"]) < 300
    assert kie.files() == []


@pytest.mark.parametrize("says", ["-5", "many", "1e9"])
def test_a_length_without_a_meaning_does_no_harm(kie, says):
    kie.sandbox.faults.add("download", "wrong_length", says=says)
    assert kie.call("generate_visual", prompt="a red fox")["bytes"] > 1000


@pytest.mark.parametrize("kind", ["truncate", "not_picture", "redirect", "dead", "drop", "html", "empty"])
def test_a_download_that_fails_leaves_nothing_in_the_folder(make_kie, kind):
    kie = make_kie(KIE_AI_HTTP_RETRIES="1")
    detail = {"location": "https://169.254.169.254/latest/meta-data/"} if kind == "redirect" else {}
    kie.sandbox.faults.add("download", kind, times=0, **detail)
    assert kie.error("generate_visual", prompt="a red fox")["category"] in ("output", "network")
    assert kie.files() == []
    kie.sandbox.faults.clear()
