"""The answer of ``tanshi bench peers`` in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

OWN_NAMES = {
    "yardstick": "yardstick (plain Python book)",
    "engine": "tanshi, in batches",
    "engine_calls": "tanshi, one command a call",
}


def show(figures: Mapping[str, Any], console: Console) -> None:
    """Show a table for each stream, then what could not be measured, then the answer."""
    for own in figures["rounds"]:
        console.print(_table(own, [row for row in figures["peers"] if _of(row, own)], figures))
    for row in figures["peers"]:
        if row["state"] != "measured":
            told = row["reason"]
            said = told if row["state"] == "not installed" else f"{row['state']}: {told}"
            console.print(f"{_name(row)} {said}", style="yellow", markup=False, highlight=False)
    least, asked = figures["engine_over_peer_least"], figures["times_asked"]
    if least is None:
        console.print("no peer could be measured")
    else:
        console.print(
            f"every peer measured takes at least {least:.1f} times the engine's time"
            f" ({asked:.0f} are asked for)",
            style="green" if least >= asked else "red",
        )


def _of(row: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    return bool(row.get("round") == own["title"] and row["state"] == "measured")


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['package']} {row['version'] or ''}".strip()


def _table(own: Mapping[str, Any], rows: list[Any], figures: Mapping[str, Any]) -> Table:
    """Return the table of one stream: our own books, then its peers."""
    table = Table(
        title=f"{own['title']}: {own['told']['trades']:,} trades, median of {figures['runs']} runs",
        caption="engine ×: how many times the engine's time it takes; memory: growth in one play",
    )
    for head in ("book", "ns/message", "× yardstick", "engine ×", "memory MiB", "warm-up s"):
        table.add_column(head, justify="left" if head == "book" else "right")
    named = [(name, own[key]) for key, name in OWN_NAMES.items()]
    for name, row in [*named, *((_name(row), row) for row in rows)]:
        table.add_row(
            name,
            f"{row['ns_per_message']:,.0f}",
            f"{row['x_yardstick']['median']:.3g}",
            f"{row['engine_over_peer']['median']:,.1f}",
            f"{row['memory_growth_mib']:.0f}",
            f"{row['warmup_s']:.3g}",
        )
    return table
