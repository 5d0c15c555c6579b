"""The stylised facts of one season, by the definitions that give the observed values.

Keys are the ids of the targets without the season (``Q4``, ``BDVW`` …); a target of several parts
has one key a part (``P.end``, ``VOL.share``). What a table cannot give is left out. Shares are
fractions of one, volumes Mt, prices CNY/t, returns natural logarithms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim.results.days import ALL_DAYS, Days, Floats, Window, days_of

MT = 1e6
BN = 1e9
THIN_TONNES = 1_000
DEEP_DISCOUNT = -0.20
RUN_DAYS = 20

# The exchange's daily figures of 2022 are known from this day on: whatever needs single days is
# observed on that part of the year, and a run of 2022 is measured on the same part.
DAILY_FROM = {2022: np.datetime64("2022-05-26")}


def facts(
    quotes: pd.DataFrame,
    trades: pd.DataFrame | None = None,
    compliance: pd.DataFrame | None = None,
    *,
    window: Window = ALL_DAYS,
) -> dict[str, float]:
    """Every stylised fact the tables can give.

    ``quotes``, ``trades``, ``compliance``: tables of a Run. The season is the calendar year of the
    first trading day; rows of the January and February after it serve only JF. ``window`` narrows
    the days. Raises KeyError where ``quotes`` lacks a column.
    """
    every = days_of(quotes)
    if len(every.dates) == 0:
        return {}
    year = season_year(every)
    days = every.within(Window(None, np.datetime64(f"{year}-12-31")).cut(window))
    found = facts_of_days(days, DAILY_FROM.get(year)) | _next_year(every, year)
    if compliance is not None:
        found |= facts_of_compliance(compliance, found.get("VOL"))
    elif trades is not None and len(trades):
        found["PART"] = float(pd.concat([trades["buyer"], trades["seller"]]).nunique())
    return {key: value for key, value in found.items() if np.isfinite(value)}


def season_year(days: Days) -> int:
    """The calendar year of the first trading day."""
    return int(str(days.dates[0])[:4])


def facts_of_days(days: Days, daily_from: np.datetime64 | None = None) -> dict[str, float]:
    """The facts of volumes and prices; those of single days only from ``daily_from`` on."""
    if len(days.dates) == 0:
        return {}
    single = days.within(Window(daily_from))
    found = _months(days) | _prices(days)
    if len(single.dates):
        found |= _concentration(single) | _bulk(single) | _returns(single) | _limits(single)
    return found


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _month(days: Days) -> Any:
    return days.dates.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _months(days: Days) -> dict[str, float]:
    """Volume by part of the year and by modality: monthly figures are enough."""
    volume, month = days.volume, _month(days)
    total = float(volume.sum())
    listed, bulk = float(days.listed.sum()), float(days.bulk.sum())
    return {
        "Q4": _ratio(float(volume[month >= 10].sum()), total),
        "ND": _ratio(float(volume[month >= 11].sum()), total),
        "DEC": _ratio(float(volume[month == 12].sum()), total),
        "BULK": _ratio(bulk, total),
        "VOL": total / MT,
        "VOL.turnover": float(days.turnover.sum()) / BN,
        "SPLIT.listed": listed / MT,
        "SPLIT.bulk": bulk / MT,
        "SPLIT.auction": float(days.auction.sum()) / MT,
    }


def _next_year(every: Days, year: int) -> dict[str, float]:
    """JF from a run that goes on to the end of the next February."""
    if every.dates[-1] < np.datetime64(f"{year + 1}-02-20"):
        return {}
    return {"JF": january_february(every, every, year)}


def january_february(season: Days, after: Days, year: int) -> float:
    """Volume of January and February of ``year + 1`` over that of November and December."""
    end = np.datetime64(f"{year}-12-31")
    late = season.within(Window(np.datetime64(f"{year}-11-01"), end))
    early = after.within(Window(end + 1, np.datetime64(f"{year + 1}-03-01") - 1))
    return _ratio(float(early.volume.sum()), float(late.volume.sum()))


def _concentration(days: Days) -> dict[str, float]:
    volume = days.volume
    total, count = float(volume.sum()), len(volume)
    rising = np.sort(volume)
    # Weeks run from Monday to Sunday; 1970-01-01 was a Thursday.
    week = (days.dates.astype("datetime64[D]").astype(np.int64) + 3) // 7
    weekly = np.bincount(week - week[0], weights=volume)
    rank = np.arange(1, count + 1)
    logs = np.log(volume[volume > 0])
    return {
        "TOP10": _ratio(float(rising[-10:].sum()), total),
        "TOP20": _ratio(float(rising[-20:].sum()), total),
        "WPK": _ratio(float(weekly.max()), total),
        "GINI": _ratio(2 * float((rank * rising).sum()), count * total) - (count + 1) / count,
        "THIN": float((days.listed <= THIN_TONNES).mean()),
        "VAC1": _lag(logs),
    }


def _bulk(days: Days) -> dict[str, float]:
    """Bulk discount: the day's bulk mean price over its listed mean price, less one."""
    with_bulk = days.bulk > 0
    found = {"NOBULK": float((~with_bulk).mean())}
    if with_bulk.any():
        found["BSIZE"] = float(np.median(days.bulk[with_bulk])) / MT
    both = with_bulk & (days.listed > 0)
    if both.any():
        listed = days.listed_cny[both] / days.listed[both]
        discount = days.bulk_cny[both] / days.bulk[both] / listed - 1
        found["BDMED"] = float(np.median(discount))
        found["BDVW"] = float(np.average(discount, weights=days.bulk[both]))
        found["BDTAIL"] = float((discount < DEEP_DISCOUNT).mean())
    return found


