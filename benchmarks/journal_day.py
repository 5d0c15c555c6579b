"""A busy morning as a journal: what the questions about the journal and about starting again read.

The opening (rules, two instruments, accounts with money and tonnes, the first phases) is followed
by the price-time stream and the listed stream of benchmarks/flow.py, turn by turn, each about an
instrument of its own, spread over the morning session. Every order has a client order id, as all
orders of a venue have.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.flow import ACCOUNTS, REFERENCE_TICKS, Stream, listed, price_time
from benchmarks.matching import CASH_FEN, DAY, TONNES
from engine.exchange import Exchange
from engine.records import COMMAND, Event, Kind, Mode, Phase, commands
from engine.rulebook import Rulebook, parameter_commands
from engine.state import Array
from gateway.daycycle import nanoseconds
from gateway.journal.journal import Journal, Mark
from gateway.journal.memory import remember
from gateway.journal.reading import Reading
from gateway.journal.snapshots import Snapshot
from gateway.keys import Keys
from gateway.market import CEA
from gateway.venue import Venue
from registry.institution import Registry

BATCH = 1_000  # commands per sync while the journal is written
MORNING = dt.datetime.combine(DAY, dt.time(9, 30))
NEXT_DAY = DAY + dt.timedelta(days=1)
MORNING_NS = 2 * 3_600 * 10**9
NUMBERED = np.isin(np.arange(128), (Kind.ADD, Kind.LIST, Kind.TAKE))  # these become orders


@dataclass(frozen=True)
class Morning:
    """Commands as a journal holds them, and what an exchange came to that was given them.

    commands: shape (n,), dtype COMMAND, seq from 1. ``opening``: so many of them come before the
    first order. ``digest``, ``events`` and ``trades`` (of the day) are the first exchange's.
    """

    commands: Array
    opening: int
    digest: str
    events: int
    trades: int


def morning(count: int, seed: int, accounts: int = ACCOUNTS) -> Morning:
    """Make a morning of ``count`` commands about orders, half of each stream."""
    opening = _opening(accounts)
    rows = np.concatenate((opening, _merged(count, seed, accounts)))
    rows["seq"] = np.arange(1, len(rows) + 1)
    start = nanoseconds(MORNING)
    rows["time_ns"][: len(opening)] = start
    rows["time_ns"][len(opening) :] = start + np.arange(1, count + 1) * (MORNING_NS // (count + 1))
    exchange, events = Exchange(), 0
    for batch in in_batches(rows, BATCH):
        told = exchange.apply(batch)
        early = told["seq"] <= len(opening)
        assert not (told["kind"][early] == Event.REFUSED).any(), "nothing of the opening is refused"
        events += len(told)
    return Morning(rows, len(opening), exchange.digest(), events, len(exchange.trades_today()))


def in_batches(rows: Array, size: int) -> list[Array]:
    """Cut rows into batches of ``size``."""
    return [rows[at : at + size] for at in range(0, len(rows), size)]


def write(folder: Path, rows: Array, batch: int = BATCH) -> None:
    """Write a venue's journal of these commands, sealed; ``batch`` of them under each sync.

    Raises:
        JournalLockedError, JournalWriteError: see gateway/journal/journal.py.
    """
    journal = Journal(folder / "journal")
    try:
        for _ in journal.replay():
            raise AssertionError("the folder holds a journal already")
        for part in in_batches(rows, batch):
            journal.append(part.tobytes(), int(part["seq"][0]))
    finally:
        journal.close()


def furnish(folder: Path, accounts: int = ACCOUNTS) -> None:
    """Give a venue's folder what else a start reads: the registry's books and the keys."""
    folder.mkdir(parents=True, exist_ok=True)
    with Registry.open(f"sqlite:///{folder / 'registry.db'}") as registry:
        registry.open_accounts([(f"L{n:04d}", f"Load {n}") for n in range(accounts)])
    Keys(folder / "keys.json", CEA.name).create_many([(n, f"load-{n}") for n in range(accounts)])


def _opening(accounts: int) -> Array:
    """Rules, instruments, funded accounts, and the phases up to the morning session."""
    exchange = Exchange(accounts)
    parts = [parameter_commands(Rulebook.on(DAY), exchange.state.rules, exchange.state.instruments)]
    for row, (code, mode) in enumerate((("CEA24", Mode.PRICE_TIME), ("CEA25", Mode.LISTED))):
        admit = commands(1)
        admit["kind"], admit["instrument"], admit["mode"] = Kind.ADMIT_INSTRUMENT, row, mode
        admit["price_ticks"], admit["client_order_id"] = REFERENCE_TICKS, code
        parts.append(admit)
    for kind, instrument, field, value in (
        (Kind.OPEN_ACCOUNT, -1, "amount", 0),
        (Kind.CASH_IN, -1, "amount", CASH_FEN),
        (Kind.TRANSFER_IN, 0, "qty_tonnes", TONNES),
        (Kind.TRANSFER_IN, 1, "qty_tonnes", TONNES),
    ):
        batch = commands(accounts)
        batch["kind"], batch["account"] = kind, np.arange(accounts)
        batch["instrument"], batch[field] = instrument, value
        parts.append(batch)
    start = commands(2)
    start["kind"] = (Kind.BEGIN_DAY, Kind.SET_PHASE)
    start["ref"] = (int(DAY.strftime("%Y%m%d")), Phase.MORNING)
    return np.concatenate((*parts, start))


def _merged(count: int, seed: int, accounts: int) -> Array:
    """The two streams turn by turn, orders numbered as one exchange will number them."""
    streams = (price_time(count - count // 2, seed, accounts), listed(count // 2, seed, accounts))
    rows = np.zeros(count, COMMAND)
    for turn, stream in enumerate(streams):
        rows[turn::2] = stream.commands
        rows["instrument"][turn::2] = turn
    numbers = np.cumsum(NUMBERED[rows["kind"]])
    for turn, stream in enumerate(streams):
        rows["ref"][turn::2] = _renumbered(stream, numbers[turn::2])
    rows["operator"] = rows["account"] + 1
    rows["client_order_id"] = np.char.add(b"o", np.arange(1, count + 1).astype("S11"))
    return rows


def _renumbered(stream: Stream, numbers: Array) -> Array:
    """Return what a stream's commands refer to, in numbers of the merged stream."""
    own = np.concatenate(([0], numbers[NUMBERED[stream.commands["kind"]]]))
    refs: Array = own[stream.commands["ref"]]
    return refs


