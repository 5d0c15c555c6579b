"""A day's bulk deals and bidding sessions, from its published volumes and turnovers."""

from __future__ import annotations

from collections.abc import Sequence

from engine.rulebook import Rules
from engine.units import price_limits
from sim.official.bulk_deals import BulkDeal, Limits, find_bulk
from sim.official.figures import AUCTION, BULK, TOTAL, Excuse, Figures, wrong_totals
from sim.official.realise import Contradiction
from sim.official.sessions import Session, field_of, find_sessions


def negotiated(
    figures: Figures, references: Sequence[int], rules: Rules
) -> tuple[tuple[BulkDeal, ...], tuple[Session, ...], tuple[Excuse, ...]]:
    """Return the bulk deals and sessions of a day, and excuses for what breaks a rule.

    A volume without a published turnover is traded at the reference of the first vintage.
    """
    excuses = wrong_totals(figures)
    bulk = _bulk(figures, references, rules)
    if isinstance(bulk, Contradiction):
        excuses.append(Excuse(bulk, (*BULK, *TOTAL)))
        bulk = ()
    sessions = _sessions(figures, references, rules)
    if isinstance(sessions, Contradiction):
        excuses.append(Excuse(sessions, (*AUCTION, *TOTAL)))
        sessions = ()
    return bulk, sessions, tuple(excuses)


def _bulk(
    figures: Figures, references: Sequence[int], rules: Rules
) -> tuple[BulkDeal, ...] | Contradiction:
    qty = figures.bulk_qty_tonnes or 0
    fen = _turnover(figures.bulk_turnover_fen, qty, references)
    limits = [
        Limits(row, *price_limits(references[row], rules.bulk_band_bp))
        for row in _nearest(references, qty, fen)
    ]
    return find_bulk(qty, fen, limits, rules.bulk_qty_min)


def _sessions(
    figures: Figures, references: Sequence[int], rules: Rules
) -> tuple[Session, ...] | Contradiction:
    qty = figures.auction_qty_tonnes or 0
    if qty and not rules.auction_enabled:
        return Contradiction("TR-80", "there was no one-way bidding yet")
    fen = _turnover(figures.auction_turnover_fen, qty, references)
    fields = [
        field_of(row, references[row], rules.auction_band_bp)
        for row in _nearest(references, qty, fen)
    ]
    return find_sessions(qty, fen, fields, rules.auction_qty_min)


def _turnover(fen: int | None, qty_tonnes: int, references: Sequence[int]) -> int:
    return references[0] * qty_tonnes if fen is None else fen


def _nearest(references: Sequence[int], qty_tonnes: int, fen: int) -> list[int]:
    """Return the vintages' rows, the one whose reference is nearest to the mean price first."""
    mean = fen // qty_tonnes if qty_tonnes else 0
    return sorted(range(len(references)), key=lambda row: abs(references[row] - mean))
