"""Model files made of what Kie says, on the base of the bundled ones."""

from __future__ import annotations

import copy

import pytest

from kie_mcp.catalogue import Catalogue, Wish
from kie_mcp.catalogue.checking import ModelFileCheck
from kie_mcp.catalogue.deriving import shape
from kie_mcp.catalogue.live import Entry, UnusableError
from kie_mcp.catalogue.model import Model
from kie_mcp.catalogue.platforms import Platforms
from kie_mcp.catalogue.price import Price
from kie_mcp.catalogue.refreshed import Saying, bundled_files
from kie_mcp.catalogue.sanitising import clean_fields, clean_input

BUNDLED = bundled_files()
CHECK = ModelFileCheck()
TEXT = {"type": "string"}
PICTURE = {"type": "string", "format": "uri"}
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
    entry = Entry(base["id"] if base else model_id, "A title", tuple(tasks), price)
    found = Saying(entry, clean_fields(fields, list(required))).model({base["id"]: base} if base else {})
    assert CHECK.faults(found) == []
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
    assert {"minimal_input": base["minimal_input"], **found} == {"returns": {}, **base}


@pytest.mark.parametrize("model_id", BUNDLED)
def test_every_bundled_model_could_be_made_from_its_inputs_alone(model_id):
    found = made(*without_limits(BUNDLED[model_id]), model_id=model_id)
    assert found["price"]["credits"] is None
    assert "minimal_input" not in found


def test_the_words_of_the_price_are_kies_and_its_numbers_the_bundled_ones(changed):
    text = "18 credits ($0.09) per picture at 1K and 2K, 24 Credits at 4K"
    found = changed("nano-banana-pro", lambda *_: None, price=text)
    assert found["price"] == {**BUNDLED["nano-banana-pro"]["price"], "text": text}


def test_what_a_credit_is_worth_is_no_price(changed):
    text = "$0.09 per picture (1 credit = $0.005)"
    assert changed("nano-banana-pro", lambda *_: None, price=text)["price"]["credits"] == 18


@pytest.mark.parametrize(
    "text",
    [
        "900 credits",
        "from 1,024 credits",
        "20 credits, or 18.5 credits",
        "1 credit",
        "36 credits = $0.18 per picture",
        "18 credits (1K), 30 credits (4K)",
        "$0.20 per picture",
        "20 (1K), 30 (4K)",
    ],
)
def test_a_price_with_other_numbers_is_not_known(changed, text):
    found = changed("nano-banana-pro", lambda *_: None, price=text)
    assert found["price"] == {"text": text, "credits": None}


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


def test_a_new_choice_without_values_has_no_route(changed):
    assert "resolution" not in changed("z-image", lambda fields, _: fields.update(resolution=TEXT))["mapping"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("image_input", {}),
        ("image_input", PICTURE),
        ("image_input", {"type": ["array", "string"], "items": PICTURE}),
        ("image_input", {"type": "array", "items": {"type": "object", "properties": {"url": PICTURE}}}),
        ("image_input", {"type": "array", "items": {"type": "integer"}}),
        ("aspect_ratio", {}),
        ("aspect_ratio", TEXT),
        ("aspect_ratio", {"type": "integer"}),
        ("aspect_ratio", {"type": "array", "items": choice("1:1")}),
        ("output_format", TEXT),
        ("prompt", {"type": "array", "items": TEXT}),
        ("prompt", PICTURE),
    ],
)
def test_what_is_not_understood_leaves_an_input_as_it_is(changed, name, field):
    found = changed("nano-banana-pro", lambda fields, _: fields.update({name: field}))
    base = BUNDLED["nano-banana-pro"]
    assert found["input"]["properties"][name] == base["input"]["properties"][name]
    assert found["mapping"] == base["mapping"]


def test_numbers_whose_values_are_text_stay_text(changed):
    def change(fields, _):
        fields["upscale_factor"] = {"type": "integer", "enum": ["1", "2", "4", "8"]}

    found = changed("topaz/image-upscale", change)
    assert found["input"]["properties"]["upscale_factor"] == choice("1", "2", "4", "8", default="2")


