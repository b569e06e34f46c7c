"""What may leave the machine as an input picture."""

from __future__ import annotations

import base64
import os
import stat
from urllib.parse import quote

import pytest

from kie_mcp.errors import InputError
from kie_mcp.files import local, local_picture


def test_a_picture_is_known_by_its_bytes_not_its_name(picture, tmp_path):
    path = tmp_path / "photo.txt"
    path.write_bytes(picture("JPEG"))
    found = local_picture(str(path), max_bytes=10_000)
    assert (found.path, found.mime_type, found.size) == (path, "image/jpeg", path.stat().st_size)
    assert found.name == "photo.txt"


def test_a_file_url_and_a_link_lead_to_the_picture(picture, tmp_path):
    real = tmp_path / "a b.png"
    real.write_bytes(picture())
    link = tmp_path / "link.png"
    link.symlink_to(real)
    assert local_picture(real.as_uri(), max_bytes=10_000).path == real
    assert local_picture(str(link), max_bytes=10_000).mime_type == "image/png"


def test_a_picture_in_the_home_folder_is_found(picture, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.png").write_bytes(picture())
    assert local_picture("~/a.png", max_bytes=10_000).path == tmp_path / "a.png"


def test_a_relative_path_is_refused():
    with pytest.raises(InputError, match="must be absolute"):
        local_picture("fox.png", max_bytes=10)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        local_picture(str(tmp_path / "none.png"), max_bytes=10)


def test_what_is_no_regular_file_is_refused_without_opening_it(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, "/dev/zero"):
        with pytest.raises(InputError, match="not a regular file"):
            local_picture(str(path), max_bytes=10)


@pytest.mark.parametrize(
    "path", ["/proc/self/environ", "/proc/self/mem", "/proc/kmsg", "/dev/stdin", "/dev/null", "/etc/passwd"]
)
def test_the_systems_own_files_stay_here(path):
    with pytest.raises(InputError, match="cannot be used"):
        local_picture(path, max_bytes=10_000)


@pytest.mark.parametrize("target", ["/etc/passwd", "/proc/self/environ", "/dev/zero", "/"])
def test_a_link_named_like_a_picture_is_what_it_leads_to(tmp_path, target):
    (tmp_path / "fox.png").symlink_to(target)
    with pytest.raises(InputError, match="cannot be used"):
        local_picture(str(tmp_path / "fox.png"), max_bytes=10_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/a\0.png",
        "/\ud800.png",
        "file:///%ff.png",
        "file://host/a.png",
        "file:////host/a.png",
        "~nobody-of-that-name/a.png",
        "/" + "x" * 300,
        "file:///a.png?x",
        "file:relative",
    ],
)
def test_a_path_that_cannot_be_one_is_refused_with_one_line(text):
    with pytest.raises(InputError) as caught:
        local_picture(text, max_bytes=10_000)
    assert caught.value.message.isprintable()


def test_a_name_that_a_terminal_would_obey_is_shown_harmless(picture, tmp_path):
    path = tmp_path / "a\x1b[31m\u202egnp.exe"
    path.write_bytes(picture())
    assert local_picture(str(path), max_bytes=10_000).name == "a [31m gnp.exe"


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError, match="empty"):
        local_picture(str(tmp_path / "a.png"), max_bytes=10)


def test_a_file_over_the_limit_is_refused(picture, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    with pytest.raises(InputError, match="at most 10 are accepted"):
        local_picture(str(tmp_path / "a.png"), max_bytes=10)


def test_a_file_that_is_no_picture_is_refused(tmp_path):
    (tmp_path / "id_rsa.png").write_text("-----BEGIN OPENSSH PRIVATE KEY-----", encoding="ascii")
    with pytest.raises(InputError, match="not those of a picture"):
        local_picture(str(tmp_path / "id_rsa.png"), max_bytes=1000)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n" + b"secret" * 100, b"GIF89a" + b"secret" * 100])
def test_what_only_begins_like_a_picture_stays_here(tmp_path, data):
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match="broken or cut short"):
        local_picture(str(tmp_path / "a.png"), max_bytes=10_000)


def test_a_picture_that_is_cut_short_stays_here(picture, tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture("JPEG", (64, 48))[:-40])
    with pytest.raises(InputError, match="broken or cut short"):
        local_picture(str(tmp_path / "a.jpg"), max_bytes=10_000)


def test_a_long_text_is_cut_in_the_message():
    with pytest.raises(InputError) as caught:
        local_picture("/" + "x" * 100_000, max_bytes=10)
    assert len(caught.value.message) < 400


def test_a_message_names_the_argument_that_the_picture_came_in():
    with pytest.raises(InputError, match=r"model_params\.mask_url 'fox\.png' cannot be used"):
        local_picture("fox.png", argument="model_params.mask_url", max_bytes=10)


def test_a_kind_that_is_not_wanted_is_refused_by_the_bytes(picture, tmp_path):
    (tmp_path / "fox.png").write_bytes(picture("BMP"))
    with pytest.raises(InputError, match=r"fox\.png' is image/bmp; accepted are image/png, image/jpeg\."):
        local_picture(str(tmp_path / "fox.png"), max_bytes=10_000, mime_types=("image/png", "image/jpeg"))
    assert local_picture(str(tmp_path / "fox.png"), max_bytes=10_000, mime_types=("image/bmp",)).size


