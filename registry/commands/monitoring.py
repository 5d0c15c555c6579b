"""Steps of monitoring: provinces, tables, roster, reports, verification (CP-01 … CP-11)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from registry.commands.shared import (
    DEFAULT_DATA,
    AtOption,
    DataOption,
    DocumentOption,
    EntityOption,
    OutOption,
    PersonOption,
    RefusedOption,
    StrictOption,
    UrlOption,
    step,
)

YearArgument = Annotated[int, typer.Argument(help="The data year.")]
TABLES = ("entities", "facilities", "roster", "plans", "deposits", "verified")
WordsOption = Annotated[str, typer.Option("--words", help="What there is to say.")]


def provinces(data: DataOption = DEFAULT_DATA, url: UrlOption = None) -> None:
    """Open the books, the national account and those of the provinces (RG-04)."""
    with step(data, url, new=True) as the:
        the.registry.monitoring.open_provinces()
        the.say(f"{len(the.registry.monitoring.provinces())} provinces have accounts")


def import_table(
    table: Annotated[str, typer.Argument(help=f"One of {', '.join(TABLES)}.")],
    file: Annotated[Path, typer.Argument(help="The rows: .csv, .parquet or .json.")],
    person: PersonOption,
    year: Annotated[int | None, typer.Option(help="Of all but the first two.")] = None,
    document: DocumentOption = "",
    strict: StrictOption = False,
    refused: RefusedOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Take a table in; each bad row is refused with its number, field, code and reason."""
    with step(data, url, at) as the:
        order = (table, file, person, the.at_ns, year, document, strict)
        with the.working(f"reading {file.name}"):
            found = the.registry.monitoring.import_table(*order)
        the.refuse(found.refused, out=refused)
        for code, count in found.by_code.items():
            the.say(f"{code}: {count:,}")
        bad = len(found.refused)
        the.say(f"{table}: {found.rows:,} rows, {found.taken:,} taken, {bad:,} refused")


def accounts(data: DataOption = DEFAULT_DATA, url: UrlOption = None) -> None:
    """Open the accounts that entities still lack (CP-05)."""
    with step(data, url) as the:
        the.say(f"{the.registry.monitoring.open_accounts():,} accounts were opened")


def roster(
    year: YearArgument,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish what the rules say, with --document.")
    ] = False,
    ceased: Annotated[
        list[str] | None, typer.Option(help="Who is known to have stopped; repeatable.")
    ] = None,
    base_year: Annotated[
        int | None, typer.Option(help="Whose verified figures are compared (two years before).")
    ] = None,
    document: DocumentOption = "",
    person: PersonOption = 1,
    out: OutOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Say who belongs on the roster of a year and why; publish it (CP-03 … CP-05)."""
    with step(data, url, at) as the:
        monitoring = the.registry.monitoring
        found = monitoring.propose_roster(year, base_year, ceased or ())
        rows = [(one.entity, one.status, one.grounds, one.emissions_tonnes) for one in found]
        the.table(("entity", "status", "grounds", "emissions_tonnes"), rows, out)
        if publish:
            done = monitoring.publish_roster(year, found, document, person, the.at_ns, base_year)
            the.say(f"roster {year}: {done.listed:,} listed, {done.removed:,} removed")


def report(
    year: YearArgument,
    person: PersonOption,
    entity: EntityOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Add a year's deposits up to annual reports (CP-10)."""
    with step(data, url, at) as the:
        with the.working("reporting"):
            made, refused = the.registry.monitoring.report_all(year, person, the.at_ns, entity)
        columns = ("entity", "version", "emissions_tonnes", "late")
        rows = [(one.entity, one.version, one.emissions_tonnes, one.is_late) for one in made]
        the.show(columns, rows)
        the.left_out(refused)
        the.say(f"{len(made):,} reports of {year}, {len(refused):,} left out")


def findings(
    year: YearArgument,
    entity: Annotated[str | None, typer.Option(help="Only about this entity.")] = None,
    unanswered: Annotated[
        bool, typer.Option("--open", help="Only errors that nobody has answered.")
    ] = False,
    out: OutOption = None,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Show what the plausibility checks found, with the parameter."""
    names = (
        *("id", "entity", "facility", "month", "rule", "severity", "parameter", "value"),
        *("low", "high", "answer"),
    )
    with step(data, url) as the:
        found = the.registry.monitoring.findings(year, entity, unanswered)
        the.table(names, [[getattr(one, name) for name in names] for one in found], out)
        the.say(f"{len(found):,} findings of {year}")


def answer(
    number: Annotated[int, typer.Argument(help="Number of the finding.")],
    words: WordsOption,
    person: PersonOption,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Say why a finding is no mistake."""
    with step(data, url, at) as the:
        the.registry.monitoring.answer_finding(number, words, person, the.at_ns)
        the.say(f"finding {number} is answered")


def verify(
    year: YearArgument,
    words: WordsOption,
    person: PersonOption,
    entity: EntityOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Verify annual reports, which nobody does for his own (CP-10)."""
    with step(data, url, at) as the:
        with the.working("verifying"):
            done = the.registry.monitoring.verify(year, person, the.at_ns, words, entity)
        columns = ("entity", "version", "emissions_tonnes")
        the.show(columns, [(v.entity, v.version, v.emissions_tonnes) for v in done.versions])
        the.left_out(done.refused)
        the.say(f"{len(done.versions):,} figures of {year}, {len(done.refused):,} left out")


def feedback(
    year: YearArgument,
    person: PersonOption,
    entity: EntityOption = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Tell verified figures to their entities (CP-11)."""
    from registry.windows import moment

    with step(data, url, at) as the:
        told = the.registry.monitoring.feed_back(year, person, the.at_ns, entity)
        until = f", re-checks before {moment(told[0].recheck_until_ns):%Y-%m-%d}" if told else ""
        the.say(f"{len(told):,} entities were told their figure of {year}{until}")


def recheck(
    entity: Annotated[str, typer.Argument(help="Whose verified figure is doubted.")],
    year: YearArgument,
    words: WordsOption,
    person: PersonOption,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Ask for a re-check of a verified figure (CP-11)."""
    from registry.windows import moment

    with step(data, url, at) as the:
        asked = the.registry.monitoring.ask_recheck(entity, year, words, person, the.at_ns)
        until = f"{moment(asked.answer_until_ns):%Y-%m-%d}"
        the.say(f"re-check {asked.id} of {entity}, {year}: an answer is due before {until}")


def settle_recheck(
    number: Annotated[int, typer.Argument(help="Number of the re-check.")],
    words: WordsOption,
    person: PersonOption,
    tonnes: Annotated[
        int | None, typer.Option(min=0, help="The corrected figure; without it: upheld.")
    ] = None,
    at: AtOption = "",
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Answer a re-check for the province (CP-11)."""
    with step(data, url, at) as the:
        done = the.registry.monitoring.answer_recheck(number, words, person, the.at_ns, tonnes)
        the.say(f"re-check {number} of {done.entity}, {done.year}: {done.outcome}")