def test_kies_keywords_win_where_it_gives_them_and_the_others_stay(changed):
    def change(fields, _):
        fields["prompt"] = {"type": "string", "maxLength": 9000, "description": "Words."}
        fields["input_urls"] = {"type": "array", "items": {"type": "string"}, "maxItems": 9}
        fields["aspect_ratio"] = choice("auto", "1:1", "16:9")
        fields["resolution"] = choice("2K", "4K")

    fields = changed("gpt-image-2-image-to-image", change)["input"]["properties"]
    before = BUNDLED["gpt-image-2-image-to-image"]["input"]["properties"]
    assert fields["prompt"] == {"type": "string", "minLength": 1, "maxLength": 9000, "description": "Words."}
    assert fields["input_urls"] == {**before["input_urls"], "maxItems": 9}
    assert fields["aspect_ratio"] == choice("auto", "1:1", "16:9", default="auto")
    assert fields["resolution"] == choice("2K", "4K")


def test_a_number_of_the_other_kind_keeps_its_bounds(changed):
    found = changed("wan/2-7-image", lambda fields, _: fields.update(seed={"type": "number", "default": -1}))
    seed = {"type": "number", "minimum": 0, "maximum": 2147483647}
    assert found["input"]["properties"]["seed"] == seed


def test_an_input_of_another_plain_type_is_taken_as_kie_says(changed):
    found = changed("wan/2-7-image", lambda fields, _: fields.update(seed={"type": "string"}))
    assert found["input"]["properties"]["seed"] == {"type": "string"}


@pytest.mark.parametrize(
    ("model_id", "name", "field"),
    [
        ("nano-banana-pro", "prompt", None),
        ("nano-banana-pro", "image_input", None),
        ("nano-banana-pro", "aspect_ratio", None),
        ("nano-banana-pro", "prompt", {"type": "integer"}),
        ("nano-banana-pro", "aspect_ratio", choice("wide", "tall")),
        ("4o-image-api", "files_url", None),
    ],
)
def test_a_model_that_would_lose_a_route_that_callers_need_is_refused(changed, model_id, name, field):
    def change(fields, required):
        fields[name] = field
        if field is None:
            del fields[name]
            required[:] = [other for other in required if other != name]

    with pytest.raises(UnusableError, match="no input of it is known to take the"):
        changed(model_id, change)


def test_other_routes_may_be_lost(changed):
    mapping = changed("nano-banana-pro", lambda fields, _: fields.pop("output_format"))["mapping"]
    assert "output_format" not in mapping


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
def test_words_never_become_pictures(changed, name):
    def change(fields, _):
        fields[name] = {"type": "string", "format": "uri", "maxLength": 400}

    for model_id in ("z-image", "qwen/text-to-image"):
        model = Model.from_json(changed(model_id, change), "x")
        assert model.picture_fields == frozenset()
        assert model.mapping[name].field == name


def test_a_prompt_that_is_a_path_sends_words_and_no_file(changed):
    found = changed("z-image", lambda fields, _: fields["prompt"].update(format="uri"))
    catalogue = Catalogue([Model.from_json(found, "x")], Platforms({}))
    plan = catalogue.plan(Wish(prompt="/some/file.png", model="z-image"))
    assert plan.input["prompt"] == "/some/file.png"
    assert plan.pictures == ()


def test_a_list_of_pictures_never_has_a_default(changed):
    def change(fields, _):
        fields["image_urls"] = {"type": "array", "items": {**PICTURE, "default": "/x.png"}, "default": []}

    found = changed("nano-banana-2-lite", change)
    limits = BUNDLED["nano-banana-2-lite"]["input"]["properties"]["image_urls"]
    assert "default" not in found["input"]["properties"]["image_urls"]
    assert found["input"]["properties"]["image_urls"]["x-max-mb"] == limits["x-max-mb"]


def test_pictures_under_a_new_name_keep_their_limits(changed):
    def change(fields, _):
        fields["images"] = fields.pop("image_input")

    found = changed("nano-banana-pro", change)
    limits = BUNDLED["nano-banana-pro"]["input"]["properties"]["image_input"]
    assert found["mapping"]["image_input"] == {"field": "images"}
    assert found["input"]["properties"]["images"] == limits


def test_a_value_that_is_listed_and_not_made_is_still_not_offered(changed):
    found = changed("wan/2-7-image", lambda fields, _: fields["resolution"].update(default="4K"))
    assert Model.from_json(found, "x").choices("resolution") == ["1K", "2K"]
    assert found["input"]["allOf"] == BUNDLED["wan/2-7-image"]["input"]["allOf"]


