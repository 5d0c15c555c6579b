"""The official days of three seasons through the exchange, and a replay that is interrupted.

The daily file is not part of this repository (the exchange reserves its republication). Tests that
want it look for it beside the checkout, in ../shared/data, and are skipped, saying so, without it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from engine.calendar import trading_days
from sim.official.day import run
from sim.official.days import DAILY_COLUMNS

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
DAILY = DATA / "cea_daily.csv"
VINTAGES = DATA / "cea_vintage_sample.csv"
WEEKLY = DATA / "cea_weekly_2022_gap.csv"
needs_daily = pytest.mark.skipif(not DAILY.exists(), reason=f"no ../shared/data/{DAILY.name}")


def fen(text: str) -> int | None:
    return int(Decimal(text).scaleb(2)) if text else None


# The three rows that contradict the rules by themselves, and which figure does.
EXPLAINED = {
    "2024-06-25": ("TR-105", ["low: published 88.93, venue 88.88"]),
    "2024-07-15": ("TR-105", ["low: published 87.52, venue 87.05"]),
    "2024-12-26": ("TR-104", ["close: published 97.80, venue 97.81"]),
}
AMOUNTS = {"listed": "", "bulk": "bulk_", "auction": "auction_", "total": "total_"}


@needs_daily
def test_every_row_of_every_season_is_exact_or_breaks_a_rule(tmp_path: Path) -> None:
    """All 507 rows: each modality's volume and turnover to the fen, the price line, the closes."""
    target = tmp_path / "days.json"
    out = io.StringIO()
    summary = run(DAILY, json_file=target, console=Console(file=out, width=80))
    found = json.loads(target.read_text(encoding="utf-8"))
    counts = [found[key] for key in ("rows", "exact", "explained", "unexplained")]
    assert counts == [507, 504, 3, 0]
    # One venue for the single instrument of 2021 and 2022, one for the vintages of 2024.
    assert (found["broken"], found["venues"], summary.exit_code) == (0, 2, 0)
    assert len(out.getvalue().splitlines()) == 1 + 507 + 1 + 3
    by_date = {detail["date"]: detail for detail in found["details"]}
    explained = {
        date: (detail["clauses"], detail["differences"])
        for date, detail in by_date.items()
        if detail["verdict"] != "exact"
    }
    assert explained == EXPLAINED
    # Compare once more, with a reading of the files that shares nothing with the product's.
    with DAILY.open(encoding="utf-8") as stream:
        published = list(csv.DictReader(stream))
    assert [row["date"] for row in published] == list(by_date)
    for row in published:
        venue = by_date[row["date"]]["venue"]
        for name, prefix in AMOUNTS.items():
            assert venue[f"{prefix}qty_tonnes"] == int(row[f"{name}_volume_t"])
            assert venue[f"{prefix}turnover_fen"] == fen(row[f"{name}_turnover_cny"])
        if row["date"] not in EXPLAINED:
            for name in ("open", "high", "low", "close"):
                assert fen(row[f"{name}_cny_t"]) in (None, venue[f"{name}_ticks"])
    compare_vintages(by_date)


def compare_vintages(by_date: dict[str, Any]) -> None:
    """The closes per vintage of the sample, and the composite close they give (TR-104)."""
    with VINTAGES.open(encoding="utf-8") as stream:
        sample = list(csv.DictReader(stream))
    assert len(sample) == 37
    for row in sample:
        venue = by_date[row["date"]]["venue"]
        closes = [fen(row[name]) for name in ("CEA19_20", "CEA21", "CEA22", "CEA23")]
        assert list(venue["closes_ticks"].values()) == closes
        if row["date"] not in EXPLAINED:
            assert venue["close_ticks"] == fen(row["official_composite_close"])


@needs_daily
def test_weekly_bulletins_give_the_reference_in_the_gap_of_2022() -> None:
    summary = run(
        DAILY,
        dt.date(2022, 1, 1),
        dt.date(2022, 6, 1),
        weekly=WEEKLY,
        console=Console(file=io.StringIO()),
    )
    assert {result.verdict for result in summary.results} == {"exact"}
    notes = [note for result in summary.results for note in result.notes if "missing" in note]
    assert notes == [
        "1 trading day is missing before; the close of the week to 2022-03-11 is the reference",
        "3 trading days are missing before; the close of the week to 2022-05-20 is the reference",
    ]


def day(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``tanshi day`` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "tanshi", "day", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_command_line_plays_a_range_and_names_a_broken_line(tmp_path: Path) -> None:
    path, target = tmp_path / "daily.csv", tmp_path / "new" / "days.json"
    rows = (
        "2021-07-16,48.00,48.50,47.90,48.11,listed,300,14433.00",
        "2021-07-19,48.11,48.11,48.11,48.11,listed,many,481.10",
        "2021-07-20,48.11,52.92,48.11,50.52,listed,2,101.03",
        "2021-07-21,50.52,50.52,50.52,50.52,listed,1,50.52",
    )
    path.write_text("\n".join([",".join(DAILY_COLUMNS), *rows]) + "\n")
    ran = day(str(path), "--from", "2021-07-16", "--to", "2021-07-20", "--json", str(target))
    assert (ran.returncode, ran.stderr) == (0, "")
    *_, summary, broken = ran.stdout.splitlines()
    assert summary.startswith("2 rows: 2 exact, 0 explained, 0 unexplained")
    assert broken == "line 3 cannot be read: listed_volume_t 'many' is not a plain decimal number"
    assert json.loads(target.read_text())["exact"] == 2
    missing = day(str(tmp_path / "missing.csv"))
    assert missing.returncode == 2
    assert "cannot read" in missing.stderr


def test_ctrl_c_ends_a_replay_with_its_summary(tmp_path: Path) -> None:
    path, target = tmp_path / "daily.csv", tmp_path / "days.json"
    days = list(trading_days(dt.date(2021, 7, 16), dt.date(2025, 7, 16)))
    rows = [f"{day},48.00,48.00,48.00,48.00,listed,10,480.00" for day in days]
    path.write_text("\n".join([",".join(DAILY_COLUMNS), *rows]) + "\n")
    program = (
        "import sys; from pathlib import Path; from sim.official.day import run\n"
        "sys.exit(run(Path(sys.argv[1]), json_file=Path(sys.argv[2])).exit_code)"
    )
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", program, str(path), str(target)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("2021-07-20"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in err
    assert process.returncode == 130
    assert out.rstrip().endswith("interrupted: this is the summary so far")
    found = json.loads(target.read_text())
    assert found["interrupted"] is True
    assert 3 <= found["rows"] == found["exact"] < len(days)
