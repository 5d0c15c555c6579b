"""The door of this room: issue of allocation, obligations, surrender, offset.

Every method is one transaction, but for ``issue``, ``deduct`` and ``force``: these write the
request of a maker down and let a checker approve it (ST-07); what moves, moves in the approval.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import select

from registry.approvals import Approvals, Request
from registry.compliance import (
    books,
    certificates,
    closing,
    deciding,
    deductions,
    forced,
    handover,
    obligations,
    offsetting,
    standing,
    surrender,
    year_end,
)
from registry.compliance.certificates import Certificate
from registry.compliance.deciding import Decision
from registry.compliance.deductions import Deduction
from registry.compliance.forced import Earmark
from registry.compliance.handover import Handover, Paper
from registry.compliance.obligations import Notified, Obligation
from registry.compliance.offsetting import Offset, Proofs
from registry.compliance.rows import AllocationRow
from registry.compliance.schema import allocations
from registry.compliance.standing import Standing
from registry.compliance.surrender import Application, Applied, Wanted
from registry.compliance.year_end import Surrendered
from registry.database import Database
from registry.errors import RefusalError


class Issued(NamedTuple):
    """What became of the platform's rows, and the request: None where everything went back."""

    handover: Handover
    request: Request | None


class Allocation(NamedTuple):
    """One entity's allocation at one stage, in tonnes (see ``schema.allocations``)."""

    number: int
    plan: str
    year: int
    entity: str
    stage: str
    tonnes: int
    waived_tonnes: int
    deduction_tonnes: int
    issued_tonnes: int
    earmarked_tonnes: int
    taken_back_tonnes: int
    owed_tonnes: int
    reason: str
    decided_ns: int
    txn: int | None


