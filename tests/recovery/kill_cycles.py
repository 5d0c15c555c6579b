"""Cycles of a venue that is killed, and what outside witnesses say afterwards (promise P1).

In each cycle a server process with a fault and a recorder process run; the server dies, at a named
place or at a random moment. Then the journal is read by itself: every answer that the recorder
wrote down must be there, once, with the numbers it was told; the next server must recover exactly
what a replay of the journal gives.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.exchange import Exchange
from engine.records import Event, Kind
from gateway.keys import Key, Keys
from gateway.replay import Player
from tests.e2e.live_venue import fund

ROOT = Path(__file__).parents[2]
ORDERS = 400  # a cycle
DIES_WITHIN_S = 30


@dataclass
class Cycle:
    """What one cycle is to do. Without a fault it is killed by the test, at a random moment."""

    fault: str = ""
    day: int = 0
    exit_code: int = -signal.SIGKILL


@dataclass
class Outcome:
    """What a cycle did; ``problems`` is empty where all is as promised."""

    acknowledged: int = 0
    entered: int = 0
    served: bool = False  # it lived long enough to serve
    exit_code: int | None = None
    dying_s: float = 0.0  # from the last answer to the end
    problems: list[str] = field(default_factory=list)


class Cycles:
    """One venue's data and everything anybody was told about it."""

    def __init__(self, folder: Path, accounts: int, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self._told: list[tuple[int, list[Any]]] = []  # account, line of the recorder
        fund(folder / "venue", accounts, tonnes=10**6)
        rows = [(row, f"k{row}") for row in range(accounts)]
        self._keys: list[Key] = Keys(folder / "venue" / "keys.json").create_many(rows)
        self._number = 0

    def run(self, cycle: Cycle) -> Outcome:
        """Serve, record, die; then ask the journal."""
        outcome = Outcome()
        expected = self._replayed()
        key = self._keys[self._number % len(self._keys)]
        arguments = [str(self.folder / "venue"), str(cycle.day), cycle.fault]
        server = _python("tests.recovery.served_venue", *arguments)
        recorder: subprocess.Popen[str] | None = None
        said = self.folder / f"told-{self._number}.jsonl"
        try:
            recovered, address = _line(server), _line(server)
            if recovered is not None and (recovered["seq"], recovered["digest"]) != expected:
                outcome.problems.append(f"recovered {recovered}, the journal gives {expected}")
            if address is not None:
                outcome.served = True
                arguments = [address["url"], key.key_id, key.secret, f"c{self._number}"]
                recorder = _python("tests.recovery.recorder", *arguments, str(ORDERS), str(said))
                self._let_it_die(server, cycle, said)
            outcome.exit_code = server.wait(DIES_WITHIN_S)
            outcome.dying_s = time.time() - said.stat().st_mtime if said.exists() else 0.0
        finally:
            _end(server)
            if recorder is not None:
                _end(recorder, patience_s=10)
        self._number += 1
        self._judge(cycle, outcome, key, said)
        return outcome

    def _let_it_die(self, server: subprocess.Popen[str], cycle: Cycle, said: Path) -> None:
        """Wait for the fault; or for a random number of answers, and kill."""
        if cycle.fault:
            server.wait(DIES_WITHIN_S)
            return
        wanted = self.chance.randrange(ORDERS) * 30  # bytes: about a line of the recorder each
        deadline = time.monotonic() + DIES_WITHIN_S
        while time.monotonic() < deadline:
            if said.exists() and said.stat().st_size >= wanted:
                break
            time.sleep(0.001)
        time.sleep(self.chance.uniform(0, 0.004))
        server.kill()

    def kill_while_starting(self, cycle: Cycle) -> None:
        """Start a server and kill it a moment later, wherever it is by then."""
        server = _python("tests.recovery.served_venue", str(self.folder / "venue"), str(cycle.day))
        time.sleep(self.chance.uniform(0.2, 2.0))
        _end(server)

    def _replayed(self) -> tuple[int, str]:
        if not any((self.folder / "venue" / "journal").glob("*.seg")):
            return 0, Exchange().digest()
        result = Player(self.folder / "venue").play()
        assert result.identical, result.findings
        return result.seq, result.digest

    def _judge(self, cycle: Cycle, outcome: Outcome, key: Key, said: Path) -> None:
        lines = said.read_text().splitlines() if said.exists() else []
        mine = [json.loads(line) for line in lines]
        outcome.acknowledged = len(mine)
        self._told += [(key.account, line) for line in mine]
        if outcome.exit_code != cycle.exit_code:
            outcome.problems.append(f"ended with {outcome.exit_code}, not {cycle.exit_code}")
        numbers = [line[3] for line in mine]
        first = numbers[0] if numbers else 1
        if numbers != list(range(first, first + len(numbers))):
            outcome.problems.append("the numbers of the reports have gaps")
        accepted = self._accepted()
        outcome.entered = sum(name.startswith(f"c{self._number - 1}-") for _, name in accepted)
        if any(len(found) > 1 for found in accepted.values()):
            outcome.problems.append("an order was entered twice")
        for account, (seq, name, order_no, _) in self._told:
            if accepted.get((account, name)) != [(seq, order_no)]:
                outcome.problems.append(f"{name} of {account} was told {seq}, {order_no}: lost")
                break

    def _accepted(self) -> dict[tuple[int, str], list[tuple[int, int]]]:
        """What the journal says of every listing: (seq, order_no) by account and name."""
        player = Player(self.folder / "venue")
        found: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for batch in player.batches():
            events = player.exchange.apply(batch)
            accepted = events[events["kind"] == Event.ACCEPTED]
            rows = batch[np.searchsorted(batch["seq"], accepted["seq"])]
            for row, event in zip(rows, accepted, strict=True):
                if row["kind"] == Kind.LIST:
                    name = row["client_order_id"].decode()
                    what = (int(event["seq"]), int(event["order_no"]))
                    found.setdefault((int(row["account"]), name), []).append(what)
        return found


def _python(module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """Return the next line of JSON; None if the process has ended."""
    assert process.stdout is not None
    text = process.stdout.readline()
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found


def _end(process: subprocess.Popen[str], patience_s: float = 0.0) -> None:
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()


KILLED = (  # F01-F08; the number: which time it comes by
    *("APPENDING:3", "HALF_WRITTEN:3", "WRITTEN:4", "SYNCED:4", "APPLIED:5"),
    *("SNAPSHOT_HALF", "RENAMED", "RECOVERING"),
)
NEEDS_A_NEW_DAY = ("SNAPSHOT_HALF", "RENAMED")


def random_cycle(chance: random.Random, day: int) -> Cycle:
    """Draw a cycle: half of them at random moments, the others at a named place."""
    if chance.random() < 0.5:
        return Cycle(day=day)
    what = chance.choice(("APPENDING", "HALF_WRITTEN", "WRITTEN", "SYNCED", "APPLIED"))
    return Cycle(f"{what}:{chance.randint(1, 12)}", day)
