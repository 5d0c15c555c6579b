"""Crashes of the registry's process, and a whole evening to crash in (P5).

A crash point lies before and after every statement, every commit, and every message between the two
institutions. At a crash the connection is dropped where it stands, as when the process is killed:
what was not committed is gone, and nobody tidies up.
"""

from __future__ import annotations

import random
import sqlite3
from typing import Any

import numpy as np
from sqlalchemy import Engine, event, select

from engine.exchange import Exchange
from engine.records import Kind, Parameter, Phase, Side
from registry import schema
from registry.database import Database
from registry.evening import next_command
from registry.institution import Registry
from tests.unit.registry.registry_venue import (
    CHECKER,
    DATES,
    NOW_NS,
    REFERENCE_TICKS,
    Venue,
)

Array = np.ndarray[Any, np.dtype[Any]]
PEOPLE = 4
NEVER = 10**9


class Crash(BaseException):
    """The process is gone. Not an Exception: nothing in the product may catch it."""


def drop(raw: Any) -> None:
    """Drop a driver's connection as a killed process would: what is not committed is gone."""
    if isinstance(raw, sqlite3.Connection):
        raw.rollback()  # an open cursor would keep the file locked within this process
    raw.close()


class Crasher:
    """Counts crash points of one process and crashes at a chosen one."""

    def __init__(self, at: int = NEVER) -> None:
        self.at = at
        self.passed = 0
        self.dead = False

    def point(self, raw: Any = None) -> None:
        """One place where the process may die; ``raw``: the driver's connection to drop."""
        if self.dead:
            return
        self.passed += 1
        if self.passed == self.at:
            self.dead = True
            if raw is not None:
                drop(raw)
            raise Crash