def day_after(
    folder: Path, before: Morning, count: int, seed: int, accounts: int = ACCOUNTS
) -> Morning:
    """End a written morning's day, take the snapshot a venue takes, and begin another day.

    Returns what the journal holds then, both days. The next day has ``count`` commands of its own.
    """
    _append(folder, _closing(before))
    venue = Venue.recover(folder)
    mark = Mark(venue.journal.last_seq, venue.journal.chain)
    memory = remember(venue.feed, venue.oversight.caught_up())
    venue.snapshots.keep(Snapshot(mark, venue.exchange.state.copy(), memory))
    venue.journal.archive(venue.snapshots.oldest_seq())
    exchange = venue.exchange.fork()
    venue.journal.close()
    venue.registry.close()
    venue.history.close()
    rows = _next_day(exchange, count, seed, accounts)
    _append(folder, rows)
    events = exchange.apply(rows)
    trades = len(exchange.trades_today())
    assert trades, "the next day has begun and trades"
    everything = [stretch.commands for stretch in Reading(folder / "journal")]
    told = before.events + len(events)
    return Morning(np.concatenate(everything), before.opening, exchange.digest(), told, trades)


def _closing(before: Morning) -> Array:
    """Close the day and settle it: phases, close, confirmed, posted."""
    kinds = (
        (Kind.SET_PHASE, Phase.LUNCH),
        (Kind.SET_PHASE, Phase.AFTERNOON),
        (Kind.CLOSE_DAY, 0),
        (Kind.CONFIRM_DAY, 0),
        (Kind.POST_DAY, 0),
    )
    rows = commands(len(kinds))
    rows["kind"], rows["ref"] = zip(*kinds, strict=True)
    rows["amount"][rows["kind"] == Kind.CONFIRM_DAY] = before.trades
    rows["seq"] = before.commands["seq"][-1] + np.arange(1, len(rows) + 1)
    rows["time_ns"] = before.commands["time_ns"][-1]
    return rows


def _next_day(exchange: Exchange, count: int, seed: int, accounts: int) -> Array:
    """The phases up to the next morning session, and orders."""
    start = commands(2)
    start["kind"] = (Kind.BEGIN_DAY, Kind.SET_PHASE)
    start["ref"] = (int(NEXT_DAY.strftime("%Y%m%d")), Phase.MORNING)
    orders = _merged(count, seed, accounts)
    base = int(exchange.state.market[0]["order_base"]) + int(exchange.state.market[0]["orders"])
    orders["ref"] += np.where(orders["ref"] > 0, base - 1, 0)
    rows = np.concatenate((start, orders))
    rows["seq"] = exchange.seq + np.arange(1, len(rows) + 1)
    rows["time_ns"] = nanoseconds(MORNING + dt.timedelta(days=1))
    return rows


def _append(folder: Path, rows: Array) -> None:
    journal = Journal(folder / "journal")
    try:
        for _ in journal.replay():
            pass
        for part in in_batches(rows, BATCH):
            journal.append(part.tobytes(), int(part["seq"][0]))
    finally:
        journal.close()
