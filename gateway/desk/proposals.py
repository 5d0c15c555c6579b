"""Proposals of makers, durable beside the journal: what is approved is exactly what is executed.

One line of JSON per step, synced before anybody hears of it. An approved proposal's command carries
``P<number>`` in ``client_order_id``: a venue that stopped between approval and journal finds the
number missing there and enters the command once it runs again; one that is there is not repeated.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

PENDING, APPROVED = "pending", "approved"
REJECTED, WITHDRAWN = "rejected", "withdrawn"
VERSION = 1


class ProposalsDamageError(Exception):
    """The file of proposals is not as it was written: the venue must not start."""


@dataclass(frozen=True)
class Stored:
    """One proposal: who asked for what, and who decided how. ``values`` as in ``propose``.

    ``first_day``: of a rule change that was approved, the day from which it is in force.
    """

    proposal_id: int
    action: str
    values: dict[str, Any]
    maker: int
    client_order_id: str
    status: str = PENDING
    checker: int = 0
    version: int = field(default=VERSION)
    first_day: int = 0

    @property
    def name(self) -> bytes:
        """The client order id of its command."""
        return f"P{self.proposal_id}".encode()


class Proposals:
    """All proposals of a venue, in ``path``. ``None``: kept in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._all: dict[int, Stored] = {}
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        text = path.read_text()
        whole = text.rsplit("\n", 1)[0] if "\n" in text else ""
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                stored = Stored(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise ProposalsDamageError(f"{path.name}, line {number}: {error}") from error
            self._all[stored.proposal_id] = stored
        if len(whole) + 1 < len(text):  # a torn last line: nobody was told of it
            os.truncate(path, len(whole.encode()) + (1 if whole else 0))

    def propose(self, action: str, values: dict[str, Any], maker: int, identity: str) -> Stored:
        """Keep a new proposal and return it, pending."""
        return self._keep(Stored(len(self._all) + 1, action, values, maker, identity))

    def same(self, maker: int, identity: str) -> Stored | None:
        """Return what this maker has asked for under this id, None where it has not."""
        asked = (maker, identity)
        for stored in self._all.values():
            if (stored.maker, stored.client_order_id) == asked:
                return stored
        return None

    def decide(
        self, proposal_id: int, checker: int, *, approved: bool, first_day: int = 0
    ) -> Stored:
        """Write the decision about a pending proposal of somebody else down and return it."""
        stored = self._all[proposal_id]
        assert stored.status == PENDING, "decided once"
        assert stored.maker != checker, "by somebody else"
        status = APPROVED if approved else REJECTED
        decided = replace(stored, status=status, checker=checker, first_day=first_day)
        return self._keep(decided)

    def withdraw(self, proposal_id: int) -> Stored:
        """Write down that its maker has taken a pending proposal back and return it."""
        stored = self._all[proposal_id]
        assert stored.status == PENDING, "decided once"
        return self._keep(replace(stored, status=WITHDRAWN))

    def find(self, proposal_id: int) -> Stored | None:
        """Return a proposal, None if there is none of this number."""
        return self._all.get(proposal_id)

    def all(self) -> list[Stored]:
        """Return every proposal in order."""
        return list(self._all.values())

    def missing(self, executed: set[bytes]) -> list[Stored]:
        """Return what was approved and is not among the commands ``executed`` (by name)."""
        return [
            each
            for each in self._all.values()
            if each.status == APPROVED
            if each.name not in executed
        ]

    def _keep(self, stored: Stored) -> Stored:
        if self._path is not None:
            line = json.dumps(stored.__dict__, separators=(",", ":")) + "\n"
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._all[stored.proposal_id] = stored
        return stored


def executed_names(commands: np.ndarray) -> set[bytes]:
    """Return the names of proposals among commands, shape (n,), dtype COMMAND."""
    checked = commands["checker"] > 0
    if not checked.any():
        return set()
    return {name for name in commands["client_order_id"][checked].tolist() if name[:1] == b"P"}
