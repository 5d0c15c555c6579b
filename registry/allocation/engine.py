"""The allocation of one year: units first, then their entities, in the order of the plan.

``allocate`` is pure: the same plan and units give the same tonnes on any machine. Per unit: class
formula, special cases (AL-65, AL-85), relief of gas units. Per entity: sum, cap, pre-allocation,
deductions and true-up (AL-67), differentiated issue (AL-40, AL-66), obligation, shortfall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from registry.allocation import industry, power
from registry.allocation.exact import (
    FACTOR,
    Bools,
    Ints,
    Term,
    floor_of,
    hundredths_half_up,
    scaled,
    share_floor,
    sums,
)
from registry.allocation.industry import IndustryParts
from registry.allocation.plan import EMISSIONS, GAS, OUT_OF_SCOPE, Plan
from registry.allocation.power import PowerParts
from registry.allocation.units import NOT_GIVEN, Units


@dataclass(frozen=True)
class UnitResults:
    """Arrays of shape (n,), whole tonnes."""

    in_scope: Bools
    as_emitted: Bools  # quota = verified emissions, by a special case or the threshold
    quota_t: Ints
    gas_top_up_t: Ints  # relief on the allocation side (AL-23, AL-35, AL-64)
    approved_t: Ints
    gas_waived_t: Ints  # relief on the obligation side (AL-13)
    pre_allocation_t: Ints  # this unit's part of the early share


@dataclass(frozen=True)
class IssueResults:
    """How entities get what was approved; arrays of shape (m,), whole tonnes."""

    pre_allocation_t: Ints  # due early
    pre_issued_t: Ints  # issued early, after deductions and differentiation
    deducted_t: Ints
    deduction_left_t: Ints  # carried on to the next year
    credited_back_t: Ints  # deducted from the pre-allocation beyond what was approved (AL-67)
    final_issue_t: Ints
    take_back_t: Ints  # issued early beyond what was due (AL-34)
    differentiated: Bools  # final_issue_t goes to the provincial account
    forced_surrender_t: Ints
    released_t: Ints
    still_owed_t: Ints


@dataclass(frozen=True)
class EntityResults:
    """Arrays of shape (m,), whole tonnes; ``shortfall_bp`` in hundredths of a per cent."""

    units: Ints  # how many are in scope
    emissions_t: Ints
    quota_t: Ints
    gas_top_up_t: Ints
    cap_top_up_t: Ints
    approved_t: Ints
    waived_t: Ints
    obligation_t: Ints
    shortfall_t: Ints
    surplus_t: Ints
    shortfall_bp: Ints
    borrow_max_t: Ints  # from the next plan (AL-24)
    issue: IssueResults


@dataclass(frozen=True)
class Allocation:
    """The result of one plan year, with what it was computed from."""

    plan: Plan
    units: Units
    unit: UnitResults
    entity: EntityResults
    parts: PowerParts | IndustryParts


def allocate(
    plan: Plan, units: Units, balance_values: Mapping[str, Decimal] | None = None
) -> Allocation:
    """Compute one year. ``balance_values``: of industry sectors in t/t, instead of solving.

    A balance value with more than 12 decimals is refused (``plan_invalid``).
    """
    in_scope, as_emitted = _treatment(plan, units)
    covered = in_scope & ~as_emitted
    parts: PowerParts | IndustryParts
    if plan.power:
        quota_t, parts = power.quotas(plan, units)
    else:
        quota_t, parts = industry.quotas(plan, units, covered, dict(balance_values or {}))
    quota_t = np.where(as_emitted, units.emissions_t, quota_t) * in_scope
    unit = _unit_results(plan, units, parts, in_scope, as_emitted, quota_t)
    return Allocation(plan, units, unit, _entity_results(plan, units, unit), parts)


def _treatment(plan: Plan, units: Units) -> tuple[Bools, Bools]:
    """Return which units are in scope and which get their emissions (AL-04, AL-65, AL-85)."""
    treatments = np.array([special.treatment for special in plan.special] + [""])
    of_unit = treatments[units.special]  # NOT_GIVEN is -1: the empty one
    in_scope, as_emitted = of_unit != OUT_OF_SCOPE, of_unit == EMISSIONS
    if plan.threshold and units.year in plan.threshold.years:
        total = sums(units.entity, units.emissions_t * in_scope, len(units.entities.names))
        small = total < plan.threshold.tonnes.value
        as_emitted = as_emitted | (in_scope & small[units.entity])
    return in_scope, as_emitted


def _unit_results(
    plan: Plan,
    units: Units,
    parts: PowerParts | IndustryParts,
    in_scope: Bools,
    as_emitted: Bools,
    quota_t: Ints,
) -> UnitResults:
    none = np.zeros(len(units), dtype=np.int64)
    top_up, waived = none, none
    for relief in plan.relief:
        if relief.step == "gas_units":
            gas = in_scope & (units.kind == GAS)
            short = np.where(gas, np.maximum(units.emissions_t - quota_t, 0), 0)
            top_up, waived = (short, none) if relief.side == "allocation" else (none, short)
    pre = _pre_allocation(plan, units, parts) * in_scope
    return UnitResults(in_scope, as_emitted, quota_t, top_up, quota_t + top_up, waived, pre)


def _pre_allocation(plan: Plan, units: Units, parts: PowerParts | IndustryParts) -> Ints:
    """Return each unit's early share, rounded down (AL-12, AL-22, AL-33, AL-63, AL-84)."""
    rule = plan.pre_allocation.get(units.year)
    if rule is None:
        return np.zeros(len(units), dtype=np.int64)
    if not rule.of_output.value:
        return share_floor(units.base_emissions_t, rule.share.value)
    assert isinstance(parts, PowerParts)
    share = scaled(rule.share.value, FACTOR)
    terms = tuple(
        Term((*term.numerators, share), (*term.denominators, FACTOR))
        for term in power.of_base_year(plan, units, parts)
    )
    return floor_of(terms, len(units))


