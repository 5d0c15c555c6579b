"""The steps between notice and deadline, as commands: milestones, adjustments, limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from registry.institution import Registry
from tanshi import app
from tests.unit.registry.compliance_town import VERIFIER, Town, at


class Line:
    """`tanshi registry` on books of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'registry.db'}"

    def __call__(self, *words: object, code: int = 0) -> str:
        command = ["registry", *map(str, words), "--data", str(self.folder)]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == code, done.output
        return " ".join(done.output.split())


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def test_the_interim_deadline_of_a_cycle(line: Line) -> None:
    """AL-25: one of two by 2023-11-15; the province is told once it is asked for."""
    with Registry.open(line.url) as registry:
        town = Town(registry)
        town.verified(2022, P1=10, P2=10)
        town.issue(2022, "pre", {"P1": 0, "P2": 0}, at(2023, 8, 1))
        town.issue(2022, "final", {"P1": 10, "P2": 10}, at(2023, 8, 1))
        town.compliance.notify(2022, at(2023, 8, 2))
        town.surrender("P1", 2022, "CEA22", 10, at(2023, 11, 1))
    out = line.folder / "provinces.csv"
    said = line("milestone", 2022, "--at", "2023-11-20", "--out", out)
    assert "1 of 2 entities (50.00 %); 95 % by 2023-11-15 (AL-25)" in said
    assert out.read_text().splitlines()[1].split(",")[:3] == ["42", "2", "1"]
    assert "told" not in said
    assert "1 provinces were told" in line("milestone", 2022, "--at", "2023-11-20", "--tell")


def test_a_changed_figure_and_its_ten_working_days(line: Line) -> None:
    """RG-18: due by 2024-12-16, overdue the day after."""
    with Registry.open(line.url) as registry:
        Town(registry).year(2023, {"P1": 100}, {"P1": 90})
        registry.monitoring.record_verified("P1", 2023, 110, VERIFIER, at(2024, 12, 2))
    said = line("adjustments", 2023, "--at", "2024-12-16T23:00")
    assert "P1 42 2 100 110 2024-12-16 open no" in said
    said = line("adjustments", 2023, "--at", "2024-12-17", "--tell")
    assert "2024-12-16 open yes" in said
    assert "told of 1" in said


def test_a_case_is_judged_by_the_deadline_s_regime_and_limited(line: Line) -> None:
    """CP-60, CP-62, U20: a limit is for the regime that has a next step."""
    with Registry.open(line.url) as registry:
        Town(registry).year(2022, {"P1": 100}, {"P1": 90})
    case = ("penalty", "P1", "short_surrender", "--document", "d", "--maker", 31, "--year", 2022)
    late = ("--at", "2027-01-15")
    assert "order_19 (CP-60)" in line(*case, "--regime-by", "deadline", "--trial", *late)
    assert "[limit_invalid]" in line(
        *(*case, "--regime-by", "deadline", "--limit", "2027-03-01", *late), code=2
    )
    assert "code (CP-62)" in line(*case, "--limit", "2027-03-01", *late)
    with Registry.open(line.url) as registry:
        (made,) = registry.compliance.penalties.found()
    assert made.limit_ns == at(2027, 3, 1, 0)
