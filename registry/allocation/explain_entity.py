"""How an entity got what is issued and what it owes, step by step, in the order of the plan."""

from __future__ import annotations

from fractions import Fraction

from registry.allocation.engine import Allocation
from registry.allocation.plan import Relief
from registry.allocation.report import percent_text
from registry.allocation.steps import DOWN, EXACT, Step, grouped_fraction, said
from registry.allocation.units import NOT_GIVEN


def entity_steps(of: Allocation, j: int) -> list[Step]:
    """Return how entity ``j`` got from the sum of its units to what is issued and owed."""
    e = of.entity
    emitted, quota = int(e.emissions_t[j]), int(e.quota_t[j])
    count = int(e.units[j])
    text = f"{count} unit{'' if count == 1 else 's'}, {emitted:,} t emitted"
    steps = [Step("AL-02", "sum of the units", text, f"{quota:,} t", EXACT, f"{quota:,} t")]
    approved, obligation = quota, emitted
    for relief in of.plan.relief:
        now = (approved, obligation)
        if relief.step == "gas_units":
            steps += _gas(of, j, relief, now)
            approved += int(e.gas_top_up_t[j])
            obligation -= _gas_waived(of, j)
        else:
            steps.append(_cap(of, j, relief, now))
            approved += int(e.cap_top_up_t[j])
            obligation = int(e.obligation_t[j])
    return [*steps, *_issue_steps(of, j), _balance_step(of, j), *_borrowing(of, j)]


def _gas_waived(of: Allocation, j: int) -> int:
    return int(of.unit.gas_waived_t[of.units.entity == j].sum())


def _gas(of: Allocation, j: int, relief: Relief, now: tuple[int, int]) -> list[Step]:
    """Return what the units' relief does to the sum; nothing where no gas unit was short."""
    approved, obligation = now
    top_up, waived = int(of.entity.gas_top_up_t[j]), _gas_waived(of, j)
    what = "shortages of gas units"
    if top_up:
        text, old, new = f"approved {approved:,} t + {top_up:,} t", approved, approved + top_up
    elif waived:
        text = f"obligation {obligation:,} t - {waived:,} t"
        old, new = obligation, obligation - waived
    else:
        return []
    return [said(relief, what, text, f"{old:,} t", EXACT, f"{new:,} t")]


def _cap(of: Allocation, j: int, relief: Relief, now: tuple[int, int]) -> Step:
    """Return the cap on the entity's shortage, also where it was not reached."""
    assert relief.share is not None
    approved, obligation = now
    emitted = int(of.entity.emissions_t[j])
    if relief.side == "allocation":
        share, old, new = 1 - relief.share, approved, approved + int(of.entity.cap_top_up_t[j])
        what, text, bound = "approved is at least", "", Fraction(0)
    else:
        share, old, new = relief.share, obligation, int(of.entity.obligation_t[j])
        what, text, bound = "obligation is at most", f"{approved:,} t + ", Fraction(approved)
    bound += emitted * Fraction(share)
    text = f"{text}{share} x {emitted:,} t emitted = {grouped_fraction(bound)} t"
    after = f"{new:,} t" if new != old else f"{new:,} t, not reached"
    return said(relief, what, text, f"{old:,} t", DOWN, after)


def _issue_steps(of: Allocation, j: int) -> list[Step]:
    issue, approved = of.entity.issue, int(of.entity.approved_t[j])
    issued = int(issue.pre_issued_t[j])
    steps = _pre_allocation(of, j)
    if of.plan.deductions and (int(issue.deducted_t[j]) or int(issue.deduction_left_t[j])):
        taken, left = int(issue.deducted_t[j]), int(issue.deduction_left_t[j])
        early = int(issue.pre_allocation_t[j]) - issued
        text = f"{early:,} t of it early, {int(issue.credited_back_t[j]):,} t credited back"
        owed = f"{taken + left:,} t owed"
        after = f"{taken:,} t deducted, {left:,} t carried on"
        steps.append(said(of.plan.deductions, "deduction", text, owed, EXACT, after))
    final, back = int(issue.final_issue_t[j]), int(issue.take_back_t[j])
    text = f"{approved:,} - {int(issue.deducted_t[j]):,} deducted - {issued:,} issued early"
    after = f"{back:,} t taken back" if back else f"{final:,} t issued"
    due = approved - int(issue.deducted_t[j]) - issued
    steps.append(said(of.plan.true_up, "true-up", text, f"{due:,} t", EXACT, after))
    if issue.differentiated[j] and of.plan.differentiated:
        text = f"{final:,} t to the provincial account, {int(of.entity.obligation_t[j]):,} t owed"
        forced, free = int(issue.forced_surrender_t[j]), int(issue.released_t[j])
        after = f"{forced:,} t surrendered, {free:,} t released, "
        after += f"{int(issue.still_owed_t[j]):,} t still owed"
        what, before = "differentiated issue", f"{final:,} t"
        steps.append(said(of.plan.differentiated, what, text, before, EXACT, after))
    return steps


def _pre_allocation(of: Allocation, j: int) -> list[Step]:
    """Return what is issued early: the units' parts or a given quantity, less what it pays."""
    rule, issue = of.plan.pre_allocation.get(of.units.year), of.entity.issue
    if rule is None:
        return []
    given = int(of.units.entities.pre_allocated_t[j])
    early, issued = int(issue.pre_allocation_t[j]), int(issue.pre_issued_t[j])
    if issue.differentiated[j] and of.plan.differentiated:
        text = "differentiated: nothing early"
        return [said(of.plan.differentiated, "pre-allocation", text, "0 t", EXACT, "0 t")]
    text = "sum of the units' parts" if given == NOT_GIVEN else "as given"
    if early != issued:
        text += f", {early - issued:,} t of it pay what is owed"
    return [said(rule.share, "pre-allocation", text, f"{early:,} t", EXACT, f"{issued:,} t")]


def _balance_step(of: Allocation, j: int) -> Step:
    e = of.entity
    obligation, approved = int(e.obligation_t[j]), int(e.approved_t[j])
    short, more = int(e.shortfall_t[j]), int(e.surplus_t[j])
    text = f"obligation {obligation:,} t, approved {approved:,} t"
    ratio = percent_text(int(e.shortfall_bp[j]))
    after, rounding = f"{more:,} t left over", EXACT
    if short:
        after = f"{short:,} t short ({ratio} % of {int(e.emissions_t[j]):,} t emitted)"
        rounding = "per cent half up to 2 decimals, AL-62"
    return Step("CP-30", "balance", text, f"{approved - obligation:,} t", rounding, after)


def _borrowing(of: Allocation, j: int) -> list[Step]:
    """Return how much may be borrowed from the next plan, where the plan lends (AL-24)."""
    rule, short = of.plan.borrowing, int(of.entity.shortfall_t[j])
    if rule is None or not short:
        return []
    most = int(of.entity.borrow_max_t[j])
    least = rule.deficit_min.value
    text = f"{rule.share.value} x {short:,} t, from a shortage of {least} of the emissions on"
    after = f"{most:,} t" if most else "0 t, the shortage is too small"
    before = f"{grouped_fraction(short * Fraction(rule.share.value))} t"
    return [said(rule.share, "may be borrowed at most", text, before, DOWN, after)]
