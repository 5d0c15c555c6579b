"""The rulebook as data: every parameter, since when it has which value, and the clause behind it.

Each entry says one thing: from ``since`` on, parameter ``name`` has ``value``. A parameter without
a later entry keeps its value. ``certainty`` is the rulebook's own tag: ``certain`` (read in a
source), ``likely`` (one report, or inferred), ``choice`` (unpublished: the venue's decision, to be
changed like any other parameter). Minutes are counted from midnight, Beijing wall time; rates are
parts per million, bands basis points, weights shares of their sum. Nothing here is a float.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple


class Window(NamedTuple):
    """A part of the day, ``opens_minute`` included, ``closes_minute`` not."""

    opens_minute: int
    closes_minute: int


class Vintage(NamedTuple):
    """One tradable instrument (TR-03) and how it entered the market (TR-04, TR-24)."""

    code: str
    name: str
    first_day: dt.date
    first_reference_ticks: int  # on its first day: the launch price, else that composite close


class Entry(NamedTuple):
    """From ``since`` on the parameter ``name`` has ``value``."""

    name: str
    since: dt.date
    value: object
    clauses: tuple[str, ...]
    certainty: str


LAUNCH_DAY = dt.date(2021, 7, 16)
LAUNCH_REFERENCE_TICKS = 4800  # TR-24

CEA = Vintage("CEA", "碳排放配额19-20", LAUNCH_DAY, LAUNCH_REFERENCE_TICKS)
CEA21 = Vintage("CEA21", "碳排放配额21", dt.date(2023, 8, 28), 7306)
CEA22 = Vintage("CEA22", "碳排放配额22", dt.date(2023, 8, 28), 7306)
CEA23 = Vintage("CEA23", "碳排放配额23", dt.date(2024, 10, 28), 10425)
CEA24 = Vintage("CEA24", "碳排放配额24", dt.date(2025, 4, 29), 7317)
CEA25 = Vintage("CEA25", "碳排放配额25", dt.date(2026, 1, 5), 7463)

MORNING = Window(9 * 60 + 30, 11 * 60 + 30)
AFTERNOON = Window(13 * 60, 15 * 60)


def _initial(name: str, value: object, clauses: str, certainty: str = "certain") -> Entry:
    return Entry(name, LAUNCH_DAY, value, tuple(clauses.split()), certainty)


def _since(
    year: int, month: int, day: int, name: str, value: object, clauses: str, certainty: str
) -> Entry:
    return Entry(name, dt.date(year, month, day), value, tuple(clauses.split()), certainty)


# Parameters without a known change: the value at the launch.
_STANDING: tuple[Entry, ...] = (
    # 1.1, 1.2 product and quotation
    _initial("participants", ("key_emitting_entity",), "TR-06"),
    _initial("tick_fen", 1, "TR-10"),
    _initial("qty_step_tonnes", 1, "TR-10"),
    _initial("listed_qty_min", 1, "TR-11"),
    _initial("listed_qty_max", 99_999, "TR-11 TR-14 TR-66"),
    _initial("bulk_qty_min", 100_000, "TR-12 TR-14"),
    _initial("auction_qty_min", 100_000, "TR-13"),
    _initial("auction_bid_qty_min", 1, "TR-13", "choice"),
    # 1.3 price bands
    _initial("listed_band_bp", 1_000, "TR-20 TR-23 TR-27"),
    _initial("bulk_band_bp", 3_000, "TR-21 TR-23 TR-27"),
    _initial("auction_floor_bp", (0, -1_000), "TR-22"),
    _initial("auction_band_bp", 1_000, "TR-22"),
    # 1.4 sessions
    _initial("utc_offset_minutes", 8 * 60, "TR-30"),
    _initial("day_begins_minute", 9 * 60, "TR-33 RG-08", "choice"),
    _initial("listed_windows", (MORNING, AFTERNOON), "TR-30"),
    _initial("bulk_windows", (AFTERNOON,), "TR-31"),
    _initial("auction_windows", (Window(600, 630), Window(630, 660)), "TR-32", "likely"),
    _initial("pre_open_entry", 0, "TR-33", "choice"),
    _initial("lunch_entry", 0, "TR-34", "choice"),
    _initial("lunch_cancel", 1, "TR-34", "choice"),
    # 1.5 orders
    _initial("open_orders_max", 1_000, "TR-42", "choice"),
    _initial("amend_allowed", 0, "TR-45", "choice"),
    _initial("goods_t_plus", 1, "TR-47 TR-49"),
    _initial("cash_t_plus", 0, "TR-48", "likely"),
    _initial("cash_withdrawal_t_plus", 1, "TR-48 ST-14", "choice"),
    _initial("self_trade_allowed", 0, "TR-50", "choice"),
    _initial("record_years_min", 20, "TR-51 RG-20", "likely"),
    # 1.6 listed agreement, 1.7 bulk agreement, 1.8 one-way bidding
    _initial("take_levels_max", 5, "TR-61"),
    _initial("allow_crossed_listings", 0, "TR-67", "choice"),
    _initial("quotes_anonymous", 1, "TR-68", "choice"),
    _initial("bulk_visibilities", ("public", "directed"), "TR-75", "choice"),
    _initial("auction_buyer_initiated", 0, "TR-82", "likely"),
    _initial("auction_pricing_modes", ("uniform", "pay_as_bid"), "TR-83"),
    _initial("auction_sealed", 1, "TR-89", "choice"),
    # 1.10 risk control: no number is published, so nothing is limited (0 = off)
    _initial("holding_max_tonnes", 0, "TR-111", "choice"),
    _initial("large_holder_tonnes", 0, "TR-112", "choice"),
    _initial("account_sell_max_tonnes", 0, "TR-116", "choice"),
    _initial("circuit_breaker_bp", 0, "TR-119", "likely"),
    # 1.11 fees, both sides, ppm of the value
    _initial("listed_trading_fee_ppm", 0, "TR-130 TR-132", "choice"),
    _initial("listed_settlement_fee_ppm", 0, "TR-130 TR-132", "choice"),
    _initial("bulk_trading_fee_ppm", 0, "TR-130 TR-132", "choice"),
    _initial("bulk_settlement_fee_ppm", 0, "TR-130 TR-132", "choice"),
    _initial("auction_trading_fee_ppm", 0, "TR-130 TR-132", "choice"),
    _initial("auction_settlement_fee_ppm", 0, "TR-130 TR-132", "choice"),
    _initial("free_first_day", 0, "TR-24"),
    _initial("first_day_upper_ticks", 50_000, "VM-08", "choice"),
    # 1.12, 2, 3, 7.2 information, settlement and the windows of the registry
    _initial("quote_levels_max", 5, "TR-140"),
    _initial("bulletin_minute", 16 * 60 + 45, "TR-141"),
    _initial("positions_due_minute", 8 * 60 + 30, "ST-14", "choice"),
    _initial("deal_file_minute", 15 * 60 + 5, "ST-16", "choice"),
    _initial("transfer_window", Window(9 * 60, 15 * 60), "RG-08", "choice"),
    _initial("cash_in_window", Window(9 * 60, 15 * 60 + 30), "ST-14", "choice"),
    _initial("cash_out_window", Window(9 * 60, 15 * 60), "ST-14", "choice"),
)

# Section 0.4: what changed and when.
_DATED: tuple[Entry, ...] = (
    _initial("vintages", (CEA,), "TR-03 TR-04 TR-24"),
    _since(2023, 8, 28, "vintages", (CEA, CEA21, CEA22), "TR-03 TR-04 TR-24", "certain"),
    _since(2024, 10, 28, "vintages", (CEA, CEA21, CEA22, CEA23), "TR-03 TR-04 TR-24", "certain"),
    _since(
        *(2025, 4, 29, "vintages"),
        (CEA, CEA21, CEA22, CEA23, CEA24),
        *("TR-03 TR-04 TR-24", "certain"),
    ),
    _since(
        *(2026, 1, 5, "vintages"),
        (CEA, CEA21, CEA22, CEA23, CEA24, CEA25),
        *("TR-03 TR-04 TR-05 TR-24", "certain"),
    ),
    # One share per vintage, in the order of ``vintages``.
    _initial("composite_weights", (1,), "TR-104"),
    _since(2023, 8, 28, "composite_weights", (1, 1, 1), "TR-104", "certain"),
    _since(2024, 10, 28, "composite_weights", (1, 1, 1, 1), "TR-104", "certain"),
    _since(2025, 4, 29, "composite_weights", (1, 1, 1, 1, 1), "TR-104", "certain"),
    _since(2026, 1, 5, "composite_weights", (0, 0, 0, 0, 0, 1), "TR-104", "certain"),
    _initial("modalities", ("listed", "bulk"), "TR-60 TR-70"),
    # The notice names July 2025 without a day we know; the first session was on 16 July (TR-94).
    _since(2025, 7, 1, "modalities", ("listed", "bulk", "auction"), "TR-80 TR-94", "certain"),
    _initial("penalty_regime", "order_19", "CP-60"),
    _since(2024, 5, 1, "penalty_regime", "order_775", "CP-61", "certain"),
    _since(2026, 8, 15, "penalty_regime", "order_775_amended", "CP-62", "certain"),
    _initial("sectors", ("power",), "CP-01"),
    _since(
        *(2025, 3, 20, "sectors"),
        ("power", "steel", "cement", "aluminium"),
        *("CP-01", "certain"),
    ),
)

ENTRIES: tuple[Entry, ...] = _STANDING + _DATED
