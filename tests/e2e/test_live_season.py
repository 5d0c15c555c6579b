"""A season as clients of a venue that runs: over the wire, and against the offline season."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from engine.calendar import next_trading_day
from engine.records import EVENT, Event, Kind, Phase, Side
from gateway.clock import DemoClock, beijing_ns
from gateway.serve import Options, Running, running
from sim.live.floor import OTHER, OWN
from sim.live.playing import Span, play
from sim.live.population import few
from sim.results.run import Run, run_of
from sim.scenario.model import Scenario
from sim.scenario.reading import load
from sim.season.floor import MINUTE_NS, Floor
from sim.season.season import Season
from tanshi import app

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
FIRST = dt.date(2021, 12, 13)  # three days before the deadline of 2021: everybody is busy
# People who look often and act at once: a few days are enough for deals of both kinds.
BUSY = {
    "behaviour.wakes_per_day": 8.0,
    "behaviour.listed_base": 0.5,
    "behaviour.sell_hazard": 0.5,
    "behaviour.hazard_base": 0.6,
}
COMPARED = ["date", "time", "instrument", "modality", "price_cny", "qty_tonnes", "buyer", "seller"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def busy(entities: int = 30, **more: object) -> Scenario:
    return load("2021", {**few(load("2021"), entities), **BUSY, **more})


# an engine that is asked like a venue


class EngineVenue:
    """The exchange itself behind the port: no wire, and a clock that waits for whoever looks."""

    def __init__(self, scenario: Scenario, first: dt.date, stranger_t: int = 0) -> None:
        self.scenario = scenario
        self.stranger_t = stranger_t  # listed each morning by somebody who is none of the season's
        self._date = first
        self._minute = 9 * 60 + 20
        self._phase = "posted"
        self._later: deque[np.ndarray] = deque()
        self._refused: dict[str, int] = {}
        self._breaks_after = 10**9
        self.floor: Floor

    def break_after(self, orders: int) -> None:
        """The line breaks after so many orders."""
        self._breaks_after = orders

    def open_accounts(self, names: Sequence[str], cash_fen: int) -> None:
        self.floor = Floor(self.scenario, len(names) + 1, cash_fen)
        self.stranger = len(names)

    def _stranger_sells(self) -> None:
        """Somebody else lists at the lower limit, where everybody who buys takes it."""
        if not self.stranger_t:
            return
        tonnes = np.zeros(self.stranger + 1, np.int64)
        tonnes[self.stranger] = self.stranger_t
        self.floor.give(self.floor.codes[0], tonnes)
        lower = int(self.floor.exchange.state.instruments[0]["lower_limit_ticks"])
        terms = {"side": Side.SELL, "price_ticks": lower, "qty_tonnes": self.stranger_t}
        self.floor.house(self.floor.many(Kind.LIST, account=self.stranger, instrument=0, **terms))

    def moment(self) -> tuple[int, str]:
        """Each look is five minutes later."""
        minute = self._minute = self._minute + 5
        if minute == 9 * 60 + 25:
            self.floor.begin(self._date)
            self._phase = "pre_open"
        for opens, name, phase in (
            (9 * 60 + 30, "morning", Phase.MORNING),
            (11 * 60 + 30, "lunch", Phase.LUNCH),
            (13 * 60, "afternoon", Phase.AFTERNOON),
        ):
            if minute == opens:
                self.floor.house(self.floor.many(Kind.SET_PHASE, ref=phase))
                self._phase = name
                if name == "morning":
                    self._stranger_sells()
        self.floor._time_ns = self.floor._midnight_ns + minute * MINUTE_NS
        if minute == 15 * 60:
            self._later.append(self.floor.end())
            self._phase = "posted"
        if minute == 15 * 60 + 10:
            self._date, self._minute = next_trading_day(self._date), 9 * 60 + 20
        return self.floor._midnight_ns + minute * MINUTE_NS, self._phase

    def codes(self) -> list[str]:
        return list(self.floor.codes)

    def quotes(self, date: int) -> list[Mapping[str, int]]:
        state = self.floor.exchange.state
        found = []
        for column in range(len(self.floor.codes)):
            row = state.instruments[column]
            names = ("reference", "lower_limit", "upper_limit", "last", "close")
            figures = {f"{name}_ticks": int(row[f"{name}_ticks"]) for name in names}
            bid, ask = (int(state.books[2 * column + side]["best_rank"]) for side in (0, 1))
            figures["bid_ticks"] = figures["upper_limit_ticks"] - bid if bid < state.width else 0
            figures["ask_ticks"] = figures["lower_limit_ticks"] + ask if ask < state.width else 0
            found.append(figures)
        return found

    def composite_ticks(self, date: int) -> int:
        return self.floor.composite_ticks()

    def standings(self, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        state = self.floor.exchange.state
        held = state.holdings[[*rows], : len(self.floor.codes)]
        names = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes")
        cash = state.accounts[[*rows]]
        money = [cash["cash_available_fen"], cash["cash_frozen_fen"]]
        return np.stack(money, axis=-1), np.stack([held[name] for name in names], axis=-1)

    def send(self, command: np.void) -> np.ndarray:
        self._breaks_after -= 1
        if self._breaks_after < 0:
            raise ConnectionError("the line broke")
        batch = np.zeros(1, command.dtype)
        batch[0] = command
        mine = []
        for event in self.floor.send(batch):
            for view in self._views(event):
                if view["kind"] == Event.TRADED and {*view[["account", "counterparty"]].item()} == {
                    self.stranger
                }:
                    continue  # the other's own view of the deal
                owns = int(command["account"]) in {int(view["account"]), int(view["counterparty"])}
                (mine if owns else self._later).append(view.reshape(1))
                if view["kind"] == Event.REFUSED:
                    self._refused["some"] = self._refused.get("some", 0) + 1
        return np.concatenate(mine)

    def _views(self, event: np.void) -> list[np.ndarray]:
        """A deal as its two owners are told of it."""
        if event["kind"] != Event.TRADED:
            return [np.array(event, EVENT)]
        views = []
        for hidden in (OTHER, OWN):
            view = np.array(event, EVENT)
            view[hidden[0]] = self.stranger
            for name in hidden[1:]:
                view[name] = 0
            views.append(view)
        return views

    def heard(self) -> np.ndarray:
        told, self._later = list(self._later), deque()
        events = [event for each in told for event in each.reshape(-1)]
        kept = [each for each in events if each["kind"] in {Event.TRADED, Event.LAPSED}]
        return np.array(kept, EVENT)

    def give(self, instrument: int, tonnes: np.ndarray) -> None:
        self.floor.give(self.floor.codes[instrument], tonnes)

    def take(self, instrument: int, tonnes: np.ndarray) -> None:
        all_of_them = np.zeros((len(tonnes), len(self.floor.codes)), np.int64)
        all_of_them[:, instrument] = tonnes
        self.floor.take_now(all_of_them)

    def refusals(self) -> Mapping[str, int]:
        return self._refused

    def close(self) -> None:
        return


def offline(scenario: Scenario, days: int) -> Run:
    season = Season(scenario, 1)
    for _, _ in zip(range(days), season.live(), strict=False):
        pass
    return run_of(season, 0.0)


def deals(run: Run | None, since: dt.date) -> pd.DataFrame:
    assert run is not None
    trades = run.trades[run.trades["date"] >= pd.Timestamp(since)]
    return trades[COMPARED].drop(columns="time").reset_index(drop=True)


def test_on_a_venue_that_answers_at_once_a_live_season_is_the_offline_one() -> None:
    scenario = busy()
    days = Season(scenario, 1).days
    venue = EngineVenue(scenario, days[0])
    played = play(scenario, 1, venue, Span(days=15))
    expected = deals(offline(scenario, 15), days[0])
    assert len(expected) > 20
    assert set(expected["modality"]) == {"listed", "bulk"}
    pd.testing.assert_frame_equal(deals(played.run, days[0]), expected)
    assert (played.figures["slots_missed"], played.figures["conserved"]) == (0, True)
    assert played.figures["trades_with_others"] == 0


def test_a_live_season_goes_on_from_where_the_offline_one_is_on_that_day() -> None:
    scenario = busy()
    days = Season(scenario, 1).days
    number = days.index(FIRST)
    later = dt.date(2023, 3, 6)  # the venue is in another year: its days are the season's
    venue = EngineVenue(scenario, later)
    played = play(scenario, 1, venue, Span(first=FIRST, days=5))
    whole = Season(scenario, 1)
    for _, _ in zip(range(number), whole.live(), strict=False):
        pass
    assert played.figures["first_day"] == "2021-12-13"
    assert played.run is not None
    assert set(played.run.quotes["date"].dt.date) == set(days[number : number + 5])
    assert played.figures["conserved"] is True
    assert played.figures["given_t"] >= whole.floor.holdings_t()[: whole.people.count].sum()


def test_deals_with_others_on_the_venue_count_and_add_up() -> None:
    scenario = busy()
    venue = EngineVenue(scenario, Season(scenario, 1).days[0], stranger_t=90_000)
    played = play(scenario, 1, venue, Span(days=4))
    assert played.figures["trades_with_others"] > 0
    assert played.figures["conserved"] is True
    assert played.run is not None
    foreign = played.run.trades[played.run.trades["seller"] == "X1"]
    assert len(foreign) == played.figures["trades_with_others"]
    assert not (played.run.trades["buyer"] == "X1").any()
    sold = int(foreign["qty_tonnes"].sum())
    assert played.run.holdings["tonnes"].sum() == played.figures["given_t"] + sold


def test_what_the_reports_do_not_explain_is_found() -> None:
    scenario = busy()
    days = Season(scenario, 1).days
    venue = EngineVenue(scenario, days[0])

    def meddle(day: int, of: int) -> None:
        if day == 2:  # somebody's tonnes and money come from nowhere
            venue.floor.exchange.state.holdings[3, 0]["available_tonnes"] += 7
            venue.floor.exchange.state.accounts[5]["cash_available_fen"] += 1

    played = play(scenario, 1, venue, Span(days=2), meddle)
    found = played.figures["disagreements"]
    assert played.figures["conserved"] is False
    assert len(found) == 2
    assert "t of CEA, not" in found[0]
    assert "fen, not" in found[1]


def test_a_venue_that_goes_away_leaves_what_was_done() -> None:
    scenario = busy()
    venue = EngineVenue(scenario, Season(scenario, 1).days[0])
    venue.break_after(40)
    played = play(scenario, 1, venue)
    assert played.stopped == "the line broke"
    assert 0 < played.figures["days"] < played.figures["days_asked"]
    assert played.figures["conserved"] is None
    assert played.run is not None
    assert len(played.run.orders) <= 40


@pytest.mark.parametrize(
    "override",
    [{"extras.matching": "price_time"}, {"extras.market_makers": 2}],
    ids=["matching", "makers"],
)
def test_what_only_the_house_does_is_refused(override: dict[str, object]) -> None:
    scenario = busy(**override)
    with pytest.raises(ValueError, match=next(iter(override))):
        play(scenario, 1, EngineVenue(scenario, scenario.first_day))


# over the wire

RUN = CliRunner()
SPEED = 1200.0  # a trading day in about thirteen seconds
SETTLED = (Phase.NEW, Phase.POSTED)


@asynccontextmanager
async def accelerated(folder: Path, first: dt.date) -> AsyncIterator[Running]:
    """A venue on fast days from ``first`` on; it is nobody's before people come."""

    def clock(venue: object) -> DemoClock:
        market = venue.exchange.state.market  # type: ignore[attr-defined]
        opens_ns = beijing_ns(first, DemoClock.OPENS_MINUTE)
        return DemoClock(opens_ns, SPEED, lambda: int(market[0]["phase"]) in SETTLED)

    options = Options(clock=clock, port=0, data_dir=folder)  # type: ignore[arg-type]
    async with running(options) as server:
        yield server


