"""``tanshi baselines``: the model and what it has to beat, against the same targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sim.commands.output import (
    JobsOption,
    JsonOption,
    SeedsOption,
    interrupted,
    refuse,
    result_console,
    seeds_of,
    telling,
    write_json,
)

if TYPE_CHECKING:
    from sim.experiments.comparing import Comparison


def baselines(
    targets: Annotated[Path, typer.Argument(help="What was observed.", metavar="TARGETS.csv")],
    season: Annotated[
        list[str] | None, typer.Option(help="A season; repeatable. 2021 and 2024 unless given.")
    ] = None,
    seeds: SeedsOption = "1..30",
    daily: Annotated[
        Path | None, typer.Option(help="The exchange's daily file: days of the profile.")
    ] = None,
    share: Annotated[float, typer.Option(help="Of the population, for trials: 0.1.")] = 1.0,
    jobs: JobsOption = -1,
    json_file: JsonOption = None,
) -> None:
    """Score the model beside three baselines: the season before, no groups, zero intelligence."""
    from sim.experiments.comparing import KINDS, compare
    from sim.results.observed import ObservedFileError
    from sim.results.score import RunsError
    from sim.results.targets import TargetsFileError
    from sim.scenario.reading import load, smaller
    from sim.scenario.refusing import ScenarioError

    numbers, names = seeds_of(seeds), season or ["2021", "2024"]
    try:
        scenarios = [load(name) for name in names]
        if share != 1.0:
            scenarios = [
                load(name, smaller(whole, share))
                for name, whole in zip(names, scenarios, strict=True)
            ]
        total = len(KINDS) * len(scenarios) * len(numbers)
        with telling(total, "run") as teller:
            found = compare(
                scenarios,
                numbers,
                targets,
                daily,
                jobs,
                lambda done, what: teller.tell(done, what, every=False),
            )
    except (ScenarioError, TargetsFileError, ObservedFileError, RunsError, ValueError) as error:
        refuse(error)
    except OSError as error:
        refuse(f"{targets}: {error}")
    except KeyboardInterrupt:
        interrupted("nothing is kept of baselines.")
    document = as_json(found)
    _show(document, result_console(json_file))
    write_json(json_file, document)


def as_json(found: Comparison) -> dict[str, Any]:
    """Return shares by kind, and per target the z of each kind (null: not scored)."""
    from sim.experiments.comparing import KINDS

    rows: dict[str, dict[str, Any]] = {}
    for kind, table in found.scores.items():
        for row in table.rows:
            entry = rows.setdefault(
                row.target.id,
                {"id": row.target.id, "season": row.target.season, "use": row.target.use, "z": {}},
            )
            finite = row.scored and abs(row.z) < float("inf")
            entry["z"][kind] = row.z if finite else None
    kinds = {
        kind: {
            "words": KINDS[kind],
            "scored": table.scored,
            "within": table.within,
            "share": table.share if table.scored else None,
            "runs": {str(year): count for year, count in table.runs.items()},
            "wasserstein": {str(each.year): each.mean_curve for each in table.distances},
        }
        for kind, table in found.scores.items()
    }
    return {"kinds": kinds, "missing": list(found.missing), "rows": list(rows.values())}


def _show(document: dict[str, Any], console: Console) -> None:
    kinds = document["kinds"]
    table = Table("target", "use", *(each["words"] for each in kinds.values()), title="z")
    for row in document["rows"]:
        cells = [row["z"].get(kind) for kind in kinds]
        shown = ["–" if z is None else f"{z:+.1f}" for z in cells]
        table.add_row(row["id"], row["use"], *shown)
    shares = [f"{each['within']} of {each['scored']}" for each in kinds.values()]
    table.add_section()
    table.add_row("within tolerance", "", *shares)
    for year in next(iter(kinds.values()))["wasserstein"]:
        far = [each["wasserstein"].get(year) for each in kinds.values()]
        days = ["–" if value is None else f"{value:.1f}" for value in far]
        table.add_row(f"volume curve {year}, days", "", *days)
    console.print(table)
    for line in document["missing"]:
        console.print(f"not made: {line}", markup=False, highlight=False, soft_wrap=True)
