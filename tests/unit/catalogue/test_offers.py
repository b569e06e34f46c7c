"""What a model accepts, in one sentence."""

import pytest

from kie_mcp.catalogue.offers import offer


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            "qwen3/image-to-image",
            (
                "It accepts: aspect_ratio (1:1, 3:2, 2:3, 4:3, 3:4, 16:9, 9:16, 21:9); resolution (1K, 2K); "
                "output_format (png, jpg, jpeg); image_input (1 to 3 pictures); negative_prompt; "
                "model_params (nsfw_checker, prompt_extend, seed)."
            ),
        ),
        ("recraft/crisp-upscale", "It accepts: image_input (1 picture)."),
    ],
)
def test_a_model_is_described_by_all_that_it_accepts(catalogue, model, sentence):
    assert offer(catalogue.find(model)) == sentence


def test_a_field_without_a_list_of_values_is_named_alone(odd):
    assert "aspect_ratio;" in offer(odd.find("odd/several"))


def test_a_model_that_takes_a_prompt_alone_says_so(catalogue, folder, add):
    add("plain", {"prompt": {"type": "string"}}, {"prompt": "prompt"})
    assert offer(type(catalogue).load(str(folder)).find("plain")) == "It accepts a prompt and nothing else."
