"""Who may do what (rules.md 7.5): one table, one function, and no is the default.

A key has roles; each message type and each private page names the roles that may use it. What the
table does not name nobody may do, and a test fails. Which account or person acts is never said in
a message: it is the key's.
"""

from __future__ import annotations

from collections.abc import Iterable

VIEWER, TRADER, FUNDS, REGISTRY = "viewer", "trader", "funds", "registry"
COMPLIANCE, ADMIN = "compliance", "admin"
EXCHANGE_OPERATOR, SUPERVISOR = "exchange_operator", "supervisor"
REGISTRY_MAKER, REGISTRY_CHECKER = "registry_maker", "registry_checker"
PROVINCIAL_AUTHORITY, VERIFIER, MINISTRY = "provincial_authority", "verifier", "ministry"

ACCOUNT_ROLES = (VIEWER, TRADER, FUNDS, REGISTRY, COMPLIANCE, ADMIN)
OFFICE_ROLES = (
    *(EXCHANGE_OPERATOR, REGISTRY_MAKER, REGISTRY_CHECKER, SUPERVISOR),
    *(PROVINCIAL_AUTHORITY, VERIFIER, MINISTRY),
)
ROLES = (*ACCOUNT_ROLES, *OFFICE_ROLES)

_EVERYBODY = frozenset(ROLES)
_DECIDING = frozenset((EXCHANGE_OPERATOR, REGISTRY_MAKER, REGISTRY_CHECKER, SUPERVISOR))
_OF_ACCOUNT = frozenset(ACCOUNT_ROLES)
_TRADER = frozenset((TRADER,))
_FUNDS, _REGISTRY, _ADMIN = frozenset((FUNDS,)), frozenset((REGISTRY,)), frozenset((ADMIN,))
_OPERATOR = frozenset((EXCHANGE_OPERATOR,))
_MAKERS = frozenset((EXCHANGE_OPERATOR, REGISTRY_MAKER))
_CHECKERS = frozenset((EXCHANGE_OPERATOR, SUPERVISOR, REGISTRY_CHECKER))
_COURT_MAKER, _COURT_CHECKER = frozenset((REGISTRY_MAKER,)), frozenset((REGISTRY_CHECKER,))
_VOID_CHECKERS = frozenset((EXCHANGE_OPERATOR, SUPERVISOR))
_OVERSIGHT = frozenset((SUPERVISOR, EXCHANGE_OPERATOR))
_COMPLIANCE, _PROVINCE = frozenset((COMPLIANCE,)), frozenset((PROVINCIAL_AUTHORITY,))
_MINISTRY, _OF_HOLDER = frozenset((MINISTRY,)), frozenset((REGISTRY, COMPLIANCE))
_VERIFIER = frozenset((VERIFIER,))
_YEAR_OFFICES = frozenset((PROVINCIAL_AUTHORITY, MINISTRY, REGISTRY_MAKER, REGISTRY_CHECKER))
_YEAR_READERS = _COMPLIANCE | _YEAR_OFFICES

