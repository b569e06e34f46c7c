"""Command-line options made from a tool's input schema, so that no argument is described twice."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from kie_mcp.tools.spec import Tool


def add_options(parser: argparse.ArgumentParser, tool: Tool, *, leave_out: Collection[str] = ()) -> None:
    """One ``--option`` for each argument of the tool that is not in ``leave_out``."""
    for name, schema in tool.input_schema["properties"].items():
        if name not in leave_out:
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=_help(name, schema), **_reading(schema))


def arguments_from(options: argparse.Namespace, tool: Tool) -> dict[str, Any]:
    """The tool's arguments as far as they were given."""
    given = {name: getattr(options, name, None) for name in tool.input_schema["properties"]}
    return {
        name: dict(value) if tool.input_schema["properties"][name].get("type") == "object" else value
        for name, value in given.items()
        if value is not None
    }


def _help(name: str, schema: dict[str, Any]) -> str:
    parts = [str(schema.get("description", ""))]
    if name.startswith("default_"):
        parts.append(f"for items without {name.removeprefix('default_')}")
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
        return {"action": "append", "metavar": "TEXT"}
    if kind == "object":
        return {"action": "append", "type": _pair, "metavar": "NAME=VALUE"}
    if kind in ("number", "integer"):
        return {"type": finite if kind == "number" else _whole, "metavar": "N"}
    return {"metavar": "TEXT"}


def finite(text: str) -> float:
    """A number as an option's value; neither infinite nor "not a number"."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from error


def _pair(text: str) -> tuple[str, Any]:
    """``NAME=VALUE``, the value being JSON where it can be read so (``seed=5``), else text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, e.g. seed=5")
    try:
        return name, json.loads(value, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return name, value


def _no_number(word: str) -> None:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(word)
