"""What the command line asks of a venue: serve it, open an account, examine its data.

Every foreseeable problem comes back as a sentence, not as a traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from rich.console import Console

from gateway.bulletin_files import BulletinFiles
from gateway.clock import BeijingClock, Clock, ClockAheadError, DemoClock, beijing_day
from gateway.demo.funding import references
from gateway.demo.run import DemoOptions, addresses
from gateway.demo.run import run as run_demo
from gateway.doctor import Report
from gateway.doctor import examine as examine_data
from gateway.folders import CLOCK_FILE, books_url, folder_of, open_books
from gateway.journal.journal import JournalDamageError, JournalFormatError, JournalLockedError
from gateway.journal.quarantine import PoisonError
from gateway.keys import Key, Keys
from gateway.limits import limits_of
from gateway.logs import set_up as set_up_logs
from gateway.market import CEA, MARKETS
from gateway.moving import FIRST_DAY, LAST_DAY, manual_clock
from gateway.serve import Options, Running, running
from gateway.venue import Venue
from registry import accounts, instructions, listing
from registry.errors import RegistryError
from registry.monitoring.provinces import NAMES

STARTING_PROBLEMS = (
    ClockAheadError,
    JournalDamageError,
    JournalFormatError,
    JournalLockedError,
    OSError,
    PoisonError,
    RegistryError,
    TimeoutError,
)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user chose on the command line; None leaves a default alone."""

    clock: str  # beijing, demo or manual
    demo: bool
    host: str
    port: int
    data_dir: Path
    registry_url: str | None
    first_day: dt.date | None = None  # of a new venue
    speed: float | None = None
    entities: int | None = None
    orders_per_s: float | None = None
    markets: tuple[str, ...] = ("cea",)
    limits: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    tls: tuple[Path, Path] | None = None  # certificate, key
    log_format: str = "text"


def serve(choices: Choices, console: Console) -> str:
    """Serve until SIGINT or SIGTERM; return "" or why it did not start."""
    if choices.demo and choices.markets != (CEA.name,):
        return f"the demo trades on the market {CEA.name} only: leave out --market"
    if problem := no_first_day(choices):
        return problem
    if choices.demo and choices.tls:
        return "the demo's traders speak no TLS: leave out --tls"
    if no_folder(choices.data_dir):
        return f"the venue cannot start: {no_folder(choices.data_dir)}"
    try:
        limits_of(choices.limits)
        set_up_logs(choices.log_format)
    except ValueError as problem:
        return str(problem)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(choices, console))
    except STARTING_PROBLEMS as problem:
        return f"the venue cannot start: {problem}"
    return ""


def no_first_day(choices: Choices) -> str:
    """Return a sentence if a venue cannot begin on the day that was chosen, else ""."""
    if choices.first_day is None:
        return ""
    if choices.demo:
        return "the demo's traders hold vintages of today: leave out --from"
    if choices.clock == "beijing":
        return "Beijing time begins now: --from goes with --clock manual or --clock demo"
    if not FIRST_DAY <= choices.first_day <= LAST_DAY:
        return f"--from is a day from {FIRST_DAY} to {LAST_DAY}, not {choices.first_day}"
    return ""


def no_folder(data_dir: Path) -> str:
    """Return a sentence if a data directory cannot be one, else ""; a missing one can be made."""
    if data_dir.exists() and not data_dir.is_dir():
        return f"{data_dir} is a file, not a folder"
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
        return _clock(choices, venue)

    options = Options(
        clock=make_clock,
        host=choices.host,
        port=choices.port,
        data_dir=choices.data_dir,
        registry_url=choices.registry_url,
        references={} if choices.first_day else references(),  # of today, or the rulebook's
        markets=tuple(MARKETS[name] for name in dict.fromkeys(choices.markets)),
        limits=limits_of(choices.limits),
        origins=choices.origins,
        tls_certificate=choices.tls[0] if choices.tls else None,
        tls_key=choices.tls[1] if choices.tls else None,
    )
    async with running(options) as venue:
        keep_bulletins(venue)
        console.print(addresses(venue.url), markup=False, highlight=False, soft_wrap=True)
        await stopped.wait()


def _clock(choices: Choices, venue: Venue) -> Clock:
    """Make the venue's clock once it is known where its journal ends."""
    if choices.clock == "beijing":
        return BeijingClock(int(venue.exchange.state.market[0]["time_ns"]))
    if choices.clock == "manual":
        return manual_clock(venue, choices.first_day, choices.data_dir / CLOCK_FILE)
    today = choices.first_day or beijing_day(time.time_ns())
    speed = choices.speed or DemoClock.SPEED
    return DemoClock.continuing(venue.exchange, speed, today=lambda: today)