# pictures inside a data: URL


def data_url(data, media_type="image/png"):
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("scheme", ["data:", "DATA:", "Data:"])
def test_a_data_url_is_a_picture_by_its_bytes_not_by_what_it_says(picture, scheme):
    data = picture("JPEG")
    found = local_picture(data_url(data).replace("data:", scheme), max_bytes=10_000)
    assert (found.mime_type, found.size, found.path, found.name) == ("image/jpeg", len(data), None, "a picture")
    with found.open() as file:
        assert file.read() == data


def test_a_percent_encoded_data_url_is_read_too(picture):
    data = picture("GIF")
    with local_picture(f"data:,{quote(data)}", max_bytes=10_000).open() as file:
        assert file.read() == data


def test_the_bytes_in_memory_are_no_part_of_the_repr(picture):
    shown = repr(local_picture(data_url(picture()), max_bytes=10_000))
    assert "IHDR" not in shown
    assert "iVBOR" not in shown


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:image/png;base64", "it has no comma"),
        ("data:image/png;base64,iVBOR*secret*", "not valid base64"),
        ("data:image/png;base64,sécret", "not valid base64"),
        ("data:image/png;base64,", "it is empty"),
        ("data:image/png;base64," + base64.b64encode(b"secret" * 20).decode(), "not those of a picture"),
        ("data:image/png;base64," + "c2VjcmV0" * 100_000, "at most 10000 are accepted"),
        ("data:image/png," + "secret" * 10_000, "at most 10000 are accepted"),
        ("data:" + "image" * 1000 + ";base64,secret", "not those of a picture"),
    ],
)
def test_a_data_url_that_is_no_picture_is_refused_without_repeating_its_data(url, reason):
    with pytest.raises(InputError, match=reason) as caught:
        local_picture(url, max_bytes=10_000)
    assert "secret" not in caught.value.message
    assert "c2Vj" not in caught.value.message
    assert len(caught.value.message) < 250


def test_a_data_url_that_is_cut_short_is_refused(picture):
    with pytest.raises(InputError, match="broken or cut short"):
        local_picture(data_url(picture()[:-20]), max_bytes=10_000)


def test_the_limits_are_those_of_a_file(picture):
    data = picture("BMP")
    with pytest.raises(InputError, match=f"it has {len(data)} bytes, at most {len(data) - 1} are accepted"):
        local_picture(data_url(data), max_bytes=len(data) - 1)
    with pytest.raises(InputError, match="is image/bmp; accepted are image/png"):
        local_picture(data_url(data), max_bytes=len(data), mime_types=("image/png",))


# between the check and the upload


@pytest.fixture
def checked(picture, tmp_path):
    """A picture that was checked, with room for 100 bytes more."""
    path = tmp_path / "fox.png"
    path.write_bytes(picture())
    return local_picture(str(path), max_bytes=path.stat().st_size + 100)


def test_what_is_opened_begins_at_its_first_byte(checked):
    with checked.open() as file:
        assert file.read() == checked.path.read_bytes()


def test_another_picture_of_the_same_kind_may_have_taken_its_place(checked, picture):
    checked.path.write_bytes(picture(size=(5, 5)))
    with checked.open() as file:
        assert file.read() == picture(size=(5, 5))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"-----BEGIN OPENSSH PRIVATE KEY-----", "not those of a picture"),
        (b"", "it is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"secret", "broken or cut short"),
    ],
)
def test_what_is_no_picture_any_more_is_not_opened(checked, content, reason):
    checked.path.write_bytes(content)
    with pytest.raises(InputError, match=rf"fox\.png' has changed since it was checked: .*{reason}"):
        checked.open()


def test_what_has_grown_over_the_limit_or_become_another_kind_is_not_opened(checked, picture):
    checked.path.write_bytes(picture() + b"x" * 200)
    with pytest.raises(InputError, match=r"has changed since it was checked: it has \d+ bytes, at most"):
        checked.open()
    checked.path.write_bytes(picture("GIF"))
    with pytest.raises(InputError, match="has changed since it was checked: it is image/gif now"):
        checked.open()


def test_what_is_gone_or_no_file_any_more_is_not_opened(checked):
    checked.path.unlink()
    with pytest.raises(InputError, match="has changed since it was checked: no such file"):
        checked.open()
    os.mkfifo(checked.path)
    with pytest.raises(InputError, match="has changed since it was checked: it is not a regular file"):
        checked.open()


def test_a_pipe_that_takes_the_place_of_a_file_in_the_last_moment_is_closed_again(checked, monkeypatch):
    before = checked.path.stat()
    checked.path.unlink()
    os.mkfifo(checked.path)
    closed = []
    monkeypatch.setattr(type(checked.path), "stat", lambda path: before)
    monkeypatch.setattr(local.os, "close", closed.append)
    with pytest.raises(InputError, match="it is not a regular file"):
        checked.open()
    (descriptor,) = closed
    assert stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    monkeypatch.undo()
    os.close(descriptor)
