"""Every step under its name, in the order of a compliance year."""

from __future__ import annotations

from collections.abc import Callable

import typer

from registry.commands import (
    allocating,
    exporting,
    later,
    monitoring,
    reductions,
    surrendering,
    terms,
)

BOOKS, MONITORING, ALLOCATION = "Books", "Monitoring (CP-01 … CP-11)", "Allocation (RG-09, AL)"
SURRENDER, BESIDE = "Surrender (CP-30 … CP-41)", "Beside the main line"
REDUCTIONS = "Voluntary reductions (VM-10, RG-12), in the books of their market"


STEPS: tuple[tuple[str, dict[str, Callable[..., None]]], ...] = (
    (
        BOOKS,
        {
            "provinces": monitoring.provinces,
            "import": monitoring.import_table,
            "accounts": monitoring.accounts,
            "export": exporting.export_table,
            "approve": allocating.approve,
        },
    ),
    (
        MONITORING,
        {
            "roster": monitoring.roster,
            "report": monitoring.report,
            "findings": monitoring.findings,
            "answer": monitoring.answer,
            "verify": monitoring.verify,
            "feedback": monitoring.feedback,
            "recheck": monitoring.recheck,
            "settle-recheck": monitoring.settle_recheck,
        },
    ),
    (ALLOCATION, {"allocate": allocating.allocate}),
    (
        SURRENDER,
        {
            "notices": surrendering.notices,
            "standing": surrendering.standing,
            "apply": surrendering.apply,
            "withdraw": surrendering.withdraw,
            "decide": surrendering.decide,
            "surrender": surrendering.surrender,
            "force": surrendering.force,
            "offset": surrendering.offset,
            "certificates": surrendering.certificates,
            "milestone": terms.milestone,
            "adjustments": terms.adjustments,
        },
    ),
    (
        BESIDE,
        {
            "carry-notices": later.carry_notices,
            "carry-apply": later.carry_apply,
            "borrow": later.borrow,
            "penalty": later.penalty,
            "risk": later.risk,
            "disclose": later.disclose,
        },
    ),
    (
        REDUCTIONS,
        {
            "project": reductions.project,
            "batch": reductions.batch,
            "cancel": reductions.cancel,
            "prove": reductions.prove,
        },
    ),
)


def add_steps(app: typer.Typer) -> None:
    """Add the steps to the registry's command line."""
    for panel, steps in STEPS:
        for name, step in steps.items():
            app.command(name, rich_help_panel=panel)(step)
