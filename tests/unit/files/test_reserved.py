"""Names that are no files on Windows."""

from __future__ import annotations

from pathlib import PureWindowsPath

import pytest

from kie_mcp.files import paths
from kie_mcp.files.reserved import is_device_name, windows_trouble


@pytest.mark.parametrize(
    "name",
    [
        "CON",
        "con.png",
        "Aux.tar.png",
        "nul ",
        "NUL .png",
        "com1",
        "COM9.jpg",
        "lpt0",
        "COM\u00b9",
        "lpt\u00b3.png",
        "CONIN$",
        "conout$.x",
        "con:x",
    ],
)
def test_a_device_is_known_whatever_stands_behind_its_name(name):
    assert is_device_name(name)


@pytest.mark.parametrize(
    "name", ["", "cone", "console.png", "com10", "com", "a.con", "icon.png", "auxiliary", "com\u2074"]
)
def test_any_other_name_is_that_of_a_file(name):
    assert not is_device_name(name)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (r"C:\\pictures\\CON.png", "device name"),
        (r"C:\\aux\\a.png", "device name"),
        (r"C:\\a.png:stream", "stream"),
        (r"C:\\a.png::$DATA", "stream"),
        (r"C:\\a.png.", "leaves away"),
        (r"C:\\folder \\a.png", "leaves away"),
        (r"\\\\.\\PhysicalDrive0\\", "names a device"),
        (r"\\\\?\\C:\\a.png", "names a device"),
    ],
)
def test_a_path_that_leads_elsewhere_on_windows_is_recognised(path, reason):
    assert reason in windows_trouble(PureWindowsPath(path.replace("\\\\", "\\")))


@pytest.mark.parametrize(
    "path", ["C:/pictures/a.b.png", "a/../b.png", "C:/", "", "//host/share/a.png", "..", "./a.png"]
)
def test_any_other_path_is_what_it_says(path):
    assert windows_trouble(PureWindowsPath(path)) is None


def test_on_windows_every_path_is_looked_at(monkeypatch):
    monkeypatch.setattr(paths.os, "name", "nt")
    monkeypatch.setattr(paths, "Path", PureWindowsPathWithHome)
    with pytest.raises(ValueError, match="stream"):
        paths.path_from("C:/a.png:stream")
    assert paths.path_from("C:/a.png") == PureWindowsPath("C:/a.png")
    assert paths.path_from("file:///a%20b.png") == PureWindowsPath("/a b.png")


class PureWindowsPathWithHome(PureWindowsPath):
    def expanduser(self):
        return self
