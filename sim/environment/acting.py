"""What an agent can do at a moment, and the commands that come of it.

An action is four whole numbers (``action_space``):

0. what: one of ``What``;
1. vintage: the row of the instrument, in the order of admission (``info["vintages"]``);
2. price: 0…20, the last listed price (the reference while nothing traded) −10 %…+10 % in steps
   of 1 %; for bulk −30 %…+30 % in steps of 3 %. A price to list at, the limit of a take, or the
   limit of what the bulk desk may agree to;
3. quantity: 0…9, that is 10 %…100 % of the need when buying (of a twentieth of a year's emissions
   where there is no need), of the available tonnes of the vintage when selling. Listed orders
   are cut to the most that the rules allow (TR-11).

Everything goes to the exchange, which refuses what is invalid and says why (docs/reference/
engine.md); a refused action changes nothing.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from gymnasium import spaces

from engine.records import Event, Kind, Mode, OrderStatus, Side
from sim.environment.played import Ask, PlayedSeason
from sim.season.learning import learn_of
from sim.season.streams import Array

OFFSETS, SHARES = 21, 10
STEP_SHARE, BULK_STEP_SHARE = 0.01, 0.03  # of the last price
IDLE_BUY_SHARE = 0.05  # of a year's emissions: what "all" means to a buyer without a need
RESTING = (OrderStatus.OPEN, OrderStatus.PART_FILLED)


class What(IntEnum):
    """The first number of an action."""

    HOLD = 0  # do nothing
    LIST_BUY = 1  # list (TR-60)
    LIST_SELL = 2
    TAKE_BUY = 3  # take the best listings within the limit; what is left over ends (TR-61)
    TAKE_SELL = 4
    BULK_BUY = 5  # ask the bulk desk to agree within the limit (TR-70); stands for the day
    BULK_SELL = 6
    WITHDRAW = 7  # all own listings of the vintage, and what the bulk desk was asked for


BUYS = (What.LIST_BUY, What.TAKE_BUY, What.BULK_BUY)
LISTED = (What.LIST_BUY, What.LIST_SELL, What.TAKE_BUY, What.TAKE_SELL)


def action_space(vintages: int) -> spaces.MultiDiscrete:
    """Return the space of actions: shape (4,), int64."""
    return spaces.MultiDiscrete([len(What), vintages, OFFSETS, SHARES])


def act(season: PlayedSeason, row: int, action: Array, need_t: int) -> int:
    """Do what an agent wants at the present moment; return the reason of a refusal, 0 = none.

    action: shape (4,), inside ``action_space``. need_t: tonnes it believes to need.
    """
    what, instrument = What(int(action[0])), int(action[1])
    if what == What.HOLD:
        return 0
    if what == What.WITHDRAW:
        return _withdraw(season, row, instrument)
    side = Side.BUY if what in BUYS else Side.SELL
    price_ticks = _price(season, instrument, int(action[2]) - OFFSETS // 2, what in LISTED)
    qty = _quantity(season, row, instrument, side, (int(action[3]) + 1) / SHARES, need_t)
    if what not in LISTED:
        return _ask(season, row, Ask(side, instrument, price_ticks, qty))
    taking = what in (What.TAKE_BUY, What.TAKE_SELL)
    kind = Kind.TAKE_BEST if taking else Kind.LIST
    if season.floor.mode == Mode.PRICE_TIME:
        kind = Kind.ADD
    most = int(season.floor.exchange.state.rules[0]["listed_qty_max"])
    terms = {"price_ticks": price_ticks, "qty_tonnes": min(qty, most), "side": side}
    return _send(season, season.floor.many(kind, account=row, instrument=instrument, **terms))


def own_listings(season: PlayedSeason, row: int) -> tuple[Array, Array]:
    """Return (order numbers, records) of an entity's open listings of today."""
    exchange = season.floor.exchange
    orders = exchange.orders_today()
    rows = np.flatnonzero((orders["account"] == row) & np.isin(orders["status"], RESTING))
    return rows + int(exchange.state.market[0]["order_base"]), orders[rows]


def last_ticks(season: PlayedSeason, instrument: int) -> int:
    """Return the last listed price today, the reference while nothing traded, 0 = not there."""
    record = season.floor.exchange.state.instruments[instrument]
    return int(record["last_ticks"]) or int(record["reference_ticks"])


def _price(season: PlayedSeason, instrument: int, steps: int, listed: bool) -> int:
    step = STEP_SHARE if listed else BULK_STEP_SHARE
    return round(last_ticks(season, instrument) * (1.0 + step * steps))


def _quantity(
    season: PlayedSeason, row: int, instrument: int, side: Side, share: float, need_t: int
) -> int:
    """Return the tonnes of an action, rounded up: the whole share of a small need is not lost."""
    if side == Side.SELL:
        whole = int(season.floor.exchange.state.holdings[row, instrument]["available_tonnes"])
    else:
        whole = need_t or int(season.people.size_t[row] * IDLE_BUY_SHARE)
    return int(np.ceil(share * whole))


def _send(season: PlayedSeason, batch: Array) -> int:
    """Apply commands of an agent, tell everybody concerned; return the first refusal's reason."""
    events = season.floor.send(batch)
    learn_of(season.mind, events)
    refused = events[events["kind"] == Event.REFUSED]
    return int(refused[0]["reason"]) if len(refused) else 0


def _withdraw(season: PlayedSeason, row: int, instrument: int) -> int:
    """Cancel own listings of a vintage and the bulk ask; without either the exchange refuses."""
    asked = season.desk.asks.pop(row, None)
    numbers, orders = own_listings(season, row)
    numbers = numbers[orders["instrument"] == instrument]
    if not len(numbers):
        if asked is not None:
            return 0
        numbers = np.zeros(1, np.int64)
    return _send(season, season.floor.many(Kind.CANCEL, account=row, ref=numbers))


def _ask(season: PlayedSeason, row: int, ask: Ask) -> int:
    """Ask the bulk desk, if the exchange would accept such an offer now (TR-12, TR-21, TR-31).

    A copy of the exchange is asked: an offer that nobody may ever answer must not freeze anything.
    """
    floor = season.floor
    terms = {"price_ticks": ask.limit_ticks, "qty_tonnes": ask.qty_tonnes, "side": ask.side}
    offer = floor.many(Kind.BULK_OFFER, account=row, instrument=ask.instrument, **terms)
    copy = floor.exchange.fork()
    offer["seq"] = copy.seq + 1
    offer["time_ns"] = copy.state.market[0]["time_ns"]
    answer = copy.apply(offer)[0]
    if answer["kind"] == Event.REFUSED:
        return int(answer["reason"])
    season.desk.asks[row] = ask
    return 0
