"""What was observed on the real market, where it may be used.

Shipped (``data/observed.toml``): monthly and yearly figures and statistics of the seasons 2021,
2022 and 2024; their source is the Shanghai Environment and Energy Exchange (monthly bulletins), and
whoever shows them names it. The exchange's daily table is not shipped: it is read from a file
that the user gives.

``python -m sim.results.observed DAILY.csv MONTHLY.csv`` prints the TOML anew.
"""

from __future__ import annotations

import csv
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sim.official.days import LISTED, OfficialFileError, Row
from sim.official.days import read_daily as read_rows
from sim.results.days import COMPOSITE, Days, days_of
from sim.results.facts import BN, MT, facts_of_days

SHIPPED = Path(__file__).parent / "data" / "observed.toml"
SOURCE = "Shanghai Environment and Energy Exchange, daily and monthly bulletins"
SEASONS = (2021, 2022, 2024)
# A listed trade within half a percent of a tenth of the previous close: at the limit (TR-20),
# which the published high and low show only to the rounding of the published close.
AT_LIMIT = 0.0995
_FIGURES = (
    *("listed_volume_t", "listed_turnover_cny", "bulk_volume_t", "bulk_turnover_cny"),
    *("auction_volume_t", "auction_turnover_cny"),
)


class ObservedFileError(Exception):
    """A daily file cannot be used; the message names the file, the line and why."""


def read_daily(path: str | Path) -> pd.DataFrame:
    """The exchange's daily file as a ``quotes`` table of COMPOSITE rows (CNY/t, t, CNY).

    ``price_basis`` says which closes may be compared; ``touched_upper`` and ``touched_lower`` are
    known only where the day and the one before have one listed instrument, else false.
    Raises ObservedFileError: the file is missing, lacks a column, or a line is broken.
    """
    try:
        read = read_rows(Path(path))
    except OfficialFileError as broken:
        raise ObservedFileError(str(broken)) from None
    if read.broken:
        first = read.broken[0]
        raise ObservedFileError(f"{path}, line {first.line}: {first.reason}")
    table = pd.DataFrame([_record(row) for row in read.rows])
    if table.empty:
        raise ObservedFileError(f"{path} has no rows")
    before, listed = table["close_cny"].shift(), table["price_basis"] == LISTED
    comparable = listed & listed.shift(fill_value=False)
    table["touched_upper"] = comparable & (table["high_cny"] / before - 1 >= AT_LIMIT)
    table["touched_lower"] = comparable & (table["low_cny"] / before - 1 <= -AT_LIMIT)
    return table


def _record(row: Row) -> dict[str, Any]:
    def number(value: Any) -> float:
        return float("nan") if value is None else float(value)

    amounts = {
        "listed_volume_t": row.listed_qty,
        "listed_turnover_cny": row.listed_turnover,
        "bulk_volume_t": row.bulk_qty or 0,
        "bulk_turnover_cny": row.bulk_turnover or 0,
        "auction_volume_t": row.auction_qty or 0,
        "auction_turnover_cny": row.auction_turnover or 0,
    }
    prices = {"open_cny": row.open, "high_cny": row.high, "low_cny": row.low}
    return {
        "date": pd.Timestamp(row.date),
        "instrument": COMPOSITE,
        **{name: number(value) for name, value in prices.items()},
        "close_cny": number(row.close),
        **{name: number(value) for name, value in amounts.items()},
        "price_basis": row.basis,
    }


def days_of_season(daily: pd.DataFrame, year: int) -> Days:
    """The observed trading days of one calendar year."""
    return days_of(daily[daily["date"].dt.year == year])


def facts_of_daily(daily: pd.DataFrame, year: int) -> dict[str, float]:
    """The stylised facts of the days of ``year`` that the file has.

    Limit days only where all closes are of one listed instrument. For 2022, whose first months have
    no daily rows, volumes by month are those of the monthly bulletins (``observed_facts``).
    """
    days = days_of_season(daily, year)
    found = facts_of_days(days)
    one = daily.loc[daily["date"].dt.year == year, "price_basis"] == LISTED
    return {key: value for key, value in found.items() if one.all() or not key.startswith("LIM")}


