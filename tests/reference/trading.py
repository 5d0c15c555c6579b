"""Listing, taking, cancelling; adding and amending in price–time books (TR-60…69)."""

from __future__ import annotations

from tests.reference import ledger
from tests.reference.checks import (
    CANCELLING,
    ENTRY,
    check_band,
    check_block,
    check_instrument_halt,
    check_market_halt,
    check_open_orders,
    check_phase,
    check_price,
    check_qty,
    check_qty_max,
    checked_side,
    known_account,
    known_instrument,
)
from tests.reference.endings import end_order
from tests.reference.orders import Order, Role
from tests.reference.venue import Account, Instrument, Venue
from tests.reference.vocabulary import (
    Command,
    Event,
    EventDict,
    Modality,
    Mode,
    Parameter,
    Reason,
    Side,
    Status,
    refuse_if,
)


def check_declaration(
    venue: Venue, command: Command, mode: Mode
) -> tuple[Account, Instrument, Side]:
    """Ranks 1 to 9 that LIST, TAKE_BEST and ADD share."""
    account = known_account(venue, command)
    check_block(account, command["side"])
    instrument = known_instrument(venue, command)
    refuse_if(instrument.mode != mode, Reason.WRONG_MODE)
    check_phase(venue, ENTRY)
    check_market_halt(venue)
    check_instrument_halt(instrument)
    side = checked_side(command["side"])
    check_price(command["price_ticks"])
    check_band(instrument, command["price_ticks"])
    check_qty(command["qty_tonnes"])
    check_qty_max(venue, command["qty_tonnes"])
    return account, instrument, side


def crosses(side: Side, price: int, opposite: int | None) -> bool:
    """Whether a price meets the best one of the other side."""
    if opposite is None:
        return False
    return price >= opposite if side is Side.BUY else price <= opposite


def tell_accepted(venue: Venue, order: Order, leg: int = 0) -> EventDict:
    """Tell that a new order stands; leaves and amount are filled in when the command is done."""
    return venue.tell_order(Event.ACCEPTED, order, qty_tonnes=order.qty, leg=leg)


def do_list(venue: Venue, command: Command) -> None:
    """LIST: a listing that rests and never matches (TR-60, TR-67)."""
    account, instrument, side = check_declaration(venue, command, Mode.LISTED)
    price, qty = command["price_ticks"], command["qty_tonnes"]
    if not venue.parameters[Parameter.ALLOW_CROSSED_LISTINGS]:
        refuse_if(crosses(side, price, instrument.best(side.other)), Reason.WOULD_CROSS)
    check_open_orders(venue, account)
    ledger.check_cover(venue, account, instrument, side, price, qty)
    order = ledger.new_order(venue, account, instrument, side, price, qty)
    ledger.place(venue, order)
    accepted = tell_accepted(venue, order)
    accepted["leaves_qty"] = qty
    accepted["amount_fen"] = order.frozen


def do_take(venue: Venue, command: Command) -> None:
    """TAKE: deal with one chosen listing (TR-61…66)."""
    account = known_account(venue, command)
    check_phase(venue, ENTRY)
    check_market_halt(venue)
    qty = command["qty_tonnes"]
    check_qty(qty)
    check_qty_max(venue, max(qty, command["total_qty_tonnes"]))
    listing = venue.resting.get(command["ref"])
    if listing is None or listing.role is not Role.BOOK:
        return refuse_if(True, Reason.UNKNOWN_ORDER)
    instrument = listing.instrument
    check_instrument_halt(instrument)
    refuse_if(instrument.mode != Mode.LISTED, Reason.WRONG_MODE)
    refuse_if(listing.account is account, Reason.SELF_TRADE)
    better = instrument.better_levels(listing.side, listing.price)
    most = venue.parameters[Parameter.TAKE_LEVELS_MAX]
    refuse_if(len(better) >= most, Reason.OUTSIDE_FIVE_LEVELS)
    foreign = any(o.account is not account for level in better for o in level.values())
    refuse_if(foreign, Reason.BETTER_PRICE_AVAILABLE)
    refuse_if(qty > listing.leaves, Reason.QTY_ABOVE_LEAVES)
    side = listing.side.other
    check_block(account, side)
    ledger.check_cover(venue, account, instrument, side, listing.price, qty)
    order = ledger.new_order(venue, account, instrument, side, listing.price, qty)
    tell_accepted(venue, order, command["leg"])
    ledger.trade(venue, order, listing, qty, command["leg"])
    order.status = Status.FILLED
    ledger.release_all(order)
    return None


def takeable(
    venue: Venue, account: Account, instrument: Instrument, side: Side, limit: int
) -> list[Order]:
    """Foreign listings an account may take, best level first, oldest first (TR-61, TR-65)."""
    most = venue.parameters[Parameter.TAKE_LEVELS_MAX]
    found = []
    for price, level in instrument.levels(side.other)[:most]:
        if crosses(side, limit, price):
            found += [order for order in level.values() if order.account is not account]
    return found


