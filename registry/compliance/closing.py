"""The other counters of this room: carry-over, borrowing, penalties, terms, risk, disclosure.

``Compliance`` (``door``) has one of each; every method is one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from registry.compliance import (
    adjusting,
    borrowing,
    carry_deciding,
    carry_over,
    disclosure,
    disclosure_files,
    milestones,
    penalties,
    risk,
    watch,
)
from registry.compliance.adjusting import Adjustment
from registry.compliance.borrowing import Borrowing, Room
from registry.compliance.carry_limits import Limit
from registry.compliance.deciding import Decision
from registry.compliance.disclosure import Disclosure, Published
from registry.compliance.milestones import Progress
from registry.compliance.penalties import Case, Judged, Penalty
from registry.compliance.penalty_rules import Price
from registry.compliance.risk import Guard, Market, Outlook
from registry.compliance.surrender import Applied
from registry.compliance.watch import Warned
from registry.database import Database
from registry.errors import RefusalError


class CarryOver:
    """2019-2024 vintages into 2025 (AL-50 … AL-58); see ``carry_over``, ``carry_deciding``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give_notices(self, at_ns: int) -> list[Limit]:
        """Compute and send the missing notices (AL-54)."""
        with self._database.write() as tx:
            return carry_over.give_notices(tx, at_ns)

    def standings(self, entities: Collection[str] | None = None) -> dict[str, carry_over.Standing]:
        """Return limits and what was made of them, by entity."""
        with self._database.read() as tx:
            return carry_over.standings(tx, entities)

    def apply(
        self,
        entity: str,
        vintage: str,
        tonnes: int,
        maker: int,
        at_ns: int,
        document: str = "",
    ) -> int:
        """Apply once; return the number. RefusalError: the row codes of ``apply_many``."""
        wanted = carry_over.Wanted(entity, vintage, tonnes, document)
        done = self.apply_many([wanted], maker, at_ns)
        for bad in done.refused:
            raise RefusalError(bad.code, f"{bad.reason.rstrip('.')}.")
        return done.numbers[0]

    def apply_many(
        self,
        rows: Iterable[carry_over.Wanted | tuple[Any, ...]],
        maker: int,
        at_ns: int,
        strict: bool = True,
    ) -> Applied:
        """Apply for many, in order; ``strict``: one bad row and none is taken."""
        with self._database.write() as tx:
            return carry_over.apply_many(tx, rows, maker, at_ns, strict)

    def decide(self, numbers: Sequence[int], decision: Decision) -> int:
        """Approve, reject or withdraw; return the tonnes that were converted (AL-55)."""
        with self._database.write() as tx:
            return carry_deciding.decide(tx, numbers, decision)

    def approve_round(self, checker: int, at_ns: int, round_no: int | None = None) -> int:
        """Approve whatever waits, of one round or all; return the tonnes converted (AL-55)."""
        with self._database.write() as tx:
            waiting = carry_deciding.waiting(tx, round_no)
            return carry_deciding.decide(tx, waiting, Decision("approved", checker, at_ns))

    def applications(
        self, entity: str | None = None, status: str | None = None
    ) -> list[carry_deciding.Application]:
        """Return applications in order."""
        with self._database.read() as tx:
            return carry_deciding.found(tx, entity, status)

    def overdue(self, date: int) -> list[int]:
        """Return what should have been handled before ``date`` (YYYYMMDD)."""
        with self._database.read() as tx:
            return carry_deciding.overdue(tx, date)


