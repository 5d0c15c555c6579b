"""Snapshots: whole or not there, believed only if they verify, and a witness of the journal."""

import asyncio
import datetime as dt
import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.exchange import Exchange
from engine.records import Kind
from engine.state import State
from gateway import recovery
from gateway.client import Client
from gateway.desk import day_record
from gateway.desk.reports import reports
from gateway.journal import snapshots
from gateway.journal.disk import Disk, Point
from gateway.journal.journal import ARCHIVE, Journal, JournalDamageError, Mark
from gateway.journal.snapshots import CLOSED, Snapshot, SnapshotDamageError, Snapshots, pack, unpack
from gateway.serve import Options, running
from gateway.venue import Venue
from registry.institution import Registry
from tests.e2e.live_venue import RunningClock
from tests.recovery.lived import DAYS, lived, lived_on, use_small_segments
from tests.tapes import record


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_segments(monkeypatch)


def played(seed: int, count: int) -> Exchange:
    tape, _ = record(seed, count)
    exchange = Exchange()
    exchange.apply(tape)
    return exchange


def snapshot_of(exchange: Exchange, memory: bytes = b"memory") -> Snapshot:
    mark = Mark(exchange.seq, bytes(range(32)))
    return Snapshot(mark, exchange.state.copy(), memory, frozenset({b"P1", b"P2"}))


def test_a_snapshot_is_read_as_it_was_written(tmp_path: Path, base_seed: int) -> None:
    exchange = played(base_seed * 1000 + 611, 600)
    kept = Snapshots(tmp_path / "snapshots")
    written = snapshot_of(exchange)
    path = kept.keep(written)
    found, marks = kept.load()
    assert found is not None
    assert found.state.digest() == exchange.digest()
    assert (found.mark, found.memory, found.executed) == (
        written.mark,
        written.memory,
        written.executed,
    )
    assert marks == [written.mark]
    assert path.stat().st_mode & 0o077 == 0


def test_the_state_holds_nothing_but_arrays_and_the_width() -> None:
    """Whatever else it held would be missing from a snapshot."""
    held = vars(State())
    assert {name for name, value in held.items() if not isinstance(value, np.ndarray)} == {"width"}
    assert {*held} - {"width"} == {*State().used()}


