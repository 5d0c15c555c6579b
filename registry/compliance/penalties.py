"""Penalties: proposed by one person with the computed range, decided by another (CP-60 … CP-67).

The facts of a shortage are the books': what was missing at the deadline, what is missing by now,
the average price from the registry's own deals. The regime is that of the day of the decision, or
of the deadline where the caller says so (U20).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy import cast as sql_cast

from registry import notices
from registry.compliance import deductions, eligibility, penalty_rules, rectifying, standing
from registry.compliance.carry_schema import correction_limits, penalties
from registry.compliance.deciding import Decision
from registry.compliance.deductions import NewDeduction
from registry.compliance.penalty_rules import Assessment, Facts, Price, Rule, assess, rule_of
from registry.compliance.schema import (
    allocations,
    applications,
    obligation_notices,
    offset_uses,
)
from registry.errors import RefusalError
from registry.monitoring import checks, entities
from registry.monitoring.schema import entities as entity_table
from registry.schema import STANDING, Number, days, deals
from registry.windows import moment

FEN_MAX = 2**60
BASES = ("decision", "deadline")  # whose date says which regime (U20)


class Case(NamedTuple):
    """An offence to be judged.

    ``subject``: an entity's code where the offence is an entity's, else a name. ``year``: of the
    obligation, or of the data. ``fine_fen`` None: the least. ``cut_percent``: where a share of the
    next allocation is cut. ``regime_by``: "decision" or "deadline". ``limit_ns``: until when the
    shortage is to be corrected, the first moment that is too late; 0 = at once.
    """

    subject: str
    offence: str
    document: str
    year: int = 0
    fine_fen: int | None = None
    gains_fen: int = 0
    value_fen: int = 0
    cut_percent: int = 0
    regime_by: str = "decision"
    limit_ns: int = 0


class Judged(NamedTuple):
    """The rule that applies to a case, the facts, and what they come to."""

    rule: Rule
    facts: Facts
    assessment: Assessment
    entity: str | None


class Penalty(NamedTuple):
    """A case, its range, and what was decided; ``cut_year`` 0: nothing is cut."""

    number: int
    subject: str
    entity: str | None
    offence: str
    regime: str
    clause: str
    year: int
    short_tonnes: int
    missing_tonnes: int
    turnover_fen: int
    volume_tonnes: int
    gains_fen: int
    value_fen: int
    confiscated_fen: int
    least_fen: int
    most_fen: int
    fine_fen: int
    cut_tonnes: int
    cut_year: int
    document: str
    status: str
    maker: int
    made_ns: int
    checker: int
    decided_ns: int
    note: str
    deduction: int | None
    limit_ns: int


def average_price(tx: Connection, year: int) -> Price | None:
    """Return the average price of the month before a deadline, over all deals (CP-63, U19).

    The month of the last day of surrender: for 31 December, the whole of December. None where
    nothing was dealt. RefusalError year_not_covered.
    """
    d = deals.c
    total, volume = (sql_cast(func.sum(column), Number) for column in (d.value_fen, d.qty_tonnes))
    row = tx.execute(
        select(total, volume)
        .join(days, days.c.date == d.date)
        .where(d.date.between(*_month(year)), STANDING, days.c.status == "posted")
    ).one()
    return None if row[1] is None else Price(int(row[0]), int(row[1]))


def _month(year: int) -> tuple[int, int]:
    """Return the first and the last day of the month of a deadline, YYYYMMDD."""
    last = moment(eligibility.deadline_ns(year) - 1)
    first = (last.year * 100 + last.month) * 100
    return first + 1, first + 31


def _refuse_unposted(tx: Connection, year: int) -> None:
    """Raise RefusalError day_not_posted: the price of a month waits for all its days (RG-10)."""
    d = days.c
    waiting = select(func.min(d.date)).where(d.date.between(*_month(year)), d.status != "posted")
    date = tx.execute(waiting).scalar()
    if date is not None:
        raise RefusalError(
            "day_not_posted", f"{date} is not posted: its deals count for the price (CP-63)."
        )


def short_at_deadline(tx: Connection, entity: str, year: int) -> int:
    """Return what an entity had not applied for in time (CP-41); RefusalError no_notice.

    It is judged by what it had been told before the deadline. What a correction has added since
    (RG-18) could not have come in time: it is short only as long as it is missing.
    """
    found = standing.find(tx, entity, year)
    waiting = 0
    for table in (applications, offset_uses):
        t = table.c
        chosen = (t.entity == entity, t.year == year, t.status == "pending", t.late == 0)
        query = select(func.coalesce(sql_cast(func.sum(t.tonnes), Number), 0)).where(*chosen)
        waiting += int(tx.execute(query).scalar_one())
    then = min(_told_in_time(tx, found), found.tonnes)
    added = min(found.tonnes - then, max(found.missing_tonnes - waiting, 0))
    return max(then - found.in_time_tonnes - waiting, 0) + added


def _told_in_time(tx: Connection, due: standing.Standing) -> int:
    """Return the obligation as last told before its deadline; else as first told."""
    n = obligation_notices.c
    own = (n.entity == due.entity, n.year == due.year)
    query = select(n.tonnes).where(*own, n.notice_ns < due.deadline_ns)
    last = tx.execute(query.order_by(n.line.desc()).limit(1)).scalar()
    first = tx.execute(select(n.tonnes).where(*own).order_by(n.line).limit(1)).scalar()
    return due.tonnes if first is None else int(first if last is None else last)


def judge(tx: Connection, case: Case, at_ns: int) -> Judged:
    """Return what a case would cost, without writing anything.

    RefusalError: time_invalid, text_invalid, unknown_offence, no_rule, basis_invalid,
    unknown_entity, year_invalid, no_notice, not_due (before the deadline), nothing_short,
    first_decision_missing, limit_running, allocation_unknown, amount_invalid, no_average_price,
    day_not_posted, percent_invalid.
    """
    checks.wording(case.subject, "The subject")
    for amount in (case.gains_fen, case.value_fen):
        if not checks.is_whole(amount) or not 0 <= amount <= FEN_MAX:
            raise RefusalError("amount_invalid", f"{amount!r} is no amount of fen.")
    if case.regime_by not in BASES:
        raise RefusalError("basis_invalid", "The regime is by decision or by deadline (U20).")
    rule = _rule(case, at_ns)
    facts = Facts(gains_fen=case.gains_fen, value_fen=case.value_fen, cut_percent=case.cut_percent)
    entity = None
    if rule.is_about_shortage or rule.cut:
        entity = entities.find(tx, case.subject).code
    elif tx.execute(select(entity_table.c.code).where(_code_is(case.subject))).first():
        entity = case.subject
    if rule.after:
        _refuse_first(tx, rule, case, at_ns)
    if rule.is_about_shortage:
        facts = _shortage(tx, rule, case, facts, at_ns)
    if rule.cut == "percent":
        facts = facts._replace(allocation_tonnes=_next_allocation(tx, case))
    return Judged(rule, facts, assess(rule, facts), entity)


def _code_is(code: str) -> Any:
    return entity_table.c.code == code


def _rule(case: Case, at_ns: int) -> Rule:
    """Return the rule for a case that is decided at a moment (U20, CP-62)."""
    rule = rule_of(case.offence, _date(case, at_ns))
    return penalty_rules.as_decided(rule, moment(at_ns).date())


def _date(case: Case, at_ns: int) -> dt.date:
    now = moment(at_ns).date()
    if case.regime_by == "decision":
        return now
    return moment(eligibility.deadline_ns(checks.year(case.year)) - 1).date()


def _refuse_first(tx: Connection, rule: Rule, case: Case, at_ns: int) -> None:
    """Raise RefusalError unless the order to correct was decided under the same regime, and its
    limit has passed."""
    p = penalties.c
    before = (p.subject == case.subject, p.offence == rule.after, p.year == case.year)
    decided = (p.status == "approved", p.regime == rule.regime)
    first = tx.execute(select(p.id).where(*before, *decided)).scalar()
    if first is None:
        raise RefusalError(
            "first_decision_missing",
            f"{case.offence} follows a decision on {rule.after} under {rule.regime}: there is none"
            f" ({rule.clause}).",
        )
    rectifying.refuse_running(tx, int(first), rule, at_ns)


def _shortage(tx: Connection, rule: Rule, case: Case, facts: Facts, at_ns: int) -> Facts:
    if at_ns < eligibility.deadline_ns(checks.year(case.year)):
        raise RefusalError(
            "not_due", f"The deadline of {case.year} has not passed ({rule.clause})."
        )
    short = short_at_deadline(tx, case.subject, case.year)
    missing = standing.find(tx, case.subject, case.year).missing_tonnes
    if short == 0 or (rule.after and missing == 0):
        raise RefusalError(
            "nothing_short", f"{case.subject} is not short for {case.year} ({rule.clause})."
        )
    price = None
    if rule.price_times:
        _refuse_unposted(tx, case.year)
        price = average_price(tx, case.year)
    return facts._replace(short_tonnes=short, missing_tonnes=missing, price=price)


def _next_allocation(tx: Connection, case: Case) -> int:
    a = allocations.c
    year = eligibility.year_after(checks.year(case.year))
    query = select(a.tonnes).where(a.entity == case.subject, a.year == year)
    found = tx.execute(query.order_by(a.id.desc()).limit(1)).scalar()
    if found is None:
        raise RefusalError(
            "allocation_unknown", f"{case.subject} has no allocation of {year} to cut yet."
        )
    return int(found)


def propose(tx: Connection, case: Case, maker: int, at_ns: int) -> int:
    """Write a case down with its range and the fine proposed; return its number.

    RefusalError: person_invalid, those of ``judge``, fine_invalid (out of the range),
    limit_invalid, decided_before (the same case stands already).
    """
    checks.person(maker)
    checks.wording(case.document, "The document")
    found = judge(tx, case, at_ns)
    assessed = found.assessment
    fine = assessed.least_fen if case.fine_fen is None else case.fine_fen
    if not checks.is_whole(fine) or not assessed.least_fen <= fine <= assessed.most_fen:
        raise RefusalError(
            "fine_invalid",
            f"The fine is between {assessed.least_fen:,} and {assessed.most_fen:,} fen"
            f" ({found.rule.clause}).",
        )
    rectifying.refuse_invalid(found.rule, case.limit_ns, at_ns)
    if found.rule.is_about_shortage:
        _refuse_twice(tx, case)
    number = 1 + int(tx.execute(select(func.coalesce(func.max(penalties.c.id), 0))).scalar_one())
    price = found.facts.price or Price(0, 0)
    tx.execute(
        insert(penalties),
        {
            "id": number, "subject": case.subject, "entity": found.entity,
            "offence": case.offence, "regime": found.rule.regime, "clause": found.rule.clause,
            "year": case.year, "short_tonnes": found.facts.short_tonnes,
            "missing_tonnes": found.facts.missing_tonnes, **price._asdict(),
            "gains_fen": case.gains_fen, "value_fen": case.value_fen, **assessed._asdict(),
            "fine_fen": fine, "cut_year": _cut_year(case, assessed),
            "document": case.document, "status": "pending", "maker": maker, "made_ns": at_ns,
            "note": "",
        },
    )  # fmt: skip
    rectifying.write(tx, number, case.limit_ns)
    return number


def _cut_year(case: Case, assessed: Assessment) -> int:
    return eligibility.year_after(case.year) if assessed.cut_tonnes else 0


def _refuse_twice(tx: Connection, case: Case) -> None:
    p = penalties.c
    same = (p.subject == case.subject, p.offence == case.offence, p.year == case.year)
    query = select(p.id).where(*same, p.status.in_(("pending", "approved")))
    number = tx.execute(query).scalar()
    if number is not None:
        raise RefusalError(
            "decided_before", f"Penalty {number} is about the same shortage already."
        )


def decide(tx: Connection, number: int, decision: Decision) -> Penalty:
    """Impose, reject or withdraw a penalty; what it cuts is deducted from the next allocation.

    RefusalError: person_invalid, time_invalid, verdict_invalid, unknown_penalty, decided_before,
    maker_is_checker (ST-07), not_the_maker; of an approval: regime_changed, facts_changed, and
    those of ``judge`` that the case has come to meanwhile.
    """
    row = _open(tx, number, decision)
    deduction = None
    if decision.verdict == "approved":
        _refuse_stale(tx, row, decision.at_ns)
    if decision.verdict == "approved" and row.cut_tonnes:
        cut = NewDeduction(row.entity, row.cut_year, "penalty", row.cut_tonnes, row.document)
        deduction = deductions.write(tx, [cut], decision.at_ns)
    values = {"status": decision.verdict, "checker": decision.person, "note": decision.note}
    values |= {"decided_ns": decision.at_ns, "deduction": deduction}
    tx.execute(update(penalties).where(penalties.c.id == number).values(values))
    if decision.verdict == "approved" and row.entity is not None:
        sentence = (
            f"Penalty {number} for {row.offence}: {row.fine_fen:,} fen, {row.confiscated_fen:,} "
            f"fen confiscated, {row.cut_tonnes:,} t off the next allocation ({row.clause})."
        )
        account = entities.find(tx, row.entity).account
        notices.tell_many(tx, "penalty", [(account, sentence)] if account else [], decision.at_ns)
    return found(tx, number=number)[0]


def _open(tx: Connection, number: int, decision: Decision) -> Row[Any]:
    checks.person(decision.person)
    moment(decision.at_ns)
    if decision.verdict not in ("approved", "rejected", "withdrawn"):
        raise RefusalError("verdict_invalid", f"{decision.verdict!r} is no verdict.")
    known = checks.is_whole(number) and 0 < number < 2**62
    row = tx.execute(select(penalties).where(penalties.c.id == number)).first() if known else None
    if row is None:
        raise RefusalError("unknown_penalty", f"There is no penalty {number!r}.")
    if row.status != "pending":
        raise RefusalError("decided_before", f"Penalty {number} is {row.status} already.")
    own = row.maker == decision.person
    if decision.verdict == "withdrawn" and not own:
        raise RefusalError("not_the_maker", "Only who proposed can withdraw.")
    if decision.verdict != "withdrawn" and own:
        raise RefusalError("maker_is_checker", "Nobody decides on his own proposal (ST-07).")
    return row


def _refuse_stale(tx: Connection, row: Row[Any], at_ns: int) -> None:
    """Refuse a proposal that the rules or the books of the day of the decision do not give (U20).

    Nobody is cut for tonnes that have come meanwhile, nor fined by a regime that has ended.
    """
    case = Case(row.subject, row.offence, row.document, row.year, row.fine_fen)
    if _rule(case, row.made_ns).regime != row.regime:
        case = case._replace(regime_by="deadline")
    rule = _rule(case, at_ns)
    if rule.regime != row.regime:
        raise RefusalError(
            "regime_changed",
            f"Penalty {row.id} was proposed under {row.regime}; today {rule.regime} is in force: "
            f"propose it again ({rule.clause}, U20).",
        )
    if not rule.is_about_shortage:
        return
    now = assess(rule, _shortage(tx, rule, case, Facts(), at_ns))
    if now != Assessment._make(getattr(row, name) for name in Assessment._fields):
        raise RefusalError(
            "facts_changed",
            f"Penalty {row.id}: what is short or missing is no longer what it was proposed for; "
            f"propose it again ({rule.clause}).",
        )


def found(tx: Connection, subject: str | None = None, number: int | None = None) -> list[Penalty]:
    """Return penalties in order, of one subject if told so."""
    p = penalties.c
    limit = func.coalesce(correction_limits.c.limit_ns, 0).label("limit_ns")
    joined = penalties.outerjoin(correction_limits, correction_limits.c.penalty == p.id)
    query = select(penalties, limit).select_from(joined).order_by(p.id)
    query = query if subject is None else query.where(p.subject == subject)
    query = query if number is None else query.where(p.id == number)
    return [_penalty(row) for row in tx.execute(query)]


def _penalty(row: Row[Any]) -> Penalty:
    values = row._asdict()
    values["number"] = values.pop("id")
    values["checker"], values["decided_ns"] = values["checker"] or 0, values["decided_ns"] or 0
    return Penalty(**values)
