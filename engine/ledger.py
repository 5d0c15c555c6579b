"""The ledger verbs: freeze, release, move. Nothing else touches cash or holdings in a trade.

A buy order freezes price x quantity and the fees on it; a sell order freezes its tonnes (TR-42). A
trade moves goods to ``bought_today`` (TR-47) and cash to the seller's available money (TR-48).
"""

from __future__ import annotations

from typing import Any

from engine.jit import inlined
from engine.reasons import Reason
from engine.records import Modality, Side
from engine.state import Arrays
from engine.units import fee_fen, rate_kernel, value_kernel

_BUY = int(Side.BUY)
_LISTED = int(Modality.LISTED)
_BULK = int(Modality.BULK)
_HOLDING_LIMIT = int(Reason.HOLDING_LIMIT)
_GUARDED = int(Reason.SELL_GUARDED)
_FUNDS = int(Reason.INSUFFICIENT_FUNDS)
_HOLDING = int(Reason.INSUFFICIENT_HOLDING)
_BOUGHT_TODAY = int(Reason.HOLDING_BOUGHT_TODAY)


@inlined
def trading_rate(a: Arrays, modality: int) -> int:
    """Return the exchange's fee rate of a way of trading in ppm (TR-132)."""
    rules = a.rules[0]
    if modality == _LISTED:
        return rules["listed_trading_fee_ppm"]
    if modality == _BULK:
        return rules["bulk_trading_fee_ppm"]
    return rules["auction_trading_fee_ppm"]


@inlined
def settlement_rate(a: Arrays, modality: int) -> int:
    """Return the registry's fee rate of a way of trading in ppm (TR-132)."""
    rules = a.rules[0]
    if modality == _LISTED:
        return rules["listed_settlement_fee_ppm"]
    if modality == _BULK:
        return rules["bulk_settlement_fee_ppm"]
    return rules["auction_settlement_fee_ppm"]


@inlined
def deal_fee(a: Arrays, modality: int, value: int) -> int:
    """Return the fee of one leg of a deal in fen."""
    return fee_fen(value, trading_rate(a, modality), settlement_rate(a, modality))


@inlined
def lock_fen(a: Arrays, modality: int, price_ticks: int, qty: int) -> int:
    """Return what a buy declaration freezes: amount plus fees (TR-41)."""
    value = value_kernel(price_ticks, qty)
    return value + deal_fee(a, modality, value)


@inlined
def held_tonnes(a: Arrays, account: int) -> int:
    """Return what an account holds of all vintages, whatever its part (TR-111)."""
    total = 0
    for instrument in range(a.market[0]["instruments"]):
        holding = a.holdings[int(account) * a.stride + instrument]
        total += holding["available_tonnes"] + holding["frozen_tonnes"]
        total += holding["bought_today_tonnes"] + holding["judicial_tonnes"]
    return total


@inlined
def buyer_shortfall(a: Arrays, account: int, lock: int, qty: int) -> int:
    """Return why an account cannot buy: too little cash, or the holding limit (TR-40, TR-111)."""
    row = a.accounts[account]
    if row["cash_available_fen"] < lock:
        return _FUNDS
    limit = row["holding_max_tonnes"]
    if limit != 0 and qty > 0 and held_tonnes(a, account) + row["buying_tonnes"] + qty > limit:
        return _HOLDING_LIMIT
    return 0


@inlined
def seller_shortfall(a: Arrays, account: int, instrument: int, qty: int) -> int:
    """Return why an account cannot sell: too little, bought today, guarded (TR-40, 47, 116)."""
    holding = a.holdings[int(account) * a.stride + instrument]
    available = holding["available_tonnes"]
    if available - holding["guarded_tonnes"] >= qty:
        return 0
    if available >= qty:
        return _GUARDED
    if available + holding["bought_today_tonnes"] >= qty:
        return _BOUGHT_TODAY
    return _HOLDING


@inlined
def shortfall_beyond(
    a: Arrays, modality: int, account: int, instrument: int, side: int, terms: Any, own: Any
) -> int:
    """As :func:`shortfall` where the account already has ``own`` (fen, tonnes) frozen for it.

    ``terms`` = (price in ticks, quantity). What a declaration no longer needs is never short.
    """
    more = terms[1] - own[1]
    if side == _BUY:
        lock = lock_fen(a, modality, terms[0], terms[1])
        return buyer_shortfall(a, account, lock - own[0], more)
    return seller_shortfall(a, account, instrument, more) if more > 0 else 0


