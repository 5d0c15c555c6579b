"""How many orders a second does the gateway acknowledge, durably, against a bare echo?

The venue of ``tanshi serve`` (all checks, funded accounts, every batch synced before it is
acknowledged) and an echo of the same frames on the same stack (benchmarks/echo_server.py) take
turns in one run: servers on one core, this client on the other, loopback, MessagePack.

Per stretch every connection lists up to ORDERS orders that rest within the day's band, half of the
accounts on each side; then it cancels them all, each cancel in turn with a new order (``mixed``),
and cancels these (``cancels``). The headline figures are of the listings. Nothing is refused, and
each order's own answer is checked after the stretch; at the end the journal is replayed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.gateway_figures import (
    FULL,
    KINDS,
    QUICK,
    Case,
    Rounds,
    Size,
    Sum,
    figures_of,
    quantile,
    show,
)
from benchmarks.gateway_line import (
    Answer,
    Expected,
    Line,
    WrongAnswerError,
    check,
    frames,
    play,
)
from benchmarks.gateway_servers import (
    Server,
    ServerError,
    cores,
    journal_folder,
    pinned,
    server,
    sync_seconds,
)
from benchmarks.machine import machine, peak_rss_mib
from engine.exchange import Exchange
from engine.invariants import violations
from gateway.doctor import batches
from gateway.keys import Key

Say = Callable[[str], None]
Message = dict[str, object]
Orders = list[list[Message]]  # per connection

QTY_MAX = 20
STACK = ("fastapi", "starlette", "uvicorn", "websockets", "msgspec")
__all__ = ["FULL", "PROBLEMS", "QUICK", "Size", "measure", "show"]
PROBLEMS = (WrongAnswerError, ServerError, OSError)


@dataclass
class Load:
    """Both servers, their connections, and the names of orders still to come."""

    venue: Server
    echo: Server
    lines: list[Line]
    echo_lines: list[Line]
    size: Size
    stretch_no: int = 0  # names orders: ids are unique per account and day
    sent: int = 0  # commands that the venue must have in its journal, beyond ``began``
    began: int = 0
    warmup_s: float = 0.0

    def tend(self) -> None:
        """Let no connection run into its ping's time-out while others are played."""
        for line in (*self.lines, *self.echo_lines):
            line.tend()

    def listings(self) -> Orders:
        """Return new orders for each connection: even accounts sell above, odd ones buy below."""
        self.stretch_no += 1
        told = self.venue.announced
        room = (
            told["reference_ticks"] - told["lower_limit_ticks"],
            told["upper_limit_ticks"] - told["reference_ticks"],
        )
        orders = []
        for account in range(self.size.connections):
            sells = account % 2 == 0
            reach, sign = (room[1], 1) if sells else (room[0], -1)
            orders.append(
                [
                    {
                        "type": "list",
                        "client_order_id": f"b{self.stretch_no}-{n}",
                        "instrument": told["instrument"],
                        "side": "sell" if sells else "buy",
                        "price_ticks": told["reference_ticks"]
                        + sign * (1 + (17 * n + 5 * account) % (reach - 1)),
                        "qty_tonnes": 1 + (n + account) % QTY_MAX,
                    }
                    for n in range(self.size.orders)
                ]
            )
        return orders


def cancels(resting: Sequence[Sequence[Answer]]) -> Orders:
    """Return a cancel for each order that was accepted."""
    return [
        [
            {
                "type": "cancel",
                "client_order_id": f"c{each.client_order_id}",
                "order_no": each.order_no,
            }
            for each in answers
        ]
        for answers in resting
    ]


def mixed(ending: Orders, new: Orders) -> Orders:
    """Return, per connection, a cancel and a new order in turn."""
    return [
        [message for pair in zip(*both, strict=True) for message in pair]
        for both in zip(ending, new, strict=True)
    ]


def _expected(orders: Orders, *, echo: bool) -> list[Expected]:
    answers = {"list": "accepted", "cancel": "accepted" if echo else "cancelled"}
    return [
        [(answers[str(each["type"])], str(each["client_order_id"])) for each in own]
        for own in orders
    ]


def play_venue(load: Load, case: Case, orders: Orders, total: Sum) -> list[list[Answer]]:
    """Play orders at the venue, check each answer and return them."""
    made = [frames(own, case.per_frame) for own in orders]
    count, cpu_s = sum(map(len, orders)), load.venue.cpu_s()
    stretch = play(load.lines, made, len(orders[0]), case.per_frame, case.window)
    total.add(count, stretch, load.venue.cpu_s() - cpu_s)
    check(stretch, _expected(orders, echo=False), sequenced=True)
    load.sent += count
    load.tend()
    return stretch.answers


def _play_echo(load: Load, case: Case, orders: Orders, total: Sum) -> None:
    made = [frames(own, case.per_frame) * case.echoes for own in orders]
    again = [own * case.echoes for own in orders]
    count, cpu_s = sum(map(len, again)), load.echo.cpu_s()
    stretch = play(load.echo_lines, made, len(again[0]), case.per_frame, case.window)
    total.add(count, stretch, load.echo.cpu_s() - cpu_s)
    check(stretch, _expected(again, echo=True), sequenced=True)


