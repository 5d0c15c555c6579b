"""Where the code and the tests cite a clause of the rulebook: read from the sources, run nothing.

A clause is cited by its handle, ``TR-64``, or by a range, ``TR-60…67``. A test also cites what its
name ends in, ``test_…_tr_64``, and the clauses of an edge case that it names, ``E09`` or ``_e09``.
Only what stands inside a test counts for it: its name, its decorators, its docstring and its body.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from engine.clauses import CLAUSES, EDGE_CASES

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("engine", "registry", "marketdata", "gateway", "sim")
OWN = ("engine/clauses.py", "tests/clauses/")  # the list and what reads it cite nothing

_FAMILIES = "TR|ST|RG|VM|CA"
_HANDLE = re.compile(rf"\b({_FAMILIES})-(\d{{2,3}})(?:(?:…|\.\.\.?|–)(?:\1-)?(\d{{2,3}}))?")
_IN_NAME = re.compile(rf"(?:^|_)({_FAMILIES.lower()})((?:_?\d{{2,3}})+)(?=_|$)")
_EDGE = re.compile(r"\bE(\d\d)\b")
_EDGE_IN_NAME = re.compile(r"(?:^|_)e(\d\d)(?=_|$)")


def in_text(text: str) -> set[str]:
    """Return the clauses a text cites by handle, ranges included."""
    found = set()
    for family, first, last in _HANDLE.findall(text):
        for number in range(int(first), int(last or first) + 1):
            found.add(f"{family}-{number:02d}")
    return found & CLAUSES.keys()


def in_name(name: str) -> set[str]:
    """Return the clauses a test's name cites."""
    found = {
        f"{family.upper()}-{number}"
        for family, numbers in _IN_NAME.findall(name)
        for number in re.findall(r"\d+", numbers)
    }
    for case in _EDGE_IN_NAME.findall(name):
        found |= set(EDGE_CASES.get(f"E{case}", ()))
    return found & CLAUSES.keys()


def in_test(name: str, source: str) -> set[str]:
    """Return the clauses a test cites by its name, by handles and by edge cases in its source."""
    found = in_name(name) | in_text(source)
    for case in _EDGE.findall(source):
        found |= set(EDGE_CASES.get(f"E{case}", ()))
    return found


def of_code() -> dict[str, list[str]]:
    """Return, by clause, the files of the product that cite it."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in _files(ROOMS):
        path = file.relative_to(ROOT).as_posix()
        for clause in in_text(file.read_text(encoding="utf-8")):
            found[clause].append(path)
    return dict(found)


def of_tests() -> dict[str, list[str]]:
    """Return, by clause, the tests that cite it, as pytest names them (without parameters)."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in _files(("tests",)):
        if file.name.startswith("test_"):
            path = file.relative_to(ROOT).as_posix()
            for name, source in each_test(file.read_text(encoding="utf-8")):
                for clause in in_test(name.rpartition("::")[2], source):
                    found[clause].append(f"{path}::{name}")
    return dict(found)


def of_edge_cases() -> dict[str, list[str]]:
    """Return, by edge case (``E09``), the tests that name it, as pytest names them."""
    found: dict[str, list[str]] = {case: [] for case in EDGE_CASES}
    for file in _files(("tests",)):
        if file.name.startswith("test_"):
            path = file.relative_to(ROOT).as_posix()
            for name, source in each_test(file.read_text(encoding="utf-8")):
                named = {f"E{case}" for case in _EDGE_IN_NAME.findall(name)}
                named |= {f"E{case}" for case in _EDGE.findall(source)}
                for case in named & EDGE_CASES.keys():
                    found[case].append(f"{path}::{name}")
    return found


def each_test(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, source with decorators) of every test function and method of a module."""
    lines = text.splitlines()
    for prefix, node in _functions(ast.parse(text)):
        if node.name.startswith("test_"):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            yield f"{prefix}{node.name}", "\n".join(lines[first - 1 : node.end_lineno])


def _functions(
    tree: ast.Module,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}::", each


def _files(rooms: tuple[str, ...]) -> list[Path]:
    found = [file for room in rooms for file in sorted((ROOT / room).rglob("*.py"))]
    return [each for each in found if not each.relative_to(ROOT).as_posix().startswith(OWN)]
