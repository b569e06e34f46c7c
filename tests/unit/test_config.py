"""The settings: what each variable accepts, what is said of the rest, and which source wins."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from pathlib import Path

import pytest

from kie_mcp.config import (
    VARIABLES,
    Config,
    Rate,
    config_from,
    environment_with_files,
    is_loopback_host,
    load_config,
    secrets_at_hand,
)
from kie_mcp.errors import ConfigError
from kie_mcp.values import redis_url

DEFAULTS = {
    "KIE_AI_API_KEY": None,
    "KIE_AI_BASE_URL": "https://api.kie.ai/api/v1",
    "KIE_AI_MODEL": "nano-banana-pro",
    "KIE_AI_OUTPUT_DIR": Path("output"),
    "KIE_AI_TIMEOUT_SECONDS": 90,
    "KIE_AI_POLL_INTERVAL_SECONDS": 3,
    "KIE_AI_POLL_TIMEOUT_SECONDS": 300,
    "KIE_AI_HTTP_RETRIES": 3,
    "KIE_AI_HTTP_RETRY_BACKOFF_SECONDS": 1.5,
    "KIE_AI_CREATE_TASK_PATH": "/jobs/createTask",
    "KIE_AI_GET_TASK_PATH": "/jobs/recordInfo",
    "KIE_AI_UPLOAD_BASE_URL": "https://kieai.redpandaai.co",
    "KIE_AI_RATE_LIMIT": Rate(20, 10),
    "KIE_AI_RATE_LIMIT_URL": None,
    "KIE_AI_MAX_IMAGE_BYTES": 104857600,
    "KIE_AI_MAX_WAIT_SECONDS": None,
    "KIE_AI_MAX_CREDITS_PER_CALL": None,
    "KIE_AI_OUTPUT_ROOTS": (),
    "KIE_AI_PREVIEW": True,
    "KIE_AI_SANDBOX": False,
    "KIE_AI_LOG_LEVEL": "warning",
    "KIE_AI_LOG_FILE": None,
}
SECONDS_GOOD = [("0.5", 0.5), ("90", 90), ("1e3", 1000), ("1000000", 1_000_000)]
SECONDS_BAD = ["ninety", "0", "-1", "nan", "inf", "1000001", "1e400", "90s", "1,5"]
URL_GOOD = [
    ("https://kie.example/api/v1", "https://kie.example/api/v1"),
    ("http://127.0.0.1:8080/api/v1/", "http://127.0.0.1:8080/api/v1"),
    ("https://[::1]:9/", "https://[::1]:9"),
]
URL_BAD = [
    "api.kie.ai/api/v1",
    "ftp://api.kie.ai",
    "https://",
    "https://api.kie.ai:port",
    "https://api.kie.ai:99999",
    "https://user:word@api.kie.ai",
    "https://api.kie.ai/?a=1",
    "https://api.kie.ai/#x",
    "https://[::1",
]
PATH_GOOD = [("pictures", Path("pictures")), ("/srv/x", Path("/srv/x")), ("~/x", Path.home() / "x")]
PATH_BAD = ["a\0b", "~no-such-user-of-this-machine/x"]
REDIS_GOOD = [
    "redis://localhost",
    "redis://:s3cret@host:7000/2",
    "rediss://user:s3cret@[::1]",
    "unix:///run/redis/redis.sock?db=1",
]
REDIS_BAD = [
    "localhost:6379",
    "https://:s3cret@host",
    "redis://",
    "redis://:s3cret@host:port",
    "redis://h/#x",
    "unix://",
    "redis://user:12/b@host:6379",
    "redis://user:12?b@host:6379",
    "redis://user:pa#b@host:6379",
]
URL_PATH_GOOD = [("/jobs/other", "/jobs/other")]
URL_PATH_BAD = ["jobs/createTask", "/", "/a b", "/a?b", "/a#b"]
SWITCH_GOOD = [
    *((word, True) for word in ("on", "ON", "1", "true", "yes")),
    *((word, False) for word in ("off", "0", "False", "no")),
]
SWITCH_BAD = ["maybe", "2", "-"]

GOOD = {
    "KIE_AI_API_KEY": [("a1b2", "a1b2"), ("  spaces-around  ", "spaces-around")],
    "KIE_AI_BASE_URL": URL_GOOD,
    "KIE_AI_MODEL": [("seedream/4.5-edit", "seedream/4.5-edit")],
    "KIE_AI_OUTPUT_DIR": PATH_GOOD,
    "KIE_AI_TIMEOUT_SECONDS": SECONDS_GOOD,
    "KIE_AI_POLL_INTERVAL_SECONDS": SECONDS_GOOD,
    "KIE_AI_POLL_TIMEOUT_SECONDS": SECONDS_GOOD,
    "KIE_AI_HTTP_RETRIES": [("1", 1), ("100", 100)],
    "KIE_AI_HTTP_RETRY_BACKOFF_SECONDS": [("0", 0), *SECONDS_GOOD],
    "KIE_AI_CREATE_TASK_PATH": URL_PATH_GOOD,
    "KIE_AI_GET_TASK_PATH": URL_PATH_GOOD,
    "KIE_AI_UPLOAD_BASE_URL": URL_GOOD,
    "KIE_AI_STATE_DIR": PATH_GOOD,
    "KIE_AI_RATE_LIMIT": [("5/1", Rate(5, 1)), ("100000/0.5", Rate(100_000, 0.5))],
    "KIE_AI_RATE_LIMIT_URL": [(url, redis_url(url)) for url in REDIS_GOOD],
    "KIE_AI_MAX_IMAGE_BYTES": [("1", 1), ("5000000000", 5_000_000_000)],
    "KIE_AI_MAX_WAIT_SECONDS": SECONDS_GOOD,
    "KIE_AI_MAX_CREDITS_PER_CALL": [("0", 0), ("12.5", 12.5), ("5000000", 5_000_000)],
    "KIE_AI_OUTPUT_ROOTS": [
        (os.pathsep.join(["/srv/a", "", "b"]), (Path("/srv/a"), Path("b").absolute())),
        ("~", (Path.home(),)),
    ],
    "KIE_AI_PREVIEW": SWITCH_GOOD,
    "KIE_AI_SANDBOX": SWITCH_GOOD,
    "KIE_AI_LOG_LEVEL": [("debug", "debug"), ("ERROR", "error")],
    "KIE_AI_LOG_FILE": PATH_GOOD,
}
BAD = {
    "KIE_AI_API_KEY": ["two words", "key\u00e9", "a\tb"],
    "KIE_AI_BASE_URL": URL_BAD,
    "KIE_AI_MODEL": [],
    "KIE_AI_OUTPUT_DIR": PATH_BAD,
    "KIE_AI_TIMEOUT_SECONDS": SECONDS_BAD,
    "KIE_AI_POLL_INTERVAL_SECONDS": SECONDS_BAD,
    "KIE_AI_POLL_TIMEOUT_SECONDS": SECONDS_BAD,
    "KIE_AI_HTTP_RETRIES": ["0", "-1", "3.5", "three", "101"],
    "KIE_AI_HTTP_RETRY_BACKOFF_SECONDS": ["-0.1", "nan", "inf", "soon", "1000001"],
    "KIE_AI_CREATE_TASK_PATH": URL_PATH_BAD,
    "KIE_AI_GET_TASK_PATH": URL_PATH_BAD,
    "KIE_AI_UPLOAD_BASE_URL": URL_BAD,
    "KIE_AI_STATE_DIR": PATH_BAD,
    "KIE_AI_RATE_LIMIT": [
        "20",
        "20/",
        "/10",
        "0/10",
        "20/0",
        "20/10/1",
        "a/b",
        "2.5/10",
        "20/-1",
        "20/nan",
        "100001/1",
    ],
    "KIE_AI_RATE_LIMIT_URL": REDIS_BAD,
    "KIE_AI_MAX_IMAGE_BYTES": ["0", "-1", "10MB", "1.5"],
    "KIE_AI_MAX_WAIT_SECONDS": SECONDS_BAD,
    "KIE_AI_MAX_CREDITS_PER_CALL": ["-1", "nan", "inf", "all"],
    "KIE_AI_OUTPUT_ROOTS": PATH_BAD,
    "KIE_AI_PREVIEW": SWITCH_BAD,
    "KIE_AI_SANDBOX": SWITCH_BAD,
    "KIE_AI_LOG_LEVEL": ["loud", "10", "warn"],
    "KIE_AI_LOG_FILE": PATH_BAD,
}
BY_NAME = {variable.name: variable for variable in VARIABLES}


def cases(table):
    return [(name, *(case if isinstance(case, tuple) else (case,))) for name, rows in table.items() for case in rows]


def value_of(config, name):
    return getattr(config, BY_NAME[name].field)


def test_the_variables_are_those_of_the_tables():
    assert set(BY_NAME) == set(GOOD) == set(BAD) == {*DEFAULTS, "KIE_AI_STATE_DIR"}
    fields = {field.name for field in dataclasses.fields(Config)} - {"concealed"}
    assert {variable.field for variable in VARIABLES} == fields


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_the_default_is_the_documented_one(name, value):
    assert value_of(config_from({}), name) == value


def test_the_state_folder_is_the_platforms_own(tmp_path):
    import platformdirs

    assert config_from({}).state_path == platformdirs.user_state_path("kie-mcp", appauthor=False)
    assert Config(state_dir=tmp_path).state_path == tmp_path


def test_a_home_folder_that_is_not_known_is_an_error_that_says_what_to_set(monkeypatch):
    import platformdirs

    def unknown(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(platformdirs, "user_state_path", unknown)
    with pytest.raises(ConfigError, match="home folder is not known") as caught:
        _ = Config().state_path
    assert "KIE_AI_STATE_DIR" in caught.value.next_step


@pytest.mark.parametrize(("name", "text", "value"), cases(GOOD))
def test_a_good_value_is_read(name, text, value):
    assert value_of(config_from({name: text}), name) == value


@pytest.mark.parametrize(("name", "text"), cases(BAD))
def test_a_bad_value_is_an_error_that_says_what_is_accepted(name, text):
    with pytest.raises(ConfigError) as caught:
        config_from({name: text})
    variable = BY_NAME[name]
    assert variable.name in caught.value.message
    assert variable.accepts in caught.value.message
    assert (repr(text) in caught.value.message) is not (variable.secret or variable.masked)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("text", BAD["KIE_AI_API_KEY"])
def test_a_bad_key_is_never_shown(text):
    with pytest.raises(ConfigError) as caught:
        config_from({"KIE_AI_API_KEY": text})
    shown = str(caught.value.as_dict()) + repr(caught.value) + str(caught.value.args)
    assert text not in shown
    assert repr(text)[1:-1] not in shown


def test_every_bad_value_is_named_at_once():
    with pytest.raises(ConfigError, match=r"KIE_AI_HTTP_RETRIES.*KIE_AI_LOG_LEVEL"):
        config_from({"KIE_AI_HTTP_RETRIES": "0", "KIE_AI_LOG_LEVEL": "loud"})


@pytest.mark.parametrize("text", ["?", "?" * 100, "?" * 10_000])
def test_every_bad_value_is_named_however_many_and_long_they_are(text):
    bad = {variable.name for variable in VARIABLES if raises(variable.read, text)}
    with pytest.raises(ConfigError) as caught:
        config_from(dict.fromkeys(bad, text))
    assert len(bad) > 10
    assert [name for name in sorted(bad) if not re.search(rf"\b{name}\b", caught.value.message)] == []
    assert "…" not in caught.value.message


def raises(read, text):
    try:
        read(text)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_value_means_the_default(name, text):
    assert config_from({name: text}) == config_from({})


def test_other_variables_are_not_looked_at():
    assert config_from({"KIE_AI_UNKNOWN": "x", "PATH": "/bin"}) == config_from({})


def test_the_settings_do_not_show_the_key():
    config = config_from({"KIE_AI_API_KEY": "s3cret-key"})
    assert config.require_key() == "s3cret-key"
    assert "s3cret-key" not in repr(config) + str(config)


def test_the_key_is_a_secret_and_the_sandboxes_is_none():
    assert Config(api_key="s3cret-key").secrets() == ("s3cret-key",)
    assert Config(api_key="sandbox", sandbox=True).secrets() == ()
    assert Config().secrets() == ()


@pytest.mark.parametrize(
    ("url", "shown", "where", "passwords"),
    [
        ("redis://localhost", "redis://localhost", "localhost:6379", set()),
        ("redis://:w0rd@h:7/0", "redis://:***@h:7/0", "h:7", {"w0rd"}),
        ("redis://:two@signs@h", "redis://:***@h", "h:6379", {"two@signs", "two%40signs"}),
        ("rediss://me:p%40ss@h", "rediss://me:***@h", "h:6379", {"p%40ss", "p@ss"}),
        (
            "unix:///run/r.sock?password=a%20b&db=1",
            "unix:///run/r.sock?password=***&db=1",
            "/run/r.sock",
            {"a b", "a%20b"},
        ),
        ("redis://h?db=1&pass%77ord=a+b", "redis://h?db=1&pass%77ord=***", "h:6379", {"a+b", "a b", "a%2Bb"}),
        ("rediss://h?ssl_password=w0rd&password=", "rediss://h?ssl_password=***&password=***", "h:6379", {"w0rd"}),
    ],
)
def test_the_password_of_the_shared_window_is_a_secret_and_never_shown(url, shown, where, passwords):
    config = config_from({"KIE_AI_API_KEY": "k", "KIE_AI_RATE_LIMIT_URL": url})
    value = config.rate_limit_url
    assert (value.full, str(value), value.where) == (url, shown, where)
    assert set(config.secrets()) == {"k", *passwords}
    assert set(Config(api_key="k", sandbox=True, rate_limit_url=value).secrets()) == passwords
    assert not any(word in repr(config) + str(value) for word in passwords)


def test_the_mark_of_an_account_tells_accounts_apart_and_tells_neither_key_nor_host():
    marks = [
        config.account_mark()
        for config in (
            Config(api_key="s3cret"),
            Config(api_key="other"),
            Config(api_key="s3cret", base_url="https://kie.example"),
            Config(),
        )
    ]
    assert len(set(marks)) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", mark) for mark in marks)
    assert Config(api_key="s3cret").account_mark() == marks[0]


def test_a_missing_key_is_an_error_that_says_how_to_set_it():
    with pytest.raises(ConfigError, match="KIE_AI_API_KEY is not set") as caught:
        Config().require_key()
    assert "kie.ai/api-key" in caught.value.next_step
    assert "--sandbox" in caught.value.next_step


def test_the_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().model = "other"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("::1", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("127.0.0.1.example.com", False),
        ("api.kie.ai", False),
        ("", False),
    ],
)
def test_this_machine_is_recognised(host, loopback):
    assert is_loopback_host(host) is loopback


@pytest.mark.parametrize(
    ("url", "loopback"), [("http://127.0.0.1:80/api/v1", True), ("http://[::1]/x", True), ("https://api.kie.ai", False)]
)
def test_an_api_on_this_machine_is_recognised(url, loopback):
    assert Config(base_url=url).on_loopback() is loopback


@pytest.fixture
def here(monkeypatch, tmp_path):
    """The working directory and the executable's folder, both empty; no variable of ours is set."""
    for name in [name for name in os.environ if name.startswith("KIE_AI_")]:
        monkeypatch.delenv(name)
    (tmp_path / "work").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "bin" / "kie-mcp")])
    return tmp_path


