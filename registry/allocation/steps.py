"""What a step of an explanation is, and how its numbers are written."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Protocol

from registry.allocation.report import decimal_text

DOWN = "down to whole tonnes"
EXACT = "none"


class Step(NamedTuple):
    """One step: ``before`` and ``after`` the ``rounding``, as texts."""

    clause: str
    what: str
    calculation: str
    before: str
    rounding: str
    after: str
    certainty: str = "certain"


class Sourced(Protocol):
    """Whatever a plan says with a clause."""

    @property
    def clause(self) -> str:
        """The clause that states it."""

    @property
    def certainty(self) -> str:
        """How sure it is: certain, likely, or our choice."""


def said(
    source: Sourced, what: str, calculation: str, before: str, rounding: str, after: str
) -> Step:
    """Return a step whose clause and certainty are those of what the plan says."""
    return Step(source.clause, what, calculation, before, rounding, after, source.certainty)


def grouped(value: int, scale: int) -> str:
    """Return ``value / scale`` as a decimal with thousands apart."""
    whole, dot, digits = decimal_text(value, scale).partition(".")
    return f"{int(whole):,}{dot}{digits}" if whole != "-0" else f"{whole}{dot}{digits}"


def grouped_fraction(value: Fraction, decimals: int = 6) -> str:
    """Return a fraction cut to ``decimals`` with thousands apart, an ellipsis where it was cut."""
    unit = 10**decimals
    cut = int(value * unit)
    return grouped(cut, unit) + ("…" if Fraction(cut, unit) != value else "")