def test_rules_stay_while_their_inputs_are_there(changed):
    rules = BUNDLED["gpt-image-2-text-to-image"]["input"]["allOf"]
    assert len(rules) == 3
    found = changed("gpt-image-2-text-to-image", lambda fields, _: fields.pop("background"))
    assert found["input"]["allOf"] == rules[:2]
    found = changed("gpt-image-2-text-to-image", lambda fields, _: fields.pop("resolution"))
    assert "allOf" not in found["input"]


def test_a_rule_of_alternatives_goes_with_one_of_them(changed):
    assert "oneOf" in BUNDLED["grok-imagine-image-2-0/segment-map"]["input"]
    found = changed("grok-imagine-image-2-0/segment-map", lambda fields, _: fields.pop("task_id"))
    assert "oneOf" not in found["input"]


def test_rules_of_dependence_go_with_any_input_that_they_name():
    base = copy.deepcopy(BUNDLED["z-image"])
    base["input"]["dependentRequired"] = {"nsfw_checker": ["seed"]}
    base["input"]["not"] = {"required": ["prompt"], "maxProperties": 1}
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


def test_no_picture_is_ever_sent_by_default(changed):
    def change(fields, required):
        fields["logo_url"] = {"type": "string", "format": "uri", "default": "file:///home/somebody/picture.png"}
        required.append("logo_url")

    found = changed("z-image", change)
    assert found["input"]["properties"]["logo_url"] == {"type": "string", "format": "uri"}
    assert "logo_url" not in found["defaults"]


def test_defaults_that_no_longer_fit_are_replaced(changed):
    found = changed("z-image", lambda fields, _: fields.update(aspect_ratio=choice("16:9", "9:16", default="9:16")))
    assert found["defaults"] == {"aspect_ratio": "9:16"}


@pytest.mark.parametrize(
    ("name", "field", "one"),
    [
        ("n", {"type": "integer", "default": 4}, 1),
        ("num_images", choice("1", "2", default="2"), "1"),
        ("max_images", {"type": "number", "minimum": 0, "default": 0}, 1),
        ("numImages", {"type": "integer", "minimum": 2, "default": 8}, 2),
        ("quantity", {"type": "number", "minimum": 1.5}, 2),
        ("image_count", choice("auto", "8", "4"), "4"),
    ],
)
def test_one_picture_is_made_where_a_new_input_says_how_many(changed, name, field, one):
    def change(fields, required):
        fields[name] = field
        required.append(name)

    found = changed("z-image", change)
    assert found["defaults"][name] == one
    assert found["returns"] == {"count_field": name}
    assert found["price"]["times"] == name
    assert "default" not in field or found["input"]["properties"][name].get("default") != 0


def test_a_number_of_pictures_as_free_text_is_one_and_no_number(changed):
    found = changed("z-image", lambda fields, _: fields.update(num_images={"type": "string", "default": "4"}))
    assert found["defaults"]["num_images"] == "1"
    assert found["returns"] == {}


@pytest.mark.parametrize(
    ("field", "one"),
    [
        ({"type": "integer", "minimum": 2, "maximum": 12, "default": 12}, 2),
        ({"type": "integer", "default": -5}, 1),
        ({"type": "integer", "minimum": 0, "default": 4}, 1),
        (choice("auto", "1", "4", default="auto"), "1"),
        ({"type": "array", "items": {"type": "integer"}}, 1),
        ({"type": ["integer", "string"], "default": 4}, 1),
        ({"type": "number"}, 1),
    ],
)
def test_the_number_of_pictures_is_never_what_kie_would_make_of_itself(changed, field, one):
    def change(fields, required):
        fields["n"] = field
        required.append("n")

    found = changed("wan/2-7-image", change)
    assert found["defaults"] == {"n": one}
    assert Model.from_json(found, "x").estimate(found["defaults"]) == pytest.approx(4.8 * int(one))


def test_a_number_that_became_free_text_is_refused(changed):
    with pytest.raises(UnusableError, match="n, which has to be an integer"):
        changed("wan/2-7-image", lambda fields, _: fields.update(n=TEXT))


def test_a_number_that_kie_has_come_to_raise_is_one(changed):
    def change(fields, _):
        fields["max_images"]["default"] = 6

    assert changed("bytedance/seedream-v4-edit", change)["defaults"]["max_images"] == 1


def test_a_number_under_a_new_name_is_followed(changed):
    def change(fields, _):
        fields["image_count"] = {**fields.pop("n"), "default": 4}

    found = changed("wan/2-7-image", change)
    assert (found["price"]["times"], found["returns"]["count_field"]) == ("image_count", "image_count")
    assert found["defaults"] == {"image_count": 1}
    assert Model.from_json(found, "x").estimate({"image_count": 3}) == pytest.approx(14.4)


