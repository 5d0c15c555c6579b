"""The command line of the benchmarks; each imports its own file only when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import compare, everything, runner
from benchmarks.runner import QUESTIONS, CannotMeasureError
from sim.commands import output

bench_app = typer.Typer(no_args_is_help=True, help="Measure speed; each figure with a yardstick.")

JsonOption = Annotated[
    Path | None, typer.Option("--json", help="Also write the figures to this file.", metavar="FILE")
]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="Seconds instead of minutes: does it run, is it right?")
]
CompareOption = Annotated[
    Path | None,
    typer.Option(
        "--compare", help="Say what changed since the figures in this file.", metavar="FILE"
    ),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="A folder on the disk to measure the journal on.")
]


def write_json(file: Path | None, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON if a file was asked for; parent folders are made."""
    output.write_json(None if file is None else str(file), figures)


def note(line: str) -> None:
    """Say how far it is, on stderr."""
    Console(stderr=True).print(line, style="dim", markup=False, highlight=False, soft_wrap=True)


def fail(problem: object) -> typer.Exit:
    """Say in one sentence why there are no figures; returns the end with exit code 1."""
    Console(stderr=True).print(str(problem), style="red", markup=False, soft_wrap=True)
    return typer.Exit(1)


def answer(
    name: str,
    quick: bool,
    json_file: str | None,
    compare_file: Path | None,
    changes: Mapping[str, object] | None = None,
    **more: object,
) -> None:
    """Ask a question, show its figures, write and compare them where that was asked for."""
    try:
        size = runner.size_of(name, quick, changes)
        old = None if compare_file is None else _before(compare_file, name, size)
        figures = runner.measure(name, size, note, **more)
    except CannotMeasureError as wrong:
        raise fail(wrong) from None
    except KeyboardInterrupt:
        output.interrupted("no figures of this question were kept")
    console = output.result_console(json_file)
    runner.module_of(name).show(figures, console)
    output.write_json(json_file, figures)
    if old is not None:
        compare.show(old, figures, console)


def _before(file: Path, name: str, size: Any) -> dict[str, Any]:
    """Return the figures to compare with; ends with exit code 2 where they do not fit."""
    try:
        old = compare.read(file)
        compare.fits(old, name, asdict(size), file)
    except compare.CompareError as wrong:
        output.refuse(wrong)
    return old


@bench_app.command("matching", help=QUESTIONS["matching"].help, cls=output.JsonCommand)
def bench_matching(
    messages: Annotated[int | None, typer.Option(min=1_000, help="Messages per stream.")] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="Interleaved pairs of runs.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the streams.")] = None,
    quick: QuickOption = False,
    json_file: output.JsonOption = None,
    compare_file: CompareOption = None,
) -> None:
    """Ask how fast the engine matches."""
    changes = {"messages": messages, "runs": runs, "seed": seed}
    answer("matching", quick, json_file, compare_file, changes)


@bench_app.command("gateway", help=QUESTIONS["gateway"].help, cls=output.JsonCommand)
def bench_gateway(
    quick: QuickOption = False,
    data: DataOption = None,
    json_file: output.JsonOption = None,
    compare_file: CompareOption = None,
) -> None:
    """Ask how many orders a second the gateway acknowledges."""
    answer("gateway", quick, json_file, compare_file, data=data)


@bench_app.command("fanout", help=QUESTIONS["fanout"].help, cls=output.JsonCommand)
def bench_fanout(
    quick: QuickOption = False,
    pace: Annotated[str | None, typer.Option(help="every change, or once a tick.")] = None,
    json_file: output.JsonOption = None,
    compare_file: CompareOption = None,
) -> None:
    """Ask whether a stalled subscriber costs the others anything."""
    answer("fanout", quick, json_file, compare_file, {"pace": pace})


@bench_app.command("registry", help=QUESTIONS["registry"].help, cls=output.JsonCommand)
def bench_registry(
    quick: QuickOption = False,
    postgresql: Annotated[
        str | None,
        typer.Option(
            help="A server where databases may be created; else a private one.", metavar="URL"
        ),
    ] = None,
    json_file: output.JsonOption = None,
    compare_file: CompareOption = None,
) -> None:
    """Ask how long the registry's mass runs take."""
    answer("registry", quick, json_file, compare_file, server=postgresql)


