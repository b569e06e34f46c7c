"""Values in the type that a model wants."""

import pytest


@pytest.mark.parametrize(
    ("model", "given", "sent"),
    [
        ("google/imagen4", {"seed": 42}, {"seed": "42"}),
        ("google/imagen4-fast", {"seed": "42"}, {"seed": 42}),
        ("topaz/image-upscale", {"upscale_factor": 4}, {"upscale_factor": "4"}),
        ("topaz/image-upscale", {"upscale_factor": 4.0}, {"upscale_factor": "4"}),
        ("qwen/image-edit", {"num_images": 2}, {"num_images": "2"}),
        ("qwen/text-to-image", {"seed": 42.0}, {"seed": 42}),
        ("google/imagen4", {"seed": 1e300}, {"seed": "1e+300"}),
        ("qwen/image-to-image", {"strength": "0.5"}, {"strength": 0.5}),
        ("qwen/image-to-image", {"strength": "1"}, {"strength": 1}),
        ("qwen/image-to-image", {"nsfw_checker": "False"}, {"nsfw_checker": False}),
        ("qwen2/image-edit", {"image_url": ["https://example.com/a.png"]}, {"image_url": "https://example.com/a.png"}),
        (
            "nano-banana-pro",
            {"image_input": "https://example.com/a.png"},
            {"image_input": ["https://example.com/a.png"]},
        ),
    ],
)
def test_a_value_is_turned_into_the_type_of_its_input(plan, model, given, sent):
    picture = ("/a.png",) if "image_input" not in given and "image_url" not in given and _works_on(model) else ()
    planned = plan(model, prompt="a cat", image_input=picture, model_params=given)
    assert {name: planned.input[name] for name in given} == sent


def _works_on(model):
    return model.endswith(("edit", "image-to-image", "upscale"))


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("qwen/text-to-image", {"seed": "4.5"}, "seed has to be an integer, not '4.5'."),
        ("qwen/text-to-image", {"seed": True}, "seed has to be an integer, not true."),
        ("qwen/text-to-image", {"nsfw_checker": "maybe"}, "nsfw_checker has to be true or false, not 'maybe'."),
        ("google/imagen4", {"seed": True}, "seed has to be a string, not true."),
        ("qwen/text-to-image", {"guidance_scale": "1e3"}, "guidance_scale has to be a number"),
        ("flux1-kontext", {"input_image": ["a", "b"]}, "input_image has to be a string"),
    ],
)
def test_what_would_change_by_it_is_left_for_the_model_to_refuse(refusal, model, given, words):
    assert words in refusal(model, model_params=given)
