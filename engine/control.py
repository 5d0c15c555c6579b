"""Risk control and institutions (TR-110…121, RG-15, ST-07): restrictions, halts, kill switch,
court orders, voiding. The contract with every precedence: docs/reference/engine-control.md.
"""

from __future__ import annotations

import numpy as np

from engine import bidding, bulk, closing, talks
from engine import declarations as d
from engine.deals import TRADING_FEE_RATE
from engine.outcome import Outcome
from engine.reasons import Reason
from engine.records import (
    QTY_TONNES_MAX,
    Block,
    Event,
    Kind,
    Modality,
    NegotiationStatus,
    OrderStatus,
    Phase,
    Side,
)
from engine.state import Array, State
from engine.units import rate_fen
from engine.verbs import LADDER_KINDS, leave_ladder

_EVENING = (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)
_ALL_BLOCKS = int(sum(Block))
_WARNING_STAGES = range(1, 5)
_PARTS = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes", "judicial_tonnes")


def two_people(c: Array) -> Reason:
    """Money and allowances need a maker and a checker who is somebody else (ST-07)."""
    maker, checker = int(c["operator"]), int(c["checker"])
    if maker < 1 or checker < 1:
        return Reason.CHECKER_MISSING
    return Reason.MAKER_IS_CHECKER if maker == checker else Reason.NONE


def _account_reason(state: State, c: Array) -> Reason:
    known = d.is_account(state, int(c["account"]))
    return Reason.NONE if known else Reason.UNKNOWN_ACCOUNT


def _instrument_reason(state: State, c: Array) -> Reason:
    known = d.is_instrument(state, int(c["instrument"]))
    return Reason.NONE if known else Reason.UNKNOWN_INSTRUMENT


def _amount_reason(c: Array, allowed: range) -> Reason:
    return Reason.NONE if int(c["amount"]) in allowed else Reason.PARAMETER_INVALID


def _limit_reason(c: Array) -> Reason:
    known = 0 <= int(c["qty_tonnes"]) <= QTY_TONNES_MAX
    return Reason.NONE if known else Reason.QTY_INVALID


def block_account(state: State, c: Array, outcome: Outcome) -> None:
    """BLOCK_ACCOUNT: set what an account may not do (TR-113…116, ST-12)."""
    reason = _account_reason(state, c) or _amount_reason(c, range(_ALL_BLOCKS + 1))
    if reason:
        return outcome.refuse(reason)
    account, bits = int(c["account"]), int(c["amount"])
    state.accounts[account]["blocks"] = bits
    return outcome.add(Event.ACCOUNT_BLOCKED, account=account, qty_tonnes=bits)


def guard_holding(state: State, c: Array, outcome: Outcome) -> None:
    """GUARD_HOLDING: tonnes that must stay for surrender (TR-116)."""
    reason = _account_reason(state, c) or _instrument_reason(state, c) or _limit_reason(c)
    if reason:
        return outcome.refuse(reason)
    account, instrument, qty = (int(c[f]) for f in ("account", "instrument", "qty_tonnes"))
    state.holdings[account, instrument]["guarded_tonnes"] = qty
    return outcome.add(
        Event.HOLDING_GUARDED, account=account, instrument=instrument, qty_tonnes=qty
    )


def limit_holding(state: State, c: Array, outcome: Outcome) -> None:
    """LIMIT_HOLDING: the largest holding of all vintages together; 0 = none (TR-111)."""
    reason = _account_reason(state, c) or _limit_reason(c)
    if reason:
        return outcome.refuse(reason)
    account, qty = int(c["account"]), int(c["qty_tonnes"])
    state.accounts[account]["holding_max_tonnes"] = qty
    return outcome.add(Event.HOLDING_LIMITED, account=account, qty_tonnes=qty)


def warn_account(state: State, c: Array, outcome: Outcome) -> None:
    """WARN_ACCOUNT: asked, interviewed, warned, published (TR-113)."""
    reason = _account_reason(state, c) or _amount_reason(c, _WARNING_STAGES)
    if reason:
        return outcome.refuse(reason)
    account, stage = int(c["account"]), int(c["amount"])
    state.accounts[account]["warned_stage"] = stage
    return outcome.add(Event.ACCOUNT_WARNED, account=account, qty_tonnes=stage)


