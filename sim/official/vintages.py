"""Rows of days with several vintages: what can be asked of them, and how each is to be played.

Such a row has the composite price, or one vintage's, beside the volume of all vintages. Where the
closes per vintage are known (a second file) they are met; elsewhere they are found together for
all days (vintage_plan.py). A row whose own figures contradict one another is played without the
figure that does, and says which rule it breaks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from engine.calendar import previous_trading_day, trading_days
from engine.rulebook import Rulebook, Rules
from engine.units import half_up, price_limits
from sim.official.days import COMPOSITE, Row
from sim.official.figures import Excuse, Figures, published
from sim.official.realise import Contradiction, Deal, yuan
from sim.official.vintage_day import COMPOSITE_LINE, VintageDay, closing_sum
from sim.official.vintage_plan import Planned, plan

Closes = Mapping[dt.date, Mapping[str, Decimal]]


class Prepared(NamedTuple):
    """How to play a row: every instrument's code and reference, the listed trades, remarks."""

    references: tuple[tuple[str, int], ...]
    listed: tuple[Deal, ...]
    notes: tuple[str, ...] = ()
    excuses: tuple[Excuse, ...] = ()


def prepare(rows: Sequence[Row], closes: Closes) -> dict[int, Prepared | Contradiction | None]:
    """Return how to play each row, by its line number; None where no trades were found.

    Args:
        rows: trading days with several vintages, one row each, by date.
        closes: closes per vintage by date and code, where known.
    """
    found: dict[int, Prepared | Contradiction | None] = {}
    readings: list[tuple[Row, VintageDay, tuple[Excuse, ...]]] = []
    before: Row | None = None
    for row in rows:
        reading = _reading(row, before, closes)
        if isinstance(reading, Contradiction):
            found[row.line] = reading
        else:
            readings.append((row, *reading))
        before = row
    planned = plan([day for _, day, _ in readings])
    last: dt.date | None = None
    for (row, day, excuses), way in zip(readings, planned, strict=True):
        found[row.line] = None
        gap = last is None or previous_trading_day(row.date) != last
        if way is not None and (gap or not way.fresh):  # assumed references need a gap
            codes = [vintage.code for vintage in Rulebook.on(row.date).vintages]
            references = tuple(zip(codes, way.references, strict=True))
            notes = _notes(day.date, way, last)
            found[row.line] = Prepared(references, _pieces(row, way), notes, excuses)
        last = row.date
    return found


def known_closes(row: Row, closes: Closes) -> tuple[tuple[str, int], ...]:
    """Return (code, ticks) of every vintage on the row's day; () unless all are known, in ticks."""
    day = closes.get(row.date, {})
    codes = [vintage.code for vintage in Rulebook.on(row.date).vintages]
    if any(code not in day or (day[code] * 100) % 1 for code in codes):
        return ()
    return tuple((code, int(day[code] * 100)) for code in codes)


def _pieces(row: Row, way: Planned) -> tuple[Deal, ...]:
    """Cut the trades to what one declaration may have (TR-11)."""
    most = Rulebook.on(row.date).listed_qty_max
    return tuple(
        deal._replace(qty_tonnes=min(most, deal.qty_tonnes - done))
        for deal in way.deals
        for done in range(0, deal.qty_tonnes, most)
    )


def _notes(date: dt.date, way: Planned, last: dt.date | None) -> tuple[str, ...]:
    if way.fresh:
        prices = ", ".join(yuan(ticks) for ticks in way.references)
        return (f"price limits unchecked: {prices} stand in as the vintages' references",)
    if last is None:
        return ()
    missing = sum(1 for _ in trading_days(last, date)) - 2
    if missing <= 0:
        return ()
    days = f"{missing} trading day{'s are' if missing > 1 else ' is'} missing"
    return (f"{days} before; the closes of {last} are the references",)


