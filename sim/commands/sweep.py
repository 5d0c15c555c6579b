"""``tanshi sweep``: every combination of a grid with every seed, one folder a run."""

from __future__ import annotations

import tomllib
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from sim.commands.output import (
    JobsOption,
    JsonOption,
    SeedsOption,
    SetOption,
    interrupted,
    overrides_of,
    refuse,
    result_console,
    seeds_of,
    telling,
    write_json,
)
from sim.commands.season import NameArgument


def sweep(
    name: NameArgument,
    out: Annotated[Path, typer.Option("--out", help="Where runs go, a folder each.")],
    grid: Annotated[
        list[str] | None,
        typer.Option(
            help="Values of a key, e.g. banking.sales_multiple=0,1.5,3; repeatable.",
            metavar="KEY=V,V",
        ),
    ] = None,
    seeds: SeedsOption = "1..10",
    change: SetOption = None,
    jobs: JobsOption = -1,
    backend: Annotated[str, typer.Option(help="loky: this machine; dask: a cluster.")] = "loky",
    cluster: Annotated[
        str | None, typer.Option(help="Address of the Dask scheduler.", metavar="TCP://HOST:PORT")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Leave finished runs alone.")] = True,
    json_file: JsonOption = None,
) -> None:
    """Simulate a grid of what-ifs with the same seeds each; finished runs are kept as they come.

    Ctrl-C keeps what is done (exit code 130); the same command goes on.
    """
    from sim.ensemble import sweeping
    from sim.scenario.refusing import ScenarioError

    numbers, values = seeds_of(seeds), grid_of(grid)
    changes = overrides_of(change)
    try:
        arms = [changes | each for each in sweeping.combinations(values)]
        total = len(sweeping.arms_of(name, arms, out)) * len(numbers)
        with _client(backend, cluster), telling(total, "run") as teller:
            swept = sweeping.sweep(
                name,
                arms,
                numbers,
                out,
                backend,
                jobs,
                resume,
                lambda done, _, run: teller.tell(done, f"{run.folder}  {run.digest[:16]}"),
            )
    except (sweeping.SweepError, ScenarioError, OSError) as error:
        refuse(error)
    _end(swept, json_file)


def _end(swept: Any, json_file: str | None) -> None:
    resumed = sum(run.resumed for run in swept.runs)
    console: Console = result_console(json_file)
    console.print(
        f"{len(swept.runs)} of {swept.total} runs are in {swept.folder}, {resumed} from before",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    runs = [
        {
            "season": run.season,
            "seed": run.seed,
            "overrides": {key: _plain(value) for key, value in run.overrides.items()},
            "scenario_hash": run.scenario_hash,
            "digest": run.digest,
            "seconds": run.seconds,
            "counts": run.counts,
            "folder": str(run.folder),
            "resumed": run.resumed,
        }
        for run in swept.runs
    ]
    document = {"folder": str(swept.folder), "total": swept.total, "finished": len(runs)}
    write_json(json_file, document | {"runs": runs})
    if swept.interrupted:
        interrupted(f"{len(runs)} of {swept.total} runs are kept; the same command goes on.")


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def grid_of(words: list[str] | None) -> dict[str, list[object]]:
    """Return the grid of "key=v,v" words; values are TOML, or bare words between commas."""
    grid: dict[str, list[object]] = {}
    for word in words or ():
        key, equals, text = word.partition("=")
        if not key.strip() or not equals or not text.strip():
            refuse(f"{word!r}: KEY=VALUE,VALUE was expected, e.g. behaviour.reluctance=0.01,0.05")
        try:
            values = tomllib.loads(f"values = [{text}]")["values"]
        except tomllib.TOMLDecodeError:
            values = [each.strip() for each in text.split(",")]
        grid[key.strip()] = values
    return grid


def _client(backend: str, address: str | None) -> AbstractContextManager[Any]:
    """Connect to a cluster where one is asked for; it stays connected while it is used."""
    if backend != "dask":
        return nullcontext()
    try:
        from distributed import Client
    except ModuleNotFoundError:
        refuse("backend dask: the package distributed is needed (pip install 'tanshi[cluster]')")
    if address is None:
        refuse("backend dask: --cluster with the address of the scheduler was expected")
    try:
        connect: Any = Client
        client: AbstractContextManager[Any] = connect(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        refuse(f"cluster {address}: a Dask scheduler was expected ({error})")
    return client
