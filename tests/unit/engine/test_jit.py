"""A stale compile cache never runs: its folder is named after the sources and private."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[3] / "engine"
SHOW = "import engine.jit; print(engine.jit.config.CACHE_DIR)"


def cache_folder(root: Path, home: Path) -> Path:
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(root)}
    environment.pop("NUMBA_CACHE_DIR", None)
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return Path(shown.stdout.strip())


def test_the_cache_follows_the_sources_and_is_private(tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(ENGINE, root / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    before = cache_folder(root, tmp_path / "home")
    assert before.is_relative_to(tmp_path / "home" / "tanshi")
    assert before.stat().st_mode & 0o777 == 0o700
    assert cache_folder(root, tmp_path / "home") == before
    with (root / "engine" / "units.py").open("a") as file:
        file.write("\n# changed\n")
    assert cache_folder(root, tmp_path / "home") != before
