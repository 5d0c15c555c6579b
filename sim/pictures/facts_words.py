"""How a stylised fact is called and written: words, unit, factor to that unit, decimals."""

from __future__ import annotations

import math
from typing import NamedTuple


class Wording(NamedTuple):
    """``factor`` turns the fact into ``unit``."""

    words: str
    unit: str
    factor: float = 1.0
    decimals: int = 2

    def number(self, value: float) -> str:
        """The value in its unit, without it; a dash where there is none."""
        if not math.isfinite(value):
            return "–"
        return f"{self.factor * value:,.{self.decimals}f}"


def _share(words: str, decimals: int = 1) -> Wording:
    return Wording(words, "%", 100.0, decimals)


WORDINGS = {
    "VOL": Wording("Volume", "Mt", decimals=1),
    "VOL.turnover": Wording("Turnover", "bn CNY"),
    "SPLIT.listed": Wording("Listed volume", "Mt", decimals=1),
    "SPLIT.bulk": Wording("Bulk volume", "Mt", decimals=1),
    "SPLIT.auction": Wording("One-way bidding volume", "Mt", decimals=1),
    "BULK": _share("Bulk share of the volume"),
    "Q4": _share("Volume in October–December"),
    "ND": _share("Volume in November–December"),
    "DEC": _share("Volume in December"),
    "TOP10": _share("Volume on the ten busiest days"),
    "WPK": _share("Volume in the busiest week"),
    "NOBULK": _share("Days without a bulk trade"),
    "THIN": _share("Days with listed volume up to 1,000 t"),
    "P.start": Wording("First close", "CNY/t"),
    "P.end": Wording("Last close", "CNY/t"),
    "P.low": Wording("Lowest close", "CNY/t"),
    "P.peak": Wording("Highest close", "CNY/t"),
    "P.mean": Wording("Mean close", "CNY/t"),
    "RUN20": _share("Close over the last 20 days"),
    "SD": _share("Standard deviation of daily returns", 2),
    "AC1": Wording("Autocorrelation of returns", "", 1.0),
    "ACABS": Wording("Autocorrelation of absolute returns", "", 1.0),
    "BDMED": _share("Bulk discount, median of the days"),
    "BDVW": _share("Bulk discount, volume-weighted"),
    "LIM.upper": Wording("Days at the upper limit", "days", decimals=0),
    "LIM.lower": Wording("Days at the lower limit", "days", decimals=0),
    "PART": Wording("Entities that traded", "", decimals=0),
    "PART.share": _share("Share of the entities that traded"),
    "DEF": Wording("Entities in deficit", "", decimals=0),
    "DEF.sum": Wording("Sum of the deficits", "Mt", decimals=1),
    "CCER": Wording("Offsets (CCER) used", "Mt"),
    "CCER.users": Wording("Entities that used offsets", "", decimals=0),
    "COMP": Wording("Entities not in full compliance", "", decimals=0),
    "COMP.rate": _share("Tonnes handed in at the deadline", 3),
}


def wording(fact: str) -> Wording:
    """The words of a fact; its key where it has none."""
    return WORDINGS.get(fact, Wording(fact, ""))