def do_take_best(venue: Venue, command: Command) -> None:
    """TAKE_BEST: the venue chooses; what is left does not rest."""
    account, instrument, side = check_declaration(venue, command, Mode.LISTED)
    price, qty = command["price_ticks"], command["qty_tonnes"]
    listings = takeable(venue, account, instrument, side, price)
    refuse_if(not listings, Reason.NOTHING_TO_TAKE)
    ledger.check_cover(venue, account, instrument, side, price, qty)
    order = ledger.new_order(venue, account, instrument, side, price, qty)
    tell_accepted(venue, order)
    for listing in listings:
        if not order.leaves:
            break
        ledger.trade(venue, order, listing, min(order.leaves, listing.leaves))
    drop_rest(venue, order, Reason.TAKE_REMAINDER)


def drop_rest(venue: Venue, order: Order, reason: Reason) -> None:
    """End an incoming order that does not rest; tell it if a quantity is left."""
    ledger.release_all(order)
    order.status = Status.FILLED
    if order.leaves:
        left, order.leaves = order.leaves, 0
        order.status, order.reason = Status.CANCELLED, reason
        venue.tell_order(Event.CANCELLED, order, qty_tonnes=left, reason=reason)


def do_cancel(venue: Venue, command: Command) -> None:
    """CANCEL: the owner takes back what is open (TR-43)."""
    account = known_account(venue, command)
    check_phase(venue, CANCELLING)
    order = own_order(venue, account, command["ref"])
    end_order(venue, order, Event.CANCELLED, Reason.BY_OWNER)


def own_order(venue: Venue, account: Account, number: int) -> Order:
    """Return the account's open order of that number, or refuse."""
    order = venue.resting.get(number)
    mine = order is not None and order.role is Role.BOOK and order.account is account
    refuse_if(not mine, Reason.UNKNOWN_ORDER)
    assert order is not None
    return order


def do_add(venue: Venue, command: Command) -> None:
    """ADD: match while prices cross, then rest (price–time mode)."""
    account, instrument, side = check_declaration(venue, command, Mode.PRICE_TIME)
    price, qty = command["price_ticks"], command["qty_tonnes"]
    check_open_orders(venue, account)
    ledger.check_cover(venue, account, instrument, side, price, qty)
    order = ledger.new_order(venue, account, instrument, side, price, qty)
    told = tell_accepted(venue, order)
    match(venue, order, told)


def match(venue: Venue, order: Order, told: EventDict) -> None:
    """Trade an incoming order of a price–time book; rest what is left and complete ``told``."""
    instrument, opposite = order.instrument, order.side.other
    met_itself = False
    while order.leaves and crosses(order.side, order.price, instrument.best(opposite)):
        level = instrument.book[opposite][instrument.best(opposite)]
        resting = next(iter(level.values()))
        if resting.account is order.account:
            met_itself = True
            break
        ledger.trade(venue, order, resting, min(order.leaves, resting.leaves))
    if met_itself or not order.leaves:
        drop_rest(venue, order, Reason.SELF_TRADE)
        return
    if order.side is Side.BUY:
        keep = ledger.lock_fen(venue, order.price, order.leaves, Modality.LISTED)
        ledger.release_cash(order, min(keep, order.frozen))
    order.status = Status.PART_FILLED if order.filled else Status.OPEN
    ledger.place(venue, order)
    told["leaves_qty"] = order.leaves
    told["amount_fen"] = order.frozen


def do_amend(venue: Venue, command: Command) -> None:
    """AMEND: new price or new total quantity of an order in a price–time book."""
    account = known_account(venue, command)
    price, total = command["price_ticks"], command["qty_tonnes"]
    check_phase(venue, ENTRY)
    check_market_halt(venue)
    check_price(price)
    check_qty(total)
    order = own_order(venue, account, command["ref"])
    instrument = order.instrument
    check_instrument_halt(instrument)
    refuse_if(instrument.mode != Mode.PRICE_TIME, Reason.WRONG_MODE)
    check_band(instrument, price)
    check_qty_max(venue, total)
    refuse_if(total <= order.filled, Reason.QTY_BELOW_FILLED)
    leaves = total - order.filled
    check_block(account, order.side)
    ledger.check_cover(venue, account, instrument, order.side, price, leaves, own=order)
    keeps_place = price == order.price and total <= order.qty
    released = ledger.release_all(order)
    venue.tell_order(Event.PULLED, order, qty_tonnes=order.leaves, amount_fen=released)
    if not keeps_place:
        ledger.end(venue, order, order.status, Reason.NONE)
    order.price, order.qty, order.leaves = price, total, leaves
    ledger.freeze(venue, order)
    told = venue.tell_order(Event.AMENDED, order, qty_tonnes=total)
    if keeps_place:
        told["leaves_qty"], told["amount_fen"] = leaves, order.frozen
    else:
        match(venue, order, told)
