"""Large books for the registry's benchmark, made through the registry's own functions.

Entities in 32 provinces with 1 to 4 power units each, five vintages, the compliance years 2019 to
2023 from verified emissions to certificates, and ten years of evenings. Everything is synthetic and
follows from the size and one seed; the evenings are dated 2016 to 2025, so that they end before the
surrender that is measured (the market itself is younger).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.deals import CASH, DEAL, POSITION, DealFile
from registry.accounts import last_instruction
from registry.allocation import engine, plan_file, reading
from registry.approvals import Request
from registry.compliance import eligibility
from registry.compliance.rows import AllocationRow, of_result
from registry.compliance.surrender import Wanted
from registry.institution import Registry
from registry.monitoring.provinces import NAMES
from registry.windows import nanoseconds

VINTAGES = ("CEA", "CEA21", "CEA22", "CEA23", "CEA24")
HISTORY = (2019, 2020, 2021, 2022, 2023)  # obligations that are met before anything is measured
YEAR = 2024  # the obligation that is measured: all five vintages serve it (AL-38)
CALENDAR = range(2016, 2026)  # ten years of evenings
EVENINGS = (20251216, 20251217)  # that are measured: without fees, as the rulebook has it; with all
PLATFORM, REGISTRAR, ENTITY, PROVINCE, VERIFIER = 11, 12, 21, 31, 41
DOCUMENT = "letter of the province"
CASH_FEN, TRADED_TONNES = 10**13, 200_000
DEAL_TONNES = (10, 200)  # large enough that no fee is nothing: six entries a deal
STOCK_SHARE = 10  # per cent of a year's emissions, of every old vintage, for the last surrender
TRADING_PPM, SETTLEMENT_PPM = 300, 100
CLASSES = {"I": 0.75, "II": 0.78, "III": 0.80, "IV": 0.31}  # t/MWh: below every benchmark
DAY_NS = 86_400 * 10**9

Say = Callable[[str], None]
Cells = dict[str, str]


@dataclass(frozen=True)
class Size:
    """How large the books are, and how often each step is timed."""

    entities: int = 4_000
    evenings_a_year: int = 12
    deals: int = 1_000  # of an evening of the ten years
    measured_deals: int = 10_000
    runs: int = 3


FULL = Size()
QUICK = Size(entities=64, evenings_a_year=1, deals=50, measured_deals=200, runs=1)


def at(year: int, month: int, day: int) -> int:
    """Return ten in the morning of a day in Beijing, in nanoseconds."""
    return nanoseconds(dt.date(year, month, day), dt.time(10))


def plan_of(year: int) -> str:
    """Return the name of the power plan of a year."""
    return next(
        name
        for name in plan_file.names()
        if year in (plan := plan_file.load(name)).years and plan.power
    )


class Fleet:
    """Entities and their units: codes, provinces, and each year's table of units."""

    def __init__(self, entities: int, seed: int = 2024) -> None:
        chance = np.random.default_rng(seed)
        self.seed = seed
        self.codes = [f"E{number:05d}" for number in range(entities)]
        provinces = list(NAMES)
        self.province = [provinces[number % len(provinces)] for number in range(entities)]
        counts = chance.integers(1, 5, entities)
        self.entity = np.repeat(np.arange(entities), counts)
        self.number = np.concatenate([np.arange(1, count + 1) for count in counts])
        self.kind = chance.choice(list(CLASSES), len(self.entity), p=(0.5, 0.3, 0.1, 0.1))
        self.mwh = chance.integers(200_000, 3_000_000, len(self.entity))

    def units(self, year: int) -> list[Cells]:
        """Return the rows of a year's table, as a CSV file would have them."""
        mwh, emitted = self._year(year)
        early = plan_file.load(plan_of(year)).pre_allocation[year]
        before = self._year(early.base_year.value)[1]
        return [
            {
                "entity": self.codes[owner],
                "unit": str(number),
                "province": self.province[owner],
                "class": str(kind),
                "generated_mwh": str(generated),
                "supplied_mwh": str(generated * 94 // 100),
                "load_factor_pct": "70",
                "cooling": "water",
                "emissions_t": str(tonnes),
                "base_emissions_t": str(base),
            }
            for owner, number, kind, generated, tonnes, base in zip(
                self.entity.tolist(),
                self.number.tolist(),
                self.kind.tolist(),
                mwh.tolist(),
                emitted.tolist(),
                before.tolist(),
                strict=True,
            )
        ]

    def emissions(self, year: int) -> list[tuple[str, int, int]]:
        """Return (entity, year, tonnes) of everybody."""
        total = np.zeros(len(self.codes), np.int64)
        np.add.at(total, self.entity, self._year(year)[1])
        return [
            (code, year, tonnes) for code, tonnes in zip(self.codes, total.tolist(), strict=True)
        ]

    def _year(self, year: int) -> tuple[Any, Any]:
        chance = np.random.default_rng((self.seed, year))
        mwh = (self.mwh * chance.uniform(0.9, 1.1, len(self.mwh))).astype(np.int64)
        rate = np.array([CLASSES[str(kind)] for kind in self.kind])
        return mwh, (mwh * rate).astype(np.int64)


def compute(fleet: Fleet, year: int, stage: str) -> tuple[list[AllocationRow], list[Cells]]:
    """Return the platform's rows of a stage and the table they were computed from."""
    plan, cells = plan_file.load(plan_of(year)), fleet.units(year)
    read = reading.read_rows(plan, enumerate(cells, 1), year)
    assert not read.refused, read.refused[:3]
    return of_result(engine.allocate(plan, read.units[year]), stage), cells


def propose(registry: Registry, year: int, stage: str, rows: Any, units: Any) -> Request:
    """Hand rows over, let the registry recompute them, ask for their issue; all must be taken."""
    asked = registry.compliance.propose(
        *(plan_of(year), year, stage, rows, PLATFORM, _issued_at(year, stage), DOCUMENT, units)
    )
    found = asked.handover
    assert asked.request is not None, (found.refused[:3], found.mismatches[:3])
    return asked.request


def approve(registry: Registry, asked: Request, year: int, stage: str) -> None:
    """Let a second person approve the issue, which posts it."""
    at_ns = _issued_at(year, stage)
    done = registry.approvals.approve(asked.number, REGISTRAR, asked.sha256, at_ns)
    assert done.status == "approved", done


def _issued_at(year: int, stage: str) -> int:
    return at(year + 1, 3 if stage == "pre" else 8, 20)


def wanted(registry: Registry, fleet: Fleet) -> list[Wanted]:
    """Return the applications that meet everybody's obligation of ``YEAR``, oldest stock first."""
    held = {vintage: registry.holdings(vintage) for vintage in VINTAGES}
    found = []
    for account, (code, year, owed) in enumerate(fleet.emissions(YEAR)):
        left = owed
        for vintage in VINTAGES:
            given = min(left, held[vintage][account].registry_available)
            if given:
                found.append(Wanted(code, year, vintage, given))
                left -= given
    return found


class Market:
    """The trading side as the exchange would have it, to make deal files that are sound."""

    def __init__(self, people: int, seed: int = 7) -> None:
        self.chance = np.random.default_rng(seed)
        self.tonnes = np.full((people, len(VINTAGES)), TRADED_TONNES, np.int64)
        self.cash_fen = np.full(people, CASH_FEN, np.int64)
        self.trades = 0

    def evening(self, date: int, count: int, fees: bool = True) -> DealFile:
        """Return the deal file of a day of random deals among everybody, with all fees or none."""
        people = len(self.cash_fen)
        deals = np.zeros(count, DEAL)
        deals["trade_no"] = self.trades + 1 + np.arange(count)
        deals["buyer"] = self.chance.integers(0, people, count)
        deals["seller"] = (deals["buyer"] + self.chance.integers(1, people, count)) % people
        deals["instrument"] = self.chance.integers(0, len(VINTAGES), count)
        deals["price_ticks"] = self.chance.integers(4_000, 10_000, count)
        deals["qty_tonnes"] = self.chance.integers(DEAL_TONNES[0], DEAL_TONNES[1] + 1, count)
        value = deals["price_ticks"].astype(np.int64) * deals["qty_tonnes"]
        deals["value_fen"] = value
        for side in ("buy", "sell") if fees else ():
            deals[f"{side}_trading_fee_fen"] = value * TRADING_PPM // 10**6
            deals[f"{side}_settlement_fee_fen"] = value * SETTLEMENT_PPM // 10**6
        deals["modality"], deals["taker_side"] = 10, 1
        self.trades += count
        self._move(deals)
        return self._file(date, deals)

    def _move(self, deals: Any) -> None:
        value = deals["value_fen"]
        fees = {
            side: deals[f"{side}_trading_fee_fen"] + deals[f"{side}_settlement_fee_fen"]
            for side in ("buy", "sell")
        }
        np.add.at(self.tonnes, (deals["buyer"], deals["instrument"]), deals["qty_tonnes"])
        np.subtract.at(self.tonnes, (deals["seller"], deals["instrument"]), deals["qty_tonnes"])
        np.subtract.at(self.cash_fen, deals["buyer"], value + fees["buy"])
        np.add.at(self.cash_fen, deals["seller"], value - fees["sell"])

    def _file(self, date: int, deals: Any) -> DealFile:
        where = np.nonzero(self.tonnes)
        positions = np.zeros(len(where[0]), POSITION)
        positions["account"], positions["instrument"] = where
        positions["qty_tonnes"] = self.tonnes[where]
        cash = np.zeros(len(self.cash_fen), CASH)
        cash["account"], cash["cash_fen"] = np.arange(len(cash)), self.cash_fen
        return DealFile(date, VINTAGES, deals, positions, cash)


def settle(registry: Registry, file: DealFile) -> None:
    """Clear a deal file and post the day."""
    cleared = registry.clear(file)
    assert cleared.sound, cleared.report[:3]
    assert registry.post(file.date, file.tag).status == "posted"


def prepare(registry: Registry, size: Size, say: Say) -> tuple[DealFile, DealFile]:
    """Fill new books up to the final issue of ``YEAR``; return the evenings to be measured."""
    fleet = Fleet(size.entities)
    _open(registry, fleet)
    say(f"  {size.entities:,} entities in {len(NAMES)} provinces, {len(fleet.entity):,} units")
    market = Market(size.entities)
    for year in CALENDAR:
        for file in _evenings(market, year, size):
            settle(registry, file)
        if year - 1 in HISTORY:
            _compliance(registry, fleet, year - 1)
        say(f"  {year}: {market.trades:,} deals so far")
    _stock(registry, fleet)
    registry.monitoring.record_verified_many(fleet.emissions(YEAR), VERIFIER, at(YEAR + 1, 6, 30))
    approve(registry, _asked(registry, fleet, YEAR, "pre"), YEAR, "pre")
    free, charged = EVENINGS
    first = market.evening(free, size.measured_deals, fees=False)
    return first, market.evening(charged, size.measured_deals)


def _open(registry: Registry, fleet: Fleet) -> None:
    """Let everybody in, with money and tonnes of all vintages on the trading side."""
    registry.monitoring.open_provinces()
    registry.monitoring.add_entities(
        [
            (code, f"Power plant {code}", province, "power")
            for code, province in zip(fleet.codes, fleet.province, strict=True)
        ]
    )
    assert registry.monitoring.open_accounts() == len(fleet.codes)
    people = range(len(fleet.codes))
    registry.issue_many([(vintage, n, TRADED_TONNES) for vintage in VINTAGES for n in people])
    registry.deposit_many([(n, CASH_FEN) for n in people])
    registry.transfer_in_many([(n, vintage, TRADED_TONNES) for vintage in VINTAGES for n in people])
    with registry.database.read() as tx:
        last = last_instruction(tx)
    registry.record_done(last)


def _evenings(market: Market, year: int, size: Size) -> Iterator[DealFile]:
    for month in range(1, size.evenings_a_year + 1):
        yield market.evening(year * 10_000 + month * 100 + 15, size.deals)


def _compliance(registry: Registry, fleet: Fleet, year: int) -> None:
    """Take a year from verified emissions to certificates."""
    registry.monitoring.record_verified_many(fleet.emissions(year), VERIFIER, at(year + 1, 6, 30))
    for stage in ("pre", "final"):
        approve(registry, _asked(registry, fleet, year, stage), year, stage)
    registry.compliance.notify(year, at(year + 1, 10, 20))
    in_time = eligibility.deadline_ns(year) - 10 * DAY_NS
    done = registry.compliance.surrender_all(year, ENTITY, PROVINCE, in_time)
    assert done.certificates == len(fleet.codes), done.short[:3]


def _asked(registry: Registry, fleet: Fleet, year: int, stage: str) -> Request:
    return propose(registry, year, stage, *compute(fleet, year, stage))


def _stock(registry: Registry, fleet: Fleet) -> None:
    """Give everybody some of every old vintage, so that the last surrender needs them all."""
    registry.issue_many(
        [
            (vintage, n, tonnes * STOCK_SHARE // 100)
            for n, (_, _, tonnes) in enumerate(fleet.emissions(YEAR))
            for vintage in VINTAGES[:-1]
        ]
    )
