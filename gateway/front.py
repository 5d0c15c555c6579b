"""What the command line asks of a venue: serve it, open an account, examine its data.

Every foreseeable problem comes back as a sentence, not as a traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from rich.console import Console

from engine.exchange import Exchange
from gateway.bulletin_files import BulletinFiles
from gateway.clock import BeijingClock, Clock, ClockAheadError, DemoClock
from gateway.demo import references
from gateway.demo_run import DemoOptions, addresses
from gateway.demo_run import run as run_demo
from gateway.doctor import Report
from gateway.doctor import examine as examine_data
from gateway.journal import JournalDamageError, JournalFormatError, JournalLockedError
from gateway.keys import Key, Keys
from gateway.market import MARKETS
from gateway.serve import Options, Running, running
from gateway.venue import Venue
from registry.errors import RefusalError, StopError, UnavailableError
from registry.institution import Registry

STARTING_PROBLEMS = (
    ClockAheadError,
    JournalDamageError,
    JournalFormatError,
    JournalLockedError,
    OSError,
    RefusalError,
    StopError,
    TimeoutError,
    UnavailableError,
)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user chose on the command line; None leaves a default alone."""

    demo_clock: bool
    demo: bool
    host: str
    port: int
    data_dir: Path
    registry_url: str | None
    speed: float | None = None
    entities: int | None = None
    orders_per_s: float | None = None
    markets: tuple[str, ...] = ("cea",)


def serve(choices: Choices, console: Console) -> str:
    """Serve until SIGINT or SIGTERM; return "" or why it did not start."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(choices, console))
    except STARTING_PROBLEMS as problem:
        return f"the venue cannot start: {problem}"
    return ""


async def _serve(choices: Choices, console: Console) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if choices.demo:
        await run_demo(_demo_options(choices), stopped, console)
        return

    def make_clock(venue: Venue) -> Clock:
        return _clock(choices, venue.exchange)

    options = Options(
        clock=make_clock,
        host=choices.host,
        port=choices.port,
        data_dir=choices.data_dir,
        registry_url=choices.registry_url,
        references=references(),
        markets=tuple(MARKETS[name] for name in choices.markets),
    )
    async with running(options) as venue:
        _keep_bulletins(venue)
        console.print(addresses(venue.url), markup=False, highlight=False, soft_wrap=True)
        await stopped.wait()


def _clock(choices: Choices, exchange: Exchange) -> Clock:
    """Make the venue's clock once it is known where its journal ends."""
    if not choices.demo_clock:
        return BeijingClock(int(exchange.state.market[0]["time_ns"]))
    return DemoClock.continuing(exchange, choices.speed or DemoClock.SPEED)


def _keep_bulletins(venue: Running) -> None:
    """Write each day's bulletin beside the journal."""
    files = BulletinFiles(venue.venue.data_dir / "bulletins", venue.venue.feed)
    files.catch_up()
    venue.venue.listeners.append(files.listen)


def _demo_options(choices: Choices) -> DemoOptions:
    """Put the user's choices over the demo's defaults."""
    options = DemoOptions(
        data_dir=choices.data_dir,
        host=choices.host,
        port=choices.port,
        registry_url=choices.registry_url,
    )
    if choices.entities is not None:
        options = replace(options, entities=choices.entities)
    if choices.speed is not None:
        options = replace(options, speed=choices.speed)
    if choices.orders_per_s is not None:
        habits = replace(options.habits, orders_per_s=choices.orders_per_s)
        options = replace(options, habits=habits)
    return options


def open_account(
    data_dir: Path, registry_url: str | None, name: str, cash: str, holdings: list[str]
) -> Key:
    """Open an account with money and allowances and make a key for it.

    Raises:
        ValueError: an amount is no amount, or the registry refuses; nothing was changed.
    """
    money, tonnes = _fen(cash), [_holding(text) for text in holdings]
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    url = registry_url or f"sqlite:///{data_dir / 'registry.db'}"
    try:
        with Registry.open(url) as registry:
            account = registry.open_account(name, name)
            registry.issue_many([(vintage, account, qty) for vintage, qty in tonnes])
            registry.transfer_in_many([(account, vintage, qty) for vintage, qty in tonnes])
            if money:
                registry.deposit(account, money)
    except RefusalError as refused:
        raise ValueError(str(refused)) from refused
    return Keys(data_dir / "keys.json").create(account)


def open_office(data_dir: Path, role: str, name: str) -> Key:
    """Make a key for a person of an institution, see ``authority.OFFICE_ROLES``.

    Raises:
        ValueError: there is no such role; nothing was changed.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Keys(data_dir / "keys.json").create_office(role, name)


def _fen(yuan: str) -> int:
    """Read an amount of yuan exactly."""
    try:
        fen = Decimal(yuan) * 100
    except InvalidOperation:
        raise ValueError(f"{yuan!r} is no amount of yuan, e.g. 1000000.00") from None
    if fen < 0 or fen != fen.to_integral_value():
        raise ValueError(f"{yuan!r} is no amount of yuan, e.g. 1000000.00")
    return int(fen)


def _holding(text: str) -> tuple[str, int]:
    """Read VINTAGE=TONNES."""
    vintage, _, tonnes = text.partition("=")
    if not vintage or not tonnes.isdigit() or int(tonnes) < 1:
        raise ValueError(f"{text!r} is no holding, e.g. CEA25=10000")
    return vintage, int(tonnes)


def examine(data_dir: Path, registry_url: str | None) -> Report | str:
    """Return the doctor's report, or why there is none."""
    try:
        return examine_data(data_dir, registry_url)
    except (JournalDamageError, JournalFormatError, OSError, StopError, UnavailableError) as stop:
        return f"the doctor cannot read {data_dir}: {stop}"
