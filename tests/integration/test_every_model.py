"""Every bundled model through ``tools/call``: the real server process over pipes, the sandbox for Kie.

What is asked for in the caller's words arrives in the model's own; what a model cannot do is refused and not sent.
"""

from __future__ import annotations

import json

import pytest
import requests
from jsonschema import Draft202012Validator
from PIL import Image

from kie_mcp import schemas
from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

SECONDS = 30
MODELS = {data["id"]: data for data in map(schemas.load, schemas.names("models"))}
WITHOUT_PICTURES = [model for model, data in MODELS.items() if data["kind"] == "text-to-image"]

PICTURES = ["https://example.com/one.png", "https://example.com/two.png"]
PROMPT = "a red fox\n\nStyle: watercolour\nPlatform: linkedin"
AVOIDING = f"{PROMPT}\nAvoid: text"

ASKED = {
    "aspect_ratio": "16:9",
    "resolution": "2K",
    "output_format": "png",
    "image_input": PICTURES[:1],
    "negative_prompt": "text",
    "style": "watercolour",
}
"""A value for each common argument that some models do not have."""

OUTSIDE = {"aspect_ratio": ["7:5"], "resolution": ["9K"], "output_format": ["webp", "jpeg", "png", "bmp"]}
"""Values for each choice, of which at least one is on no model's list."""

EVERYTHING = {
    "nano-banana-pro": (
        {"aspect_ratio": "auto", "resolution": "4K", "output_format": "jpeg", "image_input": PICTURES},
        {
            "prompt": AVOIDING,
            "aspect_ratio": "auto",
            "resolution": "4K",
            "output_format": "jpg",
            "image_input": PICTURES,
        },
    ),
    "seedream/4.5-edit": (
        {"aspect_ratio": "21:9", "resolution": "4K", "image_input": PICTURES},
        {"prompt": AVOIDING, "aspect_ratio": "21:9", "quality": "high", "image_urls": PICTURES},
    ),
    "seedream/5-flash-image-to-image": (
        {"aspect_ratio": "21:9", "resolution": "2K", "output_format": "jpg", "image_input": PICTURES},
        {"prompt": AVOIDING, "aspect_ratio": "21:9", "size": "2K", "output_format": "jpeg", "image_urls": PICTURES},
    ),
    "qwen/image-edit": (
        {
            "aspect_ratio": "16:9",
            "output_format": "jpg",
            "image_input": PICTURES[:1],
            "model_params": {"num_images": 2, "seed": 7},
        },
        {
            "prompt": PROMPT,
            "negative_prompt": "text",
            "image_size": "landscape_16_9",
            "output_format": "jpeg",
            "image_url": PICTURES[0],
            "num_images": "2",
            "seed": 7,
        },
    ),
    "qwen3/pro-image-to-image": (
        {"aspect_ratio": "21:9", "resolution": "2K", "output_format": "jpeg", "image_input": PICTURES},
        {
            "prompt": PROMPT,
            "negative_prompt": "text",
            "image_size": "21:9",
            "resolution": "2K",
            "output_format": "jpeg",
            "image_urls": PICTURES,
        },
    ),
    "ideogram/v3-remix": (
        {"aspect_ratio": "9:16", "image_input": PICTURES[:1], "model_params": {"style": "DESIGN"}},
        {
            "prompt": PROMPT,
            "negative_prompt": "text",
            "image_size": "portrait_16_9",
            "image_url": PICTURES[0],
            "num_images": "1",
            "style": "DESIGN",
        },
    ),
    "bytedance/seedream-v4-edit": (
        {"aspect_ratio": "21:9", "resolution": "4K", "image_input": PICTURES, "model_params": {"max_images": 2}},
        {
            "prompt": AVOIDING,
            "image_size": "landscape_21_9",
            "image_resolution": "4K",
            "image_urls": PICTURES,
            "max_images": 2,
        },
    ),
    "flux-2/pro-image-to-image": (
        {"aspect_ratio": "2:3", "resolution": "2K", "image_input": PICTURES},
        {"prompt": AVOIDING, "aspect_ratio": "2:3", "resolution": "2K", "input_urls": PICTURES},
    ),
    "qwen2-1/image-to-image": (
        {
            "aspect_ratio": "9:21",
            "resolution": "2K",
            "output_format": "webp",
            "image_input": PICTURES,
        },
        {
            "prompt": AVOIDING,
            "aspect_ratio": "9:21",
            "resolution": "2K",
            "output_format": "webp",
            "image_urls": PICTURES,
        },
    ),
    "wan/2-7-image": (
        {"aspect_ratio": "1:8", "resolution": "2K", "image_input": PICTURES},
        {"prompt": AVOIDING, "aspect_ratio": "1:8", "resolution": "2K", "input_urls": PICTURES, "n": 1},
    ),
    "gpt-image-2-image-to-image": (
        {"aspect_ratio": "21:9", "resolution": "4K", "image_input": PICTURES},
        {"prompt": AVOIDING, "aspect_ratio": "21:9", "resolution": "4K", "input_urls": PICTURES},
    ),
    "flux1-kontext": (
        {"aspect_ratio": "9:16", "output_format": "jpg", "image_input": PICTURES[:1]},
        {"prompt": AVOIDING, "aspect_ratio": "9:16", "output_format": "jpeg", "input_image": PICTURES[0]},
    ),
}
"""For models that differ in their words: what a caller asks for beside prompt, style and the like, and what arrives."""


