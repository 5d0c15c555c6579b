"""What an offence costs, by regime and date: the rulebook's table as data, and its arithmetic.

Pure. Money in fen. A rule is in force from ``first`` to before ``end``. Where a price plays a
part it is exact, a fraction of turnover over volume (CP-63); amounts are rounded half up, once.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import NamedTuple

from registry.errors import RefusalError

Period = tuple[dt.date, dt.date]
Range = tuple[int, int]

YUAN = 100  # fen
THOUSAND, MILLION = 1_000 * YUAN, 1_000_000 * YUAN
FOREVER = dt.date(9999, 12, 31)
ORDER_19: Period = (dt.date(2021, 2, 1), dt.date(2024, 5, 1))  # CP-60
ORDER_775: Period = (dt.date(2024, 5, 1), dt.date(2026, 8, 15))  # CP-61
CODE: Period = (dt.date(2026, 8, 15), FOREVER)  # CP-62
SINCE_775: Period = (ORDER_775[0], FOREVER)  # U20: the amended numbers of these are not known


class Rule(NamedTuple):
    """One offence under one regime, and what it costs.

    ``gains_times``: so many times the gains, if these are at least ``gains_from_fen``; else, or
    without it, ``fixed_fen``: between two amounts. ``price_times``: so many times the average
    price, for each tonne short. ``value_times``: so many times the value traded. ``cut``: off the
    next year's allocation: "missing" (what is still not surrendered) or "percent" of it.
    ``after``: the offence that must have been decided on before, under the same regime.
    """

    offence: str
    regime: str
    clause: str
    period: Period
    fixed_fen: Range | None = None
    gains_times: Range | None = None
    gains_from_fen: int = 0
    price_times: Range | None = None
    value_times: Range | None = None
    confiscates: bool = False  # the gains
    cut: str = ""
    cut_percent: Range = (0, 0)
    after: str = ""
    consequence: str = ""

    @property
    def is_about_shortage(self) -> bool:
        """Whether it is judged by the tonnes short of an obligation."""
        return self.offence.startswith("short_surrender")


_SHUT = "production may be shut down for rectification"
_CORRECT = "order to correct within a time limit"

RULES = (
    Rule(
        *("short_surrender", "order_19", "CP-60", ORDER_19),
        fixed_fen=(20 * THOUSAND, 30 * THOUSAND),
        cut="missing",
        consequence=_CORRECT,
    ),
    Rule(
        *("short_surrender", "order_775", "CP-61", ORDER_775),
        price_times=(5, 10),
        consequence=_CORRECT,
    ),
    Rule(
        *("short_surrender_refused", "order_775", "CP-61", ORDER_775),
        cut="missing",
        after="short_surrender",
        consequence=_SHUT,
    ),
    Rule(
        *("short_surrender", "code", "CP-62", CODE),
        fixed_fen=(1 * MILLION, 5 * MILLION),
        consequence=_CORRECT,
    ),
    Rule(
        *("short_surrender_refused", "code", "CP-62", CODE),
        price_times=(5, 10),
        after="short_surrender",
        consequence=_SHUT,
    ),
    Rule(
        *("reporting", "order_19", "CP-60", ORDER_19),
        fixed_fen=(10 * THOUSAND, 30 * THOUSAND),
    ),
    Rule(
        *("false_data", "order_19", "CP-60", ORDER_19),
        fixed_fen=(10 * THOUSAND, 30 * THOUSAND),
    ),
    Rule(
        *("reporting", "order_775", "CP-64", SINCE_775),
        fixed_fen=(50 * THOUSAND, 500 * THOUSAND),
    ),
    Rule(
        *("false_data", "order_775", "CP-64", SINCE_775),
        gains_times=(5, 10),
        gains_from_fen=500 * THOUSAND,
        fixed_fen=(500 * THOUSAND, 2 * MILLION),
        confiscates=True,
    ),
    Rule(
        *("false_data_refused", "order_775", "CP-64", SINCE_775),
        cut="percent",
        cut_percent=(50, 100),
        after="false_data",
        consequence=_SHUT,
    ),
    Rule(
        *("false_data_person", "order_775", "CP-64", SINCE_775),
        fixed_fen=(50 * THOUSAND, 200 * THOUSAND),
    ),
    Rule(
        *("test_report", "order_775", "CP-65", SINCE_775),
        gains_times=(5, 10),
        gains_from_fen=20 * THOUSAND,
        fixed_fen=(20 * THOUSAND, 100 * THOUSAND),
        confiscates=True,
    ),
    Rule(
        *("verification", "order_775", "CP-65", SINCE_775),
        gains_times=(5, 10),
        gains_from_fen=200 * THOUSAND,
        fixed_fen=(200 * THOUSAND, 1 * MILLION),
        confiscates=True,
        consequence="barred from emission reports and verification",
    ),
    Rule(
        *("body_person", "order_775", "CP-65", SINCE_775),
        fixed_fen=(20 * THOUSAND, 200 * THOUSAND),
        consequence="barred for five years, in grave cases for life",
    ),
    Rule(
        *("manipulation", "order_775", "CP-66", SINCE_775),
        gains_times=(1, 10),
        gains_from_fen=500 * THOUSAND,
        fixed_fen=(500 * THOUSAND, 5 * MILLION),
        confiscates=True,
    ),
    Rule(
        *("manipulation_person", "order_775", "CP-66", SINCE_775),
        fixed_fen=(100 * THOUSAND, 1 * MILLION),
    ),
    Rule(
        *("disruption", "order_775", "CP-66", SINCE_775),
        gains_times=(1, 10),
        gains_from_fen=100 * THOUSAND,
        fixed_fen=(100 * THOUSAND, 1 * MILLION),
        confiscates=True,
    ),
    Rule(
        *("disruption_person", "order_775", "CP-66", SINCE_775),
        fixed_fen=(50 * THOUSAND, 500 * THOUSAND),
    ),
    Rule(
        *("prohibited_trading", "order_775", "CP-67", SINCE_775),
        value_times=(0, 1),
        confiscates=True,
        consequence="holdings are disposed of",
    ),
    Rule(
        *("obstruction", "order_775", "CP-67", SINCE_775),
        fixed_fen=(20 * THOUSAND, 200 * THOUSAND),
    ),
)
OFFENCES = tuple(dict.fromkeys(rule.offence for rule in RULES))


class Price(NamedTuple):
    """The average price of a month, exactly: turnover over volume of all deals (CP-63, U19)."""

    turnover_fen: int
    volume_tonnes: int

    @property
    def fen(self) -> Fraction:
        """Fen a tonne."""
        return Fraction(self.turnover_fen, self.volume_tonnes)


class Facts(NamedTuple):
    """What a case is judged by. ``short_tonnes``: at the deadline; ``missing_tonnes``: by now."""

    short_tonnes: int = 0
    missing_tonnes: int = 0
    price: Price | None = None
    gains_fen: int = 0
    value_fen: int = 0
    allocation_tonnes: int = 0  # of the next year
    cut_percent: int = 0


class Assessment(NamedTuple):
    """The range of the fine, what is confiscated, and what is cut off the next allocation."""

    least_fen: int
    most_fen: int
    confiscated_fen: int
    cut_tonnes: int


def rule_of(offence: str, date: dt.date) -> Rule:
    """Return the rule for an offence on a day; RefusalError unknown_offence, no_rule."""
    if offence not in OFFENCES:
        known = ", ".join(OFFENCES)
        raise RefusalError("unknown_offence", f"{offence!r} is none of {known} (CP-60 to CP-67).")
    for rule in RULES:
        if rule.offence == offence and rule.period[0] <= date < rule.period[1]:
            return rule
    raise RefusalError("no_rule", f"No rule on {offence} was in force on {date} (CP-60 to CP-67).")


def as_decided(rule: Rule, date: dt.date) -> Rule:
    """Return a rule as it may be applied on a day; RefusalError no_rule.

    Whatever regime a shortage falls under: from the day of the Code on nobody decides that a
    quantity is cut for it (CP-62).
    """
    if rule.cut != "missing" or date < CODE[0]:
        return rule
    if rule.fixed_fen is None:
        raise RefusalError(
            "no_rule", f"Since {CODE[0]} no quantity is cut for a shortage any more (CP-62)."
        )
    return rule._replace(cut="")


def half_up(amount: Fraction) -> int:
    """Return whole fen, a half rounded up."""
    return int((2 * amount + 1) // 2)


def assess(rule: Rule, facts: Facts) -> Assessment:
    """Return what an offence costs; RefusalError no_average_price, percent_invalid."""
    least, most = _fine(rule, facts)
    confiscated = facts.gains_fen if rule.confiscates else 0
    return Assessment(least, most, confiscated, _cut(rule, facts))


def _fine(rule: Rule, facts: Facts) -> Range:
    if rule.price_times is not None:
        if facts.price is None:
            raise RefusalError(
                "no_average_price", f"Nothing was traded in the month of the price ({rule.clause})."
            )
        tonnes = facts.missing_tonnes if rule.after else facts.short_tonnes
        return _times(rule.price_times, facts.price.fen * tonnes)
    if rule.value_times is not None:
        return _times(rule.value_times, Fraction(facts.value_fen))
    if rule.gains_times is not None and facts.gains_fen >= rule.gains_from_fen:
        return _times(rule.gains_times, Fraction(facts.gains_fen))
    return rule.fixed_fen or (0, 0)


def _times(times: Range, amount: Fraction) -> Range:
    return half_up(times[0] * amount), half_up(times[1] * amount)


def _cut(rule: Rule, facts: Facts) -> int:
    if rule.cut == "missing":
        return facts.missing_tonnes
    if rule.cut == "percent":
        least, most = rule.cut_percent
        if not least <= facts.cut_percent <= most:
            raise RefusalError(
                "percent_invalid", f"The cut is {least} to {most} per cent ({rule.clause})."
            )
        return facts.allocation_tonnes * facts.cut_percent // 100
    return 0
