"""Schemas from outside: what gets through, and what never does."""

from __future__ import annotations

import json
import math

import pytest
from jsonschema import Draft202012Validator

from kie_mcp.catalogue.live import UnusableError
from kie_mcp.catalogue.sanitising import clean_fields, clean_input


@pytest.fixture
def cleaned(openapi):
    """One field as it comes out, in a document with these components."""

    def clean(field, **components):
        return clean_input(openapi({"field": field}, **components))["properties"]["field"]

    return clean


def test_the_input_of_create_task_is_found(openapi):
    fields = {"prompt": {"type": "string", "maxLength": 5}, "seed": {"type": "integer"}}
    assert clean_input(openapi(fields, ["prompt"])) == {"properties": fields, "required": ["prompt"]}


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "enum": ["1K", "2K"], "default": "1K"},
        {"type": "number", "minimum": 0.1, "maximum": 1, "default": 0.8},
        {"type": "array", "items": {"type": "string", "format": "uri"}, "minItems": 1, "maxItems": 3, "default": []},
        {"type": "boolean", "default": False, "description": "Whether it is."},
        {"type": "object", "properties": {"hex": {"type": "string"}}, "required": ["hex"]},
        {"type": ["string", "integer"]},
        {"type": "array", "items": {"type": "array", "items": {}}},
        {},
    ],
)
def test_what_is_clean_stays_as_it_is(cleaned, field):
    assert cleaned(field) == field
    assert clean_fields({"field": field}, []) == {"properties": {"field": field}, "required": []}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"type": "string", "pattern": "(a+)+$", "contentEncoding": "base64", "x-max-mb": 1}, {"type": "string"}),
        ({"type": "string", "if": {}, "not": {}, "$id": "https://evil.example/", "$defs": {}}, {"type": "string"}),
        ({"type": ["string", "null"], "nullable": True, "default": None}, {"type": "string"}),
        ({"type": "null"}, {}),
        ({"type": {}, "enum": {}, "default": [1], "items": 1, "properties": 1, "required": 1}, {}),
        ({"type": "string", "enum": ["a", "a", 1, None, {}, "\x1b[31m", "x" * 201]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "enum": ["a"], "default": "b"}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "default": 5}, {"type": "string"}),
        ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"enum": [1, "b"]}, {"enum": [1, "b"]}),
        ({"type": "integer", "default": True, "minimum": "few", "maximum": 10**400}, {"type": "integer"}),
        ({"type": "string", "maxLength": "3000", "minLength": "-1"}, {"type": "string", "maxLength": 3000}),
        ({"type": "number", "minimum": "0.5", "maximum": "9" * 16}, {"type": "number", "minimum": 0.5}),
        ({"type": "integer", "enum": ["1", "2"], "default": 1}, {"type": "string", "enum": ["1", "2"]}),
        ({"type": "integer", "enum": [1, "2"]}, {"type": "integer", "enum": [1]}),
        ({"type": "integer", "default": 10**30}, {"type": "integer"}),
        ({"type": "number", "minimum": math.nan, "maximum": math.inf}, {"type": "number"}),
        ({"type": "string", "maxLength": -1, "minLength": 2.5}, {"type": "string"}),
        ({"type": "string", "maxLength": 20.0}, {"type": "string", "maxLength": 20}),
        ({"type": "string", "format": "regex"}, {"type": "string"}),
        ({"type": "string", "format": "url"}, {"type": "string", "format": "uri"}),
        ({"items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}}),
        ({"properties": {"__proto__": {}, "a b": {}, "ok": {}}}, {"type": "object", "properties": {"ok": {}}}),
        ({"description": "a\x1b[31m\nb\u202ec"}, {"description": "a [31m b c"}),
        ({"description": "\x00"}, {}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}], "maxLength": 3}, {"type": "string", "maxLength": 3}),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, {}),
        ({"allOf": [5]}, {}),
        ("a string", {}),
        (None, {}),
    ],
)
def test_everything_else_is_dropped(cleaned, given, kept):
    found = cleaned(given)
    found.pop("required", None)
    assert found == kept
    Draft202012Validator.check_schema(found)
    assert clean_fields({"field": cleaned(given)}, [])["properties"]["field"] == cleaned(given)


def test_long_texts_are_cut(cleaned):
    assert len(cleaned({"description": "x" * 10**6})["description"]) == 300


def test_references_are_followed_inside_the_document(cleaned):
    shape = {"$ref": "#/components/schemas/A~1B", "default": "1:1"}
    found = cleaned(shape, schemas={"A/B": {"$ref": "#/components/schemas/C"}, "C": {"enum": ["1:1", "2:1"]}})
    assert found == {"type": "string", "enum": ["1:1", "2:1"], "default": "1:1"}


def test_names_in_references_may_be_percent_encoded(cleaned):
    field = {"$ref": "#/components/schemas/aspect%20ratio%7E1x"}
    assert cleaned(field, schemas={"aspect ratio/x": {"type": "integer"}}) == {"type": "integer"}


TEXT = {"type": "string"}


