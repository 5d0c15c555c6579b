"""The house rules of the rooms, checked on the source tree (design: sections 1, 2, 4, 6).

Imports between rooms are held by import-linter (contracts in pyproject.toml); here they run, and
with them the limits of size, the purity of the engine, the vocabulary, and what may not be written.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import (
    ROOMS,
    ROOT,
    files_of_tests,
    functions,
    imports,
    name,
    product_files,
    tree,
)

FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
LINE_MAX = 100

# What would make the engine see a clock, chance, a disk, a network or a fraction.
ENGINE_BANNED = {
    *("time", "random", "asyncio", "logging", "socket", "threading", "subprocess", "secrets"),
    *("os", "pathlib", "io", "tempfile", "uuid", "decimal", "fractions", "sqlite3"),
}
DISKLESS_BANNED = {"socket", "sqlite3", "pathlib", "os", "io", "tempfile", "time", "random"}

# design section 4: the right-hand column. "cancel" and "phase" need a reader, these do not.
WORDS_BANNED = {
    "symbol": "instrument",
    "aggressor": "taker",
    "remaining_qty": "leaves_qty",
    "auction_order": "bid",
    "retire": "surrender, carry-over, offset, voluntary cancellation",
}


def broken(found: list[str]) -> str:
    return "\n" + "\n".join(found)


def test_rooms_are_where_the_map_says() -> None:
    missing = [room for room in ROOMS if not (ROOT / room / "__init__.py").exists()]
    assert not missing
    assert (ROOT / "tanshi.py").exists()


def test_imports_point_down() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_nobody_imports_tests_or_the_front_door() -> None:
    found = [
        f"{name(file)} imports {module}"
        for file in product_files()
        for module in imports(tree(file))
        if module.split(".")[0] in {"tests", "tanshi"} and (name(file), module) not in ALLOWED
    ]
    assert not found, broken(found)


def test_functions_are_short() -> None:
    found = [
        f"{name(file)}:{node.lineno} {node.name} has {length} lines"
        for file in [*product_files(), *files_of_tests()]
        for node in functions(tree(file))
        if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not found, broken(found)


def test_files_and_lines_are_short() -> None:
    found = []
    tests = set(files_of_tests())
    for file in [*product_files(), *tests]:
        lines = file.read_text(encoding="utf-8").splitlines()
        most = TEST_FILE_LINES_MAX if file in tests else FILE_LINES_MAX
        if len(lines) > most:
            found.append(f"{name(file)} has {len(lines)} lines, {most} are allowed")
        found += [
            f"{name(file)}:{number} is {len(line)} wide"
            for number, line in enumerate(lines, 1)
            if len(line) > LINE_MAX
        ]
    assert not found, broken(found)


# `tanshi rulebook` counts what the tests cite, so it needs a checkout with its tests.
ALLOWED = {("tanshi.py", "tests.clauses.scan")}


def engine_files() -> list[Path]:
    """Engine files; jit.py alone may look at the engine's own sources and the kernel cache."""
    return [file for file in product_files() if file.parent.name == "engine"]


@pytest.mark.parametrize("file", engine_files(), ids=name)
def test_the_engine_is_pure(file: Path) -> None:
    module = tree(file)
    banned = ENGINE_BANNED - ({"os", "pathlib"} if file.name == "jit.py" else set())
    found = [f"imports {seen}" for seen in imports(module) if seen.split(".")[0] in banned]
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"line {node.lineno}: the float {node.value}")
        if isinstance(node, ast.Name) and node.id in {"float", "open", "input", "print"}:
            found.append(f"line {node.lineno}: {node.id}")
        fraction = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if fraction and file.name != "jit.py":  # there it joins paths
            found.append(f"line {node.lineno}: a division that makes fractions")
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}:
            found.append(f"line {node.lineno}: a clock")
    assert not found, broken(found)


def test_market_data_is_pure() -> None:
    found = [
        f"{name(file)} imports {module}"
        for file in product_files()
        if file.parent.name == "marketdata"
        for module in imports(tree(file))
        if module.split(".")[0] in DISKLESS_BANNED | {"asyncio"}
    ]
    assert not found, broken(found)


LOAD = {"gateway_line.py", "echo_server.py", "fanout_lines.py"}  # the gateway's speed
LOAD |= {"load/line.py"}  # any venue's
STARTS = {"postgres_server.py"}  # finds a free port for a server of its own


def test_only_the_rim_and_the_registry_open_sockets() -> None:
    found = [
        f"{name(file)} imports {module}"
        for file in product_files()
        if name(file).startswith(("sim/", "benchmarks/")) or file.name == "tanshi.py"
        if name(file).removeprefix("benchmarks/") not in LOAD | STARTS
        for module in imports(tree(file))
        if module.split(".")[0] in {"socket", "websockets", "httpx", "uvicorn", "fastapi"}
    ]
    assert not found, broken(found)


def test_public_names_have_docstrings() -> None:
    found = []
    for file in product_files():
        module = tree(file)
        if not ast.get_docstring(module):
            found.append(f"{name(file)} does not say what it is for")
        for node in module.body:
            public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if public and not node.name.startswith("_") and not ast.get_docstring(node):
                found.append(f"{name(file)}:{node.lineno} {node.name} has no docstring")
    assert not found, broken(found)


def test_one_word_one_meaning() -> None:
    found = []
    for file in product_files():
        for node in ast.walk(tree(file)):
            words = [getattr(node, field, None) for field in ("id", "attr", "arg", "name")]
            found += [
                f"{name(file)}:{getattr(node, 'lineno', 0)} {word}: say {WORDS_BANNED[banned]}"
                for word in words
                if isinstance(word, str)
                for banned in WORDS_BANNED
                if banned in word.lower()
            ]
    assert not found, broken(found)


def test_no_loose_ends() -> None:
    loose = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|except Exception: *pass|assert True\b")
    here = Path(__file__)
    found = [
        f"{name(file)}:{number} {line.strip()}"
        for file in [*product_files(), *files_of_tests()]
        if file != here
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if loose.search(line)
    ]
    assert not found, broken(found)
    assert not [f for f in product_files() if f.name in {"utils.py", "helpers.py", "misc.py"}]


def test_no_tracked_file_names_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    private = re.compile(r"/(home|root|Users|work)/\w|/tmp/\w+/\w|pypi\.org/simple|deb\.debian")
    found = []
    for line in listed.stdout.splitlines():
        file = ROOT / line
        if not file.is_file() or file.suffix in {".png", ".svg", ".lock"} or file == Path(__file__):
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        found += [f"{line}: {match.group()}" for match in private.finditer(text)]
    assert not found, broken(found)
