"""``tanshi season``: simulate a season, say what came out, keep it, picture it."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sim.commands import live as on_venue
from sim.commands.output import (
    JobsOption,
    JsonOption,
    SetOption,
    interrupted,
    overrides_of,
    refuse,
    result_console,
    seeds_of,
    telling,
    write_json,
)

if TYPE_CHECKING:
    from sim.ensemble.sweeping import Sweep
    from sim.results.run import Run
    from sim.scenario.model import Scenario

NameArgument = Annotated[
    str, typer.Argument(help="A season (2021 to 2026) or a scenario file.", metavar="NAME|FILE")
]

# Facts worth a line: key, words, unit. Shares are shown in per cent.
KEY_FACTS = (
    ("VOL", "volume", "Mt"),
    ("VOL.turnover", "turnover", "billion CNY"),
    ("BULK", "bulk share of volume", "%"),
    ("Q4", "volume in October to December", "%"),
    ("DEC", "volume in December", "%"),
    ("TOP10", "volume on the ten busiest days", "%"),
    ("BDVW", "bulk discount, volume-weighted", "%"),
    ("SD", "standard deviation of daily returns", "%"),
    ("P.start", "first close", "CNY/t"),
    ("P.low", "lowest close", "CNY/t"),
    ("P.peak", "highest close", "CNY/t"),
    ("P.end", "last close", "CNY/t"),
    ("LIM", "days at a price limit", ""),
    ("PART.share", "entities that traded", "%"),
    ("COMP", "entities late at a deadline", ""),
    ("CCER", "offsets surrendered", "Mt"),
)


@dataclass(frozen=True)
class Lived:
    """Runs of one season, each with the folder it is kept in ("" = none)."""

    runs: list[Run]
    folders: list[str]
    total: int

    @property
    def complete(self) -> bool:
        """All that were asked for are there."""
        return len(self.runs) == self.total


def season(
    name: NameArgument,
    seed: Annotated[int, typer.Option(min=0, help="One run, of this seed.")] = 1,
    seeds: Annotated[
        str | None, typer.Option(help="Several runs instead, of the seeds A to B.", metavar="A..B")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep runs here, a folder each (Parquet).")
    ] = None,
    change: SetOption = None,
    jobs: JobsOption = -1,
    report: Annotated[
        Path | None, typer.Option(help="Write one page with all pictures.", metavar="FILE.html")
    ] = None,
    live: on_venue.LiveOption = None,
    data: on_venue.VenueDataOption = on_venue.VENUE_DATA,
    entities: on_venue.EntitiesOption = on_venue.ENTITIES,
    first: on_venue.FromOption = None,
    days: on_venue.DaysOption = None,
    json_file: JsonOption = None,
) -> None:
    """Simulate a compliance season; print the hash of its event log and what happened.

    With --seeds and --out, Ctrl-C keeps finished runs (exit code 130) and the same command goes on.
    """
    from sim.ensemble.sweeping import SweepError
    from sim.scenario.reading import load
    from sim.scenario.refusing import ScenarioError

    if live is not None:
        words = (live, data, entities, first, days, out, json_file)
        on_venue.play_live(name, seed, overrides_of(change), on_venue.Choices(*words))
    numbers = seeds_of(seeds) if seeds is not None else range(seed, seed + 1)
    try:
        scenario = load(name, overrides_of(change))
        with tempfile.TemporaryDirectory() as scratch:
            if len(numbers) == 1:
                lived = _one(scenario, numbers[0], out)
            else:
                lived = _several(scenario, numbers, out or Path(scratch), out is not None, jobs)
            figures = figures_of(lived, scenario)
            show(figures, result_console(json_file))
            if report is not None and lived.runs:
                _report(lived.runs, report, result_console(json_file))
    except (ScenarioError, SweepError, OSError) as error:
        refuse(error)
    write_json(json_file, figures)
    if not lived.complete:
        kept = f"in {out}; the same command goes on" if out else "shown; --out keeps them"
        interrupted(f"{len(lived.runs)} of {lived.total} runs are {kept}.")


def _one(scenario: Scenario, seed: int, out: Path | None) -> Lived:
    """Simulate here, day by day on the bar; a finished run in ``out`` is not simulated again."""
    from sim.ensemble.sweeping import arms_of, on_disk, place_of, prepare
    from sim.results.run import Run
    from sim.simulation import simulate

    arm = arms_of(scenario, None, out or Path())[0]
    folder = place_of(arm, seed)
    if out is not None:
        prepare(out, [arm])
        if on_disk(arm, seed):
            return Lived([Run.load(folder)], [str(folder)], 1)
    try:
        with telling(1, "day") as teller:
            run = simulate(scenario, seed, lambda day, days: teller.tell(day, "", False, days))
    except KeyboardInterrupt:
        return Lived([], [], 1)
    if out is not None:
        run.save(folder)
    return Lived([run], [str(folder) if out is not None else ""], 1)


def _several(
    scenario: Scenario, seeds: Sequence[int], folder: Path, keep: bool, jobs: int
) -> Lived:
    from sim.ensemble.sweeping import sweep
    from sim.results.run import Run

    with telling(len(seeds), "run") as teller:
        swept: Sweep = sweep(
            scenario,
            None,
            seeds,
            folder,
            jobs=jobs,
            progress=lambda done, total, run: teller.tell(done, f"seed {run.seed}"),
        )
    folders = [run.folder for run in swept.runs]
    return Lived(
        [Run.load(each) for each in folders],
        [str(each) if keep else "" for each in folders],
        swept.total,
    )


def figures_of(lived: Lived, scenario: Scenario) -> dict[str, Any]:
    """Return the document: each run with its hash, counts and facts, and the median facts."""
    from sim.results.facts import facts
    from sim.scenario.identity import scenario_hash

    rows: list[dict[str, Any]] = [
        {
            "seed": run.seed,
            "digest": run.digest,
            "seconds": run.seconds,
            "counts": run.counts,
            "folder": folder,
            "facts": facts(run.quotes, run.trades, run.compliance),
        }
        for run, folder in zip(lived.runs, lived.folders, strict=True)
    ]
    facts_of: list[dict[str, float]] = [row["facts"] for row in rows]
    names = dict.fromkeys(name for each in facts_of for name in each)
    return {
        "season": scenario.name,
        "scenario_hash": scenario_hash(scenario),
        "asked": lived.total,
        "runs": rows,
        "median_facts": {
            name: statistics.median([each[name] for each in facts_of if name in each])
            for name in names
        },
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print hashes and counts of each run, and the key facts."""
    head = f"season {figures['season']}, scenario {figures['scenario_hash']}"
    console.print(head, markup=False, highlight=False, soft_wrap=True)
    for run in figures["runs"]:
        counts = ", ".join(f"{count:,} {what}" for what, count in run["counts"].items())
        line = f"seed {run['seed']}  events {run['digest']}  {run['seconds']:.1f} s  {counts}"
        if run["folder"]:
            line += f"  {run['folder']}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not figures["runs"]:
        return
    several = len(figures["runs"]) > 1
    title = f"median of {len(figures['runs'])} runs" if several else f"seed {run['seed']}"
    table = Table("fact", "", "", title=title, title_justify="left")
    table.columns[1].justify = "right"
    for key, words, unit in KEY_FACTS:
        if key in figures["median_facts"]:
            value = figures["median_facts"][key] * (100 if unit == "%" else 1)
            table.add_row(words, f"{value:,.2f}" if unit else f"{value:,.0f}", unit)
    console.print(table)


def _report(runs: list[Run], file: Path, console: Console) -> None:
    from sim.pictures.report import report

    file.parent.mkdir(parents=True, exist_ok=True)
    report(runs, file)
    console.print(f"pictures: {file}", markup=False, highlight=False, soft_wrap=True)
