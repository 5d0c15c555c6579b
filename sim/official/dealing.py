"""Making deals on a venue as its participants would: click, negotiate, bid.

Every function gives a list of moves; a move takes what the ones before it were answered and returns
a command. Nothing here decides whether a command is right: the exchange does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.records import Kind, Side, commands
from engine.units import minute_of_day
from sim.official.bulk_deals import BulkDeal
from sim.official.realise import Deal
from sim.official.sessions import Session

Batch = np.ndarray[Any, np.dtype[Any]]
Send = Callable[[Batch], Batch]  # applies commands, returns their events; raises on a refusal


def command(kind: Kind, **fields: int) -> Batch:
    """Return one command with these fields, its number and time still to be given."""
    batch = commands(1)
    batch["kind"] = kind
    for name, value in fields.items():
        batch[name] = value
    return batch


def click(send: Send, deal: Deal, seller: int, buyer: int, *, seller_lists: bool) -> None:
    """Make a listed trade: one side lists, the other takes (TR-60…64)."""
    lister, taker, side = (seller, buyer, Side.SELL) if seller_lists else (buyer, seller, Side.BUY)
    listing = command(
        Kind.LIST,
        account=lister,
        instrument=deal.instrument,
        side=side,
        price_ticks=deal.price_ticks,
        qty_tonnes=deal.qty_tonnes,
    )
    number = int(send(listing)[0]["order_no"])
    send(command(Kind.TAKE, account=taker, ref=number, qty_tonnes=deal.qty_tonnes))


def negotiate(send: Send, deal: BulkDeal, seller: int, buyer: int, manner: int) -> None:
    """Make a bulk deal (TR-70…75): by ``manner`` a public offer that is accepted, an offer directed
    at the buyer's counterparty, or an offer of more that is countered, agreed and confirmed."""
    if manner % 3 == 1:
        offer = _offer(deal, buyer, Side.BUY, deal.qty_tonnes, seller)
        _accept(send, deal, int(send(offer)[0]["order_no"]), seller)
    elif manner % 3 == 0:
        offer = _offer(deal, seller, Side.SELL, deal.qty_tonnes, -1)
        _accept(send, deal, int(send(offer)[0]["order_no"]), buyer)
    else:
        offer = _offer(deal, seller, Side.SELL, deal.qty_tonnes + 1_000, -1)
        number = int(send(offer)[0]["order_no"])
        terms = {"price_ticks": deal.price_ticks, "qty_tonnes": deal.qty_tonnes}
        send(command(Kind.BULK_COUNTER, account=buyer, ref=number, **terms))
        agreed = {"account": seller, "ref": number, "counterparty": buyer, **terms}
        send(command(Kind.BULK_ACCEPT, **agreed))
        send(command(Kind.BULK_CONFIRM, account=buyer, ref=number))


def _offer(deal: BulkDeal, account: int, side: Side, qty_tonnes: int, counterparty: int) -> Batch:
    return command(
        Kind.BULK_OFFER,
        account=account,
        instrument=deal.instrument,
        side=side,
        price_ticks=deal.price_ticks,
        qty_tonnes=qty_tonnes,
        counterparty=counterparty,
    )


def _accept(send: Send, deal: BulkDeal, number: int, account: int) -> None:
    send(
        command(
            Kind.BULK_ACCEPT,
            account=account,
            ref=number,
            price_ticks=deal.price_ticks,
            qty_tonnes=deal.qty_tonnes,
        )
    )


def hold_session(
    send: Send, session: Session, seller: int, bidders: list[int], now_ns: int
) -> Batch:
    """Hold a bidding session from application to clearing; return the clearing's events (TR-81)."""
    application = command(
        Kind.APPLY_SESSION,
        account=seller,
        instrument=session.instrument,
        side=Side.SELL,
        price_ticks=session.floor_ticks,
        qty_tonnes=session.offered_tonnes,
        mode=session.pricing,
    )
    number = int(send(application)[0]["order_no"])
    now = minute_of_day(now_ns)
    window = {"from_minute": now + 1, "until_minute": now + 30}
    send(command(Kind.NOTICE_SESSION, ref=number, **window))
    send(command(Kind.OPEN_SESSION, ref=number))
    for place, bid in enumerate(session.bids):
        send(
            command(
                Kind.BID,
                account=bidders[place % len(bidders)],
                ref=number,
                price_ticks=bid.price_ticks,
                qty_tonnes=bid.qty_tonnes,
            )
        )
    return send(command(Kind.CLOSE_SESSION, ref=number))
