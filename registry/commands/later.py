"""Steps beside the year's main line: carry-over, borrowing, penalties, risk watch, disclosure."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.commands.shared import (
    DEFAULT_DATA,
    AtOption,
    DataOption,
    DocumentOption,
    MakerOption,
    OutOption,
    RefusedOption,
    StrictOption,
    UrlOption,
    moment_ns,
    step,
)
from registry.commands.surrendering import EntityArgument, YearArgument


def carry_notices(
    at: AtOption = "", data: DataOption = DEFAULT_DATA, url: UrlOption = None
) -> None:
    """Compute everybody's limit of carry-over and give the missing notices (AL-50 … AL-54)."""
    columns = ("entity", "base_tonnes", "net_sales_tonnes", "position_tonnes", "limit_tonnes")
    with step(data, url, at) as the:
        with the.working("computing limits"):
            found = the.registry.compliance.carry_over.give_notices(the.at_ns)
        rows = [
            (one.entity, one.base_tonnes, one.net_sales_tonnes, one.position_tonnes, one.tonnes)
            for one in found
        ]
        the.show(columns, rows)
        the.say(f"{len(found):,} notices of carry-over")


def carry_apply(
    file: Annotated[
        Path, typer.Argument(help="entity, vintage, tonnes, document: .csv or .parquet.")
    ],
    maker: MakerOption,
    strict: StrictOption = False,
    refused: RefusedOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Apply for carry-over, row by row; decide about it with `decide --paper carry-over`."""
    from registry import handed_in
    from registry.compliance import carry_over

    def make(cells: Any) -> carry_over.Wanted:
        names = (cells.needed("entity"), cells.needed("vintage"), cells.tonnes("tonnes"))
        return carry_over.Wanted(*names, cells.text("document"))

    with step(data, url, at) as the:
        made, bad = handed_in.read(file, ("entity", "vintage", "tonnes"), ("document",), make)
        numbers: tuple[int, ...] = ()
        if not (strict and bad):
            order = (list(made.values()), maker, the.at_ns, strict)
            done = the.registry.compliance.carry_over.apply_many(*order)
            numbers = done.numbers
            bad = sorted(bad + handed_in.at_lines(list(made), done.refused))
        the.refuse(bad, out=refused)
        if numbers:
            the.say(f"carry-over {numbers[0]} to {numbers[-1]} wait for a decision")
        the.say(f"{len(numbers):,} rows taken, {len(bad):,} refused")


def borrow(
    entity: EntityArgument,
    year: YearArgument,
    tonnes: Annotated[int, typer.Argument(min=1, help="How much.")],
    document: DocumentOption,
    maker: MakerOption,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Ask to borrow for 2021 or 2022 from the share of 2023 (AL-24)."""
    with step(data, url, at) as the:
        order = (entity, year, tonnes, document, maker, the.at_ns)
        number = the.registry.compliance.borrowings.ask(*order)
        the.say(f"borrowing {number} waits: `decide {number} --paper borrowing` decides")


class RegimeBy(StrEnum):
    """Whose day says under which regime a case is judged (U20)."""

    DECISION = "decision"
    DEADLINE = "deadline"


def penalty(
    subject: Annotated[str, typer.Argument(help="An entity's code, or a body or person.")],
    offence: Annotated[str, typer.Argument(help="short_surrender, reporting, false_data …")],
    document: DocumentOption,
    maker: MakerOption,
    year: Annotated[int, typer.Option(help="Of the obligation, where it is about one.")] = 0,
    fine_fen: Annotated[int | None, typer.Option(min=0, help="Within the range.")] = None,
    gains_fen: Annotated[int, typer.Option(min=0, help="What was gained.")] = 0,
    value_fen: Annotated[int, typer.Option(min=0, help="What was traded.")] = 0,
    cut_percent: Annotated[int, typer.Option(min=0, help="Off the next allocation.")] = 0,
    regime_by: Annotated[
        RegimeBy, typer.Option(help="Whose day says which regime: the decision's, the deadline's.")
    ] = RegimeBy.DECISION,
    limit: Annotated[
        str, typer.Option(help="By when to correct, in Beijing: the first moment too late.")
    ] = "",
    trial: Annotated[bool, typer.Option("--trial", help="Show the range; write nothing.")] = False,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Say what an offence costs by the regime in force, and propose it (CP-60 … CP-67)."""
    from registry.compliance import penalties

    with step(data, url, at) as the:
        amounts = (gains_fen, value_fen, cut_percent)
        until = (regime_by.value, moment_ns(limit) if limit else 0)
        case = penalties.Case(subject, offence, document, year, fine_fen, *amounts, *until)
        door = the.registry.compliance.penalties
        judged = door.judge(case, the.at_ns)
        rule, found = judged.rule, judged.assessment
        the.say(f"{rule.regime} ({rule.clause}): {found.least_fen:,} to {found.most_fen:,} fen")
        if not trial:
            number = door.propose(case, maker, the.at_ns).number
            the.say(f"penalty {number} waits: `decide {number} --paper penalty` decides")


def risk(
    year: Annotated[
        list[int] | None, typer.Option(help="Only obligations of this year; repeatable.")
    ] = None,
    price_fen: Annotated[
        int | None, typer.Option(min=1, help="Of a tonne (default: the latest close).")
    ] = None,
    warn: Annotated[bool, typer.Option("--warn", help="Write it down; tell provinces.")] = False,
    out: OutOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Say who will fall short, by how much and at what cost (CP-40)."""
    from registry.compliance.risk import Market

    columns = ("entity", "province", "year", "level", "due_tonnes", "short_tonnes", "cost_fen")
    with step(data, url, at) as the:
        order = (Market(), the.at_ns, year or (), price_fen)
        door = the.registry.compliance.watch
        found = door.warn(*order) if warn else door.outlook(*order)
        rows = [[getattr(one, name) for name in columns] for one in found.at_risk]
        the.table(columns, rows, out)
        the.say(f"{len(found.risks):,} open obligations, {len(rows):,} at risk")
        if found.guards:
            names = ("entity", "vintage", "tonnes")
            the.show(names, [(one.entity, one.vintage, one.tonnes) for one in found.guards])
            the.say(f"{len(found.guards):,} holdings should not be sold (TR-116)")


def disclose(
    year: YearArgument,
    publish: Annotated[
        bool, typer.Option("--publish", help="Keep it, word for word, and tell the public.")
    ] = False,
    person: Annotated[int, typer.Option("--person", min=1, help="Who publishes.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the four handed_in.", metavar="DIR")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Show how far a year is fulfilled: all, by province, sector, entity (CP-39)."""
    with step(data, url, at) as the:
        door = the.registry.compliance.disclosures
        if publish:
            done = door.publish(year, person, the.at_ns)
            the.say(f"disclosure {done.number} of {year} is published, sha256 {done.sha256}")
        annual = door.of_year(year, the.at_ns).annual._asdict()
        width = max(map(len, annual))
        for name, value in annual.items():
            shown = f"{value:,}" if name.endswith("_tonnes") else value
            the.say(f"{name.ljust(width)}  {shown}")
        for file in door.write(year, the.at_ns, out, form) if out is not None else ():
            the.say(str(file))
