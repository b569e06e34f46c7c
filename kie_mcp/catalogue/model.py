"""One image model, as its file in ``schemas/models/`` describes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.price import Price
from kie_mcp.catalogue.problems import Problem, find_problems, make_validator
from kie_mcp.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema.protocols import Validator

# Arguments that choose one value out of a list, in the order in which they are described.
CHOICES = ("aspect_ratio", "resolution", "output_format")

# Picture lists whose length Kie does not state take this many, the usual limit of its models.
_USUAL_MAX_IMAGES = 10
_BYTES_PER_MB = 1024 * 1024


@dataclass(frozen=True)
class Route:
    """Where one common argument goes: the model's field, and its word for each of the caller's words.

    Without ``values`` the field takes what the caller wrote. ``aliases`` are older names of the field.
    """

    field: str
    values: Mapping[str, Any] | None = None
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every input name that means this field."""
        return (self.field, *self.aliases)


@dataclass(frozen=True)
class Returns:
    """What a task gives: so many ``pictures``, unless ``count_field`` says another number.

    With ``data`` there is a structured result beside them or, with no pictures, instead of them
    (``resultObject`` of recordInfo).
    """

    pictures: int = 1
    count_field: str | None = None
    data: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Returns:
        """Read the ``returns`` of a model file."""
        return cls(data.get("pictures", 1), data.get("count_field"), data.get("data", False))


@dataclass(frozen=True, eq=False)
class Model:
    """One model: what it is called, what it accepts, what it costs.

    ``mapping`` has a route for each common argument that the model knows; ``defaults`` are sent where
    the caller gave nothing, because Kie applies none of its own to required fields (createTask page).
    """

    id: str
    title: str
    kind: str
    input_schema: Mapping[str, Any]
    mapping: Mapping[str, Route]
    defaults: Mapping[str, Any]
    price: Price
    notes: tuple[str, ...]
    minimal_input: Mapping[str, Any]
    returns: Returns = Returns()

    @classmethod
    def from_json(cls, data: Mapping[str, Any], name: str) -> Model:
        """Read a model file; raises ``BundleError`` with the file's ``name`` where it has not the right form."""
        try:
            model = cls(
                data["id"],
                data["title"],
                data["kind"],
                data["input"],
                {argument: _route(entry) for argument, entry in data["mapping"].items()},
                data.get("defaults", {}),
                Price.from_json(data.get("price") or {}),
                tuple(data.get("notes", ())),
                data.get("minimal_input", {}),
                Returns.from_json(data.get("returns", {})),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"The bundled file {name} does not describe a model: {error!r}") from error
        for argument, route in model.mapping.items():
            if route.field not in model.fields:
                raise BundleError(f"In the bundled file {name}, {argument} goes to {route.field!r}, no input of it.")
        return model

    @property
    def fields(self) -> Mapping[str, Any]:
        """The schema of each input field."""
        fields: Mapping[str, Any] = self.input_schema.get("properties", {})
        return fields

    @cached_property
    def validator(self) -> Validator:
        """The validator of ``input_schema``, made on first use."""
        return make_validator(self.input_schema)

    def problems(self, body: Mapping[str, Any], *, tolerate_unknown: bool = False) -> list[Problem]:
        """What is wrong with an ``input`` for this model; ``tolerate_unknown`` lets further fields pass."""
        return find_problems(self.id, self.input_schema, self.validator, body, tolerate_unknown=tolerate_unknown)

    def choices(self, argument: str) -> list[str]:
        """The values of a common argument, in the caller's words; empty where the model does not have it."""
        route = self.mapping.get(argument)
        if route is None:
            return []
        return list(route.values if route.values is not None else self.fields[route.field].get("enum", ()))

    def accepts(self) -> dict[str, Any]:
        """What a caller may ask for, ready for JSON; ``other`` are the names that ``model_params`` takes."""
        return {
            "aspect_ratios": self.choices("aspect_ratio"),
            "resolutions": self.choices("resolution"),
            "output_formats": self.choices("output_format"),
            "max_images": self.max_images,
            "other": self.other_fields,
        }

    @property
    def other_fields(self) -> list[str]:
        """The inputs that no common argument reaches."""
        routed = {name for route in self.mapping.values() for name in route.names}
        return [name for name in self.fields if name not in routed]

    @property
    def image_field(self) -> str | None:
        """The input that takes the caller's pictures."""
        route = self.mapping.get("image_input")
        return route.field if route else None

    @property
    def max_images(self) -> int:
        """How many pictures the model takes, 0 where none."""
        if self.image_field is None:
            return 0
        return (
            int(self.fields[self.image_field].get("maxItems", _USUAL_MAX_IMAGES))
            if self.is_list(self.image_field)
            else 1
        )

    @property
    def image_required(self) -> bool:
        """Whether the model works on a picture only."""
        return self.image_field in self.input_schema.get("required", ())

    @property
    def works_on_a_prompt(self) -> bool:
        """Whether a prompt is all that a caller has to give."""
        route = self.mapping.get("prompt")
        return route is not None and set(self.input_schema.get("required", ())) <= {route.field, *self.defaults}

    @cached_property
    def picture_fields(self) -> frozenset[str]:
        """The inputs that hold URLs of pictures, one or a list: every URL among the inputs is one."""
        return frozenset(name for name, schema in self.fields.items() if takes_pictures(schema))

    def pictures_in(self, body: Mapping[str, Any]) -> Iterator[tuple[str, int | None, str]]:
        """Every picture of an ``input`` that fits the schema: its field, its place in the list there, its URL.

        The place is ``None`` where the field holds one.
        """
        for field in self.fields:
            value = body.get(field) if field in self.picture_fields else None
            if isinstance(value, str):
                yield field, None, value
            else:
                yield from ((field, place, text) for place, text in enumerate(value or ()))

    def is_list(self, field: str) -> bool:
        """Whether an input takes a list (else one value)."""
        return bool(self.fields[field].get("type") == "array")

    def picture_limits(self, field: str) -> tuple[int | None, tuple[str, ...]]:
        """The most bytes that one picture of a field may have (``None``: not stated) and its media types."""
        schema = self.fields[field]
        megabytes = schema.get("x-max-mb")
        return (None if megabytes is None else int(megabytes * _BYTES_PER_MB), tuple(schema.get("x-mime", ())))

    def estimate(self, body: Mapping[str, Any]) -> float | None:
        """The credits that an ``input`` should cost; fields that are not sent count with Kie's default."""
        return self.price.estimate(*self._billed(body))

    def least(self, body: Mapping[str, Any]) -> float | None:
        """The credits that an ``input`` costs at least."""
        return self.price.least(*self._billed(body))

    def _billed(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """What a price goes by: the value of each field, and the number of input pictures."""
        defaults = {name: schema["default"] for name, schema in self.fields.items() if "default" in schema}
        pictures = body.get(self.image_field, ()) if self.image_field else ()
        return {**defaults, **body}, 1 if isinstance(pictures, str) else len(pictures)


def _route(entry: Mapping[str, Any]) -> Route:
    return Route(entry["field"], entry.get("values"), tuple(entry.get("aliases", ())))


def takes_pictures(field: Mapping[str, Any]) -> bool:
    """Whether a field holds the URL of a picture, or a list of them: every URL among the inputs is one."""
    entry = field.get("items") if field.get("type") == "array" else field
    return isinstance(entry, dict) and entry.get("format") == "uri"
