"""Failures on demand."""

from __future__ import annotations

import pytest

from kie_mcp.sandbox.faults import ANYWHERE, ONLY, TARGETS, Fault, Faults, details_of, kinds_of


def test_a_fault_applies_as_often_as_it_says_after_what_it_lets_pass():
    faults = Faults()
    faults.add("create", "code", code=429, times=2, after=1)
    assert [faults.take("create", "") is not None for _ in range(5)] == [False, True, True, False, False]
    assert faults.applied == 2


def test_a_fault_with_times_0_applies_until_it_is_cleared():
    faults = Faults()
    faults.add("poll", "stuck", times=0)
    assert all(faults.take("poll", "") for _ in range(50))
    faults.clear()
    assert faults.take("poll", "") is None


def test_a_fault_meets_only_its_target_and_its_match():
    faults = Faults()
    faults.add("create", "drop", match="cat")
    assert faults.take("poll", "cat") is None
    assert faults.take("create", "dog") is None
    assert faults.take("create", "a cat") is not None


def test_faults_apply_in_the_order_in_which_they_were_added():
    faults = Faults()
    for status in (500, 503):
        faults.add("credits", "http", status=status)
    taken = [faults.take("credits", "") for _ in range(2)]
    assert [fault.detail["status"] for fault in taken if fault] == [500, 503]


def test_a_kind_that_does_not_fit_waits():
    faults = Faults()
    faults.add("poll", "no_urls")
    assert faults.take("poll", "", frozenset({"no_urls"})) is None
    assert faults.take("poll", "") is not None


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"on": "lunch", "kind": "drop"}, "known are create, poll, download"),
        ({"on": "create", "kind": "dead"}, "known are http, code, drop"),
        ({"on": "create", "kind": "http", "colour": 1}, "known are status, accepted"),
        ({"on": "poll", "kind": "drop", "accepted": True}, "known are none"),
        ({"on": "create", "kind": "http", "status": "many"}, "accepted is a int"),
        ({"on": "create", "kind": "drop", "accepted": "maybe"}, "accepted is a bool"),
        ({"on": "create", "kind": "hang", "seconds": float("nan")}, "accepted is 0 to"),
        ({"on": "create", "kind": "drop", "times": -1}, "times cannot be -1"),
        ({"on": "download", "kind": "redirect"}, "redirect needs a location"),
    ],
)
def test_what_is_not_known_is_an_error_that_names_what_is(arguments: dict[str, object], named: str):
    with pytest.raises(ValueError, match=named):
        Faults().add(**arguments)


def test_every_kind_can_be_set_on_its_targets():
    for target in TARGETS:
        assert set(kinds_of(target)) == set(ANYWHERE) | set(ONLY.get(target, {}))
        for kind in kinds_of(target):
            detail = {"location": "/"} if kind == "redirect" else {}
            assert set(Fault(target, kind, detail=detail).detail) == set(details_of(target, kind))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("create:code:429:2", Fault("create", "code", 2, detail={"code": 429})),
        ("create:code:429", Fault("create", "code", detail={"code": 429})),
        ("create:drop", Fault("create", "drop")),
        ("poll:drop:3", Fault("poll", "drop", 3)),
        ("create:drop:2", Fault("create", "drop", 2)),
        ("create:drop:accepted=true", Fault("create", "drop", detail={"accepted": True})),
        ("download:dead:0", Fault("download", "dead", 0)),
        ("create:http:status=503,after=2,times=4", Fault("create", "http", 4, 2, detail={"status": 503})),
        (
            "poll:fail:fail_code=422,fail_msg=Refused: no,match=cat:0",
            Fault("poll", "fail", 0, 0, "cat", {"fail_code": "422", "fail_msg": "Refused: no"}),
        ),
        (
            "download:redirect:http://10.0.0.1/x:1",
            Fault("download", "redirect", detail={"location": "http://10.0.0.1/x"}),
        ),
        ("download:huge:5000:2", Fault("download", "huge", 2, detail={"bytes": 5000})),
        ("poll:hang:0.5", Fault("poll", "hang", detail={"seconds": 0.5})),
    ],
)
def test_short_text_says_the_same(text: str, fault: Fault):
    assert Faults.parse(text) == fault


@pytest.mark.parametrize("text", ["", "create", "lunch:drop", "create:dead", "create:code:x=1", "create:code:many"])
def test_short_text_that_cannot_be_used_is_an_error(text: str):
    with pytest.raises(ValueError, match=r"known are|cannot be"):
        Faults.parse(text)
