"""The settings: one frozen object, read once from the environment and ``.env`` files.

Nothing else in the program reads the environment. A value that cannot be used is an error that names
the variable, the value and what is accepted; the key's value is never part of a message or a repr.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kie_mcp import values
from kie_mcp.errors import ConfigError
from kie_mcp.settings_files import gathered, settings_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True)
class Rate:
    """At most ``count`` new tasks in any ``seconds``."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Config:
    """The effective settings. Times are in seconds, sizes in bytes, prices in credits."""

    api_key: str | None = field(default=None, repr=False)
    base_url: str = "https://api.kie.ai/api/v1"
    model: str = "nano-banana-pro"
    output_dir: Path = Path("output")
    timeout_seconds: float = 90
    poll_interval_seconds: float = 3
    poll_timeout_seconds: float = 300
    http_retries: int = 3
    http_retry_backoff_seconds: float = 1.5
    create_task_path: str = "/jobs/createTask"
    get_task_path: str = "/jobs/recordInfo"
    upload_base_url: str = "https://kieai.redpandaai.co"
    state_dir: Path | None = None
    rate_limit: Rate = Rate(20, 10)
    rate_limit_url: values.SecretUrl | None = None
    max_image_bytes: int = 104857600
    max_wait_seconds: float | None = None
    max_credits_per_call: float | None = None
    output_roots: tuple[Path, ...] = ()
    preview: bool = True
    sandbox: bool = False
    log_level: str = "warning"
    log_file: Path | None = None
    concealed: tuple[str, ...] = field(default=(), repr=False)
    """What is no setting in force, and must not be shown all the same: the user's key while the sandbox is used."""

    @property
    def state_path(self) -> Path:
        """The state folder: the one that is set, or the platform's own for this user. Raises ``ConfigError``."""
        if self.state_dir is not None:
            return self.state_dir
        from platformdirs import user_state_path

        try:
            return user_state_path("kie-mcp", appauthor=False)
        except RuntimeError as error:
            raise ConfigError(
                "The home folder is not known, so there is no place for the task ledger.",
                next_step="Set HOME, or KIE_AI_STATE_DIR to a folder.",
            ) from error

    def require_key(self) -> str:
        """The API key; ``ConfigError`` says how to set it where it is missing."""
        if not self.api_key:
            raise ConfigError(
                "KIE_AI_API_KEY is not set, so Kie cannot be called.",
                next_step="Get a key at kie.ai/api-key and put it into the env block of the host's configuration for "
                "this server, or into .env as KIE_AI_API_KEY=...; or start with --sandbox to try without one.",
            )
        return self.api_key

    def secrets(self) -> tuple[str, ...]:
        """What must not be shown or stored. The sandbox's key is a plain word that everybody knows."""
        key = (self.api_key,) if self.api_key and not self.sandbox else ()
        return (*key, *self.concealed, *(self.rate_limit_url.passwords if self.rate_limit_url else ()))

    def account_mark(self) -> str:
        """16 hexadecimal digits that stand for the API and the key, and tell neither."""
        known = "\0".join(("kie-mcp", self.base_url, self.api_key or ""))
        return hashlib.sha256(known.encode()).hexdigest()[:16]

    def on_loopback(self) -> bool:
        """Whether the API itself is on this machine, as the sandbox is."""
        return is_loopback_host(urlsplit(self.base_url).hostname or "")

    @property
    def ledger_path(self) -> Path:
        """The file of the ledger; play tasks, of an API on this machine, have one of their own."""
        return self.state_file("ledger", "sqlite3")

    def state_file(self, stem: str, extension: str) -> Path:
        """A file of the state folder; play, with an API on this machine, has files of its own.

        Raises ``ConfigError`` where the state folder is not known.
        """
        in_play = self.sandbox or self.on_loopback()
        return self.state_path / f"{stem}{'-sandbox' if in_play else ''}.{extension}"


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address literal is this machine's loopback."""
    return host in {"localhost", "::1"} or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