def test_the_environment_comes_before_the_files_and_this_folder_before_the_executables(here, monkeypatch):
    (here / "work" / ".env").write_text("KIE_AI_MODEL=from-here\nKIE_AI_HTTP_RETRIES=5\n", encoding="utf-8")
    (here / "bin" / ".env").write_text(
        "KIE_AI_MODEL=from-bin\nKIE_AI_HTTP_RETRIES=6\nKIE_AI_PREVIEW=off\n", encoding="utf-8"
    )
    monkeypatch.setenv("KIE_AI_MODEL", "from-env")
    config = load_config()
    assert (config.model, config.http_retries, config.preview) == ("from-env", 5, False)


def test_a_variable_set_to_nothing_is_set(here, monkeypatch):
    (here / "work" / ".env").write_text("KIE_AI_MODEL=from-here\n", encoding="utf-8")
    monkeypatch.setenv("KIE_AI_MODEL", "")
    assert load_config().model == "nano-banana-pro"


@pytest.mark.usefixtures("here")
def test_without_files_and_variables_the_defaults_hold():
    assert load_config() == Config()


def test_a_working_directory_that_is_gone_is_an_error_that_says_so(here):
    (here / "work").rmdir()
    with pytest.raises(ConfigError, match="The working directory cannot be used"):
        load_config()


