"""The surveillance report of a day: its struct, its JSON, its text. NOT public, it names accounts.

marketdata/surveillance.py makes it.
"""

from __future__ import annotations

import msgspec

from marketdata.bulletin import percent, yuan


class SelfDealing(msgspec.Struct, frozen=True):
    """Attempts of one account to deal with itself (TR-50, TR-120): refused, or cut short."""

    account: int
    attempts: int


class Cancelling(msgspec.Struct, frozen=True):
    """An account that took back most of what it listed."""

    account: int
    accepted: int
    cancelled: int


class LimitDay(msgspec.Struct, frozen=True):
    """An instrument closed at a price limit, ``days`` trading days running (TR-144)."""

    instrument: str
    limit: str  # upper, lower
    close_ticks: int
    days: int


class Swing(msgspec.Struct, frozen=True):
    """A large move of the day: close against reference, high against low, in basis points."""

    instrument: str
    change_bp: int
    range_bp: int


class LargeHolder(msgspec.Struct, frozen=True):
    """An account at or above the reporting threshold, tonnes of all vintages (TR-112)."""

    account: int
    qty_tonnes: int


class VoidedTrade(msgspec.Struct, frozen=True):
    """A deal undone before settlement (TR-121)."""

    trade_no: int
    instrument: str
    buyer: int
    seller: int
    price_ticks: int
    qty_tonnes: int
    modality: int


class Measure(msgspec.Struct, frozen=True):
    """Something the exchange did: ``what`` is the event's name; fields that mean nothing are -1.

    ``qty`` is the event's own number: bits of a block, a stage of warning, tonnes of a guard or a
    court's freeze, orders that a kill cancelled.
    """

    seq: int
    time_us: int
    what: str
    account: int
    instrument: str
    qty: int


class SurveillanceReport(msgspec.Struct, frozen=True):
    """One trading day for the supervisor."""

    date: int
    closed: bool
    self_dealing: tuple[SelfDealing, ...]
    cancelling: tuple[Cancelling, ...]
    limit_days: tuple[LimitDay, ...]
    swings: tuple[Swing, ...]
    large_holders: tuple[LargeHolder, ...]
    voided_trades: tuple[VoidedTrade, ...]
    measures: tuple[Measure, ...]


def to_json(report: SurveillanceReport) -> bytes:
    """Return the report as JSON."""
    return msgspec.json.encode(report)


def to_text(report: SurveillanceReport) -> str:
    """Return the report for people, a section per subject; ends with a line feed."""
    date = f"{report.date:08d}"
    lines = [
        "监察日报 Surveillance report, for the supervisor only",
        f"{date[:4]}-{date[4:6]}-{date[6:]}"
        + ("" if report.closed else " (the day is not closed)"),
    ]
    for title, found in (
        ("Attempts to deal with oneself (TR-50, TR-120)", _self_dealing_lines(report)),
        ("Accounts that mostly cancelled", _cancelling_lines(report)),
        ("Closes at a price limit (TR-144)", _limit_lines(report)),
        ("Large swings (TR-144)", _swing_lines(report)),
        ("Large holders (TR-112)", _holder_lines(report)),
        ("Voided trades (TR-121)", _void_lines(report)),
        ("Measures taken (TR-113…117)", _measure_lines(report)),
    ):
        lines += ["", title, *(f"  {line}" for line in found or ["none"])]
    return "\n".join(lines) + "\n"


def _self_dealing_lines(report: SurveillanceReport) -> list[str]:
    return [f"account {each.account}: {each.attempts}" for each in report.self_dealing]


def _cancelling_lines(report: SurveillanceReport) -> list[str]:
    return [
        f"account {each.account}: {each.cancelled} of {each.accepted} listings taken back"
        for each in report.cancelling
    ]


def _limit_lines(report: SurveillanceReport) -> list[str]:
    return [
        f"{each.instrument}: {each.limit} limit, {yuan(each.close_ticks)}, day {each.days} running"
        for each in report.limit_days
    ]


def _swing_lines(report: SurveillanceReport) -> list[str]:
    return [
        f"{each.instrument}: {percent(each.change_bp)}, high over low {percent(each.range_bp)}"
        for each in report.swings
    ]


def _holder_lines(report: SurveillanceReport) -> list[str]:
    return [f"account {each.account}: {each.qty_tonnes:,} t" for each in report.large_holders]


def _void_lines(report: SurveillanceReport) -> list[str]:
    return [
        f"trade {each.trade_no}: {each.instrument}, {each.qty_tonnes:,} t at "
        f"{yuan(each.price_ticks)}, buyer {each.buyer}, seller {each.seller}"
        for each in report.voided_trades
    ]


def _measure_lines(report: SurveillanceReport) -> list[str]:
    return [
        f"{each.what}"
        + (f", account {each.account}" if each.account >= 0 else "")
        + (f", {each.instrument}" if each.instrument else "")
        + (f", {each.qty:,}" if each.qty else "")
        for each in report.measures
    ]
