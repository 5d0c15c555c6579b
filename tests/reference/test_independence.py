"""The twin shares nothing with the engine: it reads no line of it and uses no array."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ALLOWED = set(sys.stdlib_module_names) | {"sortedcontainers", "tests.reference"}


def imported_modules(source: str) -> set[str]:
    """Names of the modules that a source imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the twin imports by full names"
            found.add(node.module or "")
    return found


def is_allowed(module: str) -> bool:
    """Whether the twin may import it."""
    return any(module == name or module.startswith(f"{name}.") for name in ALLOWED)


def test_twin_imports_only_the_standard_library_and_sortedcontainers() -> None:
    """``engine`` is not among the imports of any of its files, and nothing imports by name."""
    sources = [p for p in Path(__file__).parent.glob("*.py") if not p.name.startswith("test_")]
    assert len(sources) >= 8
    for path in sources:
        text = path.read_text(encoding="utf-8")
        foreign = {module for module in imported_modules(text) if not is_allowed(module)}
        assert foreign == set(), f"{path.name} imports {foreign}"
        assert "__import__" not in text
        assert "importlib" not in text


def test_the_reader_of_imports_sees_hidden_ones() -> None:
    """An import inside a function counts."""
    text = "def f():\n    from engine.units import half_up\n    import engine.state\n"
    assert {m for m in imported_modules(text) if not is_allowed(m)} == {
        "engine.units",
        "engine.state",
    }
