"""P2: a replay gives every byte again, from the beginning or from any snapshot; and its command.

The long tape is of 10⁶ commands here (TANSHI_REPLAY_COMMANDS), of 10⁷ at night.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from engine.exchange import Exchange
from gateway.journal.journal import Mark
from gateway.journal.replay import Player
from gateway.journal.snapshots import Snapshot, Snapshots, pack, unpack
from tanshi import app
from tests.recovery.lived import lived, use_small_segments
from tests.recovery.long_tape import write
from tests.tapes import record

ROOT = Path(__file__).parents[2]
LONG = int(os.environ.get("TANSHI_REPLAY_COMMANDS", "1000000"))
POINTS = 2_000
FULL_TAILS = int(os.environ.get("TANSHI_FULL_TAILS", "100"))  # one point in so many; 1 at night
NEXT = 25  # commands that follow every point


def replay_elsewhere(folder: Path, hash_seed: str, *options: str) -> dict[str, object]:
    """``tanshi replay`` in a process of its own with another hash seed."""
    figures = folder.parent / f"figures-{hash_seed}.json"
    done = subprocess.run(
        [sys.executable, "-m", "tanshi", "replay", str(folder), "--json", str(figures), *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, object] = json.loads(figures.read_text())
    return found


def test_a_long_tape_is_replayed_to_the_byte_in_other_processes(
    tmp_path: Path, base_seed: int
) -> None:
    exchange = write(tmp_path / "venue", LONG, base_seed)
    first, second = (replay_elsewhere(tmp_path / "venue", seed) for seed in ("1", "4242"))
    same = ("digest", "events_sha256", "chain", "commands", "events", "snapshots_compared")
    assert {name: first[name] for name in same} == {name: second[name] for name in same}
    assert first["digest"] == exchange.digest()
    assert first["snapshots_compared"], "no snapshot lay on the way"
    assert isinstance(first["commands"], int)
    assert first["commands"] >= LONG - 100
    tail = replay_elsewhere(tmp_path / "venue", "7", "--from-snapshot")
    assert tail["digest"] == exchange.digest()
    assert isinstance(tail["first_seq"], int)
    assert tail["first_seq"] > LONG // 2


def test_starting_from_a_snapshot_at_every_point_gives_the_same(base_seed: int) -> None:
    seed = base_seed * 1000 + 77
    tape, _ = record(seed, POINTS)
    exchange = Exchange()
    expected = [exchange.apply(tape[row : row + 1]).tobytes() for row in range(POINTS)]
    end = exchange.digest()
    walker = Exchange()
    for point in range(POINTS):
        again = Exchange()
        snapshot = Snapshot(Mark(point, bytes(32)), walker.state)
        again.state = unpack(b"".join(pack(snapshot))).state  # which reckons the digest anew
        whole = point % FULL_TAILS == 0
        last = POINTS if whole else min(POINTS, point + NEXT)
        events = again.apply(tape[point:last]).tobytes()
        assert events == b"".join(expected[point:last]), f"tape seed {seed}, from {point} on"
        assert not whole or again.digest() == end, f"tape seed {seed}, from {point} on"
        walker.apply(tape[point : point + 1])


@pytest.fixture(scope="module")
def a_life(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a venue that lived three days, with archived segments and two snapshots."""
    folder = tmp_path_factory.mktemp("life") / "venue"
    with pytest.MonkeyPatch.context() as patch:
        use_small_segments(patch)
        asyncio.run(lived(folder))
    return folder


def tanshi(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, [str(each) for each in arguments])
    return found.exit_code, found.output


def test_the_command_prints_what_was_found_and_ends_with_0(a_life: Path, tmp_path: Path) -> None:
    code, said = tanshi("replay", a_life, "--json", tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert code == 0, said
    assert figures["identical"] is True
    assert len(figures["snapshots_compared"]) == 2
    assert figures["commands"] == figures["seq"] > 50
    for figure in (figures["digest"], figures["events_sha256"], figures["chain"]):
        assert figure in said
    assert "commands/s" in said
    code, said = tanshi("doctor", "--data", a_life)
    assert code == 0, said
    assert figures["digest"] in said, "the doctor reads archived segments too"


def test_a_replay_may_end_early(a_life: Path) -> None:
    whole = Player(a_life).play()
    seen = hashlib.sha256()
    for to in (1, 2, whole.seq // 2, whole.seq - 1):
        player = Player(a_life, to=to)
        result = player.play()
        assert (result.seq, result.commands, result.complete) == (to, to, False)
        seen.update(result.digest.encode())
    assert Player(a_life, to=whole.seq + 1).play().digest == whole.digest


def test_what_differs_from_a_snapshot_ends_with_1(a_life: Path, tmp_path: Path) -> None:
    """A snapshot that is sound in itself, but of a state that never was."""
    shutil.copytree(a_life, tmp_path / "venue")
    kept = Snapshots(tmp_path / "venue" / "snapshots")
    found, _ = kept.load()
    assert found is not None
    found.state.accounts[0]["cash_available_fen"] += 1
    kept.keep(found)
    code, said = tanshi("replay", tmp_path / "venue")
    assert code == 1, said
    assert f"after command {found.mark.seq} the digest is" in said.replace("\n", " ")
    assert "NOT identical" in said


def test_a_journal_that_ends_before_its_snapshot_ends_with_1(a_life: Path, tmp_path: Path) -> None:
    shutil.copytree(a_life, tmp_path / "venue")
    segments = sorted((tmp_path / "venue" / "journal").glob("*.seg"))
    for path in segments[1:]:
        path.unlink()
    code, said = tanshi("replay", tmp_path / "venue")
    assert code == 1, said
    assert "a snapshot has seen command" in said


@pytest.mark.parametrize("what", ["flipped", "missing", "empty"])
def test_a_damaged_journal_ends_with_2(a_life: Path, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "venue"
    shutil.copytree(a_life, folder)
    path = sorted((folder / "journal" / "archive").glob("*.seg"))[1]
    if what == "flipped":
        content = bytearray(path.read_bytes())
        content[1500] ^= 1
        path.write_bytes(content)
    elif what == "missing":
        path.unlink()
    else:
        shutil.rmtree(folder / "journal")
        (folder / "journal").mkdir()
    code, said = tanshi("replay", folder)
    assert code == 2, said
    assert "cannot be replayed" in said


def test_an_interrupted_replay_says_so(a_life: Path) -> None:
    player = Player(a_life)
    apply = player.exchange.apply
    batches: list[np.ndarray] = []

    def interrupted(batch: np.ndarray) -> np.ndarray:
        if batches:
            raise KeyboardInterrupt
        batches.append(batch)
        return apply(batch)

    player.exchange.apply = interrupted
    result = player.play()
    assert result.interrupted
    assert not result.complete
    assert 0 < result.seq < Player(a_life).play().seq
