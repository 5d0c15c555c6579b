"""Group desks, bulk bargains, bidding sessions and offsets (simulation.md 5.3, 6-8, 12)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from engine.records import Event, Modality, Side
from sim.scenario.model import OffsetSupply, Scenario
from sim.season.desks import Desks, Trigger
from sim.season.minds import BULK_MIN_T
from sim.season.offsetting import Offsets
from sim.season.people import people_of
from sim.season.position import Books
from sim.season.season import Season
from sim.season.streams import Array
from tests.unit.sim.small_seasons import short, small

DAY = dt.timedelta(days=1)


def desks_of(scenario: Scenario, seed: int = 1) -> Desks:
    return Desks(scenario, people_of(scenario, seed), seed)


@pytest.mark.parametrize("seed", range(1, 6))
def test_netting_is_within_the_group_in_bulk_and_never_beyond_either_side(seed: int) -> None:
    desks = desks_of(small("2024", 0.2), seed)
    people = desks.people
    rng = np.random.default_rng(seed)
    wanted = rng.integers(-900_000, 900_000, people.count)
    wanted[rng.random(people.count) < 0.2] = 0
    need, surplus = np.maximum(wanted, 0), np.maximum(-wanted, 0)
    found = 0
    for group in range(len(desks.members)):
        deals = desks.net(group, need, surplus)
        found += len(deals)
        sold, bought = np.zeros(people.count, np.int64), np.zeros(people.count, np.int64)
        for deal in deals:
            assert deal.qty_tonnes >= BULK_MIN_T
            assert deal.seller != deal.buyer
            assert people.group[deal.seller] == people.group[deal.buyer] == group
            sold[deal.seller] += deal.qty_tonnes
            bought[deal.buyer] += deal.qty_tonnes
        assert (sold <= surplus).all()
        assert (bought <= need).all()
        rest_need = (need - bought)[desks.members[group]].max(initial=0)
        rest_surplus = (surplus - sold)[desks.members[group]].max(initial=0)
        assert min(rest_need, rest_surplus) < BULK_MIN_T  # nothing is left that could be netted
    assert found > 20


def test_an_entity_with_both_does_not_trade_with_itself() -> None:
    desks = desks_of(small("2024", 0.2))
    both = np.full(desks.people.count, 500_000)
    group = int(np.argmax([len(each) for each in desks.members]))
    deals = desks.net(group, both, both)
    assert deals
    assert all(deal.seller != deal.buyer for deal in deals)


def test_desks_act_on_a_date_only_once_it_is_known() -> None:
    scenario = small("2024", 0.2)
    desks = desks_of(scenario)
    assert desks.agenda
    for trigger in desks._triggers():
        alone = desks_of(scenario)
        alone.agenda.clear()
        alone._plan(3, trigger)
        assert alone.agenda
        if trigger.binding and trigger.known == trigger.due:
            assert (trigger.due + DAY).day == 1  # ends of quarters: known to all
            continue
        assert all(date >= trigger.known for date in alone.agenda)
        if not trigger.binding:
            assert all(date >= trigger.due for date in alone.agenda)


def test_a_date_that_is_published_late_is_not_met_before_that() -> None:
    desks = desks_of(small("2024", 0.2))
    due = dt.date(2024, 12, 31)
    for days in (2, 40):
        desks.agenda.clear()
        desks._plan(1, Trigger(due - days * DAY, due, binding=True, share=1.0))
        assert min(desks.agenda) >= due - days * DAY
        assert min(desks.agenda) < due < max(desks.agenda)  # some before it, some after
    early = sum(len(each) for each in desks.agenda.values())
    assert early == len(desks.members)


def test_each_occasion_is_due_once() -> None:
    desks = desks_of(small("2021", 0.2))
    first, last = min(desks.agenda), max(desks.agenda)
    found, day = 0, first - DAY
    while day < last:
        found += len(desks.due(day, day + 3 * DAY))
        day += 3 * DAY
    assert found == sum(len(each) for each in desks.agenda.values())


def bulk_of(season: Season) -> Array:
    """Return the bulk trades of a whole season with what surrounds them."""
    for _ in season.live():
        pass
    log = season.floor.events()
    found: Array = log[(log["kind"] == Event.TRADED) & (log["modality"] == Modality.BULK)]
    return found


def test_transfers_at_the_floor_are_near_the_lower_bulk_limit_tr_21() -> None:
    at_floor = {"behaviour.floor_share": 1.0, "behaviour.netting_share": 1.0}
    near = {"behaviour.floor_share": 0.0, "behaviour.netting_share": 1.0}
    for said, low, high in ((at_floor, -0.31, -0.2), (near, -0.2, 0.2)):
        season = Season(short(0.1, **said), 1)
        trades = bulk_of(season)
        group = season.people.group
        mine, other = group[trades["account"]], group[trades["counterparty"]]
        inside = trades[(mine == other) & (mine >= 0)]
        assert len(inside) >= 3
        log = season.floor.events()
        reference = {
            int(each["date"]): int(each["price_ticks"])
            for each in log[log["kind"] == Event.REFERENCE_SET]
        }
        changes = [each["price_ticks"] / reference[int(each["date"])] - 1 for each in inside]
        assert low < np.median(changes) < high


def test_bulk_deals_stay_inside_the_bulk_limits_tr_21() -> None:
    season = Season(short(0.15), 2)
    trades = bulk_of(season)
    log = season.floor.events()
    assert len(trades) > 5
    for date in np.unique(trades["date"]):
        day = log[log["date"] == date]
        reference = int(day[day["kind"] == Event.REFERENCE_SET]["price_ticks"][0])
        prices = trades[trades["date"] == date]["price_ticks"]
        assert prices.min() >= round(0.7 * reference)
        assert prices.max() <= round(1.3 * reference)
    assert trades["qty_tonnes"].min() >= BULK_MIN_T


def two_strangers(monkeypatch: pytest.MonkeyPatch, pressing: float, reluctance: float) -> Array:
    """Let one buyer look for one seller on the first afternoon; return the deal's events."""
    said = {"behaviour.search_degree": 3.0, "behaviour.price_noise": 0.0}
    season = Season(short(0.05, **said), 1)
    date = season.days[0]
    slots = season.live_slots(date)
    for _ in range(14):
        next(slots)
    mind = season.mind
    mind["bulk"] = 0
    mind["wanted_t"] = 0
    mind["forward_t"] = 0
    available = season.floor.available_t()[:, 0]
    seller = int(available[: season.people.count].argmax())
    buyer = (seller + 1) % season.people.count
    mind["wanted_t"][[seller, buyer]] = [-700_000, 500_000]
    mind["bulk"][[seller, buyer]] = 1
    mind["reluctance"][seller] = reluctance
    mind["pressing"] = 0.0
    mind["pressing"][buyer] = pressing
    least: list[float] = []
    known = season.bargains._reservation

    def noted(*terms: Any) -> float:
        least.append(known(*terms))
        return least[-1]

    monkeypatch.setattr(season.bargains, "_reservation", noted)
    found = season.bargains.strangers(season.day_of(date, 0), 14)
    events = [each for part in found for each in part if each["kind"] == Event.TRADED]
    for each in events:
        assert {int(each["account"]), int(each["counterparty"])} == {seller, buyer}
        value = season.bargains.worth(buyer, int(each["instrument"]))
        assert least[-1] - 0.001 <= np.log(each["price_ticks"]) <= value + 0.001  # both gain
    return np.array(events)


