"""Killed at the named places, and stopped by a bad disk: nothing acknowledged is lost (P1).

The recorder of answers is a process of its own. Every named place here; random ones and more of
them at night (``python -m tests.nightly``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.journal.sequencer import EXIT_JOURNAL, EXIT_STALLED
from tests.recovery.kill_cycles import KILLED, NEEDS_A_NEW_DAY, Cycle, Cycles, Outcome

HALVES = (("APPENDING", "HALF_WRITTEN", "WRITTEN", "SYNCED"), ("APPLIED", *NEEDS_A_NEW_DAY))


def sound(outcome: Outcome, what: object) -> None:
    assert outcome.problems == [], (what, outcome)


@pytest.mark.parametrize("half", HALVES)
def test_killed_at_every_named_place_nothing_acknowledged_is_lost(
    tmp_path: Path, half: tuple[str, ...], base_seed: int
) -> None:
    cycles = Cycles(tmp_path, accounts=10, seed=base_seed)
    day = acknowledged = 0
    sound(cycles.run(Cycle()), "a first life")
    for fault in KILLED:
        place = fault.partition(":")[0]
        if place not in half and not (place == "RECOVERING" and "APPLIED" in half):
            continue
        day += place in NEEDS_A_NEW_DAY
        outcome = cycles.run(Cycle(fault, day))
        sound(outcome, fault)
        acknowledged += outcome.acknowledged
        if place not in NEEDS_A_NEW_DAY:  # a day begins when the door opens: either may be first
            assert outcome.served == (place != "RECOVERING"), fault
    cycles.kill_while_starting(Cycle(day=day))
    last = cycles.run(Cycle(day=day))
    sound(last, "a life after all deaths")
    assert acknowledged + last.acknowledged > 20, "the deaths came too early to mean anything"


BAD_DISKS = {
    "SYNC_EIO:6": EXIT_JOURNAL,  # F11
    "FULL_BATCH:5": EXIT_JOURNAL,  # F13
    "SYNC_HANGS:6": EXIT_STALLED,  # F19
}


def test_a_bad_disk_ends_the_process_with_a_code_of_its_own(tmp_path: Path, base_seed: int) -> None:
    """F11, F13, F19: one failed sync is the end, although the next one would succeed."""
    cycles = Cycles(tmp_path, accounts=4, seed=base_seed)
    for fault, code in BAD_DISKS.items():
        outcome = cycles.run(Cycle(fault, exit_code=code))
        sound(outcome, fault)
        assert outcome.served
        if code == EXIT_STALLED:
            assert outcome.dying_s < 7, "five seconds are promised, and two for a busy machine"
    sound(cycles.run(Cycle()), "a life after all of them")
