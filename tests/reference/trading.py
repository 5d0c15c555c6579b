"""Listing, taking, cancelling; adding and amending in price–time books (TR-60…69)."""

from __future__ import annotations

from tests.reference import ledger
from tests.reference.venue import Account, Instrument, Order, Venue
from tests.reference.vocabulary import (
    PRICE_TICKS_MAX,
    QTY_TONNES_MAX,
    Command,
    Event,
    EventDict,
    Mode,
    Parameter,
    Phase,
    Reason,
    Side,
    Status,
    refuse_if,
)

ENTRY = (Phase.MORNING, Phase.AFTERNOON)  # TR-30, TR-33
CANCELLING = (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON)  # TR-34


def known_account(venue: Venue, command: Command) -> Account:
    """Return the account named, or refuse."""
    number = command["account"]
    refuse_if(not 0 <= number < len(venue.accounts), Reason.UNKNOWN_ACCOUNT)
    return venue.accounts[number]


def known_instrument(venue: Venue, command: Command) -> Instrument:
    """Return the instrument named, or refuse (RG-24)."""
    number = command["instrument"]
    refuse_if(not 0 <= number < len(venue.instruments), Reason.UNKNOWN_INSTRUMENT)
    return venue.instruments[number]


def check_phase(venue: Venue, phases: tuple[Phase, ...]) -> None:
    """Refuse outside the phases that take the command."""
    refuse_if(venue.phase not in phases, Reason.PHASE_CLOSED)


def check_price(price: int) -> None:
    """Refuse a price that is not a positive number of ticks (TR-10)."""
    refuse_if(not 1 <= price <= PRICE_TICKS_MAX, Reason.PRICE_INVALID)


def check_band(instrument: Instrument, price: int) -> None:
    """Refuse a price outside the day's limits (TR-20, TR-26)."""
    inside = instrument.lower_limit <= price <= instrument.upper_limit
    refuse_if(not inside, Reason.PRICE_OUT_OF_BAND)


def check_qty(qty: int) -> None:
    """Refuse a quantity that is not one (TR-10)."""
    refuse_if(not 1 <= qty <= QTY_TONNES_MAX, Reason.QTY_INVALID)


def check_qty_max(venue: Venue, qty: int) -> None:
    """Refuse what is too large for a listed declaration (TR-11)."""
    refuse_if(qty > venue.parameters[Parameter.LISTED_QTY_MAX], Reason.QTY_ABOVE_MAX)


def check_open_orders(venue: Venue, account: Account) -> None:
    """Refuse one open order too many."""
    most = venue.parameters[Parameter.OPEN_ORDERS_MAX]
    refuse_if(0 < most <= account.open_orders, Reason.TOO_MANY_OPEN_ORDERS)


def check_declaration(
    venue: Venue, command: Command, mode: Mode
) -> tuple[Account, Instrument, Side]:
    """Ranks 1 to 9 that LIST, TAKE_BEST and ADD share."""
    account = known_account(venue, command)
    instrument = known_instrument(venue, command)
    refuse_if(instrument.mode != mode, Reason.WRONG_MODE)
    check_phase(venue, ENTRY)
    refuse_if(command["side"] not in (Side.BUY, Side.SELL), Reason.SIDE_INVALID)
    check_price(command["price_ticks"])
    check_band(instrument, command["price_ticks"])
    check_qty(command["qty_tonnes"])
    check_qty_max(venue, command["qty_tonnes"])
    return account, instrument, Side(command["side"])


def crosses(side: Side, price: int, opposite: int | None) -> bool:
    """Whether a price meets the best one of the other side."""
    if opposite is None:
        return False
    return price >= opposite if side is Side.BUY else price <= opposite


def new_order(
    venue: Venue, account: Account, instrument: Instrument, side: Side, price: int, qty: int
) -> Order:
    """Give the next order number and freeze what the order needs (TR-42)."""
    venue.order_no += 1
    order = Order(venue.order_no, account, instrument, side, price, qty, qty)
    venue.orders[order.number] = order
    ledger.freeze(venue, order)
    return order


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
    order = new_order(venue, account, instrument, side, price, qty)
    ledger.place(venue, order)
    accepted = tell_accepted(venue, order)
    accepted["leaves_qty"] = qty
    accepted["amount_fen"] = order.frozen


def do_take(venue: Venue, command: Command) -> None:
    """TAKE: deal with one chosen listing (TR-61…66)."""
    account = known_account(venue, command)
    check_phase(venue, ENTRY)
    qty = command["qty_tonnes"]
    check_qty(qty)
    check_qty_max(venue, max(qty, command["total_qty_tonnes"]))
    listing = venue.resting.get(command["ref"])
    if listing is None:
        return refuse_if(True, Reason.UNKNOWN_ORDER)
    instrument = listing.instrument
    refuse_if(instrument.mode != Mode.LISTED, Reason.WRONG_MODE)
    refuse_if(listing.account is account, Reason.SELF_TRADE)
    better = instrument.better_levels(listing.side, listing.price)
    most = venue.parameters[Parameter.TAKE_LEVELS_MAX]
    refuse_if(len(better) >= most, Reason.OUTSIDE_FIVE_LEVELS)
    foreign = any(o.account is not account for level in better for o in level.values())
    refuse_if(foreign, Reason.BETTER_PRICE_AVAILABLE)
    refuse_if(qty > listing.leaves, Reason.QTY_ABOVE_LEAVES)
    side = listing.side.other
    ledger.check_cover(venue, account, instrument, side, listing.price, qty)
    order = new_order(venue, account, instrument, side, listing.price, qty)
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
    order = new_order(venue, account, instrument, side, price, qty)
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
    end_resting(venue, order, Event.CANCELLED, Status.CANCELLED, Reason.BY_OWNER)


def own_order(venue: Venue, account: Account, number: int) -> Order:
    """Return the account's open order of that number, or refuse."""
    order = venue.resting.get(number)
    refuse_if(order is None or order.account is not account, Reason.UNKNOWN_ORDER)
    assert order is not None
    return order


def end_resting(venue: Venue, order: Order, kind: Event, status: Status, reason: Reason) -> None:
    """Cancel or lapse a resting order: release its lock, tell it."""
    ledger.end(venue, order, status, reason)
    released = ledger.release_all(order)
    left, order.leaves = order.leaves, 0
    venue.tell_order(kind, order, qty_tonnes=left, amount_fen=released, reason=reason)


def do_add(venue: Venue, command: Command) -> None:
    """ADD: match while prices cross, then rest (price–time mode)."""
    account, instrument, side = check_declaration(venue, command, Mode.PRICE_TIME)
    price, qty = command["price_ticks"], command["qty_tonnes"]
    check_open_orders(venue, account)
    ledger.check_cover(venue, account, instrument, side, price, qty)
    order = new_order(venue, account, instrument, side, price, qty)
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
        keep = ledger.lock_fen(venue, order.price, order.leaves)
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
    check_price(price)
    check_qty(total)
    order = own_order(venue, account, command["ref"])
    instrument = order.instrument
    refuse_if(instrument.mode != Mode.PRICE_TIME, Reason.WRONG_MODE)
    check_band(instrument, price)
    check_qty_max(venue, total)
    refuse_if(total <= order.filled, Reason.QTY_BELOW_FILLED)
    leaves = total - order.filled
    ledger.check_cover(
        venue, account, instrument, order.side, price, leaves, order.frozen, order.leaves
    )
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
