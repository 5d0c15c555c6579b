"""The season simulator's part of the command line; tanshi.py mounts it on the front door."""

from __future__ import annotations

import typer

from sim.commands.calibrating import calibrate
from sim.commands.output import JsonCommand
from sim.commands.scenario import scenario
from sim.commands.score import score
from sim.commands.season import season
from sim.commands.sweep import sweep


def add_season_commands(app: typer.Typer) -> None:
    """Put season, sweep, score, calibrate and scenario on ``app``."""
    for command in (season, sweep, score, calibrate, scenario):
        app.command(command.__name__, cls=JsonCommand)(command)
