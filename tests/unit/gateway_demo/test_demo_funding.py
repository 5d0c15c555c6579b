"""Funding the demo: the same people from the same seed, and once, however often it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.calendar import is_trading_day
from engine.rulebook import Rulebook
from gateway.clock import DemoClock
from gateway.demo.funding import (
    REFERENCES,
    Entity,
    bring_goods,
    fund,
    open_and_fund,
    population,
    references,
    traders,
)
from gateway.serve import Options, running
from registry.institution import Balances, Registry

PEOPLE = [*traders(2), *population(12)]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry.open("sqlite://") as books:
        yield books


def books(registry: Registry, accounts: list[int]) -> list[Balances]:
    return [registry.balances(account) for account in accounts]


def as_planned(one: Entity, book: Balances) -> bool:
    issued = {code: held.registry_available for code, held in book.holdings.items()}
    return book.cash_in_transit_fen == one.cash_fen and issued == dict(one.holdings)


def test_the_same_seed_gives_the_same_people_and_another_gives_others() -> None:
    assert population(50, 1) == population(50, 1)
    assert population(50, 1) != population(50, 2)
    assert population(300)[:10] == population(300)[:10]
    people = population(300)
    assert len({one.code for one in people}) == len({one.key_id for one in people}) == 300
    assert all(one.cash_fen > 0 and one.holdings["CEA25"] >= 100 for one in people)
    sizes = sorted(one.holdings["CEA25"] for one in people)
    assert sizes[-1] > 20 * sizes[150] > 100 * sizes[0] / 10  # a long tail, as lognormal has
    assert {code for one in people for code in one.holdings} == set(references())


def test_the_references_are_published_closes_with_their_source() -> None:
    assert references() == {
        "CEA": 7400,
        "CEA21": 9680,
        "CEA22": 9800,
        "CEA23": 9792,
        "CEA24": 4872,
        "CEA25": 9740,
    }
    latest = Rulebook.on(max(each.date for each in REFERENCES))
    assert [vintage.code for vintage in latest.vintages] == [each.code for each in REFERENCES]
    assert all(is_trading_day(each.date) and each.source for each in REFERENCES)


def test_funding_twice_funds_once(registry: Registry) -> None:
    accounts = open_and_fund(registry, PEOPLE)
    assert accounts == list(range(14))
    first = books(registry, accounts)
    assert all(as_planned(one, book) for one, book in zip(PEOPLE, first, strict=True))
    assert open_and_fund(registry, PEOPLE) == accounts
    assert books(registry, accounts) == first
    rows = sum(len(one.holdings) for one in PEOPLE)
    assert bring_goods(registry, accounts, list(references())) == rows
    assert bring_goods(registry, accounts, list(references())) == 0
    registry.issue("CEA25", accounts[0], 10)  # what its owner got later is its owner's to move
    assert bring_goods(registry, accounts, list(references())) == 0
    assert open_and_fund(registry, PEOPLE) == accounts
    assert registry.violations() == []


@pytest.mark.parametrize("broken", ["open_accounts", "deposit_many", "issue_many"])
@pytest.mark.parametrize("before", [True, False])
def test_broken_off_anywhere_it_is_finished_by_the_next_start(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, broken: str, before: bool
) -> None:
    real = getattr(registry, broken)

    def breaks(rows: Any) -> None:
        if not before:
            real(rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(registry, broken, breaks)
        with pytest.raises(KeyboardInterrupt):
            open_and_fund(registry, PEOPLE)
    accounts = open_and_fund(registry, PEOPLE)
    found = books(registry, accounts)
    assert all(as_planned(one, book) for one, book in zip(PEOPLE, found, strict=True))


def test_a_larger_demo_funds_only_the_new_ones(registry: Registry) -> None:
    accounts = open_and_fund(registry, PEOPLE)
    before = books(registry, accounts)
    more = [*PEOPLE, *population(20)[12:]]
    assert open_and_fund(registry, more) == list(range(22))
    assert books(registry, accounts) == before
    new = zip(more[14:], books(registry, list(range(14, 22))), strict=True)
    assert all(as_planned(one, book) for one, book in new)


def test_the_exchange_has_what_the_plan_says_and_keeps_it_over_a_restart(tmp_path: Path) -> None:
    options = Options(
        clock=lambda venue: DemoClock.continuing(venue.exchange),
        port=0,
        data_dir=tmp_path,
        references=references(),
    )

    async def start() -> tuple[int, list[str]]:
        async with running(options) as venue:
            keys = await fund(venue.venue, PEOPLE)
            state = venue.venue.exchange.state
            for one, key in zip(PEOPLE, keys, strict=True):
                assert key.key_id == one.key_id
                assert state.accounts[key.account]["cash_available_fen"] == one.cash_fen
                for row, code in enumerate(venue.venue.desk.codes):
                    held = state.holdings[key.account][row]["available_tonnes"]
                    assert held == one.holdings.get(code, 0)
            assert venue.venue.registry.violations(state) == []
            done = int(state.market[0]["instruction_no"])
            return done, [key.secret for key in keys]

    first = asyncio.run(start())
    assert first[0] == 2 * len(PEOPLE) + sum(len(one.holdings) for one in PEOPLE)
    assert asyncio.run(start()) == first
