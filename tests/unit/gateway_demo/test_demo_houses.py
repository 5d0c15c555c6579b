"""Demo houses deal in bulk and bid within the rules; the operator answers their applications."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.records import Event, Kind, Phase, SessionStatus, Side
from gateway.client import RefusedError
from gateway.clock import beijing_ns
from gateway.demo import HOUSES, houses
from gateway.demo_houses import (
    QTY_MIN,
    ROUNDS_MAX,
    VINTAGES,
    DemoHouses,
    House,
    PublicMarket,
    Step,
)
from gateway.demo_operator import DemoOperator
from gateway.rest_messages import NegotiationView
from gateway.rest_views import own_negotiations
from marketdata.messages import Bidding, BulkOffer, Offer, Quote, Snapshot, Status
from tests.unit.marketdata.trading_floor import CODES, Floor

DATE = 20260820
DAY = dt.date(2026, 8, 20)
REFERENCE = {"CEA25": 9740, "CEA24": 4872}


def quote(code: str) -> Quote:
    price = REFERENCE[code]
    limits = (price * 11 // 10, price * 9 // 10)
    return Quote(1, 0, 1, 0, code, 0, 0, 0, 0, 0, price, price, *limits, 0, 0, 0, 0, 0)


def status(phase: str, halted: bool = False, date: int = DATE) -> Status:
    return Status(1, 0, 0, date, phase, halted)


def market(phase: str, *messages: object) -> PublicMarket:
    found = PublicMarket()
    for message in (*(quote(code) for code in VINTAGES), status(phase), *messages):
        found.take_in(message)
    return found


def offer(number: int, side: str, price: int, state: str = "open") -> BulkOffer:
    return BulkOffer(1, 0, 1, 0, "CEA25", number, side, price, 120_000, state)


def session(state: str, number: int = 4) -> Bidding:
    terms = ("sell", "uniform", 4872, QTY_MIN, 600, 630)
    return Bidding(1, 0, 1, 0, "CEA24", number, state, *terms)


def house(seed: int, number: int = 0) -> House:
    return House(number, HOUSES, np.random.default_rng(seed))


def test_an_afternoon_has_offers_acceptances_and_withdrawals_inside_the_rules() -> None:
    """TR-12, TR-21, TR-70, TR-72: 100,000 t or more, inside 30 %, accepted at its own terms."""
    seen = market("afternoon", offer(1, "sell", 9800), offer(2, "buy", 8000))
    verbs = set()
    for seed in range(300):
        one = house(seed)
        one.own = {3, 4} if seed % 2 else set()
        seen.take_in(offer(3, "sell", 9900))
        seen.take_in(offer(4, "buy", 9500))
        step = one.step(seen)
        if step is None:
            continue
        verbs.add(step.verb)
        fields = step.arguments
        if step.verb == "bulk_offer":
            reference = REFERENCE[fields["instrument"]]
            assert abs(fields["price_ticks"] - reference) < 0.3 * reference
            assert QTY_MIN <= fields["qty"] <= 2 * QTY_MIN
        elif step.verb == "bulk_accept":
            (_, accepted) = seen.offers[fields["order_no"]]
            assert fields["order_no"] not in one.own
            assert accepted.price_ticks != 8000, "nobody sells that far below the reference"
            terms = (accepted.price_ticks, accepted.qty_tonnes)
            assert (fields["price_ticks"], fields["qty"]) == terms
        elif step.verb == "bulk_counter":
            (_, met) = seen.offers[fields["order_no"]]
            assert fields["order_no"] not in one.own
            assert met.price_ticks != 8000, "too far away to bargain about"
            halfway = (met.price_ticks + REFERENCE["CEA25"]) // 2
            assert (fields["price_ticks"], fields["qty"]) == (halfway, met.qty_tonnes)
        else:
            assert step == Step("bulk_withdraw", {"order_no": 3})
    assert verbs == {"bulk_offer", "bulk_accept", "bulk_counter", "bulk_withdraw"}


def talk(price: int, state: str = "countered", **fields: Any) -> NegotiationView:
    """A negotiation about an offer to sell, seen by its initiator, about somebody else's terms."""
    seen = {"initiator": True, "counterparty": 5, "your_terms": False, "side": "sell"}
    terms = {"order_no": 7, "instrument": "CEA25", "price_ticks": price, "qty_tonnes": 150_000}
    view: dict[str, Any] = {**seen, **terms, "status": state, **fields}
    return NegotiationView(**view)


OPEN = {"order_no": 7, "counterparty": 5}