class Borrowings:
    """From the 2023 pre-allocation for 2021 and 2022 (AL-24); see ``borrowing``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def room(self, entity: str, year: int) -> Room:
        """Return how much may be borrowed."""
        with self._database.read() as tx:
            return borrowing.room(tx, entity, year)

    def ask(
        self, entity: str, year: int, tonnes: int, document: str, maker: int, at_ns: int
    ) -> int:
        """Ask for a loan; return its number."""
        with self._database.write() as tx:
            return borrowing.ask(tx, entity, year, tonnes, document, maker, at_ns)

    def decide(self, number: int, decision: Decision) -> Borrowing:
        """Decide on a loan; approved, it is surrendered at once."""
        with self._database.write() as tx:
            return borrowing.decide(tx, number, decision)

    def found(self, entity: str | None = None) -> list[Borrowing]:
        """Return loans in order."""
        with self._database.read() as tx:
            return borrowing.found(tx, entity)


class Penalties:
    """What offences cost (CP-60 … CP-67); see ``penalties`` and ``penalty_rules``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def average_price(self, year: int) -> Price | None:
        """Return the average price of the month before a deadline (CP-63)."""
        with self._database.read() as tx:
            return penalties.average_price(tx, year)

    def judge(self, case: Case, at_ns: int) -> Judged:
        """Return what a case would cost; nothing is written."""
        with self._database.read() as tx:
            return penalties.judge(tx, case, at_ns)

    def propose(self, case: Case, maker: int, at_ns: int) -> Penalty:
        """Write a case down with its range."""
        with self._database.write() as tx:
            number = penalties.propose(tx, case, maker, at_ns)
            return penalties.found(tx, number=number)[0]

    def decide(self, number: int, decision: Decision) -> Penalty:
        """Impose, reject or withdraw a penalty."""
        with self._database.write() as tx:
            return penalties.decide(tx, number, decision)

    def found(self, subject: str | None = None) -> list[Penalty]:
        """Return penalties in order."""
        with self._database.read() as tx:
            return penalties.found(tx, subject)


class Watch:
    """Who will fall short (CP-40, TR-116); see ``risk`` and ``watch``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def outlook(
        self,
        market: Market,
        at_ns: int,
        years: Collection[int] = (),
        price_fen: int | None = None,
    ) -> Outlook:
        """Return where every open obligation will end; nothing is written."""
        with self._database.read() as tx:
            return risk.outlook(tx, market, at_ns, years, price_fen)

    def warn(
        self,
        market: Market,
        at_ns: int,
        years: Collection[int] = (),
        price_fen: int | None = None,
    ) -> Outlook:
        """Warn the provinces and propose guards to the exchange's operator."""
        with self._database.write() as tx:
            return watch.warn(tx, market, at_ns, years, price_fen)

    def warnings(self, province: str | None = None, entity: str | None = None) -> list[Warned]:
        """Return the warnings in order, of one province or entity."""
        with self._database.read() as tx:
            return watch.warned(tx, province, entity)

    def guards(self) -> list[Guard]:
        """Return the proposals of the last round (TR-116)."""
        with self._database.read() as tx:
            return watch.proposed(tx)


class Terms:
    """What is due between notice and deadline: see ``adjusting`` (RG-18), ``milestones``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def adjustments(self, year: int) -> list[Adjustment]:
        """Return the figures changed after the final issue, and what has followed them (RG-18)."""
        with self._database.read() as tx:
            return adjusting.of_year(tx, year)

    def remind(self, year: int, at_ns: int) -> list[Adjustment]:
        """Tell the provinces which of them wait; return these."""
        with self._database.write() as tx:
            return adjusting.remind(tx, year, at_ns)

    def progress(self, year: int, at_ns: int) -> Progress:
        """Return where a cycle with an interim deadline stands (AL-14, AL-25)."""
        with self._database.read() as tx:
            return milestones.progress(tx, year, at_ns)

    def warn(self, year: int, at_ns: int) -> Progress:
        """Tell the provinces that are behind; return where the cycle stands."""
        with self._database.write() as tx:
            return milestones.warn(tx, year, at_ns)


class Disclosures:
    """Completion and annual figures (CP-38, CP-39); see ``disclosure``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_year(self, year: int, at_ns: int) -> Disclosure:
        """Return a year as of a moment."""
        with self._database.read() as tx:
            return disclosure.of_year(tx, year, at_ns)

    def publish(self, year: int, person: int, at_ns: int) -> Published:
        """Publish a year as of a moment."""
        with self._database.write() as tx:
            return disclosure.publish(tx, year, person, at_ns)

    def published(self, year: int | None = None) -> list[Published]:
        """Return the publications in order."""
        with self._database.read() as tx:
            return disclosure.published(tx, year)

    def violations(self) -> list[str]:
        """Return what of the publications the books do not give again."""
        with self._database.read() as tx:
            return disclosure.violations(tx)

    def write(self, year: int, at_ns: int, folder: Path, form: str) -> list[Path]:
        """Write a year as files; ``form`` is csv or parquet."""
        return disclosure_files.write(self.of_year(year, at_ns), folder, form)
