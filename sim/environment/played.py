"""A season in which some entities are played from outside.

A played entity never wakes and wants nothing of its own, so the model does nothing for it; all
others draw the same numbers as ever, because a draw depends only on its key (sim.season.streams).
Its offsets are used as the model uses them, and the surrender takes what is due from its holdings
(CP-32).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.records import Event, Side
from sim.environment.choosing import Choice, SettingError
from sim.scenario.model import Scenario
from sim.season.bargains import Bargains
from sim.season.desks import Desks, Occasion
from sim.season.floor import Floor
from sim.season.minds import BULK_MIN_T, BULK_WANTED, NO_BULK, Day
from sim.season.people import People
from sim.season.season import Season
from sim.season.streams import Array

A_LITTLE = 1e-9  # of must_sell_share: enough to look for a buyer, too little to move a price


@dataclass(frozen=True)
class Ask:
    """What an agent has asked its bulk desk for; it stands until the day ends."""

    side: Side
    instrument: int
    limit_ticks: int
    qty_tonnes: int
    searched: bool = False  # a desk looks around once for each time it is asked


class AskingDesk(Bargains):
    """The season's bulk side, on which agents take part with what they have asked for.

    An agent meets partners, and is met, exactly as entities are (sim.season.bargains); its price
    limit stands where theirs have a reservation price or a value, and no deal is beyond it.
    """

    def __init__(
        self, scenario: Scenario, people: People, mind: Array, floor: Floor, rows: Sequence[int]
    ) -> None:
        super().__init__(scenario, people, mind, floor)
        self.rows = list(rows)
        self.asks: dict[int, Ask] = {}

    def quiet(self) -> None:
        """Make everybody who is played want nothing."""
        mind = self.mind
        for name in ("wanted_t", "forward_t", "must_sell_share", "wake_chance"):
            mind[name][self.rows] = 0
        mind["bulk"][self.rows] = NO_BULK

    def strangers(self, day: Day, slot: int) -> list[Array]:
        """Let everybody who wants a bulk deal look for a partner, agents with what they asked."""
        self.quiet()
        for row, ask in self.asks.items():
            buys = ask.side == Side.BUY
            self.mind["wanted_t"][row] = ask.qty_tonnes if buys else -ask.qty_tonnes
            if not buys and not ask.searched:
                self.mind["must_sell_share"][row] = A_LITTLE
            if not (buys and ask.searched):
                self.mind["bulk"][row] = BULK_WANTED
            self.asks[row] = replace(ask, searched=True)
        found = super().strangers(day, slot)
        self.quiet()
        return found

    def transfers(self, desks: Desks, due: list[Occasion], day: Day) -> list[Array]:
        """Let groups net, without the members that are played."""
        self.quiet()
        return super().transfers(desks, due, day)

    def deal(
        self, seller: int, buyer: int, instrument: int, log_price: float, qty: int
    ) -> Array | None:
        """Deal as ever, within the limits of agents; their asks shrink by what was dealt."""
        if buyer in self.asks:
            log_price = min(log_price, float(np.log(self.asks[buyer].limit_ticks)))
        if seller in self.asks:
            log_price = max(log_price, float(np.log(self.asks[seller].limit_ticks)))
        events = super().deal(seller, buyer, instrument, log_price, qty)
        if events is not None:
            dealt = int(events["qty_tonnes"][events["kind"] == Event.TRADED].sum())
            for row in {seller, buyer} & self.asks.keys():
                left = self.asks[row].qty_tonnes - dealt
                self.asks[row] = replace(self.asks[row], qty_tonnes=left)
                if left < BULK_MIN_T:
                    del self.asks[row]
        return events

    def _stock(self, day: Day, seller: int, buyer: int, moment: int) -> tuple[int, int]:
        """Return vintage and tonnes of a deal: an agent deals in the vintage it asked for."""
        asks = [self.asks[row] for row in (seller, buyer) if row in self.asks]
        if not asks:
            return super()._stock(day, seller, buyer, moment)
        instrument = asks[0].instrument
        if asks[-1].instrument != instrument:
            return instrument, 0
        if buyer not in self.asks and not day.usable[instrument]:
            return instrument, 0
        mind = self.mind
        asked = max(int(mind["wanted_t"][buyer]), 0)
        if mind["must_sell_share"][seller] > 0.0:
            asked += int(mind["forward_t"][buyer])
        have = int(self.floor.available_t()[seller, instrument])
        return instrument, min(have, asked, -int(mind["wanted_t"][seller]))

    def worth(self, buyer: int, instrument: int) -> float:
        ask = self.asks.get(buyer)
        return super().worth(buyer, instrument) if ask is None else float(np.log(ask.limit_ticks))

    def _reservation(self, day: Day, seller: int, instrument: int, qty: int) -> float:
        ask = self.asks.get(seller)
        if ask is None:
            return super()._reservation(day, seller, instrument, qty)
        return float(np.log(ask.limit_ticks))


class PlayedSeason(Season):
    """A season of one seed in which ``rows`` are played from outside."""

    def __init__(self, scenario: Scenario, seed: int, choices: Sequence[Choice]) -> None:
        super().__init__(scenario, seed)
        self.rows = _rows(choices, self.people)
        self.desk = AskingDesk(scenario, self.people, self.mind, self.floor, self.rows)
        self.bargains = self.desk

    def _plan(self, date: dt.date, number: int) -> None:
        super()._plan(date, number)
        self.desk.asks.clear()
        self.desk.quiet()


def _rows(choices: Sequence[Choice], people: People) -> list[int]:
    """Return the rows of the choices; where two mean the same entity, the later one is refused."""
    rows: list[int] = []
    for choice in choices:
        row = choice.row(people)
        if row in rows:
            raise SettingError("entities", people.names[row], "a different entity for each agent")
        rows.append(row)
    return rows
