"""``tanshi scenario``: what a scenario says, its hash, how two differ."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from sim.commands.output import (
    JsonOption,
    SetOption,
    overrides_of,
    refuse,
    result_console,
    write_json,
)
from sim.commands.season import NameArgument


def scenario(
    name: NameArgument,
    other: Annotated[
        str | None, typer.Argument(help="Show the differences to this one.", metavar="[OTHER]")
    ] = None,
    change: SetOption = None,
    only_hash: Annotated[bool, typer.Option("--hash", help="Print the hash alone.")] = False,
    json_file: JsonOption = None,
) -> None:
    """Explain a scenario: days, events, obligations, population, behaviour; or compare two.

    --set changes the last one that is named.
    """
    from sim.scenario.explaining import explain, explain_difference
    from sim.scenario.identity import difference, flat, scenario_hash
    from sim.scenario.reading import load
    from sim.scenario.refusing import ScenarioError

    overrides = overrides_of(change)
    try:
        first = load(name, {} if other else overrides)
        second = load(other, overrides) if other else None
        hashes = [scenario_hash(each) for each in (first, second) if each is not None]
    except (ScenarioError, OSError) as error:
        refuse(error)
    console: Console = result_console(json_file)
    if only_hash:
        console.print("\n".join(hashes), markup=False, highlight=False)
        return
    if second is None:
        console.print(explain(first))
        write_json(json_file, {"hash": hashes[0], "values": flat(first)})
        return
    found = difference(first, second)
    console.print(explain_difference(found))
    rows = [{"key": each.key, "first": each[1], "second": each[2]} for each in found]
    write_json(json_file, {"hashes": hashes, "difference": rows})
