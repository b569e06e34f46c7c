"""``resources/read``: pictures of the ledger and nothing else of the disk, the guide, models, tasks."""

from __future__ import annotations

import base64
import io
import json
import os
import stat

import pytest
from PIL import Image

from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, InputError, NoResourceError
from kie_mcp.resources import list_resources, list_templates, read_resource, reading
from kie_mcp.resources.reading import MOST_BYTES
from kie_mcp.shapes import task_entry, whole_model
from kie_mcp.text import Base64

LINE_BYTES = 10 * 1024 * 1024


@pytest.fixture
def read(services, official):
    """The one content of a URI, held against the official definition."""

    def content(uri, context=None):
        result = official("resources/read", read_resource(services, {"uri": uri}, context or CallContext()))
        (found,) = result["contents"]
        assert found["uri"] == uri
        return found

    return content


@pytest.fixture
def missing(services):
    """See that there is no resource of a URI."""

    def check(uri):
        with pytest.raises(NoResourceError) as caught:
            read_resource(services, {"uri": uri}, CallContext())
        assert caught.value.uri == uri

    return check


def percent_encoded(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


# pictures


def test_a_picture_is_read_byte_for_byte(read, album, services):
    path = album.save("a fox, ü 狐.png")
    listed = list_resources(services, {}, CallContext())["resources"][1]
    content = read(listed["uri"])
    assert base64.b64decode(content["blob"]) == path.read_bytes()
    assert isinstance(content["blob"], Base64)
    assert content["mimeType"] == "image/png"


def test_every_file_of_a_task_can_be_read(read, album):
    path = album.save("a.png", "b.png")
    assert read(path.with_name("b.png").as_uri())["blob"]


def test_the_type_is_that_of_the_bytes(read, album):
    path = album.save("a.png")
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3)).save(buffer, "JPEG")
    path.write_bytes(buffer.getvalue())
    assert read(path.as_uri())["mimeType"] == "image/jpeg"


def test_other_ways_to_write_the_uri_of_a_picture_lead_to_it(read, album):
    path = str(album.save("fox.png"))
    for uri in (
        f"file://localhost{path}",
        f"FILE://{path}",
        f"file:{path}",
        f"file://{percent_encoded(path).replace('%2f', '/')}",
        f"file:///{percent_encoded(path[1:])}",
        f"file://{path.replace('/fox', '//./fox')}",
    ):
        assert read(uri)["blob"], uri


HOSTILE = {
    "another file of the folder": lambda path: path.with_name("secret.png").as_uri(),
    "the folder": lambda path: path.parent.as_uri(),
    "the root": lambda _: "file:///",
    "nothing": lambda _: "file:",
    "no path": lambda _: "file://",
    "a text of the system": lambda _: "file:///etc/passwd",
    "dots": lambda path: f"file://{path.parent}/../{path.parent.name}/secret.png",
    "dots to the picture itself": lambda path: f"file://{path.parent}/../{path.parent.name}/fox.png",
    "encoded dots": lambda path: f"file://{path.parent}/%2e%2e/{path.parent.name}/secret.png",
    "dots and encoded slashes": lambda path: f"file://{path}%2f..%2fsecret.png",
    "dots below the picture": lambda path: f"file://{path}/../secret.png",
    "encoded twice": lambda path: f"file://{path.parent}/%2566ox.png",
    "another host": lambda path: f"file://example.com{path}",
    "a user": lambda path: f"file://me@localhost{path}",
    "a port": lambda path: f"file://localhost:80{path}",
    "a host that is none": lambda path: f"file://[{path}",
    "four slashes": lambda path: f"file:///{path}",
    "a query": lambda path: f"file://{path}?a=b",
    "a fragment": lambda path: f"file://{path}#a",
    "other case": lambda path: f"file://{str(path).upper()}",
    "a NUL": lambda path: f"file://{path}%00",
    "a NUL before an extension": lambda path: f"file://{path.with_name('secret.png')}%00{path}",
    "a raw NUL": lambda path: f"file://{path}\0",
    "half a character": lambda path: f"file://{path}\ud800",
    "bytes that are no text": lambda path: f"file://{path}%ff%fe",
    "a line break": lambda path: f"file://{path}%0a",
    "a space": lambda path: f" file://{path}",
    "a backslash": lambda path: f"file://{path.parent}\\fox.png",
    "the home folder": lambda _: "file:~/fox.png",
    "a very long path": lambda path: f"file://{path}" + "/a" * 500_000,
    "a very long host": lambda path: f"file://{'a' * 1_000_000}{path}",
    "many percents": lambda _: "file:///" + "%" * 100_000,
    "SQL": lambda _: "file:///%25' OR '1'='1",
    "a bare path": str,
    "a data URL": lambda _: "data:image/png;base64,AAAA",
    "the web": lambda path: f"https://localhost{path}",
    "a path after our scheme": lambda path: f"kie-mcp://{path}",
    "a file as a task": lambda path: f"kie-mcp://tasks/{path}",
    "a file as a model": lambda path: f"kie-mcp://models/{path}",
    "behind the guide": lambda _: "kie-mcp://guide/..",
    "our scheme alone": lambda _: "kie-mcp://",
    "no scheme": lambda _: "",
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_whatever_the_uri_nothing_is_read_but_what_the_ledger_has(missing, album, png, monkeypatch, made):
    path = album.save("fox.png")
    path.with_name("secret.png").write_bytes(png)

    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr(reading, "local_picture", never)
    missing(made(path))


def test_a_picture_that_has_gone_is_missing(missing, album):
    path = album.save("fox.png")
    path.unlink()
    missing(path.as_uri())


def test_what_is_no_regular_file_any_more_is_missing(missing, album, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("nothing of this may be read")
    folder, pipe, text, picture, dangling, itself = (album.save(f"{number}.png") for number in range(6))
    other = album.save("other.png")
    for path in (folder, pipe, text, picture, dangling, itself):
        path.unlink()
    folder.mkdir()
    os.mkfifo(pipe)
    text.symlink_to(secret)
    picture.symlink_to(other)
    dangling.symlink_to(tmp_path / "nowhere")
    itself.symlink_to(itself)
    for path in (folder, pipe, text, picture, dangling, itself):
        missing(path.as_uri())


def test_a_device_is_not_opened(missing, album, monkeypatch):
    path = album.save("fox.png")

    def device(_):
        return os.stat_result((stat.S_IFCHR | 0o666, *[0] * 9))

    monkeypatch.setattr(type(path), "lstat", device)
    missing(path.as_uri())


def test_a_link_put_in_its_place_at_the_last_moment_is_not_followed(missing, album, monkeypatch, png):
    path = album.save("fox.png")
    other = path.with_name("secret.png")
    other.write_bytes(png)
    look = reading.local_picture

    def swapped(*given, **more):
        picture = look(*given, **more)
        path.unlink()
        path.symlink_to(other)
        return picture

    monkeypatch.setattr(reading, "local_picture", swapped)
    missing(path.as_uri())


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n" * 10, b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_is_no_picture_any_more_is_not_shown(services, album, content):
    path = album.save("fox.png")
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be used") as caught:
        read_resource(services, {"uri": path.as_uri()}, CallContext())
    assert "PRIVATE KEY" not in caught.value.message


def test_the_largest_picture_fits_into_a_line_and_a_larger_one_says_where_it_is(services, read, album):
    path = album.save("fox.png")
    with path.open("ab") as file:
        file.truncate(MOST_BYTES)
    content = read(path.as_uri())
    assert len(base64.b64decode(content["blob"])) == MOST_BYTES
    assert len(json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"contents": [content]}})) < LINE_BYTES - 10_000
    with path.open("ab") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError) as caught:
        read_resource(services, {"uri": path.as_uri()}, CallContext())
    assert not isinstance(caught.value, NoResourceError)
    assert all(part in caught.value.message for part in (str(path), "7000001 bytes", "7000000"))


