"""The keyword arguments that clients and many of their calls share, with their units.

A price is given once: ``price`` in yuan as text, e.g. ``"80.05"``, or ``price_ticks`` in units of
0.01 yuan. ``client_order_id`` names the request, 1 to 32 characters of ``A-Z a-z 0-9 . _ : -``,
unique for the account and day; left out, the client makes one up.
"""

from __future__ import annotations

from typing import Literal, Required, TypedDict


class Options(TypedDict, total=False):
    """How a client behaves; what is left out is as in ``DEFAULTS``.

    market: the market's name, "" for the venue's first one.
    reconnect: come back after a lost line, resume the reports and learn every outcome; else the
        loss of the line ends the client.
    away_max_s: how long calls wait for the venue to come back before they give up.
    cancel_on_disconnect: own open orders end ``grace_ms`` after the account's last such line was
        lost without a logout.
    grace_ms: see there.
    heartbeat_ms: how often both sides show that they live; 0: never.
    on_rate_limit: "wait" keeps to the venue's rate; "raise" lets it refuse (``rate_limited``).
    """

    market: str
    reconnect: bool
    away_max_s: float
    cancel_on_disconnect: bool
    grace_ms: int
    heartbeat_ms: int
    on_rate_limit: Literal["wait", "raise"]


DEFAULTS: Options = {
    "market": "",
    "reconnect": False,
    "away_max_s": 30.0,
    "cancel_on_disconnect": True,
    "grace_ms": 10_000,
    "heartbeat_ms": 5_000,
    "on_rate_limit": "wait",
}


class Named(TypedDict, total=False):
    """What any call may be given."""

    client_order_id: str | None


class Priced(Named, total=False):
    """A price."""

    price: str | None
    price_ticks: int | None


class Terms(Priced, total=False):
    """A price and tonnes."""

    qty: Required[int]


class BulkTerms(Terms, total=False):
    """Terms, and with whom: the number of a trading account."""

    counterparty: int | None


class Partner(Named, total=False):
    """With whom: the number of a trading account."""

    counterparty: int | None


class Tonnes(Named, total=False):
    """Tonnes alone."""

    qty: Required[int]


class Money(Named, total=False):
    """An amount of money in fen, where it is not given in yuan."""

    amount_fen: int | None


class Which(Named, total=False):
    """Which of the own orders: left out, all."""

    instrument: str | None
    side: str | None
