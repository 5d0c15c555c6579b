"""The heavy evidence: ``python -m tests.nightly`` prints promise, runs, failures, bound.

Ctrl-C ends it early and prints what was done and the arguments that go on from there. A failure
names its tape: ``python -m tests.property.shrink SEED COUNT FLAVOUR`` makes it short. Without
failures in n runs the bound is 3/n: with 95 % confidence the rate of failures lies below it.

Rows that leave no case out (``exhaustive``) prove; the others bound.

To add a row, write a function that takes the plan and its ``Row``, counts ``row.runs`` up as it
goes, calls ``row.fail(text)`` for what went wrong, and is named in ``ROWS``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.property.agreement import run_tape
from tests.recovery import nightly_rows as recovery

TAPE_COMMANDS = 20_000
GIANT_TAPE_COMMANDS = 1_500  # short: turnover totals are exact up to 9.2 × 10¹⁸ fen only
BATCH_MAX = 1_000
PROGRESS_SECONDS = 10.0
FAILURES_MAX = 20  # then a row has said enough


@dataclass
class Plan:
    """What was asked for."""

    commands: int
    seed: int
    first: int  # tapes already done in an earlier, interrupted run


@dataclass
class Row:
    """One promise and what is known about it after tonight."""

    promise: str
    unit: str = "commands"
    runs: int = 0
    failures: list[str] = field(default_factory=list)
    exhaustive: bool = False  # every case was tried: it is proved, there is no rate
    resume: str = ""  # arguments that go on where this row is
    started: float = field(default_factory=time.monotonic)
    shown: float = field(default_factory=time.monotonic)

    def fail(self, text: str) -> None:
        """Note and print a failure."""
        self.failures.append(text)
        print(f"  FAILED {self.promise}: {text}", flush=True)

    def progress(self, goal: int) -> None:
        """Print a line now and then."""
        now = time.monotonic()
        if now - self.shown >= PROGRESS_SECONDS:
            self.shown = now
            rate = self.runs / (now - self.started)
            print(f"  {self.promise}: {self.runs:,}/{goal:,}, {rate:,.0f}/s", flush=True)

    @property
    def bound(self) -> str:
        """Upper limit of the failure rate with 95 % confidence, if nothing failed."""
        if self.failures or not self.runs:
            return "-"
        if self.exhaustive:
            return "every case"
        return f"< {3 / self.runs:.1e}"


def agreement(plan: Plan, row: Row) -> None:
    """Engine and twin agree on every event and balance; tonnes and fen conserved (P4, P8)."""
    _play(plan, row, plan.commands, TAPE_COMMANDS, "plain")


def wide_ladders(plan: Plan, row: Row) -> None:
    """The same with many levels and instruments, for a twentieth of the commands (P4, P8)."""
    _play(plan, row, plan.commands // 20, TAPE_COMMANDS, "wide")


def largest_numbers(plan: Plan, row: Row) -> None:
    """The same at the bounds of every field, for a hundredth of the commands (P4, P8)."""
    _play(plan, row, plan.commands // 100, GIANT_TAPE_COMMANDS, "giant")


def _play(plan: Plan, row: Row, goal: int, tape_commands: int, flavour: str) -> None:
    number = plan.first
    while row.runs < goal and len(row.failures) < FAILURES_MAX:
        row.resume = f"--seed {plan.seed} --first {number}"
        seed = plan.seed * 1_000_000 + number
        count, before = min(tape_commands, goal - row.runs), row.runs
        for done, problem in run_tape(seed, count, BATCH_MAX, flavour):
            row.runs = before + done
            if problem is not None:
                row.fail(f"tape {number} (seed {seed}, {flavour}): {problem}")
                row.runs = before + max(done, 1)
                break
        number += 1
        row.progress(goal)


Check = Callable[[Plan, Row], None]
ROWS: list[tuple[str, Check]] = [
    ("P4 P8 engine = twin", agreement),
    ("P4 P8 wide ladders", wide_ladders),
    ("P4 P8 largest numbers", largest_numbers),
    ("P1 power losses", recovery.power_losses),
    ("P1 kill -9", recovery.kills),
    ("P2 replays in 3 processes", recovery.replays),
    ("P2 start at every point", recovery.every_point),
    ("P3 damaged journals", recovery.damage),
    ("P5 settlement crashes", recovery.settlement),
    ("F01-F20 F23 named faults", recovery.named_faults),
]


def table(rows: list[Row]) -> str:
    """Return the rows as text."""
    lines = [f"{'promise':<28}{'runs':>14}  {'unit':<10}{'failures':>10}  bound"]
    lines += [
        f"{row.promise:<28}{row.runs:>14,}  {row.unit:<10}{len(row.failures):>10}  {row.bound}"
        for row in rows
    ]
    return "\n".join(lines)


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.nightly", description=__doc__)
    parser.add_argument("--commands", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=None, help="default: the day's number")
    parser.add_argument("--first", type=int, default=0, help="first tape, to go on with a run")
    parser.add_argument("--only", default="", help="rows whose name contains this text")
    parser.add_argument("--json", type=Path, default=None, help="write the rows to this file")
    return parser.parse_args(arguments)


def run_row(check: Check, plan: Plan, row: Row) -> None:
    """Run one row; an exception is a failure of this row and lets the others run."""
    try:
        check(plan, row)
    except Exception as error:
        traceback.print_exc()
        row.fail(f"after {row.runs:,} {row.unit}: {error!r}")


def main(arguments: list[str] | None = None) -> int:
    """Run the rows, print the table; 1 if anything failed, 130 if interrupted."""
    asked = read_arguments(sys.argv[1:] if arguments is None else arguments)
    seed = int(time.time() // 86_400) if asked.seed is None else asked.seed
    plan = Plan(asked.commands, seed, asked.first)
    print(f"seed {plan.seed}, first tape {plan.first}, {plan.commands:,} commands", flush=True)
    rows: list[Row] = []
    interrupted = False
    try:
        for name, check in ROWS:
            if asked.only in name:
                rows.append(Row(name))
                run_row(check, plan, rows[-1])
    except KeyboardInterrupt:
        interrupted = True
        print(f"\ninterrupted; go on with {rows[-1].resume}; so far:" if rows else "interrupted")
    print(table(rows))
    for row in rows:
        for text in row.failures:
            print(f"{row.promise}: {text}")
    if asked.json is not None:
        kept = [asdict(row) | {"bound": row.bound} for row in rows]
        asked.json.write_text(json.dumps({"seed": plan.seed, "rows": kept}, indent=1) + "\n")
    if interrupted:
        return 130
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
