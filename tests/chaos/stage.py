"""One stand-in of Kie, one state folder, and the processes that meet there; everything they say is kept."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace

from chaos.keys import KEY, places_of
from chaos.witness import Witness
from kie_mcp.sandbox import Sandbox, SandboxOptions
from kie_mcp.sandbox.drawing import Gallery
from processes import ServerProcess, environment_for

PATIENCE = 60.0
"""Seconds after which a process that should have ended, or said something, is taken to hang."""

HELLO = "hello"
"""The id of a server's first request."""
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "chaos", "version": "1"}}


class BrokenPlayError(AssertionError):
    """Something did not happen in time, or not at all, so that the play cannot go on."""


class Server(ServerProcess):
    """A server whose output a thread reads, so that nothing that it says is lost when it dies."""

    def __init__(self, environment, folder, said):
        self._err = said.with_suffix(".err").open("wb")
        super().__init__(environment, folder, stderr=self._err, crossing=True)
        self._said = said.with_suffix(".out").open("wb")
        self._news = threading.Condition()
        self._messages = []
        self._wake, self._waker = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.send("initialize", HELLO, **HANDSHAKE)
        self.send("notifications/initialized")

    def __exit__(self, kind, *_):
        self.process.kill()
        self.hang_up()
        super().__exit__()
        os.close(self._wake)
        os.close(self._waker)
        self._err.close()
        if kind is None:
            self.conversation.check()

    def hang_up(self):
        """Read no more, and close both ends."""
        os.write(self._waker, b"x")
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe.close()

    def close_input(self):
        self.process.stdin.close()

    def cancel(self, number):
        self.send("notifications/cancelled", requestId=number, reason="chaos")

    @property
    def messages(self):
        with self._news:
            return list(self._messages)

    def response(self, number, seconds=PATIENCE):
        """The response to a request; ``None`` where the server ends, or the time is up, before it comes."""
        with self._news:
            self._news.wait_for(lambda: self._response(number) or not self._reader_works, seconds)
            return self._response(number)

    def ended(self, seconds=PATIENCE):
        """Wait for its end; its exit code. Everything that it said is known then."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise BrokenPlayError(f"the server did not end within {seconds:g} s") from error
        self._reader.join()
        return code

    def task_ids(self):
        """The ids that the progress of its calls has named."""
        told = [message["params"]["message"] for message in self.messages if "params" in message]
        return {text.split()[-1] for text in told if "submitted as task" in text}

    _reader_works = True

    def _response(self, number):
        return next((message for message in self._messages if message.get("id") == number), None)

    def _read(self):
        descriptor, rest = self.process.stdout.fileno(), b""
        while self._wake not in select.select([descriptor, self._wake], [], [])[0]:
            data = os.read(descriptor, 65536)
            if not data:
                break
            self._said.write(data)
            *lines, rest = (rest + data).split(b"\n")
            with self._news:
                self._messages.extend(self.conversation.received(line) for line in lines)
                self._news.notify_all()
        self._said.close()
        with self._news:
            self._reader_works = False
            self._news.notify_all()


class SmallGallery(Gallery):
    """Pictures of an eighth of the size: they are drawn by the process that plays Kie for everybody."""

    def file(self, key):
        return super().file(replace(key, width=key.width // 64 * 8, height=key.height // 64 * 8))


class Stage:
    """A context manager. ``settings`` are those of all processes; ``options`` are the stand-in's."""

    def __init__(self, folder, options=None, /, **settings):
        self.folder = folder
        self.output = folder / "out"
        self.said = folder / "said"
        self.said.mkdir(parents=True)
        self.sandbox = Sandbox(SandboxOptions(**{"task_seconds": 0.3, "api_key": KEY, **(options or {})}))
        self._settings = settings
        self._processes = 0

    def __enter__(self):
        self.sandbox.start()
        self.sandbox._server.answer.__self__._downloads._gallery = SmallGallery()
        self.witness = Witness(self.sandbox)
        return self

    def __exit__(self, *_):
        self.sandbox.stop()

    def environment(self):
        """Logs at their most talkative, answers to failures quick."""
        settings = {
            "KIE_AI_API_KEY": KEY,
            "KIE_AI_OUTPUT_DIR": str(self.output),
            "KIE_AI_LOG_LEVEL": "debug",
            "KIE_AI_LOG_FILE": str(self.folder / "log.jsonl"),
            "KIE_AI_HTTP_RETRY_BACKOFF_SECONDS": "0.05",
            "KIE_AI_HTTP_RETRIES": "5",
            "KIE_AI_TIMEOUT_SECONDS": "10",
            **self._settings,
        }
        return environment_for(self.sandbox, self.folder, **settings)

    def server(self):
        """A new server process, a context manager."""
        return Server(self.environment(), self.folder, self._next("server"))

    def command(self, *words):
        """Begin a command of the command line; the process and the file of its stdout."""
        said = self._next(words[0])
        with said.with_suffix(".out").open("wb") as out, said.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "kie_mcp", *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=self.environment(),
                cwd=self.folder,
            )
        return process, said.with_suffix(".out")

    def answer(self, *words, seconds=PATIENCE):
        """The exit code and the JSON of a command."""
        process, out = self.command(*words)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise BrokenPlayError(f"kie-mcp {words[0]} did not end within {seconds:g} s") from error
        try:
            return code, json.loads(out.read_bytes())
        except ValueError as error:
            raise BrokenPlayError(f"kie-mcp {words[0]} ended with exit code {code} and printed no JSON") from error

    def files(self):
        """Everything in the output folder, hidden or not."""
        return sorted(path for path in self.output.rglob("*") if not path.is_dir())

    def names(self):
        """The names in the output folder, hidden or not."""
        return {path.name for path in self.output.iterdir()} if self.output.exists() else set()

    def key_places(self):
        """Where the key has got to."""
        return places_of(KEY, self.folder)

    def stats(self):
        return self.sandbox.stats()

    def _next(self, name):
        self._processes += 1
        return self.said / f"{self._processes:02d}-{name}"
