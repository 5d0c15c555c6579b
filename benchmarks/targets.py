"""What the project asks of its own speed, and whether figures of full size meet it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One figure of a question and what is asked of it.

    ``figure``: the name of a ratio, or of a figure at the top; with a ``*`` at its end the worst
    of the ratios that begin like that. ``least``: at least ``asked`` is
    wanted, else at most. ``aim``: what would be better still. ``spread``: where least and most of
    a figure at the top are, names with dots between. ``series``: where it is a line.
    """

    question: str
    figure: str
    words: str
    asked: float
    least: bool = True
    unit: str = "×"
    aim: float | None = None
    spread: str = ""
    series: str = ""


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured: the median, least and most where there are runs."""

    target: Target
    value: float
    low: float
    high: float
    full: bool

    @property
    def met(self) -> bool:
        """Whether the median meets it."""
        return self.reaches(self.value)

    def reaches(self, value: float) -> bool:
        """Whether a value meets it."""
        return value >= self.target.asked if self.target.least else value <= self.target.asked

    def times(self, value: float) -> float:
        """How many times as good as asked a value is: 1 is just met, more is better."""
        if not self.target.least:
            return self.target.asked / value
        return value / self.target.asked

    @property
    def words(self) -> str:
        """Say honestly whether it is met: a median can be on one side and some runs not."""
        if not self.full:
            return "not told: a small run"
        ends = [self.reaches(self.low), self.reaches(self.high)]
        if self.met:
            aim = self.target.aim
            aimed = "" if aim is None else _aimed(self.value, aim)
            return "met" + ("" if all(ends) else " by the median, not by every run") + aimed
        return "**not met**" + (", though by some runs" if any(ends) else "")


def _aimed(value: float, aim: float) -> str:
    return f"; the aim of {aim:g} {'too' if value >= aim else 'not yet'}"


TARGETS = (
    Target("matching", "price_time", "price–time with everything on, plain book = 1", 12, aim=17),
    Target("matching", "listed", "listed agreement with everything on, plain book = 1", 6),
    Target(
        "scaling",
        "growth_resting_price_time",
        "price–time: cost of a command from 10³ to 10⁶ resting orders grows",
        2,
        least=False,
    ),
    Target(
        "scaling",
        "growth_resting_listed",
        "listed: cost of a command from 10³ to 10⁶ resting orders grows",
        2,
        least=False,
    ),
    Target(
        "scaling",
        "growth_instruments_price_time",
        "price–time: cost of a command from 1 to 50 vintages grows",
        2,
        least=False,
    ),
    Target(
        "scaling",
        "growth_instruments_listed",
        "listed: cost of a command from 1 to 50 vintages grows",
        2,
        least=False,
    ),
    Target(
        "journal",
        "durable_commands_per_second",
        "durable commands into the sequencer from a source in process",
        200_000,
        unit=" a second",
        spread="durable_spread",
        series="batch",
    ),
    Target(
        "recovery",
        "replay_commands_per_second",
        "replay of a journal",
        5_000_000,
        unit=" commands a second",
        spread="replay_spread",
        series="replay",
    ),
    Target(
        "recovery",
        "recovery_1m_s",
        "recovery of 10⁶ commands, from the making of the process until it takes orders",
        2,
        least=False,
        unit=" s",
        spread="recovery_spread",
        series="start",
    ),
    Target("peers", "engine_over_*", "the fastest published peer is slower", 5),
    Target(
        "registry",
        "allocate_4k_s",
        "allocation of 4,000 entities, SQLite",
        10,
        least=False,
        unit=" s",
        spread="detail.sqlite.runs.allocate",
    ),
    Target(
        "registry",
        "surrender_4k_s",
        "surrender of 4,000 entities, SQLite",
        10,
        least=False,
        unit=" s",
        spread="detail.sqlite.runs.surrender",
    ),
    Target(
        "registry",
        "settle_10k_deals_s",
        "evening of 10,000 deals, SQLite",
        2,
        least=False,
        unit=" s",
        spread="detail.sqlite.runs.settle",
    ),
    Target(
        "registry",
        "pg_settle_10k_deals_s",
        "evening of 10,000 deals, PostgreSQL",
        2,
        least=False,
        unit=" s",
        spread="detail.postgresql.runs.settle",
    ),
)


def verdicts(found: Mapping[str, Figures]) -> list[Verdict]:
    """Hold the figures that there are, by question, against the targets."""
    told = (
        verdict(target, found[target.question]) for target in TARGETS if target.question in found
    )
    return [each for each in told if each is not None]


def verdict(target: Target, figures: Figures) -> Verdict | None:
    """Hold a question's figures against one target; None where they do not tell it."""
    ratio = _ratio(target, figures["ratios"])
    full = bool(figures.get("full", False))
    if ratio is not None:
        return Verdict(target, ratio["value"], ratio["min"], ratio["max"], full)
    value = figures.get(target.figure)
    if not isinstance(value, int | float):
        return None
    low, high = _spread(target, figures) or (value, value)
    return Verdict(target, value, low, high, full)


def _spread(target: Target, figures: Figures) -> tuple[float, float] | None:
    """Return least and most of a figure at the top, where they are told."""
    found: Any = figures if target.spread else None
    for part in target.spread.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return (found["min"], found["max"]) if isinstance(found, Mapping) else None


def _ratio(target: Target, ratios: Mapping[str, Any]) -> Any:
    if not target.figure.endswith("*"):
        return ratios.get(target.figure)
    alike = [each for name, each in ratios.items() if name.startswith(target.figure[:-1])]
    worst = min if target.least else max
    return worst(alike, key=lambda each: each["value"]) if alike else None
