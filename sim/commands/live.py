"""``tanshi season NAME --live URL``: the same people as real clients of a running venue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from sim.commands.output import BAD_INPUT, INTERRUPTED, refuse, result_console, telling, write_json

LiveOption = Annotated[
    str | None, typer.Option("--live", help="Play on this running venue.", metavar="ws://…")
]
VenueDataOption = Annotated[
    Path, typer.Option("--data", help="With --live: the venue's data folder.")
]
EntitiesOption = Annotated[
    int, typer.Option(min=1, help="With --live: how many entities play.", metavar="N")
]
FromOption = Annotated[
    datetime | None,
    typer.Option(
        "--from", formats=["%Y-%m-%d"], help="With --live: first day played; offline before it."
    ),
]
DaysOption = Annotated[
    int | None, typer.Option(min=1, help="With --live: how many days are played.", metavar="N")
]
VENUE_DATA = Path("var/venue")
ENTITIES = 30
BROKEN = 1  # exit code: it ended before its last day, or does not add up
SUMMARY_FILE = "live.json"


@dataclass(frozen=True)
class Choices:
    """What was asked for besides the season, its seed and its overrides."""

    url: str
    data: Path
    entities: int
    first: datetime | None
    days: int | None
    out: Path | None
    json_file: str | None


def play_live(name: str, seed: int, overrides: Mapping[str, object], chosen: Choices) -> NoReturn:
    """Play a season on a venue and end the command.

    Exit code 0: played and conserved; 1: the venue went away meanwhile or the books do not agree,
    what was done is kept; 2: it could not begin; 130: interrupted, what was done is kept.
    """
    from sim.live.door import open_venue
    from sim.live.playing import GONE, Played, Span, play
    from sim.live.population import few
    from sim.scenario.reading import load
    from sim.scenario.refusing import ScenarioError

    first, out, json_file = chosen.first, chosen.out, chosen.json_file
    span = Span(first=first and first.date(), days=chosen.days)
    try:
        scenario = load(name, {**few(load(name), chosen.entities), **overrides})
        venue = open_venue(chosen.url, chosen.data)
    except (ScenarioError, *GONE, OSError) as error:
        refuse(error)
    try:
        with telling(1, "day") as teller:
            played: Played = play(
                scenario, seed, venue, span, lambda day, days: teller.tell(day, "", True, days)
            )
    except (ValueError, *GONE) as error:
        refuse(error)
    finally:
        venue.close()
    if out is not None:
        _keep(played, out)
    show(played.figures, result_console(json_file))
    write_json(json_file, played.figures)
    _end(played.figures, out)


def _keep(played: Any, out: Path) -> None:
    """Write the tables of a run, if a day was closed, and the summary."""
    out.mkdir(parents=True, exist_ok=True)
    if played.run is not None:
        played.run.save(out)
    text = json.dumps(played.figures, indent=2, ensure_ascii=False) + "\n"
    (out / SUMMARY_FILE).write_text(text, encoding="utf-8")


def _end(figures: Mapping[str, Any], out: Path | None) -> NoReturn:
    errors = Console(stderr=True)
    kept = f"in {out}" if out is not None else "shown above; --out keeps it"
    code = 0
    if figures["stopped"]:
        done = f"{figures['days']} of {figures['days_asked']} days were played"
        line = f"{figures['stopped']}: {done}, what was done is {kept}"
        errors.print(line, style="red", markup=False, soft_wrap=True)
        code = INTERRUPTED if figures["stopped"] == "interrupted" else BROKEN
    if figures["conserved"] is False:
        for each in figures["disagreements"]:
            errors.print(each, style="red", markup=False, soft_wrap=True)
        code = code or BROKEN
    assert code != BAD_INPUT, "that is for what could not begin"
    raise typer.Exit(code)


def show(figures: Mapping[str, Any], console: Console) -> None:
    """Print the summary."""
    title = f"season {figures['season']} live, seed {figures['seed']}"
    table = Table("", "", title=title, title_justify="left", show_header=False)
    table.columns[1].justify = "right"
    table.add_row("entities", f"{figures['entities']:,}")
    table.add_row("days played", f"{figures['days']} of {figures['days_asked']}")
    table.add_row("slots played, missed", f"{figures['slots_played']}, {figures['slots_missed']}")
    for key in ("decisions", "commands", "orders", "trades", "trades_with_others"):
        table.add_row(key.replace("_", " "), f"{figures[key]:,}")
    for name, tonnes in figures["volume_t"].items():
        table.add_row(f"volume {name}", f"{tonnes:,} t")
    for code, count in sorted(figures["refused"].items()):
        table.add_row(f"refused: {code}", f"{count:,}")
    words = {True: "yes", False: "NO", None: "not known"}
    table.add_row("money and tonnes agree", words[figures["conserved"]])
    console.print(table)