@pytest.mark.usefixtures("here")
def test_the_sandbox_flag_is_the_sandbox_variable(monkeypatch):
    assert load_config(sandbox=True).sandbox
    monkeypatch.setenv("KIE_AI_SANDBOX", "on")
    assert load_config().sandbox


def test_a_file_does_not_change_the_environment_of_the_process(here):
    (here / "work" / ".env").write_text("KIE_AI_API_KEY=from-file\n", encoding="utf-8")
    assert load_config().api_key == "from-file"
    assert "KIE_AI_API_KEY" not in os.environ


def test_other_and_valueless_lines_of_a_file_are_left_alone(tmp_path):
    (tmp_path / ".env").write_text("PATH=/evil\nKIE_AI_MODEL\n# note\nKIE_AI_PREVIEW='off'\n", encoding="utf-8")
    assert environment_with_files({"PATH": "/bin"}, (tmp_path,)) == {"PATH": "/bin", "KIE_AI_PREVIEW": "off"}


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("KIE_AI_BASE_URL", "http://api.kie.ai/api/v1"),
        ("KIE_AI_BASE_URL", "https://api.kie.ai:8443/api/v1"),
        ("KIE_AI_BASE_URL", "https://api.kie.ai:port/api/v1"),
        ("KIE_AI_BASE_URL", "https://[api.kie.ai/api/v1"),
        ("KIE_AI_BASE_URL", "https://127.0.0.1.evil.example/api/v1"),
        ("KIE_AI_UPLOAD_BASE_URL", "http://kieai.redpandaai.co"),
        ("KIE_AI_UPLOAD_BASE_URL", "https://api.kie.ai"),
    ],
)
def test_a_file_may_not_send_a_key_that_is_not_its_own_to_kie_in_another_way(tmp_path, name, url):
    (tmp_path / ".env").write_text(f"{name}={url}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{name} is .* but the key is not from there"):
        environment_with_files({"KIE_AI_API_KEY": "k-of-the-user"}, (tmp_path,))