def returns_of(days: Days) -> Floats:
    """Log returns of days that traded after a day that traded, on one price basis."""
    traded = days.listed > 0
    keep = traded[1:] & traded[:-1] & (days.basis[1:] == days.basis[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log(days.close[1:] / days.close[:-1])
    return np.asarray(change[keep & np.isfinite(change)], dtype=np.float64)


def _returns(days: Days) -> dict[str, float]:
    change = returns_of(days)
    count = len(change)
    found: dict[str, float] = {}
    if count >= 1:
        found["ZERO"] = float((change == 0).mean())
    if count >= 2:
        found["SD"] = float(change.std(ddof=1))
        found["AC1"] = _lag(change)
        found["ACABS"] = _lag(np.abs(change))
    if count >= 4:
        found["KURT"] = _excess_kurtosis(change)
    return found


def _lag(series: Floats) -> float:
    """Correlation of a series with itself one step later; not a number where it is constant."""
    if len(series) < 3:
        return float("nan")
    now, before = series[1:] - series[1:].mean(), series[:-1] - series[:-1].mean()
    spread = float(np.sqrt((now @ now) * (before @ before)))
    return _ratio(float(now @ before), spread)


def _excess_kurtosis(series: Floats) -> float:
    """Unbiased for a normal law (the estimator G2)."""
    count = len(series)
    centred = series - series.mean()
    second, fourth = float((centred**2).mean()), float((centred**4).mean())
    plain = _ratio(fourth, second**2) - 3
    return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * plain + 6)


def _prices(days: Days) -> dict[str, float]:
    close = days.close[np.isfinite(days.close)]
    found = {f"P.{name}": close_of(days, name) for name in STATISTICS}
    year = season_year(days)
    for name, end in (("oct_nov", "11-30"), ("q4", "12-31")):
        window = Window(np.datetime64(f"{year}-10-01"), np.datetime64(f"{year}-{end}"))
        found |= {f"P.{name}_{each}": close_of(days, each, window) for each in STATISTICS}
    if len(close) > RUN_DAYS:
        found["RUN20"] = float(close[-1] / close[-1 - RUN_DAYS] - 1)
    return found


STATISTICS = ("start", "end", "low", "peak", "level", "mean")


def close_of(days: Days, statistic: str, window: Window = ALL_DAYS) -> float:
    """One number of the closes in ``window``, CNY/t; not a number where there is none.

    ``level``: the median, except for a window of one day, whose close (or, where it was no
    trading day, the last one before) it is.
    """
    if window.first is not None and window.first == window.last:
        window, statistic = Window(None, window.last), "end"
    close = days.close[window.holds(days.dates) & np.isfinite(days.close)]
    if len(close) == 0:
        return float("nan")
    return {
        "start": lambda: float(close[0]),
        "end": lambda: float(close[-1]),
        "low": lambda: float(close.min()),
        "peak": lambda: float(close.max()),
        "level": lambda: float(np.median(close)),
        "mean": lambda: float(close.mean()),
    }[statistic]()


def _limits(days: Days) -> dict[str, float]:
    if days.upper is None or days.lower is None:
        return {}
    upper, lower = float(days.upper.sum()), float(days.lower.sum())
    return {"LIM": upper + lower, "LIM.upper": upper, "LIM.lower": lower}


def facts_of_compliance(table: pd.DataFrame, volume_mt: float | None) -> dict[str, float]:
    """One row per entity and obligation year; an entity's years are taken together."""
    if len(table) == 0:
        return {}
    who, first = pd.factorize(table["entity"])
    count = len(first)

    def summed(name: str) -> Floats:
        weights = table[name].to_numpy(dtype=np.float64)
        return np.bincount(who, weights=weights, minlength=count).astype(np.float64)

    lacking = np.maximum(summed("emissions_t") - summed("allocation_t"), 0)
    ccer, due, late = summed("ccer_t"), float(table["emissions_t"].sum()), summed("late_t")
    traded = summed("traded") > 0
    found = {
        "PART": float(traded.sum()),
        "PART.share": float(traded.mean()),
        # Not in full compliance: something was outstanding at the deadline.
        "COMP": float((late > 0).sum()),
        "COMP.rate": 1 - _ratio(float(late.sum()), due),
        "CCER": float(ccer.sum()) / MT,
        "CCER.users": float((ccer > 0).sum()),
        "DEF": float((lacking > 0).sum()),
        "DEF.share": float((lacking > 0).mean()),
        "DEF.sum": float(lacking.sum()) / MT,
        "DEF.net": (due - float(table["allocation_t"].sum())) / MT,
    }
    if volume_mt is not None:
        found["VOL.share"] = _ratio(volume_mt * MT, due)
    return found
