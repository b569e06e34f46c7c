"""The catalogue API: the models that there are, their schemas and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox.messages import TOO_FREQUENT, UNKNOWN_MODEL, Answer, failure, success

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue import Catalogue, Model
    from kie_mcp.sandbox.messages import Request
    from kie_mcp.sandbox.state import State

PATH = "/api/v1/models"


class Listing:
    """GET /api/v1/models and below; one budget of a request a second for all of it."""

    def __init__(self, state: State, catalogue: Catalogue) -> None:
        self._state = state
        self._catalogue = catalogue

    def get(self, request: Request) -> Answer:
        """The list, or ``schema`` or ``price`` of one model (the slash of its id as it is)."""
        if not self._state.enter_catalogue():
            return failure(429, TOO_FREQUENT)
        if request.path == PATH:
            return self._models(request.query)
        name, _, what = request.path.removeprefix(f"{PATH}/").rpartition("/")
        model = self._catalogue.find(name)
        if model is None:
            return failure(404, UNKNOWN_MODEL)
        if what == "schema":
            return success({"model": model.id, "openapi": _openapi(model)})
        if what == "price":
            return success({"model": model.id, "pricingDesc": model.price.text})
        return failure(404, "No message available")

    def _models(self, query: Mapping[str, str]) -> Answer:
        listed = [_entry(model) for model in self._catalogue.search(None, None)]
        wanted = [entry for entry in listed if _matches(entry, query)]
        return success({"total": len(wanted), "models": wanted})


def _entry(model: Model) -> dict[str, Any]:
    return {
        "model": model.id,
        "slug": model.id.replace("/", "-").replace(".", "-"),
        "title": model.title,
        "provider": model.title.split()[0],
        "taskType": _task_types(model.kind),
        "description": None,
        "pricingDesc": model.price.text,
    }


def _task_types(kind: str) -> list[str]:
    """Kie's names of a kind: ``text-or-image-to-image`` is both."""
    kinds = ["text-to-image", "image-to-image"] if kind == "text-or-image-to-image" else [kind]
    return [" ".join(word if word == "to" else word.capitalize() for word in name.split("-")) for name in kinds]


def _matches(entry: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    words = query.get("q", "").lower()
    provider = query.get("provider", "").lower()
    task_type = query.get("taskType", "").lower()
    return (
        words in f"{entry['model']} {entry['title']}".lower()
        and provider in ("", entry["provider"].lower())
        and (not task_type or task_type in [name.lower() for name in entry["taskType"]])
    )


def _openapi(model: Model) -> dict[str, Any]:
    properties = {
        "model": {"type": "string", "enum": [model.id]},
        "callBackUrl": {"type": "string", "format": "uri"},
        "input": model.input_schema,
    }
    body = {"type": "object", "required": ["model", "input"], "properties": properties}
    post = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": model.title, "version": "1.0.0"},
        "paths": {"/api/v1/jobs/createTask": {"post": post}},
    }
