"""Steps of surrender: notices, applications, decisions, the mass run, offset (CP-30 … CP-41)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.commands.shared import (
    DEFAULT_DATA,
    SOME_REFUSED,
    AtOption,
    CheckerOption,
    DataOption,
    DocumentOption,
    EntityOption,
    MakerOption,
    OutOption,
    PersonOption,
    RefusedOption,
    StrictOption,
    UrlOption,
    step,
)

YearArgument = Annotated[int, typer.Argument(help="Year of the obligation.")]
EntityArgument = Annotated[str, typer.Argument(help="The entity's unified code.")]
NumbersArgument = Annotated[list[int], typer.Argument(help="Numbers of applications.")]


class Paper(StrEnum):
    """What can be decided about."""

    SURRENDER = "surrender"
    OFFSET = "offset"
    CARRY_OVER = "carry-over"
    BORROWING = "borrowing"
    PENALTY = "penalty"


PaperOption = Annotated[Paper, typer.Option(help="What the numbers are of.")]


def notices(
    year: YearArgument,
    entity: EntityOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Set the obligations of a year and give compliance notices (CP-30, CP-32)."""
    with step(data, url, at) as the:
        with the.working("notifying"):
            done = the.registry.compliance.notify(year, the.at_ns, entity)
        the.say(f"{len(done.notified):,} notices of {year}")
        if done.without_allocation:
            the.exit_code = SOME_REFUSED
            rows = [(one, "final_missing") for one in done.without_allocation]
            the.show(("entity", "code"), rows)


