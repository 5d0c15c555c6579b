"""Steps of the allocation: compute from the books, hand over, issue by two people (RG-09, 7.3)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.commands.shared import (
    DEFAULT_DATA,
    SOME_REFUSED,
    AtOption,
    CheckerOption,
    DataOption,
    DocumentOption,
    MakerOption,
    OutOption,
    Step,
    StrictOption,
    UrlOption,
    step,
)

if TYPE_CHECKING:
    from registry.compliance.rows import AllocationRow
    from registry.computing import Computed


def allocate(
    plan: Annotated[str, typer.Argument(help="A plan's name, e.g. power-2025-2026.")],
    year: Annotated[int, typer.Argument(help="The plan year.")],
    stage: Annotated[str, typer.Argument(help="pre, final or additional.")],
    document: DocumentOption,
    maker: MakerOption,
    checker: Annotated[
        int | None, typer.Option(min=1, help="Who approves; without: the request stays open.")
    ] = None,
    units: Annotated[
        Path | None, typer.Option("--units", help="What the books lack of the units.")
    ] = None,
    trial: Annotated[bool, typer.Option("--trial", help="Compute; issue nothing.")] = False,
    strict: StrictOption = False,
    out: OutOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Compute an allocation from the books' units, hand it over and issue it (RG-09, 7.3)."""
    from registry.computing import COLUMNS

    with step(data, url, at) as the:
        with the.working("computing"):
            done = _computed(the, plan, year, stage, units)
        the.table(COLUMNS, done.table, out)
        if trial or (strict and the.exit_code):
            the.say("nothing was issued")
            return
        with the.working("issuing"):
            order = (plan, year, stage, done.rows)
            _issue(the, order, (maker, checker), document, done.units, strict)


def _computed(the: Step, name: str, year: int, stage: str, file: Path | None) -> Computed:
    from registry.computing import compute

    done = compute(the.registry, name, year, stage, file)
    the.refuse(done.refused)
    if done.lacking:
        the.exit_code = SOME_REFUSED
        the.show(("line", "unit", "code", "reason"), done.lacking)
    if not done.table:
        the.exit_code = SOME_REFUSED
        the.say(f"the books have no units of {year} that can be computed: who is listed, with")
        the.say("facilities, and with reports or --units, has some (CP-05, AL-03)")
    return done


def _issue(
    the: Step,
    order: tuple[str, int, str, list[AllocationRow]],
    people: tuple[int, int | None],
    document: str,
    units: list[dict[str, str]],
    strict: bool,
) -> None:
    maker, checker = people
    rows, compliance = order[3], the.registry.compliance
    if not rows:
        the.say("nothing was issued")
        return
    if checker is None:
        issued = compliance.propose(*order, maker, the.at_ns, document, units, strict)
    else:
        issued = compliance.issue(*order, maker, checker, the.at_ns, document, units, strict)
    found = issued.handover
    refused = [(rows[bad.row - 1].entity, *bad[1:]) for bad in found.refused]
    the.refuse(refused, "entity")
    out = {row[0] for row in refused}
    mismatches = [one for one in found.mismatches if one.entity not in out]
    if mismatches:
        the.exit_code = SOME_REFUSED
        the.show(("entity", "field", "platform", "registry"), mismatches)
    if issued.request is None:
        the.say("nothing was issued: the rows went back")
    elif checker is None:
        request = issued.request
        the.say(f"request {request.number}: {found.entities:,} entities, {found.tonnes:,} t")
        the.say(f"sha256 {request.sha256}")
    else:
        the.say(f"{order[0]} {order[1]} {order[2]}: {_issued(the, order)}")


def _issued(the: Step, order: tuple[str, int, str, list[AllocationRow]]) -> str:
    """Say what an issue came to: it may be less than the entitlement (AL-41), or be taken back."""
    wanted = {row.entity for row in order[3]}
    done = [
        one
        for one in the.registry.compliance.allocations(year=order[1])
        if (one.stage, one.decided_ns) == (order[2], the.at_ns) and one.entity in wanted
    ]
    parts = (
        (sum(one.tonnes for one in done), "entitled"),
        (sum(one.issued_tonnes for one in done), "issued now"),
        (sum(one.earmarked_tonnes for one in done), "earmarked"),
        (sum(one.taken_back_tonnes for one in done), "taken back"),
    )
    shown = [f"{tonnes:,} t {word}" for tonnes, word in parts if tonnes or word == "issued now"]
    return ", ".join([f"{len(done):,} entities", *shown])


def approve(
    number: Annotated[int, typer.Argument(help="Number of the request.")],
    sha256: Annotated[str, typer.Option(help="The hash of what you have read.")],
    checker: CheckerOption,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Approve an open request of somebody else: it is carried out at once (ST-07)."""
    with step(data, url, at) as the:
        with the.working("approving"):
            done = the.registry.approvals.approve(number, checker, sha256, the.at_ns)
        the.say(f"request {number}, {done.action}: {done.status}")