def test_strangers_deal_when_both_gain_and_not_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    deals = two_strangers(monkeypatch, pressing=1.0, reluctance=0.0)
    assert len(deals) == 1
    assert deals[0]["qty_tonnes"] >= BULK_MIN_T
    assert len(two_strangers(monkeypatch, pressing=0.0, reluctance=0.5)) == 0


def test_sessions_are_held_by_forced_sellers_and_clear_above_the_floor_tr_80() -> None:
    season = Season(small("2025", 0.1, **{"behaviour.session_share": 1.0}), 3)
    for _ in season.live():
        pass
    log = season.floor.events()
    trades = log[(log["kind"] == Event.TRADED) & (log["modality"] == Modality.AUCTION)]
    assert len(trades) > 0
    assert trades["date"].min() >= 20250701
    sells = np.where(trades["side"] == Side.SELL, trades["account"], trades["counterparty"])
    for date in np.unique(trades["date"]):
        one = trades[trades["date"] == date]
        assert len(np.unique(sells[trades["date"] == date])) == 1  # one at a time (TR-32)
        assert len(np.unique(one["price_ticks"])) == 1  # one price for all (TR-83)
        assert one["qty_tonnes"].sum() <= 500_000


def offsets_of(stock_mt: float, price: float) -> tuple[Offsets, Books, Scenario]:
    scenario = small("2024", 0.05)
    people = people_of(scenario, 1)
    supply = OffsetSupply(date=dt.date(2024, 1, 22), stock_mt=stock_mt, price_cny_t=price)
    (used,) = small("2024", 0.05, offsets=[supply]).offsets
    assert used == supply
    offsets = Offsets(small("2024", 0.05, offsets=[supply]), people)
    return offsets, Books.of(people), scenario


def test_offsets_stay_below_five_per_cent_and_the_stock_cp_35() -> None:
    for stock_mt, exhausted in ((1000.0, False), (0.3, True)):
        offsets, books, scenario = offsets_of(stock_mt, 60.0)
        due = scenario.obligations[0]
        for number in range(400):
            offsets.day(due.deadline, number, books, 100.0)
        used = books.offset_t[0]
        cap = offsets.people.due_t[0] // 20
        assert (used <= cap).all()
        assert used.sum() + offsets.left_t == round(stock_mt * 1e6)
        assert (offsets.left_t == 0) is exhausted
        if not exhausted:
            assert (used >= 0.79 * cap).all()
        assert np.allclose(offsets.cost_cny, used * 60.0)


@pytest.mark.parametrize(
    ("date", "close", "some"),
    [
        (dt.date(2024, 1, 21), 100.0, False),  # nothing on offer yet
        (dt.date(2024, 10, 20), 100.0, False),  # nobody reckons with the deadline
        (dt.date(2024, 10, 21), 64.9, False),  # 60 and the search cost of 5 are no gain
        (dt.date(2024, 10, 21), 65.1, True),
    ],
)
def test_offsets_are_used_once_known_and_cheaper(date: dt.date, close: float, some: bool) -> None:
    offsets, books, scenario = offsets_of(10.0, 60.0)
    assert scenario.behaviour.offset_search_cost_cny_t == 5.0
    for number in range(20):
        offsets.day(date, number, books, close)
    assert bool(books.offset_t.any()) is some


def test_a_settled_obligation_takes_no_more_offsets() -> None:
    offsets, books, scenario = offsets_of(10.0, 60.0)
    books.settled[0] = True
    for number in range(20):
        offsets.day(scenario.obligations[0].deadline, number, books, 100.0)
    assert books.offset_t.sum() == 0
