"""Money and tonnes: rounding, fees, locks, what a trade moves (TR-40…48, TR-130…132, ST-15)."""

from __future__ import annotations

from tests.reference import composite
from tests.reference.orders import Order, Role
from tests.reference.rounding import half_up
from tests.reference.venue import Account, Instrument, Trade, Venue
from tests.reference.vocabulary import (
    Event,
    Modality,
    Parameter,
    Reason,
    Side,
    Status,
    refuse_if,
)

FEES = {
    Modality.LISTED: (Parameter.LISTED_TRADING_FEE_PPM, Parameter.LISTED_SETTLEMENT_FEE_PPM),
    Modality.BULK: (Parameter.BULK_TRADING_FEE_PPM, Parameter.BULK_SETTLEMENT_FEE_PPM),
    Modality.AUCTION: (Parameter.AUCTION_TRADING_FEE_PPM, Parameter.AUCTION_SETTLEMENT_FEE_PPM),
}


def fee_fen(venue: Venue, value: int, modality: Modality) -> int:
    """Both fee components on one side of one deal leg (TR-130, TR-132), in fen."""
    return sum(half_up(value * venue.parameters[rate], 1_000_000) for rate in FEES[modality])


def lock_fen(venue: Venue, price: int, qty: int, modality: Modality) -> int:
    """What a buy declaration locks: the amount and its fees (TR-41, TR-42), in fen."""
    return price * qty + fee_fen(venue, price * qty, modality)


def check_cover(
    venue: Venue,
    account: Account,
    instrument: Instrument,
    side: Side,
    price: int,
    qty: int,
    modality: Modality = Modality.LISTED,
    own: Order | None = None,
) -> None:
    """Refuse what the account cannot cover; what its order ``own`` has frozen is available."""
    if side is Side.SELL:
        return check_tonnes(account, instrument, qty, own.leaves if own else 0)
    available = account.cash_available + (own.frozen if own else 0)
    lock = lock_fen(venue, price, qty, modality)
    refuse_if(available < lock, Reason.INSUFFICIENT_FUNDS)
    more = qty - (own.leaves if own else 0)
    if account.holding_max and more > 0:
        would_hold = account.tonnes + buying_tonnes(venue, account) + more
        refuse_if(would_hold > account.holding_max, Reason.HOLDING_LIMIT)
    return None


def buying_tonnes(venue: Venue, account: Account) -> int:
    """Open buy quantities of an account, of every way of trading (TR-111)."""
    mine = [o for o in venue.resting.values() if o.account is account and o.side is Side.BUY]
    return sum(order.leaves for order in mine)


def check_tonnes(account: Account, instrument: Instrument, qty: int, own_tonnes: int = 0) -> None:
    """Refuse tonnes that are not there, were bought today, or are guarded (TR-40, 47, 116)."""
    holding = account.holdings[instrument.number]
    free = holding.available + own_tonnes
    if free < qty:
        refuse_if(free + holding.bought_today >= qty, Reason.HOLDING_BOUGHT_TODAY)
        refuse_if(True, Reason.INSUFFICIENT_HOLDING)
    more = qty - own_tonnes  # a declaration that does not grow stays as it was
    guarded = more > 0 and holding.available - holding.guarded < more
    refuse_if(guarded, Reason.SELL_GUARDED)


def freeze(venue: Venue, order: Order) -> None:
    """Lock what the order's open quantity needs."""
    if order.side is Side.BUY:
        order.frozen = lock_fen(venue, order.price, order.leaves, order.modality)
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


def release_tonnes(order: Order, qty: int) -> None:
    """Give back tonnes of a seller's lock."""
    if order.side is Side.SELL:
        holding = order.account.holdings[order.instrument.number]
        holding.frozen -= qty
        holding.available += qty


def release_all(order: Order) -> int:
    """Undo the lock of what is open: tonnes of a seller, fen of a buyer; return the fen."""
    release_tonnes(order, order.leaves)
    return release_cash(order)


def pay_from_lock(venue: Venue, buy: Order, price: int, qty: int) -> int:
    """Release a buyer's price and fee for a deal; return the fee, never more than the lock has.

    ``buy.leaves`` must already be what stays open after the deal.
    """
    value = price * qty
    fee = min(fee_fen(venue, value, buy.modality), buy.frozen - value - buy.price * buy.leaves)
    release_cash(buy, buy.frozen - value - fee)
    return fee


