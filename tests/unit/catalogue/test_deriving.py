"""Model files made of what Kie says, on the base of the bundled ones."""

from __future__ import annotations

import copy

import pytest

from kie_mcp.catalogue.checking import ModelFileCheck
from kie_mcp.catalogue.deriving import model_file, shape
from kie_mcp.catalogue.live import Entry
from kie_mcp.catalogue.model import Model
from kie_mcp.catalogue.refreshed import bundled_files, fault_of
from kie_mcp.catalogue.sanitising import UnusableSchemaError, clean_fields, clean_input

BUNDLED = bundled_files()
CHECK = ModelFileCheck()
TEXT = {"type": "string"}
PICTURES = {"type": "array", "items": {"type": "string"}, "maxItems": 4}


def choice(*values, **more):
    return {"type": "string", "enum": list(values), **more}


def without_limits(base):
    """The inputs of a model file as Kie describes them: without the limits and the rules that are ours."""
    fields = {
        name: {key: value for key, value in field.items() if not key.startswith("x-")}
        for name, field in base["input"]["properties"].items()
    }
    return copy.deepcopy(fields), list(base["input"]["required"])


def made(fields, required=(), base=None, *, model_id="new/model", tasks=(), price=None):
    """The model file for these inputs, held against the check."""
    live = clean_fields(fields, list(required))
    entry = Entry(base["id"] if base else model_id, "A title", tuple(tasks), price)
    found = model_file(entry, live, base, "Kie")
    assert fault_of(found, base, CHECK) is None
    return found


@pytest.fixture
def changed():
    """The file of a bundled model, once Kie has changed it so: ``change(fields, required)``."""

    def make(model_id, change, **more):
        base = BUNDLED[model_id]
        fields, required = without_limits(base)
        change(fields, required)
        return made(fields, required, base, **more)

    return make


@pytest.mark.parametrize("model_id", BUNDLED)
def test_a_model_that_has_not_changed_stays_as_it_is(model_id):
    base = BUNDLED[model_id]
    found = made(*without_limits(base), base)
    assert {**found, "source": base["source"]} == base
    assert found["source"] == [*base["source"], "Kie"]


@pytest.mark.parametrize("model_id", BUNDLED)
def test_every_bundled_model_could_be_made_from_its_inputs_alone(model_id):
    found = made(*without_limits(BUNDLED[model_id]), model_id=model_id)
    assert found["price"] == {"text": None, "credits": None}
    assert set(found["input"]["required"]) <= set(found["minimal_input"])


def test_the_words_of_the_price_are_kies_and_its_numbers_the_bundled_ones(changed):
    found = changed("nano-banana-pro", lambda *_: None, price="from 20 credits")
    assert found["price"] == {**BUNDLED["nano-banana-pro"]["price"], "text": "from 20 credits"}


def test_a_new_input_gets_a_route_by_its_name(changed):
    found = changed("z-image", lambda fields, _: fields.update(image_urls=PICTURES, output_format=choice("png", "jpg")))
    assert found["mapping"]["image_input"] == {"field": "image_urls"}
    assert found["mapping"]["output_format"]["values"] == {"png": "png", "jpg": "jpg", "jpeg": "jpg"}
    assert found["input"]["properties"]["image_urls"]["items"] == {"type": "string", "format": "uri"}


def test_an_input_with_a_new_name_takes_the_route_over(changed):
    def rename(fields, required):
        fields["image_input"] = fields.pop("image_urls")
        fields["size"] = fields.pop("aspect_ratio")
        required[:] = ["image_input", "prompt"]
        del fields["image_size"]

    mapping = changed("google/nano-banana-edit", rename)["mapping"]
    assert mapping["image_input"] == {"field": "image_input"}
    assert mapping["aspect_ratio"] == {"field": "size"}


def test_an_older_name_takes_the_route_over_once_the_newer_is_gone(changed):
    mapping = changed("google/nano-banana", lambda fields, _: fields.pop("aspect_ratio"))["mapping"]
    assert mapping["aspect_ratio"] == {"field": "image_size"}


def test_an_older_name_that_is_gone_is_forgotten(changed):
    mapping = changed("google/nano-banana", lambda fields, _: fields.pop("image_size"))["mapping"]
    assert mapping["aspect_ratio"] == {"field": "aspect_ratio"}


def test_an_input_that_the_base_left_alone_gets_no_route():
    assert "resolution" not in BUNDLED["gpt-image/1.5-text-to-image"]["mapping"]
    base = copy.deepcopy(BUNDLED["gpt-image/1.5-text-to-image"])
    fields, required = without_limits(base)
    fields["quality"] = choice("1K", "2K")
    assert "resolution" not in made(fields, required, base)["mapping"]


def test_words_whose_value_is_gone_are_dropped_and_new_values_get_theirs(changed):
    def change(fields, _):
        fields["image_size"] = choice("square_hd", "landscape_16_9", "landscape_21_9")

    found = changed("qwen/text-to-image", change)
    values = {"21:9": "landscape_21_9", "1:1": "square_hd", "16:9": "landscape_16_9"}
    assert found["mapping"]["aspect_ratio"] == {"field": "image_size", "values": values}


