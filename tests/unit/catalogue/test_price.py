"""What a task should cost."""

import pytest

from kie_mcp.catalogue import USD_PER_CREDIT, usd
from kie_mcp.catalogue.price import Price


@pytest.mark.parametrize(
    ("price", "values", "pictures", "price_in_credits"),
    [
        ({}, {}, 0, None),
        ({"credits": 4}, {}, 3, 4),
        ({"credits": 18, "by": {"field": "resolution", "credits": {"4K": 24}}}, {"resolution": "4K"}, 0, 24),
        ({"credits": 18, "by": {"field": "resolution", "credits": {"4K": 24}}}, {"resolution": "8K"}, 0, None),
        ({"credits": 18, "by": {"field": "resolution", "credits": {"4K": 24}}}, {}, 0, 18),
        ({"credits": 4, "by": {"field": "pro", "credits": {"true": 5}}}, {"pro": True}, 0, 5),
        ({"by": {"field": "quality", "credits": {"high": 22}}}, {"quality": "low"}, 0, None),
        ({"credits": 5, "times": "num_images"}, {"num_images": "3"}, 0, 15),
        ({"credits": 5, "times": "n"}, {}, 0, 5),
        ({"credits": 5, "times": "n"}, {"n": "auto"}, 0, None),
        ({"credits": 5, "times": "n"}, {"n": -3}, 0, None),
        ({"credits": 5, "times": "n"}, {"n": [2]}, 0, None),
        ({"credits": 7, "per_image": {"credits": 0.5, "free": 1}}, {}, 3, 8),
        ({"credits": 7, "per_image": {"credits": 0.5, "free": 1}}, {}, 0, 7),
        ({"credits": 3.24, "per": "layer"}, {}, 1, None),
    ],
)
def test_a_price_follows_the_fields_that_set_it(price, values, pictures, price_in_credits):
    assert Price.from_json(price).estimate(values, pictures) == price_in_credits


def test_a_credit_is_half_a_cent():
    assert USD_PER_CREDIT == 0.005
    assert [usd(credit) for credit in (18, 0.8, 3.24, 0)] == [0.09, 0.004, 0.0162, 0]