def test_inputs_may_be_given_in_parts(openapi):
    document = openapi({"c": TEXT}, ["c"], More={"properties": {"b": TEXT}, "required": ["b"]})
    body = document["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"]["content"]["application/json"]
    given = body["schema"]["properties"]["input"]
    within = {"allOf": [{"type": "object"}, {"$ref": "#/components/More"}]}
    given["allOf"] = [{"type": "object", "properties": {"a": TEXT, "c": {"type": "integer"}}}, within]
    assert clean_input(document) == {"properties": {"a": TEXT, "c": TEXT, "b": TEXT}, "required": ["b", "c"]}


@pytest.mark.parametrize(
    "part", [5, {"type": "string"}, {"if": {}, "type": "object"}, {"anyOf": [{}, {}], "type": "object"}, {"not": {}}]
)
def test_parts_that_are_no_plain_objects_make_a_schema_unusable(openapi, part):
    document = openapi({"a": TEXT})
    body = document["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"]["content"]["application/json"]
    body["schema"]["properties"]["input"]["allOf"] = [part, {"type": "object"}]
    with pytest.raises(UnusableError, match="combined"):
        clean_input(document)


def test_parts_that_multiply_end(openapi):
    document = openapi({"a": TEXT}, A={"allOf": [{"$ref": "#/components/A"}, {"$ref": "#/components/A"}]})
    body = document["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"]["content"]["application/json"]
    body["schema"]["properties"]["input"] = {"$ref": "#/components/A"}
    with pytest.raises(UnusableError, match="too deep"):
        clean_input(document)
    document["components"]["A"] = {"allOf": [{"type": "object"}] * 100_000}
    with pytest.raises(UnusableError, match="too large"):
        clean_input(document)


def test_the_whole_body_may_be_a_reference(openapi):
    document = openapi({"prompt": {"type": "string"}})
    content = document["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"]["content"]["application/json"]
    document["components"] = {"schemas": {"Body": content["schema"]}}
    content["schema"] = {"$ref": "#/components/schemas/Body"}
    assert clean_input(document)["properties"] == {"prompt": {"type": "string"}}


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.example/schema.json",
        "http://127.0.0.1/",
        "file:///etc/passwd",
        "//evil.example",
        "other.json#/a",
        "#",
        "#/paths",
        "",
        5,
        None,
        {},
    ],
)
def test_a_reference_outwards_is_never_followed(cleaned, reference):
    with pytest.raises(UnusableError, match="outside of it"):
        cleaned({"$ref": reference})


@pytest.mark.parametrize("part", ["missing", "A/type/0", "A/0"])
def test_a_reference_to_nothing_makes_a_schema_unusable(cleaned, part):
    with pytest.raises(UnusableError, match="not there"):
        cleaned({"$ref": f"#/components/{part}"}, A={"type": "string"})


def test_references_in_a_circle_end(cleaned):
    around = {"A": {"$ref": "#/components/B"}, "B": {"$ref": "#/components/A"}}
    with pytest.raises(UnusableError, match="refers to itself"):
        cleaned({"$ref": "#/components/A"}, **around)
    with pytest.raises(UnusableError, match="too deep"):
        cleaned({"$ref": "#/components/A"}, A={"type": "array", "items": {"$ref": "#/components/A"}})


def test_references_that_multiply_end(cleaned):
    levels = {
        f"L{n}": {"properties": {f"f{i}": {"$ref": f"#/components/L{n + 1}"} for i in range(20)}} for n in range(5)
    }
    with pytest.raises(UnusableError, match="too large"):
        cleaned({"$ref": "#/components/L0"}, **levels, L5={})


def test_depth_and_size_are_bounded(cleaned, openapi):
    deep = {"type": "string"}
    for _ in range(400):
        deep = {"type": "array", "items": deep}
    with pytest.raises(UnusableError, match="too deep"):
        cleaned(deep)
    with pytest.raises(UnusableError, match="too large"):
        clean_input(openapi({f"f{n}": {} for n in range(1000)}))
    with pytest.raises(UnusableError, match="more than 200 values"):
        cleaned({"enum": list(range(100_000))})


@pytest.mark.parametrize("required", [["other"], ["__proto__"], [5], [["field"]], [None]])
def test_what_is_required_has_to_be_described(openapi, required):
    with pytest.raises(UnusableError, match="requires an input"):
        clean_input(openapi({"field": {}}, required))


@pytest.mark.parametrize("document", [None, [], "x", 5])
def test_a_model_without_a_document_is_unusable(document):
    with pytest.raises(UnusableError, match="no schema"):
        clean_input(document)


@pytest.mark.parametrize("paths", [None, [], {}, {"/api/v1/chat/completions": {"post": {}}}])
def test_a_chat_model_is_told_from_an_image_model(paths):
    with pytest.raises(UnusableError, match="createTask"):
        clean_input({"paths": paths})


def test_a_document_without_inputs_is_unusable(openapi):
    for document in (openapi({}), openapi([]), {"paths": {"/api/v1/jobs/createTask": 5}}):
        with pytest.raises(UnusableError, match="no inputs"):
            clean_input(document)


def test_a_document_of_random_json_is_cleaned_or_refused(openapi, random_json):
    for value in random_json(1000):
        for document in (value, {"paths": value}, openapi(value), openapi({"a": value, "b": value}, ["a"])):
            try:
                found = clean_input(document)
            except UnusableError:
                continue
            json.dumps(found, allow_nan=False)
            assert clean_fields(found["properties"], found["required"]) == found
            Draft202012Validator.check_schema({"type": "object", **found})