PERMITTED: dict[str, frozenset[str]] = {
    "status": _EVERYBODY,
    # trading
    **dict.fromkeys(("list", "take", "take_best", "add", "amend", "cancel"), _TRADER),
    **dict.fromkeys(("bulk_offer", "bulk_counter", "bulk_accept"), _TRADER),
    **dict.fromkeys(("bulk_confirm", "bulk_decline", "bulk_withdraw"), _TRADER),
    **dict.fromkeys(("apply_session", "bid", "cancel_bid"), _TRADER),
    **dict.fromkeys(("cancel_all", "cancel_after"), _TRADER),
    **dict.fromkeys(("resume", "snapshot", "limits"), _EVERYBODY),
    "kill": frozenset((TRADER, ADMIN, EXCHANGE_OPERATOR)),
    # allowances and money of an account
    **dict.fromkeys(("transfer_in", "transfer_out"), _REGISTRY),
    **dict.fromkeys(("cash_in", "cash_out"), _FUNDS),
    # people of an account
    **dict.fromkeys(("create_key", "rotate_key", "revoke_key"), _ADMIN),
    # the exchange
    **dict.fromkeys(("notice_session", "reject_session"), _OPERATOR),
    **dict.fromkeys(("block_account", "guard_holding", "limit_holding"), _OPERATOR),
    "warn_account": _OPERATOR,
    **dict.fromkeys(("halt_instrument", "resume_instrument"), _OPERATOR),
    **dict.fromkeys(("halt_market", "resume_market"), _OPERATOR),
    "admit_instrument": _OPERATOR,
    # two people (ST-07); what exactly is asked for is looked up under "propose.<action>" as well
    "propose": _MAKERS,
    "withdraw_proposal": _MAKERS,
    **dict.fromkeys(("approve", "reject_proposal"), _CHECKERS),
    **dict.fromkeys(("propose.void_trade", "propose.set_parameter"), _OPERATOR),
    **dict.fromkeys(("approve.void_trade", "approve.set_parameter"), _VOID_CHECKERS),
    **dict.fromkeys(("propose.freeze_holding", "propose.release_holding"), _COURT_MAKER),
    "propose.deduct_holding": _COURT_MAKER,
    **dict.fromkeys(("approve.freeze_holding", "approve.release_holding"), _COURT_CHECKER),
    "approve.deduct_holding": _COURT_CHECKER,
    # private pages
    **dict.fromkeys(("GET /api/orders", "GET /api/trades", "GET /api/account"), _OF_ACCOUNT),
    **dict.fromkeys(("GET /api/negotiations", "GET /api/statements"), _OF_ACCOUNT),
    "GET /api/notices": _OF_ACCOUNT,
    "POST /api/objections": frozenset((FUNDS, REGISTRY, COMPLIANCE, ADMIN)),
    "GET /api/keys": _ADMIN,
    **dict.fromkeys(("GET /api/surveillance", "GET /api/disputes"), _OVERSIGHT),
    "GET /api/proposals": _DECIDING,
    "POST /api/clock": _OPERATOR,
    "GET /api/registry/requests": frozenset((REGISTRY_MAKER, REGISTRY_CHECKER, SUPERVISOR)),
    "GET /api/registry/defaults": frozenset((REGISTRY_MAKER, REGISTRY_CHECKER, SUPERVISOR)),
    **dict.fromkeys(
        ("GET /api/registry/holdings", "GET /api/registry/transactions"),
        _OF_ACCOUNT | {REGISTRY_MAKER, REGISTRY_CHECKER, SUPERVISOR, MINISTRY},
    ),
    "POST /api/registry/requests": _COURT_MAKER,
    "POST /api/registry/withdrawals": _COURT_MAKER,
    "POST /api/registry/decisions": _COURT_CHECKER,
    # the compliance year: whoever reads sees what is his own (gateway/rest/compliance_scope.py)
    **dict.fromkeys(
        (
            *("GET /api/compliance/obligations", "GET /api/compliance/applications"),
            *("GET /api/compliance/certificates", "GET /api/compliance/allocations"),
            *("GET /api/compliance/offsets", "GET /api/compliance/carry-over"),
            *("GET /api/compliance/borrowings", "GET /api/compliance/penalties"),
            *("GET /api/compliance/warnings", "GET /api/compliance/notices"),
            *("GET /api/compliance/deductions", "GET /api/compliance/earmarks"),
            *("GET /api/compliance/carry-limits", "GET /api/compliance/carry-applications"),
            "GET /api/compliance/adjustments",
        ),
        _YEAR_READERS,
    ),
    **dict.fromkeys(
        (
            *("POST /api/compliance/applications", "POST /api/compliance/offsets"),
            *("POST /api/compliance/carry-over", "POST /api/compliance/borrowings"),
        ),
        _COMPLIANCE,
    ),
    "POST /api/compliance/withdrawals": _COMPLIANCE | _PROVINCE,
    **dict.fromkeys(
        (
            *("POST /api/compliance/decisions", "POST /api/compliance/notices"),
            "POST /api/compliance/penalties",
        ),
        _PROVINCE,
    ),
    "POST /api/compliance/warnings": _COURT_MAKER | _MINISTRY,
    "GET /api/compliance/guards": _OPERATOR | _COURT_MAKER | _MINISTRY,
    "GET /api/compliance/milestones": _YEAR_OFFICES,
    **dict.fromkeys(
        (
            *("POST /api/compliance/milestones", "POST /api/compliance/adjustments"),
            "POST /api/compliance/carry-notices",
        ),
        _COURT_MAKER | _MINISTRY,
    ),
    "POST /api/compliance/disclosures": _MINISTRY,
    # the registry of voluntary reductions
    "GET /api/offsets/cancellations": _OF_HOLDER | _COURT_MAKER | _COURT_CHECKER,
    "GET /api/offsets/proofs": _OF_HOLDER | _COURT_MAKER | _COURT_CHECKER,
    **dict.fromkeys(
        ("POST /api/offsets/cancellations", "POST /api/offsets/withdrawals"), _REGISTRY
    ),
    **dict.fromkeys(("POST /api/offsets/projects", "POST /api/offsets/batches"), _COURT_MAKER),
    "POST /api/offsets/decisions": _COURT_CHECKER,
    "POST /api/compliance/handovers": _COURT_MAKER,
    **dict.fromkeys(
        (
            *("GET /api/monitoring/entities", "GET /api/monitoring/roster"),
            *("GET /api/monitoring/reports", "GET /api/monitoring/findings"),
            "GET /api/monitoring/rechecks",
        ),
        _YEAR_READERS | _VERIFIER,
    ),
    **dict.fromkeys(
        (
            *("POST /api/monitoring/plans", "POST /api/monitoring/deposits"),
            *("POST /api/monitoring/reports", "POST /api/monitoring/finding-answers"),
            "POST /api/monitoring/rechecks",
        ),
        _COMPLIANCE,
    ),
    # tables that are handed in: of all, of the province's entities, of one's own
    "POST /api/monitoring/accounts": _COURT_MAKER,
    **dict.fromkeys(
        ("POST /api/monitoring/tables/entities", "POST /api/monitoring/tables/facilities"),
        _COURT_MAKER | _PROVINCE,
    ),
    "POST /api/monitoring/tables/roster": _PROVINCE | _MINISTRY,
    **dict.fromkeys(
        ("POST /api/monitoring/tables/plans", "POST /api/monitoring/tables/deposits"),
        _COMPLIANCE | _COURT_MAKER,
    ),
    "POST /api/monitoring/tables/verified": _VERIFIER,
    **dict.fromkeys(
        ("POST /api/compliance/tables/applications", "POST /api/compliance/tables/carry-over"),
        _COMPLIANCE | _COURT_MAKER,
    ),
    **dict.fromkeys(
        ("POST /api/compliance/tables/allocations", "POST /api/compliance/tables/units"),
        _COURT_MAKER,
    ),
    "POST /api/compliance/tables/notices": _PROVINCE,
    "POST /api/monitoring/verifications": _VERIFIER,
    **dict.fromkeys(
        (
            *("POST /api/monitoring/roster", "POST /api/monitoring/feedbacks"),
            "POST /api/monitoring/recheck-answers",
        ),
        _PROVINCE,
    ),
}


def permitted(roles: Iterable[str], what: str) -> bool:
    """Whether one of ``roles`` may use ``what``: a message type or a page; unknown ones: no."""
    return not PERMITTED.get(what, frozenset()).isdisjoint(roles)
