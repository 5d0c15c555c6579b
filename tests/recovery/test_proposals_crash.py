"""Stopped between an approval and the journal, a venue executes it once when it is back (ST-07)."""

import asyncio
from pathlib import Path

import numpy as np

from engine.records import Kind
from gateway.desk.day_record import office
from gateway.desk.proposals import Proposals
from gateway.journal.journal import Journal
from gateway.keys import OFFICE_FIRST
from gateway.venue import Venue
from tests.unit.gateway.test_sequencer import StandingClock

NAMED = {"account": 0, "instrument": "CEA25", "qty_tonnes": 5}


def run(folder: Path) -> np.ndarray:
    """Start the venue, let it settle, stop it; return the commands of two people in its journal."""

    async def main() -> None:
        venue = Venue.recover(folder)
        await venue.start(StandingClock(10**18))
        await asyncio.sleep(0.2)
        await venue.close()

    asyncio.run(main())
    journal = Journal(folder / "journal")
    found = np.concatenate(list(journal.replay()))
    journal.close()
    return found[found["checker"] > 0]


def test_an_approved_proposal_is_executed_exactly_once(tmp_path: Path) -> None:
    kept = Proposals(tmp_path / "proposals.jsonl")
    for name in ("a", "b"):
        stored = kept.propose("freeze_holding", NAMED, OFFICE_FIRST, name)
        if name == "a":
            kept.decide(stored.proposal_id, OFFICE_FIRST + 1, approved=True)
    for _ in range(2):
        found = run(tmp_path)
        assert found["client_order_id"].tolist() == [b"P1"]
        (command,) = found
        assert int(command["kind"]) == Kind.FREEZE_HOLDING
        assert (int(command["operator"]), int(command["checker"])) == (
            OFFICE_FIRST,
            OFFICE_FIRST + 1,
        )
        assert (int(command["account"]), int(command["qty_tonnes"])) == (0, 5)


def test_the_streams_of_people_are_rebuilt(tmp_path: Path) -> None:
    kept = Proposals(tmp_path / "proposals.jsonl")
    stored = kept.propose("freeze_holding", NAMED, OFFICE_FIRST, "a")
    kept.decide(stored.proposal_id, OFFICE_FIRST + 1, approved=True)
    run(tmp_path)
    venue = Venue.recover(tmp_path)
    streams = {office(OFFICE_FIRST), office(OFFICE_FIRST + 1)}
    assert streams <= set(venue.record.streams)
    venue.journal.close()
    venue.registry.close()