class Compliance:
    """From allocation to the certificate (AL-12 … AL-70, CP-30 … CP-41, RG-09 … RG-18)."""

    def __init__(self, database: Database, proofs: Proofs | None = None) -> None:
        """``proofs``: where the CCER registry's proofs are checked; without it no offset."""
        self._database = database
        self._approvals = Approvals(database)
        self.proofs = proofs
        self.carry_over = closing.CarryOver(database)
        self.borrowings = closing.Borrowings(database)
        self.penalties = closing.Penalties(database)
        self.watch = closing.Watch(database)
        self.terms = closing.Terms(database)
        self.disclosures = closing.Disclosures(database)

    # Issue of allocation

    def propose(
        self,
        plan: str,
        year: int,
        stage: str,
        rows: Iterable[AllocationRow | Mapping[str, Any]],
        maker: int,
        at_ns: int,
        document: str,
        units: Iterable[Mapping[str, str]] | None = None,
        strict: bool = True,
    ) -> Issued:
        """Hand the platform's rows over and ask for their issue; nothing moves (7.3).

        ``stage``: pre, final, additional. ``units``: the platform's inputs, from which the
        registry recomputes every figure. Whoever approves the request ``issue_allocation`` quotes
        its hash. RefusalError: those of ``books.order``; rows: see ``handover.hand_over``.
        """
        what, paper = books.order(plan, year, stage), Paper(maker, document, at_ns)
        with self._database.write() as tx:
            found = handover.hand_over(tx, what, rows, paper, units, strict)
        if not found.file:
            return Issued(found, None)
        values = {"file": found.file, "sha256": found.sha256}
        return Issued(found, self._approvals.request(maker, "issue_allocation", values, at_ns))

    def issue(
        self,
        plan: str,
        year: int,
        stage: str,
        rows: Iterable[AllocationRow | Mapping[str, Any]],
        maker: int,
        checker: int,
        at_ns: int,
        document: str,
        units: Iterable[Mapping[str, str]] | None = None,
        strict: bool = True,
    ) -> Issued:
        """Propose and approve at once, by two people: all rows are issued, or nothing (RG-09)."""
        self._refuse_one_person(maker, checker)
        asked = self.propose(plan, year, stage, rows, maker, at_ns, document, units, strict)
        if asked.request is None:
            return asked
        return asked._replace(request=self._approve(asked.request, checker, at_ns))

    def deduct(
        self,
        entity: str,
        from_year: int,
        grounds: str,
        tonnes: int,
        document: str,
        maker: int,
        checker: int,
        at_ns: int,
    ) -> Request:
        """Write a deduction down that later issues net (AL-41); see ``deductions.add``."""
        values = {"entity": entity, "from_year": from_year, "grounds": grounds, "tonnes": tonnes}
        values |= {"document": document}
        return self._by_two("deduct_allocation", values, maker, checker, at_ns)

    def allocations(self, entity: str | None = None, year: int | None = None) -> list[Allocation]:
        """Return allocations in order, of one entity or plan year if told so."""
        a = allocations.c
        query = select(*(a["id" if n == "number" else n] for n in Allocation._fields)).order_by(
            a.id
        )
        query = query if entity is None else query.where(a.entity == entity)
        query = query if year is None else query.where(a.year == year)
        with self._database.read() as tx:
            return [Allocation(*row) for row in tx.execute(query)]

    def deductions(self, entity: str | None = None) -> list[Deduction]:
        """Return deductions and what of each is not netted yet."""
        with self._database.read() as tx:
            return deductions.found(tx, entity)

    def earmarks(self, entity: str | None = None) -> list[Earmark]:
        """Return what lies on provincial accounts for entities (AL-40)."""
        with self._database.read() as tx:
            return forced.found(tx, entity)

    def force(self, entity: str, document: str, maker: int, checker: int, at_ns: int) -> Request:
        """Surrender from an entity's earmarks and release the rest; see ``forced.force``."""
        values = {"entity": entity, "document": document}
        return self._by_two("force_surrender", values, maker, checker, at_ns)

    # Obligations

    def notify(self, year: int, at_ns: int, entities: Collection[str] | None = None) -> Notified:
        """Set the obligations of a year and give notice (CP-32); see ``obligations.notify``."""
        with self._database.write() as tx:
            return obligations.notify(tx, year, at_ns, entities)

    def obligations(self, entity: str | None = None, year: int | None = None) -> list[Obligation]:
        """Return obligations, of one entity or year if told so."""
        with self._database.read() as tx:
            return obligations.found(tx, entity, year)

    def standing(self, entity: str, year: int) -> Standing:
        """Return where one obligation stands; RefusalError no_notice."""
        with self._database.read() as tx:
            return standing.find(tx, entity, year)

    def standings(self, year: int) -> list[Standing]:
        """Return where every obligation of a year stands, by entity."""
        with self._database.read() as tx:
            return list(standing.of(tx, None, [year]).values())

    def certificates(self, entity: str | None = None, year: int | None = None) -> list[Certificate]:
        """Return certificates in order (CP-32)."""
        with self._database.read() as tx:
            return certificates.found(tx, entity, year)

    # Surrender

    def apply(
        self,
        entity: str,
        year: int,
        vintage: str,
        tonnes: int,
        maker: int,
        at_ns: int,
        helper: str = "",
        document: str = "",
    ) -> Application:
        """Apply for surrender; the tonnes wait for the province (CP-32).

        ``helper`` (a customer number) gives them instead, with the province's consent in
        ``document`` (AL-42, E84). RefusalError: the row codes of ``surrender.apply_many``.
        """
        wanted = Wanted(entity, year, vintage, tonnes, helper, document)
        with self._database.write() as tx:
            done = surrender.apply_many(tx, [wanted], maker, at_ns, strict=True)
            for bad in done.refused:
                raise RefusalError(bad.code, f"{bad.reason.rstrip('.')}.")
            return surrender.found(tx, numbers=done.numbers)[0]

    def apply_many(
        self,
        rows: Iterable[Wanted | tuple[Any, ...]],
        maker: int,
        at_ns: int,
        strict: bool = True,
    ) -> Applied:
        """Apply for many, in order; ``strict``: one bad row and none is taken."""
        with self._database.write() as tx:
            return surrender.apply_many(tx, rows, maker, at_ns, strict)

    def withdraw(self, number: int, maker: int, at_ns: int, note: str = "") -> Application:
        """Take one's own application back (CP-33)."""
        return self._decide(number, Decision("withdrawn", maker, at_ns, note))

    def approve(
        self, number: int, checker: int, at_ns: int, province: str | None = None
    ) -> Application:
        """Approve for the province: surrendered for ever (CP-32, RG-11)."""
        return self._decide(number, Decision("approved", checker, at_ns, "", province))

    def reject(
        self, number: int, checker: int, note: str, at_ns: int, province: str | None = None
    ) -> Application:
        """Reject for the province: the tonnes come back (CP-33)."""
        return self._decide(number, Decision("rejected", checker, at_ns, note, province))

    def approve_many(
        self,
        checker: int,
        at_ns: int,
        numbers: Iterable[int] | None = None,
        year: int | None = None,
        province: str | None = None,
    ) -> int:
        """Approve these applications, or all that wait (of a year); return how many (CP-32)."""
        with self._database.write() as tx:
            chosen = deciding.pending(tx, year) if numbers is None else list(numbers)
            deciding.decide(tx, chosen, Decision("approved", checker, at_ns, "", province))
            return len(chosen)

    def surrender_all(
        self,
        year: int,
        maker: int,
        checker: int,
        at_ns: int,
        entities: Collection[str] | None = None,
    ) -> Surrendered:
        """Surrender what everybody owes for a year, oldest vintages first; see ``year_end``."""
        with self._database.write() as tx:
            return year_end.surrender_all(tx, year, maker, checker, at_ns, entities)

    def applications(
        self, entity: str | None = None, year: int | None = None, status: str | None = None
    ) -> list[Application]:
        """Return applications in order, chosen by entity, obligation year and status."""
        with self._database.read() as tx:
            return surrender.found(tx, entity, year, status)

    # Offset

    def offset(
        self, entity: str, year: int, proof: str, sha256: str, maker: int, at_ns: int
    ) -> int:
        """Use reductions on the CCER registry's proof; return its number (RG-12, CP-35)."""
        if self.proofs is None:
            raise RefusalError("no_offset_registry", "No CCER registry is connected (RG-12).")
        found = self.proofs.proof(proof)
        with self._database.write() as tx:
            return offsetting.apply(tx, entity, year, sha256, found, maker, at_ns)

    def decide_offset(self, number: int, decision: Decision) -> None:
        """Approve, reject or withdraw an offset; see ``offsetting.decide``."""
        with self._database.write() as tx:
            offsetting.decide(tx, number, decision)

    def offsets(self, entity: str | None = None, year: int | None = None) -> list[Offset]:
        """Return offsets in order, of one entity or obligation year if told so."""
        with self._database.read() as tx:
            return offsetting.found(tx, entity, year)

    def _decide(self, number: int, decision: Decision) -> Application:
        with self._database.write() as tx:
            deciding.decide(tx, [number], decision)
            return surrender.found(tx, numbers=[number])[0]

    def _by_two(
        self, action: str, values: Mapping[str, Any], maker: int, checker: int, at_ns: int
    ) -> Request:
        self._refuse_one_person(maker, checker)
        asked = self._approvals.request(maker, action, values, at_ns)
        return self._approve(asked, checker, at_ns)

    def _approve(self, asked: Request, checker: int, at_ns: int) -> Request:
        """Approve; a request that the rules refuse is withdrawn, so that nothing stays open."""
        try:
            return self._approvals.approve(asked.number, checker, asked.sha256, at_ns)
        except RefusalError as refusal:
            self._approvals.withdraw(asked.number, asked.maker, refusal.code, at_ns)
            raise

    @staticmethod
    def _refuse_one_person(maker: int, checker: int) -> None:
        if maker == checker:
            raise RefusalError("maker_is_checker", "Nobody approves a request of his own (ST-07).")
