"""Weekly, monthly and yearly summaries, added up from daily bulletins (TR-143).

Average prices are turnover / volume over all modalities, half up: the monthly one is what a fine
would be reckoned with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import msgspec

from engine.units import half_up
from marketdata.bulletin import Bulletin, PriceLine, Volumes, percent, yuan
from marketdata.figures import change_bp

MODALITIES = ("listed", "bulk", "auction")


class PeriodLine(msgspec.Struct, frozen=True):
    """Prices of a period in ticks, 0 where there is none.

    ``open`` is that of the first day with a trade, high and low the extremes of the days' highs and
    lows, ``close`` the last day's; the change is measured from the close before the period, for
    something that began within it from its first open.
    """

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    prev_close_ticks: int
    change_bp: int


class PeriodVolumes(msgspec.Struct, frozen=True):
    """Volume (tonnes), turnover (fen) and average price (ticks) of a period."""

    qty_tonnes: int
    turnover_fen: int
    average_ticks: int


class PeriodVintage(msgspec.Struct, frozen=True):
    """One vintage over a period."""

    instrument: str
    price: PeriodLine
    total: PeriodVolumes


class PeriodSummary(msgspec.Struct, frozen=True):
    """A week, a month or a year: ``name`` is 2026-W34, 2026-08 or 2026."""

    name: str
    first_date: int
    last_date: int
    trading_days: int
    days_traded: int
    composite: PeriodLine
    listed: PeriodVolumes
    bulk: PeriodVolumes
    auction: PeriodVolumes
    total: PeriodVolumes
    vintages: tuple[PeriodVintage, ...]
    bidding_sessions: int


def _volumes(rows: Iterable[Volumes]) -> PeriodVolumes:
    qty = turnover = 0
    for row in rows:
        qty += row.day_qty_tonnes
        turnover += row.day_turnover_fen
    return PeriodVolumes(qty, turnover, half_up(turnover, qty) if qty else 0)


def _line(days: Sequence[PriceLine]) -> PeriodLine:
    traded = [day for day in days if day.high_ticks]
    opened, closed = (traded or days)[0].open_ticks, days[-1].close_ticks
    before = days[0].prev_close_ticks
    return PeriodLine(
        open_ticks=opened,
        high_ticks=max((day.high_ticks for day in traded), default=0),
        low_ticks=min((day.low_ticks for day in traded), default=0),
        close_ticks=closed,
        prev_close_ticks=before,
        change_bp=change_bp(closed, before or opened),
    )


def summarise(name: str, bulletins: Iterable[Bulletin]) -> PeriodSummary:
    """Return the summary of these days, in any order.

    Raises:
        ValueError: there is no day.
    """
    days = sorted(bulletins, key=lambda each: each.date)
    if not days:
        raise ValueError(f"{name} has no trading day")
    codes = [line.instrument for line in days[-1].vintages]
    vintages = []
    for code in codes:
        lines = [line for day in days for line in day.vintages if line.instrument == code]
        moved = [getattr(line, modality) for line in lines for modality in MODALITIES]
        vintages.append(PeriodVintage(code, _line([line.price for line in lines]), _volumes(moved)))
    listed, bulk, auction = (
        _volumes(getattr(day, modality) for day in days) for modality in MODALITIES
    )
    return PeriodSummary(
        name=name,
        first_date=days[0].date,
        last_date=days[-1].date,
        trading_days=len(days),
        days_traded=sum(day.traded for day in days),
        composite=_line([day.composite for day in days]),
        listed=listed,
        bulk=bulk,
        auction=auction,
        total=_volumes(day.total for day in days),
        vintages=tuple(vintages),
        bidding_sessions=sum(day.bidding_sessions for day in days),
    )


def _date(number: int) -> dt.date:
    return dt.date(number // 10_000, number // 100 % 100, number % 100)


def _week(bulletin: Bulletin) -> str:
    year, week, _ = _date(bulletin.date).isocalendar()
    return f"{year}-W{week:02d}"


def _month(bulletin: Bulletin) -> str:
    return f"{bulletin.date // 10_000}-{bulletin.date // 100 % 100:02d}"


def _periods(
    bulletins: Iterable[Bulletin], name_of: Callable[[Bulletin], str]
) -> list[PeriodSummary]:
    days = sorted(bulletins, key=lambda each: each.date)
    return [summarise(name, group) for name, group in groupby(days, name_of)]


def weekly(bulletins: Iterable[Bulletin]) -> list[PeriodSummary]:
    """Return a summary per calendar week (ISO) there was a trading day in, oldest first."""
    return _periods(bulletins, _week)


def monthly(bulletins: Iterable[Bulletin]) -> list[PeriodSummary]:
    """Return a summary per month there was a trading day in, oldest first."""
    return _periods(bulletins, _month)


def yearly(bulletins: Iterable[Bulletin]) -> list[PeriodSummary]:
    """Return a summary per year there was a trading day in, oldest first."""
    return _periods(bulletins, lambda each: str(each.date // 10_000))


def to_json(summary: PeriodSummary) -> bytes:
    """Return the summary as JSON."""
    return msgspec.json.encode(summary)


def to_text(summary: PeriodSummary) -> str:
    """Return the summary for people; ends with a line feed."""
    lines = [
        f"全国碳市场 {summary.name} Summary of the national carbon market",
        f"{_date(summary.first_date)} to {_date(summary.last_date)}: "
        f"{summary.trading_days} trading days, trades on {summary.days_traded}, "
        f"bidding sessions {summary.bidding_sessions}",
        "",
    ]
    lines += [_price_text("Composite", summary.composite)] if summary.composite.close_ticks else []
    lines += [_price_text(each.instrument, each.price) for each in summary.vintages]
    lines.append("")
    for name in (*MODALITIES, "total"):
        lines.append(_volume_text(name, getattr(summary, name)))
    return "\n".join(lines) + "\n"


def _price_text(name: str, line: PeriodLine) -> str:
    figures = "  ".join(
        f"{label} {yuan(ticks) if ticks else '-':>9}"
        for label, ticks in (
            ("open", line.open_ticks),
            ("high", line.high_ticks),
            ("low", line.low_ticks),
            ("close", line.close_ticks),
        )
    )
    return f"{name:<10} {figures}  {percent(line.change_bp):>8}"


def _volume_text(name: str, volumes: PeriodVolumes) -> str:
    average = yuan(volumes.average_ticks) if volumes.qty_tonnes else "-"
    return (
        f"{name:<10} {volumes.qty_tonnes:>15,} t  {yuan(volumes.turnover_fen):>22} yuan  "
        f"average {average:>9}"
    )
