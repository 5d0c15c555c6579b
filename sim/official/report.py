"""How a replay is told: one line a day, a progress bar on a terminal, a summary, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sim.official.days import OfficialFileError
from sim.official.figures import Figures
from sim.official.realise import yuan
from sim.official.result import EXACT, EXPLAINED, VERDICTS, DayResult, Summary

HEAD = (
    f"{'date':10}  {'trades':>6}  {'open':>6}  {'high':>6}  {'low':>6}  {'close':>6}  "
    f"{'volume t':>10}  {'turnover yuan':>16}  verdict"
)
STYLES = {EXACT: "green", EXPLAINED: "yellow"}


class Report:
    """Prints a replay while it runs; a context manager around the progress bar.

    Off a terminal nothing moves: plain lines only.
    """

    def __init__(self, console: Console, rows: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("official days"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("days", total=rows)

    def __enter__(self) -> Self:
        self._print(HEAD)
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def day(self, result: DayResult) -> None:
        """Print a row's line and move the bar on."""
        self._print(day_line(result), STYLES.get(result.verdict, "red"))
        self._progress.advance(self._task)

    def summary(self, summary: Summary) -> None:
        """Print the counts and every line of the file that could not be read."""
        self._print("")
        for line in summary_lines(summary):
            self._print(line)

    def _print(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def day_line(result: DayResult) -> str:
    """Return the line of one day: figures, verdict, and what there is to say about it.

    The figures are those of the venue's bulletin, or the published ones if it was not played.
    """
    figures, row = result.venue or result.published, result.row
    if figures is not None:
        prices = [_price(value) for value in figures[:4]]
        qty = f"{figures.qty_tonnes:,}"
        turnover = f"{figures.turnover_fen // 100:,}.{figures.turnover_fen % 100:02d}"
    else:  # a row off the units, or not of one listed instrument: as published
        prices = [str(value or "-") for value in (row.open, row.high, row.low, row.close)]
        qty, turnover = f"{row.listed_qty:,}", f"{row.listed_turnover:,}"
    columns = "  ".join(f"{price:>6}" for price in prices)
    trades = result.trades if result.venue is not None else "-"
    said = "; ".join([result.verdict, *remarks(result)])
    return f"{row.date}  {trades:>6}  {columns}  {qty:>10}  {turnover:>16}  {said}"


def remarks(result: DayResult) -> list[str]:
    """Return what is to be said about a row: why, what differs, what was assumed or left out."""
    found = []
    if result.reason:
        clauses = f" [{result.clauses}]" if result.clauses else ""
        found.append(f"line {result.row.line}: {result.reason}{clauses}")
    return [*found, *result.differences, *result.notes]


def summary_lines(summary: Summary) -> list[str]:
    """Return the summary as lines of text."""
    counts = ", ".join(f"{summary.count(verdict)} {verdict}" for verdict in VERDICTS)
    results = summary.results
    listed = sum(result.trades - result.negotiated for result in results)
    lines = [f"{len(results)} rows: {counts}; {listed:,} listed trades made and settled"]
    for name, deals, column in (
        ("bulk", sum(result.bulk_deals for result in results), "bulk_qty_tonnes"),
        ("one-way bidding", sum(result.bids for result in results), "auction_qty_tonnes"),
    ):
        if deals:
            tonnes, days = _traded(summary, column)
            lines.append(f"{name}: {tonnes:,} t on {days} days in {deals:,} deals")
    if summary.venues > 1:
        lines.append(f"{summary.venues} exchanges were started to set references anew")
    lines += [f"line {broken.line} cannot be read: {broken.reason}" for broken in summary.broken]
    if summary.interrupted:
        lines.append("interrupted: this is the summary so far")
    return lines


def to_dict(summary: Summary) -> dict[str, Any]:
    """Return the summary for machines: counts first, then every row that was looked at."""
    bulk_tonnes, bulk_days = _traded(summary, "bulk_qty_tonnes")
    auction_tonnes, auction_days = _traded(summary, "auction_qty_tonnes")
    return {
        "rows": len(summary.results),
        **{verdict: summary.count(verdict) for verdict in VERDICTS},
        "broken": len(summary.broken),
        "trades": sum(result.trades for result in summary.results),
        "bulk_deals": sum(result.bulk_deals for result in summary.results),
        "venues": summary.venues,
        "interrupted": summary.interrupted,
        "bulk_days": bulk_days,
        "bulk_tonnes": bulk_tonnes,
        "auction_days": auction_days,
        "auction_tonnes": auction_tonnes,
        "broken_lines": [broken._asdict() for broken in summary.broken],
        "details": [_detail(result) for result in summary.results],
    }


def write_json(summary: Summary, path: Path) -> None:
    """Write ``to_dict`` to a file, making its folder. OfficialFileError if that is impossible."""
    text = json.dumps(to_dict(summary), ensure_ascii=False, indent=1) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OfficialFileError(f"cannot write {path}: {error.strerror or error}") from error


def _detail(result: DayResult) -> dict[str, Any]:
    return {
        "line": result.row.line,
        "date": result.row.date.isoformat(),
        "price_basis": result.row.basis,
        "verdict": result.verdict,
        "clauses": result.clauses,
        "reason": result.reason,
        "differences": list(result.differences),
        "notes": list(result.notes),
        "trades": result.trades,
        "bulk_deals": result.bulk_deals,
        "listed_volume_t": str(result.row.listed_qty),
        "published": _asdict(result.published),
        "venue": _asdict(result.venue),
    }


def _asdict(figures: Figures | None) -> dict[str, Any] | None:
    if figures is None:
        return None
    return {**figures._asdict(), "closes_ticks": dict(figures.closes_ticks)}


def _traded(summary: Summary, column: str) -> tuple[int, int]:
    """Return (tonnes, days) of a modality on the venue."""
    lived = [result.venue for result in summary.results if result.venue is not None]
    found = [int(getattr(figures, column) or 0) for figures in lived]
    return sum(found), sum(tonnes > 0 for tonnes in found)


def _price(ticks: int | None) -> str:
    return "-" if ticks is None else yuan(ticks)
