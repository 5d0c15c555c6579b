"""``tanshi score``: how near saved runs come to a targets file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.commands.output import JsonOption, refuse, result_console, write_json


def score(
    runs: Annotated[list[Path], typer.Argument(help="Folders with saved runs.", metavar="RUNS")],
    targets: Annotated[Path, typer.Argument(help="What was observed.", metavar="TARGETS.csv")],
    daily: Annotated[
        Path | None,
        typer.Option(help="The exchange's daily file: distances of cumulative volume."),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Compare runs with observed figures: z by target, share within tolerance, the worst five."""
    from sim.results.observed import ObservedFileError
    from sim.results.run import RunFolderError
    from sim.results.score import RunsError
    from sim.results.score import score as score_runs
    from sim.results.score_report import as_json, print_score
    from sim.results.targets import TargetsFileError

    try:
        table = score_runs(list(runs), targets, daily)
    except (RunsError, RunFolderError, TargetsFileError, ObservedFileError) as error:
        refuse(error)
    except OSError as error:
        refuse(f"a saved run cannot be read: {error}")
    print_score(table, result_console(json_file))
    write_json(json_file, as_json(table))