def test_names_that_became_ratios_are_read_anew(changed):
    found = changed("qwen/text-to-image", lambda fields, _: fields.update(image_size=choice("1:1", "2:1")))
    assert found["mapping"]["aspect_ratio"] == {"field": "image_size"}


def test_ratios_beside_other_words_are_told_apart(changed):
    found = changed("z-image", lambda fields, _: fields.update(aspect_ratio=choice("1:1", "7:3", "adaptive")))
    assert found["mapping"]["aspect_ratio"] == {"field": "aspect_ratio", "values": {"7:3": "7:3", "1:1": "1:1"}}


def test_a_choice_that_became_free_keeps_its_route_where_it_needs_no_words(changed):
    def free(fields, _):
        fields.update(aspect_ratio=TEXT, output_format=TEXT, resolution={"type": "integer"})

    mapping = changed("nano-banana-pro", free)["mapping"]
    assert mapping["aspect_ratio"] == {"field": "aspect_ratio"}
    assert "output_format" not in mapping
    assert "resolution" not in mapping


def test_an_input_of_another_type_loses_its_route(changed):
    def change(fields, required):
        fields.update(prompt={"type": "array", "items": TEXT}, image_input={"type": "integer"})
        required.clear()

    assert {"prompt", "image_input"}.isdisjoint(changed("nano-banana-pro", change)["mapping"])


def test_a_list_of_pictures_that_became_one_is_still_of_pictures(changed):
    found = changed("nano-banana-pro", lambda fields, _: fields.update(image_input=TEXT))
    field = found["input"]["properties"]["image_input"]
    assert (field["type"], field["format"], field["x-max-mb"]) == ("string", "uri", 30)


def test_rules_stay_while_their_inputs_are_there(changed):
    rules = BUNDLED["gpt-image-2-text-to-image"]["input"]["allOf"]
    assert len(rules) == 3
    found = changed("gpt-image-2-text-to-image", lambda fields, _: fields.pop("background"))
    assert found["input"]["allOf"] == rules[:2]
    found = changed("gpt-image-2-text-to-image", lambda fields, _: fields.pop("resolution"))
    assert "allOf" not in found["input"]


def test_a_rule_of_alternatives_goes_with_one_of_them(changed):
    assert "anyOf" in BUNDLED["4o-image-api"]["input"]
    found = changed("4o-image-api", lambda fields, _: fields.pop("files_url"))
    assert "anyOf" not in found["input"]


def test_rules_of_dependence_go_with_any_input_that_they_name():
    base = copy.deepcopy(BUNDLED["z-image"])
    base["input"]["dependentRequired"] = {"nsfw_checker": ["seed"]}
    base["input"]["properties"]["seed"] = {"type": "integer"}
    fields, required = without_limits(base)
    assert made(fields, required, base)["input"]["dependentRequired"] == {"nsfw_checker": ["seed"]}
    del fields["seed"]
    assert "dependentRequired" not in made(fields, required, base)["input"]


def test_what_is_required_now_gets_a_default(changed):
    def change(fields, required):
        fields["quality"] = choice("low", "high")
        fields["steps"] = {"type": "integer", "default": 20}
        fields["name"] = {"type": "string", "minLength": 30}
        required += ["quality", "steps", "name"]

    found = changed("z-image", change)
    assert found["defaults"] == {"aspect_ratio": "1:1", "quality": "low", "steps": 20}
    assert found["minimal_input"]["name"] == "a red apple on a table........"


def test_no_picture_is_ever_sent_by_default(changed):
    def change(fields, required):
        fields["logo_url"] = {"type": "string", "format": "uri", "default": "file:///home/somebody/picture.png"}
        required.append("logo_url")

    found = changed("z-image", change)
    assert found["input"]["properties"]["logo_url"] == {"type": "string", "format": "uri"}
    assert "logo_url" not in found["defaults"]
    assert found["minimal_input"]["logo_url"] == "https://example.com/in.png"


def test_defaults_that_no_longer_fit_are_replaced(changed):
    found = changed("z-image", lambda fields, _: fields.update(aspect_ratio=choice("16:9", "9:16", default="9:16")))
    assert found["defaults"] == {"aspect_ratio": "9:16"}
    assert found["minimal_input"]["aspect_ratio"] == "9:16"


@pytest.mark.parametrize(
    ("name", "field", "one"),
    [("n", {"type": "integer"}, 1), ("num_images", choice("1", "2"), "1"), ("max_images", {"type": "number"}, 1)],
)
def test_one_picture_is_made_where_a_new_input_says_how_many(changed, name, field, one):
    found = changed("z-image", lambda fields, _: fields.update({name: field}))
    assert found["defaults"][name] == one
    assert found["returns"] == {"count_field": name}


def test_a_number_that_cannot_be_one_is_left_to_kie(changed):
    found = changed("z-image", lambda fields, _: fields.update(n={"type": "integer", "minimum": 2}))
    assert "n" not in found["defaults"]


