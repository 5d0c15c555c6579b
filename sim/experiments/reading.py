"""What an experiment is: a season, arms that change it, read-outs and what is expected of them.

An experiment is a TOML file (docs/reference/experiments.md). Arms are dotted overrides of the
season's file; all arms have the same seeds, so that every difference is one of pairs.
"""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from sim.experiments.read_outs import WORDS
from sim.scenario.model import Scenario
from sim.scenario.reading import load, smaller

BASE = "base"
SIGNS = {"+": 1, "-": -1, "0": 0}


class ExperimentError(Exception):
    """An experiment cannot be read or made; the message names the file, the key and what is
    expected."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of an experiment file; unknown keys are refused."""


class Arm(Record, frozen=True, kw_only=True):
    """One what-if."""

    label: str  # in tables and pictures
    set: dict[str, Any] = {}  # dotted key to value; "none" takes away
    add: dict[str, list[Any]] = {}  # dotted key of a list to what is added to it
    against: str = BASE  # label of the arm it is compared with


class Expectation(Record, frozen=True, kw_only=True):
    """What theory says an arm does to a read-out, against what it is compared with."""

    arm: str  # label
    read_out: str  # key of WORDS
    sign: str  # "+" more, "-" less, "0" no change
    why: str  # the reason


class Experiment(Record, frozen=True, kw_only=True):
    """A named experiment."""

    name: str  # as its file
    title: str  # one line
    question: str  # what it asks, in a sentence or two
    season: str  # of the product
    read_outs: list[str]  # shown in the picture and first in the summary
    arms: list[Arm]  # beside the base
    set: dict[str, Any] = {}  # what the base itself changes of the season
    expect: list[Expectation] = []


class Made(msgspec.Struct, frozen=True):
    """An arm, ready to be simulated: its label, whom it is compared with, and its overrides."""

    label: str
    against: str
    overrides: dict[str, Any]


def experiment_names() -> list[str]:
    """Return the names of the experiments that the product ships."""
    folder = files("sim.experiments") / "named"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def experiment_of(name_or_path: str | Path) -> Experiment:
    """Return an experiment by name or by the path of a TOML file. Raises ExperimentError."""
    names = experiment_names()
    if str(name_or_path) in names:
        source = files("sim.experiments") / "named" / f"{name_or_path}.toml"
        return parse(source.read_text("utf-8"), source.name)
    path = Path(name_or_path)
    if path.suffix != ".toml":
        close = difflib.get_close_matches(str(name_or_path), names, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ExperimentError(
            f"{name_or_path}: an experiment ({', '.join(names)}) or the path of a .toml file was "
            f"expected{hint}"
        )
    try:
        return parse(path.read_text("utf-8"), str(path))
    except (OSError, ValueError) as error:
        raise ExperimentError(f"{path}: a file of UTF-8 text was expected ({error})") from None


def parse(text: str, file: str) -> Experiment:
    """Return the experiment that a TOML text states; ``file`` names it. Raises ExperimentError."""
    try:
        found = msgspec.convert(tomllib.loads(text), Experiment)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ExperimentError(f"{file}: {error}") from None
    labels = [BASE, *(arm.label for arm in found.arms)]
    _known(file, "read_outs", found.read_outs, list(WORDS))
    if len(set(labels)) < len(labels) or not found.arms:
        raise ExperimentError(f"{file}: arms: at least one, each label only once, none {BASE!r}")
    _known(file, "arms.against", [arm.against for arm in found.arms], labels)
    for each in found.expect:
        _known(file, "expect.arm", [each.arm], labels[1:])
        _known(file, "expect.read_out", [each.read_out], list(WORDS))
        _known(file, "expect.sign", [each.sign], list(SIGNS))
    return found


def _known(file: str, key: str, values: list[str], known: list[str]) -> None:
    for value in values:
        if value not in known:
            close = difflib.get_close_matches(value, known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ExperimentError(f"{file}: {key} {value!r}: one of {', '.join(known)}{hint}")


def arms_made(experiment: Experiment, share: float = 1.0) -> list[Made]:
    """Return the base and every arm with all their overrides, at ``share`` of the population.

    Quantities in total (``_mt``) and those of added agents shrink with the population.
    Raises ScenarioError; ValueError for a share that is not above 0 and at most 1.
    """
    arms = [Arm(label=BASE), *experiment.arms]
    return [Made(arm.label, arm.against, _overrides(experiment, arm, share)) for arm in arms]


def _overrides(experiment: Experiment, arm: Arm, share: float) -> dict[str, Any]:
    changes = {**experiment.set, **arm.set}
    found: dict[str, Any] = {key: _plain(value) for key, value in changes.items()}
    if arm.add:
        before = msgspec.to_builtins(load(experiment.season, found), builtin_types=(dt.date,))
        for key, more in arm.add.items():
            found[key] = [*_at(before, key), *more]
    whole = load(experiment.season, found)
    return found | _shrunk(whole, share) if share != 1.0 else found


def _plain(value: Any) -> Any:
    return None if value == "none" else value


def _at(data: Any, key: str) -> list[Any]:
    for step in key.split("."):
        data = data[step]
    return [_without_nothing(each) for each in data]


def _without_nothing(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: value for name, value in data.items() if value is not None}
    return data


def _shrunk(scenario: Scenario, share: float) -> dict[str, Any]:
    """Return the overrides that shrink a scenario, its extras included."""
    found: dict[str, Any] = smaller(scenario, share)
    extras = scenario.extras
    if extras.market_makers:
        found["extras.maker_stock_t"] = extras.maker_stock_t * share
    if extras.institutions:
        found["extras.institution_limit_t"] = extras.institution_limit_t * share
    if extras.reserve is not None:
        for name in ("upper_mt", "lower_mt", "release_mt"):
            found[f"extras.reserve.{name}"] = getattr(extras.reserve, name) * share
    return found
