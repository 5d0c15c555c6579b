"""``tanshi calibrate``: search behaviour parameters on the seasons 2021 and 2024."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from sim.commands.output import (
    JobsOption,
    JsonOption,
    SeedsOption,
    interrupted,
    overrides_of,
    refuse,
    result_console,
    seeds_of,
    telling,
    write_json,
)

if TYPE_CHECKING:
    from sim.ensemble.calibrating import Calibration, Told

PREFIX = "behaviour."


SeasonOption = Annotated[
    list[str] | None, typer.Option(help="2021 or 2024, default both; repeatable.")
]
TrialsOption = Annotated[
    int, typer.Option(min=1, help="How many the study shall have, earlier ones included.")
]
StorageOption = Annotated[
    Path, typer.Option(help="Where trials are kept (SQLite); the same again goes on.")
]
StudyOption = Annotated[str, typer.Option(help="Name of the study in the storage.")]
BoundsOption = Annotated[Path | None, typer.Option(help="Where to look for each parameter (TOML).")]
OnlyOption = Annotated[
    list[str] | None, typer.Option(help="Search this parameter only; repeatable.")
]
FixOption = Annotated[
    list[str] | None,
    typer.Option(help="Another value of a parameter; repeatable.", metavar="NAME=VALUE"),
]
SamplerOption = Annotated[str, typer.Option(help="tpe, refine or random.")]
PruneOption = Annotated[bool, typer.Option("--prune", help="End hopeless trials early.")]
MinutesOption = Annotated[float | None, typer.Option(min=0, help="No new trial after so long.")]
ShareOption = Annotated[
    float, typer.Option(help="Of the entities and tonnes, for trials of the method.")
]
TargetsOption = Annotated[
    Path | None, typer.Option(help="Targets; default: the product's.", metavar="TARGETS.csv")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write the best parameters.", metavar="FILE.toml")
]


def calibrate(
    season: SeasonOption = None,
    trials: TrialsOption = 100,
    seeds: SeedsOption = "1..3",
    storage: StorageOption = Path("calibration.db"),
    study: StudyOption = "calibration",
    bounds: BoundsOption = None,
    only: OnlyOption = None,
    fix: FixOption = None,
    sampler: SamplerOption = "tpe",
    prune: PruneOption = False,
    minutes: MinutesOption = None,
    share: ShareOption = 1.0,
    targets: TargetsOption = None,
    jobs: JobsOption = -1,
    out: OutOption = None,
    json_file: JsonOption = None,
) -> None:
    """Search behaviour parameters by the targets marked "calibrate" of 2021 and 2024.

    Ctrl-C keeps every finished trial (exit code 130); the same command goes on.
    """
    from sim.ensemble import calibrating as room
    from sim.ensemble.bounds import BoundsError
    from sim.ensemble.study import CalibrationError
    from sim.results.targets import SHIPPED, TargetsFileError
    from sim.scenario.refusing import ScenarioError

    try:
        with telling(trials, "trial") as teller:
            found = room.calibrate(
                tuple(season or room.SEASONS),
                trials,
                seeds_of(seeds),
                storage,
                study=study,
                bounds=bounds,
                only=tuple(_bare(each) for each in only or ()),
                fixed=fixed_of(fix),
                sampler=sampler,
                prune=prune,
                jobs=jobs,
                share=share,
                targets=targets or SHIPPED,
                minutes=minutes,
                progress=lambda told: teller.tell(told.finished, _line(told)),
            )
    except (CalibrationError, BoundsError, TargetsFileError, ScenarioError, ValueError) as error:
        refuse(error)
    _end(found, out, json_file)


def fixed_of(words: list[str] | None) -> dict[str, float]:
    """Return parameters of "name=value" words; refuses what is no number."""
    fixed: dict[str, float] = {}
    for name, value in overrides_of(words).items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse(f"{name} = {value!r}: a number was expected")
        fixed[_bare(name)] = float(value)
    return fixed


def _bare(name: str) -> str:
    return name.removeprefix(PREFIX)


def _line(told: Told) -> str:
    if told.pruned:
        return f"#{told.number} pruned, best {told.best:.4f}"
    return f"#{told.number} loss {told.loss:.4f}, {told.within} within, best {told.best:.4f}"


def _end(found: Calibration, out: Path | None, json_file: str | None) -> None:
    console = result_console(json_file)
    if math.isfinite(found.loss):
        _show(found, console)
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(found.toml(), encoding="utf-8")
            console.print(f"best parameters written to {out}", markup=False, soft_wrap=True)
    figures = dataclasses.asdict(found)
    finite = {k: v for k, v in figures.items() if not isinstance(v, float) or math.isfinite(v)}
    write_json(json_file, dict.fromkeys(figures) | finite)
    if found.interrupted:
        interrupted(f"{found.finished} finished trials are kept; the same command goes on.")


def _show(found: Calibration, console: Console) -> None:
    table = Table(title=f"Best of {found.finished} trials ({found.pruned} pruned)")
    table.add_column("parameter")
    table.add_column("value", justify="right")
    for name in found.searched:
        table.add_row(name, f"{found.parameters[name]:.6g}")
    console.print(table)
    console.print(
        f"loss {found.loss:.4f} (at the start {found.start_loss:.4f}),"
        f" {found.within} of {found.targets} targets within tolerance,"
        f" {found.seconds:.0f} s",
        highlight=False,
    )
    far = sorted(found.z.items(), key=lambda item: -abs(item[1]))[:8]
    console.print("farthest: " + ", ".join(f"{name} {z:+.1f}" for name, z in far), highlight=False)