class Office:
    """The registry's process, which may be started again and again over the same books.

    Every start does all that opening does. Only the compiled statements are kept from one life to
    the next, since compiling them is most of what a short life costs.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.crasher = Crasher()
        self._watch(self.database.engine)

    def start(self, crasher: Crasher | None = None) -> Registry:
        """Begin a new life; the crasher counts its crash points once the books are open."""
        self.crasher = Crasher()
        self.database.engine.dispose()
        self.database._start()
        self.crasher = crasher or self.crasher
        return Registry(self.database)

    def _watch(self, engine: Engine) -> None:
        """Put a crash point around every statement and every commit."""

        def around(connection: Any, *_: Any) -> None:
            self.crasher.point(connection.connection.driver_connection)

        event.listen(engine, "before_cursor_execute", around)
        event.listen(engine, "after_cursor_execute", around)
        commit, rollback = engine.dialect.do_commit, engine.dialect.do_rollback

        def do_commit(connection: Any) -> None:
            if not self.crasher.dead:
                self.crasher.point(connection.driver_connection)
                commit(connection)
                self.crasher.point(connection.driver_connection)

        def do_rollback(connection: Any) -> None:
            if not self.crasher.dead:
                rollback(connection)

        vars(engine.dialect).update(do_commit=do_commit, do_rollback=do_rollback)


class Evening:
    """An exchange that has closed a day, and what it has to tell the registry about that day."""

    def __init__(self, registry: Registry, seed: int) -> None:
        """Play a random day of which the registry, funded before, has not heard a word."""
        self.seed = seed
        self.short = seed % 3 == 1
        chance = random.Random(seed)
        venue = Venue(registry)
        if seed % 2:
            for parameter in (
                Parameter.LISTED_TRADING_FEE_PPM,
                Parameter.LISTED_SETTLEMENT_FEE_PPM,
            ):
                venue.do(Kind.SET_PARAMETER, ref=parameter, amount=700)
        venue.fund(PEOPLE)
        heard = len(venue.tape)
        venue.open_day(DATES[0])
        registry.issue("CEA23", 0, 50)
        registry.transfer_in(0, "CEA23", 9)  # will be refused: not listed (RG-24)
        registry.deposit(1, 1_234)
        registry.transfer_in(2, "CEA", 77)
        self._by_hand(venue)
        venue.submit(registry.pending_commands(venue.state), heard=False)
        for _ in range(chance.randint(2, 6)):
            seller, buyer = chance.sample(range(PEOPLE), 2)
            self._trade(venue, chance, seller, buyer)
        undone = int(venue.state.market[0]["trade_base"]) + 1
        venue.do(Kind.VOID_TRADE, heard=False, ref=undone, operator=5, checker=6)
        venue.do(Kind.TRANSFER_OUT, heard=False, account=3, instrument=1, qty_tonnes=5)
        venue.do(Kind.CASH_OUT, heard=False, account=2, amount=4_321)
        for phase in (Phase.LUNCH, Phase.AFTERNOON):
            venue.do(Kind.SET_PHASE, ref=phase)
        venue.do(Kind.CLOSE_DAY)
        self.codes = venue.codes
        self.untold = venue.tape[heard:]
        self.closed = venue.exchange
        self.disputed_first = seed % 3 == 0

    def _by_hand(self, venue: Venue) -> None:
        """Court orders and restrictions under way to the exchange, requests that wait (ST-07)."""
        order = {"account": 1, "vintage": "CEA21", "document": "d", "side": "trading"}
        venue.approve(venue.ask("freeze", qty_tonnes=60, **order))
        venue.approve(venue.ask("deduct", qty_tonnes=50, new_owner=0, **order))
        venue.approve(venue.ask("restrict", account=3, bits=48, grounds="g"))
        venue.ask("issue", account=0, vintage="CEA", qty_tonnes=5, document="d")
        venue.ask("freeze", **{**order, "side": "registry"}, qty_tonnes=7)
        if self.short:  # somebody's money is gone: the day differs until it is covered
            venue.approve(venue.ask("reserve_in", amount_fen=999, document="d"))
            debit = {"account": 0, "amount_fen": 600, "document": "d"}
            venue.approve(venue.ask("bank_debit", limit_at_ns=NOW_NS + 1, **debit))
            venue.ask("cover_default", default=1)

    @staticmethod
    def _trade(venue: Venue, chance: random.Random, seller: int, buyer: int) -> None:
        what = {
            "instrument": chance.randrange(2),
            "price_ticks": REFERENCE_TICKS + chance.randint(-9, 9),
        }
        qty = chance.randint(1, 900)
        listed = venue.do(
            Kind.LIST, heard=False, account=seller, side=Side.SELL, qty_tonnes=qty, **what
        )
        number = int(listed[0]["order_no"])
        taken = {"qty_tonnes": qty, "total_qty_tonnes": qty}
        venue.do(Kind.TAKE, heard=False, account=buyer, ref=number, **taken)

    def go_on(self, office: Office, exchange: Exchange, crasher: Crasher, repeats: int = 1) -> None:
        """Start the registry's process and play the evening from wherever the books stand.

        The exchange's side survives (its journal is not the subject here): it tells everything
        again, ``repeats`` times, and asks for each command ``repeats`` times.
        """
        registry = office.start(crasher)
        if self.disputed_first and exchange.state.market[0]["phase"] == Phase.CLOSED:
            self._tell(registry, self.untold[:-6], repeats)
            self._settle(registry, exchange, crasher, repeats)
        self._tell(registry, self.untold, repeats)
        if not (self.short and exchange.state.market[0]["phase"] == Phase.DISPUTED):
            self._settle(registry, exchange, crasher, repeats)
        for asked in registry.approvals.all("open"):
            registry.approvals.approve(asked.number, CHECKER, asked.sha256, NOW_NS + 1)
        self._settle(registry, exchange, crasher, repeats)

    def _tell(self, registry: Registry, tape: list[tuple[Array, Array]], repeats: int) -> None:
        for _ in range(repeats):
            for commands, events in tape:
                registry.absorb(commands, events, self.codes)

    def _settle(
        self, registry: Registry, exchange: Exchange, crasher: Crasher, repeats: int
    ) -> None:
        while True:
            answers = [next_command(registry, exchange.state) for _ in range(repeats)]
            command = answers[-1]
            if command is None:
                return
            assert {None if answer is None else answer.tobytes() for answer in answers} == {
                command.tobytes()
            }
            crasher.point()  # the answer is lost on its way
            command["seq"] = exchange.seq + 1
            command["time_ns"] = exchange.state.market[0]["time_ns"]
            exchange.apply(command)
            crasher.point()  # the exchange has done it, nobody knows


def dump(registry: Registry) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    with registry.database.read() as tx:
        return {
            table.name: [
                tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key))
            ]
            for table in schema.metadata.sorted_tables
        }


def in_transit(books: dict[str, list[tuple[Any, ...]]]) -> int:
    """Return the tonnes and fen that are on their way."""
    return sum(row[3] for row in books["buckets"] if row[2] == schema.IN_TRANSIT)
