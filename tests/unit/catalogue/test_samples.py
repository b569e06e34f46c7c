"""Values made from a schema."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from kie_mcp.catalogue.samples import sample


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"type": "string"}, "a red apple on a table"),
        ({"type": "string", "maxLength": 5}, "a red"),
        ({"type": "string", "minLength": 25}, "a red apple on a table..."),
        ({"type": "string", "format": "uri"}, "https://example.com/in.png"),
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"type": "string", "enum": ["b", "a"], "default": "a"}, "a"),
        ({"type": "boolean"}, False),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 3, "maximum": 9}, 3),
        ({"type": "number", "maximum": 0.5}, 0.5),
        ({"type": "number", "minimum": -4, "maximum": -2}, -2),
        ({"type": "array", "default": [], "items": {"type": "integer"}}, [1]),
        ({"type": "array", "minItems": 2}, ["a red apple on a table"] * 2),
        ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}, {"a": 1}),
        ({"type": "object"}, {}),
        ({}, "a red apple on a table"),
    ],
)
def test_a_sample_is_the_least_that_is_accepted(field, value):
    assert sample(field) == value
    assert Draft202012Validator(field).is_valid(value)


def test_a_sample_is_never_large():
    deep = {"type": "string", "minLength": 10**14}
    for _ in range(6):
        deep = {"type": "array", "minItems": 10**14, "items": deep}
    assert len(str(sample(deep))) < 1_000_000
