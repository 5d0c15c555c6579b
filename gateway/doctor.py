"""The doctor: reads a venue's data, running or not, and says whether everything is conserved.

It takes no lock and writes nothing: the journal is verified and replayed into an exchange of its
own, whose invariants are checked; the registry's ledger is audited. Where the two institutions
must agree (after a posted day) they are compared as well (9A, I1-I10).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.exchange import Exchange
from engine.invariants import violations
from engine.records import Phase
from gateway.journal import PREFIX, SUFFIX, JournalDamageError, JournalFormatError
from gateway.segments import (
    HEADER_BYTES,
    IncompatibleError,
    believable_after,
    read_batch,
    read_header,
    rows,
)
from registry.institution import Registry


@dataclass
class Report:
    """What the doctor found; ``conserved`` if no sentence stands in ``findings``."""

    digest: str
    seq: int
    date: int
    phase: str
    accounts: int
    instruments: dict[str, dict[str, int]]
    cash_fen: dict[str, int]
    journal: dict[str, int]
    compared_with_registry: bool
    findings: list[str] = field(default_factory=list)

    @property
    def conserved(self) -> bool:
        """Whether tonnes and fen add up everywhere."""
        return not self.findings

    def figures(self) -> dict[str, Any]:
        """Return everything for ``--json``."""
        return {"conserved": self.conserved, **asdict(self)}


def batches(folder: Path) -> Iterator[np.ndarray]:
    """Verify a journal without opening it for writing; yield each batch's commands.

    A torn tail (or one that is just being written) ends it quietly.

    Raises:
        JournalDamageError, JournalFormatError: damage, or a journal of another build.
        FileNotFoundError: there is no journal.
    """
    paths = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no journal")
    chain, last_seq = None, 0
    for path in paths:
        with path.open("rb") as file:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        try:
            header = read_header(view)
        except IncompatibleError as other:
            raise JournalFormatError(f"{path}: {other}") from other
        if header is None or (chain is not None and header.chain != chain):
            raise JournalDamageError(f"{path}: byte 0: the head of the segment is damaged")
        chain, at = header.chain, HEADER_BYTES
        while (batch := read_batch(view, at)) is not None:
            if batch.previous != chain or batch.first_seq != last_seq + 1:
                raise JournalDamageError(f"{path}: byte {at}: the chain of batches is broken here")
            if batch.size:
                yield rows(batch)
            chain, at, last_seq = batch.digest, batch.end, last_seq + batch.size
        if believable_after(view, at) not in (None, at):
            raise JournalDamageError(f"{path}: byte {at}: damaged, and sound batches follow")


def examine(data_dir: Path, registry_url: str | None = None) -> Report:
    """Replay and check a venue's data directory.

    Raises:
        as :func:`batches`; registry.errors.StopError: the database must not be used.
    """
    exchange = Exchange()
    journal = {"batches": 0, "commands": 0}
    for batch in batches(data_dir / "journal"):
        exchange.apply(batch)
        journal["batches"] += 1
        journal["commands"] += len(batch)
    state = exchange.state
    phase = Phase(int(state.market[0]["phase"]))
    findings = [f"exchange: {sentence}" for sentence in violations(state)]
    database = data_dir / "registry.db"
    compared = phase is Phase.POSTED
    if registry_url is not None or database.exists():
        with Registry.open(registry_url or f"sqlite:///{database}") as registry:
            found = registry.violations(state if compared else None)
        findings += [f"registry: {sentence}" for sentence in found]
    else:
        compared = False
        findings.append(f"registry: {database} is missing")
    return Report(
        digest=exchange.digest(),
        seq=exchange.seq,
        date=int(state.market[0]["date"]),
        phase=phase.name.lower(),
        accounts=int(state.market[0]["accounts"]),
        instruments=_instruments(exchange),
        cash_fen=_cash(exchange),
        journal=journal,
        compared_with_registry=compared,
        findings=findings,
    )


def _instruments(exchange: Exchange) -> dict[str, dict[str, int]]:
    """Return tonnes of each vintage by part, and what was moved in."""
    used = exchange.state.used()
    parts = [name for name in used["holdings"].dtype.names or () if name != "sold_today_tonnes"]
    report = {}
    for row, instrument in enumerate(used["instruments"]):
        held = {part: int(used["holdings"][:, row][part].sum()) for part in parts}
        report[bytes(instrument["code"]).decode()] = {
            **held,
            "moved_in_tonnes": int(instrument["tonnes_in"]),
        }
    return report


def _cash(exchange: Exchange) -> dict[str, int]:
    """Return the exchange's money by part, and what was paid in."""
    used, market = exchange.state.used(), exchange.state.market[0]
    return {
        "available": int(used["accounts"]["cash_available_fen"].sum()),
        "frozen": int(used["accounts"]["cash_frozen_fen"].sum()),
        "trading_fees": int(market["trading_fees_fen"]),
        "settlement_fees": int(market["settlement_fees_fen"]),
        "paid_in": int(market["cash_in_fen"]),
    }
