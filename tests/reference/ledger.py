"""Money and tonnes: rounding, fees, locks, what a trade moves (TR-40…48, TR-130…132, ST-15)."""

from __future__ import annotations

from tests.reference.venue import Account, Instrument, Order, Venue
from tests.reference.vocabulary import (
    LISTED_MODALITY,
    Event,
    Parameter,
    Reason,
    Side,
    Status,
    refuse_if,
)


def half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator to the nearest whole, a half upwards; neither is negative."""
    whole, rest = divmod(numerator, denominator)
    return whole + (1 if 2 * rest >= denominator else 0)


def fee_fen(venue: Venue, value: int) -> int:
    """Both fee components on one side of one listed deal leg (TR-130, TR-132), in fen."""
    trading = venue.parameters[Parameter.LISTED_TRADING_FEE_PPM]
    settlement = venue.parameters[Parameter.LISTED_SETTLEMENT_FEE_PPM]
    return half_up(value * trading, 1_000_000) + half_up(value * settlement, 1_000_000)


def lock_fen(venue: Venue, price: int, qty: int) -> int:
    """What a buy declaration locks: the amount and its fees (TR-41, TR-42), in fen."""
    return price * qty + fee_fen(venue, price * qty)


def check_cover(
    venue: Venue,
    account: Account,
    instrument: Instrument,
    side: Side,
    price: int,
    qty: int,
    own_cash: int = 0,
    own_tonnes: int = 0,
) -> None:
    """Refuse what the account cannot cover; ``own_*`` is what an amended order has frozen."""
    if side is Side.BUY:
        short = account.cash_available + own_cash < lock_fen(venue, price, qty)
        refuse_if(short, Reason.INSUFFICIENT_FUNDS)
    else:
        check_tonnes(account, instrument, qty, own_tonnes)


def check_tonnes(account: Account, instrument: Instrument, qty: int, own_tonnes: int = 0) -> None:
    """Refuse tonnes that are not there, or were bought today (TR-40, TR-47)."""
    holding = account.holdings[instrument.number]
    free = holding.available + own_tonnes
    if free < qty:
        refuse_if(free + holding.bought_today >= qty, Reason.HOLDING_BOUGHT_TODAY)
        refuse_if(True, Reason.INSUFFICIENT_HOLDING)


def freeze(venue: Venue, order: Order) -> None:
    """Lock what the order's open quantity needs."""
    if order.side is Side.BUY:
        order.frozen = lock_fen(venue, order.price, order.leaves)
        order.account.cash_available -= order.frozen
        order.account.cash_frozen += order.frozen
    else:
        holding = order.account.holdings[order.instrument.number]
        holding.available -= order.leaves
        holding.frozen += order.leaves


def release_cash(order: Order, keep: int = 0) -> int:
    """Give back what is left of a buyer's lock beyond ``keep``; return the fen released."""
    released = order.frozen - keep
    order.frozen = keep
    order.account.cash_frozen -= released
    order.account.cash_available += released
    return released


def release_all(order: Order) -> int:
    """Undo the lock of what is open: tonnes of a seller, fen of a buyer; return the fen."""
    if order.side is Side.SELL:
        holding = order.account.holdings[order.instrument.number]
        holding.frozen -= order.leaves
        holding.available += order.leaves
    return release_cash(order)


def trade(venue: Venue, incoming: Order, resting: Order, qty: int, leg: int = 0) -> None:
    """Deal ``qty`` tonnes at the resting order's price and tell it; only a TAKE has a leg."""
    price, instrument = resting.price, resting.instrument
    value = price * qty
    fee = fee_fen(venue, value)
    incoming.leaves -= qty
    resting.leaves -= qty
    buy, sell = (incoming, resting) if incoming.side is Side.BUY else (resting, incoming)
    buy_fee = min(fee, buy.frozen - value - buy.price * buy.leaves)
    sell_fee = min(fee, value)
    _pay(buy, value + buy_fee)
    sell.account.cash_available += value - sell_fee
    sell.account.proceeds_today += value - sell_fee
    venue.fees += buy_fee + sell_fee
    _deliver(venue, buy, sell, qty)
    _record(instrument, price, qty, value)
    _settle_resting(venue, resting)
    venue.trade_no += 1
    is_buy = incoming is buy
    venue.tell(
        Event.TRADED,
        trade_no=venue.trade_no,
        order_no=incoming.number,
        account=incoming.account.number,
        leaves_qty=incoming.leaves,
        fee_fen=buy_fee if is_buy else sell_fee,
        other_order_no=resting.number,
        counterparty=resting.account.number,
        other_leaves_qty=resting.leaves,
        other_fee_fen=sell_fee if is_buy else buy_fee,
        instrument=instrument.number,
        side=incoming.side,
        price_ticks=price,
        qty_tonnes=qty,
        amount_fen=value,
        modality=LISTED_MODALITY,
        leg=leg,
    )


def _pay(buy: Order, cost: int) -> None:
    buy.frozen -= cost
    buy.account.cash_frozen -= cost


def _deliver(venue: Venue, buy: Order, sell: Order, qty: int) -> None:
    given = sell.account.holdings[sell.instrument.number]
    given.frozen -= qty
    given.sold_today += qty
    taken = buy.account.holdings[buy.instrument.number]
    if venue.parameters[Parameter.GOODS_T_PLUS]:
        taken.bought_today += qty
    else:
        taken.available += qty


def _record(instrument: Instrument, price: int, qty: int, value: int) -> None:
    """Day's figures (TR-100…102) and totals (TR-142)."""
    if not instrument.last:
        instrument.open = instrument.high = instrument.low = price
    instrument.high = max(instrument.high, price)
    instrument.low = min(instrument.low, price)
    instrument.last = price
    for span in ("day", "year", "all"):
        for name, amount in ((f"{span}_qty", qty), (f"{span}_turnover", value)):
            setattr(instrument, name, getattr(instrument, name) + amount)


def _settle_resting(venue: Venue, resting: Order) -> None:
    if resting.leaves:
        resting.status = Status.PART_FILLED
    else:
        end(venue, resting, Status.FILLED, Reason.NONE)
        release_cash(resting)


def end(venue: Venue, order: Order, status: Status, reason: Reason) -> None:
    """Take a resting order out of the book for good."""
    order.instrument.pull(order)
    del venue.resting[order.number]
    order.account.open_orders -= 1
    order.status = status
    order.reason = reason


def place(venue: Venue, order: Order) -> None:
    """Let an order rest at the end of its level."""
    order.instrument.rest(order)
    venue.resting[order.number] = order
    order.account.open_orders += 1
