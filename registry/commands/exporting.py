"""The step that takes tables out of the books, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.commands.shared import DEFAULT_DATA, DataOption, UrlOption, step

if TYPE_CHECKING:
    from registry.institution import Registry

OWN = (
    *("obligations", "standings", "allocations", "applications", "certificates", "deductions"),
    *("earmarks", "offsets", "carry_notices", "carry_applications", "borrowings", "penalties"),
    *("warnings", "notices", "holdings", "transactions"),
)


def export_table(
    table: Annotated[str, typer.Argument(help=f"Of monitoring, or one of {', '.join(OWN)}.")],
    file: Annotated[Path, typer.Argument(help="Where to: .csv, .parquet or .json.")],
    year: Annotated[int | None, typer.Option(help="Only of this year.")] = None,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
) -> None:
    """Write a table of the books to a file, with every row there is."""
    from registry.monitoring import bulk

    with step(data, url) as the:
        file.parent.mkdir(parents=True, exist_ok=True)
        with the.working(f"writing {file.name}"):
            if table in OWN:
                columns, rows = rows_of(the.registry, table, year)
                count = bulk.write(file, columns, rows)
            else:
                count = the.registry.monitoring.export_table(table, file, year)
        the.say(f"{table}: {count:,} rows in {file}")


def rows_of(
    registry: Registry, table: str, year: int | None
) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """Return columns and rows of one of ``OWN``; of a year where the table has years."""
    from sqlalchemy import select

    from registry import tables

    rows: list[Sequence[Any]]
    if table == "standings":
        return _standings(registry, year)
    if table == "holdings":
        return _holdings(registry)
    if table == "transactions":
        from registry import listing

        with registry.database.read() as tx:
            rows = [list(row) for row in listing.postings(tx, (0, -1), EVERY)]
        return listing.Posting._fields, rows
    stored = tables.metadata.tables[STORED.get(table, table)]
    query = select(stored).order_by(*stored.primary_key.columns)
    if year is not None and "year" in stored.c:
        query = query.where(stored.c.year == year)
    with registry.database.read() as tx:
        rows = [list(row) for row in tx.execute(query)]
    return [column.name for column in stored.c], rows


EVERY = 2**31
STORED = {"offsets": "offset_uses"}


def _standings(registry: Registry, year: int | None) -> tuple[Sequence[str], list[Sequence[Any]]]:
    from registry.compliance.standing import Standing, of

    extra = ("missing_tonnes", "open_tonnes", "is_fulfilled", "is_met_in_time")
    names = (*Standing._fields, *extra)
    with registry.database.read() as tx:
        found = of(tx, None, () if year is None else (year,)).values()
    return names, [[getattr(one, name) for name in names] for one in found]


def _holdings(registry: Registry) -> tuple[Sequence[str], list[Sequence[Any]]]:
    from sqlalchemy import select

    from registry.institution import Holding
    from registry.ledger import balances, unit_ids
    from registry.schema import FEN, accounts

    names = ("account", "vintage", *Holding._fields)
    found: dict[tuple[int, int], dict[str, int]] = {}
    with registry.database.read() as tx:
        codes = tx.execute(select(accounts.c.id, accounts.c.code))
        who = {int(number): str(code) for number, code in codes}
        code_of = {number: code for code, number in unit_ids(tx).items()}
        for bucket, balance in balances(tx).items():
            if bucket.unit != FEN and bucket.kind in Holding._fields:
                found.setdefault(bucket[:2], {})[bucket.kind] = balance
    rows: list[Sequence[Any]] = []
    for (account, unit), parts in sorted(found.items()):
        rows.append([who[account], code_of[unit], *Holding(**parts)])
    return names, rows
