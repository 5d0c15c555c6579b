"""P4, P8: on seeded tapes the engine and the slow twin agree, whatever the batches.

Together the cases play more than 100,000 commands. A failure names the seed, the command and the
field; ``run_tape(seed, …)`` in ``agreement`` repeats it.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from engine.exchange import Exchange
from tests.property.agreement import run_tape
from tests.tapes import record

COMMANDS_PER_TAPE = 10_000
TAPES = 11
GIANT_COMMANDS = 1_500


def _check(seed: int, count: int, batch_max: int, flavour: str = "plain") -> None:
    done = 0
    for done, problem in run_tape(seed, count, batch_max, flavour):  # noqa: B007
        assert problem is None, f"tape seed {seed}, {flavour}, batch_max={batch_max}: {problem}"
    assert done == count


@pytest.mark.parametrize("number", range(TAPES))
def test_engine_and_twin_agree(base_seed: int, number: int) -> None:
    """Every field of every event, and all balances after every batch of random size."""
    _check(base_seed * 1_000 + number, COMMANDS_PER_TAPE, 300)


def test_every_single_command_leaves_sound_books(base_seed: int) -> None:
    """Batches of one: the engine's invariants and all balances after every command."""
    _check(base_seed * 1_000 + 500, 2_500, 1)


@pytest.mark.parametrize("number", range(4))
def test_the_largest_numbers_agree(base_seed: int, number: int) -> None:
    """Prices, quantities, fees and cash at the bounds of the door: nothing wraps around."""
    _check(base_seed * 1_000 + 600 + number, GIANT_COMMANDS, 100, "giant")


def test_wide_ladders_agree(base_seed: int) -> None:
    """Six instruments with thousands of levels each: distances that no small grid has."""
    _check(base_seed * 1_000 + 650, 6_000, 200, "wide")


@pytest.mark.parametrize("number", range(3))
def test_cutting_the_tape_elsewhere_changes_nothing(base_seed: int, number: int) -> None:
    """One batch, single commands and random cuts: same bytes of events, same digest."""
    seed = base_seed * 1_000 + 700 + number
    commands, _ = record(seed, 3_000)
    whole = Exchange()
    events = whole.apply(commands).tobytes()
    for widest in (1, 7, 500):
        sizes, other, parts, at = Random(seed), Exchange(), [], 0
        while at < len(commands):
            size = sizes.randint(1, widest)
            parts.append(other.apply(commands[at : at + size]).tobytes())
            at += size
        assert b"".join(parts) == events, f"tape seed {seed}, batches up to {widest}"
        assert other.digest() == whole.digest(), f"tape seed {seed}, batches up to {widest}"


def test_room_at_the_start_changes_nothing(base_seed: int) -> None:
    """An exchange that has to grow all the time ends where a roomy one ends."""
    seed = base_seed * 1_000 + 800
    commands, _ = record(seed, 4_000)
    narrow, roomy = Exchange(1, 1), Exchange(500, 16)
    events = [narrow.apply(part) for part in np.array_split(commands, 37)]
    assert np.concatenate(events).tobytes() == roomy.apply(commands).tobytes(), f"seed {seed}"
    assert narrow.digest() == roomy.digest(), f"tape seed {seed}"


def test_a_fork_goes_its_own_way_and_the_same_way(base_seed: int) -> None:
    """A fork shares no memory with its origin, and lacks nothing that the origin has."""
    seed = base_seed * 1_000 + 850
    commands, _ = record(seed, 4_000)
    origin = Exchange()
    for cut in (0, 1_000, 2_500):
        origin.apply(commands[origin.seq : cut])
        before, fork = origin.digest(), origin.fork()
        assert fork.digest() == before, f"tape seed {seed}, fork after {cut}"
        events = fork.apply(commands[cut : cut + 1_000])
        assert origin.digest() == before, f"tape seed {seed}, fork after {cut}"
        assert origin.apply(commands[cut : cut + 1_000]).tobytes() == events.tobytes()
        assert fork.digest() == origin.digest(), f"tape seed {seed}, fork after {cut}"