def switch_instrument(state: State, c: Array, outcome: Outcome) -> None:
    """HALT_INSTRUMENT, RESUME_INSTRUMENT (TR-117)."""
    halt = int(c["kind"]) == Kind.HALT_INSTRUMENT
    reason = _instrument_reason(state, c)
    if not reason and bool(state.instruments[int(c["instrument"])]["halted"]) == halt:
        reason = Reason.PHASE_ORDER
    if reason:
        return outcome.refuse(reason)
    instrument = int(c["instrument"])
    state.instruments[instrument]["halted"] = int(halt)
    kind = Event.INSTRUMENT_HALTED_NOW if halt else Event.INSTRUMENT_RESUMED
    return outcome.add(kind, instrument=instrument)


def switch_market(state: State, c: Array, outcome: Outcome) -> None:
    """HALT_MARKET, RESUME_MARKET (TR-117)."""
    halt = int(c["kind"]) == Kind.HALT_MARKET
    if bool(state.market[0]["halted"]) == halt:
        return outcome.refuse(Reason.PHASE_ORDER)
    state.market["halted"] = int(halt)
    return outcome.add(Event.MARKET_HALTED_NOW if halt else Event.MARKET_RESUMED)


def kill(state: State, c: Array, outcome: Outcome) -> None:
    """KILL: cancel what matches, then block the account, or halt the instrument or the market."""
    account, instrument = int(c["account"]), int(c["instrument"])
    reason = Reason.NONE
    if account != -1:
        reason = _account_reason(state, c) or _amount_reason(c, range(_ALL_BLOCKS + 1))
    if not reason and instrument != -1:
        reason = _instrument_reason(state, c)
    if not reason and state.market[0]["phase"] not in d.DAYTIME[1:]:
        reason = Reason.PHASE_CLOSED
    if reason:
        return outcome.refuse(reason)
    rows = matching_orders(state, account, instrument)
    for row in rows:
        cancel_any(state, row, Reason.KILLED, outcome)
    if account != -1:
        end_answers(state, account, instrument, Reason.KILLED, outcome)
    if account != -1:
        state.accounts["blocks"][account] |= int(c["amount"])
    elif instrument != -1:
        state.instruments[instrument]["halted"] = 1
    else:
        state.market["halted"] = 1
    return outcome.add(
        Event.KILLED_NOW, account=account, instrument=instrument, qty_tonnes=len(rows)
    )


def matching_orders(state: State, account: int, instrument: int, side: int = 0) -> list[int]:
    """Return the rows of open orders of an account (-1: all), instrument (-1) and side (0: both).

    Without what applicants of bidding sessions have published: a session ends by REJECT_SESSION.
    """
    orders = state.orders[: int(state.market[0]["orders"])]
    status = orders["status"]
    found = (status == OrderStatus.OPEN) | (status == OrderStatus.PART_FILLED)
    found &= orders["kind"] != Kind.NOTICE_SESSION
    if account != -1:
        found &= orders["account"] == account
    if instrument != -1:
        found &= orders["instrument"] == instrument
    if side != Side.NONE:
        found &= orders["side"] == side
    rows: list[int] = np.flatnonzero(found).tolist()
    return rows


def cancel_any(state: State, row: int, reason: Reason, outcome: Outcome) -> None:
    """Cancel an open order of whatever modality."""
    order = state.orders[row]
    if int(order["status"]) not in (OrderStatus.OPEN, OrderStatus.PART_FILLED):
        return  # it ended with another one: an answer with its offer
    kind = int(order["kind"])
    if kind == Kind.BULK_OFFER:
        bulk.cancel_offer(state, row, reason, outcome)
    elif kind == Kind.BID:
        number = bidding.session_no(state, int(order["session"]))
        d.cancel(state, row, reason, outcome, other_order_no=number)
    elif kind == Kind.BULK_ACCEPT:
        talks.end_answer(state, row, reason, outcome)
    else:
        if kind in LADDER_KINDS:
            leave_ladder(state, row)
        d.cancel(state, row, reason, outcome)


def end_answers(
    state: State, account: int, instrument: int, reason: Reason, outcome: Outcome, side: int = 0
) -> None:
    """End the open negotiations that an account answers in; ``side`` is the answering one."""
    rows = state.negotiations[: int(state.market[0]["negotiations"])]
    for at in range(len(rows)):
        stands = int(rows[at]["status"]) in (
            NegotiationStatus.COUNTERED,
            NegotiationStatus.AGREED,
        )
        offered = state.orders[int(rows[at]["offer_row"])]
        matches = instrument in (-1, int(offered["instrument"]))
        matches = matches and side != int(offered["side"])
        if stands and matches and int(rows[at]["responder"]) == account:
            talks.end_negotiation(state, at, reason, account, outcome)


