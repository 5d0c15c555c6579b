"""The edge cases of allocation, registry and compliance: each has a test, and the page names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from registry.errors import RefusalError
from registry.institution import Registry
from tests.clauses.citations import ROOT, each_test
from tests.unit.registry.carry_world import MAKER, NOTICES_NS, World
from tests.unit.registry.compliance_town import DOCUMENT, PLATFORM, REGISTRAR, at

PAGE = ROOT / "docs/reference/compliance.md"
ROW = re.compile(r"^\| (E\d\d) \| [^|]+ \| [^|]+ \| `(\w+)`: `(test_\w+)` \|$", re.MULTILINE)
REGISTRY = (*range(44, 50), 51, 52, 53, 54, 86)
ALLOCATION = (55, 57, 58, 59, 60, 61, 63, 64, 65, 67)
COMPLIANCE = (68, 69, 70, 73, 74, 75, 76, 78, 80, 82, 83, 84)
CASES = sorted(f"E{number}" for number in REGISTRY + ALLOCATION + COMPLIANCE)


def cites(case: str, name: str, source: str) -> bool:
    """Whether a test names an edge case: in its name, its docstring or its body."""
    return bool(re.search(rf"\b{case}\b", source) or re.search(rf"_{case.lower()}(?=_|$)", name))


def sources(file: Path) -> dict[str, str]:
    return dict(each_test(file.read_text(encoding="utf-8")))


def listed() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_the_page_lists_every_edge_case_once() -> None:
    assert sorted(case for case, _, _ in listed()) == CASES


@pytest.mark.parametrize(("case", "module", "name"), listed())
def test_the_test_that_the_page_names_cites_the_case(case: str, module: str, name: str) -> None:
    files = list((ROOT / "tests").rglob(f"{module}.py"))
    assert len(files) == 1
    source = sources(files[0]).get(name)
    assert source is not None, f"{module} has no {name}"
    assert cites(case, name, source), f"{name} does not cite {case}"


def test_a_missing_citation_is_seen() -> None:
    assert cites("E68", "test_net_sales_e68", "")
    assert cites("E68", "test_x", '"""AL-51, E68."""')
    assert not cites("E68", "test_x_e680", "E680, E6, e68")


def test_a_refusal_has_one_full_stop(registry: Registry) -> None:
    """Of carry-over and of a file that no longer holds when it is signed."""
    world = World(registry)
    world.add("A")
    with pytest.raises(RefusalError, match=r"no_notice") as carried:
        registry.compliance.carry_over.apply("A", "CEA23", 1, MAKER, NOTICES_NS)
    registry.monitoring.record_verified("A", 2023, 100, 30, at(2024, 6, 30))
    rows = [{"entity": "A", "tonnes": 0}]
    paper = (PLATFORM, at(2024, 9, 1), DOCUMENT)
    order = ("power-2023-2024", 2023, "pre", rows)
    first, second = (registry.compliance.propose(*order, *paper).request for _ in range(2))
    assert first is not None
    assert second is not None
    registry.approvals.approve(first.number, REGISTRAR, first.sha256, at(2024, 9, 2))
    with pytest.raises(RefusalError, match=r"issued_before") as issued:
        registry.approvals.approve(second.number, REGISTRAR, second.sha256, at(2024, 9, 2))
    for refusal in (carried.value, issued.value):
        assert refusal.sentence.endswith(".")
        assert ".." not in refusal.sentence
