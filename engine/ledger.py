"""The ledger verbs: freeze, release, move. Nothing else touches cash or holdings in a trade.

A buy order freezes price x quantity and the fees on it; a sell order freezes its tonnes (TR-42). A
trade moves goods to ``bought_today`` (TR-47) and cash to the seller's available money (TR-48).
"""

from __future__ import annotations

from engine.jit import inlined
from engine.reasons import Reason
from engine.records import Side
from engine.state import Arrays
from engine.units import fee_fen, rate_kernel, value_kernel

_BUY = int(Side.BUY)
_FUNDS = int(Reason.INSUFFICIENT_FUNDS)
_HOLDING = int(Reason.INSUFFICIENT_HOLDING)
_BOUGHT_TODAY = int(Reason.HOLDING_BOUGHT_TODAY)


@inlined
def listed_fee(a: Arrays, value: int) -> int:
    """Return the fee of a listed deal leg in fen."""
    rules = a.rules[0]
    return fee_fen(value, rules["listed_trading_fee_ppm"], rules["listed_settlement_fee_ppm"])


@inlined
def lock_fen(a: Arrays, price_ticks: int, qty: int) -> int:
    """Return what a buy declaration freezes: amount plus fees (TR-41)."""
    value = value_kernel(price_ticks, qty)
    return value + listed_fee(a, value)


@inlined
def shortfall(
    a: Arrays, account: int, instrument: int, side: int, price_ticks: int, qty: int
) -> int:
    """Return the reason why an account cannot cover a declaration, or 0 (TR-40)."""
    if side == _BUY:
        if a.accounts[account]["cash_available_fen"] < lock_fen(a, price_ticks, qty):
            return _FUNDS
        return 0
    holding = a.holdings[int(account) * a.stride + instrument]
    if holding["available_tonnes"] >= qty:
        return 0
    if holding["available_tonnes"] + holding["bought_today_tonnes"] >= qty:
        return _BOUGHT_TODAY
    return _HOLDING


@inlined
def freeze(a: Arrays, row: int) -> int:
    """Freeze what a resting order needs for its remaining quantity; return the fen frozen.

    ``frozen_fen`` of the order holds, on entry, what is left of its lock: rounding of fees per deal
    leg must not make the rest dearer than what the account could cover at entry.
    """
    order = a.orders[row]
    account = a.accounts[order["account"]]
    if order["side"] == _BUY:
        lock = min(lock_fen(a, order["price_ticks"], order["leaves_qty"]), order["frozen_fen"])
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
        account["cash_frozen_fen"] -= lock
        account["cash_available_fen"] += lock
        order["frozen_fen"] = 0
        return lock
    holding = a.holdings[int(order["account"]) * a.stride + order["instrument"]]
    holding["frozen_tonnes"] -= order["leaves_qty"]
    holding["available_tonnes"] += order["leaves_qty"]
    return 0


@inlined
def buyer_fee(a: Arrays, order_row: int, value: int, leaves_after: int) -> int:
    """Return the buyer's fee of a deal: by the rate, but never beyond what the lock covers."""
    order = a.orders[order_row]
    covered = order["frozen_fen"] - value - value_kernel(order["price_ticks"], leaves_after)
    return min(listed_fee(a, value), covered)


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
def pay(a: Arrays, buy_row: int, amount: int, frozen: bool) -> None:
    """Take value plus fee from a buyer's frozen or available cash; its lock shrinks."""
    order = a.orders[buy_row]
    account = a.accounts[order["account"]]
    if frozen:
        account["cash_frozen_fen"] -= amount
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
def collect_fees(a: Arrays, value: int, buy_fee: int, sell_fee: int) -> None:
    """Book both legs' fees with the two institutions (TR-130)."""
    if buy_fee + sell_fee == 0:
        return
    rate = a.rules[0]["listed_trading_fee_ppm"]
    trading = rate_kernel(value, rate)
    exchange = min(trading, buy_fee) + min(trading, sell_fee)
    a.market[0]["trading_fees_fen"] += exchange
    a.market[0]["settlement_fees_fen"] += buy_fee + sell_fee - exchange