def standing(
    year: YearArgument,
    entity: EntityOption = None,
    out: OutOption = None,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Show what is due for a year, what has come and what is missing (CP-32, CP-39)."""
    columns = (
        *("entity", "due_tonnes", "surrendered_tonnes", "offset_tonnes", "pending_tonnes"),
        "missing_tonnes",
    )
    with step(data, url) as the:
        rows = [
            (
                *(one.entity, one.tonnes, one.surrendered_tonnes, one.offset_tonnes),
                *(one.pending_tonnes + one.pending_offset_tonnes, one.missing_tonnes),
            )
            for one in the.registry.compliance.standings(year)
            if not entity or one.entity in entity
        ]
        the.table(columns, rows, out)
        fulfilled = sum(row[-1] == 0 for row in rows)
        the.say(f"{len(rows):,} obligations of {year}, {fulfilled:,} fulfilled")


def apply(
    file: Annotated[
        Path,
        typer.Argument(help="entity, year, vintage, tonnes, helper, document: .csv, .parquet."),
    ],
    maker: MakerOption,
    strict: StrictOption = False,
    refused: RefusedOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Apply for surrender, row by row; the tonnes wait for the province (CP-32)."""
    from registry import handed_in
    from registry.compliance.surrender import Wanted

    def make(cells: Any) -> Wanted:
        whose, vintage = cells.needed("entity"), cells.needed("vintage")
        help_of = (cells.text("helper"), cells.text("document"))
        return Wanted(whose, handed_in.year(cells), vintage, cells.tonnes("tonnes"), *help_of)

    with step(data, url, at) as the:
        needed = ("entity", "year", "vintage", "tonnes")
        made, bad = handed_in.read(file, needed, ("helper", "document"), make)
        numbers: tuple[int, ...] = ()
        if not (strict and bad):
            with the.working("applying"):
                rows = list(made.values())
                done = the.registry.compliance.apply_many(rows, maker, the.at_ns, strict)
            numbers = done.numbers
            bad = sorted(bad + handed_in.at_lines(list(made), done.refused))
        the.refuse(bad, out=refused)
        if numbers:
            the.say(f"applications {numbers[0]} to {numbers[-1]} wait for the province")
        the.say(f"{len(numbers):,} rows taken, {len(bad):,} refused")


def withdraw(
    numbers: NumbersArgument,
    person: PersonOption,
    paper: PaperOption = Paper.SURRENDER,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Take back what one has applied for, all of these or none (CP-33)."""
    _decide(numbers, paper, "withdrawn", person, note, at, data, url)


def decide(
    numbers: NumbersArgument,
    checker: CheckerOption,
    reject: Annotated[bool, typer.Option("--reject", help="Without it: approved.")] = False,
    paper: PaperOption = Paper.SURRENDER,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Approve or reject applications, all of these or none (CP-32, CP-33)."""
    verdict = "rejected" if reject else "approved"
    _decide(numbers, paper, verdict, checker, note, at, data, url)


def _decide(
    numbers: list[int],
    paper: Paper,
    verdict: str,
    person: int,
    note: str,
    at: str,
    data: Path,
    url: str | None,
) -> None:
    from registry.compliance.deciding import Decision
    from registry.compliance.papers import decide as decide_about

    with step(data, url, at) as the:
        decision = Decision(verdict, person, the.at_ns, note)
        with the.working("deciding"), the.registry.database.write() as tx:
            decide_about(tx, paper.value.replace("-", "_"), numbers, decision)
        the.say(f"{paper.value}: {len(numbers):,} {verdict}")


def surrender(
    year: YearArgument,
    maker: MakerOption,
    checker: CheckerOption,
    entity: EntityOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Surrender what everybody owes for a year from his registry side, oldest first (CP-34)."""
    with step(data, url, at) as the:
        with the.working("surrendering"):
            order = (year, maker, checker, the.at_ns, entity)
            done = the.registry.compliance.surrender_all(*order)
        if done.short:
            the.exit_code = SOME_REFUSED
            the.show(("entity", "short_tonnes"), done.short)
        the.say(f"{done.tonnes:,} t of {done.entities:,} entities were surrendered for {year}")
        the.say(f"{done.applications:,} applications, {done.certificates:,} certificates")


def force(
    entity: EntityArgument,
    document: DocumentOption,
    maker: MakerOption,
    checker: CheckerOption,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Surrender from an entity's earmarks on the province's mandate, release the rest (AL-66)."""
    with step(data, url, at) as the:
        done = the.registry.compliance.force(entity, document, maker, checker, the.at_ns)
        the.say(f"request {done.number}, {done.action}: {done.status}")


def offset(
    entity: EntityArgument,
    year: YearArgument,
    proof: Annotated[str, typer.Option(help="Number of the proof.")],
    sha256: Annotated[str, typer.Option(help="Hash of the proof.")],
    maker: MakerOption,
    reductions: Annotated[
        str | None,
        typer.Option(help="URL of the books of reductions (default: DATA/ccer/registry.db)."),
    ] = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Use cancelled reductions for an obligation on the proof of their registry (RG-12)."""
    from registry.institution import Registry
    from registry.offsets.counter import Counter
    from registry.profiles import VOLUNTARY

    books = reductions or f"sqlite:///{data / 'ccer' / 'registry.db'}"
    with step(data, url, at) as the, Registry.open(books, VOLUNTARY) as other:
        compliance = the.registry.compliance
        compliance.proofs = Counter(other.offsets)
        number = compliance.offset(entity, year, proof, sha256, maker, the.at_ns)
        the.say(f"offset {number} waits for the province")


def certificates(
    year: YearArgument,
    entity: EntityOption = None,
    out: OutOption = None,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Show certificates of fulfilled obligations (CP-32)."""
    columns = (
        *("number", "entity", "year", "tonnes", "surrendered_tonnes", "offset_tonnes"),
        *("late", "fulfilled", "sha256"),
    )
    with step(data, url) as the:
        from registry.windows import moment

        rows = [
            (
                *(one.number, one.entity, one.year, one.tonnes, one.surrendered_tonnes),
                *(one.offset_tonnes, bool(one.late), f"{moment(one.fulfilled_ns):%Y-%m-%d}"),
                one.sha256,
            )
            for one in the.registry.compliance.certificates(year=year)
            if not entity or one.entity in entity
        ]
        the.table(columns, rows, out)
        the.say(f"{len(rows):,} certificates of {year}")