# the rest


def test_the_guide_is_read_as_markdown_and_makes_no_ledger(read, services):
    content = read("kie-mcp://guide")
    assert content["mimeType"] == "text/markdown"
    assert content["text"].startswith("# ")
    assert not services.config.state_path.exists()


@pytest.mark.parametrize(
    "written", ["bytedance/seedream-v4-edit", "bytedance%2Fseedream-v4-edit", "ByteDance/Seedream-V4-Edit"]
)
def test_a_model_is_read_whole(read, catalogue, written):
    content = read(f"kie-mcp://models/{written}")
    assert content["mimeType"] == "application/json"
    assert json.loads(content["text"]) == whole_model(catalogue.find("bytedance/seedream-v4-edit"))


def test_every_model_can_be_read(read, catalogue):
    for model in catalogue.search():
        assert json.loads(read(f"kie-mcp://models/{model.id}")["text"])["id"] == model.id


def test_a_task_is_read_from_the_ledger(read, services, album):
    task_id = album.task(prompt="ein Füchslein")
    content = read(f"kie-mcp://tasks/{task_id}")
    assert content["mimeType"] == "application/json"
    assert json.loads(content["text"]) == task_entry(services.jobs.ledger.find(task_id))
    assert "Füchslein" in content["text"]


@pytest.mark.parametrize(
    "uri",
    [
        "kie-mcp://models/",
        "kie-mcp://models",
        "kie-mcp://models/no-such-model",
        "kie-mcp://models/{model}",
        "kie-mcp://models/z-image/",
        "kie-mcp://models/\ud800",
        "kie-mcp://tasks/",
        "kie-mcp://tasks/no-such-task",
        "kie-mcp://tasks/%00",
        "kie-mcp://tasks/\ud800",
        "kie-mcp://tasks/" + "a" * 1_000_000,
        "KIE-MCP://guide",
        "kie-mcp://guide?a",
        "kie-mcp://guides",
        "ui://guide",
    ],
)
@pytest.mark.parametrize("made", [False, True])
def test_what_there_is_not_is_missing(missing, album, services, uri, made):
    if made:
        album.save("fox.png")
    missing(uri)


@pytest.mark.parametrize("uri", ["file:///a.png", "kie-mcp://tasks/t1", "x"])
def test_looking_for_what_is_missing_makes_no_ledger(missing, services, uri):
    missing(uri)
    assert not services.config.state_path.exists()


def test_the_resources_and_templates_that_are_listed_can_be_read(read, album, services):
    album.save("fox.png")
    for resource in list_resources(services, {}, CallContext())["resources"]:
        assert read(resource["uri"])["mimeType"] == resource["mimeType"]
    values = {"model": "z-image", "task_id": "task-1"}
    for template in list_templates(services, {}, CallContext())["resourceTemplates"]:
        assert read(template["uriTemplate"].format(**values))["mimeType"] == template["mimeType"]


@pytest.mark.parametrize("params", [{}, {"uri": None}, {"uri": 5}, {"uri": ["kie-mcp://guide"]}, {"uri": {}}])
def test_a_uri_that_is_no_text_is_named(services, params):
    with pytest.raises(InputError, match=r"params\.uri must be") as caught:
        read_resource(services, params, CallContext())
    assert not isinstance(caught.value, NoResourceError)


def test_a_cancelled_reading_ends(services):
    context = CallContext()
    context.cancel()
    with pytest.raises(CancelledError):
        read_resource(services, {"uri": "kie-mcp://guide"}, context)