@pytest.mark.parametrize("name", ["KIE_AI_BASE_URL", "KIE_AI_UPLOAD_BASE_URL"])
def test_a_file_may_not_send_a_key_that_is_not_its_own_to_another_host(tmp_path, name):
    (tmp_path / "beside").mkdir()
    (tmp_path / ".env").write_text(f"{name}=https://evil.example/api/v1\n", encoding="utf-8")
    (tmp_path / "beside" / ".env").write_text("KIE_AI_API_KEY=k-of-the-user\n", encoding="utf-8")
    for environment, folders in (
        ({"KIE_AI_API_KEY": "k-of-the-user"}, (tmp_path,)),
        ({}, (tmp_path, tmp_path / "beside")),
    ):
        with pytest.raises(ConfigError, match=rf"{name} is 'https://evil\.example/api/v1'") as caught:
            environment_with_files(environment, folders)
        assert str(tmp_path / ".env") in caught.value.message
        assert "k-of-the-user" not in str(caught.value.as_dict())


@pytest.mark.parametrize(
    ("environment", "lines"),
    [
        ({"KIE_AI_API_KEY": "k", "KIE_AI_BASE_URL": "https://proxy.example"}, "KIE_AI_BASE_URL=https://evil.example"),
        ({}, "KIE_AI_API_KEY=k\nKIE_AI_BASE_URL=https://proxy.example"),
        ({}, "KIE_AI_BASE_URL=https://proxy.example"),
        ({"KIE_AI_API_KEY": "k"}, "KIE_AI_BASE_URL=https://api.kie.ai/api/v2"),
        ({"KIE_AI_API_KEY": "k"}, "KIE_AI_BASE_URL=HTTPS://API.kie.ai:443/api/v2"),
        ({"KIE_AI_API_KEY": "k"}, "KIE_AI_BASE_URL="),
        ({"KIE_AI_API_KEY": "k"}, "KIE_AI_BASE_URL=http://127.0.0.1:8765/api/v1"),
    ],
    ids=["the environment says where", "its own key", "no key", "Kie itself", "its port", "nothing", "this machine"],
)
def test_a_file_may_name_another_host_where_that_gives_no_key_away(tmp_path, environment, lines):
    (tmp_path / ".env").write_text(lines, encoding="utf-8")
    assert "evil" not in environment_with_files(environment, (tmp_path,))["KIE_AI_BASE_URL"]