def trade(venue: Venue, incoming: Order, resting: Order, qty: int, leg: int = 0) -> None:
    """Deal ``qty`` tonnes at the resting order's price and tell it; only a TAKE has a leg."""
    incoming.leaves -= qty
    resting.leaves -= qty
    buy, sell = (incoming, resting) if incoming.side is Side.BUY else (resting, incoming)
    buy_fee = pay_from_lock(venue, buy, resting.price, qty)
    release_tonnes(sell, qty)
    deal = settle(venue, buy, sell, resting.price, qty, buy_fee)
    _settle_resting(venue, resting)
    tell_trade(venue, deal, incoming, resting, leg=leg)


def settle(venue: Venue, buy: Order, sell: Order, price: int, qty: int, buy_fee: int) -> Trade:
    """Move goods and money that both sides have available; note the trade and its figures."""
    value = price * qty
    sell_fee = min(fee_fen(venue, value, sell.modality), value)
    venue.trade_no += 1
    deal = Trade(
        venue.trade_no, buy.instrument, buy.modality, price, qty, buy.account, sell.account,
        buy.number, sell.number, buy_fee, sell_fee,
    )  # fmt: skip
    venue.trades[deal.number] = deal
    buy.account.cash_available -= value + buy_fee
    sell.account.cash_available += value - sell_fee
    sell.account.proceeds_today += value - sell_fee
    venue.fees += buy_fee + sell_fee
    given = sell.account.holdings[sell.instrument.number]
    given.available -= qty
    given.sold_today += qty
    taken = buy.account.holdings[buy.instrument.number]
    if venue.parameters[Parameter.GOODS_T_PLUS]:
        taken.bought_today += qty
    else:
        taken.available += qty
    buy.instrument.totals[buy.modality].add(qty, value)
    if buy.modality is Modality.LISTED:
        note_price(buy.instrument, price)
        composite.note_trade(venue)
    return deal


def note_price(instrument: Instrument, price: int) -> None:
    """Open, high, low, last of the day (TR-100…102)."""
    if not instrument.last:
        instrument.open = instrument.high = instrument.low = price
    instrument.high = max(instrument.high, price)
    instrument.low = min(instrument.low, price)
    instrument.last = price


def tell_trade(venue: Venue, deal: Trade, order: Order, other: Order, **more: int) -> None:
    """Tell a trade from the view of ``order``; ``more`` replaces or adds fields."""
    is_buy = order.side is Side.BUY
    fields = {
        "other_order_no": other.number,
        "other_leaves_qty": other.leaves,
        "leaves_qty": order.leaves,
    }
    venue.tell(
        Event.TRADED,
        trade_no=deal.number,
        order_no=order.number,
        account=order.account.number,
        fee_fen=deal.buy_fee if is_buy else deal.sell_fee,
        counterparty=other.account.number,
        other_fee_fen=deal.sell_fee if is_buy else deal.buy_fee,
        instrument=deal.instrument.number,
        side=order.side,
        price_ticks=deal.price,
        qty_tonnes=deal.qty,
        amount_fen=deal.value,
        modality=deal.modality,
        **(fields | more),
    )


def _settle_resting(venue: Venue, resting: Order) -> None:
    if resting.leaves:
        resting.status = Status.PART_FILLED
    else:
        end(venue, resting, Status.FILLED, Reason.NONE)
        release_cash(resting)


def end(venue: Venue, order: Order, status: Status, reason: Reason) -> None:
    """Take an open order out for good."""
    if order.role is Role.BOOK:
        order.instrument.pull(order)
    del venue.resting[order.number]
    order.account.open_orders -= 1
    order.status = status
    order.reason = reason


def place(venue: Venue, order: Order) -> None:
    """Let an order stand: one of a book at the end of its level."""
    if order.role is Role.BOOK:
        order.instrument.rest(order)
    venue.resting[order.number] = order
    order.account.open_orders += 1


def new_order(
    venue: Venue,
    account: Account,
    instrument: Instrument,
    side: Side,
    price: int,
    qty: int,
    role: Role = Role.BOOK,
) -> Order:
    """Give the next order number and freeze what the order needs (TR-42)."""
    venue.order_no += 1
    order = Order(venue.order_no, account, instrument, side, price, qty, qty, role)
    venue.orders[order.number] = order
    freeze(venue, order)
    return order
