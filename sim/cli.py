"""The season simulator's part of the command line; tanshi.py mounts it on the front door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sim.commands.baselines import baselines
from sim.commands.calibrating import calibrate
from sim.commands.experimenting import experiment
from sim.commands.output import JsonCommand
from sim.commands.scenario import scenario
from sim.commands.score import score
from sim.commands.season import season
from sim.commands.sweep import sweep
from sim.live.door import connect_with

if TYPE_CHECKING:
    from sim.live.door import Opener


def add_season_commands(app: typer.Typer, venue: Opener) -> None:
    """Put the commands of seasons on ``app``; ``venue`` opens live ones."""
    connect_with(venue)
    for command in (season, sweep, score, calibrate, scenario, experiment, baselines):
        app.command(command.__name__, cls=JsonCommand)(command)