def test_a_byte_order_mark_does_not_hide_the_first_line(tmp_path):
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfKIE_AI_API_KEY=abc\r\n")
    assert environment_with_files({}, (tmp_path,)) == {"KIE_AI_API_KEY": "abc"}


def test_a_folder_of_that_name_is_no_settings_file(tmp_path):
    (tmp_path / ".env").mkdir()
    assert environment_with_files({}, (tmp_path,)) == {}


def test_a_file_that_is_not_text_is_named_and_not_shown(tmp_path):
    (tmp_path / ".env").write_bytes(b"KIE_AI_API_KEY=s3cret\xff\n")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        environment_with_files({}, (tmp_path,))
    assert str(tmp_path / ".env") in caught.value.message
    assert "s3cret" not in caught.value.message


def test_a_file_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    import dotenv

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    (tmp_path / ".env").touch()
    monkeypatch.setattr(dotenv, "dotenv_values", refuse)
    with pytest.raises(ConfigError, match=r"\.env cannot be read: Permission denied"):
        environment_with_files({}, (tmp_path,))


def test_a_folder_that_may_not_be_searched_has_no_settings(tmp_path, monkeypatch):
    def refused(_path):
        raise PermissionError

    monkeypatch.setattr(Path, "is_file", refused)
    assert environment_with_files({"KIE_AI_MODEL": "z-image"}, (tmp_path,)) == {"KIE_AI_MODEL": "z-image"}


