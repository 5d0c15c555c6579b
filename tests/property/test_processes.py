"""P2: the same tape ends in the same digest in other processes and other builds of the kernels.

A child process plays a tape that lies in a file and prints digests: with other hash seeds, with the
kernels as plain Python (``NUMBA_DISABLE_JIT=1``), with bounds checking (``NUMBA_BOUNDSCHECK=1``).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.exchange import Exchange
from tests.tapes import record

CHILD = """
import hashlib, sys
import numpy as np
from engine.exchange import Exchange
exchange, seen = Exchange(), hashlib.sha256()
for part in np.array_split(np.load(sys.argv[1]), 7):
    seen.update(exchange.apply(part).tobytes())
print(exchange.digest(), seen.hexdigest())
"""
CHILD_SECONDS_MAX = 240
COMMANDS = {"plain": 5_000, "wide": 3_000, "giant": 1_500}  # a giant tape is to be short
ROOT = Path(__file__).parents[2]


def play_here(commands: np.ndarray) -> str:
    """Digest of the state and of all event bytes, in this process."""
    exchange = Exchange()
    events = exchange.apply(commands).tobytes()
    return f"{exchange.digest()} {hashlib.sha256(events).hexdigest()}"


def play_elsewhere(path: Path, **environment: str) -> str:
    """The same in a child process with changed environment variables."""
    child = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", CHILD, str(path)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS_MAX,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout.strip()


@pytest.mark.parametrize("flavour", ["plain", "wide", "giant"])
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242"},
        {"NUMBA_DISABLE_JIT": "1"},
        {"NUMBA_BOUNDSCHECK": "1"},
    ],
    ids=lambda environment: "=".join(*environment.items()),
)
def test_another_process_ends_with_the_same_digest(
    base_seed: int, tmp_path: Path, environment: dict[str, str], flavour: str
) -> None:
    """Every byte of every event, and the digest of the state; an overflow warning is an error."""
    seed = base_seed * 1_000 + 950
    commands, _ = record(seed, COMMANDS[flavour], flavour)
    np.save(tmp_path / "tape.npy", commands)
    assert play_elsewhere(tmp_path / "tape.npy", **environment) == play_here(commands), (
        f"tape seed {seed}, {flavour}, {environment}"
    )
