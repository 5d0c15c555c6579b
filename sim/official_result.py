"""What became of the official days: one result a row, a summary of all.

``exact``: the venue's bulletin is the published row, to the fen. ``explained``: the row was not
played, because it breaks a rule (the clause is named) or needs what the venue does not have yet.
``unexplained``: everything else; there should be none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from marketdata.bulletin import Bulletin
from sim.official import BrokenRow, Row
from sim.realise import Contradiction, Target, yuan

EXACT, EXPLAINED, UNEXPLAINED = "exact", "explained", "unexplained"
VERDICTS = (EXACT, EXPLAINED, UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class DayResult:
    """What became of one row: its figures as published and as the venue's bulletin has them."""

    row: Row
    verdict: str
    clauses: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    trades: int = 0
    published: Target | None = None
    venue: Target | None = None
    differences: tuple[str, ...] = ()


@dataclass(slots=True)
class Summary:
    """The replay so far. ``rows`` = exact + explained + unexplained; broken lines are apart.

    ``venues`` counts the exchanges that were started (one, unless references had to be set anew).
    """

    results: list[DayResult] = field(default_factory=list)
    broken: tuple[BrokenRow, ...] = ()
    venues: int = 0
    interrupted: bool = False

    def count(self, verdict: str) -> int:
        """Return how many rows have ``verdict``."""
        return sum(result.verdict == verdict for result in self.results)

    @property
    def exit_code(self) -> int:
        """0, or 1 if a row is unexplained, or 130 after Ctrl-C."""
        return 130 if self.interrupted else int(self.count(UNEXPLAINED) > 0)


def explained(
    row: Row,
    why: Contradiction,
    published: Target | None = None,
    notes: tuple[str, ...] = (),
) -> DayResult:
    """Return the result of a row that was not played, and why."""
    return DayResult(row, EXPLAINED, why.clauses, why.sentence, notes, published=published)


def compared(
    row: Row, published: Target, bulletin: Bulletin, trades: int, notes: tuple[str, ...]
) -> DayResult:
    """Return the result of a row that was played: exact, or every figure that differs."""
    venue = _figures(bulletin)
    differences = _differences(published, venue)
    return DayResult(
        row,
        UNEXPLAINED if differences else EXACT,
        reason="the venue's bulletin differs" if differences else "",
        notes=notes,
        trades=trades,
        published=published,
        venue=venue,
        differences=differences,
    )


def _figures(bulletin: Bulletin) -> Target:
    line = bulletin.vintages[0]
    price = line.price
    return Target(
        open_ticks=price.open_ticks,
        high_ticks=price.high_ticks,
        low_ticks=price.low_ticks,
        close_ticks=price.close_ticks,
        qty_tonnes=line.listed.day_qty_tonnes,
        turnover_fen=line.listed.day_turnover_fen,
    )


def _differences(published: Target, venue: Target) -> tuple[str, ...]:
    """Return a sentence for every published figure the venue does not have."""
    found = []
    for name in Target._fields:
        theirs, ours = getattr(published, name), getattr(venue, name)
        if theirs is None or theirs == ours:
            continue
        if name == "open_ticks" and not theirs and not published.qty_tonnes:
            continue  # an idle day's open may be left out as 0.00; the venue shows TR-101
        write = str if name == "qty_tonnes" else yuan
        found.append(f"{name.rpartition('_')[0]}: published {write(theirs)}, venue {write(ours)}")
    return tuple(found)
