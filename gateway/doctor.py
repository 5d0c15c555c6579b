"""The doctor: reads a venue's data, running or not, and says whether everything is conserved.

It takes no lock and writes nothing: the journal is verified and replayed into an exchange of its
own, whose invariants are checked; the registry's ledger is audited. Where the two institutions
must agree (after a posted day) they are compared as well (9A, I1-I10). Every market of the data
directory is examined, see gateway/folders.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from engine.exchange import Exchange
from engine.invariants import violations
from engine.records import Phase
from gateway.folders import books_url, further_folders, has_books, market_of, open_books
from gateway.journal.quarantine import Quarantine
from gateway.journal.reading import Reading


@dataclass
class Report:
    """What the doctor found in a market; ``conserved`` if no sentence stands in ``findings``.

    ``market`` is its name, "unknown" for the first one where its registry is missing.
    """

    market: str
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
        """Return everything about this market for ``--json``."""
        return {"conserved": self.conserved, **asdict(self)}


def batches(folder: Path) -> Iterator[np.ndarray]:
    """Verify a journal without opening it for writing; return each batch's commands.

    As a venue sees them: archived segments included, quarantined commands of no kind. A torn tail
    (or one that is just being written) ends it quietly.

    Raises:
        JournalDamageError, JournalFormatError: damage, or a journal of another build.
        FileNotFoundError: there is no journal.
    """
    found = (each.commands for each in Reading(folder) if len(each.commands))
    return Quarantine(folder).screened(found)


def figures(reports: Sequence[Report]) -> dict[str, Any]:
    """Return everything for ``--json``: the first market's figures, and all ``markets`` by name.

    ``conserved`` is so if every market is; ``findings`` are those of all, with the market's name
    before them if there are several.
    """
    named = len(reports) > 1
    return {
        **reports[0].figures(),
        "conserved": all(report.conserved for report in reports),
        "findings": [
            f"{report.market}: {finding}" if named else finding
            for report in reports
            for finding in report.findings
        ],
        "markets": {report.market: report.figures() for report in reports},
    }


def examine(data_dir: Path, registry_url: str | None = None) -> list[Report]:
    """Replay and check every market of a data directory, the first one first.

    ``registry_url`` is where the first one's books are; others keep theirs in their folder.

    Raises:
        as :func:`batches`; registry.errors.RegistryError: a database must not or cannot be used.
    """
    first = _examined(data_dir, registry_url)
    others = [_examined(at, None, name) for name, at in further_folders(data_dir).items()]
    return [first, *others]


def _examined(folder: Path, registry_url: str | None, name: str | None = None) -> Report:
    """Examine one market; without a name its books say which one it is."""
    exchange = Exchange()
    journal = {"batches": 0, "commands": 0}
    for batch in batches(folder / "journal"):
        exchange.apply(batch)
        journal["batches"] += 1
        journal["commands"] += len(batch)
    state = exchange.state
    phase = Phase(int(state.market[0]["phase"]))
    findings = [f"exchange: {sentence}" for sentence in violations(state)]
    compared = phase is Phase.POSTED and has_books(folder, registry_url)
    if has_books(folder, registry_url):
        with open_books(books_url(folder, registry_url), name) as registry:
            name = market_of(registry).name
            found = registry.violations(state if compared else None)
        findings += [f"registry: {sentence}" for sentence in found]
    else:
        findings.append(f"registry: {folder / 'registry.db'} is missing")
    return Report(
        market=name or "unknown",
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


def show(report: Report, console: Console) -> None:
    """Show what the doctor found in one market."""
    table = Table(
        title=f"{report.market}: seq {report.seq:,}, day {report.date or '-'}, {report.phase}"
    )
    for head in ("instrument", "available t", "frozen t", "bought today t", "moved in t"):
        table.add_column(head, justify="left" if head == "instrument" else "right")
    for code, row in report.instruments.items():
        parts = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes", "moved_in_tonnes")
        table.add_row(code, *(f"{row[part]:,}" for part in parts))
    console.print(table)
    cash = ", ".join(f"{part} {fen / 100:,.2f}" for part, fen in report.cash_fen.items())
    console.print(f"cash in yuan: {cash}")
    console.print(f"digest {report.digest}")
    for finding in report.findings:
        console.print(finding, style="red", markup=False)
    console.print("conserved" if report.conserved else "NOT conserved", style="bold")
