"""The reference page says what the code reads: checks, deadlines, parameters, boundary, codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from registry.monitoring import clock, parameters, plausibility
from registry.monitoring.boundary import BOUNDARIES
from registry.monitoring.emissions import text_of
from registry.monitoring.plausibility import Rule
from registry.monitoring.takers import COLUMNS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/monitoring.md").read_text("utf-8")


def short(number: Fraction | None) -> str:
    return "" if number is None else text_of(number)


def bound(rule: Rule) -> str:
    if rule.kind == "within":
        return f"{short(rule.low)} ≤ {rule.quantity} ≤ {short(rule.high)}"
    if rule.kind == "at_most":
        times = "" if rule.factor == 1 else f"{short(rule.factor)} × "
        return f"{rule.quantity} ≤ {times}{rule.than}"
    if rule.kind == "positive_with":
        return f"{rule.quantity} > 0 where {rule.than} > 0"
    if rule.kind in {"jump", "year_jump"}:
        return f"change ≤ {short(rule.percent)} %"
    return rule.kind


def rule_lines() -> Iterator[str]:
    for rule in plausibility.rules().values():
        sets = "all" if len(rule.sets) == len(parameters.SETS) else ", ".join(rule.sets)
        name = rule.parameter or "each"
        yield (f"| {rule.code} | {rule.severity} | {sets} | {name} | {bound(rule)} | {rule.why} |")


def deadline_lines() -> Iterator[str]:
    for rule in clock.rules():
        first, last = rule.get("months") or rule["years"]
        open_end = last in {2099, 209912}
        period = (
            f"from {first}" if open_end else (f"{first}" if first == last else f"{first}–{last}")
        )
        if "date" in rule:
            day = str(rule["date"])
        elif "days_after_month" in rule:
            day = f"{rule['days_after_month']} natural days after the month"
        else:
            day = f"{rule['month_day']} of the year {rule['year_offset']:+d}"
        sectors = "all" if len(rule["sectors"]) == 4 else ", ".join(rule["sectors"])
        yield f"| {rule['what']} | {sectors} | {period} | {day} | {rule['clause']} |"


def parameter_lines() -> Iterator[str]:
    for set_name in parameters.SETS:
        for one in parameters.parameters(set_name).values():
            need = "needed" if one.needed else ""
            yield (
                f"| {set_name} | {one.name} | {one.unit} | {need} | {short(one.low)} | "
                f"{short(one.high)} | {one.standard or ''} |"
            )


def boundary_lines() -> Iterator[str]:
    for sector, one in BOUNDARIES.items():
        names = (", ".join(part) for part in (one.codes, one.inside, one.outside))
        yield f"| {sector} | {' | '.join(names)} |"


def column_lines() -> Iterator[str]:
    for table, (needed, optional) in COLUMNS.items():
        yield f"| {table} | {', '.join(needed)} | {', '.join(optional)} |"


LINES = [
    *rule_lines(),
    *deadline_lines(),
    *parameter_lines(),
    *boundary_lines(),
    *column_lines(),
]


@pytest.mark.parametrize("line", LINES)
def test_the_page_has_this_line(line: str) -> None:
    assert line in PAGE.splitlines()


def test_the_page_has_no_other_check() -> None:
    named = set(re.findall(r"^\| (PC-\d\d) \|", PAGE, re.MULTILINE))
    assert named == set(plausibility.rules())


def test_every_refusal_of_this_room_is_on_the_page() -> None:
    room = ROOT / "registry/monitoring"
    said: set[str] = set()
    for file in sorted(room.glob("*.py")):
        text = file.read_text("utf-8")
        said |= set(re.findall(r'RefusalError\(\s*"([a-z_]+)"', text))
        said |= set(re.findall(r'CellError\(\s*"[a-z_]*",\s*"([a-z_]+)"', text))
        said |= set(re.findall(r'cells\.refuse\(\s*"?[a-z_]*"?,\s*"([a-z_]+)"', text))
    assert len(said) > 50
    on_page = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert said - on_page == set()
