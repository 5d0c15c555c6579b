"""A run against venues that are right, wrong, slow, closed or dying (the true one: tests/e2e)."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from benchmarks.load.drive import run
from benchmarks.load.keys import Credentials, read_keys
from benchmarks.load.plan import LoadError, Plan, Stop
from benchmarks.load.record import Progress, Record
from tests.unit.benchmarks.load.fake_venue import FakeVenue, served

RATE, SECONDS = 400.0, 1.5


def nobody(progress: Progress) -> None:
    del progress


def plan_of(venue: FakeVenue, **changes: object) -> Plan:
    plan = Plan(
        url=venue.url,
        orders_per_second=RATE,
        seconds=SECONDS,
        warmup_s=0.25,
        clients=3,
        encoding="json",
        seed=3,
        answer_within_s=2.0,
        mix={"list": 0.5, "take": 0.3, "cancel": 0.2},
    )
    return dataclasses.replace(plan, **changes)  # type: ignore[arg-type]


def load(venue: FakeVenue, **changes: object) -> Record:
    with served(venue):
        return run(plan_of(venue, **changes), venue.keys(3), nobody)


def test_a_true_venue_passes_every_check() -> None:
    record = load(FakeVenue())
    assert record.checks.findings == []
    assert (record.checks.passed, record.finished, record.ended_by) == (True, True, "time")
    orders = record.orders
    assert orders.sent == orders.answered == orders.intended > 400
    assert sum(orders.ends.values()) == orders.sent == sum(orders.by_kind.values())
    assert orders.ends["filled"] > 50
    assert record.checks.accounts_checked == 3
    assert record.checks.trades_checked > 20
    assert sum(row.answered for row in record.seconds) == orders.answered + record.warmup_orders


@pytest.mark.parametrize(
    ("lie", "finding"),
    [
        ("double", "came twice"),
        ("no_fill_for_lister", "whose listing it was, was not told"),
        ("no_fill_for_taker", "neither filled nor cancelled since"),
        ("wrong_leaves", "the venue says"),
        ("wrong_terms", "accepted with other terms"),
        ("keeps_a_fen", "fen were open"),
        ("stranger", "a report for nobody"),
        ("steals_money", "fen by its snapshots"),
        ("loses_tonnes", "t of CEA25 by its snapshots"),
        ("drops_an_order", "open orders that are not as its reports say"),
    ],
)
def test_a_lie_is_found(lie: str, finding: str) -> None:
    record = load(FakeVenue(lie=lie, at=100), seconds=0.8)
    assert not record.checks.passed
    assert any(finding in sentence for sentence in record.checks.findings), record.checks.findings


def test_an_order_that_was_swallowed_is_asked_for_and_counts_as_waiting() -> None:
    record = load(FakeVenue(lie="swallows", at=200), answer_within_s=0.5)
    assert record.orders.unanswered == 1
    assert record.refusals["never_arrived"] == 1
    assert record.orders.ends["unknown"] == 0
    assert record.latency_us.max > 5e5  # until the end of the run, not forgotten
    assert record.service_us.max < record.latency_us.max
    assert any("no answer when the run ended" in sentence for sentence in record.advice)


def test_a_stall_shows_from_the_intended_time_and_not_in_the_service_time() -> None:
    """The schedule goes on while the venue does not read: no coordinated omission."""
    venue = FakeVenue(stall_s=1.0, at=400)
    big = {"orders_per_second": 4000.0, "seconds": 2.0, "arrival": "constant"}
    record = load(venue, **big, mix={"list": 1.0}, answer_within_s=20.0)
    assert record.checks.findings == []
    assert record.orders.sent == record.orders.intended == 8000
    assert record.orders.unanswered == 0
    # The schedule is kept while nothing is answered: each whole second sends what is due in it.
    assert min(row.sent for row in record.seconds[:2]) > 2000
    # Half of the orders were due during the stall; most of these could only be sent after it.
    assert record.latency_us.p90 > 600_000
    assert record.service_us.p90 < record.latency_us.p90 / 2


@pytest.mark.parametrize(
    ("lie", "words", "accounts"), [("dies", "server lost: ", 0), ("throws_out", "[rate_abused]", 3)]
)
def test_a_lost_venue_leaves_the_part_that_was(lie: str, words: str, accounts: int) -> None:
    """One that is there again is asked on fresh lines, and what was missed is heard."""
    record = load(FakeVenue(lie=lie, at=200))
    assert not record.finished
    assert record.ended_by.startswith("server lost: ")
    assert words in record.ended_by
    assert 100 < record.orders.answered < 550
    assert record.latency_us.p50 > 0
    assert (record.checks.findings, record.checks.accounts_checked) == ([], accounts)


def test_ctrl_c_keeps_what_was() -> None:
    def interrupt(progress: Progress) -> None:
        if progress.elapsed_s > 0.5:
            os.kill(os.getpid(), signal.SIGINT)

    with served(FakeVenue()) as venue:
        record = run(plan_of(venue, seconds=20.0), venue.keys(3), interrupt)
    assert (record.finished, record.ended_by) == (False, "interrupted")
    assert record.checks.passed
    assert record.checks.accounts_checked == 3
    assert 0 < record.orders.answered < 2000


@pytest.mark.parametrize(
    ("stop", "ended_by"),
    [
        (Stop(orders=100), "orders"),
        (Stop(p99_us=0.1, for_s=1), "condition: p99 above 0.1 µs for 1 s"),
        (Stop(refused_share=0.0001, for_s=1), "refused in 1 s, more than"),
    ],
)
def test_a_stop_condition_ends_the_run(stop: Stop, ended_by: str) -> None:
    record = load(FakeVenue(lie="limits_rate"), seconds=20.0, stop=stop)
    assert ended_by in record.ended_by
    assert record.finished == (ended_by == "orders")
    assert sum(row.intended for row in record.seconds) < 2000


def test_the_venues_own_rate_limit_is_told_with_advice() -> None:
    record = load(FakeVenue(lie="limits_rate", at=0, orders_per_second=50))
    assert record.refusals["rate_limited"] > 50
    assert any("lets an account send 50" in sentence for sentence in record.advice)
    assert record.checks.findings == []


def refusal(plan: Plan, keys: list[Credentials]) -> LoadError:
    with pytest.raises(LoadError) as caught:
        run(plan, keys, nobody)
    return caught.value


def test_what_cannot_begin_is_told_in_a_sentence() -> None:
    venue = FakeVenue()
    with served(venue):
        three, plan = venue.keys(3), plan_of(venue)
        replace = dataclasses.replace
        for changed, keys, code in (
            (replace(plan, url="ftp://x"), three, "bad_url"),
            (replace(plan, url="ws://127.0.0.1:1"), three, "unreachable"),
            (replace(plan, instrument="CEA99"), three, "unknown_instrument"),
            (replace(plan, clients=4), three, "too_few_keys"),
            (plan, [], "no_keys"),
            (plan, [three[0], three[1], Credentials("also-1", "x")], "one_account"),
            (replace(plan, mix={"list": 0.0}), three, "bad_plan"),
            (replace(plan, arrival="recorded", recorded="none"), three, "bad_recording"),
        ):
            error = refusal(changed, keys)
            assert error.code == code
            assert error.sentence.endswith(".")
    venue.phase = "closed"
    with served(venue):
        assert refusal(plan_of(venue), three).code == "market_closed"
    with served(FakeVenue(lie="refuses_login")) as refusing:
        error = refusal(plan_of(refusing), three)
        assert (error.code, "fake-0" in error.sentence) == ("login_refused", True)


def test_keys_are_read_from_a_venues_file_or_a_list(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('[{"key_id": "a", "secret": "1"}, {"key_id": "b", "secret": "2"}]')
    assert [key.key_id for key in read_keys(file)] == ["a", "b"]
    rows = [
        {"key_id": "office", "secret": "1", "account": -1, "roles": ["supervisor"]},
        {"key_id": "look", "secret": "1", "account": 0, "roles": ["viewer"]},
        {"key_id": "first", "secret": "1", "account": 0, "roles": ["viewer", "trader"]},
        {"key_id": "second", "secret": "1", "account": 0, "roles": ["trader"]},
    ]
    file.write_text(f'{{"version": 3, "keys": {rows}}}'.replace("'", '"'))
    assert [key.key_id for key in read_keys(file)] == ["first"]
    for content, code in (("[]", "no_keys"), ("{", "bad_keys"), ('[{"key_id": 1}]', "bad_keys")):
        file.write_text(content)
        with pytest.raises(LoadError, match=code):
            read_keys(file)
    with pytest.raises(LoadError, match="no_keys"):
        read_keys(tmp_path / "none.json")
