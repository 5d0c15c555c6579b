"""The day cycle: begin, phases, close with lapse and closing prices, confirm, post (ST-16)."""

from __future__ import annotations

from datetime import date

import numpy as np

from engine import bidding, closing, control, talks
from engine.calendar import is_trading_day
from engine.outcome import Outcome, blank_events
from engine.reasons import Reason
from engine.records import (
    BOOK,
    Event,
    OrderStatus,
    Phase,
    Side,
)
from engine.state import Array, State
from engine.units import price_limits
from engine.verbs import modality_of

_NEXT_PHASE = {
    Phase.PRE_OPEN: Phase.MORNING,
    Phase.MORNING: Phase.LUNCH,
    Phase.LUNCH: Phase.AFTERNOON,
}
_EVENING = (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)
_FREE_LOWER_TICKS = 1


def _phase(state: State) -> Phase:
    return Phase(int(state.market[0]["phase"]))


def _enter(state: State, phase: Phase, outcome: Outcome) -> None:
    state.market["phase"] = phase
    outcome.add(Event.PHASE_CHANGED)


def trading_date(number: int) -> date | None:
    """Return the date that YYYYMMDD names if it is a trading day (CA-01…03), else None."""
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    try:
        named = date(year, month, day)
    except (ValueError, OverflowError):
        return None
    return named if is_trading_day(named) else None