@bench_app.command("season", help=QUESTIONS["season"].help, cls=output.JsonCommand)
def bench_season(
    quick: QuickOption = False,
    runs: Annotated[int | None, typer.Option(min=1, help="Timed runs a season.")] = None,
    json_file: output.JsonOption = None,
    compare_file: CompareOption = None,
) -> None:
    """Ask how long a season takes."""
    answer("season", quick, json_file, compare_file, {"runs": runs})


def _plain(name: str) -> Callable[..., None]:
    def ask(
        quick: QuickOption = False,
        json_file: output.JsonOption = None,
        compare_file: CompareOption = None,
    ) -> None:
        answer(name, quick, json_file, compare_file)

    return ask


for _name, _question in QUESTIONS.items():
    if _name not in {each.name for each in bench_app.registered_commands}:
        bench_app.command(_name, help=_question.help, cls=output.JsonCommand)(_plain(_name))
bench_app.registered_commands.sort(key=lambda each: [*QUESTIONS].index(str(each.name)))


@bench_app.command("all")
def bench_all(
    folder: Annotated[
        Path, typer.Option("--json", help="Where a file of figures each goes.", metavar="FOLDER")
    ],
    quick: QuickOption = False,
    again: Annotated[
        bool, typer.Option("--again", help="Measure those anew whose file is there already.")
    ] = False,
) -> None:
    """All of them one after the other; what is there is kept."""
    if folder.exists() and not folder.is_dir():
        output.refuse(f"{folder} is a file, not a folder")
    outcomes, complete = everything.ask_all(folder, quick, again, note)
    everything.show(outcomes, folder, output.result_console(None))
    if not complete:
        output.interrupted("what was measured is kept; the same command goes on")
    if any(each.ended == "failed" for each in outcomes):
        raise fail("not every question has figures that count")


@bench_app.command("profile")
def bench_profile(
    out: Annotated[
        Path, typer.Option("--out", help="Where the flame graph goes.", metavar="FILE.svg")
    ] = Path("gateway-flame.svg"),
    seconds: Annotated[
        float | None, typer.Option(min=0.5, help="How long each way of sending is sampled.")
    ] = None,
    quick: QuickOption = False,
) -> None:
    """Where the microseconds of an order go in the gateway: tables and a flame graph."""
    from benchmarks import profile_gateway as gateway

    span_s = seconds or (gateway.QUICK_SECONDS if quick else gateway.SECONDS)
    try:
        gateway.run(out, span_s, quick, Console(), note)
    except gateway.PROBLEMS as wrong:
        raise fail(f"no profile: {wrong}") from None


@bench_app.command("page")
def bench_page(
    docs: Annotated[
        Path, typer.Option(help="Where page and pictures go.", metavar="FOLDER")
    ] = Path("docs"),
    folder: Annotated[
        Path | None,
        typer.Option(
            "--json", help="The figures (default: results/bench in it).", metavar="FOLDER"
        ),
    ] = None,
) -> None:
    """Make the page of results and its pictures from kept figures."""
    from benchmarks import results

    figures = folder or docs / results.FOLDER
    if not figures.is_dir():
        output.refuse(f"{figures} is not a folder; tanshi bench all --json {figures} makes it")
    try:
        written = results.write(docs, figures)
    except compare.CompareError as wrong:
        output.refuse(wrong)
    for file in written:
        Console().print(str(file), markup=False, highlight=False, soft_wrap=True)


@bench_app.command("guard")
def bench_guard(
    file: Annotated[Path, typer.Option(help="The ratios to hold to.", metavar="FILE")] = Path(
        "docs/results/bench/guard.json"
    ),
    write: Annotated[
        bool, typer.Option("--write", help="Keep the ratios of this run as those to hold to.")
    ] = False,
) -> None:
    """In a minute: is a ratio worse than the kept one? It warns."""
    from benchmarks import guard

    try:
        kept = None if write else guard.read(file)
        found = guard.measure(note)
        if kept is not None:
            guard.show(kept, found, output.result_console(None))
    except (CannotMeasureError, guard.GuardError) as wrong:
        raise fail(wrong) from None
    if kept is None:
        guard.write(file, found)
        Console().print(f"{file} written", markup=False, highlight=False, soft_wrap=True)
