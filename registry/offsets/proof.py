"""The proof of a cancellation: what one registry shows and another one checks (RG-12).

Pure. A proof is a numbered record and the sha256 of it. ``check`` needs the record only: it says
whether it is what was hashed, and what it proves. That the registry of reductions has issued it is
asked there (``Offsets.confirm``); that it counts once is for whoever uses it to see to.
"""

from __future__ import annotations

import json
from typing import NamedTuple, get_type_hints

from registry.errors import RefusalError
from registry.monitoring import checks
from registry.offsets.schema import KINDS

OLD_BEFORE = 20170314  # filed before: until 2024-12-31 only (CP-37)
NEW_FROM = 20240122  # the restarted market (VM-02, CP-37)


class Facts(NamedTuple):
    """What a proof says; days are YYYYMMDD, ``owner`` is a customer number.

    ``obligation_year`` is 0 and ``beneficiary`` may be empty unless ``kind`` is offset.
    """

    number: str
    kind: str
    batch: str
    tonnes: int
    beneficiary: str
    obligation_year: int
    purpose: str
    owner: str
    project: str
    project_type: str
    methodology: str
    installation: str
    covered: bool  # the installation is under the allowance system (CP-36)
    registered: int
    period_first: int
    period_last: int
    cancelled_ns: int
    transaction: int  # of the registry of reductions

    @property
    def era(self) -> str:
        """``old`` (filed before 2017-03-14) or ``new`` (of the restarted market): CP-37."""
        return "old" if self.registered < OLD_BEFORE else "new"


_TYPES = get_type_hints(Facts)


class Proof(NamedTuple):
    """The record as it travels: its number, its content as canonical JSON, the hash of that."""

    number: str
    content: str
    sha256: str


def numbered(number: int) -> str:
    """Return how a proof is called."""
    return f"P{number:08d}"


def write(facts: Facts) -> Proof:
    """Return the record of these facts."""
    content = checks.canonical(facts._asdict())
    return Proof(facts.number, content, checks.sha256(content))


def check(proof: Proof) -> Facts:
    """Return what a record proves, without asking anybody.

    RefusalError proof_altered (the hash is of something else), proof_invalid (no such record).
    """
    if not all(isinstance(part, str) for part in proof):
        raise RefusalError("proof_invalid", "A proof has a number, a content and a sha256.")
    if checks.sha256(proof.content) != proof.sha256:
        raise RefusalError("proof_altered", "The proof's content is not what was hashed (RG-12).")
    facts = _facts(proof.content)
    if facts is None or facts.number != proof.number:
        raise RefusalError("proof_invalid", f"This is no record of proof {proof.number!r} (RG-12).")
    return facts


def _facts(content: str) -> Facts | None:
    try:
        values = json.loads(content)
    except ValueError:
        return None
    if not isinstance(values, dict) or set(values) != set(Facts._fields):
        return None
    if any(type(values[name]) is not kind for name, kind in _TYPES.items()):
        return None
    facts = Facts(**values)
    sound = facts.kind in KINDS and facts.tonnes > 0
    return facts if sound and checks.canonical(values) == content else None


def refuse_covered(covered: bool, project: str) -> None:
    """Raise RefusalError covered_installation for reductions under the allowance system."""
    if covered:
        raise RefusalError(
            "covered_installation",
            f"Project {project} is at an installation under the allowance system: its reductions"
            " offset nothing (CP-36).",
        )
