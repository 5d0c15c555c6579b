"""``python -m sim.pictures RUNS FOLDER [DAILY.csv]``: the pictures of saved runs of one season."""

from __future__ import annotations

import sys
from pathlib import Path

from sim.pictures.gallery import save_all
from sim.results.run import RUN_FILE, Run


def main(arguments: list[str]) -> int:
    """Draw every saved run below RUNS into FOLDER; write the names of the files."""
    if len(arguments) not in {2, 3}:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    runs = [Run.load(file.parent) for file in sorted(Path(arguments[0]).rglob(RUN_FILE))]
    for file in save_all(runs, arguments[1], arguments[2] if len(arguments) > 2 else None):
        sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
