"""Clients of the venue, for traders, bots and the institutions' people.

    async with Client("ws://127.0.0.1:8000", key_id, secret, reconnect=True) as c:
        order = await c.list("CEA25", "sell", price="80.05", qty=100)
        await c.cancel(order)

Every call returns when the venue has answered, which is when the command is durable, and raises
``RefusedError`` with the venue's code and sentence. With ``reconnect=True`` a lost line heals by
itself and each call still returns the true outcome; only if the venue stays away too long
``OutcomeUnknownError`` says so, or ``NeverSentError`` if nothing was sent. Without it the loss of
the line is ``LineLostError``: the outcome is unknown, ``status(client_order_id)`` on a new line
tells it (or the same command with the same ``client_order_id``: it is never done twice).

``BlockingClient`` and ``BlockingMarketData`` are the same without asyncio.
"""

from gateway.client.blocking import BlockingClient
from gateway.client.blocking_market import BlockingMarketData
from gateway.client.conversation import Told
from gateway.client.errors import (
    LineLostError,
    NeverSentError,
    OutcomeUnknownError,
    RefusedError,
)
from gateway.client.line import NewKey
from gateway.client.market_data import MarketData
from gateway.client.office import OfficeClient
from gateway.client.orders import Order
from gateway.client.terms import Options
from gateway.client.trading import Client
from gateway.client.wire import endpoint

__all__ = [
    "BlockingClient",
    "BlockingMarketData",
    "Client",
    "LineLostError",
    "MarketData",
    "NeverSentError",
    "NewKey",
    "OfficeClient",
    "Options",
    "Order",
    "OutcomeUnknownError",
    "RefusedError",
    "Told",
    "endpoint",
]
