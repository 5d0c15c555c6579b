"""A finished run: what was simulated, its tables, and one folder on disk."""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from sim.results.compliance import compliance_of
from sim.results.quotes import quotes_of
from sim.results.tables import events_of, holdings_of, opening_t, orders_of, trades_of
from sim.scenario.identity import scenario_hash
from sim.scenario.model import Scenario
from sim.season.season import Season
from sim.season.surrender import OPENING, Snapshot

TABLES = ("orders", "trades", "quotes", "holdings", "compliance", "events")
RUN_FILE = "run.json"
SCENARIO_FILE = "scenario.json"
PACKAGES = ("numpy", "numba", "pandas", "pyarrow")


class RunFolderError(Exception):
    """A folder does not hold a saved run."""


@dataclass(frozen=True)
class Run:
    """One season of one seed. Tables are pandas frames, made when they are first asked for."""

    season: str
    seed: int
    scenario_hash: str
    digest: str
    seconds: float
    counts: dict[str, int]
    scenario: Scenario | None = None
    makers: dict[str, Callable[[], pd.DataFrame]] = field(default_factory=dict, repr=False)

    @cached_property
    def orders(self) -> pd.DataFrame:
        """Every declaration and what became of it."""
        return self.makers["orders"]()

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Every deal, with both entities."""
        return self.makers["trades"]()

    @cached_property
    def quotes(self) -> pd.DataFrame:
        """Daily quotes per vintage and composite."""
        return self.makers["quotes"]()

    @cached_property
    def holdings(self) -> pd.DataFrame:
        """Holdings at the opening, at month ends and after the last surrender."""
        return self.makers["holdings"]()

    @cached_property
    def compliance(self) -> pd.DataFrame:
        """What each entity owed, handed in, missed, paid."""
        return self.makers["compliance"]()

    @cached_property
    def events(self) -> pd.DataFrame:
        """The calendar of policy events."""
        return self.makers["events"]()

    def save(self, folder: Path) -> Path:
        """Write a Parquet a table, the scenario and ``run.json`` into ``folder``; return it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            getattr(self, name).to_parquet(folder / f"{name}.parquet", index=False)
        if self.scenario is not None:
            (folder / SCENARIO_FILE).write_bytes(msgspec.json.encode(self.scenario))
        facts = {name: getattr(self, name) for name in ("season", "seed", "scenario_hash")}
        facts |= {"digest": self.digest, "seconds": self.seconds, "counts": self.counts}
        facts["versions"] = {each: version(each) for each in PACKAGES}
        facts["python"] = platform.python_version()
        text = json.dumps(facts, indent=2, sort_keys=True)
        (folder / RUN_FILE).write_text(text + "\n")  # last: a folder with it is complete
        return folder

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Read a saved run; tables are read when they are asked for.

        Raises:
            RunFolderError: the folder has no complete run.
        """
        try:
            facts: dict[str, Any] = json.loads((folder / RUN_FILE).read_text())
            keys = ("season", "seed", "scenario_hash", "digest", "seconds", "counts")
            values = {key: facts[key] for key in keys}
            file = folder / SCENARIO_FILE
            if file.exists():
                values["scenario"] = msgspec.json.decode(file.read_bytes(), type=Scenario)
        except (OSError, ValueError, KeyError) as error:
            raise RunFolderError(f"{folder}: no saved run ({RUN_FILE}: {error})") from error

        def reader(name: str) -> Callable[[], pd.DataFrame]:
            return lambda: pd.read_parquet(folder / f"{name}.parquet")

        return cls(**values, makers={name: reader(name) for name in TABLES})


def run_of(season: Season, seconds: float) -> Run:
    """Return the run of a season that has been lived."""
    events = season.floor.events()
    codes, people = list(season.floor.codes), season.people
    scenario = season.scenario
    names = season.account_names()
    before = scenario.first_day - dt.timedelta(days=1)
    opening = Snapshot(
        before, OPENING, opening_t(scenario.population.old_holdings, people.old_t, codes)
    )
    return Run(
        season=scenario.name,
        seed=season.seed,
        scenario_hash=scenario_hash(scenario),
        digest=season.floor.digest(),
        seconds=seconds,
        counts=season.counts(),
        scenario=scenario,
        makers={
            "orders": lambda: orders_of(events, codes, names),
            "trades": lambda: trades_of(events, codes, names, people.group),
            "quotes": lambda: quotes_of(events, codes),
            "holdings": lambda: holdings_of([opening, *season.snapshots], codes, names),
            "compliance": lambda: compliance_of(scenario, people, season.surrenders),
            "events": lambda: events_of(scenario),
        },
    )
