"""``tanshi load`` as a process: what it keeps when the venue dies, when it is interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.gateway_servers import Server, server
from benchmarks.load.record import Record, read

SECONDS_SEEN = 3
WITHIN_S = 90
LONG = ("--rate", "200", "--seconds", "60", "--warm-up", "1", "--clients", "2")


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[Server]:
    """A funded venue of two accounts; their keys are in keys.json of the folder."""
    with server("benchmarks.gateway_server", tmp_path / "venue", 2) as found:
        rows = [{"key_id": row[0], "secret": row[1]} for row in found.announced["keys"]]
        (tmp_path / "keys.json").write_text(json.dumps(rows))
        yield found


def begun(folder: Path, venue: Server, *words: str) -> subprocess.Popen[str]:
    """Start the command; return once it has reported some seconds."""
    url, keys = f"ws://127.0.0.1:{venue.port}", str(folder / "keys.json")
    files = ("--json", str(folder / "run.json"), "--report", str(folder / "run.html"))
    command = [sys.executable, "-m", "tanshi", "load", url, "--keys", keys, *words, *files]
    found = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert found.stderr is not None
    for _ in range(SECONDS_SEEN + 1):  # and the line of the head
        if not found.stderr.readline():
            raise AssertionError(found.communicate(timeout=WITHIN_S))
    return found


def ended(process: subprocess.Popen[str], folder: Path) -> tuple[int, str, str, Record]:
    """Exit code, both streams in one line each, and the record."""
    out, _ = process.communicate(timeout=WITHIN_S)
    page = (folder / "run.html").read_text(encoding="utf-8")
    return process.returncode, " ".join(out.split()), page, read(folder / "run.json")


def test_a_venue_that_dies_leaves_a_partial_record_and_its_page(
    tmp_path: Path, venue: Server
) -> None:
    process = begun(tmp_path, venue, *LONG)
    venue.process.kill()
    code, out, page, record = ended(process, tmp_path)
    assert code == 1
    assert record.ended_by.startswith("server lost: ")
    assert not record.finished
    assert record.orders.answered > 0
    assert f"Ended early ({record.ended_by})" in page.replace("&#x27;", "'")
    assert f"Ended early ({record.ended_by})" in out
    assert record.checks.passed  # what is not known is not called wrong


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_checked_and_kept(
    tmp_path: Path, venue: Server, number: signal.Signals
) -> None:
    process = begun(tmp_path, venue, *LONG)
    process.send_signal(number)
    code, out, page, record = ended(process, tmp_path)
    assert code == 130
    assert (record.finished, record.ended_by) == (False, "interrupted")
    assert (record.checks.passed, record.checks.accounts_checked) == (True, 2)
    assert record.orders.unanswered == 0 or record.advice
    assert "Ended early (interrupted)" in page
    assert "2 accounts checked" in out


def test_a_stop_condition_ends_the_run_with_its_own_code(tmp_path: Path, venue: Server) -> None:
    process = begun(tmp_path, venue, *LONG, "--stop", "p99>1us for 4s")
    code, _, page, record = ended(process, tmp_path)
    assert code == 4
    assert record.ended_by.startswith("condition: p99 above 1")
    assert "Ended early (condition: p99 above" in page
    assert record.checks.accounts_checked == 2


def said(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tanshi", "load", *words, "--json", str(folder / "run.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    return done.returncode, done.stderr.strip().splitlines()[-1]


def test_a_login_that_is_refused_is_one_sentence(tmp_path: Path, venue: Server) -> None:
    rows = json.loads((tmp_path / "keys.json").read_text())
    (tmp_path / "wrong.json").write_text(json.dumps([row | {"secret": "00"} for row in rows]))
    url, keys = f"ws://127.0.0.1:{venue.port}", str(tmp_path / "wrong.json")
    code, told = said(tmp_path, url, "--keys", keys, "--clients", "2")
    assert code == 1
    assert "refused" in told
    assert rows[0]["key_id"] in told
    code, told = said(tmp_path, url, "--keys", str(tmp_path / "keys.json"), "--clients", "3")
    assert (code, told) == (2, "3 clients need 3 keys of as many accounts; there are 2.")
    assert not (tmp_path / "run.json").exists()


def test_an_address_where_nobody_listens_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('[{"key_id": "k", "secret": "s"}]')
    keys = str(tmp_path / "keys.json")
    code, told = said(tmp_path, "ws://127.0.0.1:1", "--keys", keys, "--clients", "1")
    assert code == 1
    assert "127.0.0.1:1" in told
