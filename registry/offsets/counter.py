"""Where the allowance registry checks proofs: ``registry.compliance.offsetting.Proofs`` (RG-12)."""

from __future__ import annotations

from registry.compliance import offsetting
from registry.errors import RefusalError
from registry.offsets import proof
from registry.offsets.offsets import Offsets
from registry.offsets.proof import Proof


class Counter:
    """Looks proofs up in the registry of reductions that has issued them."""

    def __init__(self, offsets: Offsets) -> None:
        self._offsets = offsets

    def proof(self, number: str) -> offsetting.Proof | None:
        """Return what the allowance registry has to know of a proof, None if there is none."""
        try:
            record = self._offsets.proof(number)
        except RefusalError as refusal:
            if refusal.code != "unknown_proof":
                raise
            return None
        return as_offset(record)


def as_offset(record: Proof) -> offsetting.Proof:
    """Return the same of a record in hand, without asking anybody; RefusalError as proof.check.

    A cancellation for another purpose than offset has year 0: no obligation's.
    """
    facts = proof.check(record)
    return offsetting.Proof(
        number=facts.number,
        sha256=record.sha256,
        entity=facts.beneficiary,
        year=facts.obligation_year,
        batch=facts.batch,
        tonnes=facts.tonnes,
        registered=facts.registered,
        covered=facts.covered,
    )