def asked(url: str, folder: Path, days: int, *more: str) -> list[str]:
    """The command that plays busy people on a venue."""
    sets = [word for key, value in BUSY.items() for word in ("--set", f"{key}={value}")]
    line = ["season", "2021", "--live", url.replace("http", "ws", 1), "--data", str(folder)]
    return [*line, "--entities", "30", "--days", str(days), *sets, *more]


async def said(arguments: list[str]) -> Result:
    return await asyncio.to_thread(RUN.invoke, app, arguments)


async def test_thirty_entities_play_three_days_over_the_wire(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with accelerated(tmp_path / "venue", dt.date(2021, 7, 15)) as server:
        result = await said(asked(server.url, tmp_path / "venue", 3, "--out", str(out)))
        assert result.exit_code == 0, result.output
        exchange = server.venue.exchange
        async with asyncio.timeout(20):
            while int(exchange.state.market[0]["phase"]) not in SETTLED:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        trades = int(exchange.state.market[0]["trade_base"] + exchange.state.market[0]["trades"])
        tonnes = sum(
            int(exchange.state.holdings[name].sum())
            for name in ("available_tonnes", "frozen_tonnes", "bought_today_tonnes")
        )
        assert await asyncio.to_thread(server.venue.registry.violations) == []
    figures = json.loads((out / "live.json").read_text())
    assert (figures["entities"], figures["days"], figures["stopped"]) == (30, 3, "")
    assert figures["conserved"] is True
    assert figures["slots_played"] >= 36, figures
    assert figures["volume_t"]["listed"] > 0, figures
    assert figures["volume_t"]["bulk"] >= 100_000, figures
    # the venue's own books say the same as the clients' summary
    assert (figures["trades"], figures["trades_with_others"]) == (trades, 0)
    assert figures["given_t"] == tonnes > 0
    kept = Run.load(out)
    assert len(kept.trades) == kept.counts["trades"] == trades
    assert len(kept.orders) == figures["orders"]
    assert kept.trades["qty_tonnes"].sum() == sum(figures["volume_t"].values())
    assert list(kept.quotes["date"].dt.date.unique()) == Season(busy(), 1).days[:3]


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A venue of its own process, as anybody would start it; killed at the end."""
    words = [
        "serve",
        "--clock",
        "demo",
        "--speed",
        str(SPEED),
        "--port",
        "0",
        "--data",
        str(folder),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "tanshi", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"ws://[\d.]+:\d+", process.stdout.readline())
        assert found is not None
        yield process, found.group()
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()


def test_a_venue_killed_in_the_middle_leaves_a_partial_run_and_exit_code_1(tmp_path: Path) -> None:
    out, folder = tmp_path / "run", tmp_path / "venue"
    with served(folder) as (process, url):
        command = asked(url, folder, 50, "--out", str(out))
        playing = subprocess.Popen(
            [sys.executable, "-m", "tanshi", *command],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert playing.stderr is not None
        lines = iter(playing.stderr)
        with playing, threading_timer(120, playing):
            assert next(lines).strip() == "day 1/50"
            process.send_signal(signal.SIGKILL)
            last = list(lines)[-1]
            code = playing.wait(60)
    assert code == 1
    assert "no venue answers at ws://" in last
    assert "of 50 days were played, what was done is in" in last
    figures = json.loads((out / "live.json").read_text())
    assert 1 <= figures["days"] < 50
    assert figures["stopped"]
    assert figures["conserved"] is None
    assert Run.load(out).counts["commands"] == figures["commands"]


@contextmanager
def threading_timer(seconds: float, process: subprocess.Popen[str]) -> Iterator[None]:
    """Nothing waits for ever for a process."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def test_nobody_there(tmp_path: Path) -> None:
    result = RUN.invoke(app, asked("ws://127.0.0.1:9", tmp_path, 1))
    assert result.exit_code == 2
    assert "no venue answers at ws://127.0.0.1:9" in result.output
    assert "Traceback" not in result.output


async def test_a_folder_that_is_not_the_venues_lets_nobody_in(tmp_path: Path) -> None:
    other = tmp_path / "other"
    opened = await said(["account", "somebody", "--data", str(other)])
    assert opened.exit_code == 0, opened.output
    async with accelerated(tmp_path / "venue", dt.date(2021, 7, 15)) as server:
        result = await said(asked(server.url, other, 1))
        nothing = await said(asked(server.url, tmp_path / "nothing", 1))
    assert result.exit_code == 2
    assert "bad_credentials" in result.output
    assert nothing.exit_code == 2
    assert "keeps books of allowances" in nothing.output
    assert not (tmp_path / "nothing").exists()
