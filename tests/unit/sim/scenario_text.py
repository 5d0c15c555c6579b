"""The text of a shipped season, for tests that change it."""

from importlib.resources import files


def season_text(name: str) -> str:
    """Return the TOML text of season ``name``."""
    return (files("sim.scenario") / "seasons" / f"{name}.toml").read_text("utf-8")
