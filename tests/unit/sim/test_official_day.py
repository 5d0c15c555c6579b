"""Replaying rows through a real venue: verdicts, references, gaps, output."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from engine.exchange import Exchange
from engine.records import Kind, Phase
from sim.official.day import run
from sim.official.days import DAILY_COLUMNS, OfficialFileError
from sim.official.realise import realise
from sim.official.report import Report
from sim.official.result import DayResult, Summary
from sim.official.venue import Venue, VenueError

HEADER = ",".join((*DAILY_COLUMNS, "bulk_volume_t", "bulk_turnover_cny"))
# Invented days that start at the launch: reference 48.00, 300 t for 14,433.00, close 48.11.
DAY_1 = "2021-07-16,48.00,48.50,47.90,48.11,listed,300,14433.00,,"
DAY_2 = "2021-07-19,48.20,49.00,48.00,48.52,listed,250000,12130000.00,150000,7050000.00"
DAY_3 = "2021-07-20,48.52,0.00,0.00,48.52,listed,0,0.00,0,0.00"


def play(tmp_path: Path, *lines: str, **options: object) -> tuple[Summary, list[str]]:
    path = tmp_path / "daily.csv"
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    out = io.StringIO()
    summary = run(path, console=Console(file=out, width=80), **options)  # type: ignore[arg-type]
    return summary, out.getvalue().splitlines()


def verdicts(summary: Summary) -> list[str]:
    return [result.verdict for result in summary.results]


def test_three_days_are_exact(tmp_path: Path) -> None:
    summary, lines = play(tmp_path, DAY_1, DAY_2, DAY_3)
    assert verdicts(summary) == ["exact"] * 3
    assert (summary.exit_code, summary.venues) == (0, 1)
    first, second, idle = summary.results
    assert [result.venue.target for result in summary.results if result.venue] == [
        (4800, 4850, 4790, 4811, 300, 1_443_300),
        (4820, 4900, 4800, 4852, 250_000, 1_213_000_000),  # the bulk deal does not touch it
        (4852, 0, 0, 4852, 0, 0),
    ]
    assert second.venue is not None
    assert (second.venue.bulk_qty_tonnes, second.venue.bulk_turnover_fen) == (150_000, 705_000_000)
    assert (second.venue.total_qty_tonnes, second.venue.auction_qty_tonnes) == (400_000, 0)
    assert (second.bulk_deals, second.bids) == (1, 0)
    assert second.trades >= 6  # TR-11: at most 99,999 t each
    assert idle.trades == 0
    assert len(lines) == 1 + 3 + 1 + 2  # head, one line a day, blank, summary
    assert lines[1].startswith("2021-07-16")
    assert lines[1].endswith("14,433.00  exact")
    assert lines[2].endswith("12,130,000.00  exact")
    assert lines[5] == (
        "3 rows: 3 exact, 0 explained, 0 unexplained; "
        f"{first.trades + second.trades - 1} listed trades made and settled"
    )
    assert lines[6] == "bulk: 150,000 t on 1 days in 1 deals"


@pytest.mark.parametrize(
    ("bad", "clauses", "words"),
    [
        (DAY_2.replace("49.00", "52.93"), "TR-20, TR-23", "high 52.93 is outside 43.30 to 52.92"),
        (DAY_2.replace("48.20", "48.205"), "TR-10", "open 48.205 is not a multiple"),
        (DAY_2.replace("12130000.00", "12500000.00"), "TR-100", "close 48.52 is not turnover"),
        (DAY_2.replace("12130000.00", "12130000.005"), "ST-15", "not a whole number of fen"),
        (DAY_2.replace("250000", "2"), "TR-100", "is not turnover"),
        (DAY_2.replace("250000", "0.5"), "TR-10", "not a whole number of tonnes"),
        (DAY_2.replace("48.00", "48.53"), "TR-101, TR-102", "not in this order"),
        (DAY_2.replace("listed", "vintage:CEA22"), "TR-04", "CEA22 does not trade yet on 2021"),
        (DAY_2.replace("150000", "150000.5"), "TR-10", "bulk volume 150000.5 is no whole number"),
        (DAY_2.replace("7050000.00", "7050000.001"), "ST-15", "bulk turnover 7050000.001 is not"),
    ],
)
def test_row_that_breaks_a_rule_is_named_and_not_played(
    tmp_path: Path, bad: str, clauses: str, words: str
) -> None:
    summary, lines = play(tmp_path, DAY_1, bad, DAY_3)
    assert verdicts(summary) == ["exact", "explained", "exact"]
    broken = summary.results[1]
    assert broken.clauses == clauses
    assert words in broken.reason
    assert (broken.venue, broken.trades) == (None, 0)
    assert f"explained; line 3: {broken.reason} [{clauses}]" in lines[2]
    assert summary.exit_code == 0
    # Day 3 begins on a fresh exchange with the published close of day 2, the 48.52 it needs,
    # or, where that row's close is not a listed close, without a known close of the day before.
    assert summary.venues == 2


def test_turnover_no_prices_can_make(tmp_path: Path) -> None:
    day = "2021-07-19,48.20,49.00,48.00,,listed,100,4900.01,,"
    summary, _ = play(tmp_path, DAY_1, day)
    assert summary.results[1].clauses == "ST-15, TR-102"
    assert "is not between" in summary.results[1].reason


def test_days_that_are_none_and_days_told_twice(tmp_path: Path) -> None:
    saturday = DAY_2.replace("2021-07-19", "2021-07-17")
    early = DAY_2.replace("2021-07-19", "2021-07-15")
    summary, _ = play(tmp_path, early, DAY_1, saturday, DAY_1, DAY_2)
    assert [(result.verdict, result.clauses) for result in summary.results] == [
        ("explained", "CA-01"),
        ("exact", ""),
        ("explained", "CA-04"),
        ("explained", "CA-01"),
        ("exact", ""),
    ]
    assert summary.venues == 1


def test_broken_line_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    summary, lines = play(tmp_path, DAY_1, "2021-07-19,forty,,", DAY_3)
    assert verdicts(summary) == ["exact", "exact"]
    assert lines[-1].startswith("line 3 cannot be read: price_basis '' is not")
    # The day it should have been is missing, and day 3 fits no reference but its own.
    assert summary.results[1].notes == (
        "price limits unchecked: 1 trading day is missing before; 48.52 stands in as reference",
    )


def test_gap_takes_the_last_close_and_says_so(tmp_path: Path) -> None:
    later = DAY_2.replace("2021-07-19", "2021-07-23")
    summary, _ = play(tmp_path, DAY_1, later)
    assert verdicts(summary) == ["exact", "exact"]
    assert summary.venues == 1
    assert summary.results[1].notes == (
        "4 trading days are missing before; the close of 2021-07-16 is the reference",
    )


def test_gap_over_which_the_price_moved_too_far_is_re_seeded(tmp_path: Path) -> None:
    far = "2021-07-30,60.00,61.00,60.00,60.50,listed,200,12100.00,,"
    next_day = "2021-08-02,60.50,66.55,60.50,63.53,listed,2,127.05,,"
    summary, _ = play(tmp_path, DAY_1, far, next_day)
    assert verdicts(summary) == ["exact"] * 3
    assert summary.results[1].notes == (
        "price limits unchecked: 9 trading days are missing before; 60.50 stands in as reference",
    )
    assert summary.results[2].notes == ()
    assert summary.venues == 2
    # Without a gap the same prices break the rule.
    summary, _ = play(tmp_path, DAY_1, far.replace("07-30", "07-19"))
    assert summary.results[1].clauses == "TR-20, TR-23"
    # And no reference allows a day wider than its band.
    wide = "2021-07-30,60.00,75.00,60.00,67.50,listed,2,135.00,,"
    summary, _ = play(tmp_path, DAY_1, wide)
    assert summary.results[1].clauses == "TR-20, TR-23"
    assert summary.results[1].verdict == "explained"


def test_reference_of_a_wide_day_in_a_gap_lies_between_its_extremes(tmp_path: Path) -> None:
    # From 90 % to 110 % of 60.00, closing near the top: only references near 60.00 allow it.
    edge = "2021-07-30,54.00,66.00,54.00,65.88,listed,100,6588.00,,"
    summary, _ = play(tmp_path, DAY_1, edge)
    assert verdicts(summary) == ["exact", "exact"]
    assert "60.00 stands in as reference" in summary.results[1].notes[0]


def test_weekly_close_is_the_reference_where_it_is_newer(tmp_path: Path) -> None:
    weekly = tmp_path / "weekly.csv"
    weekly.write_text(
        "week_end,friday_close_cny_t\n2021-07-16,1.00\n2021-07-23,57.50\n2021-07-30,99.00\n"
    )
    later = "2021-07-28,60.00,63.25,60.00,61.00,listed,200,12200.00,,"
    summary, _ = play(tmp_path, DAY_1, later, weekly=weekly)
    assert verdicts(summary) == ["exact", "exact"]
    assert summary.results[1].notes == (
        "2 trading days are missing before; the close of the week to 2021-07-23 is the reference",
    )


def test_weekly_close_of_a_day_that_is_known_or_not_over_is_no_reference(tmp_path: Path) -> None:
    weekly = tmp_path / "weekly.csv"
    weekly.write_text("week_end,friday_close_cny_t\n2021-07-16,50.00\n2021-07-23,50.50\n")
    friday = DAY_2.replace("2021-07-19", "2021-07-23")
    summary, _ = play(tmp_path, DAY_1, friday, weekly=weekly)
    assert verdicts(summary) == ["exact", "exact"]
    assert "the close of 2021-07-16 is the reference" in summary.results[1].notes[0]
    assert summary.venues == 1


def test_range_and_first_row_without_a_past(tmp_path: Path) -> None:
    lines = (DAY_1, DAY_2, DAY_3)
    summary, _ = play(tmp_path, *lines, first=dt.date(2021, 7, 19), last=dt.date(2021, 7, 19))
    assert verdicts(summary) == ["exact"]
    # The row before the range gives the reference, so the limits are checked.
    assert summary.results[0].notes == ()
    summary, _ = play(tmp_path, DAY_2)
    assert verdicts(summary) == ["exact"]
    assert "no day is known before; 48.52 stands in" in summary.results[0].notes[0]
    assert verdicts(play(tmp_path, *lines, first=dt.date(2030, 1, 1))[0]) == []


def test_blank_close_takes_the_venues_own(tmp_path: Path) -> None:
    blank = DAY_2.replace(",48.52,", ",,")
    summary, _ = play(tmp_path, DAY_1, blank, DAY_3)
    assert verdicts(summary) == ["exact"] * 3
    assert summary.venues == 1


def test_wrong_bulletin_is_unexplained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*arguments: object) -> object:
        deals = realise(*arguments)  # type: ignore[arg-type]
        return deals[:-1] if isinstance(deals, tuple) and len(deals) > 1 else deals

    monkeypatch.setattr("sim.official.replay.realise", short)
    summary, lines = play(tmp_path, DAY_1, DAY_3)
    assert summary.results[0].verdict == "unexplained"
    assert any(text.startswith("qty: published 300, venue") for text in lines[1].split("; "))
    assert summary.exit_code == 1


def test_refusal_is_unexplained_and_the_next_row_starts_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Venue, date: dt.date, deals: object) -> object:
        if date.day == 16:
            raise VenueError("TAKE refused: insufficient_funds")
        return honest(self, date, deals)  # type: ignore[arg-type]

    honest = Venue.play
    monkeypatch.setattr(Venue, "play", crash)
    summary, _ = play(tmp_path, DAY_1, DAY_2)
    assert verdicts(summary) == ["unexplained", "exact"]
    assert summary.results[0].reason == "TAKE refused: insufficient_funds"
    assert summary.venues == 2


@pytest.mark.parametrize(
    ("bulk", "clauses", "words"),
    [
        ("99999,4800000.00", "TR-12", "bulk volume 99999 t is below 100000 t"),
        ("150000,7050000.01", "TR-10, TR-12", "for 150000 t is no whole-tick price"),
        ("150000,4999500.00", "TR-21, TR-23", "bulk mean 33.33 is outside 33.68 to 62.54"),
        ("0,1.00", "ST-15", "no bulk volume but turnover 1.00"),
    ],
)
def test_bulk_that_breaks_a_rule_is_named_and_the_rest_is_exact(
    tmp_path: Path, bulk: str, clauses: str, words: str
) -> None:
    summary, _ = play(tmp_path, DAY_1, DAY_2.replace("150000,7050000.00", bulk), DAY_3)
    assert verdicts(summary) == ["exact", "explained", "exact"]
    result = summary.results[1]
    assert result.clauses == clauses
    assert words in result.reason
    assert result.venue is not None
    assert (result.venue.qty_tonnes, result.venue.bulk_qty_tonnes) == (250_000, 0)
    assert all(each.startswith("bulk") for each in result.differences)
    assert summary.venues == 1  # the day was played, so the next one goes on


def test_bulk_deals_of_two_prices_reach_any_fen(tmp_path: Path) -> None:
    odd = DAY_2.replace("150000,7050000.00", "279856,14100693.72")
    summary, _ = play(tmp_path, DAY_1, odd)
    assert verdicts(summary) == ["exact", "exact"]
    assert summary.results[1].bulk_deals == 2


def test_bulk_without_a_turnover_is_played_at_the_reference(tmp_path: Path) -> None:
    summary, _ = play(tmp_path, DAY_1, DAY_2.replace("7050000.00", ""))
    assert verdicts(summary) == ["exact", "exact"]
    venue = summary.results[1].venue
    assert venue is not None
    assert venue.bulk_turnover_fen == 150_000 * 4811


def test_every_manner_of_a_bulk_deal_is_used(tmp_path: Path) -> None:
    days = [DAY_1.replace(",,", ",100000,4800000.00"), DAY_2]
    days.append("2021-07-20,48.52,0.00,0.00,48.52,listed,0,0.00,100000,4852000.00")
    keep = tmp_path / "kept"
    summary, _ = play(tmp_path, *days, keep=keep)
    assert verdicts(summary) == ["exact"] * 3
    sent = np.load(keep / "venue-1.commands.npy")
    kinds = sent["kind"].tolist()
    assert kinds.count(Kind.BULK_OFFER) == 3
    assert kinds.count(Kind.BULK_ACCEPT) == 3
    assert (kinds.count(Kind.BULK_COUNTER), kinds.count(Kind.BULK_CONFIRM)) == (1, 1)
    offers = sent[sent["kind"] == Kind.BULK_OFFER]
    assert sorted(offers["counterparty"] >= 0) == [False, False, True]  # public, directed (TR-75)
    # All of it between 13:00 and 15:00 in Beijing (TR-31).
    bulk = sent[(sent["kind"] >= Kind.BULK_OFFER) & (sent["kind"] <= Kind.BULK_WITHDRAW)]
    hours = (bulk["time_ns"] // 3_600_000_000_000 + 8) % 24
    assert set(hours.tolist()) <= {13, 14}


def test_totals_that_do_not_add_up_tr_107(tmp_path: Path) -> None:
    header = f"{HEADER},auction_volume_t,auction_turnover_cny,total_volume_t,total_turnover_cny"
    right = "0,0.00,400000,19180000.00"
    for totals, verdict in ((right, "exact"), (right.replace("400000", "400001"), "explained")):
        path = tmp_path / "daily.csv"
        path.write_text(f"{header}\n{DAY_1},,,,\n{DAY_2},{totals}\n")
        summary = run(path, console=Console(file=io.StringIO()))
        assert verdicts(summary) == ["exact", verdict]
    assert summary.results[1].clauses == "TR-107"
    assert summary.results[1].differences == ("total qty: published 400001, venue 400000",)


def test_no_one_way_bidding_before_2025_tr_80(tmp_path: Path) -> None:
    path = tmp_path / "daily.csv"
    path.write_text(f"{HEADER},auction_volume_t,auction_turnover_cny\n{DAY_1},1000,48000.00\n")
    summary = run(path, console=Console(file=io.StringIO()))
    assert [result.clauses for result in summary.results] == ["TR-80"]
    assert summary.results[0].verdict == "explained"


def test_ctrl_c_prints_the_summary_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: Report, result: DayResult) -> None:
        honest(self, result)
        if result.row.date.day == 19:
            raise KeyboardInterrupt

    honest = Report.day
    monkeypatch.setattr(Report, "day", stop)
    target = tmp_path / "summary.json"
    summary, lines = play(tmp_path, DAY_1, DAY_2, DAY_3, json_file=target)
    assert verdicts(summary) == ["exact", "exact"]
    assert lines[-1] == "interrupted: this is the summary so far"
    assert summary.exit_code == 130
    assert json.loads(target.read_text())["interrupted"] is True


def test_json(tmp_path: Path) -> None:
    target = tmp_path / "summary.json"
    play(tmp_path, DAY_1, DAY_2.replace("49.00", "59.00"), "x", json_file=target)
    found = json.loads(target.read_text(encoding="utf-8"))
    assert {key: found[key] for key in ("rows", "exact", "explained", "unexplained")} == {
        "rows": 2,
        "exact": 1,
        "explained": 1,
        "unexplained": 0,
    }
    assert (found["broken"], found["broken_lines"][0]["line"]) == (1, 4)
    exact, explained = found["details"]
    stated = {key: value for key, value in exact["published"].items() if value is not None}
    assert stated == {key: exact["venue"][key] for key in stated}
    assert exact["venue"]["total_turnover_fen"] == 1_443_300
    assert exact["venue"]["turnover_fen"] == 1_443_300
    assert (explained["clauses"], explained["venue"]) == ("TR-20, TR-23", None)
    with pytest.raises(OfficialFileError, match="cannot write"):
        play(tmp_path, DAY_1, json_file=tmp_path)


def test_kept_commands_bring_another_exchange_to_the_same_day(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    play(tmp_path, DAY_1, DAY_2, keep=keep)
    assert {path.name for path in keep.iterdir()} == {"venue-1.db", "venue-1.commands.npy"}
    exchange = Exchange()
    exchange.apply(np.load(keep / "venue-1.commands.npy"))
    market = exchange.state.market[0]
    assert (market["phase"], market["date"]) == (Phase.POSTED, 20210719)
    assert exchange.state.instruments[0]["close_ticks"] == 4852
    with pytest.raises(OfficialFileError, match="is not empty"):
        play(tmp_path, DAY_1, keep=keep)
    with pytest.raises(OfficialFileError, match="cannot use"):
        play(tmp_path, DAY_1, keep=tmp_path / "daily.csv")


def test_terminal_has_a_progress_bar_and_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "daily.csv"
    path.write_text("\n".join((HEADER, DAY_1, DAY_2)) + "\n")
    out = io.StringIO()
    run(path, console=Console(file=out, force_terminal=True, width=200))
    assert "official days" in out.getvalue()
    assert "2/2" in out.getvalue()
    assert "2021-07-19" in out.getvalue()
