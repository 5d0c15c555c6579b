"""The season simulator's part of the command line; tanshi.py mounts it on the front door."""

from __future__ import annotations

import typer

from sim.commands.calibrating import calibrate
from sim.commands.output import JsonCommand


def add_season_commands(app: typer.Typer) -> None:
    """Put season, sweep, score, calibrate and scenario on ``app``."""
    app.command("calibrate", cls=JsonCommand)(calibrate)
