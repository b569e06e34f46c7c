"""What may leave the machine as an input picture."""

from __future__ import annotations

import os

import pytest

from kie_mcp.errors import InputError
from kie_mcp.files import LocalPicture, local_picture


def test_a_picture_is_known_by_its_bytes_not_its_name(picture, tmp_path):
    path = tmp_path / "photo.txt"
    path.write_bytes(picture("JPEG"))
    assert local_picture(str(path), max_bytes=10_000) == LocalPicture(path, "image/jpeg", path.stat().st_size)


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
