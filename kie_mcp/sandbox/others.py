"""What Kie's catalogue holds beside the image models, and what is wrong in it: chat, video, careless metadata.

That there are such entries is from the recorded answer of GET /api/v1/models of 2026-10-01; which ones
there are here, their prices and their schemas are this stand-in's own choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CARELESS: Mapping[str, Mapping[str, Any]] = {
    "ideogram/v3-text-to-image": {"taskType": ["Text to Video"]},
    "recraft/": {"provider": "Elevenlabs"},
}
"""Metadata that Kie has wrong, by the beginning of the ids."""


def openapi(title: str, path: str, body: Mapping[str, Any], schemas: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An OpenAPI 3.1 document with the one call that makes something with a model, in the style of Kie's.

    ``schemas`` are further ones that ``body`` refers to. Names in references are percent-encoded, there are keywords
    of the tool that the documents come from, and examples.
    """
    accepted = {"$ref": "#/components/schemas/response%20not%20with%20recordId"}
    post = {
        "summary": title,
        "deprecated": False,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "examples": {}}}},
        "responses": {"200": {"content": {"application/json": {"schema": {"allOf": [accepted]}}}}},
        "x-apidog-folder": "docs/en/Market",
        "x-apidog-status": "released",
    }
    shared = {
        "CallbackUrl": {"type": "string", "format": "uri", "examples": ["https://example.com/callback"]},
        "response not with recordId": {"type": "object", "properties": {"code": {"type": "integer"}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1.0.0"},
        "paths": {path: {"post": post}},
        "components": {"schemas": {**shared, **(schemas or {})}},
    }


def entry(model_id: str, title: str, provider: str, task_types: list[str], price: str | None) -> dict[str, Any]:
    """One model as the list shows it."""
    return {
        "model": model_id,
        "slug": model_id.replace("/", "-").replace(".", "-"),
        "title": title,
        "provider": provider,
        "taskType": task_types,
        "description": None,
        "pricingDesc": price,
    }


def others() -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Models that make no pictures: the entry in the list, and the OpenAPI document, which some lack."""
    return [
        (entry("claude-sonnet-4-5", "Claude Sonnet 4.5", "Anthropic", ["Chat"], None), _chat()),
        (entry("gpt-5-2", "GPT 5.2", "OpenAI", ["Chat"], "by tokens"), None),
        (
            entry("kling-2.6/text-to-video", "Kling 2.6, text to video", "Kling", ["Text to Video"], "by seconds"),
            _video("kling-2.6/text-to-video"),
        ),
    ]


def _chat() -> dict[str, Any]:
    messages = {"type": "array", "items": {"type": "object"}}
    body = {"type": "object", "properties": {"messages": messages}, "required": ["messages"]}
    return openapi("Claude Sonnet 4.5", "/claude/v1/messages", body)


def _video(model_id: str) -> dict[str, Any]:
    fields = {
        "prompt": {"type": "string", "maxLength": 1000},
        "sound": {"type": "boolean"},
        "aspect_ratio": {"type": "string", "enum": ["1:1", "16:9", "9:16"]},
        "duration": {"type": "string", "enum": ["5", "10"]},
    }
    given = {"type": "object", "properties": fields, "required": list(fields)}
    return openapi("Kling 2.6, text to video", "/api/v1/jobs/createTask", task_body(model_id, given))


def task_body(model_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of createTask's body for one model, whose ``input`` is ``given``."""
    properties = {
        "model": {"type": "string", "enum": [model_id], "default": model_id},
        "callBackUrl": {"$ref": "#/components/schemas/CallbackUrl", "description": "Called when the task ends."},
        "input": given,
    }
    order = {"x-apidog-orders": list(properties)}
    return {"type": "object", "required": ["model", "input"], "properties": properties, **order}
