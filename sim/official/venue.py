"""A whole venue in one process: exchange, registry with a real database, public feed.

Nothing is short-cut: accounts are opened and funded through the registry's numbered instructions,
the rules of each day arrive as commands, listed trades are listings that are taken, bulk deals are
offers that are accepted or negotiated, sessions are bid in, and every evening the registry clears
the deal file and posts before the next day may begin.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.calendar import number_of
from engine.exchange import Exchange
from engine.invariants import violations
from engine.reasons import EXPLANATIONS, Reason
from engine.records import CASH_FEN_MAX, QTY_TONNES_MAX, Event, Kind, Phase
from engine.rulebook import (
    Rulebook,
    Rules,
    admission_commands,
    admissions,
    parameter_commands,
)
from engine.rulebook_data import LAUNCH_DAY
from engine.schedule import Step, next_step
from engine.units import price_limits
from marketdata.bulletin import Bulletin
from marketdata.feed import Feed
from registry.errors import RegistryError
from registry.evening import next_command
from registry.institution import Registry
from sim.official.bulk_deals import BulkDeal
from sim.official.dealing import click, command, hold_session, negotiate
from sim.official.realise import Bounds, Deal
from sim.official.sessions import Session

Batch = np.ndarray[Any, np.dtype[Any]]
EPOCH = dt.datetime(1970, 1, 1)  # wall times carry no zone here, see ``_time_ns``


class VenueError(Exception):
    """The venue refused what a replay needs, or an evening did not end in a posting."""


class Deals(NamedTuple):
    """Everything that is to be traded on one day, by modality."""

    listed: Sequence[Deal] = ()
    bulk: Sequence[BulkDeal] = ()
    sessions: Sequence[Session] = ()


class Venue:
    """A few instruments, a few sellers with stock, a few buyers with money.

    Args:
        database: file of the registry's database; it must not exist yet.
        first: (code, reference in ticks) of the instruments that are there from the first day,
            admitted by command (TR-24). Where there are several, vintages that come later by the
            rulebook are admitted on their day.
        stock_tonnes, cash_fen: what each seller is given of every instrument, and each buyer;
            enough for all days.
        sides: how many sellers and how many buyers take turns.

    Raises:
        VenueError: the registry or the exchange refused to set this up.
    """

    def __init__(
        self,
        database: Path,
        first: Sequence[tuple[str, int]],
        stock_tonnes: int,
        cash_fen: int,
        sides: int = 2,
    ) -> None:
        self.exchange = Exchange()
        self.registry = Registry.open(f"sqlite:///{database}")
        self.codes: list[str] = []  # of the instruments admitted, by row
        self.several = len(first) > 1
        self.feed = Feed(lambda row: self.codes[row])
        self.close_ticks = tuple(reference for _, reference in first)  # the next day's references
        self.journal: list[Batch] = []  # every command applied, in order
        self._first = tuple(first)
        self._stock_tonnes = min(stock_tonnes, QTY_TONNES_MAX)
        self._bulk_deals = 0
        self._time_ns = 0
        self._now = (EPOCH, Rulebook.on(LAUNCH_DAY))  # wall time and rules of what is sent
        try:
            self._people(sides, cash_fen)
        except RegistryError as error:
            self.registry.close()
            raise VenueError(f"the registry refused: {error}") from error

    def _people(self, sides: int, cash_fen: int) -> None:
        registry = self.registry
        self.sellers = [
            registry.open_account(f"SELLER{number}", f"Seller {number}")
            for number in range(1, sides + 1)
        ]
        self.buyers = [
            registry.open_account(f"BUYER{number}", f"Buyer {number}")
            for number in range(1, sides + 1)
        ]
        self._stock([code for code, _ in self._first])
        for buyer in self.buyers if cash_fen else ():
            registry.deposit(buyer, min(cash_fen, CASH_FEN_MAX))

    def _stock(self, codes: Sequence[str]) -> None:
        """Issue each of these vintages to every seller, for transfer to the trading side."""
        for code in codes if self._stock_tonnes else ():
            for seller in self.sellers:
                self.registry.issue(code, seller, self._stock_tonnes)
                self.registry.transfer_in(seller, code, self._stock_tonnes)

    def play(self, date: dt.date, deals: Deals) -> Bulletin:
        """Live one trading day from its rules to its posting; return the day's bulletin.

        The first half of the listed deals and all sessions are held in the morning, the rest and
        the bulk deals in the afternoon (TR-31, TR-32).

        Raises:
            VenueError: a command was refused, the evening did not end in a posting, or the books of
                exchange and registry do not agree afterwards (9A).
        """
        rules = Rulebook.on(date)
        midnight = dt.datetime.combine(date, dt.time())
        half = (len(deals.listed) + 1) // 2
        self._now = (midnight, rules)
        self._prepare(rules)
        while (step := self._next(midnight, rules)) is not None:
            if step.kind == Kind.BEGIN_DAY and step.ref != number_of(date):
                break  # posted: what comes next is another day
            self._now = (step.due_local, rules)
            self._submit(command(step.kind, ref=step.ref))
            phase = self._phase
            if phase == Phase.MORNING:
                self._make_listed(deals.listed[:half], 0)
                self._hold(deals.sessions)
            elif phase == Phase.AFTERNOON:
                self._make_listed(deals.listed[half:], half)
                self._negotiate(deals.bulk)
            elif phase == Phase.CLOSED:
                self._settle()
        bulletin = self.feed.bulletins.get(number_of(date))
        if bulletin is None:
            raise VenueError(f"{date} did not take place: it does not follow the last trading day")
        self.close_ticks = tuple(line.price.close_ticks for line in bulletin.vintages)
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

    def _prepare(self, rules: Rules) -> None:
        """While the market rests: admit vintages, carry out instructions, set the rules."""
        state = self.exchange.state
        new = list(self._first) if not self.codes else []
        if self.several and not new:
            new = admissions(rules, self.codes)  # reference 0: the composite close (TR-24)
            self._stock([code for code, _ in new])
        admitted = admission_commands(new, len(self.codes))
        self.codes += [code for code, _ in new]
        self._submit(admitted)
        self._submit(self.registry.pending_commands(state))
        self._submit(parameter_commands(rules, state.rules, state.instruments))

    def _wait(self) -> None:
        """Let a second pass between two deals."""
        now_local, rules = self._now
        self._now = (now_local + dt.timedelta(seconds=1), rules)

    def _make_listed(self, deals: Sequence[Deal], already: int) -> None:
        """Make listed trades: sellers and buyers take turns, in listing and in taking too."""
        for number, deal in enumerate(deals, already):
            self._wait()
            seller = self.sellers[number % len(self.sellers)]
            buyer = self.buyers[number // 2 % len(self.buyers)]
            click(self._submit, deal, seller, buyer, seller_lists=number % 2 == 0)

    def _negotiate(self, deals: Sequence[BulkDeal]) -> None:
        """Make bulk deals, in turn as a public offer, a directed one, and by negotiation."""
        for deal in deals:
            self._wait()
            turn = self._bulk_deals
            seller = self.sellers[turn % len(self.sellers)]
            buyer = self.buyers[turn // 2 % len(self.buyers)]
            negotiate(self._submit, deal, seller, buyer, turn)
            self._bulk_deals += 1

    def _hold(self, sessions: Sequence[Session]) -> None:
        for session in sessions:
            self._wait()
            now_ns = _time_ns(*self._now)
            hold_session(self._submit, session, self.sellers[0], self.buyers, now_ns)

    def _settle(self) -> None:
        """Run the registry's evening until it has nothing more to say; it must have posted."""
        try:
            while (answer := next_command(self.registry, self.exchange.state)) is not None:
                self._submit(answer)
        except RegistryError as error:
            raise VenueError(f"the evening stopped: {error}") from error
        if self._phase != Phase.POSTED:
            raise VenueError(f"the evening ended in {Phase(self._phase).name}, not posted (ST-17)")
        state = self.exchange.state
        wrong = [*violations(state), *self.registry.violations(state)]
        if wrong:
            raise VenueError(f"the books are not sound (9A): {wrong[0]}")

    def _submit(self, batch: Batch) -> Batch:
        """Number, time and apply commands; a refusal of any of them is a VenueError."""
        if not len(batch):
            return batch
        batch["seq"] = np.arange(len(batch)) + self.exchange.seq + 1
        self._time_ns = max(self._time_ns, _time_ns(*self._now))
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
