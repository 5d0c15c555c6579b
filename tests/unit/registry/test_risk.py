"""Who will fall short, the warnings, and what must not be sold (CP-40, TR-116)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.records import Kind, Side
from registry.compliance import risk, surrender, watch
from registry.compliance.risk import Guard, Market, Need, Outlook, Risk
from registry.institution import Registry
from tests.unit.registry.carry_world import CASH_FEN, MAKER, World, at, refused
from tests.unit.registry.registry_venue import Venue

NOTHING = Market()
NOW, LATE = at(2025, 11, 3), at(2026, 1, 5)


@pytest.fixture
def world(registry: Registry) -> World:
    """A holds 60 + 40 t for its 100 t of 2024, B (another province) nothing for its 50."""
    made = World(registry)
    made.add("A", province="42")
    made.add("B", province="13")
    made.give("A", "CEA24", 60)
    made.give("A", "CEA23", 40, trading=True)
    made.oblige(2024, A=100, B=50)
    return made


def look(
    world: World, market: Market = NOTHING, at_ns: int = NOW, price_fen: int | None = 9_000
) -> Outlook:
    with world.registry.database.read() as tx:
        return risk.outlook(tx, market, at_ns, (), price_fen)


def one(found: Outlook, entity: str, year: int = 2024) -> Risk:
    return next(row for row in found.risks if (row.entity, row.year) == (entity, year))


def test_what_is_missing_and_what_it_costs_cp_40(world: World) -> None:
    found = look(world)
    assert [row.entity for row in found.at_risk] == ["B"]
    b = one(found, "B")
    assert (b.level, b.due_tonnes, b.short_tonnes) == ("short", 50, 50)
    assert (b.price_fen, b.cost_fen, b.cash_fen) == (9_000, 450_000, CASH_FEN)
    assert one(found, "A")[4:8] == ("", 100, 0, 0)
    assert found.guards == []


def test_an_open_sale_of_what_is_needed_is_over_selling_tr_116(world: World) -> None:
    a, sale = world.account["A"], (world.account["A"], "CEA23")
    found = look(world, Market({sale: 15}))
    assert one(found, "A")[4:8] == ("over_selling", 100, 0, 15)
    assert found.guards == [Guard("A", a, "CEA23", 40)]
    world.give("A", "CEA23", 15, trading=True)
    found = look(world, Market({sale: 15}))
    assert (one(found, "A").level, found.guards) == ("", [])


def test_a_guard_is_what_the_registry_side_does_not_cover_tr_116(world: World) -> None:
    world.give("A", "CEA24", 500, trading=True)
    world.oblige(2023, A=450)
    a = world.account["A"]
    found = look(world, Market({(a, "CEA24"): 490}), at_ns=LATE)
    assert [one(found, "A", year).level for year in (2023, 2024)] == ["over_selling"] * 2
    assert found.guards == [Guard("A", a, "CEA23", 40), Guard("A", a, "CEA24", 450)]


def test_who_cannot_pay_is_told_apart(world: World) -> None:
    b = world.account["B"]
    assert one(look(world, Market({}, {b: 450_000})), "B").level == "short"
    assert one(look(world, Market({}, {b: 449_999})), "B").level == "unaffordable"
    huge = World(world.registry)
    huge.account = world.account
    huge.oblige(2025, B=2**53)
    found = look(world)
    assert one(found, "B", 2025).cost_fen == 2**53 * 9_000
    assert one(found, "B", 2025).level == "unaffordable"


def test_money_is_counted_once_for_all_years(world: World) -> None:
    world.oblige(2025, B=50)
    found = look(world, Market({}, {world.account["B"]: 899_999}))
    assert [one(found, "B", year).level for year in (2024, 2025)] == ["short", "unaffordable"]
    assert one(found, "B", 2025).cash_fen == 449_999


def test_only_vintages_that_serve_the_year_count(world: World) -> None:
    world.give("B", "CEA25", 500)
    assert one(look(world), "B").short_tonnes == 50  # AL-38
    assert one(look(world, at_ns=LATE), "B").short_tonnes == 0  # AL-68: arrears
    world.oblige(2025, A=10)
    assert one(look(world), "A", 2025).short_tonnes == 10  # E75


def test_what_a_court_has_frozen_does_not_count(world: World) -> None:
    values = {"account": world.account["A"], "vintage": "CEA24", "qty_tonnes": 25}
    values |= {"side": "registry", "document": "order"}
    asked = world.registry.approvals.request(1, "freeze", values, NOW)
    world.registry.approvals.approve(asked.number, 2, asked.sha256, NOW)
    assert one(look(world), "A").short_tonnes == 25


def test_what_waits_or_is_surrendered_is_not_due(world: World) -> None:
    with world.registry.database.write() as tx:
        wanted = [surrender.Wanted("A", 2024, "CEA24", 60)]
        assert surrender.apply_many(tx, wanted, MAKER, NOW, True).numbers == (1,)
    assert one(look(world), "A")[5:7] == (40, 0)


def test_the_price_is_the_newest_close_of_a_vintage_that_serves_tr_100(world: World) -> None:
    world.give("A", "CEA22", 1_000, trading=True)
    world.give("A", "CEA25", 1_000, trading=True)
    assert one(look(world, price_fen=None), "B").price_fen == 0
    world.deal(20251027, ("A", "B", 1, "CEA22", 5_000))
    world.deal(
        20251029,
        *(("A", "B", 10, "CEA23", 8_000), ("A", "B", 20, "CEA23", 8_001)),
        *(("A", "B", 10, "CEA25", 7_000),),
    )
    world.deal(20251030, ("A", "B", 1, "CEA23", 4_000), bulk=True)
    assert one(look(world, price_fen=None), "B").price_fen == 8_001  # E23: half up


def test_warnings_go_to_the_province_and_stay_cp_40(world: World) -> None:
    sale = {(world.account["A"], "CEA23"): 15}
    for at_ns in (NOW, NOW + 1):
        with world.registry.database.write() as tx:
            watch.warn(tx, Market(sale), at_ns, price_fen=9_000)
    with world.registry.database.read() as tx:
        hubei, hebei = watch.warned(tx, "42"), watch.warned(tx, "13")
        assert [row.level for row in hubei] == ["over_selling"] * 2
        assert [(row.entity, row.short_tonnes, row.cost_fen) for row in hebei] == [
            ("B", 50, 450_000)
        ] * 2
        assert [row.number for row in watch.warned(tx)] == [1, 2, 3, 4]
        assert len(watch.warned(tx, entity="A")) == 2
        assert watch.proposed(tx) == [Guard("A", world.account["A"], "CEA23", 40)]
    with world.registry.database.write() as tx:
        watch.warn(tx, Market(), NOW + 2, price_fen=9_000)
    with world.registry.database.read() as tx:
        assert watch.proposed(tx) == []  # the last round proposes nothing
    assert world.holding("A", "CEA23").trading_available == 40  # nothing was done


@pytest.mark.parametrize(
    ("market", "price", "code"),
    [
        (Market({(0, "CEA23"): -1}), 1, "market_invalid"),
        (Market({(0, "CEA99"): 1}), 1, "market_invalid"),
        (Market({(0, "XYZ"): 1}), 1, "unknown_vintage"),
        (Market({(9, "CEA23"): 1}), 1, "unknown_account"),
        (Market({}, {0: -1}), 1, "market_invalid"),
        (Market({}, {9: 1}), 1, "unknown_account"),
        (Market(), 0, "price_invalid"),
        (Market(), 1.5, "price_invalid"),
    ],
)
def test_what_the_exchange_hands_in_is_looked_at(
    world: World, market: Market, price: int, code: str
) -> None:
    with refused(code):
        look(world, market, price_fen=price)


NEEDS = [(2022, 2019, 2022), (2023, 2019, 2023), (2024, 2019, 2026), (2025, 2025, 2026)]


@given(
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
)
def test_no_other_way_of_using_the_stock_covers_more(held: list[int], due: list[int]) -> None:
    years = (2020, 2022, 2023, 2024, 2025, 2026)
    stock = {year: np.array([tonnes]) for year, tonnes in zip(years, held, strict=True)}
    needs = [Need(*rule, np.array([tonnes])) for rule, tonnes in zip(NEEDS, due, strict=True)]
    used, short = risk.match(stock, needs)
    missing = sum(int(left[0]) for left in short)
    assert sum(int(one[0]) for one in used.values()) == sum(due) - missing
    # Hall: what is missing is the worst set of needs against all vintages that serve any of them
    worst = 0
    for size in range(1, len(NEEDS) + 1):
        for chosen in itertools.combinations(range(len(NEEDS)), size):
            serving = {year for year in years for n in chosen if NEEDS[n][1] <= year <= NEEDS[n][2]}
            have = sum(int(stock[year][0]) for year in serving)
            worst = max(worst, sum(due[n] for n in chosen) - have)
    assert missing == worst
    fewer = {year: np.maximum(tonnes - 1, 0) for year, tonnes in stock.items()}
    _, then = risk.match(fewer, needs)
    assert all(int(after[0]) >= int(before[0]) for before, after in zip(short, then, strict=True))


def test_no_obligation_no_risk(registry: Registry) -> None:
    made = World(registry)
    made.add("A")
    assert look(made) == Outlook([], [])


def test_an_exchange_tells_its_open_sales_and_its_cash(venue: Venue) -> None:
    venue.do(
        Kind.LIST,
        account=1,
        instrument=1,
        side=Side.SELL,
        price_ticks=4_800,
        qty_tonnes=700,
    )
    venue.do(
        Kind.LIST,
        account=2,
        instrument=0,
        side=Side.BUY,
        price_ticks=4_700,
        qty_tonnes=10,
    )
    found = risk.market_of(venue.state)
    assert found.selling_tonnes == {(1, "CEA21"): 700}
    assert found.cash_fen == dict.fromkeys(range(4), 100_000_000)
