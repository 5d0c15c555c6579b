"""Both institutions in one process: a small venue for the registry's tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engine.deals import DealFile, deal_file
from engine.exchange import Exchange
from engine.records import Event, Kind, Parameter, Phase, Side, commands
from registry.approvals import Request
from registry.evening import next_command
from registry.institution import Registry

VINTAGES = ("CEA", "CEA21")
REFERENCE_TICKS = 4800
DATES = (20210716, 20210719, 20210720, 20210721, 20210722, 20210723)
MAKER, CHECKER = 1, 2
NOW_NS = 1_626_400_800_000_000_000  # 2021-07-16 10:00 in Beijing
DEFAULTS = {
    Parameter.LISTED_BAND_BP: 1000,
    Parameter.BULK_BAND_BP: 3000,
    Parameter.LISTED_QTY_MAX: 99_999,
    Parameter.BULK_QTY_MIN: 100_000,
    Parameter.TAKE_LEVELS_MAX: 5,
    Parameter.GOODS_T_PLUS: 1,
    Parameter.AUCTION_BAND_BP: 1000,
    Parameter.AUCTION_QTY_MIN: 100_000,
    Parameter.AUCTION_BID_QTY_MIN: 1,
    Parameter.BULK_ENABLED: 1,
    Parameter.AUCTION_ENABLED: 1,
}

Array = np.ndarray[Any, np.dtype[Any]]


class Venue:
    """An exchange and a registry; ``submit`` is all of sequencer, journal and engine."""

    def __init__(self, registry: Registry, vintages: tuple[str, ...] = VINTAGES) -> None:
        self.registry = registry
        self.exchange = Exchange()
        self.vintages = vintages
        self.tape: list[tuple[Array, Array]] = []  # what a journal would hold
        for parameter, value in DEFAULTS.items():
            self.do(Kind.SET_PARAMETER, ref=parameter, amount=value)
        for row, code in enumerate(vintages):
            self.do(
                Kind.ADMIT_INSTRUMENT,
                instrument=row,
                price_ticks=REFERENCE_TICKS,
                client_order_id=code.encode(),
            )

    @property
    def state(self) -> Any:
        return self.exchange.state

    @property
    def phase(self) -> Phase:
        return Phase(int(self.state.market[0]["phase"]))

    @property
    def codes(self) -> tuple[str, ...]:
        count = int(self.state.market[0]["instruments"])
        return tuple(code.decode() for code in self.state.instruments["code"][:count].tolist())

    def submit(self, batch: Array, heard: bool = True) -> Array:
        """Number, apply and remember a batch; ``heard``: the registry takes its meaning in."""
        batch = batch.copy()
        batch["seq"] = self.exchange.seq + 1 + np.arange(len(batch))
        batch["time_ns"] = self.exchange.seq
        events = self.exchange.apply(batch)
        self.tape.append((batch, events))
        if heard:
            self.registry.absorb(batch, events, self.codes)
        return events

    def do(self, kind: Kind, *, heard: bool = True, **fields: Any) -> Array:
        """Submit one command and return its events."""
        batch = commands(1)
        batch["kind"] = kind
        for name, value in fields.items():
            batch[name] = value
        return self.submit(batch, heard)

    def instruct(self) -> Array:
        """Let the exchange do what the registry has instructed."""
        return self.submit(self.registry.pending_commands(self.state))

    def fund(self, people: int, cash_fen: int = 100_000_000, tonnes: int = 10_000) -> None:
        """Open accounts with money and tonnes of every vintage on the trading side."""
        registry = self.registry
        first = registry.open_accounts([(f"K{n:04d}", f"Plant {n}") for n in range(people)])
        registry.issue_many([(code, n, 2 * tonnes) for code in self.vintages for n in first])
        registry.deposit_many([(n, cash_fen) for n in first])
        registry.transfer_in_many([(n, code, tonnes) for code in self.vintages for n in first])
        events = self.instruct()
        assert not (events["kind"] == Event.REFUSED).any()

    def open_day(self, date: int) -> None:
        """Begin a day and open the morning."""
        self.do(Kind.BEGIN_DAY, ref=date)
        self.do(Kind.SET_PHASE, ref=Phase.MORNING)
        assert self.phase == Phase.MORNING

    def trade(
        self, seller: int, buyer: int, qty: int, price: int = REFERENCE_TICKS, instrument: int = 0
    ) -> Array:
        """List and take; return the events of the take."""
        listed = self.do(
            Kind.LIST,
            account=seller,
            instrument=instrument,
            side=Side.SELL,
            price_ticks=price,
            qty_tonnes=qty,
        )
        assert listed[0]["kind"] == Event.ACCEPTED, listed[0]["reason"]
        return self.do(
            Kind.TAKE,
            account=buyer,
            ref=int(listed[0]["order_no"]),
            qty_tonnes=qty,
            total_qty_tonnes=qty,
        )

    def afternoon(self) -> None:
        """Go on to the afternoon."""
        for phase in (Phase.LUNCH, Phase.AFTERNOON):
            if self.phase < phase:
                self.do(Kind.SET_PHASE, ref=phase)

    def ask(self, action: str, **values: Any) -> Request:
        """Ask for an action as person 1."""
        return self.registry.approvals.request(MAKER, action, values, NOW_NS)

    def approve(self, asked: Request, at_ns: int = 0) -> Request:
        """Approve a request as person 2, having read it."""
        return self.registry.approvals.approve(asked.number, CHECKER, asked.sha256, at_ns or NOW_NS)

    def hand(self, action: str, **values: Any) -> Request:
        """Ask, approve, and let the exchange do what it is directed to."""
        done = self.approve(self.ask(action, **values))
        self.instruct()
        return self.registry.approvals.find(done.number)

    def close_day(self) -> DealFile:
        """Go on to the close and return the deal file."""
        self.afternoon()
        self.do(Kind.CLOSE_DAY)
        return deal_file(self.state)

    def settle(self) -> Phase:
        """Play the evening as far as it goes and return the phase it ends in."""
        while (command := next_command(self.registry, self.state)) is not None:
            assert self.submit(command)[0]["kind"] != Event.REFUSED
        return self.phase

    def sound(self) -> None:
        """Assert that both institutions' books hold and agree."""
        assert self.registry.violations(self.state) == []


def without_last_deal(file: DealFile) -> DealFile:
    """Return the file as if the last trade had been forgotten, positions as stated."""
    return replace(file, deals=file.deals[:-1])
