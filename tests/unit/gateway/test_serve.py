"""The front door's server: socket options, a second venue on the same data, a clean stop."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.journal.journal import Journal, JournalLockedError
from gateway.serve import SEND_BUFFER_BYTES, UNACKNOWLEDGED_MS, listening_socket
from gateway.venue import Venue

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys
from pathlib import Path
from gateway.serve import Options, run
from tests.e2e.live_venue import MORNING, RunningClock

options = Options(clock=lambda _: RunningClock(MORNING), port=0, data_dir=Path(sys.argv[1]))
run(options, ready=lambda server: print(json.dumps({"url": server.url}), flush=True))
print("stopped", flush=True)
"""


def test_connections_inherit_what_frees_a_stalled_peer_and_sends_at_once() -> None:
    with listening_socket("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                timeout = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                buffer = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
                at_once = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert at_once
    assert timeout == UNACKNOWLEDGED_MS
    assert SEND_BUFFER_BYTES <= buffer <= 2 * SEND_BUFFER_BYTES


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_leaves_a_sealed_journal(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
        with pytest.raises(JournalLockedError):
            Venue.recover(tmp_path)
        os.kill(process.pid, number)
        rest, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, rest) == (0, "stopped\n")
    journal = Journal(tmp_path / "journal")
    assert sum(len(batch) for batch in journal.replay()) == journal.last_seq
    assert journal.sealed
    journal.close()


def test_a_venue_that_cannot_start_lets_go_of_its_data(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="database_url"):
        Venue.recover(tmp_path, "nonsense")
    Journal(tmp_path / "journal").close()
