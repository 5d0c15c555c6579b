"""The table of clauses: what counts as a citation, and that the page in docs is current."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from engine.clauses import CLAUSES, EDGE_CASES, OUT_OF_SCOPE
from engine.reasons import EXPLANATIONS
from engine.rulebook_data import ENTRIES
from tests.clauses import citations, scan
from tests.clauses.citations import ROOT, each_test, in_name, in_test, in_text
from tests.clauses.scan import PAGE, Coverage, coverage, main, page, to_dict

FAMILY_SIZES = {"TR": 101, "ST": 17, "RG": 24, "VM": 12, "CA": 6}


def test_every_clause_is_there_once_with_a_title() -> None:
    sizes = {family: sum(each.startswith(family) for each in CLAUSES) for family in FAMILY_SIZES}
    assert sizes == FAMILY_SIZES
    assert all(len(title) > 5 and title[0] != " " for title in CLAUSES.values())
    assert len(set(CLAUSES.values())) >= len(CLAUSES) - 1  # both institutions keep records


def test_reasons_and_edge_cases_name_clauses_that_exist() -> None:
    assert OUT_OF_SCOPE.keys() <= CLAUSES.keys()
    assert all(len(reason) > 10 for reason in OUT_OF_SCOPE.values())
    assert all(re.fullmatch(r"E\d\d", case) for case in EDGE_CASES)
    assert {each for clauses in EDGE_CASES.values() for each in clauses} <= CLAUSES.keys()


def test_handles_in_parameters_and_refusals_exist() -> None:
    known = {each for entry in ENTRIES for each in entry.clauses if not each.startswith("CP-")}
    assert known <= CLAUSES.keys()
    handle = re.compile(r"(?:TR|ST|RG|VM|CA)-\d+")
    cited = {each for why in EXPLANATIONS.values() for each in handle.findall(why.clauses)}
    assert cited <= CLAUSES.keys()


def test_no_code_cites_a_clause_that_does_not_exist() -> None:
    handle = re.compile(r"\b(?:TR|ST|RG|VM|CA)-\d{2,3}\b")
    found = {
        f"{path}: {each}"
        for room in citations.ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for each in handle.findall(path.read_text(encoding="utf-8"))
        if each not in CLAUSES
    }
    assert not found


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("(TR-64)", {"TR-64"}),
        ("TR-22, ST-03 and CA-04", {"TR-22", "ST-03", "CA-04"}),
        ("TR-60…62", {"TR-60", "TR-61", "TR-62"}),
        ("ST-03…ST-05", {"ST-03", "ST-04", "ST-05"}),
        ("TR-26...30", {"TR-26", "TR-27", "TR-30"}),  # there is no TR-28
        ("TR-999, XTR-64, TR-6, CP-35, E09", set()),
    ],
)
def test_handles_in_text(text: str, clauses: set[str]) -> None:
    assert in_text(text) == clauses


@pytest.mark.parametrize(
    ("name", "clauses"),
    [
        ("test_quantity_tr_64", {"TR-64"}),
        ("test_quantity_tr64", {"TR-64"}),
        ("test_tr21_bulk_limits", {"TR-21"}),
        ("test_limits_tr_20_23_st_16", {"TR-20", "TR-23", "ST-16"}),
        ("test_e09_the_upper_limit", {"TR-23"}),
        ("test_str_64_extra_64_tr_6", set()),
        ("test_e99_nothing", set()),
    ],
)
def test_handles_in_names(name: str, clauses: set[str]) -> None:
    assert in_name(name) == clauses


def test_only_the_inside_of_a_test_counts() -> None:
    module = '''
"""Everything about TR-60…76."""
# TR-80
def helper():
    """TR-81"""
@pytest.mark.parametrize("clauses", ["TR-82"])
def test_a(clauses):
    """E09"""
    assert clauses  # TR-83
class TestB:
    """TR-84"""
    def test_c_tr_85(self): ...
    async def test_d(self): "TR-86"
'''
    found = {name: in_test(name.rpartition("::")[2], body) for name, body in each_test(module)}
    assert found == {
        "test_a": {"TR-82", "TR-83", "TR-23"},
        "TestB::test_c_tr_85": {"TR-85"},
        "TestB::test_d": {"TR-86"},
    }


def test_state_of_a_clause() -> None:
    assert Coverage("TR-64", "", (), ()).state == "missing"
    assert Coverage("TR-133", "", (), ()).state == "out of scope"
    assert Coverage("TR-133", "", (), ()).reason == OUT_OF_SCOPE["TR-133"]
    tested = Coverage("TR-133", "", ("engine/a.py", "engine/b.py", "sim/c.py"), ("t::test",))
    assert (tested.state, tested.reason, tested.rooms) == ("tested", "", ["engine", "sim"])


def test_counts_add_up_and_name_real_places() -> None:
    figures = to_dict(coverage())
    lists = figures["lists"]
    assert figures["clauses"] == 160
    assert [figures[key] for key in lists] == [len(each) for each in lists.values()]
    assert sum(len(each) for each in lists.values()) == 160
    by_handle = {each["clause"]: each for each in figures["details"]}
    assert "engine/units.py" in by_handle["TR-23"]["code"]
    for each in figures["details"]:
        for place in each["tests"]:
            path, _, name = place.partition("::")
            text = (ROOT / path).read_text(encoding="utf-8")
            assert f"def {name.rpartition('::')[2]}(" in text
        assert not any(path.startswith("engine/clauses") for path in each["code"])
        assert not any(place.startswith("tests/clauses/") for place in each["tests"])


def test_command_prints_the_table_and_writes_json(tmp_path: Path) -> None:
    target, out = tmp_path / "new" / "rulebook.json", io.StringIO()
    code = main(target, Console(file=out, width=200))
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert code == int(figures["missing"] > 0)
    assert f"160 clauses: {figures['tested']} tested" in out.getvalue()
    assert "TR-64" in out.getvalue()


def test_missing_clause_is_named_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "of_tests", dict)
    out = io.StringIO()
    assert main(tmp_path / "a.json", Console(file=out, width=400)) == 1
    assert "missing: TR-01, TR-03" in out.getvalue()
    monkeypatch.setattr(scan, "of_tests", lambda: {key: ["t::test_x"] for key in CLAUSES})
    assert main(None, Console(file=io.StringIO())) == 0


def test_nothing_is_missing() -> None:
    """A new clause is played by a test or says why not."""
    assert to_dict(coverage())["lists"]["missing"] == []


def test_every_edge_case_is_played() -> None:
    """Each by a scenario; those of the registry's own by its tests."""
    found = citations.of_edge_cases()
    assert [case for case, tests in found.items() if not tests] == []
    homes = ("tests/scenarios/", "tests/unit/registry/", "tests/unit/engine/test_calendar")
    for case, tests in found.items():
        assert any(test.startswith(homes) for test in tests), case


def test_what_a_test_cites_is_not_out_of_scope() -> None:
    """A reason beside a citation is left over, or the citation a mere mention."""
    cited = {clause for clause in OUT_OF_SCOPE if citations.of_tests().get(clause)}
    assert cited == set()


def test_page_is_current() -> None:
    """``python -m tests.clauses.scan --write`` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page(coverage())
