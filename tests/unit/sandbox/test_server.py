"""The stand-in over real sockets."""

from __future__ import annotations

import http.client
import io
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kie_mcp.catalogue import Catalogue

BODY = {"model": "nano-banana-pro", "input": {"prompt": "a red apple on a table", "aspect_ratio": "3:2"}}
SECONDS = 20


def create(sandbox: Sandbox, session: requests.Session, body: Any = BODY) -> str:
    answer = session.post(f"{sandbox.base_url}/jobs/createTask", json=body, timeout=SECONDS)
    task_id: str = answer.json()["data"]["taskId"]
    return task_id


def urls(sandbox: Sandbox, session: requests.Session) -> list[str]:
    task_id = create(sandbox, session)
    record = session.get(f"{sandbox.base_url}/jobs/recordInfo", params={"taskId": task_id}, timeout=SECONDS).json()
    found: list[str] = json.loads(record["data"]["resultJson"])["resultUrls"]
    return found


def test_from_prompt_to_picture(sandbox: Sandbox, session: requests.Session):
    (url,) = urls(sandbox, session)
    assert url.startswith("http://127.0.0.1:")
    answer = requests.get(url, timeout=SECONDS)
    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (1248, 832)
    head = requests.head(url, timeout=SECONDS)
    assert (head.headers["Content-Length"], head.content) == (str(len(answer.content)), b"")
    assert (sandbox.stats()["downloads"], sandbox.stats()["authorized_downloads"]) == (1, 0)


def test_a_head_request_for_an_upload_has_its_size_and_no_body(sandbox: Sandbox, session: requests.Session):
    answer = session.post(
        f"{sandbox.upload_base_url}/api/file-stream-upload",
        data={"uploadPath": "images"},
        files={"file": ("a.bin", b"x" * 300_000)},
        timeout=SECONDS,
    )
    url = answer.json()["data"]["downloadUrl"]
    with requests.Session() as without_key:
        for _ in range(2):
            head = without_key.head(url, timeout=SECONDS)
            assert (head.status_code, head.headers["Content-Length"], head.content) == (200, "300000", b"")
        assert len(without_key.get(url, timeout=SECONDS).content) == 300_000


