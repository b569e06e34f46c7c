"""What a call may cost, and how long it may wait for the rate window."""

from __future__ import annotations

import pytest

from kie_mcp.catalogue import Wish
from kie_mcp.config import Rate
from kie_mcp.errors import InputError, NetworkError, RateLimitError
from kie_mcp.jobs import Request
from kie_mcp.kie.upload import Uploaded


def test_a_call_above_the_price_limit_is_refused_before_anything_is_sent(make_bench, client):
    bench = make_bench(max_credits_per_call=20)
    prepared = [bench.prepared(), bench.prepared()]
    assert bench.generations.check_price(prepared[:1]) == ()
    with pytest.raises(InputError, match=r"at least 36 credits, over KIE_AI_MAX_CREDITS_PER_CALL \(20\)"):
        bench.generations.check_price(prepared)
    assert client.calls["create"] == []


def test_a_price_that_is_not_known_is_told(make_bench):
    bench = make_bench(max_credits_per_call=20)
    (warning,) = bench.generations.check_price([bench.prepared(model="brand-new/model")])
    assert "price is not known" in warning


def test_without_a_limit_no_price_matters(bench):
    assert bench.generations.check_price([bench.prepared(), bench.prepared(model="brand-new/model")]) == ()


def test_a_full_window_names_the_limit(make_bench):
    bench = make_bench(rate_limit=Rate(1, 100))
    request = Request(Wish("a fox", "nano-banana-pro"), 3, 300, wait_for_result=False)
    bench.generations.run(bench.generations.prepare(request, bench.context()), bench.context())
    with pytest.raises(RateLimitError, match="KIE_AI_RATE_LIMIT"):
        bench.generations.run(bench.generations.prepare(request, bench.context()), bench.context(), window_until=10.0)


def test_an_upload_that_takes_the_whole_time_of_the_call_buys_nothing(bench, clock, client, tmp_path, png):
    (tmp_path / "fox.png").write_bytes(png)
    wish = Wish("a fox", "nano-banana-pro", image_input=(str(tmp_path / "fox.png"),))
    request = Request(wish, 3, 300)
    context = bench.context()
    context.deadline = 10.0
    prepared = bench.generations.prepare(request, context)
    client.scripts["upload"] = [
        lambda: setattr(clock, "time", 10.5) or Uploaded("https://files.example/fox", "ab" * 32)
    ]
    with pytest.raises(NetworkError, match="ended while its pictures were uploaded") as caught:
        bench.generations.run(prepared, context)
    assert "nothing was made or billed" in caught.value.next_step
    assert client.calls["create"] == []
    assert bench.rows() == []
