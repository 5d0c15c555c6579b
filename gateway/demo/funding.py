"""A demo population: entities with holdings and money, and real reference prices to begin with.

Everything goes through the registry like real business: accounts are opened, allowances issued,
money paid in, goods moved to the trading side; the venue's day cycle carries the instructions to
the exchange. Funding can be broken off anywhere and repeated: what was done is not done again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gateway.keys import Key
from gateway.venue import Venue
from registry.accounts import Directory, last_instruction
from registry.institution import Holding, Registry

ENTITIES = 300
TRADERS = 5  # accounts kept for the people who try the venue
SEED = 20260820
DONE_WITHIN_S = 60.0


class Reference(NamedTuple):
    """A real price a vintage begins the demo with."""

    code: str
    price_ticks: int
    date: dt.date
    source: str


# Each figure is a published fact of the exchange (Shanghai Environment and Energy Exchange).
REFERENCES = (
    Reference("CEA", 7400, dt.date(2026, 8, 19), "closing price in the exchange's daily figures"),
    Reference("CEA21", 9680, dt.date(2024, 12, 31), "closing price, CEA21"),
    Reference("CEA22", 9800, dt.date(2024, 12, 31), "closing price, CEA22"),
    Reference("CEA23", 9792, dt.date(2024, 12, 31), "closing price, CEA23"),
    Reference(
        "CEA24",
        4872,
        dt.date(2025, 11, 4),
        "reference of the one-way bidding of that day: the close of the trading day before",
    ),
    Reference("CEA25", 9740, dt.date(2026, 8, 19), "closing price in the exchange's daily figures"),
)


def references() -> dict[str, int]:
    """Return the first price of each vintage in ticks, for ``gateway.serve.Options``."""
    return {each.code: each.price_ticks for each in REFERENCES}


@dataclass(frozen=True)
class Entity:
    """One subject of the demo: what it is called, how it logs in, what it begins with."""

    code: str
    name: str
    key_id: str
    cash_fen: int
    holdings: Mapping[str, int]  # tonnes by vintage, all on the trading side


# sector, share of the entities, share that still holds each older vintage
SECTORS = (("power", 0.62), ("steel", 0.10), ("cement", 0.20), ("aluminium", 0.08))
OLD_HOLDERS = {"CEA": 0.15, "CEA21": 0.20, "CEA22": 0.25, "CEA23": 0.35, "CEA24": 0.60}
TRADER_TONNES = 50_000
TRADER_CASH_FEN = 20_000_000_00


def traders(count: int = TRADERS) -> list[Entity]:
    """Return the accounts for people: ``trader1`` … with goods of every vintage and money."""
    return [
        Entity(
            code=f"TRADER{number}",
            name=f"Visitor {number}",
            key_id=f"trader{number}",
            cash_fen=TRADER_CASH_FEN,
            holdings={each.code: TRADER_TONNES for each in REFERENCES},
        )
        for number in range(1, count + 1)
    ]


HOUSES = 6  # large groups that trade in bulk and bid
HOUSE_HOLDINGS = {"CEA25": 3_000_000, "CEA24": 1_500_000}
HOUSE_CASH_FEN = 400_000_000_00


def houses(count: int = HOUSES) -> list[Entity]:
    """Return groups large enough for bulk agreement and bidding (100,000 t and more at a time)."""
    return [
        Entity(
            code=f"GROUP{number:02d}",
            name=f"Demo power group {number}",
            key_id=f"group{number:02d}",
            cash_fen=HOUSE_CASH_FEN,
            holdings=HOUSE_HOLDINGS,
        )
        for number in range(1, count + 1)
    ]


def population(count: int = ENTITIES, seed: int = SEED) -> list[Entity]:
    """Return ``count`` emitting entities; the same seed gives the same ones.

    Yearly emissions are lognormal (median 600,000 t, sigma 1.1, cut at 26,000 t and 35 Mt); 2-10 %
    of them lies on the trading side as CEA25, less of older vintages; cash would buy about as much.
    """
    rng = np.random.default_rng(seed)
    sectors = rng.choice([name for name, _ in SECTORS], count, p=[share for _, share in SECTORS])
    emissions = np.clip(rng.lognormal(math.log(600_000), 1.1, count), 26_000, 35_000_000)
    return [
        _entity(number, str(sector), float(tonnes), rng)
        for number, (sector, tonnes) in enumerate(zip(sectors, emissions, strict=True), 1)
    ]


def _entity(number: int, sector: str, emissions: float, rng: np.random.Generator) -> Entity:
    holdings = {"CEA25": _tonnes(emissions * rng.uniform(0.02, 0.10))}
    for code, share in OLD_HOLDERS.items():
        if rng.random() < share:
            holdings[code] = _tonnes(emissions * rng.uniform(0.005, 0.03))
    cash_yuan = emissions * rng.uniform(0.02, 0.10) * 90
    return Entity(
        code=f"DEMO{number:04d}",
        name=f"Demo {sector} company {number}",
        key_id=f"demo{number:04d}",
        cash_fen=int(cash_yuan) * 100,
        holdings=holdings,
    )


def _tonnes(quantity: float) -> int:
    return max(100, round(quantity / 10) * 10)


def open_and_fund(registry: Registry, entities: Sequence[Entity]) -> list[int]:
    """Open what accounts are missing, pay in and issue what they begin with.

    Returns the trading index of each entity. Each step is one transaction over all, told by what
    the books show whether it was done: an account without anything has not been funded; one with
    exactly its first money and no allowances has not been issued any.
    """
    with registry.database.read() as tx:
        known = {code: index for index, code in enumerate(Directory(tx).codes)}
    missing = [each for each in entities if each.code not in known]
    opened = registry.open_accounts([(each.code, each.name) for each in missing])
    known.update({each.code: index for each, index in zip(missing, opened, strict=True)})
    accounts = [known[each.code] for each in entities]
    books = [registry.balances(account) for account in accounts]
    bare = [not any(any(held) for held in book.holdings.values()) for book in books]
    money = [book.cash_fen + book.cash_in_transit_fen for book in books]
    everybody = list(zip(entities, accounts, bare, money, strict=True))
    registry.deposit_many(
        [(account, one.cash_fen) for one, account, empty, fen in everybody if empty and fen == 0]
    )
    registry.issue_many(
        [
            (vintage, account, qty_tonnes)
            for one, account, empty, fen in everybody
            if empty and fen in (0, one.cash_fen)
            for vintage, qty_tonnes in one.holdings.items()
        ]
    )
    return accounts


def bring_goods(registry: Registry, accounts: Sequence[int], vintages: Sequence[str]) -> int:
    """Instruct what lies untouched on the registry side towards the trading side (RG-07).

    Only where an account has nothing of the vintage underway or there. Returns how many rows.
    """
    rows = []
    issued = set(registry.vintages())
    for vintage in vintages:
        if vintage in issued:
            found = registry.holdings(vintage)
            for account in accounts:
                held = found.get(account, Holding())
                if held.registry_available and not (held.in_transit or held.trading_available):
                    rows.append((account, vintage, held.registry_available))
    registry.transfer_in_many(rows)
    return len(rows)


async def fund(venue: Venue, entities: Sequence[Entity]) -> list[Key]:
    """Fund the entities of a running venue; return a key for each, in order.

    Goods can only be moved once the exchange has listed their vintages (RG-24), which it does when
    its first day begins: waits for that, and until the exchange has carried out what was asked.

    Raises:
        TimeoutError: the venue's first day did not begin, or the registry's word did not get there.
    """
    accounts = await asyncio.to_thread(open_and_fund, venue.registry, entities)
    keys = venue.keys.create_many(
        [(account, each.key_id) for account, each in zip(accounts, entities, strict=True)]
    )
    wanted = {code for each in entities for code in each.holdings}
    await _until(venue, lambda: wanted <= set(venue.desk.codes))
    await asyncio.to_thread(bring_goods, venue.registry, accounts, list(venue.desk.codes))
    with venue.registry.database.read() as tx:
        last = last_instruction(tx)
    await _until(venue, lambda: int(venue.exchange.state.market[0]["instruction_no"]) >= last)
    return keys


async def _until(venue: Venue, done: Callable[[], bool]) -> None:
    """Return once something the venue did has made ``done()`` true."""
    happened = asyncio.Event()

    def listen(_commands: np.ndarray, _events: np.ndarray) -> None:
        happened.set()

    venue.listeners.append(listen)
    try:
        async with asyncio.timeout(DONE_WITHIN_S):
            while not done():
                await happened.wait()
                happened.clear()
    finally:
        venue.listeners.remove(listen)