def test_one_connection_carries_many_requests(sandbox: Sandbox):
    host, port = sandbox.upload_base_url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS)
    headers = {"Authorization": "Bearer key"}
    ports = set()
    for body in (None, b"unread body", None):
        connection.request("GET" if body is None else "PUT", "/api/v1/chat/credit", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        ports.add(connection.sock.getsockname())
    connection.close()
    assert len(ports) == 1


def test_a_client_that_asks_for_the_end_of_the_connection_is_told_of_it(sandbox: Sandbox, session: requests.Session):
    url = f"{sandbox.base_url}/chat/credit"
    assert "Connection" not in session.get(url, timeout=SECONDS).headers
    assert session.get(url, headers={"Connection": "close"}, timeout=SECONDS).headers["Connection"] == "close"


def test_a_streamed_upload_arrives(sandbox: Sandbox, session: requests.Session):
    data = bytes(range(256)) * 20_000
    answer = session.post(
        f"{sandbox.upload_base_url}/api/file-stream-upload",
        data={"uploadPath": "images", "fileName": "big.bin"},
        files={"file": ("x.bin", data)},
        timeout=SECONDS,
    ).json()
    assert answer["data"]["fileSize"] == len(data)
    assert requests.get(answer["data"]["downloadUrl"], timeout=SECONDS).content == data


def test_a_chunked_body_is_understood(sandbox: Sandbox, session: requests.Session):
    def pieces() -> Iterator[bytes]:
        data = json.dumps(BODY).encode()
        yield data[:10]
        yield data[10:]

    answer = session.post(f"{sandbox.base_url}/jobs/createTask", data=pieces(), timeout=SECONDS).json()
    assert answer["code"] == 200


def test_a_dropped_request_has_no_answer_and_may_have_made_a_task(sandbox: Sandbox, session: requests.Session):
    sandbox.faults.add("create", "drop", accepted=True)
    with pytest.raises(requests.ConnectionError):
        create(sandbox, session)
    assert sandbox.stats()["created"] == 1


def test_a_cut_off_file_is_shorter_than_announced(sandbox: Sandbox, session: requests.Session):
    (url,) = urls(sandbox, session)
    sandbox.faults.add("download", "truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        requests.get(url, timeout=SECONDS)


def test_a_huge_file_without_a_length_ends_with_the_connection(sandbox: Sandbox, session: requests.Session):
    (url,) = urls(sandbox, session)
    sandbox.faults.add("download", "huge", bytes=2_000_000, declared=False)
    answer = requests.get(url, timeout=SECONDS)
    assert "Content-Length" not in answer.headers
    assert len(answer.content) == 2_000_000


def test_a_dripping_file_comes_piece_by_piece(catalogue: Catalogue, session: requests.Session):
    with Sandbox(SandboxOptions(task_seconds=0), catalogue=catalogue) as sandbox:
        (url,) = urls(sandbox, session)
        for seconds, start in ((0.001, b"\x89PNG"), (60, b"\x89")):
            sandbox.faults.add("download", "drip", seconds=seconds)
            with requests.get(url, timeout=SECONDS, stream=True) as answer:
                assert answer.raw.read(len(start)) == start
                assert int(answer.headers["Content-Length"]) > 1000


def test_retry_after_is_a_header(sandbox: Sandbox, session: requests.Session):
    sandbox.faults.add("credits", "retry_after", status=503, seconds=7)
    answer = session.get(f"{sandbox.base_url}/chat/credit", timeout=SECONDS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_a_hanging_answer_comes_late(sandbox: Sandbox, session: requests.Session):
    sandbox.faults.add("credits", "hang", seconds=0.05)
    started = time.monotonic()
    assert session.get(f"{sandbox.base_url}/chat/credit", timeout=SECONDS).json()["data"] == 5916.25
    assert time.monotonic() - started >= 0.05


def test_stopping_cuts_hanging_answers_short(catalogue: Catalogue, session: requests.Session):
    sandbox = Sandbox(catalogue=catalogue).start()
    sandbox.faults.add("credits", "hang", seconds=60)
    reached = threading.Event()
    wait = sandbox._clock.wait

    def hang(event: threading.Event, seconds: float) -> bool:
        reached.set()
        return wait(event, seconds)

    sandbox._clock.wait = hang
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(session.get, f"{sandbox.base_url}/chat/credit", timeout=SECONDS)
        assert reached.wait(SECONDS)
        started = time.monotonic()
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            late.result(SECONDS)
    assert time.monotonic() - started < 5


def test_many_clients_at_once_are_counted_right(catalogue: Catalogue):
    options = SandboxOptions(task_seconds=0, rate=Rate(60, 60))
    with Sandbox(options, catalogue=catalogue) as sandbox, ThreadPoolExecutor(40) as pool:

        def one(_: int) -> int:
            url = f"{sandbox.base_url}/jobs/createTask"
            answer = requests.post(url, json=BODY, headers={"Authorization": "Bearer k"}, timeout=SECONDS)
            code: int = answer.json()["code"]
            return code

        codes = list(pool.map(one, range(80)))
        stats = sandbox.stats()
    assert (codes.count(200), codes.count(429)) == (60, 20)
    assert (stats["created"], stats["rate_limited"]) == (60, 20)


def test_a_client_that_breaks_off_disturbs_nobody(
    sandbox: Sandbox, session: requests.Session, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG, logger="kie_mcp")
    address = sandbox.upload_base_url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=SECONDS) as client:
        client.sendall(
            b"POST /api/v1/jobs/createTask HTTP/1.1\r\nAuthorization: Bearer k\r\nContent-Length: 99\r\n\r\n{"
        )
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert create(sandbox, session)


def test_a_client_that_leaves_during_a_file_is_logged_at_debug_only(sandbox: Sandbox, session: requests.Session):
    (url,) = urls(sandbox, session)
    sandbox.faults.add("download", "huge", bytes=200_000_000)
    seen = threading.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.DEBUG and "ended early" in record.getMessage():
                seen.set()

    logger = logging.getLogger("kie_mcp")
    listener, level = Listener(), logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    try:
        with requests.get(url, stream=True, timeout=SECONDS) as answer:
            next(answer.iter_content(1000))
        assert seen.wait(SECONDS)
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)


def test_ids_differ_from_run_to_run(catalogue: Catalogue, session: requests.Session):
    ids = set()
    for _ in range(2):
        with Sandbox(catalogue=catalogue) as sandbox:
            ids.add(create(sandbox, session))
    assert len(ids) == 2


def test_an_error_of_its_own_is_a_500_and_logged(
    sandbox: Sandbox, session: requests.Session, caplog: pytest.LogCaptureFixture
):
    def broken(_: object) -> Any:
        raise ZeroDivisionError

    assert sandbox._server
    sandbox._server.answer = broken
    answer = session.get(f"{sandbox.base_url}/chat/credit", timeout=SECONDS).json()
    assert answer["code"] == 500
    assert "ZeroDivisionError" in caplog.text


def test_nothing_is_printed(sandbox: Sandbox, session: requests.Session, capfd: pytest.CaptureFixture[str]):
    session.get(f"{sandbox.base_url}/nothing", timeout=SECONDS)
    address = sandbox.upload_base_url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=SECONDS) as client:
        client.sendall(b"nonsense\r\n\r\n")
        client.recv(100)
    assert capfd.readouterr() == ("", "")


def test_it_starts_once_and_stops_twice(catalogue: Catalogue):
    sandbox = Sandbox(catalogue=catalogue)
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.base_url
    sandbox.stop()
    sandbox.start()
    with pytest.raises(RuntimeError, match="once"):
        sandbox.start()
    url = sandbox.base_url
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=SECONDS)


def test_the_bundled_models_are_known_without_asking_for_them(session: requests.Session):
    with Sandbox() as sandbox:
        assert create(sandbox, session)


def test_a_port_can_be_chosen_and_a_taken_one_is_an_error(catalogue: Catalogue):
    with Sandbox(catalogue=catalogue) as first:
        port = int(first.upload_base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Sandbox(catalogue=catalogue, port=port).start()
    with Sandbox(catalogue=catalogue, port=port) as second:
        assert second.upload_base_url == first.upload_base_url
