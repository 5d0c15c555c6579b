"""Sharing a day's listed volume and turnover among vintages whose closes are given (TR-100).

A vintage with V tonnes closes at c exactly if its turnover lies within half a tick x V of c x V; so
for every V there is an interval of turnovers, and the question is which volumes make the intervals
add up to the published turnover. Those that need not trade much get as little as they can; one
vintage, or two whose closes lie on both sides of the mean, carry the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Odd(NamedTuple):
    """Single tonnes that are traded at given prices whatever comes: how many, for how much."""

    tonnes: int
    fen: int


class Vintage(NamedTuple):
    """What a vintage has to do: its close, the prices its rest may have, its odd tonnes."""

    close_ticks: int
    rest_low_ticks: int
    rest_high_ticks: int
    odd: Odd
    must_trade: bool


class Share(NamedTuple):
    """What a vintage trades in all."""

    tonnes: int
    fen: int


def split(vintages: Sequence[Vintage], qty_tonnes: int, fen: int) -> dict[int, Share] | None:
    """Return each trading vintage's share, exactly adding up, or None if none was found."""
    least: dict[int, int] = {}
    for row, vintage in enumerate(vintages):
        if vintage.must_trade:
            tonnes = _least(vintage, qty_tonnes)
            if not tonnes:
                return None
            least[row] = tonnes
    for volumes in _volumes(vintages, least, qty_tonnes, fen):
        shares = _fill(vintages, volumes, fen)
        if shares is not None:
            return shares
    return None


def interval(vintage: Vintage, tonnes: int) -> tuple[int, int] | None:
    """Return the least and most turnover of ``tonnes`` that close as wanted; None: impossible."""
    rest = tonnes - vintage.odd.tonnes
    if rest < 0 or tonnes < 1:
        return None
    close = vintage.close_ticks
    least = max(-(-(2 * close - 1) * tonnes // 2), vintage.odd.fen + rest * vintage.rest_low_ticks)
    most = min(
        -(-(2 * close + 1) * tonnes // 2) - 1, vintage.odd.fen + rest * vintage.rest_high_ticks
    )
    return (least, most) if least <= most else None


def _least(vintage: Vintage, qty_tonnes: int) -> int:
    """Return few tonnes with which the vintage can close as wanted; 0: there are none."""
    odd = vintage.odd.tonnes
    away = abs(vintage.odd.fen - odd * vintage.close_ticks)
    few: tuple[int, ...] = (*range(max(1, odd), odd + 6), away // 3, away, 2 * away, 2 * away + 2)
    for tonnes in few:
        if max(1, odd) <= tonnes <= qty_tonnes and interval(vintage, tonnes):
            return tonnes
    return 0


def _volumes(
    vintages: Sequence[Vintage], least: dict[int, int], qty_tonnes: int, fen: int
) -> Iterator[dict[int, int]]:
    """Yield volumes to try: one vintage carries, then two do."""
    rows = range(len(vintages))
    for row in rows:
        others = {each: tonnes for each, tonnes in least.items() if each != row}
        carried = qty_tonnes - sum(others.values())
        if carried >= least.get(row, 1):
            yield {**others, row: carried}
    for row in rows:
        for other in rows[row + 1 :]:
            rest = {each: tonnes for each, tonnes in least.items() if each not in (row, other)}
            carried = qty_tonnes - sum(rest.values())
            left = fen - sum(vintages[each].close_ticks * tonnes for each, tonnes in rest.items())
            for part in _parts(
                vintages[row].close_ticks, vintages[other].close_ticks, carried, left
            ):
                if part >= least.get(row, 1) and carried - part >= least.get(other, 1):
                    yield {**rest, row: part, other: carried - part}


def _parts(close: int, other: int, tonnes: int, fen: int) -> Iterator[int]:
    """Yield how much of ``tonnes`` at ``close``, the rest at ``other``, costs about ``fen``."""
    if close == other:
        yield tonnes // 2
        return
    part = (fen - other * tonnes) // (close - other)
    for step in (0, 1, -1, 2, -2, 5, -5):
        yield part + step


def _fill(
    vintages: Sequence[Vintage], volumes: dict[int, int], fen: int
) -> dict[int, Share] | None:
    """Return turnovers within the intervals that add up to ``fen``: small vintages near the middle,
    the largest takes what is left."""
    spans: dict[int, tuple[int, int]] = {}
    for row, tonnes in volumes.items():
        span = interval(vintages[row], tonnes)
        if span is None:
            return None
        spans[row] = span
    left = fen - sum(least for least, _ in spans.values())
    if not 0 <= left <= sum(most - least for least, most in spans.values()):
        return None
    amounts = {row: least for row, (least, _) in spans.items()}
    by_size = sorted(volumes, key=lambda row: volumes[row])
    for row in by_size[:-1]:
        least, most = spans[row]
        amounts[row] += (more := min(left, (most - least) // 2))
        left -= more
    for row in reversed(by_size):
        amounts[row] += (more := min(left, spans[row][1] - amounts[row]))
        left -= more
    return {row: Share(volumes[row], amounts[row]) for row in volumes}