@pytest.fixture(scope="module")
def sandbox(catalogue, key):
    """Tasks are done at once; there is room and money for all of them."""
    options = SandboxOptions(task_seconds=0, rate=Rate(10_000, 1), credits=1e6, api_key=key)
    with Sandbox(options, catalogue=catalogue) as running:
        yield running


@pytest.fixture(scope="module")
def server(server_process, environment_for, sandbox, tmp_path_factory):
    folder = tmp_path_factory.mktemp("every-model")
    with server_process(environment_for(sandbox, folder), folder) as running:
        yield running


@pytest.fixture(scope="module")
def made(server):
    """The answer to the minimal wish for each model, all asked at once."""
    calls = [("generate_visual", minimal(data)) for data in MODELS.values()]
    return dict(zip(MODELS, server.results(calls), strict=True))


def minimal(data):
    """The least that a caller gives for a model: its minimal input, in common arguments where they reach it."""
    least, mapping = data["minimal_input"], data["mapping"]
    wish = {"model": data["id"], "prompt": "a red fox"}
    pictures = mapping.get("image_input", {}).get("field")
    if pictures in least:
        wish["image_input"] = PICTURES[:1]
    reached = {name for route in mapping.values() for name in (route["field"], *route.get("aliases", ()))}
    params = {name: value for name, value in least.items() if name not in reached}
    return {**wish, "model_params": params} if params else wish


def arrived(sandbox, key, task_id):
    """The ``input`` that Kie was sent for a task."""
    answer = requests.get(
        f"{sandbox.base_url}/jobs/recordInfo",
        params={"taskId": task_id},
        headers={"Authorization": f"Bearer {key}"},
        timeout=SECONDS,
    )
    return json.loads(json.loads(answer.json()["data"]["param"])["input"])


def sent(sandbox):
    """What has reached Kie so far that could cost or change anything."""
    stats = sandbox.stats()
    return stats["created"], stats["rejected"], stats["uploads"], stats["requests"].get("POST /api/v1/jobs/createTask")


def choices(data, argument):
    """The caller's words for one choice of a model."""
    route = data["mapping"][argument]
    return list(route.get("values") or data["input"]["properties"][route["field"]].get("enum", ()))


def unsupported(data):
    """The common arguments that a model does not have; style and what to avoid go into any prompt."""
    missing = [argument for argument in ASKED if argument not in data["mapping"]]
    return [name for name in missing if name not in ("style", "negative_prompt") or "prompt" not in data["mapping"]]


