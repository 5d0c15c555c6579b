"""What became of the official days: one result a row, a summary of all.

``exact``: the venue's bulletin is the published row, to the fen. ``explained``: the row, or some of
its figures, breaks a rule (the clause is named); what does not was played if it could be, and is
exact. ``unexplained``: everything else; there should be none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from marketdata.bulletin import Bulletin
from sim.official.days import BrokenRow, Row
from sim.official.figures import Excuse, Figures, differences, lived
from sim.official.realise import Contradiction
from sim.official.venue import Deals

EXACT, EXPLAINED, UNEXPLAINED = "exact", "explained", "unexplained"
VERDICTS = (EXACT, EXPLAINED, UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class DayResult:
    """What became of one row: its figures as published and as the venue's bulletin has them.

    ``venue`` is None if the row was not played. ``trades`` counts all that were made; of these
    ``bulk_deals`` and ``bids`` (that won) were not listed ones.
    """

    row: Row
    verdict: str
    clauses: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    trades: int = 0
    bulk_deals: int = 0
    bids: int = 0
    published: Figures | None = None
    venue: Figures | None = None
    differences: tuple[str, ...] = ()

    @property
    def negotiated(self) -> int:
        """Trades that were not listed ones."""
        return self.bulk_deals + self.bids


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
    published: Figures | None = None,
    notes: tuple[str, ...] = (),
) -> DayResult:
    """Return the result of a row that was not played, and why."""
    return DayResult(row, EXPLAINED, why.clauses, why.sentence, notes, published=published)


def compared(
    row: Row,
    published: Figures,
    bulletin: Bulletin,
    deals: Deals,
    notes: tuple[str, ...],
    excuses: Sequence[Excuse] = (),
) -> DayResult:
    """Return the result of a row that was played: exact, or every figure that differs.

    A difference in a figure that breaks a rule is explained; any other is not.
    """
    venue = lived(row, bulletin, published.closes_ticks)
    found = differences(published, venue)
    excused = {name for excuse in excuses for name in excuse.names}
    if set(found) - excused:
        verdict, reason, clauses = UNEXPLAINED, "the venue's bulletin differs", ""
    elif excuses:
        verdict, reason = EXPLAINED, "; ".join(excuse.why.sentence for excuse in excuses)
        clauses = ", ".join(dict.fromkeys(excuse.why.clauses for excuse in excuses))
    else:
        verdict, reason, clauses = EXACT, "", ""
    bids = sum(session.winners for session in deals.sessions)
    return DayResult(
        row,
        verdict,
        clauses,
        reason,
        notes,
        trades=len(deals.listed) + len(deals.bulk) + bids,
        bulk_deals=len(deals.bulk),
        bids=bids,
        published=published,
        venue=venue,
        differences=tuple(found.values()),
    )
