"""A small picture of what was saved, to be shown in a conversation: a thumbnail, or a contact sheet with labels.

Pillow (the extra ``preview``) is loaded with the first preview; without it there are none.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from typing import TYPE_CHECKING

from kie_mcp.files.local import local_picture
from kie_mcp.files.metadata import MOST_METADATA, require_little
from kie_mcp.files.sniff import dimensions
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

    from PIL.Image import Image

    from kie_mcp.context import CallContext

MIME_TYPE = "image/jpeg"
LONG_SIDE = 512
"""Pixels."""
MOST_BYTES = 64_000
"""Of the preview, as JPEG."""
MOST_PICTURES = 25
"""On one sheet."""
MOST_SECONDS = 3.0
"""After so long no further picture is added."""
MOST_PIXELS: Mapping[str, int] = {"image/png": 24_000_000, "image/jpeg": 24_000_000, "image/webp": 17_000_000}
"""By mime type. To decode a pixel takes 4 bytes of memory, 8 of a PNG with transparency, 16 of a WEBP."""
MOST_SCANS = 32
"""Of a progressive JPEG, which as a rule has ten. One of 70 bytes can take as long as decoding every pixel anew."""

_FORMATS = ("PNG", "JPEG", "WEBP")
_MOST_FILE_BYTES = 32 * 2**20
"""Of a picture that is shown; some of it is read whole."""
_SCAN = b"\xff\xda"
"""The marker that begins a scan (ITU-T T.81, B.1.1.3); the data of a scan cannot hold it."""
_PIECE = 65536
_FILL = b"\xff" * _PIECE
"""No data and no marker: a decoder that gets its input in parts begins each time anew with it."""
_LARGEST_CELL = 256
_LEAST_LETTERS, _LARGEST_LETTERS = 12, 28
"""The height of a label, in pixels."""
_QUALITIES = (85, 70, 55, 40)


class Previews:
    """Makes previews, one at a time, so that no more than one picture is in memory. Safe for many threads."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def make(self, pictures: Sequence[tuple[str, str]], context: CallContext) -> bytes | None:
        """A JPEG of the first pictures, each given by its path (or ``file`` URL) and its label; never raises.

        Of one picture it is a thumbnail, of several a sheet with their labels. What cannot be shown is left out, and
        so are those that are left when the time is up or the call is cancelled. ``None`` if there is nothing to show.
        """
        now = context.clock.monotonic()
        until = min(now + MOST_SECONDS, context.deadline)
        if not self._turn.acquire(timeout=max(0.0, until - now)):
            return None
        try:
            return _made(pictures[:MOST_PICTURES], lambda: not context.cancelled and context.clock.monotonic() < until)
        except Exception as error:  # noqa: BLE001 - there is no Pillow, or no memory: a preview is worth no failure
            logger().debug("There is no preview: %r", error)
            return None
        finally:
            self._turn.release()


def _made(pictures: Sequence[tuple[str, str]], goes_on: Callable[[], bool]) -> bytes | None:
    from PIL import WebPImagePlugin  # noqa: F401 - Pillow knows WEBP then, without loading all that it could know

    warnings.filterwarnings("ignore", module=r"PIL\.")  # one for each odd tag of a picture would fill the log

    alone = len(pictures) == 1
    shown: list[tuple[Image, str]] = []
    for place, label in pictures:
        if not goes_on():
            break
        small = _small(place, LONG_SIDE if alone else _LARGEST_CELL)
        if small is not None:
            shown.append((small, label))
    if not shown:
        return None
    return _jpeg(shown[0][0] if alone else _sheet(shown))


