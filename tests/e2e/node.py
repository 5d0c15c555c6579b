"""Node for the tests of this folder: packages of a lock file, installed where nobody else looks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALL_WITHIN_S = 240
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")


def needed(*programs: str) -> None:
    """Skip where a program is not installed; where everything must run (CI=true), fail."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        sentence = f"{' and '.join(missing)} not installed: apt-get install nodejs npm"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)


@contextmanager
def installed(project: Path) -> Iterator[Path]:
    """Copy a Node project to a folder of its own, install exactly its lock file, yield it."""
    needed("node", "npm")
    with tempfile.TemporaryDirectory(prefix="node-") as folder:
        home = Path(folder) / project.name
        shutil.copytree(project, home, ignore=shutil.ignore_patterns("node_modules"))
        done = subprocess.run(
            NPM_CI,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_S,
            check=False,
        )
        if done.returncode:
            pytest.fail(
                f"npm could not install {project.name} (is there a network?)\n{done.stderr}"
            )
        yield home
