"""Two records side by side: what changed, what differs in the work, what is beyond the spread."""

from __future__ import annotations

import dataclasses
import io

import msgspec
import pytest
from rich.console import Console

from benchmarks.load.compare import FEWEST_SECONDS, Band, Comparison, band, compare, show
from tests.unit.benchmarks.load.samples import a_record, nothing, with_knee, wrong


def verdicts(found: Comparison) -> dict[str, bool | None]:
    """Better, worse or neither, by figure."""
    return {row.name: row.better for row in found.rows if row.beyond is not None}


def test_the_same_run_twice_differs_in_nothing() -> None:
    found = compare(a_record(), a_record())
    assert {row.change for row in found.rows} == {0.0}
    assert found.differs == ()
    assert (
        found.sentence()
        == "In the median second, nothing differs by more than the runs' own spread."
    )


def test_another_seed_is_within_the_spread_and_no_other_work() -> None:
    found = compare(a_record(seed=1), a_record(seed=2))
    assert set(verdicts(found).values()) == {None}
    assert len(verdicts(found)) == 4
    assert found.same_work
    assert ("plan: seed", "1", "2") in found.differs


def test_a_slower_build_is_worse_in_latency_and_not_in_rate() -> None:
    found = compare(a_record(), a_record(seed=2, slower=1.4))
    assert verdicts(found) == {
        "a second: answered": None,
        "a second: p50": False,
        "a second: p99": False,
        "a second: max": False,
    }
    assert "p50, p99 and max are worse by more than the runs' own spread" in found.sentence()
    back = compare(a_record(seed=2, slower=1.4), a_record())
    assert verdicts(back)["a second: p99"] is True
    assert "p50, p99 and max are better by" in back.sentence()


def test_more_answers_a_second_are_better() -> None:
    found = compare(a_record(rate=1000), a_record(rate=1200))
    assert verdicts(found)["a second: answered"] is True
    assert not found.same_work
    assert ("plan: orders_per_second", "1000", "1200") in found.differs
    assert found.sentence().endswith("The plans differ: this is not the same work.")


def test_one_stall_changes_the_whole_run_and_not_the_median_second() -> None:
    found = compare(a_record(stalled_at=0), a_record(stalled_at=8))
    rows = {row.name: row for row in found.rows}
    assert rows["p99"].change is not None
    assert rows["p99"].change > 10
    assert rows["p99"].better is None
    assert rows["a second: p99"].beyond is False


def test_the_band_leaves_the_warm_up_and_empty_seconds_out() -> None:
    record = a_record(seconds=12)
    for at, row in enumerate(record.seconds):
        row.answered = 100 * at
    record.seconds[0].answered = 10**6  # its warm-up
    record.seconds[11].answered = 0
    after = msgspec.structs.replace(record.seconds[5], t=14.0, answered=9_999)  # not load any more
    record.seconds += [msgspec.structs.replace(after, t=12.1), after]
    assert band(record, "answered") == Band(200.0, 550.0, 900.0)


def test_too_few_seconds_are_not_judged() -> None:
    short = a_record(seconds=FEWEST_SECONDS)  # one of them is the warm-up
    found = compare(short, a_record(slower=3))
    assert verdicts(found) == {}
    assert "no spread to judge by" in found.sentence()
    assert verdicts(compare(a_record(seconds=FEWEST_SECONDS + 1), a_record()))


def test_what_else_is_not_the_same_is_named() -> None:
    old, new = a_record(), wrong(a_record())
    new.machine = new.machine | {"cores": 64, "kernel": "own"}
    new.plan = dataclasses.replace(new.plan, mix={"list": 3, "cancel": 1}, encoding="json")
    new.refusals = {}
    new.client.is_the_limit = True
    found = compare(old, new)
    assert {
        ("machine: cores", "2", "64"),
        ("machine: kernel", "–", "own"),
        ("plan: mix", "list 50%, take 20%, cancel 30%", "list 75%, cancel 25%"),
        ("plan: encoding", "msgpack", "json"),
        ("found wrong", "0", "2"),
        ("load tester was the limit", "no", "yes"),
        ("refused", "insufficient_cash 16, price_limit 4", "none"),
    } == set(found.differs)
    assert not found.same_work


def test_a_part_of_a_mix_says_the_same_in_any_scale() -> None:
    old, new = a_record(), a_record()
    new.plan = dataclasses.replace(old.plan, mix={"list": 50, "cancel": 30, "take": 20})
    assert compare(old, new).differs == ()


def test_a_run_without_answers_is_compared_without_a_change() -> None:
    found = compare(a_record(), nothing())
    assert {row.change for row in found.rows} == {None}
    assert found.rows[0].told() == ("answered/s", "1,002", "–", "–", "")


def test_knees_are_compared_if_both_were_looked_for() -> None:
    both = compare(with_knee(a_record()), with_knee(a_record()))
    assert "the knee, orders/s" in [row.name for row in both.rows]
    one = compare(a_record(), with_knee(a_record()))
    assert "the knee, orders/s" not in [row.name for row in one.rows]


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_a_terminal(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    show(compare(a_record(), a_record(seed=2, slower=1.4)), console)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert "…" not in said
    for told in (
        "a second: p99",
        "2.05 ms",
        "2.86 ms",
        "+39.7 %",
        "worse, beyond it",
        "seed: 1 → 2",
    ):
        assert told in said