def _small(place: str, side: int) -> Image | None:
    """The picture in a square of that side; ``None`` if it cannot be shown, whatever stands there by now."""
    from PIL import Image

    try:
        picture = local_picture(place, argument="preview", max_bytes=_MOST_FILE_BYTES, mime_types=tuple(MOST_PIXELS))
        with picture.open() as file:
            _require_pixels(dimensions(file), MOST_PIXELS[picture.mime_type])
            require_little(file, picture.mime_type)
            if picture.mime_type == MIME_TYPE:
                _require_quick_scans(file)
            file.seek(0)
            with Image.open(file, formats=_FORMATS) as opened:
                _require_pixels(opened.size, MOST_PIXELS[picture.mime_type])  # as the decoder reads it
                return _shrunk(opened, side)
    except Exception as error:  # noqa: BLE001 - Pillow raises what it likes over a broken picture
        logger().debug("A picture is left out of the preview: %r", error)
        return None


def _require_pixels(size: tuple[int, int] | None, most: int) -> None:
    if size is None or size[0] * size[1] > most:
        raise ValueError(f"its size is {size}, of more than {most} pixels")


def _require_quick_scans(file: BinaryIO) -> None:
    file.seek(0)
    scans, last = 0, b""
    while piece := file.read(_PIECE):
        scans += (last + piece).count(_SCAN)
        last = piece[-1:]
        if piece == _FILL:
            raise ValueError("it is filled up between its scans")
    if scans > MOST_SCANS:
        raise ValueError(f"it has {scans} scans")


def _shrunk(picture: Image, side: int) -> Image:
    """The picture upright, on white, with nothing but its pixels; what is smaller is not enlarged."""
    from PIL import Image, ImageOps

    picture.draft("RGB", (2 * side, 2 * side))  # a JPEG need not be decoded in its full size
    if picture.mode == "I;16":  # a conversion would cut it off at 255
        picture = picture.point(lambda value: value / 256).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    picture.thumbnail((side, side), reducing_gap=2.0)
    # Pillow takes EXIF from texts of a PNG, too, and writes all of it anew: what is long is not looked at.
    exif = picture.info.get("exif", b"")
    picture.info = {"exif": exif} if len(exif) <= MOST_METADATA else {}
    picture = ImageOps.exif_transpose(picture)
    plain = Image.new("RGB", picture.size, "white")
    plain.paste(picture, mask=picture if mode == "RGBA" else None)
    return plain


def _sheet(shown: Sequence[tuple[Image, str]]) -> Image:
    """The pictures in rows, each with its label in the corner of its cell."""
    from PIL import Image

    columns = math.ceil(math.sqrt(len(shown)))
    cell = min(LONG_SIDE // columns, _LARGEST_CELL)
    sheet = Image.new("RGB", (columns * cell, math.ceil(len(shown) / columns) * cell), "white")
    corners = [(number % columns * cell, number // columns * cell) for number in range(len(shown))]
    for (picture, _), (left, top) in zip(shown, corners, strict=True):
        picture.thumbnail((cell - 2, cell - 2))
        sheet.paste(picture, (left + (cell - picture.width) // 2, top + (cell - picture.height) // 2))
    try:
        _write(sheet, [(label, corner) for (_, label), corner in zip(shown, corners, strict=True)], cell)
    except Exception as error:  # noqa: BLE001 - e.g. a Pillow without FreeType: a sheet without labels is one, too
        logger().debug("The preview has no labels: %r", error)
    return sheet


def _write(sheet: Image, labels: Sequence[tuple[str, tuple[int, int]]], cell: int) -> None:
    from PIL import ImageDraw, ImageFont

    letters = max(_LEAST_LETTERS, min(cell // 6, _LARGEST_LETTERS))
    font = ImageFont.load_default(size=letters)
    pen = ImageDraw.Draw(sheet)
    for label, (left, top) in labels:
        place = (left + letters // 4, top + letters // 8)
        _, _, right, bottom = pen.textbbox(place, label, font=font)
        pen.rectangle((left, top, right + letters // 4, bottom + letters // 4), fill="black")
        pen.text(place, label, fill="white", font=font)


def _jpeg(picture: Image) -> bytes:
    """As JPEG within ``MOST_BYTES``: first with lower quality, then smaller."""
    while True:
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= MOST_BYTES:
                return buffer.getvalue()
        picture = picture.resize((max(1, picture.width * 3 // 4), max(1, picture.height * 3 // 4)))