def _round(load: Load, case: Case) -> dict[str, Sum]:
    """Play one round of a case: venue and echo in turn, either first every other time."""
    sums = {kind: Sum() for kind in KINDS}
    for _ in range(case.stretches):
        first = load.listings()
        if load.stretch_no % 2:
            _play_echo(load, case, first, sums["echo"])
        resting = play_venue(load, case, first, sums["listings"])
        if load.stretch_no % 2 == 0:
            _play_echo(load, case, first, sums["echo"])
        both = mixed(cancels(resting), load.listings())
        answers = play_venue(load, case, both, sums["mixed"])
        play_venue(load, case, cancels([own[1::2] for own in answers]), sums["cancels"])
    return sums


def _roundtrips(load: Load, count: int) -> list[float]:
    """Return seconds from sending an order to reading that it is accepted, one after the other."""
    took, answers = [], []
    made = frames(load.listings()[0][:count], 1)
    line = load.lines[0]
    for frame in made:
        began = time.perf_counter()
        line.socket.sendall(frame)
        answers += line.answers(1)
        took.append(time.perf_counter() - began)
    wrong = [each for each in answers if each.type != "accepted"]
    if wrong:
        raise WrongAnswerError(f"{wrong[0]}")
    for cancel in cancels([answers])[0]:
        line.ask(cancel)
    load.sent += 2 * len(made)
    return took


def measure(size: Size = FULL, say: Say = print, data: Path | None = None) -> dict[str, Any]:
    """Run the benchmark; return its figures under the keys of ``tanshi bench gateway --json``.

    ``data``: a folder on the disk the journal shall be measured on; default: the temporary one.

    Raises:
        WrongAnswerError: an order was not answered exactly once as it should be.
        ServerError: a server did not start.
    """
    server_core, client_core = cores()
    core = [] if server_core is None else [server_core]
    with journal_folder(data) as folder, pinned(client_core):
        with (
            server("benchmarks.gateway_server", folder, size.connections, *core) as venue,
            server("benchmarks.echo_server", *core) as echo,
        ):
            load = _connected(venue, echo, size)
            _warm_up(load)
            rounds, roundtrips, syncs = _rounds(load, folder, say)
            last = load.lines[0].ask({"type": "ping"}).seq
            memory_mib = peak_rss_mib(venue.process.pid)
            for line in (*load.lines, *load.echo_lines):
                line.close()
        _hold_against_journal(load, last, folder)
    figures = figures_of(size, rounds)
    figures["roundtrip_p50_us"], figures["roundtrip_p99_us"] = (
        quantile(roundtrips, part) * 1e6 for part in (0.5, 0.99)
    )
    figures["sync_p50_us"] = quantile(syncs, 0.5) * 1e6
    named = machine() | {each: version(each) for each in STACK}
    figures["detail"] |= {
        "commands_in_journal": last,
        "server_core": server_core,
        "client_core": client_core,
        "machine": named,
    }
    return figures | {
        "series": [],
        "warmup_s": load.warmup_s,
        "runs": size.rounds,
        "core": server_core,
        "peak_rss_mib": memory_mib,
        "machine": named,
    }


def _warm_up(load: Load) -> None:
    """Play each case once; no time of it counts."""
    began = time.perf_counter()
    for case in load.size.cases:
        _round(load, replace(case, stretches=1, echoes=1))
    load.warmup_s = time.perf_counter() - began


def connected_lines(venue: Server) -> list[Line]:
    """Return a connection for each key that the venue has announced, logged in."""
    keys = [Key(*(*row[:3], tuple(row[3]), *row[4:])) for row in venue.announced["keys"]]
    return [Line(venue.port, key) for key in keys]


def _connected(venue: Server, echo: Server, size: Size) -> Load:
    if size.orders >= venue.announced["open_orders_max"]:
        raise ValueError(f"{size.orders} orders at once pass the limit of open orders")
    lines = connected_lines(venue)
    load = Load(venue, echo, lines, [Line(echo.port, None) for _ in lines], size)
    load.began = load.lines[0].ask({"type": "ping"}).seq
    return load


def _rounds(load: Load, folder: Path, say: Say) -> tuple[Rounds, list[float], list[float]]:
    rounds: Rounds = []
    roundtrips: list[float] = []
    syncs: list[float] = []
    size = load.size
    for number in range(size.rounds):
        done = {}
        for case in size.cases:
            done[case.name] = sums = _round(load, case)
            ours, theirs = sums["listings"], sums["echo"]
            say(
                f"round {number + 1}/{size.rounds} {case.name}: {ours.per_second:,.0f} orders/s,"
                f" echo {theirs.per_second:,.0f}, ratio {ours.per_second / theirs.per_second:.2f};"
                f" client busy {ours.client_cpu_s / ours.seconds:.0%}"
                f" and {theirs.client_cpu_s / theirs.seconds:.0%}"
            )
        rounds.append(done)
        syncs += sync_seconds(folder, size.syncs)
        roundtrips += _roundtrips(load, size.roundtrips)
    return rounds, roundtrips, syncs


def _hold_against_journal(load: Load, last: int, folder: Path) -> None:
    """Every order that was answered is in the journal, once, and the venue's books add up."""
    if last != load.began + load.sent:
        raise WrongAnswerError(f"seq {last} after {load.began} and {load.sent} commands")
    exchange, count = Exchange(), 0
    for batch in batches(folder / "journal"):
        exchange.apply(batch)
        count += len(batch)
    findings = violations(exchange.state)
    if count != last or findings:
        raise WrongAnswerError(f"the journal holds {count} commands, not {last}; {findings}")
