"""What needs two people: undoing a trade, court orders (ST-07, TR-121, RG-15)."""

from __future__ import annotations

from tests.reference import composite
from tests.reference.checks import (
    NOT_SETTLING,
    check_phase,
    check_qty,
    known_account,
    known_instrument,
)
from tests.reference.day import set_close, tell_close
from tests.reference.endings import end_session, end_with_talks
from tests.reference.ledger import note_price
from tests.reference.orders import Order, Role
from tests.reference.venue import Account, Holding, Instrument, Trade, Venue
from tests.reference.vocabulary import (
    Command,
    Event,
    Modality,
    Parameter,
    Phase,
    Reason,
    SessionStatus,
    Side,
    refuse_if,
)


def check_two_people(command: Command) -> None:
    """Refuse without a maker and another checker (ST-07)."""
    maker, checker = command["operator"], command["checker"]
    refuse_if(maker < 1 or checker < 1, Reason.CHECKER_MISSING)
    refuse_if(maker == checker, Reason.MAKER_IS_CHECKER)


def do_void_trade(venue: Venue, command: Command) -> None:
    """VOID_TRADE: goods, money and fees go back before settlement (TR-121)."""
    check_two_people(command)
    trade = venue.trades.get(command["ref"])
    refuse_if(trade is None or trade.void, Reason.UNKNOWN_TRADE)
    assert trade is not None
    hours = (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON, Phase.CLOSED)
    check_phase(venue, hours)
    check_undoable(venue, trade)
    give_back(venue, trade)
    trade.void = True
    trade.instrument.totals[trade.modality].add(-trade.qty, -trade.value)
    if trade.modality is Modality.LISTED:
        recompute_figures(venue, trade.instrument)
    venue.tell(
        Event.TRADE_VOIDED,
        trade_no=trade.number,
        order_no=trade.buy_no,
        other_order_no=trade.sell_no,
        account=trade.buyer.number,
        counterparty=trade.seller.number,
        instrument=trade.instrument.number,
        price_ticks=trade.price,
        qty_tonnes=trade.qty,
        amount_fen=trade.value,
        fee_fen=trade.buy_fee,
        other_fee_fen=trade.sell_fee,
        modality=trade.modality,
    )
    if venue.phase is Phase.CLOSED:
        set_close(trade.instrument)
        tell_close(venue, trade.instrument)
        composite.set_close(venue)
        composite.tell_figures(venue)


def check_undoable(venue: Venue, trade: Trade) -> None:
    """Refuse if the buyer's goods or the seller's money have moved on."""
    held = trade.buyer.holdings[trade.instrument.number]
    later = venue.parameters[Parameter.GOODS_T_PLUS]
    goods = held.bought_today if later else held.available
    refuse_if(goods < trade.qty, Reason.CANNOT_VOID)
    received = trade.value - trade.sell_fee
    refuse_if(trade.seller.cash_available < received, Reason.CANNOT_VOID)


def give_back(venue: Venue, trade: Trade) -> None:
    """Goods to the seller, money to the buyer, fees to both."""
    received = trade.value - trade.sell_fee
    trade.seller.cash_available -= received
    trade.seller.proceeds_today -= received
    trade.buyer.cash_available += trade.value + trade.buy_fee
    venue.fees -= trade.buy_fee + trade.sell_fee
    held = trade.buyer.holdings[trade.instrument.number]
    if venue.parameters[Parameter.GOODS_T_PLUS]:
        held.bought_today -= trade.qty
    else:
        held.available -= trade.qty
    given = trade.seller.holdings[trade.instrument.number]
    given.available += trade.qty
    given.sold_today -= trade.qty


def recompute_figures(venue: Venue, instrument: Instrument) -> None:
    """Open, high, low, last from the listed trades that stand."""
    instrument.open = instrument.high = instrument.low = instrument.last = 0
    for trade in venue.trades.values():
        standing = trade.instrument is instrument and not trade.void
        if standing and trade.modality is Modality.LISTED:
            note_price(instrument, trade.price)


def court_order(venue: Venue, command: Command) -> tuple[Account, Instrument, Holding, int]:
    """The checks that all court orders share."""
    check_two_people(command)
    account = known_account(venue, command)
    instrument = known_instrument(venue, command)
    check_phase(venue, NOT_SETTLING)
    check_qty(command["qty_tonnes"])
    return account, instrument, account.holdings[instrument.number], command["qty_tonnes"]


def tell_court_order(venue: Venue, kind: Event, command: Command) -> None:
    """Tell what was done with which tonnes."""
    names = ("account", "instrument", "qty_tonnes")
    venue.tell(kind, **{name: command[name] for name in names})


def do_freeze_holding(venue: Venue, command: Command) -> None:
    """FREEZE_HOLDING: available tonnes, if need be after cancelling sales (RG-15, U26)."""
    account, instrument, holding, qty = court_order(venue, command)
    refuse_if(holding.available + holding.frozen < qty, Reason.INSUFFICIENT_HOLDING)
    for order in sales(venue, account, instrument):
        if holding.available >= qty:
            break
        if order.is_open:
            end_with_talks(venue, order, Reason.COURT, Reason.OFFER_GONE)
    for session in venue.sessions.values():
        if holding.available >= qty:
            break
        alive = session.status in (SessionStatus.NOTICED, SessionStatus.OPEN)
        mine = session.applicant is account and session.instrument is instrument
        if alive and mine and session.side is Side.SELL:
            end_session(venue, session, Reason.COURT)
    holding.available -= qty
    holding.judicial += qty
    tell_court_order(venue, Event.HOLDING_FROZEN, command)


def sales(venue: Venue, account: Account, instrument: Instrument) -> list[Order]:
    """Open sell orders of an account and vintage, youngest first; not those of applicants."""
    return [
        order
        for _, order in sorted(venue.resting.items(), reverse=True)
        if order.account is account
        and order.instrument is instrument
        and order.side is Side.SELL
        and order.role is not Role.APPLICATION
    ]


def do_release_holding(venue: Venue, command: Command) -> None:
    """RELEASE_HOLDING: the court lets go."""
    _, _, holding, qty = court_order(venue, command)
    refuse_if(holding.judicial < qty, Reason.INSUFFICIENT_HOLDING)
    holding.judicial -= qty
    holding.available += qty
    tell_court_order(venue, Event.HOLDING_RELEASED, command)


def do_deduct_holding(venue: Venue, command: Command) -> None:
    """DEDUCT_HOLDING: the tonnes leave the exchange without a trade (E51)."""
    _, instrument, holding, qty = court_order(venue, command)
    refuse_if(holding.judicial < qty, Reason.INSUFFICIENT_HOLDING)
    holding.judicial -= qty
    instrument.tonnes_in -= qty
    tell_court_order(venue, Event.HOLDING_DEDUCTED, command)
