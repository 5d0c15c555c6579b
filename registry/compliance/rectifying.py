"""The time limit within which a shortage is to be corrected, part of the decision (CP-61, CP-62).

A refusal, or a shortage that is still there, can be judged once the limit has passed, not before.
A decision without a limit orders to correct at once.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from registry.compliance.carry_schema import correction_limits
from registry.compliance.penalty_rules import RULES, Rule
from registry.errors import RefusalError
from registry.monitoring import checks
from registry.windows import moment


def refuse_invalid(rule: Rule, limit_ns: int, at_ns: int) -> None:
    """Raise RefusalError limit_invalid unless a limit of this rule may be set; 0 sets none."""
    if not limit_ns and not isinstance(limit_ns, bool):
        return
    if not any(one.after == rule.offence and one.regime == rule.regime for one in RULES):
        raise RefusalError(
            "limit_invalid", f"Nothing follows {rule.offence} under {rule.regime} after a limit."
        )
    if not checks.is_whole(limit_ns) or limit_ns <= at_ns:
        raise RefusalError("limit_invalid", f"A limit lies ahead ({rule.clause}).")
    moment(limit_ns)


def write(tx: Connection, penalty: int, limit_ns: int) -> None:
    """Write the limit of a proposal down; it holds if the proposal is approved."""
    if limit_ns:
        tx.execute(insert(correction_limits), {"penalty": penalty, "limit_ns": limit_ns})


def refuse_running(tx: Connection, penalty: int, rule: Rule, at_ns: int) -> None:
    """Raise RefusalError limit_running while the limit of an earlier decision has not passed."""
    limits = correction_limits.c
    limit = tx.execute(select(limits.limit_ns).where(limits.penalty == penalty)).scalar()
    if limit is not None and at_ns < limit:
        raise RefusalError(
            "limit_running",
            f"Penalty {penalty} gives time to correct until {moment(int(limit) - 1):%Y-%m-%d %H:%M}"
            f" ({rule.clause}).",
        )
