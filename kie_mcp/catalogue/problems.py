"""What is wrong with a model's input, said so that a caller can correct it.

The rules are the model's JSON Schema; this module only turns what ``jsonschema`` finds into sentences
that name the field, its value and what the model accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kie_mcp.catalogue.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Kind = Literal["missing", "unknown", "type", "value", "conflict"]

# The keywords at the root of an input schema that look at each field alone.
_FIELD_RULES = ("properties", "required", "additionalProperties")
_LONGEST_SHOWN = 80
_JSON_WORDS = {True: "true", False: "false", None: "null"}
_TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: ``field`` is the model's own input name, ``message`` a whole sentence.

    ``fitting`` are the values of a field that go with the rest, where it conflicts or is missing beside it;
    ``choice`` are the fields of which some have to be given.
    """

    field: str
    kind: Kind
    message: str
    fitting: tuple[Any, ...] = ()
    choice: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Finding:
    """What the validator found: ``keyword`` with its ``limit`` refused ``value``, at ``path`` in the input."""

    rule: tuple[Any, ...]
    path: tuple[Any, ...]
    keyword: str
    limit: Any
    value: Any
    schema: Mapping[str, Any]
    text: str

    @classmethod
    def of(cls, error: ValidationError) -> _Finding:
        schema = error.schema if isinstance(error.schema, dict) else {}
        rule, path = tuple(error.absolute_schema_path), tuple(error.absolute_path)
        return cls(rule, path, str(error.validator), error.validator_value, error.instance, schema, error.message)

    @property
    def missing(self) -> list[str]:
        """The fields that a broken ``required`` asks for."""
        return [name for name in self.limit if name not in self.value]

    @property
    def label(self) -> str:
        """The field's name, with the place inside it: ``image_urls[0]``."""
        first, *inner = self.path
        return str(first) + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in inner)


def make_validator(schema: Mapping[str, Any]) -> Validator:
    """A validator for one input schema. ``format`` is not enforced: pictures may still be local paths."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(dict(schema))


def find_problems(
    model_id: str,
    schema: Mapping[str, Any],
    validator: Validator,
    body: Mapping[str, Any],
    *,
    tolerate_unknown: bool,
) -> list[Problem]:
    """Everything wrong with ``body``, one problem for each field.

    Rules between fields are looked at only where each field alone is right.
    """
    findings = [_Finding.of(error) for error in validator.iter_errors(dict(body))]
    alone = [problem for finding in findings for problem in _alone(model_id, finding)]
    alone = [problem for problem in alone if not (tolerate_unknown and problem.kind == "unknown")]
    if alone:
        return _one_per_field(alone)
    between = [finding for finding in findings if finding.rule[0] not in _FIELD_RULES]
    # What is missing may be filled in; where other fields clash, they are what is wrong.
    between = [finding for finding in between if finding.keyword != "required"] or between
    return _one_per_field([_conflict(model_id, schema, validator, body, finding) for finding in between])


def shown(value: object) -> str:
    """A value as it is quoted in a message, cut where it is long."""
    text = _JSON_WORDS.get(value, repr(value)) if isinstance(value, bool | None) else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """A ``what``, such as an unknown prompt, by its name; what may be meant by it, and what there is."""
    names = list(known)
    return f"{what} {shown(name)}.{did_you_mean(name, names)} There are: {', '.join(names)}."


def listed(values: Iterable[Any]) -> str:
    """Accepted values as they are listed in a message."""
    return ", ".join(str(value) for value in values)


def _one_per_field(problems: list[Problem]) -> list[Problem]:
    """The first problem of each field; a wrong type explains every other."""
    found: dict[str, Problem] = {}
    for problem in sorted(problems, key=lambda problem: problem.kind != "type"):
        found.setdefault(problem.field, problem)
    return list(found.values())


def _alone(model_id: str, finding: _Finding) -> Iterator[Problem]:
    """The problems of single fields in one finding."""
    rule = finding.rule[0]
    if rule == "required":
        for name in finding.missing:
            yield Problem(name, "missing", f"{name} is required by {model_id}.")
    elif rule == "additionalProperties":
        known = list(finding.schema["properties"])
        for name in sorted(set(finding.value) - set(known)):
            hint = did_you_mean(name, known)
            yield Problem(name, "unknown", f"{model_id} has no input {name!r}.{hint} Its inputs: {listed(known)}.")
    elif rule == "properties":
        kind: Kind = "type" if finding.keyword == "type" else "value"
        yield Problem(str(finding.path[0]), kind, _sentence(model_id, finding))


def _sentence(model_id: str, finding: _Finding) -> str:
    """What is wrong with one field's value."""
    field, value, limit = finding.label, finding.value, finding.limit
    match finding.keyword:
        case "type":
            hint = f" Did you mean {str(value)!r}?" if str(value) in finding.schema.get("enum", ()) else ""
            return f"{field} has to be {_type_name(limit)}, not {shown(value)}.{hint}"
        case "enum":
            hint = did_you_mean(value, map(str, limit))
            return f"{field} {shown(value)} is not accepted by {model_id}.{hint} It accepts: {listed(limit)}."
        case "maxLength" | "maxItems":
            return f"{field} has {_counted(value)}; {model_id} accepts at most {limit}."
        case "minLength" | "minItems":
            return f"{field} has {_counted(value)}; {model_id} needs at least {limit}."
        case "minimum" | "maximum":
            return f"{field} {shown(value)} is out of range; {model_id} accepts {_range(finding.schema)}."
    return f"{field} {shown(value)} is not accepted by {model_id}: {finding.text}."