@pytest.mark.parametrize(
    ("asked", "verb", "fields"),
    [
        (talk(9800), "bulk_accept", {"price_ticks": 9800, "qty": 150_000}),
        (talk(8000), "bulk_counter", {"price_ticks": 8870, "qty": 150_000}),
        (talk(9000, "agreed", your_terms=True), "bulk_confirm", {}),
    ],
)
def test_an_initiator_answers_who_bargains_with_it(
    asked: NegotiationView, verb: str, fields: dict[str, int]
) -> None:
    """TR-72: accepts good terms, meets bad ones halfway to the reference, confirms its own."""
    for seed in range(20):
        assert house(seed).step(market("afternoon"), [asked]) == Step(verb, OPEN | fields)


def test_a_responder_names_nobody_and_answers_offers_directed_at_it() -> None:
    """TR-72, TR-75: only the initiator has to say whom it means."""
    bought = talk(9700, initiator=False)
    terms = {"order_no": 7, "price_ticks": 9700, "qty": 150_000}
    assert house(1).step(market("afternoon"), [bought]) == Step("bulk_accept", terms)
    directed = talk(9000, "offered", initiator=False, side="buy")
    step = house(1).step(market("afternoon"), [directed])
    assert step == Step("bulk_counter", terms | {"price_ticks": 9370})


def test_who_has_to_wait_does_other_things_and_a_talk_ends_after_two_rounds() -> None:
    seen, one = market("afternoon"), house(1)
    waiting = [talk(9000, your_terms=True), talk(9000, "agreed", order_no=8)]
    for seed in range(30):
        step = house(seed).step(seen, waiting)
        assert step is None or step.verb == "bulk_offer"
    found = [one.step(seen, [talk(7000)]) for _ in range(ROUNDS_MAX + 1)]
    assert [step.verb for step in found if step] == ["bulk_counter"] * ROUNDS_MAX + ["bulk_decline"]
    assert found[-1] == Step("bulk_decline", OPEN)
    one.step(market("lunch"))
    again = one.step(seen, [talk(7000)])
    assert again is not None
    assert again.verb == "bulk_counter", "another day"


def test_a_refused_confirmation_ends_the_talk_and_no_other() -> None:
    """COUNTERPARTY_SHORT, insufficient money: what cannot be done is not asked for ever."""
    one, seen = house(1), market("afternoon")
    agreed = talk(9000, "agreed", your_terms=True)
    other = talk(9000, "agreed", your_terms=True, counterparty=6)
    step = one.step(seen, [agreed, other])
    assert step == Step("bulk_confirm", OPEN)
    one.refused(step, [agreed, other])
    assert one.step(seen, [agreed, other]) == Step("bulk_decline", OPEN)
    assert one.step(seen, [other]) == Step("bulk_confirm", OPEN | {"counterparty": 6})


def test_an_offer_that_is_being_talked_about_is_not_met_again() -> None:
    seen = market("afternoon", offer(7, "sell", 9800))
    for seed in range(60):
        step = house(seed).step(seen, [talk(9770, initiator=False, your_terms=True)])
        assert step is None or step.verb == "bulk_offer"


def test_an_own_offer_that_the_board_does_not_show_yet_is_not_forgotten() -> None:
    seen, one = market("afternoon"), house(1)
    one.own = {5, 6}
    one.step(seen)
    assert one.own == {5, 6}
    seen.take_in(offer(5, "sell", 9800))
    one.step(seen)
    seen.take_in(offer(5, "sell", 9800, "gone"))
    one.step(seen)
    assert one.own == {6}


def test_one_house_applies_once_a_day_and_all_may_bid_twice() -> None:
    """TR-13, TR-22, TR-89: from the reference on; bids from the floor to the limit."""
    seen = market("morning")
    steps = [house(1, number).step(seen) for number in range(HOUSES)]
    applied = [step for step in steps if step is not None]
    code = VINTAGES[DATE % 2]
    terms = {"price_ticks": REFERENCE[code], "qty": QTY_MIN}
    assert applied == [Step("apply_session", {"instrument": code, "side": "sell", **terms})]
    turn = house(1, DATE % HOUSES)
    assert turn.step(seen) is not None
    assert turn.step(seen) is None
    seen.take_in(session("noticed"))
    assert house(2, 1).step(seen) in (None, applied[0])
    seen.take_in(session("open"))
    for seed in range(50):
        one = house(seed, (DATE + 1) % HOUSES)
        bids = [one.step(seen) for _ in range(3)]
        assert bids[2] is None
        for step in bids[:2]:
            assert step is not None
            assert step.verb == "bid"
            assert 4872 <= step.arguments["price_ticks"] <= 5359
            assert 10_000 <= step.arguments["qty"] <= 50_000


