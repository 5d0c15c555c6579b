"""What must hold after every command (rules.md 9A): conservation, locks, price limits."""

from __future__ import annotations

from tests.reference.checks import AT_REST
from tests.reference.orders import Role
from tests.reference.venue import Venue
from tests.reference.vocabulary import Modality, Parameter, Side


def violations(venue: Venue) -> list[str]:
    """Return what is unsound; an empty list when all is well."""
    return [
        *_cash_violations(venue),
        *_tonnes_violations(venue),
        *_book_violations(venue),
        *_bulk_violations(venue),
    ]


def _cash_violations(venue: Venue) -> list[str]:
    found = []
    balances = 0
    frozen = {account.number: 0 for account in venue.accounts}
    for order in venue.resting.values():
        frozen[order.account.number] += order.frozen
    for account in venue.accounts:
        balances += account.cash_available + account.cash_frozen
        if account.cash_available < 0 or account.proceeds_today < 0:
            found.append(f"I2: account {account.number} has negative cash")
        if account.cash_frozen != frozen[account.number]:
            found.append(f"I2: cash frozen of account {account.number} is not its orders'")
    if balances + venue.fees != venue.cash_in:
        found.append(f"I3: {balances} + {venue.fees} fen of fees is not {venue.cash_in}")
    return found


def _tonnes_violations(venue: Venue) -> list[str]:
    found = []
    open_sales: dict[tuple[int, int], int] = {}
    for order in venue.resting.values():
        if order.side is Side.SELL:
            key = (order.account.number, order.instrument.number)
            open_sales[key] = open_sales.get(key, 0) + order.leaves
    held = [0] * len(venue.instruments)
    for account in venue.accounts:
        for number, row in account.holdings.items():
            held[number] += row.total
            parts = (row.available, row.frozen, row.bought_today, row.sold_today, row.judicial)
            if min(parts) < 0:
                found.append(f"I2: account {account.number} has negative tonnes")
            if row.frozen != open_sales.get((account.number, number), 0):
                found.append(f"I2: frozen tonnes of {account.number} are not its orders'")
    return found + [
        f"I1: tonnes of instrument {instrument.number} are not conserved"
        for instrument in venue.instruments
        if held[instrument.number] != instrument.tonnes_in
    ]


def _book_violations(venue: Venue) -> list[str]:
    found = []
    for order in venue.resting.values():
        inside = order.instrument.limits[order.modality].hold(order.price)
        if order.role is Role.BOOK and not inside:
            found.append(f"I5: order {order.number} rests outside the price limits")
        if order.leaves < 1 or order.leaves > order.qty:
            found.append(f"order {order.number} rests with {order.leaves} tonnes")
    return found + [
        f"I8: instrument {instrument.number} opened outside its extremes"
        for instrument in venue.instruments
        if instrument.last and not instrument.low <= instrument.open <= instrument.high
    ]


def _bulk_violations(venue: Venue) -> list[str]:
    if venue.phase in AT_REST:  # the rules may have changed since
        return []
    least = venue.parameters[Parameter.BULK_QTY_MIN]
    return [
        f"I6: bulk deal {trade.number} is too small or outside the price limits"
        for trade in venue.trades.values()
        if trade.modality is Modality.BULK
        and not (trade.qty >= least and trade.instrument.limits[Modality.BULK].hold(trade.price))
    ]
