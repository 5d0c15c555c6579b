"""Plant each defect in a copy of the sources; the named test must pass before and fail after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sabotage.defects import DEFECTS, Defect
from tests.sabotage.gateway_defects import GATEWAY_DEFECTS

ROOT = Path(__file__).resolve().parents[2]
ALL_DEFECTS = (*DEFECTS, *GATEWAY_DEFECTS)
COPIED = ("engine", "registry", "marketdata", "gateway", "sim", "benchmarks", "tests")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources to break, outside the checkout."""
    target = tmp_path_factory.mktemp("sabotage")
    for room in COPIED:
        shutil.copytree(ROOT / room, target / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "tanshi.py"):
        shutil.copy(ROOT / file, target / file)
    return target


def outcome(copy: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    """Run tests on the copy, uncompiled."""
    environment = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-x", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_without_a_defect_all_named_tests_pass(copy: Path) -> None:
    result = outcome(copy, sorted({defect.test for defect in ALL_DEFECTS}))
    assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.parametrize("defect", ALL_DEFECTS, ids=lambda defect: defect.name.replace(" ", "-"))
def test_a_defect_turns_its_test_red(copy: Path, defect: Defect) -> None:
    file = copy / defect.file
    sound = file.read_text(encoding="utf-8")
    assert sound.count(defect.before) == 1, f"{defect.file} must hold it once: {defect.before}"
    file.write_text(sound.replace(defect.before, defect.after), encoding="utf-8")
    try:
        result = outcome(copy, [defect.test])
    finally:
        file.write_text(sound, encoding="utf-8")
    assert result.returncode == 1, f"nobody noticed: {defect.name}\n{result.stdout[-2000:]}"
    assert "FAILURES" in result.stdout, result.stdout[-2000:]
