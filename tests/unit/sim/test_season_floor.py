"""A season's floor is the exchange: its commands, invariants, T+1 and rules of the date."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from engine.exchange import Exchange
from engine.invariants import violations
from engine.records import Event, Kind, Modality, Side, commands
from engine.rulebook import Rulebook
from sim.scenario.model import Scenario
from sim.season.floor import Floor, FloorError
from sim.season.season import Season
from sim.season.streams import Array
from tests.unit.sim.small_seasons import short, small


def season_of(name: str, seed: int = 1) -> Season:
    """Return a small season, or its last weeks where these hold everything."""
    if name == "2021":
        return Season(short(), seed)
    return Season(small(name, 0.03), seed)


def deals(events: Array) -> tuple[Array, Array, Array]:
    """Return the trades, their buyers and their sellers."""
    found = events[events["kind"] == Event.TRADED]
    buys = found["side"] == Side.BUY
    buyer = np.where(buys, found["account"], found["counterparty"])
    seller = np.where(buys, found["counterparty"], found["account"])
    return found, buyer, seller


@pytest.mark.parametrize("name", ["2021", "2023", "2025", "2026"])
def test_books_are_sound_and_money_and_tonnes_stay_every_evening_i1_i10(name: str) -> None:
    season = season_of(name)
    state = season.floor.exchange.state
    money = state.market[0]["cash_in_fen"]
    for date in season.live():
        assert violations(state) == [], date
        held = season.floor.holdings_t().sum(axis=0)
        moved = state.instruments[: len(season.floor.codes)]["tonnes_in"]
        assert np.array_equal(held, moved), date
        assert state.market[0]["cash_in_fen"] == money
    given = season.books.issued_t.sum() + season.people.old_t.sum() + season.converted_t.sum()
    log = season.floor.events()
    came = log[log["kind"] == Event.HOLDING_MOVED_IN]["qty_tonnes"].sum()
    assert came == given
    left = log[log["kind"] == Event.HOLDING_MOVED_OUT]["qty_tonnes"].sum()
    assert held.sum() == came - left
    trades, _, _ = deals(log)
    assert len(trades) > 20


@pytest.mark.parametrize("name", ["2021", "2024"])
def test_nobody_sells_what_it_does_not_have_nor_what_it_bought_today_tr_46(name: str) -> None:
    season = season_of(name)
    rows = len(season.floor.exchange.state.accounts)
    before = np.zeros((rows, 8), np.int64)
    parts = 0
    for _ in season.live():
        log = np.concatenate(season.floor.log[parts:])
        parts = len(season.floor.log)
        moved = before.copy()
        for kind, sign in ((Event.HOLDING_MOVED_IN, 1), (Event.HOLDING_MOVED_OUT, -1)):
            one = log[log["kind"] == kind]
            np.add.at(moved, (one["account"], one["instrument"]), sign * one["qty_tonnes"])
        trades, buyer, seller = deals(log)
        sold = np.zeros_like(moved)
        np.add.at(sold, (seller, trades["instrument"]), trades["qty_tonnes"])
        assert (sold <= moved).all()  # of what was there in the morning, nothing bought today
        after = moved - sold
        np.add.at(after, (buyer, trades["instrument"]), trades["qty_tonnes"])
        own = season.floor.holdings_t()
        assert np.array_equal(after[:, : own.shape[1]], own)
        assert np.array_equal(own, season.floor.available_t())  # ready for tomorrow
        assert (buyer != seller).all()
        before = after


class Watched(Exchange):
    """An exchange that counts what it is asked."""

    asked = 0
    said = 0

    def apply(self, batch: Array) -> Array:
        self.asked += len(batch)
        events = super().apply(batch)
        self.said += len(events)
        return events


def test_every_command_goes_through_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.season.floor.Exchange", Watched)
    season = Season(short(), 1)
    exchange = season.floor.exchange
    assert isinstance(exchange, Watched)
    for _ in season.live():
        pass
    assert exchange.asked == season.counts()["commands"] == exchange.seq
    assert exchange.said == season.counts()["events"]


def test_the_log_alone_rebuilds_the_same_exchange() -> None:
    """Nothing of the state was written past the commands: they are enough to get it again."""
    sent: list[Array] = []

    season = Season(short(), 2)
    real = season.floor.exchange.apply

    def record(batch: Array) -> Array:
        sent.append(batch.copy())
        return real(batch)

    season.floor.exchange.apply = record  # type: ignore[method-assign]
    twin = Floor(short(), season.people.count, cash_fen=10**18).exchange
    for _ in season.live():
        pass
    for batch in sent:
        twin.apply(batch)
    mine = season.floor.exchange.state
    assert np.array_equal(twin.state.accounts, mine.accounts)
    assert np.array_equal(twin.state.holdings, mine.holdings)
    assert np.array_equal(twin.state.instruments, mine.instruments)


@pytest.mark.parametrize(
    ("name", "day", "codes"),
    [
        ("2022", dt.date(2022, 1, 4), ["CEA"]),
        ("2023", dt.date(2023, 8, 25), ["CEA"]),
        ("2023", dt.date(2023, 8, 28), ["CEA", "CEA21", "CEA22"]),
        ("2024", dt.date(2024, 10, 25), ["CEA", "CEA21", "CEA22"]),
        ("2024", dt.date(2024, 10, 28), ["CEA", "CEA21", "CEA22", "CEA23"]),
        ("2026", dt.date(2026, 1, 5), ["CEA", "CEA21", "CEA22", "CEA23", "CEA24", "CEA25"]),
    ],
)
def test_vintages_are_there_from_their_day_on_tr_04(
    name: str, day: dt.date, codes: list[str]
) -> None:
    floor = open_on(name, day)
    assert floor.codes == codes
    assert list(Rulebook.on(day).composite_weights) == weights(floor)


def open_on(name: str, day: dt.date) -> Floor:
    """Return a floor on a day of a season, after its first day was lived."""
    scenario = small(name, 0.02)
    floor = Floor(scenario, 2, 10**12)
    if day > scenario.first_day:
        floor.begin(scenario.first_day)
        floor.open_slot(0)
        floor.open_slot(12)
        floor.end()
    floor.begin(day)
    return floor


def weights(floor: Floor) -> list[int]:
    rows = floor.exchange.state.instruments[: len(floor.codes)]
    return [int(each) for each in rows["weight"]]


@pytest.mark.parametrize(
    ("name", "day", "enabled"),
    [
        ("2021", dt.date(2021, 12, 31), False),
        ("2025", dt.date(2025, 6, 30), False),
        ("2025", dt.date(2025, 7, 1), True),
        ("2026", dt.date(2026, 1, 5), True),
    ],
)
def test_one_way_bidding_from_july_2025_only_tr_80(name: str, day: dt.date, enabled: bool) -> None:
    floor = open_on(name, day)
    assert bool(floor.exchange.state.rules[0]["auction_enabled"]) is enabled
    asked = floor.many(Kind.APPLY_SESSION, account=0, instrument=0, side=Side.SELL)
    assert (floor.send(asked)[0]["kind"] == Event.REFUSED) or enabled


@pytest.mark.parametrize("name", ["2023", "2025", "2026"])
def test_trades_keep_size_and_limits_and_modalities_of_their_day_tr_11_to_23(name: str) -> None:
    log = Season(small(name, 0.05), 4)
    for _ in log.live():
        pass
    events = log.floor.events()
    trades, _, _ = deals(events)
    listed = trades[trades["modality"] == Modality.LISTED]
    bulk = trades[trades["modality"] == Modality.BULK]
    assert len(listed) > 10
    assert len(bulk) > 3
    assert bulk["qty_tonnes"].min() >= 100_000
    assert listed["qty_tonnes"].max() < 100_000
    auctions = trades[trades["modality"] == Modality.AUCTION]
    assert (auctions["date"] >= 20250701).all()
    close: dict[tuple[int, int], int] = {}
    for each in events[events["kind"] == Event.REFERENCE_SET]:
        close[int(each["date"]), int(each["instrument"])] = int(each["price_ticks"])
    for each in trades:
        reference = close[int(each["date"]), int(each["instrument"])]
        width = 0.10 if each["modality"] == Modality.LISTED else 0.30
        assert abs(each["price_ticks"] / reference - 1) <= width + 1 / reference


def test_hours_are_those_of_the_modality_tr_30_tr_31() -> None:
    season = Season(small("2025", 0.05), 2)
    for _ in season.live():
        pass
    trades, _, _ = deals(season.floor.events())
    minute = (trades["time_ns"] // 60_000_000_000 + 8 * 60) % (24 * 60)
    bulk = trades["modality"] == Modality.BULK
    listed = trades["modality"] == Modality.LISTED
    assert (minute[bulk] >= 13 * 60).all()
    assert (minute[bulk] < 15 * 60).all()
    morning = (minute >= 9 * 60 + 30) & (minute < 11 * 60 + 30)
    afternoon = (minute >= 13 * 60) & (minute < 15 * 60)
    assert (morning | afternoon)[listed].all()


def test_what_if_rules_begin_on_their_day() -> None:
    change = {"since": dt.date(2021, 12, 20), "parameter": "listed_band_bp", "value": 500}
    floor = Floor(short(rule_changes=[change]), 1, 10**12)
    assert floor.rules_on(dt.date(2021, 12, 17)).listed_band_bp == 1_000
    assert floor.rules_on(dt.date(2021, 12, 20)).listed_band_bp == 500


def test_a_refused_command_of_the_house_is_an_error() -> None:
    floor = Floor(short(), 1, 10**12)
    with pytest.raises(FloorError):
        floor.house(floor.many(Kind.CLOSE_DAY))


def test_floor_numbers_and_times_what_it_sends() -> None:
    scenario: Scenario = short()
    floor = Floor(scenario, 2, 10**12)
    floor.begin(scenario.first_day)
    floor.open_slot(0)
    floor.open_slot(13)
    batch = commands(2)
    batch["kind"] = Kind.CANCEL
    events = floor.send(batch)
    assert events["seq"].tolist() == [floor.exchange.seq - 1, floor.exchange.seq]
    beijing = events["time_ns"][0] // 60_000_000_000 + 8 * 60
    assert beijing % (24 * 60) == 13 * 60 + 10 + 5
    assert floor.send(commands(0)).size == 0