@dataclass(frozen=True)
class Variable:
    """One environment variable: the field it sets, how its text is read, what is accepted.

    ``secret``: its value is never shown. ``masked``: its value shows itself without its secret part, but a text that
    cannot be read as one is not shown.
    """

    name: str
    field: str
    read: Callable[[str], Any]
    accepts: str
    secret: bool = False
    masked: bool = False


def _rate(value: str) -> Rate:
    count, seconds = value.split("/")
    return Rate(values.whole(_MOST_TASKS)(count), values.seconds(seconds))


def _log_level(value: str) -> str:
    if value.lower() not in LOG_LEVELS:
        raise ValueError
    return value.lower()


_MOST_TASKS = 100_000
_LONGEST_SHOWN = 200
_MOST_TOLD = 1_200
"""Characters for problems with settings in one error, beside the names of all (see ``errors.LONGEST_TEXT``)."""
_HTTPS_PORT = 443
_SECONDS = f"a number of seconds above 0 and at most {values.MOST_SECONDS}, e.g. 90"
_HTTP_URL = "a URL with http:// or https:// and no user, query or fragment, e.g. https://api.kie.ai/api/v1"
_URL_PATH = "a path that begins with /, e.g. /jobs/createTask"
_PATH = "a path"

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "KIE_AI_API_KEY", "api_key", values.key, "the key as shown at kie.ai/api-key, without spaces", secret=True
    ),
    Variable("KIE_AI_BASE_URL", "base_url", values.url, _HTTP_URL),
    Variable("KIE_AI_MODEL", "model", values.text, "a model id, e.g. nano-banana-pro"),
    Variable("KIE_AI_OUTPUT_DIR", "output_dir", values.path, _PATH),
    Variable("KIE_AI_TIMEOUT_SECONDS", "timeout_seconds", values.seconds, _SECONDS),
    Variable("KIE_AI_POLL_INTERVAL_SECONDS", "poll_interval_seconds", values.seconds, _SECONDS),
    Variable("KIE_AI_POLL_TIMEOUT_SECONDS", "poll_timeout_seconds", values.seconds, _SECONDS),
    Variable(
        "KIE_AI_HTTP_RETRIES", "http_retries", values.whole(100), "a whole number of attempts from 1 to 100, e.g. 3"
    ),
    Variable(
        "KIE_AI_HTTP_RETRY_BACKOFF_SECONDS",
        "http_retry_backoff_seconds",
        values.delay,
        f"a number of seconds from 0 to {values.MOST_SECONDS}, e.g. 1.5",
    ),
    Variable("KIE_AI_CREATE_TASK_PATH", "create_task_path", values.url_path, _URL_PATH),
    Variable("KIE_AI_GET_TASK_PATH", "get_task_path", values.url_path, _URL_PATH),
    Variable("KIE_AI_UPLOAD_BASE_URL", "upload_base_url", values.url, _HTTP_URL),
    Variable("KIE_AI_STATE_DIR", "state_dir", values.path, _PATH),
    Variable(
        "KIE_AI_RATE_LIMIT",
        "rate_limit",
        _rate,
        f"new tasks per seconds as COUNT/SECONDS, e.g. 20/10, with a whole COUNT from 1 to {_MOST_TASKS}",
    ),
    Variable(
        "KIE_AI_RATE_LIMIT_URL",
        "rate_limit_url",
        values.redis_url,
        "the URL of a Redis server, redis://, rediss:// or unix://, e.g. redis://:password@host:6379/0, with "
        "/ ? # @ in a password percent-encoded",
        masked=True,
    ),
    Variable(
        "KIE_AI_MAX_IMAGE_BYTES", "max_image_bytes", values.whole(), "a whole number of bytes from 1, e.g. 104857600"
    ),
    Variable("KIE_AI_MAX_WAIT_SECONDS", "max_wait_seconds", values.seconds, _SECONDS),
    Variable(
        "KIE_AI_MAX_CREDITS_PER_CALL", "max_credits_per_call", values.number, "a number of credits from 0, e.g. 50"
    ),
    Variable("KIE_AI_OUTPUT_ROOTS", "output_roots", values.paths, f"paths separated by {os.pathsep!r}"),
    Variable("KIE_AI_PREVIEW", "preview", values.switch, "on or off"),
    Variable("KIE_AI_SANDBOX", "sandbox", values.switch, "on or off"),
    Variable("KIE_AI_LOG_LEVEL", "log_level", _log_level, "one of " + ", ".join(LOG_LEVELS)),
    Variable("KIE_AI_LOG_FILE", "log_file", values.path, _PATH),
)


