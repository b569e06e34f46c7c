"""The one loader of the bundled JSON files: tool schemas, model files, platforms, clients, prompts, resources.

They stand in ``schemas/`` at the top of the source tree; a wheel carries them as ``kie_mcp/_schemas``.
Kept free of slow imports: ``tools/list`` is answered with nothing but ``json`` loaded.
"""

from __future__ import annotations

import json
import os

from kie_mcp.errors import BundleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import


def root() -> str:
    """The folder that holds ``tools/``, ``models/``, ``platforms.json`` and ``clients.json``.

    Raises ``BundleError`` where neither an installed nor a source tree has it.
    """
    for folder in (os.path.join(_HERE, "_schemas"), os.path.join(os.path.dirname(_HERE), "schemas")):  # noqa: PTH118, PTH120 - as above
        if os.path.isdir(folder):  # noqa: PTH112 - as above
            return folder
    raise BundleError(f"No bundled schemas beside {_HERE}.")


def load(name: str, folder: str | None = None) -> Any:
    """Read one JSON file by its path below the root, e.g. ``tools/get_credits.json``."""
    path = os.path.join(folder or root(), *name.split("/"))  # noqa: PTH118 - as above
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
            return json.load(file)
    except (OSError, ValueError) as error:
        raise BundleError(f"The bundled file {path} cannot be read: {error}") from error


def names(kind: str, folder: str | None = None) -> list[str]:
    """The JSON files of one folder below the root, sorted, e.g. ``models/z-image.json``."""
    path = os.path.join(folder or root(), kind)  # noqa: PTH118 - as above
    try:
        return sorted(f"{kind}/{entry}" for entry in os.listdir(path) if entry.endswith(".json"))  # noqa: PTH208 - as above
    except OSError as error:
        raise BundleError(f"The bundled folder {path} cannot be read: {error}") from error


def load_clients(folder: str | None = None) -> list[dict[str, Any]]:
    """The clients whose time-out for a call is known.

    ``names`` are how the names begin that a client gives itself (``clientInfo``), in small letters. After
    ``call_seconds`` it gives up, ``None`` if it never does; ``reset_by_progress`` if its clock begins anew with each
    notification of progress. ``source`` says where this is known from.
    """
    clients: list[dict[str, Any]] = load("clients.json", folder)["clients"]
    return clients


def load_prompts(folder: str | None = None) -> dict[str, Any]:
    """The prompts that people choose from a menu, and the ``styles`` that are suggested to them.

    ``prompts`` have ``name``, ``title``, ``description`` and ``arguments`` as they are published. An argument's
    ``completes`` is the kind of values that are suggested for it. ``lines`` are the text, with ``{name}`` in the place
    of an argument; a line with an argument that was not given is left out.
    """
    prompts: dict[str, Any] = load("prompts.json", folder)
    return prompts


def load_resources(folder: str | None = None) -> dict[str, Any]:
    """The ``guide`` and the ``templates`` as ``resources/list`` and ``resources/templates/list`` publish them.

    Each variable of a template is named as the kind of values that are suggested for it.
    """
    resources: dict[str, Any] = load("resources.json", folder)
    return resources


def load_tool(name: str, folder: str | None = None) -> dict[str, Any]:
    """One tool's ``{"input": schema, "output": schema}``, with shared arguments put in place.

    A schema ``{"$ref": "arguments.json#/types/NAME"}`` is replaced by what that JSON pointer finds in
    ``tools/arguments.json``, so that every argument is typed and described once. Keys beside the
    ``$ref`` are kept. Raises ``BundleError`` for a reference that leads nowhere.
    """
    shared = load("tools/arguments.json", folder)
    tool: dict[str, Any] = _inline(load(f"tools/{name}.json", folder), shared)
    return tool


def _inline(node: Any, shared: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(item, shared) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _inline(value, shared) for key, value in node.items() if key != "$ref"}
    if "$ref" not in node:
        return copied
    return {**_inline(_target(node["$ref"], shared), shared), **copied}


def _target(reference: str, shared: dict[str, Any]) -> Any:
    target: Any = shared
    try:
        for part in reference.removeprefix("arguments.json#/").split("/"):
            target = target[part]
    except (KeyError, TypeError) as error:
        raise BundleError(f"The bundled tools/arguments.json has nothing at {reference!r}.") from error
    return target
