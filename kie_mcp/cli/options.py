"""Command-line options made from a tool's input schema, so that no argument is described twice."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from kie_mcp.tools.spec import Tool


def add_options(parser: argparse.ArgumentParser, tool: Tool, *, leave_out: Collection[str] = ()) -> None:
    """One ``--option`` for each argument of the tool that is not in ``leave_out``."""
    for name, schema in tool.input_schema["properties"].items():
        if name not in leave_out:
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=_help(schema), **_reading(schema))


def arguments_from(options: argparse.Namespace, tool: Tool) -> dict[str, Any]:
    """The tool's arguments as far as they were given."""
    given = {name: getattr(options, name, None) for name in tool.input_schema["properties"]}
    return {
        name: dict(value) if tool.input_schema["properties"][name].get("type") == "object" else value
        for name, value in given.items()
        if value is not None
    }


def _help(schema: dict[str, Any]) -> str:
    parts = [str(schema.get("description", ""))]
    if "default" in schema:
        parts.append(f"default {json.dumps(schema['default'])}")
    return "; ".join(part for part in parts if part).replace("%", "%%")


def _reading(schema: dict[str, Any]) -> dict[str, Any]:
    """How ``argparse`` reads one argument: by its type in the schema."""
    if "enum" in schema:
        return {"choices": schema["enum"]}
    kind = schema.get("type")
    if kind == "boolean":
        return {"action": argparse.BooleanOptionalAction}
    if kind == "array":
        return {"action": "append", "metavar": "VALUE"}
    if kind == "object":
        return {"action": "append", "type": _pair, "metavar": "NAME=VALUE"}
    return {"type": {"number": float, "integer": int}.get(str(kind), str), "metavar": "VALUE"}


def _pair(text: str) -> tuple[str, Any]:
    """``NAME=VALUE``, the value being JSON where it can be read so (``seed=5``), else text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, e.g. seed=5")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
