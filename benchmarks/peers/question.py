"""How far ahead of the published Python order books is our engine, on the same messages?

Each book plays in a process of its own, pinned to one core, one at a time: yardstick, engine in
batches, engine with a command a call, then the peers, run by run; ratios are taken inside a run.
The peers only match. Ours also checks, freezes, books and reports, for 3,500 accounts.

Before a time counts, a book must have told the yardstick's trades, volume and checksum (sum of
maker's number x quantity), best prices and resting orders after each part of the stream. One that
reports no trades is held to the rest. One that differs is shown with the figures, and not timed.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.flow import ACCOUNTS, price_time
from benchmarks.machine import machine, peak_rss_mib, ratio, spread
from benchmarks.peers import player
from benchmarks.peers.entry import Entry
from benchmarks.peers.process import Player, PlayerError
from benchmarks.peers.roster import OWN, PEERS, Peer
from benchmarks.peers.streams import part, requeued
from benchmarks.peers.table import show

__all__ = ["FULL", "PROBLEMS", "QUICK", "Size", "measure", "show"]

TIMES_ASKED = 5.0  # a published peer is to be that many times slower than the engine
LEAST_S = 0.05  # a run of a short stream is repeated until it took that long

Say = Callable[[str], None]
Figures = dict[str, Any]

PROBLEMS = (PlayerError,)  # of our own books; a peer's own failure is a row of the table


@dataclass(frozen=True)
class Size:
    """How many messages the peers are given: two of them need too long for a million.

    ``parts``: so often the books are compared while they play.
    """

    messages: int = 1_000_000
    messages_slow: int = 200_000
    messages_slowest: int = 5_000
    parts: int = 10
    runs: int = 5
    seed: int = 1


FULL = Size()
QUICK = Size(messages=10_000, messages_slow=10_000, messages_slowest=1_000, parts=4, runs=2)


@dataclass(frozen=True)
class Round:
    """The peers that play one stream beside our own books."""

    in_place: bool
    messages: int
    peers: tuple[Peer, ...]
    folder: Path

    @property
    def title(self) -> str:
        """Say which stream it is."""
        how = "reduced in place" if self.in_place else "reduced by cancel and new order"
        return f"{self.messages:,} messages, {how}"


def measure(size: Size, say: Say, peers: Sequence[Peer] = PEERS) -> Figures:
    """Play all rounds; return the figures of ``tanshi bench peers``.

    Raises:
        AssertionError: our engine and the yardstick disagree.
        PlayerError: one of our own books cannot be played.
    """
    present = [peer for peer in peers if peer.version() is not None]
    absent = [peer for peer in peers if peer.version() is None]
    rows = [_row(peer, "not installed") for peer in absent]
    for row in rows:
        say(f"{row['peer']} is {row['reason']}")
    with tempfile.TemporaryDirectory() as folder:
        to_play = rounds(size, present, Path(folder), say)
        played = [_play(one, size, say) for one in to_play]
    rows = [row for one in played for row in one["peers"]] + rows
    counted = [row for row in rows if row["state"] == "measured"]
    least = min((row["engine_over_peer"]["median"] for row in counted), default=None)
    return {
        "benchmark": "peers",
        "engine_over_peer_least": least,
        "times_asked": TIMES_ASKED,
        **{f"{row['peer']}_x_yardstick": row["x_yardstick"]["median"] for row in counted},
        "ratios": {f"engine_over_{row['peer']}": row["times"] for row in counted},
        "series": [],
        "peers": rows,
        "rounds": [one["own"] for one in played],
        "versions": {row["package"]: row["version"] for row in rows},
        "accounts": ACCOUNTS,
        "warmup_s": sum(one["warmup_s"] for one in played),
        "runs": size.runs,
        "seed": size.seed,
        "core": next((one["core"] for one in played), None),
        "peak_rss_mib": max([peak_rss_mib(), *(one["peak_rss_mib"] for one in played)]),
        "machine": machine(),
    }


def _row(peer: Peer, state: str, **more: object) -> Figures:
    """Return what is known of a peer before it plays.

    state: "measured", "differs", "failed" or "not installed".
    """
    if state == "not installed":
        more["reason"] = f"not installed: pip install 'tanshi[{peer.extra}]'"
    known = {"peer": peer.name, "package": peer.package, "version": peer.version()}
    return {**known, "state": state, "in_place": peer.in_place, **more}


def rounds(size: Size, peers: Sequence[Peer], folder: Path, say: Say) -> list[Round]:
    """Write a stream for each way of reducing and each count of messages; return who plays it."""
    together: dict[tuple[bool, int], list[Peer]] = {}
    for peer in peers:
        together.setdefault((peer.in_place, getattr(size, peer.count)), []).append(peer)
    found = []
    for in_place in (True, False):
        counts = [count for way, count in together if way == in_place]
        if not counts:
            continue
        say(f"making {max(counts):,} messages …")
        stream, fallen = price_time(max(counts), size.seed), 0
        if not in_place:
            stream, fallen = requeued(stream)
            say(f"{fallen} messages fell away: their orders had ended under these rules")
        for count in sorted(counts, reverse=True):
            at = folder / f"{'in_place' if in_place else 'requeued'}-{count}"
            player.save(at, part(stream, 0, count))
            found.append(Round(in_place, count, tuple(together[in_place, count]), at))
    return found


def _play(one: Round, size: Size, say: Say) -> Figures:
    """Check and time the books of a round; return the figures of its own books and its peers."""
    adapters = OWN | {peer.name: peer.adapter for peer in one.peers}
    with ExitStack() as until_the_end:
        entries: dict[str, Entry] = {}
        for name, adapter in adapters.items():
            say(f"{one.title}: {name} is compared with the yardstick")
            entry = entries[name] = Entry(
                name, until_the_end.enter_context(Player(adapter, one.folder))
            )
            entry.prepare(size.parts)
            entry.compare(entries["yardstick"])
        _own_books_count(entries)
        for run in range(size.runs):
            for entry in entries.values():
                entry.play(LEAST_S, entries["yardstick"])
            _own_books_count(entries)
            say(f"{one.title}: run {run + 1}/{size.runs}, " + _times_of(entries))
    own: Figures = {"title": one.title, "in_place": one.in_place, "messages": one.messages}
    own |= {name: _speed(entries[name], entries, one.messages) for name in OWN}
    own["told"] = asdict(entries["yardstick"].told[-1])
    rows = []
    for peer in one.peers:
        entry = entries[peer.name]
        row = _row(peer, entry.state, reason=entry.reason, round=one.title, messages=one.messages)
        row |= {"told": asdict(entry.told[-1])} if entry.told else {}
        rows.append(row | _speed(entry, entries, one.messages))
    warmed = [entry.warmed for entry in entries.values() if entry.warmed]
    return {
        "own": own,
        "peers": rows,
        "warmup_s": sum(found["warmup_s"] for found in warmed),
        "peak_rss_mib": max(found["peak_rss_mib"] for found in warmed),
        "core": entries["yardstick"].player.core,
    }


def _own_books_count(entries: Mapping[str, Entry]) -> None:
    """Stop where one of our own books fails or differs: then no figure of the round counts."""
    for name in OWN:
        if entries[name].state == "failed":
            raise PlayerError(f"{name}: {entries[name].reason}")
        assert entries[name].state == "measured", f"{name} differs: {entries[name].reason}"


def _times_of(entries: Mapping[str, Entry]) -> str:
    """Tell the seconds of the last run."""
    timed = [entry for entry in entries.values() if entry.state == "measured"]
    return ", ".join(f"{entry.name} {entry.seconds[-1]:.4g} s" for entry in timed)


def _speed(entry: Entry, entries: Mapping[str, Entry], messages: int) -> Figures:
    """Return warm-up and memory, and where its times count, what they say run by run."""
    if entry.state != "measured":
        return dict(entry.warmed)

    def slower_than(name: str) -> list[float]:
        pairs = zip(entry.seconds, entries[name].seconds, strict=True)
        return [own / other for own, other in pairs]

    over_engine, over_calls = slower_than("engine"), slower_than("engine_calls")
    return {
        **entry.warmed,
        "plays": entry.plays,
        "ns_per_message": statistics.median(entry.seconds) / messages * 1e9,
        "ns_per_message_best": min(entry.seconds) / messages * 1e9,
        "x_yardstick": spread([1 / times for times in slower_than("yardstick")]),
        "engine_over_peer": spread(over_engine),
        "engine_calls_over_peer": spread(over_calls),
        "times": ratio(over_engine),
    }
