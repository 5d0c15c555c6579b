"""What one row of an allocation means for its entity: netted, issued, earmarked, taken back.

Pure. With P issued early (after deductions), A approved and a remaining deduction D: the final
issue is (A - P) - D, not below 0; what of D is not absorbed is carried forward; what was deducted
early beyond A is credited back to D; what was issued early beyond A is taken back (AL-34, AL-67).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from registry.compliance.books import Prior
from registry.compliance.deductions import Deduction, Use, credit_back, net
from registry.compliance.rows import AllocationRow


class Verdict(NamedTuple):
    """What becomes of one row, in tonnes."""

    row: AllocationRow
    entitled_tonnes: int  # early, or approved altogether
    waived_tonnes: int
    reason: str
    uses: list[Use]  # of deductions; negative: credited back
    issued_tonnes: int
    earmarked_tonnes: int
    taken: list[tuple[int, int]]  # (earmark, tonnes) taken back
    taken_tonnes: int  # from the entity's account
    owed_tonnes: int  # to be taken back and not there

    @property
    def deduction_tonnes(self) -> int:
        """What is netted; negative: credited back."""
        return sum(use.tonnes for use in self.uses)

    @property
    def taken_back_tonnes(self) -> int:
        """What is taken back from the account and from earmarks."""
        return self.taken_tonnes + sum(tonnes for _, tonnes in self.taken)


def settle(
    row: AllocationRow,
    waived_tonnes: int,
    reason: str,
    prior: Prior,
    waiting: Sequence[Deduction],
    used: Mapping[int, int],
    held_tonnes: int,
    stage: str,
) -> Verdict:
    """Return the verdict on a row. ``held_tonnes``: of the vintage on the registry side.

    ``reason`` not "": nothing goes to the entity; at the early stage nothing is issued at all, at
    the end it is earmarked (AL-26, AL-40, AL-66).
    """
    entitled = 0 if reason and stage == "pre" else row.tonnes
    change = entitled - prior.entitled_tonnes
    if change >= 0:
        uses = net(waiting, change)
        given = change - sum(use.tonnes for use in uses)
        issued, earmarked = (0, given) if reason else (given, 0)
        return Verdict(row, entitled, waived_tonnes, reason, uses, issued, earmarked, [], 0, 0)
    back = min(prior.issued_tonnes, -change)
    uses = credit_back(used, -change - back)
    taken = []
    for earmark in prior.earmarks:
        part = min(earmark.tonnes, back)
        if part > 0:
            taken.append((earmark.number, part))
            back -= part
    there = min(held_tonnes, back)
    return Verdict(row, entitled, waived_tonnes, reason, uses, 0, 0, taken, there, back - there)