@pytest.mark.parametrize("phase", ["lunch", "closed", "posted"])
def test_houses_rest_when_the_market_does(phase: str) -> None:
    assert house(1, DATE % HOUSES).step(market(phase, offer(1, "sell", 9000))) is None
    halted = market("afternoon", status("afternoon", halted=True))
    assert house(1).step(halted) is None
    assert house(1).step(PublicMarket()) is None


def test_the_public_market_follows_snapshots_and_messages() -> None:
    seen = market("afternoon", offer(1, "sell", 9800), session("noticed"))
    seen.take_in(offer(1, "sell", 9700, "changed"))
    assert seen.offers[1] == ("CEA25", Offer(1, "sell", 9700, 120_000))
    fresh = Offer(7, "buy", 9000, 100_000)
    empty: dict[str, Any] = {"depth": None, "quote": None, "status": None, "trades": ()}
    numbers = {"epoch": 1, "seq": 9, "iseq": 1, "trade_seq": 0, "status_seq": 0, "notice_seq": 0}
    seen.take_in(Snapshot(**numbers, instrument="CEA25", **empty, offers=(fresh,)))
    assert list(seen.offers) == [7]
    assert seen.status is not None
    seen.take_in(offer(7, "buy", 9000, "gone"))
    assert seen.offers == {}
    seen.take_in(status("afternoon", halted=True))
    assert seen.sessions
    seen.take_in(status("pre_open", date=DATE + 1))
    assert (seen.sessions, seen.gone) == ({}, set())
    seen.take_in(session("noticed"))
    seen.take_in(status("pre_open", halted=True, date=DATE + 1))
    assert seen.sessions, "a halt is no new day"


class FakeClient:
    """Answers like the venue: every third command is refused."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def _answer(self, verb: str, fields: dict[str, Any]) -> SimpleNamespace:
        self.calls.append((verb, fields))
        if len(self.calls) % 3 == 0:
            raise RefusedError("insufficient_funds", "No.")
        return SimpleNamespace(order_no=1000 + len(self.calls))

    async def bulk_offer(self, **fields: Any) -> SimpleNamespace:
        return await self._answer("bulk_offer", fields)

    async def bulk_accept(self, **fields: Any) -> SimpleNamespace:
        return await self._answer("bulk_accept", fields)

    async def bulk_counter(self, **fields: Any) -> SimpleNamespace:
        return await self._answer("bulk_counter", fields)

    async def bulk_withdraw(self, **fields: Any) -> SimpleNamespace:
        return await self._answer("bulk_withdraw", fields)

    async def get(self, target: str) -> dict[str, Any]:
        assert target == "/api/negotiations"
        return {"date": DATE, "negotiations": []}

    async def apply_session(self, **fields: Any) -> SimpleNamespace:
        return await self._answer("apply_session", fields)

    async def bid(self, **fields: Any) -> SimpleNamespace:
        return await self._answer("bid", fields)


def test_refusals_are_counted_and_own_offers_remembered() -> None:
    client: Any = FakeClient()
    one = house(3)
    crowd = DemoHouses("http://127.0.0.1:9", [], pause_s=0.001)
    crowd.market = market("afternoon", offer(1, "sell", 9750))

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await crowd.trade(client, one)

    asyncio.run(main())
    assert sum(crowd.done.values()) + sum(crowd.refused.values()) == len(client.calls) >= 6
    assert crowd.refused["insufficient_funds"] == len(client.calls) // 3
    verbs = {verb for verb, _ in client.calls}
    assert {"bulk_offer", "bulk_accept", "bulk_counter"} <= verbs


def test_groups_can_afford_what_they_do() -> None:
    for each in houses():
        assert each.holdings["CEA25"] >= 10 * QTY_MIN
        assert each.cash_fen >= 10 * QTY_MIN * REFERENCE["CEA25"]
    assert len({each.key_id for each in houses()}) == HOUSES


# --- the operator --------------------------------------------------------------------------------


def operated(minute: int) -> tuple[Floor, DemoOperator, list[int]]:
    """A real exchange in the morning, an operator beside it, and a clock to set."""
    floor, now = Floor(), [beijing_ns(DAY, minute)]
    venue: Any = SimpleNamespace(exchange=floor.exchange)
    return floor, DemoOperator(venue, lambda: now[0]), now


def act(floor: Floor, operator: DemoOperator) -> list[int]:
    """Send what is due as the sequencer would; the kinds of its events."""
    kinds: list[int] = []
    for batch in operator.due():
        batch["seq"] = floor.exchange.seq + 1
        batch["time_ns"] = int(floor.exchange.state.market[0]["time_ns"])
        kinds += floor.exchange.apply(batch)["kind"].tolist()
    return kinds


def apply(floor: Floor) -> None:
    terms = {"instrument": 0, "side": Side.SELL, "price_ticks": 4872, "qty_tonnes": QTY_MIN}
    floor.send({"kind": Kind.APPLY_SESSION, "account": 0, **terms})


def test_a_session_is_published_in_the_first_window_still_to_come() -> None:
    """TR-32, TR-81: 10:00-10:30, later 10:30-11:00, then none: answered once each."""
    floor, operator, now = operated(9 * 60 + 40)
    assert act(floor, operator) == []
    apply(floor)
    assert act(floor, operator) == [Event.SESSION_NOTICED]
    found = floor.exchange.state.sessions[1]
    assert (int(found["from_minute"]), int(found["until_minute"])) == (600, 630)
    assert act(floor, operator) == []
    now[0] = beijing_ns(DAY, 10 * 60 + 5)
    apply(floor)
    assert act(floor, operator) == [Event.SESSION_NOTICED]
    assert int(floor.exchange.state.sessions[2]["from_minute"]) == 630
    now[0] = beijing_ns(DAY, 10 * 60 + 45)
    apply(floor)
    assert act(floor, operator) == [Event.SESSION_REJECTED]
    while floor.phase != Phase.AFTERNOON:
        floor.next_phase()
    apply(floor)
    assert act(floor, operator) == [Event.SESSION_REJECTED]
    assert int(floor.exchange.state.sessions[4]["status"]) == SessionStatus.REJECTED


# --- both together, on a real exchange -----------------------------------------------------------

INSTRUMENTS = {"CEA24": 0, "CEA25": 1}
SIDES = {"buy": Side.BUY, "sell": Side.SELL}


def command(account: int, step: Step) -> dict[str, Any]:
    """The command that the venue would make of a house's call."""
    fields = step.arguments
    made = {"kind": Kind[step.verb.upper()], "account": account}
    made["ref"] = fields.get("order_no", fields.get("session_no", 0))
    made["counterparty"] = fields.get("counterparty", -1)
    made["price_ticks"], made["qty_tonnes"] = fields.get("price_ticks", 0), fields.get("qty", 0)
    if "instrument" in fields:
        made["instrument"] = INSTRUMENTS[fields["instrument"]]
        made["side"] = SIDES[fields["side"]]
    return made


