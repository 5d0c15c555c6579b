"""The demo as one thing: a venue on its own fast days, funded, traded on, shown in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from rich.console import Console

from gateway.bulletin_files import BulletinFiles
from gateway.clock import Clock, DemoClock
from gateway.demo import (
    ENTITIES,
    HOUSES,
    TRADERS,
    fund,
    houses,
    population,
    references,
    traders,
)
from gateway.demo_houses import PAUSE_S, DemoHouses
from gateway.demo_operator import DemoOperator
from gateway.demo_traders import DemoTraders, Habits
from gateway.keys import Key
from gateway.limits import Limits
from gateway.live_state import Watcher
from gateway.live_view import fits, render_svg, show, tell
from gateway.sequencer import Clock as SequencerClock
from gateway.serve import Options, Running, running
from gateway.venue import Venue

if sys.platform != "win32":
    import termios
    import tty

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What the demo is like: ``port`` 0 takes a free one, no entities or orders_per_s: no crowd."""

    data_dir: Path = Path("var/demo")
    host: str = "127.0.0.1"
    port: int = 8000
    registry_url: str | None = None
    entities: int = ENTITIES
    speed: float = DemoClock.SPEED
    habits: Habits = field(default_factory=Habits)
    house_pause_s: float = PAUSE_S  # mean time between two steps of a house
    limits: Limits = field(default_factory=Limits)
    origins: tuple[str, ...] = ()


class VenueCounters:
    """The gateway's counters as the live view wants them."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    @property
    def sessions(self) -> int:
        """Connections that are logged in."""
        return sum(len(sessions) for sessions in self._venue.desk.sessions.values())

    @property
    def subscribers(self) -> int:
        """Connections that read market data."""
        return len(self._venue.publisher.subscribers)

    @property
    def commands(self) -> int:
        """Commands in the journal."""
        return self._venue.exchange.seq

    @property
    def orders(self) -> int:
        """Orders accepted today; row 0 of the engine's orders is nobody."""
        return int(self._venue.exchange.state.market[0]["orders"]) - 1

    @property
    def trades(self) -> int:
        """Trades made today."""
        return int(self._venue.exchange.state.market[0]["trades"])

    @property
    def held(self) -> str:
        """Why the next day cannot open; "" if it can."""
        return self._venue.held


@dataclass(frozen=True)
class Demo:
    """A demo that runs: ``keys`` are those for people, ``crowd`` and ``houses`` trade by demo."""

    running: Running
    clock: Clock
    keys: Sequence[Key]
    crowd: DemoTraders
    houses: DemoHouses
    watcher: Watcher

    @property
    def venue(self) -> Venue:
        """The venue."""
        return self.running.venue


def introduction(url: str, keys: Sequence[Key], keys_file: Path) -> list[str]:
    """Return the lines that tell a visitor where to go and how to log in."""
    return [
        addresses(url),
        f"log in with one of these keys (id, secret); all keys are in {keys_file}",
        *(f"  {key.key_id}  {key.secret}" for key in keys),
    ]


def addresses(url: str) -> str:
    """Return where the page, REST, order entry and market data are, in one line."""
    line = url.replace("http", "ws", 1)
    return f"{url} (page, /docs) · {line}/ws/trade · {line}/ws/md"


