"""F23: a command that stops the exchange stops every start, until an operator turns it away."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from rich.prompt import Confirm, Prompt
from typer.testing import CliRunner

from engine.exchange import Exchange
from engine.handlers import COLD_HANDLERS
from engine.reasons import Reason
from engine.records import Event, Kind, commands
from gateway.desk.reports import reports
from gateway.journal.journal import Journal, JournalDamageError
from gateway.journal.quarantine import (
    NAME,
    PoisonError,
    Quarantine,
    Record,
    command_sha256,
    signature,
)
from gateway.journal.replay import Player, find_poison
from gateway.keys import Key, Keys
from gateway.venue import Venue
from tanshi import app
from tests.unit.gateway.test_sequencer import StandingClock, account_openings

POISON = 4


def broken(*_: object) -> None:
    raise ZeroDivisionError("a bug")


@pytest.fixture
def poisoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Key]:
    """Ten commands; the exchange cannot apply the fourth one. And an operator's key."""
    journal = Journal(tmp_path / "journal")
    list(journal.replay())
    for first in (1, 6):
        batch = commands(5)
        batch[:] = account_openings(first - 1, 5)
        batch["seq"] = np.arange(first, first + 5)
        batch["time_ns"] = 10**18
        batch["account"] -= batch["seq"] > POISON  # the fourth does not open one
        if first == 1:
            batch["kind"][POISON - 1] = Kind.NOOP
            batch["client_order_id"][POISON - 1] = b"poison"
        journal.append(batch.tobytes(), first)
    journal.close()
    monkeypatch.setitem(COLD_HANDLERS, Kind.NOOP, broken)
    return tmp_path, Keys(tmp_path / "keys.json").create_office("exchange_operator", "Wei")


def answer(monkeypatch: pytest.MonkeyPatch, secret: str, confirmed: bool = True) -> None:
    monkeypatch.setattr(Prompt, "ask", lambda *_args, **_options: secret)
    monkeypatch.setattr(Confirm, "ask", lambda *_args, **_options: confirmed)


def quarantine(folder: Path, key: Key, seq: int = POISON) -> tuple[int, str]:
    arguments = ["quarantine", str(seq), "--why", "divides by zero", "--key", key.key_id]
    found = CliRunner().invoke(app, [*arguments, "--data", str(folder)])
    return found.exit_code, found.output


def test_every_start_names_the_poison(poisoned: tuple[Path, Key]) -> None:
    folder, _ = poisoned
    for _ in range(2):
        with pytest.raises(PoisonError, match=f"command {POISON} stops the exchange"):
            Venue.recover(folder)
    found = CliRunner().invoke(app, ["replay", str(folder)])
    assert found.exit_code == 2
    assert f"command {POISON} stops the exchange" in found.output


