"""The trading days of one season as arrays: what the stylised facts are computed from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

COMPOSITE = "COMPOSITE"
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]

# First days on which the published close is computed another way (TR-104): the return into such a
# day compares two different prices.
BASIS_CHANGES = np.array(["2023-08-28", "2026-01-05"], dtype="datetime64[D]")


class Window(NamedTuple):
    """First and last day, both included; None = open on that side."""

    first: np.datetime64 | None = None
    last: np.datetime64 | None = None

    def holds(self, dates: Dates) -> Bools:
        """True where a date lies inside."""
        inside = np.ones(len(dates), dtype=bool)
        if self.first is not None:
            inside &= dates >= self.first
        if self.last is not None:
            inside &= dates <= self.last
        return inside

    def cut(self, other: Window) -> Window:
        """The days that lie in both windows."""
        firsts = [each.first for each in (self, other) if each.first is not None]
        lasts = [each.last for each in (self, other) if each.last is not None]
        return Window(max(firsts, default=None), min(lasts, default=None))


ALL_DAYS = Window()


class Days(NamedTuple):
    """One entry per trading day, in order: composite close (CNY/t), volumes (t), turnovers (CNY).

    ``basis``: equal numbers = closes that may be compared. ``upper``, ``lower``: a listed trade at
    that limit of the day; None = not known.
    """

    dates: Dates
    close: Floats
    listed: Floats
    bulk: Floats
    auction: Floats
    listed_cny: Floats
    bulk_cny: Floats
    auction_cny: Floats
    basis: npt.NDArray[np.int64]
    upper: Bools | None
    lower: Bools | None

    @property
    def volume(self) -> Floats:
        """Tonnes of the day in all three modalities."""
        return self.listed + self.bulk + self.auction

    @property
    def turnover(self) -> Floats:
        """CNY of the day in all three modalities."""
        return self.listed_cny + self.bulk_cny + self.auction_cny

    def within(self, window: Window) -> Days:
        """The days inside ``window`` only."""
        if window == ALL_DAYS:
            return self
        return self.where(window.holds(self.dates))

    def where(self, keep: Bools) -> Days:
        """The days for which ``keep`` is true."""
        columns: list[Any] = [None if column is None else column[keep] for column in self]
        return Days(*columns)


def days_of(quotes: pd.DataFrame) -> Days:
    """Arrays of a run's ``quotes``; only the COMPOSITE rows count.

    A column ``price_basis``, where there is one, says which closes may be compared; without it the
    price basis changes on the days on which the rule of the composite changed (TR-104).
    Raises KeyError where a needed column is missing.
    """
    rows = np.flatnonzero(quotes["instrument"].to_numpy() == COMPOSITE)
    dates = quotes["date"].to_numpy()[rows].astype("datetime64[D]")
    order = np.argsort(dates, kind="stable")
    rows, dates = rows[order], dates[order]

    def numbers(name: str) -> Floats:
        return np.asarray(quotes[name].to_numpy()[rows], dtype=np.float64)

    def flags(name: str) -> Bools | None:
        if name not in quotes.columns:
            return None
        return np.asarray(quotes[name].to_numpy()[rows], dtype=bool)

    return Days(
        dates,
        numbers("close_cny"),
        numbers("listed_volume_t"),
        numbers("bulk_volume_t"),
        numbers("auction_volume_t"),
        numbers("listed_turnover_cny"),
        numbers("bulk_turnover_cny"),
        numbers("auction_turnover_cny"),
        _basis(quotes, rows, dates),
        flags("touched_upper"),
        flags("touched_lower"),
    )


def _basis(quotes: pd.DataFrame, rows: Any, dates: Dates) -> npt.NDArray[np.int64]:
    if "price_basis" not in quotes.columns:
        return np.searchsorted(BASIS_CHANGES, dates, side="right").astype(np.int64)
    names = quotes["price_basis"].to_numpy()[rows]
    return np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)


def joined(several: list[Days]) -> Days:
    """Seasons one after the other."""
    if len(several) == 1:
        return several[0]
    columns: list[Any] = [
        None if any(column is None for column in same) else np.concatenate(same)
        for same in zip(*several, strict=True)
    ]
    return Days(*columns)
