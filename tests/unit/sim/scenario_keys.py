"""The tables of docs/reference/scenario.md as the records make them.

``python -m tests.unit.sim.scenario_keys --write`` puts them between their marks in the page;
without ``--write`` they are printed. What a key means is the comment beside it in the records.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from sim.scenario.decoding import UNITS, fields, unit_of
from sim.scenario.model import Record, Scenario
from sim.scenario.reading import load, season_names

PAGE = Path(__file__).parents[3] / "docs/reference/scenario.md"
KEYS, SEASONS = "keys", "seasons"
MARK = "<!-- {name}: made from the records -->\n"
END = "<!-- end -->\n"
EMPTY = '""'
WORDS = {int: "whole number", float: "number", bool: "true/false", str: "text", dt.date: "date"}


def records() -> Iterator[tuple[str, type[Record]]]:
    """Give every record with the key its table has in a file, in the order of the file."""
    yield "", Scenario
    yield from _below("", Scenario)


def _below(key: str, record: type[Record]) -> Iterator[tuple[str, type[Record]]]:
    for name, (hint, _) in fields(record).items():
        inner, many = _inner(hint)
        if isinstance(inner, type) and issubclass(inner, Record):
            at = f"{key}.{name}" if key else name
            yield (f"[[{at}]]" if many else f"[{at}]"), inner
            yield from _below(at, inner)


def _inner(hint: Any) -> tuple[Any, bool]:
    """Return what a key holds, and whether it holds a list of it."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False


def comments(record: type[Record]) -> dict[str, str]:
    """Return the comment that stands beside each key of a record."""
    lines = inspect.getsource(record).splitlines()
    found = (re.match(r"    (\w+): [^#]*(?:# (.*))?$", line) for line in lines)
    return {match[1]: match[2] or "" for match in found if match}


def key_tables() -> str:
    """Return one table a record: key, what stands there, unit, default, meaning."""
    parts = []
    for heading, record in records():
        told = comments(record)
        title = f"### `{heading}`" if heading else "### At the top of the file"
        about = (inspect.getdoc(record) or "").replace("``", "`")
        rows = ["| key | holds | unit | default | meaning |", "|---|---|---|---|---|"]
        rows += [
            _row(item, fields(record)[item.name][0], told[item.name])
            for item in msgspec.structs.fields(record)
        ]
        parts.append("\n".join([title, "", about, "", *rows]))
    return "\n\n".join(parts) + "\n"


def _row(item: msgspec.structs.FieldInfo, hint: Any, meaning: str) -> str:
    inner, many = _inner(hint)
    word = WORDS.get(inner, "table")
    holds = f"list of {word}s" if many else word
    unit = UNITS.get(unit_of(item.name), "")
    if item.required:
        default = "needed"
    elif isinstance(item.default, int | float | str):
        default = f"`{str(item.default).lower() or EMPTY}`"
    else:
        default = "none"
    return f"| `{item.name}` | {holds} | {unit} | {default} | {meaning.replace('|', '/')} |"


def season_table() -> str:
    """Return the seasons of the product in figures."""
    rows = [
        "| season | days | entities | due, Mt | net surplus | old holdings, Mt | offsets, Mt |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in season_names():
        each = load(name)
        population = each.population
        rows.append(
            f"| {name} | {each.first_day} to {each.last_day} "
            f"| {sum(sector.entities for sector in population.sectors):,} "
            f"| {' + '.join(f'{due.emissions_mt:,.0f}' for due in each.obligations)} "
            f"| {', '.join(f'{due.net_surplus_share:+.2%}' for due in each.obligations)} "
            f"| {sum(holding.total_mt for holding in population.old_holdings):,.1f} "
            f"| {sum(offset.stock_mt for offset in each.offsets):,.2f} |"
        )
    return "\n".join(rows) + "\n"


TABLES = {KEYS: key_tables, SEASONS: season_table}


def shown(name: str, page: str) -> str:
    """Return what the page has between the marks of a table."""
    return page.split(MARK.format(name=name), 1)[1].split(END, 1)[0]


def renewed(page: str) -> str:
    """Return the page with every table made anew."""
    for name, made in TABLES.items():
        page = page.replace(shown(name, page), made())
    return page


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        for _name, _made in TABLES.items():
            print(f"## {_name}", _made(), sep="\n")