@pytest.mark.parametrize("value", [os.pathsep, os.pathsep * 3])
def test_a_list_of_roots_without_a_root_is_refused(value):
    with pytest.raises(ConfigError, match="KIE_AI_OUTPUT_ROOTS"):
        config_from({"KIE_AI_OUTPUT_ROOTS": value})


def test_what_is_secret_is_known_though_the_settings_cannot_be_used(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIE_AI_TIMEOUT_SECONDS", "soon")
    assert secrets_at_hand() == ()
    (tmp_path / ".env").write_text("KIE_AI_API_KEY=sk-1234567890\nKIE_AI_RATE_LIMIT_URL=redis://:pass-word@host\n")
    assert set(secrets_at_hand()) == {"sk-1234567890", "pass-word"}
    monkeypatch.setenv("KIE_AI_RATE_LIMIT_URL", "ftp://:pass-word@host")
    assert set(secrets_at_hand()) == {"sk-1234567890", "ftp://:pass-word@host"}
    (tmp_path / ".env").write_bytes(b"\xff\xff")
    assert secrets_at_hand() == ("ftp://:pass-word@host",)


@pytest.mark.parametrize("broken", ["here", "there"])
def test_a_settings_file_that_cannot_be_read_hides_no_key_of_another(monkeypatch, tmp_path, broken):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".env").write_bytes(b"\xff" if folder == broken else b"KIE_AI_API_KEY=sk-1234567890\n")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("sys.argv", [str(tmp_path / "there" / "kie-mcp")])
    assert secrets_at_hand() == ("sk-1234567890",)


def test_the_key_of_the_user_is_a_secret_in_the_sandbox_too():
    config = Config(api_key="sandbox", sandbox=True, concealed=("sk-1234567890",))
    assert config.secrets() == ("sk-1234567890",)
    assert "sk-1234567890" not in repr(config)
