"""The catalogue API: the models that there are, their schemas and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kie_mcp.sandbox.messages import TOO_FREQUENT, UNKNOWN_MODEL, Answer, failure, success
from kie_mcp.sandbox.others import CARELESS, entry, openapi, others, task_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue import Catalogue, Model
    from kie_mcp.sandbox.faults import Fault
    from kie_mcp.sandbox.messages import Request
    from kie_mcp.sandbox.state import State

PATH = "/api/v1/models"
CREATE = "/api/v1/jobs/createTask"


class Listing:
    """GET /api/v1/models and below; one budget of a request a second for all of it."""

    def __init__(self, state: State, catalogue: Catalogue) -> None:
        self._state = state
        self._catalogue = catalogue
        self._others = {listed["model"]: (listed, document) for listed, document in others()}

    def get(self, request: Request, fault: Fault | None = None) -> Answer:
        """The list, or ``schema``, ``price`` or ``success-rate`` of one model (the slash of its id as it is).

        ``fault`` is one of those that only this API has.
        """
        if not self._state.enter_catalogue():
            return failure(429, TOO_FREQUENT)
        if request.path == PATH:
            return self._models(request.query, fault)
        name, _, what = request.path.removeprefix(f"{PATH}/").rpartition("/")
        found = self._find(name)
        if found is None:
            return failure(404, UNKNOWN_MODEL)
        listed, document = found
        if what == "schema":
            return success({"model": listed["model"], "openapi": _instead(fault, document, HOSTILE_DOCUMENT)})
        if what == "price":
            return success({"model": listed["model"], "pricingDesc": _instead(fault, listed["pricingDesc"], [7])})
        if what == "success-rate":
            return success({"model": listed["model"], "points": []})
        return failure(404, "No message available")

    def _find(self, name: str) -> tuple[dict[str, Any], dict[str, Any] | None] | None:
        """A model's entry in the list and its OpenAPI document."""
        model = self._catalogue.find(name)
        return (_entry(model), _document(model)) if model and model.id == name else self._others.get(name)

    def _models(self, query: Mapping[str, str], fault: Fault | None) -> Answer:
        listed = [_entry(model) for model in self._catalogue.search(None, None)]
        listed += [listed for listed, _ in self._others.values()]
        wanted = [listed for listed in listed if _matches(listed, query)]
        shown = _instead(fault, wanted, HOSTILE_ENTRIES) or []
        return success({"total": len(shown), "models": shown})


def _instead(fault: Fault | None, right: Any, hostile: Any) -> Any:
    """The right thing, nothing, or a hostile one."""
    if fault is None:
        return right
    return hostile if fault.kind == "hostile" else None


def _entry(model: Model) -> dict[str, Any]:
    listed = entry(model.id, model.title, model.title.split()[0], _task_types(model.kind), model.price.text)
    for beginning, wrong in CARELESS.items():
        if model.id.startswith(beginning):
            listed.update(wrong)
    return listed


def _task_types(kind: str) -> list[str]:
    """Kie's names of a kind: ``text-or-image-to-image`` is both."""
    kinds = ["text-to-image", "image-to-image"] if kind == "text-or-image-to-image" else [kind]
    return [" ".join(word if word == "to" else word.capitalize() for word in name.split("-")) for name in kinds]


def _matches(listed: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    words = query.get("q", "").lower()
    provider = query.get("provider", "").lower()
    task_type = query.get("taskType", "").lower()
    return (
        words in f"{listed['model']} {listed['title']}".lower()
        and provider in ("", listed["provider"].lower())
        and (not task_type or task_type in [name.lower() for name in listed["taskType"]])
    )


def _document(model: Model) -> dict[str, Any]:
    """A model's schema as Kie shows it: fields only; limits of pictures and rules between fields are prose there.

    Fields with a list of values are elsewhere in the document, under their names with spaces.
    """
    older = {name for route in model.mapping.values() for name in route.aliases}
    fields: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for name, schema in model.fields.items():
        fields[name] = {**_field(schema), **({"deprecated": True} if name in older else {})}
        if "enum" in schema:
            words = name.replace("_", " ")
            schemas[words], fields[name] = fields[name], {"$ref": f"#/components/schemas/{quote(words)}"}
    given = {"type": "object", "properties": fields, "required": list(model.input_schema.get("required", ()))}
    return openapi(model.title, CREATE, task_body(model.id, {**given, "x-apidog-orders": list(fields)}), schemas)


def _field(schema: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: value for name, value in schema.items() if not name.startswith("x-")}
    limits = []
    if "x-mime" in schema:
        limits.append(f"accepted types: {', '.join(schema['x-mime'])}")
    if "x-max-mb" in schema:
        limits.append(f"max size: {schema['x-max-mb']}MB")
    if limits:
        shown["description"] = f"File URL after upload; {'; '.join(limits)}"
    if "enum" in schema:
        shown["x-apidog-enum"] = [{"value": value, "name": "", "description": ""} for value in schema["enum"]]
    return {**shown, "examples": [[] if schema.get("type") == "array" else schema.get("default", "")]}


HOSTILE_ENTRIES: tuple[Any, ...] = (
    7,
    None,
    {"model": 7, "title": ["a"], "taskType": "Text to Image"},
    {"model": "../../outside", "title": "\u001b[31mred", "provider": None, "taskType": [None], "pricingDesc": {}},
    {"model": "made/up?q=1#2", "title": "x" * 100_000, "taskType": ["Text to Image"], "pricingDesc": "-1 credits"},
)
"""Entries of wrong types, ids that lead out of folders and URLs, text that moves a terminal's cursor."""

HOSTILE_DOCUMENT: Mapping[str, Any] = openapi(
    "\u001b[31mred",
    CREATE,
    task_body(
        "another/model",
        {
            "type": "object",
            "properties": {
                "prompt": {"type": "strin", "maxLength": -1},
                "pattern": {"type": "string", "pattern": "^(a+)+$("},
                "elsewhere": {"$ref": "http://127.0.0.1:9/schema.json"},
                "enum": {"enum": "1:1"},
            },
            "required": "prompt",
        },
    ),
)
"""A schema that is none: wrong types, a pattern that does not compile, a reference to another host."""
