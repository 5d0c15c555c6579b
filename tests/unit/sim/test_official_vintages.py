"""Rows of several vintages through a real venue: verdicts, references, closes from a file."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

from rich.console import Console

from sim.official.day import VINTAGES_BESIDE, run
from sim.official.days import DAILY_COLUMNS
from sim.official.result import Summary

HEADER = ",".join((*DAILY_COLUMNS, "bulk_volume_t", "bulk_turnover_cny"))
# Invented days of three vintages around 92.00; the third moves nothing and trades beside the mean.
DAY_1 = "2024-06-03,92.00,92.30,91.20,91.60,composite,60000,5496000.00,100000,9100000.00"
DAY_2 = "2024-06-04,91.70,91.90,91.40,91.80,composite,3000,275700.00,,"
DAY_3 = "2024-06-05,91.80,91.80,91.80,91.80,composite,5,457.50,,"
DAY_4 = "2024-06-06,91.50,91.50,91.50,91.50,vintage:CEA22,10,915.00,,"


def play(tmp_path: Path, *lines: str, closes: str = "", **options: object) -> Summary:
    path = tmp_path / "daily.csv"
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    if closes:
        (tmp_path / VINTAGES_BESIDE).write_text(f"date,CEA19_20,CEA21,CEA22\n{closes}\n")
    return run(path, console=Console(file=io.StringIO()), **options)  # type: ignore[arg-type]


def told(summary: Summary) -> list[tuple[str, str]]:
    return [(result.verdict, result.clauses) for result in summary.results]


def test_composite_and_vintage_rows_are_exact_on_one_venue_tr_104(tmp_path: Path) -> None:
    summary = play(tmp_path, DAY_1, DAY_2, DAY_3, DAY_4)
    assert told(summary) == [("exact", "")] * 4
    assert summary.venues == 1
    first, *others = summary.results
    assert "stand in as the vintages' references" in first.notes[0]
    assert [result.notes for result in others] == [()] * 3
    assert first.venue is not None
    assert first.venue[:6] == (9200, 9230, 9120, 9160, 60_000, 549_600_000)
    assert (first.venue.bulk_qty_tonnes, first.venue.total_qty_tonnes) == (100_000, 160_000)


def test_known_closes_are_met_and_compared(tmp_path: Path) -> None:
    known = "2024-06-03,90.10,92.30,92.40\n2024-06-04,90.10,92.30,93.00"
    summary = play(tmp_path, DAY_1, DAY_2, closes=known)
    assert told(summary) == [("exact", "")] * 2
    venue = summary.results[1].venue
    assert venue is not None
    assert venue.closes_ticks == (("CEA", 9010), ("CEA21", 9230), ("CEA22", 9300))
    # Named by an option the file is the same; an empty one leaves the closes free.
    other = tmp_path / "none.csv"
    other.write_text("date\n")
    summary = play(tmp_path, DAY_1, DAY_2, vintages=other)
    assert summary.results[1].published is not None
    assert summary.results[1].published.closes_ticks == ()
    # A day of which one close is missing, or off the tick, is as good as unknown.
    for part in ("90.10,92.30,", "90.10,92.30,93.005"):
        summary = play(tmp_path, DAY_1, DAY_2, closes=f"2024-06-04,{part}")
        assert told(summary) == [("exact", "")] * 2
        assert summary.results[1].published is not None
        assert summary.results[1].published.closes_ticks == ()


def test_closes_that_do_not_give_the_composite_are_named_tr_104(tmp_path: Path) -> None:
    known = "2024-06-03,90.10,92.30,92.40\n2024-06-04,90.10,92.30,93.04"
    summary = play(tmp_path, DAY_1, DAY_2, DAY_3, closes=known)
    result = summary.results[1]
    assert (result.verdict, result.clauses) == ("explained", "TR-104")
    assert result.reason == "the vintages' closes 90.10, 92.30, 93.04 give 91.81, not 91.80"
    assert result.differences == ("close: published 91.80, venue 91.81",)


def test_extremes_count_the_close_in_tr_105(tmp_path: Path) -> None:
    low = DAY_2.replace("91.40", "91.75")
    high = DAY_2.replace("91.90", "91.75")
    for row, words in ((low, "low 91.75 is above 91.70"), (high, "high 91.75 is below 91.80")):
        summary = play(tmp_path, DAY_1, row, DAY_3)
        assert told(summary) == [("exact", ""), ("explained", "TR-105"), ("exact", "")]
        assert words in summary.results[1].reason
        assert len(summary.results[1].differences) == 1
        assert summary.venues == 1  # the day was played, so the next one goes on


def test_rows_that_break_a_rule_are_not_played(tmp_path: Path) -> None:
    for row, clauses in (
        ("2024-06-07,80.00,80.00,80.00,80.00,vintage:CEA22,10,800.00,,", "TR-20, TR-23"),
        ("2024-06-07,91.50,91.50,91.50,91.50,vintage:CEA23,10,915.00,,", "TR-04"),
        ("2024-06-07,91.50,91.40,91.50,91.50,vintage:CEA22,10,915.00,,", "TR-101, TR-102"),
        ("2024-06-07,91.50,91.50,91.50,91.505,vintage:CEA22,10,915.00,,", "TR-10"),
        ("2024-06-07,91.80,91.80,0.00,91.80,composite,0,0.00,,", "TR-102"),
        ("2024-06-07,91.80,0.00,0.00,91.80,composite,0,0.01,,", "ST-15"),
        ("2024-06-08,91.80,91.80,91.80,91.80,composite,5,459.00,,", "CA-01"),
        ("2024-06-06,91.80,91.80,91.80,91.80,composite,5,459.00,,", "CA-04"),
    ):
        summary = play(tmp_path, DAY_1, DAY_2, DAY_3, DAY_4, row)
        assert told(summary)[-1] == ("explained", clauses), row
        assert summary.results[-1].venue is None
        assert summary.exit_code == 0


def test_bulk_outside_every_vintages_limits_is_left_out_tr_21(tmp_path: Path) -> None:
    summary = play(tmp_path, DAY_1, DAY_2[:-2] + ",100000,20000000.00", DAY_3)
    assert told(summary) == [("exact", ""), ("explained", "TR-21, TR-23"), ("exact", "")]
    assert "bulk mean 200.00 is outside" in summary.results[1].reason
    assert summary.venues == 1


def test_row_without_a_solution_is_unexplained_and_the_next_begins_afresh(
    tmp_path: Path,
) -> None:
    # 5 t at 200.00 while the composite price stands still: no reference of yesterday allows it.
    impossible = DAY_2.replace("3000,275700.00", "5,1000.00")
    summary = play(tmp_path, DAY_1, impossible, DAY_4)
    assert [verdict for verdict, _ in told(summary)] == ["exact", "unexplained", "exact"]
    assert "no listed trades of the vintages were found" in summary.results[1].reason
    assert summary.exit_code == 1
    assert summary.venues == 2


def test_gap_is_noted_and_idle_days_stand_still(tmp_path: Path) -> None:
    idle = "2024-06-06,91.80,0.00,0.00,91.80,composite,0,0.00,120000,11016000.00"
    summary = play(tmp_path, DAY_1, DAY_3.replace("06-05", "06-04").replace("91.80", "91.60"), idle)
    assert told(summary)[:2] == [("exact", "")] * 2
    assert told(summary)[2][0] == "unexplained"  # it stands at 91.60, not at 91.80
    summary = play(tmp_path, DAY_1, idle.replace("91.80", "91.60"))
    assert told(summary) == [("exact", "")] * 2
    assert summary.results[1].notes == (
        "2 trading days are missing before; the closes of 2024-06-03 are the references",
    )


def test_vintage_that_starts_trading_joins_the_running_venue_tr_24(tmp_path: Path) -> None:
    days = (
        "2024-10-25,100.10,100.40,99.50,100.20,composite,50000,5010000.00,,",
        "2024-10-28,100.10,100.30,99.20,99.80,composite,40000,3992000.00,,",
        "2024-10-29,99.50,101.00,99.50,100.00,vintage:CEA23,30000,2999000.00,,",
    )
    summary = play(tmp_path, *days)
    assert told(summary) == [("exact", "")] * 3
    assert summary.venues == 1


def test_rows_before_the_first_give_its_references(tmp_path: Path) -> None:
    days = (DAY_1, DAY_2, DAY_3, DAY_4)
    summary = play(tmp_path, *days, first=dt.date(2024, 6, 5))
    assert told(summary) == [("exact", "")] * 2
    assert summary.results[0].notes == ()
    assert summary.venues == 1