@contextlib.asynccontextmanager
async def demo(options: DemoOptions) -> AsyncIterator[Demo]:
    """Start the venue, fund it, let the crowd trade; all of it ends with the block.

    Raises:
        as ``gateway.serve.running``; TimeoutError if the first day does not begin.
    """
    clocks: list[DemoClock] = []

    def make_clock(venue: Venue) -> SequencerClock:
        clocks.append(DemoClock.continuing(venue.exchange, options.speed))
        return clocks[0]

    serving = Options(
        clock=make_clock,
        host=options.host,
        port=options.port,
        data_dir=options.data_dir,
        registry_url=options.registry_url,
        references=references(),
        limits=options.limits,
        origins=options.origins,
    )
    async with running(serving) as venue:
        files = BulletinFiles(options.data_dir / "bulletins", venue.venue.feed)
        files.catch_up()
        venue.venue.listeners.append(files.listen)
        everybody = [*traders(), *houses(), *population(options.entities)]
        keys = await fund(venue.venue, everybody)
        people, large = keys[:TRADERS], keys[TRADERS : TRADERS + HOUSES]
        crowd = DemoTraders(venue.url, keys[TRADERS + HOUSES :], options.habits)
        groups = DemoHouses(venue.url, large, options.habits.seed, options.house_pause_s)
        first = people[0]
        footer = [
            addresses(venue.url),
            f"log in: {first.key_id} {first.secret}",
            f"more keys: {venue.venue.keys.path}",
        ]
        watcher = Watcher(
            venue.venue.feed,
            VenueCounters(venue.venue),
            clocks[0].now_ns,
            clocks[0].label,
            footer,
            options.habits.favourite,
        )
        operator = DemoOperator(venue.venue, clocks[0].now_ns)
        quiet = options.habits.orders_per_s <= 0 or options.entities == 0
        async with _working(operator, *(() if quiet else (crowd, groups))):
            yield Demo(venue, clocks[0], people, crowd, groups, watcher)


class Worker(Protocol):
    """Somebody of the demo."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...


@contextlib.asynccontextmanager
async def _working(*workers: Worker) -> AsyncIterator[None]:
    """Let them work beside the block, and stop with it."""
    tasks = [asyncio.create_task(_work(each.run())) for each in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _work(work: Coroutine[object, object, None]) -> None:
    """Let somebody of the demo work; should one ever fall over, the venue goes on without."""
    try:
        await work
    except Exception:
        logger.exception("a part of the demo has stopped; the venue goes on")


async def run(options: DemoOptions, stop: asyncio.Event, console: Console | None = None) -> None:
    """Run the demo and show it until ``stop`` is set: a picture on a terminal, else lines."""
    screen = console or Console()
    async with demo(options) as one:
        lines = introduction(one.running.url, one.keys, one.venue.keys.path)
        screen.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        with contextlib.ExitStack() as stack:
            if fits(screen):
                stack.enter_context(keyboard(one.watcher.select))
                showing = asyncio.create_task(show(one.watcher, screen))
            else:
                showing = asyncio.create_task(tell(one.watcher, one.venue.feed, screen))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({showing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (showing, stopping):
                task.cancel()
            await asyncio.gather(showing, stopping, return_exceptions=True)
            failed = None if showing.cancelled() else showing.exception()
        screen.print("stopping; the next start goes on from here", highlight=False)
    if failed is not None:
        raise failed


@contextlib.contextmanager
def keyboard(pressed: Callable[[str], None]) -> Iterator[None]:
    """Hand each key typed on the terminal to ``pressed``; Ctrl-C keeps its meaning."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()
    tty.setcbreak(descriptor)

    def read() -> None:
        typed = os.read(descriptor, 64)
        if not typed:
            loop.remove_reader(descriptor)
        for key in typed.decode(errors="replace"):
            pressed(key)

    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def paint(seconds: float, options: DemoOptions) -> str:
    """Run a demo for a while and return its screen as an SVG image, without anybody's secret."""
    async with demo(options) as one:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(seconds - 2.0, 0.0))
        one.watcher.view(clock())
        await asyncio.sleep(2.0)
        view = replace(one.watcher.view(clock()), footer=(addresses("http://127.0.0.1:8000"),))
    return render_svg(view)


def main() -> None:
    """``python -m gateway.demo_run FILE.svg [SECONDS]``: paint a demo that really runs."""
    file, seconds = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    with tempfile.TemporaryDirectory() as folder:
        image = asyncio.run(paint(seconds, DemoOptions(data_dir=Path(folder), port=0)))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(image, encoding="utf-8")


if __name__ == "__main__":
    main()
