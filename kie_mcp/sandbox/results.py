"""The result of a finished task: links to its pictures, a structured object, or both.

The layers of a decomposition are as docs.kie.ai/market/seedream/5-pro-layer-decomposition shows them.
No page shows what detection and segmentation answer: those objects are this stand-in's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox.shape import LAYERED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kie_mcp.sandbox.tasks import Task

SEGMENTS = ("background", "table", "apple")
"""What a segmentation finds in any picture; their places are the indexes that an edit names."""

NORMAL = 1000
"""Normalized coordinates go from 0 to this."""


def result_of(task: Task, urls: Sequence[str]) -> dict[str, Any]:
    """What ``resultJson`` holds: ``resultUrls`` where a task makes pictures, ``resultObject`` where it has data."""
    result: dict[str, Any] = {"resultUrls": list(urls)} if task.shape.count else {}
    if task.data:
        describe = _OBJECTS.get(task.kind)
        result["resultObject"] = describe(task, urls) if describe else {}
    return result


def _layers(task: Task, urls: Sequence[str]) -> dict[str, Any]:
    """The base picture, then the layers from the lowest to the highest."""
    return {"layers_data": [_layer(task, index, url) for index, url in enumerate(urls)]}


def _layer(task: Task, index: int, url: str) -> dict[str, Any]:
    shape = task.shape
    layer = {
        "z_index": index,
        "size": f"{shape.width}x{shape.height}",
        "output_format": "jpeg" if shape.is_jpeg(index) else "png",
        "url": url,
    }
    if index == 0:
        return layer
    return {
        **layer,
        "bounding_box": _box(task, index),
        "name": f"Layer {index}",
        "description": f"What stands on layer {index} of the picture",
    }


def _subjects(task: Task, _: Sequence[str]) -> dict[str, Any]:
    """One person; ``subject_status`` 1 says that there is one."""
    return {"subject_status": 1, "subjects": [{"index": 0, "label": "person", "bounding_box": _box(task, 1)}]}


def _segments(task: Task, _: Sequence[str]) -> dict[str, Any]:
    return {
        "segments": [
            {"index": index, "name": name, "bounding_box": _box(task, index)} for index, name in enumerate(SEGMENTS)
        ]
    }


def _box(task: Task, index: int) -> dict[str, list[int]]:
    """A box of the picture's own proportions, half as wide; each index has it elsewhere. Left, top, right, bottom."""
    start = 100 * index % (NORMAL // 2)
    normalized = [start, start, start + NORMAL // 2, start + NORMAL // 2]
    edges = (task.shape.width, task.shape.height) * 2
    return {
        "absolute": [edge * share // NORMAL for edge, share in zip(edges, normalized, strict=True)],
        "normalized": normalized,
    }


_OBJECTS: Mapping[str, Callable[[Task, Sequence[str]], dict[str, Any]]] = {
    LAYERED: _layers,
    "detection": _subjects,
    "segmentation": _segments,
}
"""By the kind of the model; any other kind has an object with nothing in it."""