def test_a_price_follows_only_inputs_that_are_there(changed):
    found = changed("nano-banana-pro", lambda fields, _: fields.update(resolution=choice("1K", "8K")))
    assert found["price"]["by"] == {"field": "resolution", "credits": {"1K": 18}}
    found = changed("nano-banana-pro", lambda fields, _: fields.update(resolution=choice("8K")))
    assert "by" not in found["price"]
    found = changed("nano-banana-pro", lambda fields, _: fields.pop("resolution"))
    assert "by" not in found["price"]
    found = changed("wan/2-7-image", lambda fields, _: fields.pop("n"))
    assert "times" not in found["price"]
    assert "count_field" not in found["returns"]


def test_a_price_may_follow_a_switch():
    base = copy.deepcopy(BUNDLED["z-image"])
    base["price"]["by"] = {"field": "nsfw_checker", "credits": {"true": 2}}
    assert made(*without_limits(base), base)["price"]["by"]["credits"] == {"true": 2}


@pytest.mark.parametrize(
    ("fields", "required", "model_id", "tasks", "kind"),
    [
        ({"prompt": TEXT}, ["prompt"], "new", [], "text-to-image"),
        ({"prompt": TEXT, "image_urls": PICTURES}, ["prompt"], "new", [], "text-or-image-to-image"),
        ({"prompt": TEXT, "image_urls": PICTURES}, ["prompt", "image_urls"], "upscale", [], "image-to-image"),
        ({"image": TEXT}, ["image"], "new/crisp-upscaler", [], "upscale"),
        ({"image": TEXT}, ["image"], "new", ["Background Removal"], "background-removal"),
        ({"image": TEXT, "prompt": TEXT}, ["image"], "new-layers", [], "layer-decomposition"),
        ({"image": TEXT}, [], "new", ["Image to Image"], "image-to-image"),
    ],
)
def test_the_kind_of_a_new_model_is_told_by_its_inputs(fields, required, model_id, tasks, kind):
    assert made(fields, required, model_id=model_id, tasks=tasks)["kind"] == kind


def test_a_new_model_is_complete_and_can_be_used():
    fields = {
        "prompt": {"type": "string", "maxLength": 500},
        "reference_image_urls": PICTURES,
        "image_url": TEXT,
        "image_size": choice("square_hd", "portrait_16_9"),
        "quality": choice("2K", "4K", default="2K"),
        "style": choice("a", "b"),
    }
    found = made(fields, ["prompt", "image_url", "quality", "style"], price="5 credits")
    assert found["mapping"] == {
        "prompt": {"field": "prompt"},
        "aspect_ratio": {"field": "image_size", "values": {"1:1": "square_hd", "9:16": "portrait_16_9"}},
        "resolution": {"field": "quality"},
        "image_input": {"field": "image_url"},
    }
    assert found["defaults"] == {"quality": "2K", "style": "a"}
    assert found["price"] == {"text": "5 credits", "credits": None}
    assert found["title"] == "A title"
    model = Model.from_json(found, "new")
    assert model.picture_fields == {"image_url", "reference_image_urls"}
    assert model.estimate({}) is None
    assert found["minimal_input"] == {
        "prompt": "a red apple on a table",
        "image_url": "https://example.com/in.png",
        "quality": "2K",
        "style": "a",
    }


def test_a_model_that_requires_nothing_is_asked_with_a_prompt():
    assert made({"prompt": TEXT})["minimal_input"] == {"prompt": "a red apple on a table"}


def test_a_schema_that_contradicts_itself_is_found_out():
    live = clean_fields({"prompt": {"type": "string", "minLength": 9, "maxLength": 2}}, ["prompt"])
    found = model_file(Entry("new", "A", (), None), live, None, "Kie")
    assert "minimal_input" in fault_of(found, None, CHECK)


def test_schemas_are_compared_without_words_and_order():
    one = {"$schema": "x", "properties": {"a": {"description": "A", "enum": ["1", "2"]}}, "required": ["a", "b"]}
    other = {"properties": {"a": {"enum": ["1", "2"]}}, "required": ["b", "a"]}
    assert shape(one) == shape(other)
    assert shape(one) != shape({**other, "required": ["a"]})
    assert shape({"properties": {"description": {"type": "string"}}}) != shape({"properties": {}})


def test_whatever_kie_says_a_model_is_right_or_refused(openapi, random_json):
    bases = [None, *BUNDLED.values()]
    number = 0
    for count, value in enumerate(random_json(1000)):
        base = bases[count % len(bases)]
        fields = value if isinstance(value, dict) else {"prompt": value}
        if base is not None:
            known = base["input"]["properties"]
            fields = {
                name: fields.get(kind, schema) for (name, schema), kind in zip(known.items(), fields, strict=False)
            }
            fields["image_urls"] = value
        try:
            live = clean_input(openapi(fields, [name for name in list(fields)[:2] if isinstance(name, str)], A=value))
        except UnusableSchemaError:
            continue
        found = model_file(Entry(base["id"] if base else "new", "A", ("x",), None), live, base, "Kie")
        if fault_of(found, base, CHECK) is None:
            assert CHECK.faults(found) == []
            assert shape(Model.from_json(found, "x").input_schema) == shape(found["input"])
            number += 1
    assert number > 100
