"""How much the gateway benchmark plays, what it adds up, and how it tells."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.gateway_line import Stretch
from benchmarks.machine import ratio, spread

CASES = ("single", "batch100")
OWN_CORE = 0.85  # an echo that has its core to itself is busier than this
KINDS = ("listings", "mixed", "cancels", "echo")


@dataclass(frozen=True)
class Case:
    """A way to send. ``window``: orders in flight per connection; the echo plays a stretch's
    frames ``echoes`` times, so that both are timed for long enough."""

    name: str
    per_frame: int
    window: int
    stretches: int
    echoes: int


@dataclass(frozen=True)
class Size:
    """How much to measure. ``orders`` rest at once per connection, below open_orders_max."""

    connections: int = 50
    orders: int = 900
    rounds: int = 5
    roundtrips: int = 400
    syncs: int = 200
    cases: tuple[Case, ...] = (
        Case("single", per_frame=1, window=64, stretches=2, echoes=2),
        Case("batch100", per_frame=100, window=200, stretches=4, echoes=6),
    )


FULL = Size()
QUICK = Size(
    connections=4,
    orders=200,
    rounds=1,
    roundtrips=20,
    syncs=20,
    cases=(Case("single", 1, 64, 1, 1), Case("batch100", 100, 200, 1, 1)),
)


@dataclass
class Sum:
    """Orders and seconds of what was played of one kind in one round."""

    orders: int = 0
    seconds: float = 0.0
    client_cpu_s: float = 0.0
    server_cpu_s: float = 0.0

    def add(self, orders: int, stretch: Stretch, server_cpu_s: float) -> None:
        """Count one stretch."""
        self.orders += orders
        self.seconds += stretch.seconds
        self.client_cpu_s += stretch.client_cpu_s
        self.server_cpu_s += server_cpu_s

    @property
    def per_second(self) -> float:
        """Orders acknowledged per second."""
        return self.orders / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds of the server per order."""
        return self.server_cpu_s / self.orders * 1e6

    def figures(self) -> dict[str, float]:
        """Return the round's figures."""
        return {
            "orders_per_second": self.per_second,
            "server_cpu_us_per_order": self.cpu_us,
            "server_busy": self.server_cpu_s / self.seconds,
            "client_busy": self.client_cpu_s / self.seconds,
        }


Rounds = list[dict[str, dict[str, Sum]]]  # per round: case, kind


def figures_of(size: Size, rounds: Rounds) -> dict[str, Any]:
    """Return what the rounds came to: medians above, everything with its spread in ``detail``."""
    figures: dict[str, Any] = {"connections": size.connections}
    told: dict[str, Any] = {}
    detail: dict[str, Any] = {"rounds": size.rounds, "orders_at_rest": size.orders}
    for case in size.cases:
        played = [each[case.name] for each in rounds]
        cpu = [each["echo"].cpu_us / each["listings"].cpu_us for each in played]
        ratios = [each["listings"].per_second / each["echo"].per_second for each in played]
        by_kind = {kind: [each[kind].figures() for each in played] for kind in played[0]}
        figures[f"orders_per_second_{case.name}"] = statistics.median(
            each["listings"].per_second for each in played
        )
        figures[f"echo_ratio_{case.name}"] = statistics.median(ratios)
        told[f"echo_{case.name}"] = ratio(ratios)
        told[f"echo_cpu_{case.name}"] = ratio(cpu)
        detail[case.name] = {
            "per_frame": case.per_frame,
            "window": case.window,
            "echo_ratio": spread(ratios),
            "echo_cpu_ratio": spread(cpu),
            **{
                kind: {name: spread([row[name] for row in rows]) for name in rows[0]}
                for kind, rows in by_kind.items()
            },
        }
    return {"benchmark": "gateway", **figures, "ratios": told, "detail": detail}


def quantile(values: list[float], part: float) -> float:
    """Return the value below which ``part`` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as tables, with spread and what the client cost."""
    detail = figures["detail"]
    table = Table(title=f"{figures['connections']} connections, {detail['rounds']} rounds")
    heads = ("case", "orders/s", "least", "most", "CPU us", "server", "client")
    for head in heads:
        table.add_column(head, justify="left" if head == "case" else "right", no_wrap=True)
    for case in CASES:
        for kind in KINDS:
            row = detail[case][kind]
            speed = row["orders_per_second"]
            table.add_row(
                f"{case} {kind}",
                *(f"{speed[each]:,.0f}" for each in ("median", "min", "max")),
                f"{row['server_cpu_us_per_order']['median']:.2f}",
                *(f"{row[each]['median']:.0%}" for each in ("server_busy", "client_busy")),
            )
    console.print(table)
    console.print("CPU us: of the server, per order; server, client: how busy their cores were.")
    for case in CASES:
        ratio, cpu = detail[case]["echo_ratio"], detail[case]["echo_cpu_ratio"]
        console.print(
            f"{case}: {ratio['median']:.2f} of the echo ({ratio['min']:.2f} to {ratio['max']:.2f});"
            f" by CPU time {cpu['median']:.2f}"
        )
    if min(detail[case]["echo"]["server_busy"]["median"] for case in CASES) < OWN_CORE:
        console.print("The server did not have its core to itself: see the ratios by CPU time.")
    console.print(
        f"round trip p50 {figures['roundtrip_p50_us']:.0f} us, p99"
        f" {figures['roundtrip_p99_us']:.0f} us; sync p50 {figures['sync_p50_us']:.0f} us;"
        f" {detail['commands_in_journal']:,} commands in the journal, all answered once;"
        f" {detail['machine']['cpu']}"
    )