def void_reason(state: State, c: Array, row: int) -> Reason:
    """Return the first reason against voiding the trade in ``row`` (-1: none such), or NONE."""
    reason = two_people(c)
    if reason:
        return reason
    if row < 0 or state.trades[row]["void"]:
        return Reason.UNKNOWN_TRADE
    if state.market[0]["phase"] not in (*d.DAYTIME[1:], Phase.CLOSED):
        return Reason.PHASE_CLOSED
    trade = state.trades[row]
    value = int(trade["price_ticks"]) * int(trade["qty_tonnes"])
    bought = state.holdings[int(trade["buyer"]), int(trade["instrument"])]
    part = "bought_today_tonnes" if state.rules[0]["goods_t_plus"] else "available_tonnes"
    back = value - int(trade["sell_fee_fen"])
    seller = state.accounts[int(trade["seller"])]
    if bought[part] < trade["qty_tonnes"] or seller["cash_available_fen"] < back:
        return Reason.CANNOT_VOID
    return Reason.NONE


def void_trade(state: State, c: Array, outcome: Outcome) -> None:
    """VOID_TRADE: goods, money and fees go back before settlement (TR-121)."""
    row = int(c["ref"]) - int(state.market[0]["trade_base"]) - 1
    if not 0 <= row < int(state.market[0]["trades"]):
        row = -1
    reason = void_reason(state, c, row)
    if reason:
        return outcome.refuse(reason)
    trade = state.trades[row]
    _give_back(state, trade)
    trade["void"] = 1
    instrument, price, qty = (int(trade[f]) for f in ("instrument", "price_ticks", "qty_tonnes"))
    total = state.totals[instrument, d.TOTAL_ROW[Modality(int(trade["modality"]))]]
    total["day_qty_tonnes"] -= qty
    total["day_turnover_fen"] -= price * qty
    _restate_figures(state, instrument)
    outcome.add(
        Event.TRADE_VOIDED,
        trade_no=int(c["ref"]),
        order_no=int(trade["buy_order_no"]),
        other_order_no=int(trade["sell_order_no"]),
        account=int(trade["buyer"]),
        counterparty=int(trade["seller"]),
        instrument=instrument,
        price_ticks=price,
        qty_tonnes=qty,
        amount_fen=price * qty,
        fee_fen=int(trade["buy_fee_fen"]),
        other_fee_fen=int(trade["sell_fee_fen"]),
        modality=int(trade["modality"]),
    )
    if state.market[0]["phase"] == Phase.CLOSED:
        _restate_close(state, total, instrument, (qty, price * qty), outcome)
    return None


def _give_back(state: State, trade: Array) -> None:
    """Undo what a deal moved."""
    instrument, qty = int(trade["instrument"]), int(trade["qty_tonnes"])
    value = int(trade["price_ticks"]) * qty
    buy_fee, sell_fee = int(trade["buy_fee_fen"]), int(trade["sell_fee_fen"])
    buyer, seller = state.accounts[int(trade["buyer"])], state.accounts[int(trade["seller"])]
    part = "bought_today_tonnes" if state.rules[0]["goods_t_plus"] else "available_tonnes"
    state.holdings[int(trade["buyer"]), instrument][part] -= qty
    sold = state.holdings[int(trade["seller"]), instrument]
    sold["available_tonnes"] += qty
    sold["sold_today_tonnes"] -= qty
    seller["cash_available_fen"] -= value - sell_fee
    seller["proceeds_today_fen"] -= value - sell_fee
    buyer["cash_available_fen"] += value + buy_fee
    rate = TRADING_FEE_RATE[Modality(int(trade["modality"]))]
    trading = rate_fen(value, int(state.rules[0][rate]))
    exchange = min(trading, buy_fee) + min(trading, sell_fee)
    state.market["trading_fees_fen"] -= exchange
    state.market["settlement_fees_fen"] -= buy_fee + sell_fee - exchange


def _restate_figures(state: State, instrument: int) -> None:
    """Recompute open, high, low, last from the listed trades that stand."""
    trades = state.trades[: int(state.market[0]["trades"])]
    standing = trades[
        (trades["instrument"] == instrument)
        & (trades["modality"] == Modality.LISTED)
        & (trades["void"] == 0)
    ]["price_ticks"]
    row = state.instruments[instrument]
    before = int(row["last_ticks"]) or int(row["reference_ticks"])
    figures = (0, 0, 0, 0)
    if len(standing):
        figures = (standing[0], standing.max(), standing.min(), standing[-1])
    row["open_ticks"], row["high_ticks"], row["low_ticks"], row["last_ticks"] = figures
    after = int(row["last_ticks"]) or int(row["reference_ticks"])
    state.market["composite_sum"] += int(row["weight"]) * (after - before)


