"""``tanshi experiment``: a named what-if, every arm with every seed, paired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from sim.commands.output import (
    JobsOption,
    JsonOption,
    interrupted,
    refuse,
    result_console,
    seeds_of,
    telling,
    write_json,
)

if TYPE_CHECKING:
    from sim.experiments.running import Outcome

PICTURE = "paired"


def experiment(
    name: Annotated[
        str | None, typer.Argument(help="Its name, or a .toml file; none: list them.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where runs and results go.")] = None,
    seeds: Annotated[
        str, typer.Option(help="The seeds from A to B, the same for every arm.", metavar="A..B")
    ] = "1..100",
    share: Annotated[float, typer.Option(help="Of the population, for trials: 0.1.")] = 1.0,
    jobs: JobsOption = -1,
    keep_orders: Annotated[
        bool, typer.Option(help="Keep the orders of each run, most of its size.")
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Ask a named what-if: distributions over seeds, paired with the base (same seeds).

    Writes results.parquet, summary.md, summary.json and a picture into --out. Ctrl-C keeps what is
    done (exit code 130); the same command goes on.
    """
    if name is None:
        _list(json_file)
        return
    if out is None:
        refuse("--out FOLDER was expected: runs and results go there")
    outcome, files = _run(name, seeds_of(seeds), out, share, jobs, keep_orders)
    console = result_console(json_file)
    _show(outcome, console)
    for file in files:
        console.print(str(file), markup=False, highlight=False, soft_wrap=True)
    from sim.experiments.telling import as_json

    write_json(json_file, as_json(outcome))
    if outcome.interrupted:
        interrupted(f"{outcome.finished} of {outcome.total} runs are kept; ask again to go on.")


def _run(
    name: str, seeds: range, out: Path, share: float, jobs: int, keep_orders: bool
) -> tuple[Outcome, list[Path]]:
    """Run an experiment and write what it found; refuse what cannot be done."""
    from sim.ensemble.sweeping import SweepError
    from sim.experiments.reading import ExperimentError, experiment_of
    from sim.experiments.running import run_experiment, total_runs
    from sim.scenario.refusing import ScenarioError

    try:
        asked = experiment_of(name)
        with telling(total_runs(asked, seeds, share), "run") as teller:
            outcome = run_experiment(
                asked,
                seeds,
                out,
                share,
                jobs,
                lambda done, _, arm, seed: teller.tell(done, f"{arm}, seed {seed}", every=False),
                lean=not keep_orders,
            )
        return outcome, _write(outcome, out)
    except (ExperimentError, ScenarioError, SweepError, ValueError, OSError) as error:
        refuse(error)


def _list(json_file: str | None) -> None:
    """Print the experiments there are."""
    from sim.experiments.reading import experiment_names, experiment_of

    found = [experiment_of(name) for name in experiment_names()]
    table = Table("experiment", "season", "arms", "what it asks")
    for each in found:
        table.add_row(each.name, each.season, str(len(each.arms)), each.title)
    result_console(json_file).print(table)
    write_json(
        json_file, {"experiments": [{"name": each.name, "title": each.title} for each in found]}
    )


def _write(outcome: Outcome, folder: Path) -> list[Path]:
    from sim.experiments.picture import picture
    from sim.experiments.telling import write
    from sim.pictures.style import write as write_picture

    return [*write(outcome, folder), *write_picture(picture(outcome), folder, PICTURE)]


def _show(outcome: Outcome, console: Console) -> None:
    """Print the expectations and the read-outs of the picture."""
    from sim.experiments.read_outs import WORDS
    from sim.experiments.telling import number

    title = f"{outcome.experiment.title} ({outcome.finished} of {outcome.total} runs)"
    table = Table("read-out", "arm", "base", "median", "difference, 95 %", title=title)
    for column in table.columns[2:]:
        column.justify = "right"
    for name in outcome.experiment.read_outs:
        for row in outcome.pairs[outcome.pairs["read_out"] == name].to_dict("records"):
            low, high = number(row["low"], True), number(row["high"], True)
            found = f"{number(row['difference'], True)} [{low}, {high}]"
            said = WORDS[name]
            words = f"{said.words}, {said.unit}" if said.unit else said.words
            medians = number(row["base_median"]), number(row["median"])
            table.add_row(words, row["arm"], *medians, found)
    console.print(table)
    if outcome.verdicts:
        console.print("expected, and whether it occurred:")
    for each in outcome.verdicts:
        line = f"{each.occurred}: {each.arm}: {WORDS[each.read_out].words} {each.sign} ({each.why})"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
