"""Steps between notice and deadline: the 95 % milestones, what a changed figure asks for."""

from __future__ import annotations

from typing import Annotated

import typer

from registry.commands.shared import DEFAULT_DATA, AtOption, DataOption, OutOption, UrlOption, step
from registry.commands.surrendering import YearArgument

TellOption = Annotated[bool, typer.Option("--tell", help="Tell the provinces what is behind.")]


def milestone(
    year: YearArgument,
    tell: TellOption = False,
    out: OutOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Show how many entities had surrendered by the interim deadline (AL-14, AL-25)."""
    columns = ("province", "entities", "completed", "missing", "completion_pct", "is_met")
    with step(data, url, at) as the:
        terms = the.registry.compliance.terms
        found = (terms.warn if tell else terms.progress)(year, the.at_ns)
        rows = [[getattr(one, name) for name in columns] for one in found.provinces]
        the.table(columns, rows, out)
        goal, nation = found.milestone, found.nation
        the.say(
            f"{nation.completed:,} of {nation.entities:,} entities ({nation.completion_pct} %); "
            f"{goal.percent} % by {goal.date} ({goal.clause})"
        )
        if tell:
            the.say(f"{len(found.behind):,} provinces were told")


def adjustments(
    year: YearArgument,
    tell: TellOption = False,
    out: OutOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Show figures changed after the final issue, and what is due in ten working days (RG-18)."""
    from registry.windows import moment

    columns = ("entity", "province", "version", "before_tonnes", "emissions_tonnes")
    with step(data, url, at) as the:
        terms = the.registry.compliance.terms
        waiting = terms.remind(year, the.at_ns) if tell else []
        rows = [
            [
                *(getattr(one, name) for name in columns),
                f"{moment(one.due_ns - 1):%Y-%m-%d}",
                "done" if one.done_ns else "open",
                one.is_overdue(the.at_ns),
            ]
            for one in terms.adjustments(year)
        ]
        the.table((*columns, "due", "status", "is_overdue"), rows, out)
        the.say(f"{len(rows):,} figures were changed after the final issue")
        if tell:
            the.say(f"the provinces were told of {len(waiting):,}")