def test_a_day_of_houses_and_operator_has_bulk_deals_and_one_session() -> None:
    """TR-70, TR-72, TR-80: minute by minute through a morning and an afternoon."""
    floor, operator, now = operated(9 * 60 + 30)
    feed, seen = floor.feed(), PublicMarket()
    groups = [house(number, number) for number in range(HOUSES)]
    desk: Any = SimpleNamespace(exchange=floor.exchange, codes=CODES)
    refused: list[str] = []
    done: Counter[str] = Counter()
    for minute in range(9 * 60 + 30, 15 * 60):
        now[0] = beijing_ns(DAY, minute)
        if minute in (11 * 60 + 30, 13 * 60):
            floor.next_phase()
        for batch in operator.due():
            fields = {
                name: batch[0][name] for name in ("kind", "ref", "from_minute", "until_minute")
            }
            floor.send(fields)
        if minute in (600, 630):  # what the day cycle does
            floor.send(
                {"kind": Kind.OPEN_SESSION if minute == 600 else Kind.CLOSE_SESSION, "ref": 1}
            )
        for account, one in enumerate(groups):
            for message in feed.flush():
                seen.take_in(message)
            talks = own_negotiations(desk, account).negotiations
            step = one.step(seen, talks) if minute % 5 == account % 5 else None
            if step is None:
                continue
            event = floor.send(command(account, step))[0]
            if event["kind"] == Event.REFUSED:
                refused.append(step.verb)
                one.refused(step, talks)
                continue
            done[step.verb] += 1
            if step.verb == "bulk_offer":
                one.own.add(int(event["order_no"]))
    floor.next_phase()
    bulletin = feed.bulletin(DATE)
    assert bulletin is not None
    assert bulletin.bulk.day_qty_tonnes >= 3 * QTY_MIN
    assert bulletin.bidding_sessions == 1
    assert 0 < bulletin.auction.day_qty_tonnes <= QTY_MIN
    deals = int(floor.exchange.state.market[0]["trades"])
    assert deals > 5
    assert done["bulk_counter"] >= done["bulk_confirm"] >= 2, "whole negotiations"
    assert set(refused) <= {"bid", "bulk_accept", "bulk_offer", "bulk_confirm", "bulk_counter"}
    assert len(refused) < deals * 3