def begin_day(state: State, c: Array, outcome: Outcome) -> None:
    """BEGIN_DAY: a date, references and price limits; yesterday's orders and trades go (TR-20)."""
    phase, market = _phase(state), state.market[0]
    if phase in _EVENING:
        return outcome.refuse(Reason.DAY_UNCONFIRMED)
    if phase not in (Phase.NEW, Phase.POSTED):
        return outcome.refuse(Reason.PHASE_ORDER)
    day = int(c["ref"])
    if day <= market["date"] or trading_date(day) is None:
        return outcome.refuse(Reason.DATE_INVALID)
    _forget_yesterday(state, new_year=day // 10_000 != int(market["date"]) // 10_000)
    market["date"] = day
    _enter(state, Phase.PRE_OPEN, outcome)
    count = int(market["instruments"])
    _set_limits(state, count)
    closing.begin_composite(state)
    for instrument in range(count):
        row = state.instruments[instrument]
        for kind, field in (
            (Event.REFERENCE_SET, "reference_ticks"),
            (Event.UPPER_LIMIT_SET, "upper_limit_ticks"),
            (Event.LOWER_LIMIT_SET, "lower_limit_ticks"),
        ):
            outcome.add(kind, instrument=instrument, price_ticks=int(row[field]))
    return None


def _forget_yesterday(state: State, new_year: bool) -> None:
    """Empty the day's orders, trades and figures; their numbers go on."""
    market = state.market[0]
    state.orders[: int(market["orders"])] = 0
    market["order_base"] += market["orders"] - 1
    market["orders"] = 1
    state.trades[: int(market["trades"])] = 0
    market["trade_base"] += market["trades"]
    market["trades"] = 0
    state.negotiations[: int(market["negotiations"])] = 0
    market["negotiations"] = 0
    state.sessions[: int(market["sessions"])] = 0
    market["session_base"] += market["sessions"] - 1
    market["sessions"] = 1
    market["file_tag"] = 0
    market["halted"] = 0
    for field in ("open_ticks", "high_ticks", "low_ticks", "last_ticks"):
        state.instruments[field] = 0
    for field in ("day_qty_tonnes", "day_turnover_fen"):
        state.totals[field] = 0
    if new_year:
        for field in ("year_qty_tonnes", "year_turnover_fen"):
            state.totals[field] = 0


def _set_limits(state: State, count: int) -> None:
    """Hang the day's bands on the last closes and make the ladders wide enough (TR-23, TR-25)."""
    rules = state.rules[0]
    widest = 0
    for row in state.instruments[:count]:
        reference = int(row["close_ticks"])
        row["reference_ticks"] = reference
        free = bool(rules["free_first_day"]) and row["days"] == 0
        for prefix, band in (("", "listed"), ("bulk_", "bulk"), ("auction_", "auction")):
            lower, upper = price_limits(reference, int(rules[f"{band}_band_bp"]))
            if free:  # VM-08
                lower, upper = _FREE_LOWER_TICKS, int(rules["first_day_upper_ticks"])
            row[f"{prefix}lower_limit_ticks"], row[f"{prefix}upper_limit_ticks"] = lower, upper
        row["days"] += 1
        widest = max(widest, int(row["upper_limit_ticks"]) - int(row["lower_limit_ticks"]) + 1)
    state.ensure_width(widest)


def set_phase(state: State, c: Array, outcome: Outcome) -> None:
    """SET_PHASE: the next part of the day, one step (TR-30…34)."""
    if _NEXT_PHASE.get(_phase(state)) != int(c["ref"]):
        return outcome.refuse(Reason.PHASE_ORDER)
    return _enter(state, Phase(int(c["ref"])), outcome)


def close_day(state: State, _c: Array, outcome: Outcome) -> None:
    """CLOSE_DAY: lapse, release, closing prices, composite close (TR-43, TR-100, TR-104)."""
    if _phase(state) != Phase.AFTERNOON:
        return outcome.refuse(Reason.PHASE_ORDER)
    _lapse_all(state, outcome)
    talks.expire_all(state, outcome)
    bidding.end_all(state, outcome)
    _set_closes(state, outcome)
    control.report_large_holders(state, outcome)
    return _enter(state, Phase.CLOSED, outcome)


def _lapse_all(state: State, outcome: Outcome) -> None:
    """End every open order, oldest number first, and give back what it froze."""
    market = state.market[0]
    orders = state.orders[: int(market["orders"])]
    status = orders["status"]
    rows = np.flatnonzero((status == OrderStatus.OPEN) | (status == OrderStatus.PART_FILLED))
    open_now = orders[rows]
    lapsed = blank_events(len(rows))
    lapsed["kind"] = Event.LAPSED
    lapsed["order_no"] = market["order_base"] + rows
    for field in ("account", "instrument", "side", "price_ticks"):
        lapsed[field] = open_now[field]
    lapsed["qty_tonnes"] = open_now["leaves_qty"]
    lapsed["amount_fen"] = open_now["frozen_fen"]
    lapsed["reason"] = Reason.END_OF_DAY
    lapsed["modality"] = modality_of(open_now["kind"])
    outcome.add_rows(lapsed)
    _release_all(state, open_now)
    orders["status"][rows] = OrderStatus.LAPSED
    orders["reason"][rows] = Reason.END_OF_DAY
    for field in ("leaves_qty", "frozen_fen", "next", "prev"):
        orders[field][rows] = 0
    state.levels[:] = 0
    state.words[:] = 0
    state.books[:] = np.zeros(1, BOOK)
    state.books["best_rank"] = state.width
    state.accounts["open_orders"] = 0
    state.accounts["buying_tonnes"] = 0
    market["open_orders"] = 0


def _release_all(state: State, open_now: Array) -> None:
    """Move everything that open orders froze back to what is available (TR-43, ST-16)."""
    buys = open_now[open_now["side"] == Side.BUY]
    sells = open_now[open_now["side"] == Side.SELL]
    accounts, holdings = state.accounts, state.holdings
    np.add.at(accounts["cash_available_fen"], buys["account"], buys["frozen_fen"])
    np.subtract.at(accounts["cash_frozen_fen"], buys["account"], buys["frozen_fen"])
    where = (sells["account"], sells["instrument"])
    np.add.at(holdings["available_tonnes"], where, sells["leaves_qty"])
    np.subtract.at(holdings["frozen_tonnes"], where, sells["leaves_qty"])


def _set_closes(state: State, outcome: Outcome) -> None:
    """Close = volume-weighted mean of the listed trades, half up; none: the last close (TR-100)."""
    for instrument in range(int(state.market[0]["instruments"])):
        closing.set_close(state, instrument, outcome)
    for period in ("year", "all"):
        state.totals[f"{period}_qty_tonnes"] += state.totals["day_qty_tonnes"]
        state.totals[f"{period}_turnover_fen"] += state.totals["day_turnover_fen"]
    closing.close_composite(state, outcome)


def confirm_day(state: State, c: Array, outcome: Outcome) -> None:
    """CONFIRM_DAY: the registry's clearing agrees; both confirm (ST-04).

    ``amount`` is the number of deals in the file: a deal voided meanwhile makes it another file
    (TR-121 is the one thing that changes the books after the close).
    """
    if _phase(state) not in (Phase.CLOSED, Phase.DISPUTED):
        return outcome.refuse(Reason.PHASE_ORDER)
    trades = state.trades[: int(state.market[0]["trades"])]
    if int(c["amount"]) != int((trades["void"] == 0).sum()):
        return outcome.refuse(Reason.FILE_DIFFERS)
    state.market["file_tag"] = c["ref"]
    return _enter(state, Phase.CONFIRMED, outcome)


def dispute_day(state: State, _c: Array, outcome: Outcome) -> None:
    """DISPUTE_DAY: the books differ; nothing is posted and no day can begin (ST-17)."""
    if _phase(state) != Phase.CLOSED:
        return outcome.refuse(Reason.PHASE_ORDER)
    return _enter(state, Phase.DISPUTED, outcome)


def post_day(state: State, c: Array, outcome: Outcome) -> None:
    """POST_DAY: the registry has posted; T+1 flags clear and proceeds are settled (ST-16)."""
    if _phase(state) != Phase.CONFIRMED:
        return outcome.refuse(Reason.PHASE_ORDER)
    if int(c["ref"]) != int(state.market[0]["file_tag"]):
        return outcome.refuse(Reason.FILE_DIFFERS)
    state.holdings["available_tonnes"] += state.holdings["bought_today_tonnes"]
    state.holdings["bought_today_tonnes"] = 0
    state.holdings["sold_today_tonnes"] = 0
    state.accounts["proceeds_today_fen"] = 0
    return _enter(state, Phase.POSTED, outcome)
