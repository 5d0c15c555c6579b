"""One-way bidding: a seller with size and urgency calls a session (simulation.md 5.3, 12).

The session is held through the exchange (TR-80…95): application with a floor at the reference or
at its lower limit, sealed bids of entities that need allowances at what they are worth to them,
one price for all (TR-83).
"""

from __future__ import annotations

import numpy as np

from engine.records import Event, Kind, Pricing, Side
from sim.scenario.model import Scenario
from sim.season.bargains import Bargains
from sim.season.floor import Floor
from sim.season.minds import BULK_MIN_T, SLOTS, Day
from sim.season.people import People
from sim.season.streams import Array, Purpose, unit, units

BIDDERS_MAX = 20  # who hear of a session and look at it
SESSION_SLOT = 3  # 10:00, where sessions have been held (TR-32)
OFFERED_MAX_T = 500_000
LOWER_FLOOR = 0.5  # must-sell share from which a seller chooses the lower floor (TR-22)


class Bidding:
    """The sessions of a season; none before the rulebook allows them (TR-80)."""

    def __init__(
        self, scenario: Scenario, people: People, mind: Array, floor: Floor, bargains: Bargains
    ) -> None:
        self.behaviour = scenario.behaviour
        self.people = people
        self.mind = mind
        self.floor = floor
        self.bargains = bargains

    def hold(self, day: Day, slot: int) -> list[Array]:
        """Let a seller call a session today, if one is pressed enough; return its deals' events."""
        rules = self.floor.exchange.state.rules[0]
        if slot != SESSION_SLOT or not rules["auction_enabled"]:
            return []
        mind = self.mind
        forced = mind["must_sell_share"] * (mind["wanted_t"] <= -BULK_MIN_T)
        moment = day.number * SLOTS + slot
        draws = units(self.people.keys, Purpose.SESSION, moment)
        callers = np.flatnonzero(draws < self.behaviour.session_share * forced)
        found: list[Array] = []
        for seller in callers[:1]:  # sessions are held one at a time (TR-32)
            found += self._session(day, int(seller), moment)
        return found

    def _session(self, day: Day, seller: int, moment: int) -> list[Array]:
        have = self.floor.available_t()[seller]
        instrument = int(have.argmax())
        qty = min(int(have[instrument]), -int(self.mind["wanted_t"][seller]), OFFERED_MAX_T)
        if qty < BULK_MIN_T:
            return []
        row = self.floor.exchange.state.instruments[instrument]
        pressed = float(self.mind["must_sell_share"][seller]) >= LOWER_FLOOR
        limit = int(row["auction_lower_limit_ticks" if pressed else "reference_ticks"])
        send, many = self.floor.send, self.floor.many
        applied = send(
            many(
                Kind.APPLY_SESSION,
                account=seller,
                instrument=instrument,
                side=Side.SELL,
                price_ticks=limit,
                qty_tonnes=qty,
                mode=Pricing.UNIFORM,
            )
        )
        if applied[0]["kind"] == Event.REFUSED:
            return []
        number = int(applied[0]["order_no"])
        window = {"from_minute": 10 * 60 + 6, "until_minute": 10 * 60 + 36}
        noticed = send(many(Kind.NOTICE_SESSION, ref=number, **window))
        if noticed[0]["kind"] == Event.REFUSED:
            return []
        send(many(Kind.OPEN_SESSION, ref=number))
        self._bids(day, number, seller, instrument, limit, moment)
        return [send(many(Kind.CLOSE_SESSION, ref=number))]

    def _bids(
        self, day: Day, number: int, seller: int, instrument: int, limit: int, moment: int
    ) -> None:
        """Let some of those in need bid what an allowance is worth to them, if above the floor."""
        wanted = self.mind["wanted_t"] + self.mind["forward_t"]
        able = wanted > 0 if day.usable[instrument] else np.zeros(len(wanted), bool)
        interested = np.flatnonzero(able)
        order = np.argsort(units(self.people.keys[interested], Purpose.SESSION, -moment))
        upper = int(self.floor.exchange.state.instruments[instrument]["auction_upper_limit_ticks"])
        for buyer in interested[order][:BIDDERS_MAX]:
            spread = unit(self.people.keys[buyer], Purpose.BARGAIN, moment) - 0.5
            worth = self.bargains.worth(int(buyer), instrument)
            ticks = round(np.exp(worth + spread * self.behaviour.price_noise))
            if buyer == seller or ticks < limit:
                continue
            self.floor.send(
                self.floor.many(
                    Kind.BID,
                    account=buyer,
                    ref=number,
                    price_ticks=min(ticks, upper),
                    qty_tonnes=int(min(wanted[buyer], OFFERED_MAX_T)),
                )
            )