def test_steps_are_no_number_of_pictures(changed):
    found = changed("qwen/image-edit", lambda *_: None)
    assert "num_inference_steps" not in found["defaults"]


@pytest.mark.parametrize(
    "field",
    [
        choice("some", "many", default="many"),
        {"type": "integer", "maximum": 0, "default": 0},
        {"type": "number", "enum": [1.5, 2.5], "default": 2.5},
        {"type": "string", "enum": ["²"]},
    ],
)
def test_a_number_of_which_the_least_is_not_known_is_refused(changed, field):
    with pytest.raises(UnusableError, match="how few pictures num_images may ask for"):
        changed("z-image", lambda fields, _: fields.update(num_images=field))


@pytest.mark.parametrize(
    ("model_id", "change"),
    [
        ("nano-banana-pro", lambda fields, _: fields.update(resolution=choice("1k", "2k", "4k"))),
        ("nano-banana-pro", lambda fields, _: fields.pop("resolution")),
        ("nano-banana-pro", lambda fields, _: fields.update(image_resolution=fields.pop("resolution"))),
        ("wan/2-7-image", lambda fields, _: fields.pop("n")),
        ("wan/2-7-image", lambda fields, _: fields.update(num_images={**fields.pop("n"), "type": "string"})),
        ("grok-imagine/text-to-image", lambda fields, _: fields.pop("enable_pro")),
    ],
    ids=range(6),
)
def test_a_price_that_cannot_be_followed_is_not_known(changed, model_id, change):
    found = changed(model_id, change)
    assert found["price"] == {"text": BUNDLED[model_id]["price"]["text"], "credits": None}
    assert "count_field" not in found["returns"]


def test_the_prices_of_what_is_left_stay_known(changed):
    found = changed("nano-banana-pro", lambda fields, _: fields.update(resolution=choice("1K", "8K")))
    assert found["price"]["by"]["credits"] == {"1K": 18}
    price = Price.from_json(found["price"])
    assert (price.least({"resolution": "1K"}, 0), price.least({"resolution": "8K"}, 0)) == (18, None)


def test_a_second_number_of_pictures_leaves_the_price_unknown(changed):
    found = changed("wan/2-7-image", lambda fields, _: fields.update(num_outputs={"type": "integer", "default": 4}))
    assert found["defaults"] == {"n": 1, "num_outputs": 1}
    assert found["price"]["credits"] is None


def test_bounds_below_nothing_are_bounds(changed):
    found = changed("z-image", lambda fields, _: fields.update(shift={"type": "number", "maximum": -1}))
    assert found["input"]["properties"]["shift"]["maximum"] == -1


def test_new_values_beside_the_priced_ones_have_no_price(changed):
    found = changed("nano-banana-pro", lambda fields, _: fields.update(resolution=choice("1K", "2K", "4K", "8K")))
    assert found["price"] == BUNDLED["nano-banana-pro"]["price"]
    assert Model.from_json(found, "x").estimate({"resolution": "8K"}) is None


def test_a_price_may_follow_a_switch(changed):
    assert changed("grok-imagine/text-to-image", lambda *_: None)["price"]["by"]["credits"] == {"false": 4, "true": 5}


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


@pytest.mark.parametrize("name", ["video_url", "duration"])
def test_a_new_model_of_films_is_refused(name):
    with pytest.raises(UnusableError, match="makes no pictures"):
        made({"prompt": TEXT, name: TEXT})


def test_a_schema_that_contradicts_itself_is_refused():
    for least, most in (("minLength", "maxLength"), ("minItems", "maxItems"), ("minimum", "maximum")):
        with pytest.raises(UnusableError, match="above the greatest"):
            made({"prompt": {"type": "string", least: 9, most: 2}})


