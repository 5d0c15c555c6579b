"""Is every registered tonne held, in the market, or cancelled with a proof (VM-10, RG-12)?"""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy import cast as sql_cast

from registry.errors import RefusalError
from registry.ledger import Bucket, balances
from registry.offsets import proof
from registry.offsets.figures import HELD, MARKET
from registry.offsets.proof import Proof
from registry.offsets.schema import batches, cancellations, proofs
from registry.schema import CANCELLED, ISSUED, PENDING, Number, accounts, units


def violations(tx: Connection) -> list[str]:
    """Return one sentence for everything that does not hold; none = sound."""
    held = balances(tx, (ISSUED, *HELD, *MARKET, CANCELLED))
    return [
        *_batches(tx, held),
        *_buckets(tx, held, CANCELLED, "approved"),
        *_buckets(tx, held, PENDING, "pending"),
        *_proofs(tx),
    ]


def _batches(tx: Connection, held: dict[Bucket, int]) -> list[str]:
    """Registered = issued = held + in the market + cancelled."""
    rows = tx.execute(select(units.c.code, batches).join(units, units.c.id == batches.c.unit)).all()
    parts: dict[int, dict[str, int]] = {row.unit: {} for row in rows}
    for bucket, balance in held.items():
        if bucket.unit in parts:
            kinds = parts[bucket.unit]
            kinds[bucket.kind] = kinds.get(bucket.kind, 0) + balance
    found = []
    for row in rows:
        kinds = parts[row.unit]
        issued = -kinds.pop(ISSUED, 0)
        if not row.tonnes == issued == sum(kinds.values()):
            found.append(
                f"Batch {row.code}: {row.tonnes:,} t are registered, {issued:,} issued, "
                f"{sum(kinds.values()):,} held, in the market or cancelled."
            )
    return found


def _buckets(tx: Connection, held: dict[Bucket, int], kind: str, status: str) -> list[str]:
    """What is cancelled or waits is what was asked for."""
    c = cancellations.c
    ours = set(tx.execute(select(batches.c.unit)).scalars())
    rows = tx.execute(
        select(c.account, c.unit, sql_cast(func.sum(c.tonnes), Number))
        .where(c.status == status)
        .group_by(c.account, c.unit)
    )
    due = {Bucket(row[0], row[1], kind): int(row[2]) for row in rows}
    have = {one: tonnes for one, tonnes in held.items() if one.kind == kind and one.unit in ours}
    return [
        f"{have.get(one, 0):,} t of unit {one.unit} are {kind} for account id {one.account}, "
        f"{due.get(one, 0):,} by {status} applications."
        for one in sorted(have.keys() | due.keys())
        if have.get(one, 0) != due.get(one, 0)
    ]


def _proofs(tx: Connection) -> list[str]:
    """One proof a cancellation, saying what was cancelled."""
    c = cancellations.c
    rows = tx.execute(
        select(cancellations, units.c.code, accounts.c.code.label("owner"))
        .add_columns(proofs.c.id.label("proof"), proofs.c.content, proofs.c.sha256.label("hash"))
        .join(units, units.c.id == c.unit)
        .join(accounts, accounts.c.id == c.account)
        .outerjoin(proofs, proofs.c.cancellation == c.id)
        .order_by(c.id)
    )
    found = []
    for row in rows:
        if (row.status == "approved") != (row.proof is not None):
            found.append(f"Cancellation {row.id} is {row.status}; its proof is {row.proof}.")
        elif row.proof is not None:
            try:
                told = proof.check(Proof(proof.numbered(row.proof), row.content, row.hash))
            except RefusalError as refusal:
                found.append(f"Cancellation {row.id}: {refusal.sentence}")
                continue
            said = (told.batch, told.tonnes, told.kind, told.owner, told.beneficiary)
            if said != (row.code, row.tonnes, row.kind, row.owner, row.beneficiary):
                found.append(f"Cancellation {row.id} is not what {told.number} proves.")
    return found
