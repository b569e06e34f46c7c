"""Saving: whole or not at all, never over another file."""

from __future__ import annotations

import errno
import io
import os
import struct
import threading
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from kie_mcp.errors import CancelledError, NetworkError, OutputError
from kie_mcp.files import SavedPicture, Target, picture_stem, save_picture


@pytest.fixture
def save(tmp_path, clock, journal):
    """A function that saves bytes, or chunks, into ``tmp_path``."""

    def call(data, stem=None, extension=None, **options):
        chunks = [data] if isinstance(data, bytes) else data
        name = picture_stem(stem, "A red fox", clock.now(), options.pop("number", None))
        given = {"stem": name, "max_bytes": 1_000_000, "journal": journal, **options}
        return save_picture(Target(tmp_path, stem, extension), chunks, **given)

    return call


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_picture_is_named_after_the_time_and_the_prompt(save, picture, tmp_path):
    data = picture("PNG", (40, 30))
    path = tmp_path / "20260305-093007-a-red-fox.png"
    assert save(data) == SavedPicture(path, "image/png", len(data), 40, 30, ())
    assert path.read_bytes() == data
    assert names(tmp_path) == [path.name]


def test_several_outputs_are_numbered(save, picture, tmp_path):
    save(picture(), "fox", "png", number=1)
    save(picture(), "fox", "png", number=2)
    assert names(tmp_path) == ["fox-1.png", "fox-2.png"]


def test_a_taken_name_gets_a_number(save, picture, tmp_path):
    (tmp_path / "fox.png").write_text("mine", encoding="utf-8")
    (tmp_path / "fox-2.png").symlink_to(tmp_path / "nowhere")
    assert save(picture(), "fox", "png").path == tmp_path / "fox-3.png"
    assert (tmp_path / "fox.png").read_text(encoding="utf-8") == "mine"


def test_writers_of_one_name_never_share_a_file(save, picture, tmp_path):
    pictures = [picture("PNG", (number, 1)) for number in range(1, 21)]
    threads = [threading.Thread(target=save, args=(data, "fox", "png")) for data in pictures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(names(tmp_path)) == 20
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == sorted(pictures)


def test_the_extension_comes_from_the_bytes(save, picture):
    saved = save(picture("JPEG"), "fox", "png", asked_format="png")
    assert saved.path.name == "fox.jpg"
    assert saved.mime_type == "image/jpeg"
    assert len(saved.warnings) == 2
    assert "saved as fox.jpg" in saved.warnings[0]
    assert "'png' was asked for" in saved.warnings[1]


@pytest.mark.parametrize(("kind", "extension"), [("JPEG", "jpeg"), ("JPEG", "JPG"), ("TIFF", "tif"), ("PNG", "PNG")])
def test_an_extension_that_means_the_same_is_kept(save, picture, kind, extension):
    saved = save(picture(kind), "fox", extension, asked_format=extension)
    assert saved.path.name == f"fox.{extension}"
    assert saved.warnings == ()


def test_new_files_follow_the_umask(save, picture):
    before = os.umask(0o027)
    try:
        saved = save(picture())
    finally:
        os.umask(before)
    assert saved.path.stat().st_mode & 0o777 == 0o640


def test_chunks_of_any_size_make_up_the_picture(save, picture):
    data = picture("PNG", (40, 30))
    saved = save([b"", *(data[index : index + 1] for index in range(len(data)))])
    assert saved.path.read_bytes() == data


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (b"", "empty"),
        (b"\n <!DOCTYPE html><html>", "an HTML page"),
        (b'{"code": 404}', "JSON text"),
        (b"<?xml version='1.0'?><Error/>", "an XML document"),
        ("not found, désolé".encode(), "text"),
        (b"\x00\x01\x02\x03", "in no known picture format"),
        (b"\xfe\xff\x80\x81", "in no known picture format"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(save, tmp_path, data, description):
    with pytest.raises(OutputError, match=f"not a picture: it is {description}"):
        save(data)
    assert names(tmp_path) == []


def test_a_picture_over_the_limit_is_refused_while_it_arrives(save, picture, tmp_path):
    def endless():
        yield picture()
        while True:
            yield b"\0" * 1000

    with pytest.raises(OutputError, match="limit of 5000 bytes"):
        save(endless(), max_bytes=5000)
    assert names(tmp_path) == []


def test_a_picture_of_exactly_the_limit_is_saved(save, picture):
    data = picture()
    assert save(data, max_bytes=len(data)).bytes == len(data)


def test_a_picture_that_was_cut_short_is_refused(save, picture, tmp_path):
    with pytest.raises(OutputError, match="cut short"):
        save(picture("PNG", (64, 64))[:-10])
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), CancelledError("ended"), NetworkError("gone"), OSError("theirs")]
)
def test_what_interrupts_the_stream_is_let_through_and_leaves_no_file(save, picture, tmp_path, error):
    def interrupted():
        yield picture("PNG", (64, 64)) + b"\0" * 600
        raise error

    with pytest.raises(type(error)) as caught:
        save(interrupted())
    assert caught.value is error
    assert names(tmp_path) == []


def test_a_folder_that_is_gone_is_an_output_error(picture, journal, tmp_path):
    with pytest.raises(OutputError, match="no such file"):
        save_picture(Target(tmp_path / "gone"), [picture()], stem="a", max_bytes=10_000, journal=journal)


def test_a_full_disk_is_an_output_error_and_leaves_no_file(save, picture, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="no space left") as caught:
        save(picture())
    assert "get_visual_task" in caught.value.next_step
    assert names(tmp_path) == []


@pytest.fixture
def without_links(monkeypatch):
    """A file system that knows no links."""

    def refuse(source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("without_links")
def test_without_links_a_taken_name_gets_a_number_all_the_same(save, picture, tmp_path):
    (tmp_path / "fox.png").touch()
    assert save(picture(), "fox", "png").path.read_bytes() == picture()
    assert names(tmp_path) == ["fox-2.png", "fox.png"]


@pytest.mark.usefixtures("without_links")
def test_without_links_a_failing_move_leaves_no_file(save, picture, tmp_path, monkeypatch):
    def fail(part, path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="input/output error"):
        save(picture())
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_synced_does_no_harm(save, picture, monkeypatch):
    synced = os.fsync

    def only_files(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112 - a link of the kernel's
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    assert save(picture()).path.exists()


def test_memory_does_not_grow_with_the_picture(save, picture):
    whole = picture("PNG", (8, 8))
    head, end = whole[:33], whole[-12:]

    def large():
        yield head + struct.pack(">I4s", 400 * 65536, b"IDAT")
        for _ in range(400):
            yield b"\0" * 65536
        yield b"\0\0\0\0" + end

    tracemalloc.start()
    try:
        saved = save(large(), max_bytes=100_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert saved.bytes > 26_000_000
    assert peak < 1_000_000


def test_every_kind_of_picture_is_saved_as_it_came(save, picture):
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        saved = save(picture(kind), "fox", None)
        assert Image.open(io.BytesIO(saved.path.read_bytes())).format == kind
