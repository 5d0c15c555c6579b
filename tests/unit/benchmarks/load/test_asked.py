"""Words of the command line become values, or are refused with what was expected."""

from __future__ import annotations

import pytest

from benchmarks.load.asked import address_of, duration_us, mix_of, stop_of, tonnes_of
from benchmarks.load.plan import Stop


@pytest.mark.parametrize(
    ("text", "us"), [("800us", 800), ("800µs", 800), ("10ms", 1e4), (" 1.5 s ", 1.5e6)]
)
def test_times_have_units(text: str, us: float) -> None:
    assert duration_us(text) == us


@pytest.mark.parametrize("text", ["10", "ms", "-1ms", "0s", "1 min", "1,5s", "1e3ms", "nan s", ""])
def test_a_time_without_a_unit_or_above_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"us, ms or s, as in 10ms"):
        duration_us(text)


def test_a_mix_has_shares() -> None:
    assert mix_of("list=50, take=20,cancel=30") == {"list": 50, "take": 20, "cancel": 30}
    assert mix_of("list=0.5,ping=0") == {"list": 0.5, "ping": 0}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("buy=1", "'buy=1' is no part of a mix: one of list"),
        ("list", "'list' is no part"),
        ("list=x", "'list=x' is no part"),
        ("list=-1", "'list=-1' is no part"),
        ("list=inf", "'list=inf' is no part"),
        ("list=1,,take=1", "'' is no part"),
        ("list=1,list=2", "list stands twice"),
        ("list=0,take=0", "no share above 0"),
    ],
)
def test_a_mix_that_is_none_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        mix_of(text)


def test_stop_conditions() -> None:
    assert stop_of([]) == Stop()
    assert stop_of(["p99>50ms for 5s"]) == Stop(p99_us=50_000, for_s=5)
    assert stop_of(["p99 > 800us"]) == Stop(p99_us=800, for_s=3)
    both = stop_of(["refused>5% for 2s", "backlog>1000", "orders>=90", "p99>1s for 2 s"])
    assert both == Stop(refused_share=0.05, backlog=1000, orders=90, p99_us=1e6, for_s=2)


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["p50>1ms"], "'p50>1ms' is no stop condition: p99>50ms for 3s, refused"),
        (["p99<1ms"], "is no stop condition"),
        (["p99>50"], "'50' is no time"),
        (["p99>50ms for 3"], "'50ms for 3' is no time"),
        (["p99>50ms for 0s"], "of 1 s at least"),
        (["refused>5"], "a share between 0 and 100 %"),
        (["refused>500%"], "a share between 0 and 100 %"),
        (["backlog>many"], "backlog is a number of orders"),
        (["backlog>0"], "backlog is a number of orders"),
        (["backlog>5 for 3s"], "'for' is of p99 or refused"),
        (["p99>5ms", "p99>6ms"], "a condition on p99 already"),
        (["p99>5ms for 2s", "refused>5% for 3s"], "the same number of seconds"),
        ([""], "is no stop condition"),
    ],
)
def test_a_stop_condition_that_is_none_is_refused(texts: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        stop_of(texts)


def test_tonnes_are_one_number_or_two() -> None:
    assert tonnes_of("1..20") == (1, 20)
    assert tonnes_of("7") == (7, 7)


@pytest.mark.parametrize("text", ["", "..", "1..", "..5", "0", "0..5", "9..3", "1..x", "1.5", "-1"])
def test_tonnes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="tonnes"):
        tonnes_of(text)


@pytest.mark.parametrize(
    "text",
    [
        *("ws://127.0.0.1:8000", "wss://venue.example", "http://localhost:80/ccer", "ws://[::1]:9"),
        "https://a-b.example/",
    ],
)
def test_addresses(text: str) -> None:
    assert address_of(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1:8000", "ftp://x", "ws://", "ws:///x", "ws://h:99999", "ws://h:x", "run.json"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a venue's address, as in ws://127"):
        address_of(text)