def _restate_close(
    state: State, total: Array, instrument: int, undone: tuple[int, int], outcome: Outcome
) -> None:
    """After the close a void also leaves the year's totals and the closing prices."""
    for period in ("year", "all"):
        total[f"{period}_qty_tonnes"] -= undone[0]
        total[f"{period}_turnover_fen"] -= undone[1]
    closing.set_close(state, instrument, outcome)
    closing.close_composite(state, outcome)


def freeze_holding(state: State, c: Array, outcome: Outcome) -> None:
    """FREEZE_HOLDING: a court's order; open sell orders give way, youngest first (RG-15, U26)."""
    reason = _court_reason(state, c)
    account, instrument, qty = (int(c[f]) for f in ("account", "instrument", "qty_tonnes"))
    if not reason:
        held = state.holdings[account, instrument]
        if int(held["available_tonnes"]) + int(held["frozen_tonnes"]) < qty:
            reason = Reason.INSUFFICIENT_HOLDING
    if reason:
        return outcome.refuse(reason)
    for row in reversed(matching_orders(state, account, instrument)):
        if held["available_tonnes"] >= qty:
            break
        if int(state.orders[row]["side"]) == Side.SELL:
            cancel_any(state, row, Reason.COURT, outcome)
    for row in range(1, int(state.market[0]["sessions"])):
        if held["available_tonnes"] >= qty:
            break
        bidding.end_if_seller(state, row, account, instrument, outcome)
    return _move_judicial(state, c, qty, Event.HOLDING_FROZEN, outcome)


def release_holding(state: State, c: Array, outcome: Outcome) -> None:
    """RELEASE_HOLDING: the court lets go."""
    reason = _court_reason(state, c) or _judicial_reason(state, c)
    if reason:
        return outcome.refuse(reason)
    return _move_judicial(state, c, -int(c["qty_tonnes"]), Event.HOLDING_RELEASED, outcome)


def deduct_holding(state: State, c: Array, outcome: Outcome) -> None:
    """DEDUCT_HOLDING: frozen tonnes leave the exchange; the registry names the owner (E51)."""
    reason = _court_reason(state, c) or _judicial_reason(state, c)
    if reason:
        return outcome.refuse(reason)
    account, instrument, qty = (int(c[f]) for f in ("account", "instrument", "qty_tonnes"))
    state.holdings[account, instrument]["judicial_tonnes"] -= qty
    state.instruments["tonnes_in"][instrument] -= qty
    return outcome.add(
        Event.HOLDING_DEDUCTED, account=account, instrument=instrument, qty_tonnes=qty
    )


def _court_reason(state: State, c: Array) -> Reason:
    """Ranks that the three court commands share."""
    reason = two_people(c) or _account_reason(state, c) or _instrument_reason(state, c)
    if not reason and state.market[0]["phase"] in _EVENING:
        reason = Reason.PHASE_CLOSED
    return reason or d.qty_reason(int(c["qty_tonnes"]))


def _judicial_reason(state: State, c: Array) -> Reason:
    held = state.holdings[int(c["account"]), int(c["instrument"])]["judicial_tonnes"]
    return Reason.INSUFFICIENT_HOLDING if held < c["qty_tonnes"] else Reason.NONE


def _move_judicial(state: State, c: Array, qty: int, kind: Event, outcome: Outcome) -> None:
    """Move tonnes between the available and the judicial part."""
    account, instrument = int(c["account"]), int(c["instrument"])
    held = state.holdings[account, instrument]
    held["available_tonnes"] -= qty
    held["judicial_tonnes"] += qty
    outcome.add(kind, account=account, instrument=instrument, qty_tonnes=abs(qty))


def report_large_holders(state: State, outcome: Outcome) -> None:
    """At the close: one event per account at or above the reporting threshold (TR-112)."""
    threshold = int(state.rules[0]["large_holder_tonnes"])
    if threshold == 0:
        return
    held = state.holdings[: int(state.market[0]["accounts"])]
    tonnes = sum(held[part].sum(axis=1) for part in _PARTS)
    for account in np.flatnonzero(tonnes >= threshold).tolist():
        outcome.add(Event.LARGE_HOLDER, account=account, qty_tonnes=int(tonnes[account]))