@inlined
def shortfall(
    a: Arrays, modality: int, account: int, instrument: int, side: int, price_ticks: int, qty: int
) -> int:
    """Return the reason why an account cannot cover a declaration, or 0 (TR-40)."""
    if side == _BUY:
        return buyer_shortfall(a, account, lock_fen(a, modality, price_ticks, qty), qty)
    return seller_shortfall(a, account, instrument, qty)


@inlined
def freeze(a: Arrays, modality: int, row: int) -> int:
    """Freeze what a resting order needs for its remaining quantity; return the fen frozen.

    ``frozen_fen`` of the order holds, on entry, what is left of its lock: rounding of fees per deal
    leg must not make the rest dearer than what the account could cover at entry.
    """
    order = a.orders[row]
    account = a.accounts[order["account"]]
    if order["side"] == _BUY:
        lock = lock_fen(a, modality, order["price_ticks"], order["leaves_qty"])
        lock = min(lock, order["frozen_fen"])
        account["buying_tonnes"] += order["leaves_qty"]
        account["cash_available_fen"] -= lock
        account["cash_frozen_fen"] += lock
        order["frozen_fen"] = lock
        return lock
    holding = a.holdings[int(order["account"]) * a.stride + order["instrument"]]
    holding["available_tonnes"] -= order["leaves_qty"]
    holding["frozen_tonnes"] += order["leaves_qty"]
    return 0


@inlined
def release(a: Arrays, row: int) -> int:
    """Give back what a resting order still has frozen; return the fen released (TR-43)."""
    order = a.orders[row]
    if order["side"] == _BUY:
        lock = order["frozen_fen"]
        account = a.accounts[order["account"]]
        account["buying_tonnes"] -= order["leaves_qty"]
        account["cash_frozen_fen"] -= lock
        account["cash_available_fen"] += lock
        order["frozen_fen"] = 0
        return lock
    holding = a.holdings[int(order["account"]) * a.stride + order["instrument"]]
    holding["frozen_tonnes"] -= order["leaves_qty"]
    holding["available_tonnes"] += order["leaves_qty"]
    return 0


@inlined
def buyer_fee(a: Arrays, modality: int, order_row: int, value: int, leaves_after: int) -> int:
    """Return the buyer's fee of a deal: by the rate, but never beyond what the lock covers."""
    order = a.orders[order_row]
    covered = order["frozen_fen"] - value - value_kernel(order["price_ticks"], leaves_after)
    return min(deal_fee(a, modality, value), covered)


@inlined
def move_goods(a: Arrays, instrument: int, buyer: int, seller: int, qty: int, frozen: bool) -> None:
    """Move tonnes from a seller (from its frozen or its available part) to a buyer (TR-47)."""
    source = a.holdings[int(seller) * a.stride + instrument]
    if frozen:
        source["frozen_tonnes"] -= qty
    else:
        source["available_tonnes"] -= qty
    source["sold_today_tonnes"] += qty
    target = a.holdings[int(buyer) * a.stride + instrument]
    if a.rules[0]["goods_t_plus"] != 0:
        target["bought_today_tonnes"] += qty
    else:
        target["available_tonnes"] += qty


@inlined
def pay(a: Arrays, buy_row: int, amount: int, qty: int, frozen: bool) -> None:
    """Take value plus fee of a deal from a buyer's frozen or available cash; its lock shrinks."""
    order = a.orders[buy_row]
    account = a.accounts[order["account"]]
    if frozen:
        account["cash_frozen_fen"] -= amount
        account["buying_tonnes"] -= qty
    else:
        account["cash_available_fen"] -= amount
    order["frozen_fen"] -= amount


@inlined
def receive(a: Arrays, seller: int, amount: int) -> None:
    """Credit a seller: tradable at once, withdrawable after settlement (TR-48, ST-14)."""
    account = a.accounts[seller]
    account["cash_available_fen"] += amount
    account["proceeds_today_fen"] += amount


@inlined
def collect_fees(a: Arrays, modality: int, value: int, buy_fee: int, sell_fee: int) -> None:
    """Book both legs' fees with the two institutions (TR-130)."""
    if buy_fee + sell_fee == 0:
        return
    trading = rate_kernel(value, trading_rate(a, modality))
    exchange = min(trading, buy_fee) + min(trading, sell_fee)
    a.market[0]["trading_fees_fen"] += exchange
    a.market[0]["settlement_fees_fen"] += buy_fee + sell_fee - exchange