def test_an_operator_turns_it_into_a_refusal_that_stays(
    poisoned: tuple[Path, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, key = poisoned
    journalled = sorted((folder / "journal").glob("*.seg"))[0].read_bytes()
    answer(monkeypatch, key.secret)
    code, said = quarantine(folder, key)
    assert code == 0, said
    assert sorted((folder / "journal").glob("*.seg"))[0].read_bytes() == journalled
    first = Player(folder).play()
    assert first.quarantined == [POISON]
    assert first.seq == 10
    for _ in range(2):
        venue = Venue.recover(folder)
        assert venue.exchange.digest() == first.digest
        assert int(venue.exchange.state.market[0]["accounts"]) == 9
        venue.journal.close()
        venue.registry.close()
        venue.history.close()
    (record,) = Quarantine(folder / "journal").records
    assert (record.seq, record.key_id, record.why) == (POISON, key.key_id, "divides by zero")
    assert record.signature == signature(key.secret, record)
    assert find_poison(folder) is None
    found = CliRunner().invoke(app, ["replay", str(folder)])
    assert found.exit_code == 0
    assert f"quarantined commands: {POISON}" in found.output


def test_the_refusal_is_an_event_like_any_other(poisoned: tuple[Path, Key]) -> None:
    folder, key = poisoned
    poison = find_poison(folder)
    assert poison is not None
    assert poison.seq == POISON
    kept = Quarantine(folder / "journal")
    unsigned = record_of(folder, "by hand")
    kept.add(Record(**{**unsigned.__dict__, "signature": signature(key.secret, unsigned)}))
    exchange = Exchange()
    events = np.concatenate([exchange.apply(batch) for batch in Player(folder).batches()])
    (refused,) = events[events["kind"] == Event.REFUSED]
    assert (int(refused["seq"]), int(refused["reason"])) == (POISON, Reason.UNKNOWN_KIND)


def record_of(folder: Path, why: str) -> Record:
    poison = find_poison(folder)
    assert poison is not None
    last = Quarantine(folder / "journal").last
    return Record(POISON, command_sha256(poison.command), "k", why, 1, last)


@pytest.mark.parametrize("what", ["another seq", "wrong secret", "another role", "not confirmed"])
def test_what_is_not_in_order_writes_nothing(
    poisoned: tuple[Path, Key], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    folder, key = poisoned
    if what == "another role":
        key = Keys(folder / "keys.json").create_office("registry_maker", "Li")
    secret = "0" * 64 if what == "wrong secret" else key.secret
    answer(monkeypatch, secret, confirmed=what != "not confirmed")
    code, said = quarantine(folder, key, POISON + (what == "another seq"))
    assert code == 2, said
    assert not (folder / "journal" / NAME).exists()


@pytest.mark.parametrize("what", ["command", "chain", "text"])
def test_a_record_that_was_changed_is_not_believed(
    poisoned: tuple[Path, Key], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    folder, key = poisoned
    answer(monkeypatch, key.secret)
    assert quarantine(folder, key)[0] == 0
    path = folder / "journal" / NAME
    said = json.loads(path.read_text())
    if what == "command":
        said["seq"] = POISON - 1
    elif what == "chain":
        said["previous"] = "1" * 64
    path.write_text("nonsense\n" if what == "text" else json.dumps(said) + "\n")
    with pytest.raises(JournalDamageError, match="quarantine"):
        Venue.recover(folder)


def test_a_torn_record_was_never_confirmed(poisoned: tuple[Path, Key]) -> None:
    folder, _ = poisoned
    (folder / "journal" / NAME).write_text('{"seq": 4, "comm')
    assert Quarantine(folder / "journal").records == []


def test_a_live_venue_stops_at_a_poison_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told; the process ends with the exchange's own code."""

    async def main() -> list[BaseException]:
        stopped: list[BaseException] = []
        venue = Venue.recover(tmp_path)
        await venue.start(StandingClock(10**18), stop=stopped.append)
        monkeypatch.setitem(COLD_HANDLERS, Kind.NOOP, broken)
        batch = commands(1)
        batch["kind"] = Kind.NOOP
        done = venue.sequencer.submit(batch)
        await asyncio.wait({done}, timeout=0.3)
        assert not done.done(), "nobody hears of it"
        await venue.close()
        return stopped

    assert isinstance(asyncio.run(main())[0], ZeroDivisionError)
    with pytest.raises(PoisonError):
        Venue.recover(tmp_path)


def test_its_sender_learns_that_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal")
    list(journal.replay())
    batch = commands(2)
    batch["seq"], batch["time_ns"], batch["account"] = (1, 2), 10**18, 0
    batch["kind"] = (Kind.OPEN_ACCOUNT, Kind.CASH_OUT)
    batch["amount"], batch["client_order_id"] = 5, (b"", b"mine")
    journal.append(batch.tobytes(), 1)
    journal.close()
    monkeypatch.setitem(COLD_HANDLERS, Kind.CASH_OUT, broken)
    key = Keys(tmp_path / "keys.json").create_office("exchange_operator", "Wei")
    answer(monkeypatch, key.secret)
    assert quarantine(tmp_path, key, 2)[0] == 0
    venue = Venue.recover(tmp_path)
    try:
        record = venue.record
        assert record.ids[0] == {"mine": 2}
        (said,) = reports(record, venue.desk.codes, record.refs(0, 1, 9), np.array([1]))
        assert (said.code, said.client_order_id) == ("unknown_kind", "mine")
    finally:
        venue.journal.close()
        venue.registry.close()
        venue.history.close()
