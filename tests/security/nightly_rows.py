"""The night's share of security: frames, sockets and hostile commands (P6, P7)."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.wire.codec import CODECS
from tests.security import fuzzing, hostile_commands
from tests.security.wire_attack import attack_over_the_wire
from tests.unit.gateway.inline_desk import Floor

if TYPE_CHECKING:
    from tests.nightly import Plan, Row

FRAMES_PER_RUN = 10_000
WIRE_FRAMES_PER_RUN = 4_000
COMMANDS_PER_FLOOR = 20_000


def frames(plan: Plan, row: Row) -> None:
    """Hostile frames in process, a tenth of the commands asked for (P7)."""
    row.unit, goal = "frames", plan.commands // 10
    codecs = itertools.cycle(CODECS.values())
    for number in itertools.count(plan.first):
        if row.runs >= goal or row.failures:
            return
        row.resume = f"--seed {plan.seed} --first {number}"
        seed, codec = plan.seed * 1_000_000 + number, next(codecs)
        count = min(FRAMES_PER_RUN, goal - row.runs)
        try:
            with tempfile.TemporaryDirectory() as folder, fuzzing.nothing_logged():
                list(fuzzing.attack(Path(folder), codec, seed, count))
        except AssertionError as error:
            row.fail(f"{codec.name}, seed {seed}: {error}")
        row.runs += count
        row.progress(goal)


def wire(plan: Plan, row: Row) -> None:
    """Hostile frames through sockets, a hundredth of the commands asked for (P7)."""
    row.unit, goal = "frames", plan.commands // 100
    for number in itertools.count(plan.first):
        if row.runs >= goal or row.failures:
            return
        row.resume = f"--seed {plan.seed} --first {number}"
        seed = plan.seed * 1_000_000 + number
        try:
            with tempfile.TemporaryDirectory() as folder, fuzzing.nothing_logged():
                told = asyncio.run(attack_over_the_wire(Path(folder), seed, WIRE_FRAMES_PER_RUN))
            row.runs += told["sent"]
        except (AssertionError, TimeoutError) as error:
            row.fail(f"seed {seed}: {error}")
        row.progress(goal)


def foreign_ids(plan: Plan, row: Row) -> None:
    """Commands about somebody else's numbers, a tenth of the commands asked for (P6)."""
    goal = plan.commands // 10
    for number in itertools.count(plan.first):
        if row.runs >= goal or row.failures:
            return
        row.resume = f"--seed {plan.seed} --first {number}"
        seed, before = plan.seed * 1_000_000 + number, row.runs
        count = min(COMMANDS_PER_FLOOR, goal - row.runs)
        try:
            with tempfile.TemporaryDirectory() as folder:
                for done in hostile_commands.attack(Floor(Path(folder)), seed, count):
                    row.runs = before + done
                    row.progress(goal)
        except AssertionError as error:
            row.fail(f"seed {seed}: {error}")
        row.runs = before + count
