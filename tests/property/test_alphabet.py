"""P9: the tapes reach the whole alphabet, so agreement on them means something.

Every command kind done and refused for each of its reasons, every kind tried in every phase,
every reason an order ends with, every event kind, every step from phase to phase.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from engine.reasons import EXPLANATIONS, Reason
from engine.records import Event, Kind, Phase, SessionStatus
from tests.property.alphabet import (
    ENDINGS,
    NEGOTIATION_STEPS,
    REFUSALS,
    SESSION_STEPS,
    TRANSITIONS,
)
from tests.property.test_tapes import COMMANDS_PER_TAPE, TAPES
from tests.reference import vocabulary
from tests.tapes import Tape

MAY_STEP = (
    *range(Kind.BULK_OFFER, Kind.CLOSE_SESSION + 1),
    *(Kind.KILL, Kind.FREEZE_HOLDING, Kind.MASS_CANCEL),
)


@pytest.fixture(scope="module")
def seen(base_seed: int) -> dict[str, Counter[Any]]:
    """What happens on the tapes that ``test_tapes`` plays."""
    names = ("done", "refused", "ended", "events", "steps", "tried", "talks", "sessions", "crowds")
    counts: dict[str, Counter[Any]] = {name: Counter() for name in names}
    for number in range(TAPES):
        tape = Tape(base_seed * 1_000 + number)
        for _ in range(COMMANDS_PER_TAPE):
            _count(counts, tape)
    return counts


def _count(counts: dict[str, Counter[Any]], tape: Tape) -> None:
    before, states = tape.twin.venue.phase, _states(tape)
    command, events = tape.step()
    kind, after = command["kind"], tape.twin.venue.phase
    counts["tried"][kind, before] += 1
    if before is not after:
        counts["steps"][before, after] += 1
    if not events or events[0]["kind"] != Event.REFUSED:
        counts["done"][kind] += 1
    for event in events:
        counts["events"][event["kind"]] += 1
        if event["reason"]:
            group = "refused" if event["kind"] == Event.REFUSED else "ended"
            counts[group][kind, event["reason"]] += 1
    if (kind in MAY_STEP and before is after) or kind == Kind.CLOSE_DAY:
        _count_steps(counts, tape, states)


def _states(tape: Tape) -> dict[Any, int]:
    """Where every negotiation and session of the day stands."""
    venue = tape.twin.venue
    found: dict[Any, int] = {("talks", n): t.status for n, t in enumerate(venue.negotiations)}
    return found | {("sessions", n): s.status for n, s in venue.sessions.items()}


def _count_steps(counts: dict[str, Counter[Any]], tape: Tape, before: dict[Any, int]) -> None:
    for (name, number), status in _states(tape).items():
        old = before.get((name, number), 0)
        if old != status:
            counts[name][old, status] += 1
    alive = tuple(map(int, (SessionStatus.APPLIED, SessionStatus.NOTICED, SessionStatus.OPEN)))
    together = [s for s in tape.twin.venue.sessions.values() if s.status in alive]
    counts["crowds"][len(together)] += 1


def test_every_kind_is_done(seen: dict[str, Counter[Any]]) -> None:
    """No command kind is only ever refused."""
    assert [kind.name for kind in Kind if not seen["done"][kind]] == []


def test_every_kind_is_refused_for_each_of_its_reasons(seen: dict[str, Counter[Any]]) -> None:
    """The pairs of the contract occur, and no others do."""
    pairs = {(kind, reason) for kind, reasons in REFUSALS.items() for reason in reasons}
    missing = [f"{k.name} {r.name}" for k, r in sorted(pairs) if not seen["refused"][k, r]]
    assert missing == [], "the tapes never see these refusals: widen tests/tapes.py"
    others = {
        (kind, reason)
        for kind, reason in seen["refused"]
        if (kind, reason) not in pairs and reason != Reason.UNKNOWN_KIND
    }
    assert others == set(), "refusals that the table of precedence does not have"


def test_every_kind_is_tried_in_every_phase(seen: dict[str, Counter[Any]]) -> None:
    """Also those that the phase does not take."""
    missing = [f"{k.name} in {p.name}" for k in Kind for p in Phase if not seen["tried"][k, p]]
    assert missing == []


def test_every_reason_and_event_occurs(seen: dict[str, Counter[Any]]) -> None:
    """Every number of ``Reason`` and of ``Event``; orders end for the reasons they may end with."""
    reasons = {reason for _, reason in seen["refused"]} | {reason for _, reason in seen["ended"]}
    assert [r.name for r in Reason if r is not Reason.NONE and r not in reasons] == []
    assert [event.name for event in Event if not seen["events"][event]] == []
    assert set(seen["ended"]) == ENDINGS


def test_every_step_from_phase_to_phase_occurs(seen: dict[str, Counter[Any]]) -> None:
    """The ten arrows of the day, and no other."""
    assert set(seen["steps"]) == TRANSITIONS


def test_negotiations_and_sessions_take_every_step(seen: dict[str, Counter[Any]]) -> None:
    """Every arrow of TR-72 and TR-81…88, and no other; several sessions live side by side."""
    assert set(seen["talks"]) == NEGOTIATION_STEPS
    assert set(seen["sessions"]) == SESSION_STEPS
    assert sum(times for together, times in seen["crowds"].items() if together >= 3) > 100


SHARED = (
    *("Kind", "Event", "Phase", "Reason", "Mode", "Parameter", "Modality", "Pricing", "Cause"),
)


@pytest.mark.parametrize("name", SHARED)
def test_both_vocabularies_have_the_same_numbers(name: str) -> None:
    """The twin declares every number itself; a renumbering or a new member shows here."""
    from engine import reasons, records

    ours = getattr(reasons if name == "Reason" else records, name)
    assert {m.name: m.value for m in ours} == {m.name: m.value for m in getattr(vocabulary, name)}


def test_every_reason_is_explained() -> None:
    """A sentence for people, and no sentence for a reason that is gone."""
    assert set(EXPLANATIONS) == set(Reason)
    assert all(e.sentence.endswith(".") for e in EXPLANATIONS.values())