AS_KIE_HAS_IT = {
    "wan/2-7-image": (
        {
            "prompt": {"type": "string", "maxLength": 5000, "examples": ["a"]},
            "input_urls": {"type": "array", "items": PICTURE, "maxItems": 9, "examples": [["https://a.example/b"]]},
            "aspect_ratio": choice("1:1", "16:9", "4:3", "21:9", "3:4", "9:16", "8:1", "1:8"),
            "bbox_list": {"type": "array", "items": {"type": "array", "items": {"type": "array"}}},
            "color_palette": {
                "type": "array",
                "minItems": 3,
                "maxItems": 10,
                "items": {
                    "type": "object",
                    "properties": {"hex": {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"}, "ratio": TEXT},
                    "required": ["hex", "ratio"],
                    "x-apidog-orders": ["hex", "ratio"],
                },
            },
            "enable_sequential": {"type": "boolean", "default": False},
            "n": {"type": "integer", "examples": [4]},
            "nsfw_checker": {"type": "boolean", "description": "Defaults to false."},
            "resolution": choice("1K", "2K", "4K", default="2K", **{"x-apidog-enum": [{"value": "1K"}]}),
            "seed": {"type": "integer", "default": 0, "minimum": 0, "maximum": 2147483647},
            "thinking_mode": {"type": "boolean", "default": False},
            "watermark": {"type": "boolean", "default": False},
        },
        ["prompt"],
    ),
    "gpt-image-2-image-to-image": (
        {
            "prompt": TEXT,
            "input_urls": {"type": "array", "items": PICTURE, "maxItems": 16},
            "aspect_ratio": {"$ref": "#/components/schemas/aspect%20ratio"},
            "resolution": choice("1K", "2K", "4K"),
            "background": choice("transparent", "opaque", "auto"),
        },
        ["prompt", "input_urls"],
    ),
    "nano-banana-2-lite": (
        {
            "prompt": {"type": "string", "maxLength": 20000},
            "image_urls": {"type": "array", "default": [], "maxItems": 10, "items": PICTURE},
            "aspect_ratio": {"allOf": [{"$ref": "#/components/schemas/lite"}], "default": "auto"},
        },
        ["prompt", "aspect_ratio"],
    ),
}
"""Inputs as the documents of Kie's catalogue have them: without the limits and rules of the pages' prose."""


@pytest.mark.parametrize("model_id", AS_KIE_HAS_IT)
def test_no_rule_of_a_bundled_model_is_undone_by_kies_own_documents(openapi, model_id):
    base = BUNDLED[model_id]
    shapes = {
        "aspect ratio": BUNDLED["gpt-image-2-image-to-image"]["input"]["properties"]["aspect_ratio"]["enum"],
        "lite": BUNDLED["nano-banana-2-lite"]["input"]["properties"]["aspect_ratio"]["enum"],
    }
    fields, required = AS_KIE_HAS_IT[model_id]
    document = openapi(fields, required, schemas={name: choice(*values) for name, values in shapes.items()})
    found = Saying(Entry(model_id, "A", (), None), clean_input(document)).model(BUNDLED)
    richer = ("bbox_list", "color_palette")
    for name, field in base["input"]["properties"].items():
        told = {
            keyword: value for keyword, value in found["input"]["properties"][name].items() if keyword != "description"
        }
        assert told == field or name in richer
    kept = ("mapping", "defaults", "price", "notes", "kind")
    assert {part: found[part] for part in kept} == {part: base[part] for part in kept}
    assert {**found["input"], "properties": 0} == {**base["input"], "properties": 0}
    model = Model.from_json(found, "x")
    assert model.choices("resolution") == Model.from_json(base, "x").choices("resolution")


def test_models_are_compared_without_words_and_order():
    one = BUNDLED["nano-banana-pro"]
    other = copy.deepcopy(one)
    other["input"]["properties"]["prompt"]["description"] = "What it shows."
    other["input"]["properties"] = dict(reversed(other["input"]["properties"].items()))
    other["price"]["text"] = "free"
    assert shape(one) == shape(other)
    other["price"]["credits"] = 7
    assert shape(one) != shape(other)


def test_whatever_kie_says_a_model_is_right_or_refused(openapi, random_json):
    bases = [None, *BUNDLED.values()]
    number = 0
    for count, value in enumerate(random_json(1000)):
        base = bases[count % len(bases)]
        fields = value if isinstance(value, dict) else {"prompt": value}
        if base is not None:
            known = base["input"]["properties"]
            fields = {**known, **dict(zip(known, fields.values(), strict=False)), "image_urls": value, "n": value}
        required = [name for name in list(fields)[:2] if isinstance(name, str)]
        entry = Entry(base["id"] if base else "new", "A", ("x",), None)
        try:
            found = Saying(entry, clean_input(openapi(fields, required, A=value))).model(BUNDLED)
        except UnusableError:
            continue
        assert CHECK.faults(found) == []
        model = Model.from_json(found, "x")
        assert model.picture_fields.isdisjoint({"prompt", "negative_prompt"})
        assert model.picture_fields.isdisjoint(model.defaults)
        number += 1
    assert number > 150
