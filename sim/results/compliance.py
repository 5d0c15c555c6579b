"""Who handed in what: one row per entity and obligation year (CP-30…41, CP-60…63)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

from registry.compliance.penalty_rules import Facts, Price, assess, rule_of
from sim.scenario.model import Obligation, Scenario
from sim.season.people import People
from sim.season.streams import Array
from sim.season.surrender import Surrender


def compliance_of(scenario: Scenario, people: People, ends: list[Surrender]) -> pd.DataFrame:
    """Return the compliance table of a season, (entities x obligations) rows; money in yuan.

    What was traded, paid, carried over and lapsed is of the season so far, not of the obligation.
    """
    parts = [_of_one(scenario, people, end) for end in ends]
    return pd.concat(parts, ignore_index=True) if parts else _of_none()


def _of_none() -> pd.DataFrame:
    """Return the table of a season without a deadline: all columns, no rows."""
    return pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in COLUMNS.items()})


TEXTS = ("entity", "obligation", "sector", "province", "group")
TONNES = ("emissions_t", "allocation_t", "ccer_t", "surrendered_t", "shortfall_t", "late_t")
TRADES_T = ("bought_t", "sold_t", "carried_t", "expired_t")
MONEY = ("penalty_low_cny", "penalty_high_cny", "bought_cny", "sold_cny", "cost_cny")
COLUMNS = {
    **dict.fromkeys(TEXTS, "str"),
    **dict.fromkeys((*TONNES, *TRADES_T), "int64"),
    **dict.fromkeys(("surplus_rate", *MONEY), "float64"),
    "traded": "bool",
}
FEN_A_YUAN = 100


def _of_one(scenario: Scenario, people: People, end: Surrender) -> pd.DataFrame:
    row = end.row
    inside = np.flatnonzero(people.due_t[row] > 0)
    obligation = scenario.obligations[row]
    sectors = np.array([each.name for each in scenario.population.sectors], dtype=object)
    most = int(people.group.max(initial=-1))
    groups = np.array([""] + [f"G{number:02d}" for number in range(most + 1)], dtype=object)
    low, high = penalty_cny(obligation, end.short_t, end.money.december_cny_t)
    table = {
        "entity": np.array(people.names, dtype=object),
        "obligation": obligation.year,
        "sector": sectors[people.sector],
        "province": np.array(people.province_names, dtype=object)[people.province],
        "group": groups[people.group + 1],
        "emissions_t": people.due_t[row],
        "allocation_t": people.allocation_t[row],
        "surplus_rate": people.surplus_rate[row],
        "ccer_t": end.offset_t,
        "surrendered_t": end.surrendered_t,
        "shortfall_t": end.short_t,
        "late_t": end.short_t,
        "penalty_low_cny": low,
        "penalty_high_cny": high,
        "bought_t": end.money.bought_t,
        "sold_t": end.money.sold_t,
        "bought_cny": end.money.bought_cny,
        "sold_cny": end.money.sold_cny,
        "cost_cny": end.money.bought_cny - end.money.sold_cny + end.money.offset_cny,
        "carried_t": end.carried_t,
        "expired_t": end.expired_t,
        "traded": (end.money.bought_t + end.money.sold_t) > 0,
    }
    return pd.DataFrame(table).iloc[inside].reset_index(drop=True)


def penalty_cny(
    obligation: Obligation, short_t: Array, mean_price_cny_t: float
) -> tuple[Array, Array]:
    """Return the least and the most fine for a shortfall, by the regime of the deadline.

    CP-60, CP-61, CP-62: the registry's own rules for who has not surrendered in full.
    mean_price_cny_t: of the month by CP-63; 0 where nothing was traded.
    """
    rule = rule_of("short_surrender", obligation.deadline)
    least, most = np.zeros(len(short_t)), np.zeros(len(short_t))
    fen = Fraction(mean_price_cny_t) * FEN_A_YUAN
    for row in np.flatnonzero(short_t > 0):
        facts = Facts(int(short_t[row]), price=Price(fen.numerator, fen.denominator))
        found = assess(rule, facts)
        least[row], most[row] = found.least_fen / FEN_A_YUAN, found.most_fen / FEN_A_YUAN
    return least, most