def _type_name(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else types
    return " or ".join(_TYPE_NAMES.get(name, name) for name in names)


def _counted(value: str | list[Any]) -> str:
    return f"{len(value)} {'characters' if isinstance(value, str) else 'entries'}"


def _range(schema: Mapping[str, Any]) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    return f"at least {schema['minimum']}" if "minimum" in schema else f"at most {schema['maximum']}"


def _conflict(
    model_id: str, schema: Mapping[str, Any], validator: Validator, body: Mapping[str, Any], finding: _Finding
) -> Problem:
    """Fields that do not go together; what would go is found by trying the field's own values."""
    if finding.keyword in ("anyOf", "oneOf"):
        return _choice(model_id, finding)
    if not finding.path and finding.keyword != "required":
        return Problem("", "conflict", f"{model_id} does not accept these inputs together: {finding.text}.")
    field = str(finding.path[0]) if finding.path else finding.missing[0]
    values = schema["properties"].get(field, {}).get("enum", [])
    fitting = [value for value in values if validator.is_valid({**body, field: value})]
    what = f"{field} {shown(body[field])} does not go" if field in body else f"{field} is required"
    accepted = f"; with it, {model_id} accepts: {listed(fitting)}" if fitting else _bound(finding)
    return Problem(field, "conflict", f"{what} with {_cause(schema, finding, body)}{accepted}.", tuple(fitting))


def _bound(finding: _Finding) -> str:
    """What a field without a list of values may be beside the others."""
    limit = finding.limit
    match finding.keyword:
        case "maxItems":
            return f"; at most {limit} of them does" if limit else "; none of them does"
        case "maximum":
            return f"; at most {limit} does"
        case "const":
            return f"; only {shown(limit)} does"
    return ""


def _choice(model_id: str, finding: _Finding) -> Problem:
    """A rule ``anyOf`` or ``oneOf`` over required fields, e.g. a prompt or a picture."""
    names = list(dict.fromkeys(name for way in finding.limit for name in way.get("required", ())))
    how_many = "at least one" if finding.keyword == "anyOf" else "exactly one"
    return Problem(names[0], "conflict", f"{model_id} needs {how_many} of: {listed(names)}.", choice=tuple(names))


def _cause(schema: Mapping[str, Any], finding: _Finding, body: Mapping[str, Any]) -> str:
    """The fields that the broken rule's ``if`` speaks of, with their values."""
    rule = schema["allOf"][finding.rule[1]] if finding.rule[0] == "allOf" else schema
    condition = rule.get("if", {})
    names = dict.fromkeys([*condition.get("properties", {}), *condition.get("required", ())])
    return " and ".join(f"{name} {shown(body[name])}" for name in names if name in body) or "the other inputs"
