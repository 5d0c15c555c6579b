"""Make a failing tape short: ``python -m tests.property.shrink SEED COUNT [plain|wide|giant]``.

Leaves out ever smaller stretches of commands as long as engine and twin still differ, then prints
what is left, one command a line. (The twin plays the shortened tape anew, so every subset of the
commands is a fair question.)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from engine.exchange import Exchange
from engine.records import Kind
from tests.property.agreement import play, unlike_or_unsound
from tests.reference import Twin
from tests.tapes import BLANK, CommandDict, Tape

Item = TypeVar("Item")  # a command, or whatever else a failing list is made of


def difference(commands: list[CommandDict]) -> str | None:
    """Play commands one by one on both sides; return the first difference, None without one."""
    engine, twin = Exchange(), Twin()
    for number, command in enumerate(commands, 1):
        numbered = command | {"seq": number}  # the time stays: timers run out by it
        problem = play(engine, [numbered], twin.apply(numbered))
        if problem is not None:
            return problem
    return unlike_or_unsound(engine, twin)


def shrink(commands: list[Item], fails: Callable[[list[Item]], object]) -> list[Item]:
    """Return a shorter list that still fails; no single command of it can be left out."""
    size = max(1, len(commands) // 2)
    while True:
        at, shorter = 0, False
        while at < len(commands):
            candidate = commands[:at] + commands[at + size :]
            if fails(candidate):
                commands, shorter = candidate, True
            else:
                at += size
        if size == 1 and not shorter:
            return commands
        size = max(1, size // 2)


def describe(command: CommandDict) -> str:
    """Write a command as its kind and the fields that say something."""
    kinds = {kind.value: kind.name for kind in Kind}
    shown = {k: v for k, v in command.items() if v != BLANK[k] and k not in ("seq", "time_ns")}
    number = shown.pop("kind", 0)
    return f"{kinds.get(number, number)} {shown}"


def main(arguments: list[str]) -> int:
    """Record, shrink, print; 0 if the tape does not fail at all."""
    seed, count, flavour = int(arguments[0]), int(arguments[1]), (arguments[2:] or ["plain"])[0]
    tape = Tape(seed, flavour)
    commands = [tape.step()[0] for _ in range(count)]
    if difference(commands) is None:
        print("engine and twin agree on this tape")
        return 0
    shortest = shrink(commands, difference)
    print("\n".join(describe(command) for command in shortest))
    print(difference(shortest))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