def keep_bulletins(serving: Running) -> None:
    """Write each day's bulletin of every market beside its journal."""
    for venue in serving.venues.values():
        files = BulletinFiles(venue.data_dir / "bulletins", venue.feed)
        files.catch_up()
        venue.listeners.append(files.listen)


def _demo_options(choices: Choices) -> DemoOptions:
    """Put the user's choices over the demo's defaults."""
    options = DemoOptions(
        data_dir=choices.data_dir,
        host=choices.host,
        port=choices.port,
        registry_url=choices.registry_url,
        limits=limits_of(choices.limits),
        origins=choices.origins,
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
    data_dir: Path,
    registry_url: str | None,
    name: str,
    cash: str,
    holdings: list[str],
    market: str | None = None,
) -> Key:
    """Open an account with money and allowances and make a key for it.

    ``market`` is one that is served from this data directory, None the first one.

    Raises:
        ValueError: an amount is no amount, the registry refuses, or the folder or its keys cannot
            be used; nothing was changed.
    """
    money, tonnes = _fen(cash), [_holding(text) for text in holdings]
    with _sentences(data_dir):
        folder = folder_of(data_dir, market, registry_url)
        keys = _keys(folder)
        url = books_url(folder, registry_url if folder == data_dir else None)
        with open_books(url, market) as registry, registry.database.write() as tx:
            (account,) = accounts.open_accounts(tx, [(name, name)])
            instructions.issue(tx, [(vintage, account, qty) for vintage, qty in tonnes])
            instructions.transfer_in(tx, [(account, vintage, qty) for vintage, qty in tonnes])
            if money:
                instructions.deposit(tx, [(account, money)])
        return keys.create(account)


def open_key(data_dir: Path, registry_url: str | None, name: str, market: str | None = None) -> Key:
    """Make a key for an account that is there, e.g. of an entity that came by table.

    Raises:
        ValueError: there is no such account, or the folder or its keys cannot be used; nothing
            was changed.
    """
    with _sentences(data_dir):
        folder = folder_of(data_dir, market, registry_url)
        keys = _keys(folder)
        url = books_url(folder, registry_url if folder == data_dir else None)
        with open_books(url, market) as registry, registry.database.read() as tx:
            account = listing.index_of(tx, name)
        return keys.create(account)


def open_office(
    data_dir: Path, role: str, name: str, market: str | None = None, province: str = ""
) -> Key:
    """Make a key for a person of an institution, see ``authority.OFFICE_ROLES``.

    ``market`` is one that is served from this data directory, None the first one; ``province``
    (GB/T 2260) goes with a provincial authority.

    Raises:
        ValueError: there is no such role or province, or the folder or its keys cannot be used;
            nothing was changed.
    """
    if province and province not in NAMES:
        raise ValueError(f"there is no province {province!r}; there are {', '.join(NAMES)}")
    with _sentences(data_dir):
        keys = _keys(folder_of(data_dir, market))
        return keys.create_office(role, name, province=province)


def _keys(folder: Path) -> Keys:
    """Read a market's keys, before anything is changed; the folder is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "keys.json"
    try:
        return Keys(path)
    except (KeyError, TypeError, json.JSONDecodeError) as damage:
        raise ValueError(f"{path} is no file of keys: {damage}") from damage


@contextlib.contextmanager
def _sentences(data_dir: Path) -> Iterator[None]:
    """Turn what the disk or the registry may say into a ValueError with a sentence."""
    if no_folder(data_dir):
        raise ValueError(no_folder(data_dir))
    try:
        yield
    except RegistryError as problem:
        raise ValueError(str(problem)) from problem
    except OSError as problem:
        raise ValueError(f"{data_dir} cannot be used: {problem}") from problem


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


def examine(data_dir: Path, registry_url: str | None) -> list[Report] | str:
    """Return the doctor's reports, one per market, or why there are none."""
    if no_folder(data_dir):
        return f"the doctor cannot read it: {no_folder(data_dir)}"
    try:
        return examine_data(data_dir, registry_url)
    except (JournalDamageError, JournalFormatError, OSError, RegistryError) as stop:
        return f"the doctor cannot read {data_dir}: {stop}"
