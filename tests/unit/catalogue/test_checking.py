"""Faults of model files."""

import copy

import pytest

from kie_mcp import schemas
from kie_mcp.catalogue.checking import ModelFileCheck


@pytest.fixture(scope="module")
def check():
    return ModelFileCheck()


@pytest.fixture
def broken(check):
    """The faults of a sound file after one change, made by ``change(data)``."""

    def make(name, change):
        data = copy.deepcopy(schemas.load(f"models/{name}.json"))
        change(data)
        return check.faults(data)

    return make


@pytest.mark.parametrize("data", [None, [], "x", {}, {"id": 3}])
def test_what_is_no_model_file_at_all_has_faults(check, data):
    assert check.faults(data)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d.pop("title"), "the file: 'title' is a required property"),
        (lambda d: d.update(id="../x"), "id: '../x' does not match"),
        (lambda d: d.update(kind="video"), "kind: 'video' is not one of"),
        (lambda d: d.update(extra=1), "the file: Additional properties are not allowed"),
        (lambda d: d["input"].update(additionalProperties=True), "input.additionalProperties: False was expected"),
        (lambda d: d["input"]["properties"]["prompt"].update(type="text"), "input is no JSON Schema"),
        (lambda d: d["mapping"]["prompt"].update(field="text"), "mapping.prompt goes to text, which is no input"),
        (lambda d: d["mapping"]["prompt"].update(aliases=["old"]), "mapping.prompt goes to old, which is no input"),
        (lambda d: d["mapping"].update(seed={"field": "seed"}), "mapping: 'seed' is not one of"),
        (
            lambda d: d["mapping"]["resolution"].update(values={"2K": "fine"}),
            "mapping.resolution turns 2K into 'fine', which quality does not have",
        ),
        (lambda d: d["defaults"].update(size="1K"), "defaults has size, which is no input"),
        (lambda d: d["defaults"].update(quality="fine"), "defaults has 'fine' for quality, which it does not accept"),
        (lambda d: d["defaults"].pop("quality"), "quality is required and has no default"),
        (lambda d: d["input"]["required"].append("size"), "size is required, but no input"),
        (lambda d: d["minimal_input"].pop("prompt"), "minimal_input: prompt is required by seedream/4.5-edit."),
        (lambda d: d["price"].update(times="n"), "price.times is n, which is no input"),
        (lambda d: d["price"].update(by={"field": "n", "credits": {}}), "price follows n, which is no input"),
        (lambda d: d["price"].update(times="prompt"), "price.times is prompt, which has to be an integer from 1"),
        (
            lambda d: d["price"].update(by={"field": "quality", "credits": {"fine": 3}}),
            "price has credits for fine, which quality does not have",
        ),
        (lambda d: d.update(returns={"count_field": "n"}), "returns.count_field is n, which is no input"),
        (
            lambda d: d["input"]["properties"]["image_urls"]["items"].pop("format"),
            "image_urls takes pictures, so its format has to be uri",
        ),
        (
            lambda d: d["input"]["properties"]["prompt"].update(format="uri"),
            "prompt takes the prompt, so it cannot hold pictures",
        ),
        (
            lambda d: d["mapping"].update(negative_prompt={"field": "image_urls"}),
            "image_urls takes the negative_prompt",
        ),
        (lambda d: d["price"].update(credits=float("nan")), "price comes out as nan for {}"),
        (lambda d: d["price"].update(credits=float("inf")), "price comes out as inf for {}"),
        (
            lambda d: d["price"].update(credits=10**400, per_image={"credits": 0.5, "free": 0}),
            "price cannot be worked out for {}: OverflowError",
        ),
        (
            lambda d: d["input"]["properties"]["aspect_ratio"]["enum"].append("wide"),
            "aspect_ratio has 'wide'; it takes shapes such as 16:9, and auto",
        ),
        (
            lambda d: d["mapping"].update(output_format={"field": "quality", "values": {"gif": "basic"}}),
            "output_format has 'gif'; callers may ask for png, jpg, jpeg, webp",
        ),
    ],
)
def test_each_fault_is_told(broken, change, fault):
    assert any(told.startswith(fault) for told in broken("seedream__4.5-edit", change))


def test_a_price_by_a_switch_goes_by_true_and_false(broken):
    assert broken("grok-imagine__text-to-image", lambda d: None) == []
    told = broken("grok-imagine__text-to-image", lambda d: d["price"]["by"]["credits"].update(perhaps=1))
    assert told == ["price has credits for perhaps, which enable_pro does not have"]


def test_a_minimal_input_is_looked_at_where_there_is_one(broken):
    assert broken("z-image", lambda d: d.pop("minimal_input")) == []