def _reading(
    row: Row, before: Row | None, closes: Closes
) -> tuple[VintageDay, tuple[Excuse, ...]] | Contradiction:
    """Return what can be asked of a row, with the figures that cannot be left out."""
    rules = Rulebook.on(row.date)
    codes = [vintage.code for vintage in rules.vintages]
    figures = published(row, known_closes(row, closes))
    if isinstance(figures, Contradiction):
        return figures
    if row.vintage is not None and row.vintage not in codes:
        return Contradiction("TR-04", f"{row.vintage} does not trade yet on {row.date}")
    broken = _broken(row, figures, rules) or _beyond_limits(row, before, figures, rules)
    if broken is not None:
        return broken
    excuses = _excuses(row, figures, rules)
    left_out = {name for excuse in excuses for name in excuse.names}
    prices = {
        name: None if name in left_out else getattr(figures, name)
        for name in ("open_ticks", "high_ticks", "low_ticks", "close_ticks")
    }
    day = VintageDay(
        date=row.date,
        own=COMPOSITE_LINE if row.vintage is None else codes.index(row.vintage),
        weights=rules.composite_weights,
        qty_tonnes=figures.qty_tonnes,
        turnover_fen=figures.turnover_fen,
        **prices,
        bulk_qty_tonnes=0 if figures.bulk_turnover_fen is None else figures.bulk_qty_tonnes or 0,
        bulk_turnover_fen=figures.bulk_turnover_fen or 0,
        closes=tuple(close for _, close in figures.closes_ticks) or None,
        band_bp=rules.listed_band_bp,
        bulk_band_bp=rules.bulk_band_bp,
    )
    return day, excuses


def _broken(row: Row, figures: Figures, rules: Rules) -> Contradiction | None:
    """Return the rule a row breaks as a whole, whatever the vintages' prices."""
    if not figures.qty_tonnes:
        if figures.turnover_fen:
            return Contradiction("ST-15", f"no volume but turnover {yuan(figures.turnover_fen)}")
        if figures.high_ticks or figures.low_ticks:
            return Contradiction("TR-102", "no listed trade, so there is no high and no low")
        return None
    if row.basis != COMPOSITE:
        low, high = figures.low_ticks, figures.high_ticks
        prices = [each for each in (figures.open_ticks, figures.close_ticks) if each is not None]
        least, most = low if low is not None else min(prices, default=0), high
        if any(price < least or price > (most or price) for price in (*prices, low or least)):
            return Contradiction("TR-101, TR-102", "low, open, close and high are not in order")
    return None


def _beyond_limits(
    row: Row, before: Row | None, figures: Figures, rules: Rules
) -> Contradiction | None:
    """Check limits where the reference is published: the same vintage's close the day before."""
    same = before is not None and row.vintage is not None and before.basis == row.basis
    if before is None or not same or before.date != previous_trading_day(row.date):
        return None
    if before.close is None or (before.close * 100) % 1:
        return None
    reference = int(before.close * 100)
    lower, upper = price_limits(reference, rules.listed_band_bp)
    for name in ("open", "high", "low"):
        price = getattr(figures, f"{name}_ticks")
        if price and not lower <= price <= upper:
            return Contradiction(
                "TR-20, TR-23",
                f"{name} {yuan(price)} is outside {yuan(lower)} to {yuan(upper)} "
                f"(reference {yuan(reference)})",
            )
    return None


def _excuses(row: Row, figures: Figures, rules: Rules) -> tuple[Excuse, ...]:
    """Return the figures of a composite row that contradict its others, with the rule."""
    found = []
    close, codes = figures.close_ticks, [vintage.code for vintage in rules.vintages]
    known = dict(figures.closes_ticks)
    if row.basis == COMPOSITE and close is not None and known:
        weights = rules.composite_weights
        total = closing_sum(weights, [known[code] for code in codes])
        given = half_up(total, sum(weights))
        if given != close:
            closes = ", ".join(yuan(known[code]) for code in codes)
            words = f"the vintages' closes {closes} give {yuan(given)}, not {yuan(close)}"
            found.append(Excuse(Contradiction("TR-104", words), ("close_ticks",)))
            close = given
    if row.basis != COMPOSITE or not figures.qty_tonnes:
        return tuple(found)
    inside = [each for each in (figures.open_ticks, close) if each is not None]
    low, high = figures.low_ticks, figures.high_ticks
    if low is not None and inside and low > min(inside):
        words = f"low {yuan(low)} is above {yuan(min(inside))}: the low counts open and close in"
        found.append(Excuse(Contradiction("TR-105", words), ("low_ticks",)))
    if high is not None and inside and high < max(inside):
        words = f"high {yuan(high)} is below {yuan(max(inside))}: the high counts open and close in"
        found.append(Excuse(Contradiction("TR-105", words), ("high_ticks",)))
    return tuple(found)