def config_from(environment: Mapping[str, str]) -> Config:
    """Settings from a mapping of variables; an empty value means the default.

    Raises ``ConfigError`` naming every variable that cannot be used.
    """
    settings: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for variable in VARIABLES:
        text = environment.get(variable.name, "").strip()
        if not text:
            continue
        try:
            settings[variable.field] = variable.read(text)
        except ValueError:
            hidden = variable.secret or variable.masked or len(text) > _LONGEST_SHOWN
            shown = "set to what cannot be used (not shown)" if hidden else repr(text)
            problems[variable.name] = f"{variable.name} is {shown}; accepted is {variable.accepts}."
    if problems:
        raise ConfigError(_told(problems))
    return Config(**settings)


def _told(problems: Mapping[str, str]) -> str:
    """As many problems as there is room for, and the names at least of the others: all can be mended at once."""
    room, shown, others = _MOST_TOLD, [], []
    for name, problem in problems.items():
        room -= len(problem)
        shown.append(problem) if room > 0 else others.append(name)
    return " ".join(shown) + (f" Not to be used either: {', '.join(others)}." if others else "")


def secrets_at_hand() -> tuple[str, ...]:
    """What must not be shown, as far as it can be known while the settings as a whole cannot be used."""
    found = dict(os.environ)
    with suppress(ConfigError):  # there is no working directory
        for folder in settings_folders():
            with suppress(ConfigError):  # this file cannot be read; another can
                found, _ = gathered(found, (folder,))
    key, url = (found.get(name, "").strip() for name in ("KIE_AI_API_KEY", "KIE_AI_RATE_LIMIT_URL"))
    try:
        passwords = values.redis_url(url).passwords
    except ValueError:
        passwords = (url,)
    return tuple(secret for secret in (key, *passwords) if secret)


def environment_with_files(environment: Mapping[str, str], folders: tuple[Path, ...]) -> dict[str, str]:
    """The variables of ``environment``, then of ``.env`` in each folder; what is set is never overridden.

    Raises ``ConfigError`` for a file that cannot be read or is not UTF-8, and for one that would have the key, which it
    does not hold itself, sent elsewhere or in clear: whoever can put a file into a folder may not get at the key.
    """
    merged, origins = gathered(environment, folders)
    for name, own in (("KIE_AI_BASE_URL", Config.base_url), ("KIE_AI_UPLOAD_BASE_URL", Config.upload_base_url)):
        file = origins.get(name)
        if file is None or file == origins.get("KIE_AI_API_KEY") or not merged.get("KIE_AI_API_KEY"):
            continue
        if merged[name].strip() and not _leads_to(merged[name].strip(), own):
            raise ConfigError(
                f"{name} is {merged[name]!r} in {file}, but the key is not from there: "
                "it would go to another place than Kie's, or there in clear text.",
                next_step=f"Where that is meant, set {name} in the same place as KIE_AI_API_KEY; else take it out.",
            )
    return merged


def _leads_to(url: str, own: str) -> bool:
    """Whether a URL has the scheme, host and port of our own one, or leads to this machine."""
    right = urlsplit(own)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if is_loopback_host(parts.hostname or ""):
        return True
    return (parts.scheme, parts.hostname) == (right.scheme, right.hostname) and port in (None, right.port, _HTTPS_PORT)


def load_config(*, sandbox: bool = False) -> Config:
    """The settings of this process: the environment, ``.env`` here, ``.env`` beside the executable.

    ``sandbox`` is the ``--sandbox`` flag: it is as if ``KIE_AI_SANDBOX`` were on. Raises ``ConfigError``.
    """
    config = config_from(environment_with_files(os.environ, settings_folders()))
    return replace(config, sandbox=True) if sandbox else config
