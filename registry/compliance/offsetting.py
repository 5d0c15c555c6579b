"""Voluntary reductions used for an obligation, on the CCER registry's proof (RG-12, CP-35 … 37)."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Row, func, insert, select, update

from registry import notices
from registry.compliance import certificates, eligibility, standing
from registry.compliance.deciding import Decision
from registry.compliance.schema import offset_uses
from registry.errors import RefusalError
from registry.monitoring import checks, entities
from registry.windows import moment

USING = ("pending", "approved")


class Proof(NamedTuple):
    """A cancellation for offset, as the CCER registry has recorded and signed it (VM-10).

    ``registered`` is the batch's date YYYYMMDD; ``covered``: it stems from an installation under
    the allowance system (CP-36); ``entity`` and ``year``: whose obligation it was cancelled for.
    """

    number: str
    sha256: str
    entity: str
    year: int
    batch: str
    tonnes: int
    registered: int
    covered: bool


class Proofs(Protocol):
    """The counter of the CCER registry at which proofs are checked (RG-12)."""

    def proof(self, number: str) -> Proof | None:
        """Return the proof of that number, None if there is none."""


class Offset(NamedTuple):
    """Reductions used, or wanted, for an obligation, in tonnes."""

    number: int
    entity: str
    year: int
    tonnes: int
    batch: str
    proof: str
    status: str
    late: int
    maker: int
    applied_ns: int
    checker: int
    decided_ns: int
    note: str


def apply(
    tx: Connection, entity: str, year: int, sha256: str, proof: Proof | None, maker: int, at_ns: int
) -> int:
    """Take a proof for an obligation; it waits for the province's decision. Return its number.

    RefusalError: person_invalid, time_invalid, unknown_entity, no_notice, unknown_proof,
    proof_differs (another hash, entity or year), covered_installation (CP-36),
    offset_not_eligible (CP-37), proof_used (RG-12), ccer_cap (CP-35), more_than_owed (CP-31).
    """
    checks.person(maker)
    moment(at_ns)
    owner = entities.find(tx, entity)
    due = standing.find(tx, entity, year)
    good = _refuse_proof(entity, year, sha256, proof)
    eligibility.refuse_ineligible_offset(year, good.registered, at_ns)
    o = offset_uses.c
    used = select(o.id).where(o.proof == good.number, o.status.in_(USING))
    if tx.execute(used).first() is not None:
        raise RefusalError("proof_used", f"Proof {good.number} is used already: once only (RG-12).")
    left = due.ccer_max_tonnes - due.offset_tonnes - due.pending_offset_tonnes
    if good.tonnes > left:
        raise RefusalError(
            "ccer_cap",
            f"{good.tonnes:,} t are more than the {max(left, 0):,} t that reductions may still "
            f"fulfil of {due.tonnes:,}: 5 %, rounded down (CP-35).",
        )
    if good.tonnes > due.open_tonnes:
        raise RefusalError(
            "more_than_owed", f"{entity} owes {due.open_tonnes:,} t for {year} still (CP-31)."
        )
    number = int(tx.execute(select(func.coalesce(func.max(o.id), 0))).scalar_one()) + 1
    row: dict[str, Any] = {"id": number, "entity": entity, "year": year, "tonnes": good.tonnes}
    row |= {"batch": good.batch, "proof": good.number, "proof_sha256": good.sha256}
    row |= {"registered": good.registered, "status": "pending", "maker": maker, "note": ""}
    row |= {"late": int(at_ns >= due.deadline_ns), "applied_ns": at_ns}
    tx.execute(insert(offset_uses), row)
    sentence = f"{good.tonnes:,} t of reductions wait for {year}: proof {good.number} (RG-12)."
    notices.tell(tx, "offset", sentence, owner.account, at_ns)
    return number


def _refuse_proof(entity: str, year: int, sha256: str, proof: Proof | None) -> Proof:
    if proof is None:
        raise RefusalError("unknown_proof", "The CCER registry has no such proof (RG-12).")
    if (proof.sha256, proof.entity, proof.year) != (sha256, entity, year):
        raise RefusalError(
            "proof_differs",
            f"Proof {proof.number} was given to {proof.entity} for {proof.year}, or its hash is "
            "another (RG-12).",
        )
    if proof.covered:
        raise RefusalError(
            "covered_installation", "Reductions of covered installations do not count (CP-36)."
        )
    if not checks.is_whole(proof.tonnes) or proof.tonnes <= 0:
        raise RefusalError("tonnes_invalid", f"{proof.tonnes!r} is no number of whole tonnes.")
    return proof


def decide(tx: Connection, number: int, decision: Decision) -> int:
    """Decide on one offset; return how many obligations became fulfilled.

    RefusalError: person_invalid, time_invalid, unknown_offset, decided_before, maker_is_checker,
    not_the_maker, other_province.
    """
    checks.person(decision.person)
    moment(decision.at_ns)
    row = _find(tx, number)
    owner = entities.find(tx, row.entity)
    if row.status != "pending":
        raise RefusalError("decided_before", f"Offset {number} is {row.status} already (RG-12).")
    withdrawn, own = decision.verdict == "withdrawn", row.maker == decision.person
    if withdrawn and not own:
        raise RefusalError("not_the_maker", "Only who applied can withdraw (CP-33).")
    if own and not withdrawn:
        raise RefusalError("maker_is_checker", "Nobody decides on his own application (ST-07).")
    if decision.province not in (None, owner.province):
        raise RefusalError("other_province", f"Offset {number} is for {owner.province} (CP-31).")
    values = {"status": decision.verdict, "checker": decision.person, "note": decision.note}
    tx.execute(
        update(offset_uses)
        .where(offset_uses.c.id == number)
        .values({**values, "decided_ns": decision.at_ns})
    )
    sentence = f"{row.tonnes:,} t of reductions for {row.year} {decision.verdict} (CP-35)."
    notices.tell(tx, "offset", sentence, owner.account, decision.at_ns)
    if decision.verdict != "approved":
        return 0
    return certificates.certify(tx, {(row.entity, row.year)}, decision.at_ns)


def _find(tx: Connection, number: int) -> Row[Any]:
    known = checks.is_whole(number) and 0 < number < 2**62
    query = select(offset_uses).where(offset_uses.c.id == number)
    row = tx.execute(query).first() if known else None
    if row is None:
        raise RefusalError("unknown_offset", f"There is no offset {number!r}.")
    return row


def found(tx: Connection, entity: str | None = None, year: int | None = None) -> list[Offset]:
    """Return offsets in order, of one entity or obligation year if told so."""
    o = offset_uses.c
    query = select(offset_uses).order_by(o.id)
    query = query if entity is None else query.where(o.entity == entity)
    query = query if year is None else query.where(o.year == year)
    return [
        Offset(
            *(row.id, row.entity, row.year, row.tonnes, row.batch, row.proof, row.status),
            *(row.late, row.maker, row.applied_ns, row.checker or 0, row.decided_ns or 0),
            row.note,
        )
        for row in tx.execute(query)
    ]