def refusal(answer, context):
    """The message of a call that was refused for its input."""
    assert answer["isError"], context
    error = answer["structuredContent"]["error"]
    assert error["category"] == "input", context
    return error["message"]


@pytest.mark.parametrize("model", MODELS)
def test_the_minimal_wish_succeeds_with_a_body_of_the_models_own_schema(made, sandbox, key, model):
    data, answer = MODELS[model], made[model]["structuredContent"]
    assert answer["ok"], answer
    assert (answer["status"], answer["model"]) == ("success", model)
    body = arrived(sandbox, key, answer["task_id"])
    Draft202012Validator(data["input"]).validate(body)
    assert ("prompt" in body) == ("prompt" in data["mapping"])
    returns = data.get("returns", {})
    pictures = returns.get("pictures", 1)
    assert (len(answer.get("output_paths", ())) > 0) == (pictures > 0)
    for path in answer.get("output_paths", ()):
        with Image.open(path) as picture:
            picture.load()
    assert bool(answer.get("result")) == returns.get("data", False)


@pytest.mark.parametrize("model", EVERYTHING)
def test_every_common_argument_arrives_in_the_models_own_words(server, sandbox, key, model):
    asked, body = EVERYTHING[model]
    common = {"prompt": "a red fox", "style": "watercolour", "platform": "linkedin", "negative_prompt": "text"}
    assert {*asked, *common} >= {*MODELS[model]["mapping"]}
    answer = server.result("create_visual_task", model=model, **common, **asked)["structuredContent"]
    assert answer["ok"], answer
    found = arrived(sandbox, key, answer["task_id"])
    assert found == body
    Draft202012Validator(MODELS[model]["input"]).validate(found)


@pytest.mark.parametrize("model", MODELS)
def test_what_a_model_does_not_have_is_refused_with_what_it_has_and_not_sent(server, sandbox, model):
    data, before = MODELS[model], sent(sandbox)
    wrong = unsupported(data)
    wishes = [{**minimal(data), name: ASKED[name]} for name in wrong]
    for name, answer in zip(wrong, server.results(("generate_visual", wish) for wish in wishes), strict=True):
        message = refusal(answer, name)
        assert model in message
        assert name in message
        assert "It accepts" in message
        for other in {"aspect_ratio", "resolution", "output_format"} & set(data["mapping"]):
            assert f"{other} ({', '.join(map(str, choices(data, other)))})" in message
        assert ("image_input (" in message) == ("image_input" in data["mapping"])
    assert sent(sandbox) == before


@pytest.mark.parametrize("model", MODELS)
def test_a_value_outside_a_models_list_is_refused_with_the_list_and_not_sent(server, sandbox, model):
    data, before = MODELS[model], sent(sandbox)
    for name, values in OUTSIDE.items():
        if name in data["mapping"]:
            accepted = choices(data, name)
            value = next(value for value in values if value not in accepted)
            message = refusal(server.result("generate_visual", **{**minimal(data), name: value}), name)
            assert value in message
            assert name in message
            assert all(str(word) in message for word in accepted), message
    assert sent(sandbox) == before


@pytest.mark.parametrize("model", WITHOUT_PICTURES)
def test_a_model_without_pictures_names_one_that_takes_them(server, sandbox, model):
    before = sent(sandbox)
    answer = server.result("create_visual_task", **{**minimal(MODELS[model]), "image_input": PICTURES})
    named = {word.strip("'.,:;") for word in refusal(answer, model).split()}
    takers = {other for other, data in MODELS.items() if "image_input" in data["mapping"]}
    assert named & takers
    assert sent(sandbox) == before


def test_the_tables_here_speak_of_models_that_there_are():
    assert len(MODELS) >= 68
    assert set(EVERYTHING) <= set(MODELS)
    assert WITHOUT_PICTURES