def _entity_results(plan: Plan, units: Units, unit: UnitResults) -> EntityResults:
    m = len(units.entities.names)

    def total(values: Ints) -> Ints:
        return sums(units.entity, values, m)

    emissions = total(units.emissions_t * unit.in_scope)
    quota, gas_top_up = total(unit.quota_t), total(unit.gas_top_up_t)
    approved, obligation, cap_top_up = _relief(plan, emissions, quota, unit, total)
    waived = emissions - obligation
    shortfall = np.maximum(obligation - approved, 0)
    issue = _issue(plan, units, total(unit.pre_allocation_t), approved, obligation)
    return EntityResults(
        units=total(unit.in_scope.astype(np.int64)),
        emissions_t=emissions,
        quota_t=quota,
        gas_top_up_t=gas_top_up,
        cap_top_up_t=cap_top_up,
        approved_t=approved,
        waived_t=waived,
        obligation_t=obligation,
        shortfall_t=shortfall,
        surplus_t=np.maximum(approved - obligation, 0),
        shortfall_bp=hundredths_half_up(shortfall, emissions),
        borrow_max_t=_borrow_max(plan, emissions, shortfall),
        issue=issue,
    )


def _relief(
    plan: Plan, emissions: Ints, quota: Ints, unit: UnitResults, total: Callable[[Ints], Ints]
) -> tuple[Ints, Ints, Ints]:
    """Apply exemptions and caps in the plan's order; return approved, obligation, cap top-up."""
    approved, obligation = quota, emissions
    cap_top_up = np.zeros(len(quota), dtype=np.int64)
    for relief in plan.relief:
        if relief.step == "gas_units":
            approved = approved + total(unit.gas_top_up_t)
            obligation = obligation - total(unit.gas_waived_t)
            continue
        assert relief.share is not None
        if relief.side == "allocation":  # AL-23, AL-36, AL-64: at least 80 % of the emissions
            least = share_floor(emissions, 1 - relief.share)
            cap_top_up = np.maximum(least - approved, 0)
            approved = approved + cap_top_up
        else:  # AL-13: the obligation is at most the allocation and 20 % of the emissions
            most = approved + share_floor(emissions, relief.share)
            obligation = np.minimum(obligation, most)
    return approved, obligation, cap_top_up


def _issue(plan: Plan, units: Units, pre: Ints, approved: Ints, obligation: Ints) -> IssueResults:
    """Settle the entitlement: early, by deduction, at the end, taken back (AL-67, AL-66)."""
    of = units.entities
    differentiated = of.differentiated != NOT_GIVEN
    early = np.where(of.pre_allocated_t == NOT_GIVEN, pre, of.pre_allocated_t)
    early = np.where(differentiated, 0, early)
    owed = of.deduction_t if plan.deductions else np.zeros_like(early)
    early_deducted = np.minimum(owed, early)
    pre_issued = early - early_deducted
    deducted = np.minimum(owed, approved)
    due = approved - deducted
    final = np.maximum(due - pre_issued, 0)
    forced = np.where(differentiated, np.minimum(due, obligation), 0)
    return IssueResults(
        pre_allocation_t=early,
        pre_issued_t=pre_issued,
        deducted_t=deducted,
        deduction_left_t=owed - deducted,
        credited_back_t=np.maximum(early_deducted - approved, 0),
        final_issue_t=final,
        take_back_t=np.maximum(pre_issued - due, 0),
        differentiated=differentiated,
        forced_surrender_t=forced,
        released_t=np.where(differentiated, due - forced, 0),
        still_owed_t=np.where(differentiated, obligation - forced, 0),
    )


def _borrow_max(plan: Plan, emissions: Ints, shortfall: Ints) -> Ints:
    """Return what may be borrowed at most: AL-24, for a deficit of at least the least ratio."""
    if plan.borrowing is None:
        return np.zeros_like(shortfall)
    least = scaled(plan.borrowing.deficit_min.value, 10**4)
    enough = (shortfall > 0) & (shortfall * 10**4 >= emissions * least)
    return np.where(enough, share_floor(shortfall, plan.borrowing.share.value), 0)
