"""A whole venue in one process: exchange, registry with a real database, public feed.

Nothing is short-cut: accounts are opened and funded through the registry's numbered instructions,
the rules of each day arrive as commands, trades are listings that are taken, and every evening the
registry clears the deal file and posts before the next day may begin.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.calendar import number_of
from engine.exchange import Exchange
from engine.invariants import violations
from engine.reasons import EXPLANATIONS, Reason
from engine.records import CASH_FEN_MAX, QTY_TONNES_MAX, Event, Kind, Phase, Side, commands
from engine.rulebook import Rulebook, Rules, admission_commands, parameter_commands
from engine.schedule import Step, next_step
from engine.units import price_limits
from marketdata.bulletin import Bulletin
from marketdata.feed import Feed
from registry.errors import RegistryError
from registry.evening import next_command
from registry.institution import Registry
from sim.realise import Bounds, Deal

Batch = np.ndarray[Any, np.dtype[Any]]
EPOCH = dt.datetime(1970, 1, 1)  # wall times carry no zone here, see ``_time_ns``


class VenueError(Exception):
    """The venue refused what a replay needs, or an evening did not end in a posting."""


class Venue:
    """One instrument, a few sellers with stock, a few buyers with money.

    Args:
        database: file of the registry's database; it must not exist yet.
        code: the instrument's code.
        reference_ticks: its first reference, admitted by command (TR-24).
        stock_tonnes, cash_fen: what each seller and each buyer is given; enough for all days.
        sides: how many sellers and how many buyers take turns.

    Raises:
        VenueError: the registry or the exchange refused to set this up.
    """

    def __init__(
        self,
        database: Path,
        code: str,
        reference_ticks: int,
        stock_tonnes: int,
        cash_fen: int,
        sides: int = 2,
    ) -> None:
        self.exchange = Exchange()
        self.registry = Registry.open(f"sqlite:///{database}")
        self.feed = Feed(lambda _row: code)
        self.code = code
        self.close_ticks = reference_ticks  # what the next day's reference will be
        self.journal: list[Batch] = []  # every command applied, in order
        self._first_reference_ticks = reference_ticks
        self._time_ns = 0
        try:
            self._people(sides, stock_tonnes, cash_fen)
        except RegistryError as error:
            self.registry.close()
            raise VenueError(f"the registry refused: {error}") from error

    def _people(self, sides: int, stock_tonnes: int, cash_fen: int) -> None:
        registry = self.registry
        self.sellers = [
            registry.open_account(f"SELLER{number}", f"Seller {number}")
            for number in range(1, sides + 1)
        ]
        self.buyers = [
            registry.open_account(f"BUYER{number}", f"Buyer {number}")
            for number in range(1, sides + 1)
        ]
        stock_tonnes = min(stock_tonnes, QTY_TONNES_MAX)
        cash_fen = min(cash_fen, CASH_FEN_MAX)
        for seller in self.sellers if stock_tonnes else ():
            registry.issue(self.code, seller, stock_tonnes)
            registry.transfer_in(seller, self.code, stock_tonnes)
        for buyer in self.buyers if cash_fen else ():
            registry.deposit(buyer, cash_fen)

    def play(self, date: dt.date, deals: Sequence[Deal]) -> Bulletin:
        """Live one trading day from its rules to its posting; return the day's bulletin.

        The first half of the deals is made in the morning, the rest in the afternoon.

        Raises:
            VenueError: a command was refused, the evening did not end in a posting, or the books of
                exchange and registry do not agree afterwards (9A).
        """
        rules = Rulebook.on(date)
        midnight = dt.datetime.combine(date, dt.time())
        half = (len(deals) + 1) // 2
        self._prepare(rules, midnight)
        while (step := self._next(midnight, rules)) is not None:
            if step.kind == Kind.BEGIN_DAY and step.ref != number_of(date):
                break  # posted: what comes next is another day
            self._step(step, rules)
            phase = self._phase
            if phase == Phase.MORNING:
                self._make(deals[:half], 0, step.due_local, rules)
            elif phase == Phase.AFTERNOON:
                self._make(deals[half:], half, step.due_local, rules)
            elif phase == Phase.CLOSED:
                self._settle(step.due_local, rules)
        bulletin = self.feed.bulletins.get(number_of(date))
        if bulletin is None:
            raise VenueError(f"{date} did not take place: it does not follow the last trading day")
        self.close_ticks = bulletin.vintages[0].price.close_ticks
        self.feed.flush()
        return bulletin

    def close(self, journal: Path | None = None) -> None:
        """Close the registry's database; write all commands applied to ``journal`` if given."""
        self.registry.close()
        if journal is not None and self.journal:
            np.save(journal, np.concatenate(self.journal))

    @property
    def _phase(self) -> int:
        return int(self.exchange.state.market[0]["phase"])

    def _next(self, now_local: dt.datetime, rules: Rules) -> Step | None:
        date = int(self.exchange.state.market[0]["date"])
        return next_step(self._phase, date, now_local, rules)

    def _prepare(self, rules: Rules, now_local: dt.datetime) -> None:
        """While the market rests: admit the instrument, carry out instructions, set the rules."""
        state = self.exchange.state
        if not int(state.market[0]["instruments"]):
            first = admission_commands([(self.code, self._first_reference_ticks)], 0)
            self._submit(first, now_local, rules)
        self._submit(self.registry.pending_commands(state), now_local, rules)
        changes = parameter_commands(rules, state.rules, state.instruments)
        self._submit(changes, now_local, rules)

    def _step(self, step: Step, rules: Rules) -> None:
        batch = commands(1)
        batch["kind"] = step.kind
        batch["ref"] = step.ref
        self._submit(batch, step.due_local, rules)

    def _make(self, deals: Sequence[Deal], already: int, opened: dt.datetime, rules: Rules) -> None:
        """Make listed trades: sellers and buyers take turns, in listing and in taking too."""
        for number, deal in enumerate(deals, already):
            seller = self.sellers[number % len(self.sellers)]
            buyer = self.buyers[number // 2 % len(self.buyers)]
            lister, taker, side = (
                (seller, buyer, Side.SELL) if number % 2 == 0 else (buyer, seller, Side.BUY)
            )
            now = opened + dt.timedelta(seconds=number - already + 1)
            listing = commands(1)
            listing["kind"], listing["account"], listing["instrument"] = Kind.LIST, lister, 0
            listing["side"] = side
            listing["price_ticks"], listing["qty_tonnes"] = deal
            (accepted,) = self._submit(listing, now, rules)
            take = commands(1)
            take["kind"], take["account"] = Kind.TAKE, taker
            take["ref"], take["qty_tonnes"] = accepted["order_no"], deal.qty_tonnes
            self._submit(take, now, rules)

    def _settle(self, now_local: dt.datetime, rules: Rules) -> None:
        """Run the registry's evening until it has nothing more to say; it must have posted."""
        try:
            while (command := next_command(self.registry, self.exchange.state)) is not None:
                self._submit(command, now_local, rules)
        except RegistryError as error:
            raise VenueError(f"the evening stopped: {error}") from error
        if self._phase != Phase.POSTED:
            raise VenueError(f"the evening ended in {Phase(self._phase).name}, not posted (ST-17)")
        state = self.exchange.state
        wrong = [*violations(state), *self.registry.violations(state)]
        if wrong:
            raise VenueError(f"the books are not sound (9A): {wrong[0]}")

    def _submit(self, batch: Batch, now_local: dt.datetime, rules: Rules) -> Batch:
        """Number, time and apply commands; a refusal of any of them is a VenueError."""
        if not len(batch):
            return batch
        batch["seq"] = np.arange(len(batch)) + self.exchange.seq + 1
        self._time_ns = max(self._time_ns, _time_ns(now_local, rules))
        batch["time_ns"] = self._time_ns
        events = self.exchange.apply(batch)
        self.journal.append(batch)
        self.feed.absorb(events)
        refused = events[events["kind"] == Event.REFUSED]
        if len(refused):
            reason = Reason(int(refused[0]["reason"]))
            kind = Kind(int(batch[int(refused[0]["seq"]) - int(batch[0]["seq"])]["kind"]))
            explanation = EXPLANATIONS[reason]
            raise VenueError(
                f"{kind.name} refused: {reason.code} ({explanation.clauses}) {explanation.sentence}"
            )
        return events


def bounds_of(reference_ticks: int, rules: Rules) -> Bounds:
    """Return what ``rules`` allow for listed trades around a reference (TR-11, TR-20, TR-23)."""
    lower, upper = price_limits(reference_ticks, rules.listed_band_bp)
    return Bounds(reference_ticks, lower, upper, rules.listed_qty_max)


def _time_ns(local: dt.datetime, rules: Rules) -> int:
    """Return Beijing wall time as nanoseconds since 1970 UTC, in whole numbers throughout."""
    since = local - dt.timedelta(minutes=rules.utc_offset_minutes) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000