def test_every_damaged_byte_of_a_snapshot_is_noticed(base_seed: int) -> None:
    data = b"".join(pack(snapshot_of(played(base_seed * 1000 + 612, 40))))
    chance = np.random.default_rng(base_seed)
    places = {*range(300), *range(len(data) - 64, len(data))}
    places |= set(chance.integers(0, len(data), 400).tolist())
    for at in sorted(places):
        changed = bytearray(data)
        changed[at] ^= 1 << int(chance.integers(8))
        with pytest.raises(SnapshotDamageError):
            unpack(bytes(changed))
    for length in (0, 1, 15, 16, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(SnapshotDamageError):
            unpack(data[:length])


def test_a_damaged_snapshot_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    kept = Snapshots(tmp_path)
    exchange = played(5, 300)
    first = kept.keep(snapshot_of(exchange))
    second = kept.keep(replace(snapshot_of(exchange), mark=Mark(exchange.seq + 1, bytes(32))))
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 4
    second.write_bytes(content)
    found, marks = kept.load()
    assert found is not None
    assert found.mark.seq == exchange.seq
    assert [mark.seq for mark in marks] == [exchange.seq], "a damaged one is no witness"
    first.unlink()
    assert kept.load() == (None, [])


def test_another_build_does_not_start_from_a_snapshot_but_believes_the_witness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Snapshots(tmp_path)
    exchange = played(6, 100)
    kept.keep(snapshot_of(exchange))
    monkeypatch.setattr(snapshots, "build", lambda: "another")
    found, marks = kept.load()
    assert found is None
    assert [mark.seq for mark in marks] == [exchange.seq]


def test_only_the_newest_snapshots_are_kept(tmp_path: Path) -> None:
    kept, exchange = Snapshots(tmp_path), played(7, 50)
    for seq in (10, 20, 30):
        kept.keep(replace(snapshot_of(exchange), mark=Mark(seq, bytes(32))))
    assert [int(path.name[9:21]) for path in kept.paths()] == [30, 20]
    assert kept.oldest_seq() == 20


class FullDisk(Disk):
    """Has no room for a snapshot."""

    def create(self, path: Path, capacity_bytes: int) -> int:
        if path.parent.name == "snapshots":
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().create(path, capacity_bytes)


def test_a_full_disk_costs_the_snapshot_and_nothing_else_f13(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Journal.__init__, "__kwdefaults__", {"disk": None, "segment_bytes": 10**6})
    monkeypatch.setattr("gateway.journal.journal.Disk", FullDisk)
    asyncio.run(lived(tmp_path))
    assert [each for each in caplog.messages if "no room for a snapshot" in each]
    monkeypatch.undo()
    assert Snapshots(tmp_path / "snapshots").load() == (None, [])
    assert len(recovered(tmp_path)["bulletins"]) == 2


class EndsAt(Disk):
    """Ends with an exception at a named place, as if the process were killed there."""

    def __init__(self, point: Point) -> None:
        self.point = point

    def passed(self, point: Point) -> None:
        if point is self.point:
            raise KeyboardInterrupt


@pytest.mark.parametrize("point", [Point.SNAPSHOT_HALF, Point.RENAMED])
def test_a_snapshot_cut_short_leaves_the_old_one_f06_f07(tmp_path: Path, point: Point) -> None:
    exchange = played(8, 120)
    Snapshots(tmp_path).keep(snapshot_of(exchange))
    later = replace(snapshot_of(exchange), mark=Mark(exchange.seq + 9, bytes(32)))
    with pytest.raises(KeyboardInterrupt):
        Snapshots(tmp_path, EndsAt(point)).keep(later)
    found, _ = Snapshots(tmp_path).load()
    assert found is not None
    expected = exchange.seq + (9 if point is Point.RENAMED else 0)
    assert found.mark.seq == expected
    assert found.state.digest() == exchange.digest()
    assert not (tmp_path / "unborn").exists()


# a venue that lives three days


def remembered(venue: Venue) -> dict[str, Any]:
    """Everything of a recovered venue that somebody could ask for."""
    record, feed = venue.record, venue.feed
    streams = {}
    for owner in sorted(record.streams):
        refs = record.refs(owner, 1, 10**6)
        streams[owner] = reports(record, venue.desk.codes, refs, np.arange(1, len(refs) + 1))
    oversight = venue.oversight
    return {
        "digest": venue.exchange.digest(),
        "streams": streams,
        "ids": {owner: ids for owner, ids in record.ids.items() if ids},
        "orders": record.order_seq.all.tolist(),
        "bulletins": feed.bulletins,
        "surveillance": {date: oversight.report(date) for date in oversight.dates},
        "figures": [vintage.line() for vintage in feed.figures.vintages],
        "totals": [[t.row() for t in v.totals] for v in feed.figures.vintages],
        "composite": feed.figures.composite_line(),
        "listings": [[book.side(side).best(99) for side in (1, 2)] for book in feed.books],
        "executed": venue.executed,
    }


PAGES = (
    *("instruments", "bulletins", *(f"bulletins/{date:%Y%m%d}" for date in DAYS[:2])),
    *("depth/CEA25", "bulk/CEA25", "sessions/CEA25"),
    *("account", "orders", "trades"),
)


async def pages(folder: Path) -> dict[str, object]:
    """What REST answers, by page, after a restart over ``folder``."""
    clock = RunningClock(dt.datetime.combine(DAYS[-1], dt.time(9, 50)))
    async with running(Options(clock=lambda _: clock, port=0, data_dir=folder)) as served:
        (key, *_) = served.venue.keys.of_account(0)
        async with Client(served.url, key.key_id, key.secret) as client:
            answers = {page: await client.get(f"/api/{page}") for page in PAGES}
        snapshot = served.venue.feed.snapshot("CEA25")
        said = json.loads(json.dumps(snapshot, default=_fields))
    return {"snapshot": without_prev(said)} | {
        page: without_prev(answer) for page, answer in answers.items()
    }


def without_prev(content: object) -> object:
    """Leave out which picture was sent before: a replay sends fewer of them."""
    if isinstance(content, dict):
        return {name: without_prev(value) for name, value in content.items() if name != "prev"}
    return [without_prev(each) for each in content] if isinstance(content, list) else content


def _fields(struct: object) -> dict[str, object]:
    assert isinstance(struct, msgspec.Struct)
    return msgspec.structs.asdict(struct)


def recovered(folder: Path) -> dict[str, Any]:
    venue = Venue.recover(folder)
    try:
        return remembered(venue)
    finally:
        venue.journal.close()
        venue.registry.close()


@pytest.mark.parametrize("rows", [5, recovery.REPLAY_ROWS])
def test_started_from_a_snapshot_everything_is_as_replayed_from_the_beginning(
    tmp_path: Path,
    small_segments: None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
) -> None:
    monkeypatch.setattr(recovery, "REPLAY_ROWS", rows)
    monkeypatch.setattr(day_record, "RECALLED_REFS", rows)
    asyncio.run(lived(tmp_path / "lived"))
    folder = tmp_path / "lived"
    assert len(Snapshots(folder / "snapshots").paths()) == 2
    assert len(list((folder / "journal" / ARCHIVE).glob("*.seg"))) >= 2
    shutil.copytree(folder, tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole" / "snapshots")
    with caplog.at_level("INFO", "gateway.recovery"):
        tail, whole = recovered(folder), recovered(tmp_path / "whole")
    said = [each.args for each in caplog.records if "replayed" in each.message]
    starts = [int(args[1]) for args in said if isinstance(args, tuple)]
    assert starts[0] > 30, "the first one did not start from a snapshot"
    assert starts[1] == 1
    for part, expected in whole.items():
        assert tail[part] == expected, part
    assert len(whole["bulletins"]) == 2
    assert whole["streams"]
    from_snapshot, from_start = (asyncio.run(pages(each)) for each in (folder, tmp_path / "whole"))
    for page, answer in from_start.items():
        assert from_snapshot[page] == answer, page


def test_a_journal_behind_its_witness_is_refused_and_the_loss_named_f17(
    tmp_path: Path, small_segments: None
) -> None:
    folder = tmp_path / "lived"
    asyncio.run(lived(folder))
    segments = sorted((folder / "journal").glob("*.seg"))
    newest = Snapshots(folder / "snapshots").load()[0]
    assert newest is not None
    (folder / "snapshots" / CLOSED).unlink()  # the snapshot alone is witness enough
    for path in segments[1:]:
        path.unlink()
    with pytest.raises(JournalDamageError, match=rf"to {newest.mark.seq} are lost") as refused:
        Venue.recover(folder)
    assert "snapshot" in str(refused.value)


def test_the_registry_is_a_witness_too(tmp_path: Path) -> None:
    """It has heard of money that left, of which the journal knows nothing any more."""
    folder = tmp_path / "lived"
    asyncio.run(lived(folder))
    with Registry.open(f"sqlite:///{folder / 'registry.db'}") as registry:
        assert registry.heard_seq() == 0
        registry.receive_out(100_000, Kind.CASH_OUT, 0, None, 5)
        assert registry.heard_seq() == 100_000
    with pytest.raises(JournalDamageError, match="the registry has seen command 100000"):
        Venue.recover(folder)


def test_a_torn_last_batch_is_refused_where_a_clean_stop_has_seen_it(tmp_path: Path) -> None:
    folder = tmp_path / "lived"
    asyncio.run(lived(folder))
    (path,) = (folder / "journal").glob("*.seg")
    content = path.read_bytes()
    used = len(content.rstrip(b"\0"))
    path.write_bytes(content[: used - 9] + bytes(len(content) - used + 9))
    before = path.read_bytes()
    with pytest.raises(JournalDamageError, match="clean stop"):
        Venue.recover(folder)
    assert path.read_bytes() == before, "the evidence is still there"
    (folder / "snapshots" / CLOSED).unlink()
    Venue.recover(folder).journal.close()


def test_an_old_copy_of_the_journal_is_another_history(
    tmp_path: Path, small_segments: None
) -> None:
    """Restored from a copy and traded on: longer than the witness knows, yet not the same."""
    folder = tmp_path / "lived"
    asyncio.run(lived(folder))
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    shutil.rmtree(old / "snapshots")
    asyncio.run(lived_on(old))
    closed = json.loads((old / "snapshots" / CLOSED).read_text())
    closed["chain"] = "00" * 32
    (folder / "snapshots" / CLOSED).write_text(json.dumps(closed | {"seq": closed["seq"] - 1}))
    for path in (folder / "journal").rglob("*.seg"):
        path.unlink()
    shutil.copytree(old / "journal", folder / "journal", dirs_exist_ok=True)
    with pytest.raises(JournalDamageError, match="another history"):
        Venue.recover(folder)
