"""The command line of the benchmarks; each imports its own file only when it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sim.commands import output

bench_app = typer.Typer(no_args_is_help=True, help="Measure speed; each figure with a yardstick.")

JsonOption = Annotated[
    Path | None, typer.Option("--json", help="Also write the figures to this file.", metavar="FILE")
]


def write_json(file: Path | None, figures: dict[str, Any]) -> None:
    """Write figures as JSON if a file was asked for; parent folders are made."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@bench_app.command("matching")
def bench_matching(
    messages: Annotated[int, typer.Option(min=1_000, help="Messages per stream.")] = 1_000_000,
    runs: Annotated[int, typer.Option(min=1, help="Interleaved pairs of runs.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the streams.")] = 1,
    json_file: JsonOption = None,
) -> None:
    """Commands per second with full checks, ledger and events, against a plain Python book."""
    from benchmarks.matching import measure

    console = Console()
    figures = measure(messages, runs, seed, say=lambda line: console.print(f"[dim]{line}[/dim]"))
    table = Table(title=f"{messages:,} messages, median of {runs} interleaved runs")
    for head in ("book", "ns/command", "commands/s", "yardstick ns", "times the yardstick"):
        table.add_column(head, justify="left" if head == "book" else "right")
    for mode in ("price_time", "listed"):
        row = figures[mode]
        table.add_row(
            mode,
            f"{row['ns_per_command']:.1f}",
            f"{row['commands_per_second']:,.0f}",
            f"{row['yardstick_ns_per_message']:.0f}",
            f"{row['ratio']:.1f}",
        )
    console.print(table)
    console.print(
        f"trades {figures['trades']:,}, checksum {figures['checksum']}, warm-up"
        f" {figures['warmup_s']:.2f} s, peak memory {figures['peak_rss_mib']:.0f} MiB,"
        f" {figures['machine']['cpu']}"
    )
    write_json(json_file, figures)


@bench_app.command("gateway")
def bench_gateway(
    quick: Annotated[
        bool, typer.Option("--quick", help="Seconds instead of minutes: is every order answered?")
    ] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="A folder on the disk to measure the journal on.")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Durable orders per second through the gateway, against a bare echo of the same frames."""
    from benchmarks import gateway

    console = Console()
    size = gateway.QUICK if quick else gateway.Size()
    try:
        figures = gateway.measure(size, data, lambda line: console.print(line, style="dim"))
    except gateway.PROBLEMS as wrong:
        Console(stderr=True).print(f"no figure counts: {wrong}", style="red", markup=False)
        raise typer.Exit(1) from None
    gateway.show(figures, console)
    write_json(json_file, figures)


@bench_app.command("fanout")
def bench_fanout(
    quick: Annotated[bool, typer.Option("--quick", help="A small crowd for seconds.")] = False,
    pace: Annotated[str, typer.Option(help="every change, or once a tick.")] = "every",
    json_file: JsonOption = None,
) -> None:
    """Market data to 500 subscribers, with and without one who never reads: lost and late."""
    from benchmarks import fanout

    try:
        write_json(json_file, fanout.run(quick, pace, Console()))
    except fanout.PROBLEMS as wrong:
        Console(stderr=True).print(f"no figure counts: {wrong}", style="red", markup=False)
        raise typer.Exit(1) from None


@bench_app.command("registry")
def bench_registry(
    quick: Annotated[
        bool, typer.Option("--quick", help="Small books for seconds: is every tonne right?")
    ] = False,
    postgresql: Annotated[
        str | None,
        typer.Option(
            help="A server where databases may be created; else a private one.", metavar="URL"
        ),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Mass runs on large books in SQLite and PostgreSQL: allocation, surrender, settlement."""
    from benchmarks import registry
    from benchmarks.registry_world import QUICK, Size

    console = Console()
    try:
        figures = registry.measure(
            QUICK if quick else Size(), postgresql, lambda line: console.print(line, style="dim")
        )
    except registry.PROBLEMS as wrong:
        Console(stderr=True).print(f"no figure counts: {wrong}", style="red", markup=False)
        raise typer.Exit(1) from None
    registry.show(figures, console)
    write_json(json_file, figures)


@bench_app.command("season", cls=output.JsonCommand)
def bench_season(
    quick: Annotated[
        bool, typer.Option("--quick", help="A twentieth of the entities: does it run?")
    ] = False,
    runs: Annotated[int, typer.Option(min=1, help="Timed runs a season.")] = 5,
    json_file: output.JsonOption = None,
) -> None:
    """Whole seasons: seconds, decisions per second, two processes against one, memory."""
    from benchmarks import season

    console = output.result_console(json_file)
    size = season.QUICK if quick else season.Size(runs=runs)
    figures = season.measure(
        size, lambda line: Console(stderr=True).print(line, style="dim", highlight=False)
    )
    season.show(figures, console)
    output.write_json(json_file, figures)