@cache
def _shipped() -> dict[str, Any]:
    return tomllib.loads(SHIPPED.read_text(encoding="utf-8"))


def monthly() -> pd.DataFrame:
    """Published figures by month: ``month`` ("2021-07"), volumes (t) and turnovers (CNY)."""
    table = pd.DataFrame.from_dict(_shipped()["month"], orient="index")
    return table.rename_axis("month").reset_index()


def yearly() -> pd.DataFrame:
    """The same figures by ``year``, sums of the months."""
    table = pd.DataFrame.from_dict(_shipped()["year"], orient="index")
    return table.rename_axis("year").reset_index()


def observed_facts(year: int) -> dict[str, float]:
    """The shipped statistics of a season, by the keys of ``facts``; {} for a season kept aside."""
    found: dict[str, float] = _shipped()["facts"].get(str(year), {})
    return dict(found)


def monthly_facts(months: pd.DataFrame, year: int) -> dict[str, float]:
    """Volume facts of a calendar year from monthly figures (columns as ``monthly``)."""
    rows = months[months["month"].str.startswith(f"{year}-")]
    total = rows["listed_volume_t"] + rows["bulk_volume_t"] + rows["auction_volume_t"]
    number = rows["month"].str[5:].astype(int)
    turnover = sum(float(rows[name].sum()) for name in _FIGURES if "turnover" in name)
    whole = float(total.sum())
    found = {
        "Q4": float(total[number >= 10].sum()) / whole,
        "ND": float(total[number >= 11].sum()) / whole,
        "DEC": float(total[number == 12].sum()) / whole,
        "BULK": float(rows["bulk_volume_t"].sum()) / whole,
        "VOL": whole / MT,
        "VOL.turnover": turnover / BN,
        "SPLIT.listed": float(rows["listed_volume_t"].sum()) / MT,
        "SPLIT.bulk": float(rows["bulk_volume_t"].sum()) / MT,
    }
    after = months[months["month"].isin([f"{year + 1}-01", f"{year + 1}-02"])]
    if len(after) == 2:
        early = float(after[[name for name in _FIGURES if "volume" in name]].to_numpy().sum())
        found["JF"] = early / float(total[number >= 11].sum())
    return found


def read_monthly(path: str | Path) -> pd.DataFrame:
    """The exchange's monthly bulletins: ``month`` and the six amounts. Raises ObservedFileError."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return pd.DataFrame(
            [
                {"month": row["month"]} | {name: float(row[name]) for name in _FIGURES}
                for row in rows
            ]
        )
    except (OSError, KeyError, ValueError) as broken:
        raise ObservedFileError(f"{path}: {broken}") from None


def as_toml(daily: pd.DataFrame, months: pd.DataFrame) -> str:
    """What is shipped, computed from the daily file and the monthly bulletins."""
    lines = [f'source = "{SOURCE}"', ""]
    for row in months.to_dict("records"):
        lines += [f'[month."{row["month"]}"]', *_items({name: row[name] for name in _FIGURES}), ""]
    for year in SEASONS:
        sums = months.loc[months["month"].str.startswith(str(year)), list(_FIGURES)].sum()
        lines += [f"[year.{year}]", *_items({name: float(sums[name]) for name in _FIGURES}), ""]
    for year in SEASONS:
        found = facts_of_daily(daily, year) | monthly_facts(months, year)
        if year == SEASONS[1]:  # five months without daily rows: no busiest week, no first close
            for key in ("WPK", "P.start", "P.mean", "P.level", "P.low", "P.peak"):
                found.pop(key)
        lines += [f"[facts.{year}]", *_items(found), ""]
    return "\n".join(lines)


def _items(values: dict[str, float]) -> list[str]:
    return [
        f'"{name}" = {round(float(value), 6)!r}'
        for name, value in values.items()
        if np.isfinite(value)
    ]


if __name__ == "__main__":
    sys.stdout.write(as_toml(read_daily(sys.argv[1]), read_monthly(sys.argv[2])))
