"""Bulk agreement: desks' transfers and negotiation between strangers (simulation.md 5.3, 6 and 7).

A buyer in need of 100,000 t or more meets a few sellers through its search graph (the same province
more often) and bargains with the one whose reservation price is lowest; the price lies between the
two values by a bargaining weight (Nash), lower for size. Without agreement the rest is traded on
the listed book in smaller orders.
"""

from __future__ import annotations

import numpy as np

from engine.records import Event, Kind, Side
from sim.scenario.model import Scenario
from sim.season.desks import Desks, Occasion
from sim.season.floor import Floor
from sim.season.learning import learn_of
from sim.season.minds import BULK_MIN_T, BULK_WANTED, HALF_WAY, NO_BULK, SLOTS, Day, asked_premium
from sim.season.people import People
from sim.season.streams import Array, Purpose, bell, unit, units

HUNDRED_KT = 100_000
EASE = 0.1  # of the discount for size that is given without any time pressure


class Bargains:
    """The bulk side of a season."""

    def __init__(self, scenario: Scenario, people: People, mind: Array, floor: Floor) -> None:
        self.behaviour = scenario.behaviour
        self.people = people
        self.mind = mind
        self.floor = floor
        # A holding of earlier vintages is a surplus for certain, whatever this year brings.
        self._old = people.old_t.sum(axis=0) > 0

    def strangers(self, day: Day, slot: int) -> list[Array]:
        """Let everybody who wants a bulk deal look for a partner; return the events of deals."""
        mind = self.mind
        wants = mind["bulk"] == BULK_WANTED
        buyers = np.flatnonzero(wants & (mind["wanted_t"] >= BULK_MIN_T))
        sellers = np.flatnonzero(wants & (mind["wanted_t"] <= -BULK_MIN_T))
        mind["bulk"][buyers] = NO_BULK  # one search for each moment of one's own
        found: list[Array] = []
        moment = day.number * SLOTS + slot
        if len(sellers):
            for buyer in buyers:
                found += self._search(day, int(buyer), sellers, moment)
        pressed = sellers[(mind["must_sell_share"][sellers] > 0.0) | self._old[sellers]]
        mind["bulk"][pressed] = NO_BULK
        chance = self.behaviour.offer_gain * mind["must_sell_share"][pressed]
        chance += self.behaviour.offer_base * day.pulse * self._old[pressed]
        pressed = pressed[units(self.people.keys[pressed], Purpose.OFFER, moment) < chance]
        interested = np.flatnonzero(mind["wanted_t"] + mind["forward_t"] >= BULK_MIN_T)
        if len(interested):
            for seller in pressed:
                found += self._offer_round(day, int(seller), interested, moment)
        return found

    def _meetings(self, row: int, pool: Array, moment: int) -> list[int]:
        """Return whom an entity meets: at random, more often from its own province."""
        behaviour, key = self.behaviour, self.people.keys[row]
        number = int(behaviour.search_degree + unit(key, Purpose.SEARCH, 64 * moment))
        near = pool[self.people.province[pool] == self.people.province[row]]
        met = []
        for meeting in range(1, number + 1):
            place = 64 * moment + meeting
            home = unit(key, Purpose.SEARCH, place + 32) < behaviour.same_province_share
            choice = near if home and len(near) else pool
            met.append(int(choice[int(unit(key, Purpose.SEARCH, place) * len(choice))]))
        return met

    def _search(self, day: Day, buyer: int, sellers: Array, moment: int) -> list[Array]:
        """Let a buyer meet a few sellers and deal with the cheapest if both gain."""
        best: tuple[float, int, int, int] | None = None
        for seller in self._meetings(buyer, sellers, moment):
            instrument, qty = self._stock(day, seller, buyer, moment)
            if qty >= BULK_MIN_T:
                price = self._reservation(day, seller, instrument, qty)
                if best is None or price < best[0]:
                    best = (price, seller, instrument, qty)
        if best is None:
            return []
        reservation, seller, instrument, qty = best
        return self._bargain(seller, buyer, instrument, reservation, qty, moment)

    def _offer_round(self, day: Day, seller: int, interested: Array, moment: int) -> list[Array]:
        """Let a seller who has to sell offer to a few who would buy, now or for next year."""
        for buyer in self._meetings(seller, interested, moment):
            if buyer == seller:
                continue
            instrument, qty = self._stock(day, seller, buyer, moment)
            if qty >= BULK_MIN_T:
                reservation = self._reservation(day, seller, instrument, qty)
                events = self._bargain(seller, buyer, instrument, reservation, qty, moment)
                if events:
                    return events
        return []

    def _bargain(
        self, seller: int, buyer: int, instrument: int, reservation: float, qty: int, moment: int
    ) -> list[Array]:
        """Deal between the seller's reservation price and the buyer's value (Nash), if any."""
        value = self.worth(buyer, instrument)
        if value < reservation:
            return []
        weight, key = self.behaviour.bargain_weight, self.people.keys[buyer]
        log_price = weight * reservation + (1.0 - weight) * value
        log_price += 0.5 * self.behaviour.price_noise * bell(key, Purpose.BARGAIN, moment)
        log_price = min(max(log_price, reservation), value)  # both gain
        events = self.deal(seller, buyer, instrument, log_price, qty)
        return [] if events is None else [events]

    def _stock(self, day: Day, seller: int, buyer: int, moment: int) -> tuple[int, int]:
        """Return the vintage a deal would be in and its tonnes: the seller's largest usable one."""
        have = self.floor.available_t()[seller]
        usable = np.where(day.usable[: len(have)], have, 0)
        instrument = int(usable.argmax())
        mind = self.mind
        asked = max(int(mind["wanted_t"][buyer]), 0) + int(mind["forward_t"][buyer])
        if mind["must_sell_share"][seller] <= 0.0:
            asked = int(mind["wanted_t"][buyer])
        relaxed = self.behaviour.relaxed_part
        forced = float(mind["must_sell_share"][seller])
        haste = max(float(mind["pressing"][buyer]), forced / (forced + HALF_WAY))
        part = relaxed + (1.0 - relaxed) * haste
        asked = min(asked, max(int(part * asked), BULK_MIN_T))
        qty = min(int(usable[instrument]), asked, -int(mind["wanted_t"][seller]))
        key = self.people.keys[buyer]
        if unit(key, Purpose.QUANTITY, moment) < self.behaviour.round_share:
            qty -= qty % HUNDRED_KT
        return instrument, qty

    def _anchor(self, row: int, instrument: int) -> float:
        instruments = self.floor.exchange.state.instruments[instrument]
        last = int(instruments["last_ticks"]) or int(instruments["reference_ticks"])
        memory = self.behaviour.anchor_memory
        mind = self.mind
        return float(
            memory * mind["memory"][row] + (1.0 - memory) * np.log(last) + mind["premium"][row]
        )

    def worth(self, buyer: int, instrument: int) -> float:
        """Return the log price an allowance is worth to a buyer (5.3, 2)."""
        behaviour, pressing = self.behaviour, float(self.mind["pressing"][buyer])
        lift = behaviour.bid_urgency * pressing - behaviour.bid_discount * (1.0 - pressing)
        return self._anchor(buyer, instrument) + lift

    def _reservation(self, day: Day, seller: int, instrument: int, qty: int) -> float:
        behaviour, mind = self.behaviour, self.mind
        forced = float(mind["must_sell_share"][seller])
        premium = asked_premium(mind, seller, day.squeeze, behaviour.seller_pressure)
        haste = EASE + float(max(mind["pressing"][seller], forced))
        discount = behaviour.size_discount * haste * (1.0 + np.log2(qty / BULK_MIN_T))
        return self._anchor(seller, instrument) + premium - float(discount)

    def transfers(self, desks: Desks, due: list[Occasion], day: Day) -> list[Array]:
        """Let the groups whose day it is net; return the events of their deals."""
        found: list[Array] = []
        for group, at_floor, part in due:
            need = np.maximum(self.mind["wanted_t"], 0)
            surplus = np.maximum(-self.mind["wanted_t"], 0)
            wobble = desks.price_wobble(group, day.number)
            for deal in desks.net(group, need, surplus):
                have = np.where(day.usable[: len(self.floor.codes)], 1, 0)
                have = have * self.floor.available_t()[deal.seller]
                instrument = int(have.argmax())
                qty = min(int(part * deal.qty_tonnes), int(have[instrument]))
                if qty < BULK_MIN_T:
                    continue
                row = self.floor.exchange.state.instruments[instrument]
                last = int(row["last_ticks"]) or int(row["reference_ticks"])
                log_price = float(np.log(last)) + wobble
                if at_floor:
                    log_price = float(np.log(int(row["bulk_lower_limit_ticks"]))) + abs(wobble)
                events = self.deal(deal.seller, deal.buyer, instrument, log_price, qty)
                if events is not None:
                    found.append(events)
        return found

    def deal(
        self, seller: int, buyer: int, instrument: int, log_price: float, qty: int
    ) -> Array | None:
        """Offer in bulk, directed at the buyer, who accepts (TR-70, TR-75); None if refused."""
        row = self.floor.exchange.state.instruments[instrument]
        limits = int(row["bulk_lower_limit_ticks"]), int(row["bulk_upper_limit_ticks"])
        lower, upper = self.floor.inside_collar(*limits)
        terms = {
            "price_ticks": min(max(round(np.exp(log_price)), lower), upper),
            "qty_tonnes": qty,
        }
        offered = self.floor.send(
            self.floor.many(
                Kind.BULK_OFFER,
                account=seller,
                instrument=instrument,
                side=Side.SELL,
                counterparty=buyer,
                **terms,
            )
        )
        if offered[0]["kind"] == Event.REFUSED:
            return None
        number = int(offered[0]["order_no"])
        events = self.floor.send(
            self.floor.many(Kind.BULK_ACCEPT, account=buyer, ref=number, **terms)
        )
        if events[0]["kind"] == Event.REFUSED:
            self.floor.send(self.floor.many(Kind.BULK_WITHDRAW, account=seller, ref=number))
            return None
        learn_of(self.mind, events)  # at once: the next deal is made knowing of this one
        return events
