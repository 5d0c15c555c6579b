"""Buckets, meters and counts of lines (reliability.md 8.1), on a clock of the test's own."""

import math

import pytest

from gateway.limits import Bucket, Credit, Limits, Lines, Meter, limits_of
from gateway.publisher import CODECS, Publisher
from gateway.subscriber import Subscriber
from marketdata.feed import Feed

LIMITS = Limits(orders_per_second=10, orders_burst=20, questions_per_second=5, questions_burst=5)


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    meter = Meter(LIMITS)
    assert meter.orders(20, 100.0)
    assert not meter.orders(1, 100.0)
    assert meter.wait_s == pytest.approx(0.1)
    assert meter.orders(1, 100.1)
    assert not meter.orders(2, 100.2)  # all of them or none
    assert meter.left == pytest.approx(1.0)
    assert meter.orders(1, 100.2)
    assert meter.orders(20, 200.0)
    assert not meter.orders(1, 200.0)


def test_insisting_costs_a_token_waiting_does_not() -> None:
    meter = Meter(LIMITS)
    meter.orders(20, 0.0)
    assert not meter.orders(1, 0.09)
    meter.refuse(0.09)
    assert not meter.orders(1, 0.12)  # without the fine there would be one by now
    assert meter.orders(1, 0.2)


def test_the_accounts_lines_share_its_bucket() -> None:
    account = Credit(LIMITS)
    lines = [Meter(LIMITS) for _ in range(2)]
    for line in lines:
        line.join(account)
    assert lines[0].orders(15, 0.0)
    assert not lines[1].orders(6, 0.0)
    assert lines[1].left == 5
    assert lines[1].orders(5, 0.0)
    assert not lines[0].orders(1, 0.0)


def test_ten_seconds_of_refusals_are_abuse_unless_the_bucket_fills_again() -> None:
    meter = Meter(LIMITS)
    meter.orders(20, 0.0)
    meter.refuse(0.0)
    assert not meter.abused(9.9)
    assert meter.abused(10.1)
    assert meter.orders(1, 2.0)  # 19 are left: it has calmed down
    assert not meter.abused(30.0)
    meter.orders(18, 2.0)
    meter.refuse(2.0)
    assert meter.orders(1, 2.5)  # a trickle is not calm
    assert meter.abused(12.1)


def test_questions_always_pass_and_are_waited_for() -> None:
    meter = Meter(LIMITS)
    meter.questions(5, 0.0)
    assert meter.pause_s == 0
    meter.questions(10, 0.0)
    assert meter.pause_s == pytest.approx(2.0)
    meter.questions(0, 1.0)
    assert meter.pause_s == pytest.approx(1.0)


def test_a_rate_of_nothing_bounds_nothing() -> None:
    meter = Meter(Limits(orders_per_second=0, questions_per_second=0))
    assert all(meter.orders(10**6, 0.0) for _ in range(100))
    meter.questions(10**9, 0.0)
    assert (meter.pause_s, meter.wait_s, meter.left) == (0.0, 0.0, math.inf)
    assert Bucket(0, 5).burst == math.inf


def test_lines_are_counted_in_all_and_per_address_until_they_log_in() -> None:
    limits = Limits(lines_max=4, lines_waiting_max=3, lines_waiting_per_address_max=2)
    lines = Lines(limits)
    lines.came("192.0.2.1")
    lines.came("192.0.2.1")
    assert not lines.admits("192.0.2.1")
    assert lines.admits("192.0.2.2")
    lines.came("192.0.2.2")
    assert not lines.admits("192.0.2.3")  # three wait
    lines.settled("192.0.2.1")
    assert lines.admits("192.0.2.1")
    assert lines.waiting == {"192.0.2.1": 1, "192.0.2.2": 1}


def test_this_machines_own_programs_share_an_address() -> None:
    lines = Lines(Limits(lines_waiting_per_address_max=1))
    for address in ("127.0.0.1", "::1", "not an address"):
        lines.came(address)
    assert lines.admits("127.0.0.1")
    assert lines.admits("::1")
    assert not lines.admits("not an address")


def test_open_lines_are_counted_while_they_last() -> None:
    lines = Lines(Limits(lines_max=1))
    with lines.opened():
        assert not lines.admits("127.0.0.1")
    assert lines.admits("127.0.0.1")


def test_limits_are_set_by_name() -> None:
    found = limits_of(["orders_per_second=0", "abuse_within_s=2.5", "lines_max=3", "lines_max=4"])
    assert found == Limits(orders_per_second=0, abuse_within_s=2.5, lines_max=4)
    assert limits_of([]) == Limits()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("orders=5", "is no limit: login_within_ms, lines_max"),
        ("", "is no limit"),
        ("lines_max", "e.g. lines_max=100"),
        ("lines_max=many", "e.g. lines_max=100"),
        ("lines_max=1.5", "e.g. lines_max=100"),
        ("lines_max=-1", "at least 0"),
        ("abuse_within_s=inf", "at least 0"),
        ("abuse_within_s=nan", "at least 0"),
        (f"lines_max={'9' * 5_000}", "e.g. lines_max=100"),
    ],
)
def test_what_is_no_limit_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        limits_of([text])


def test_who_asks_too_much_of_the_market_data_is_read_more_slowly() -> None:
    publisher = Publisher(Feed(lambda _: "CEA25"))
    slow = Subscriber(CODECS["json.v1"], publisher, LIMITS)
    free = Subscriber(CODECS["json.v1"], publisher, Limits(questions_per_second=0))
    for subscriber in (slow, free):
        publisher.join(subscriber)
        subscriber.receive(*['{"type":"ping"}'] * 5, "nonsense", '{"type":"ping"}')
    assert slow.pause_s > 0.2  # two more than its burst, at five a second
    assert free.pause_s == 0
