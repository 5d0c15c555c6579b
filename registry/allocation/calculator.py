"""The trial calculator behind ``tanshi allocate``: plan and units in, tonnes and reasons out.

Results go to the standard output: tables on a terminal, CSV elsewhere. Refused rows and the
summary go to the error output, so that a pipe holds results only.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from registry.allocation import plan_file, report
from registry.allocation.engine import Allocation, allocate
from registry.allocation.explain import unit_steps
from registry.allocation.explain_entity import entity_steps
from registry.allocation.plan import Plan
from registry.allocation.reading import Reading, check_columns, read_csv, read_rows
from registry.allocation.report import Record
from registry.allocation.steps import Step
from registry.errors import RefusalError

COMPUTED, SOME_REFUSED, IMPOSSIBLE = 0, 1, 2
SHOWN_MAX = 40  # rows of a table on a terminal
REFUSED_SHOWN_MAX = 100
WIDE_FROM = 160  # columns of a terminal that shows more than the essentials
EVERY = "all"
ON_STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True)
class Choices:
    """What the command was asked for."""

    plan: str
    units: Path
    year: int | None = None
    out: Path | None = None
    explain: str | None = None
    json_file: Path | None = None
    balance: Sequence[str] = ()


@dataclass(frozen=True)
class Trial:
    """A table computed under a plan: a result per year, and what was refused."""

    plan: Plan
    reading: Reading
    results: tuple[Allocation, ...]

    @property
    def exit_code(self) -> int:
        """0: every row was computed; 1: some were refused."""
        return SOME_REFUSED if self.reading.refused else COMPUTED

    def document(self, explained: str | None = None) -> dict[str, Any]:
        """Return everything as a JSON document; ``steps`` of what ``explained`` names."""
        return {
            "plan": self.plan.name,
            "version": self.plan.version,
            "rows": self.reading.rows,
            "computed": self.reading.rows - len(self.reading.refused),
            "refused": [row._asdict() for row in self.reading.refused],
            "nation": [report.nation(of) for of in self.results],
            "provinces": [row for of in self.results for row in report.provinces(of)],
            "entities": [row for of in self.results for row in report.entities(of)],
            "units": [row for of in self.results for row in report.units(of)],
            "balance_values": report.balance_values(self.results),
            "steps": [
                {"year": of.units.year, "of": name, "steps": [step._asdict() for step in steps]}
                for of, name, steps in self.steps(explained)
            ],
        }

    def steps(self, wanted: str | None) -> list[tuple[Allocation, str, list[Step]]]:
        """Return the steps of the units and entities that ``wanted`` names.

        A unit, an entity, ``entity/unit``, or ``all``; RefusalError ``nothing_to_explain``.
        """
        if wanted is None:
            return []
        found: list[tuple[Allocation, str, list[Step]]] = []
        for of in self.results:
            names = of.units.entities.names
            for j, entity in enumerate(names):
                mine: list[int] = np.flatnonzero(of.units.entity == j).tolist()
                every = wanted in {EVERY, entity}
                chosen = [
                    i
                    for i in mine
                    if every or wanted in {of.units.names[i], f"{entity}/{of.units.names[i]}"}
                ]
                found += [(of, f"{entity}/{of.units.names[i]}", unit_steps(of, i)) for i in chosen]
                if chosen:
                    found.append((of, entity, entity_steps(of, j)))
        if not found:
            sentence = f"no unit or entity {wanted!r} was computed"
            raise RefusalError("nothing_to_explain", sentence)
        return found


def compute(plan: Plan, units: Path, year: int | None = None, balance: Sequence[str] = ()) -> Trial:
    """Read a table and compute each of its years; refusals as ``plan_file`` and ``reading``."""
    values = balance_values(plan, balance)
    reading = read_table(plan, units, year)
    results = tuple(allocate(plan, of_year, values) for of_year in reading.units.values())
    return Trial(plan, reading, results)


def read_table(plan: Plan, path: Path, year: int | None = None) -> Reading:
    """Read a Parquet file by its suffix, any other as CSV; RefusalError as ``reading.read_csv``.

    A row of a Parquet file has the number that it would have in a CSV file with a header.
    """
    if path.suffix.lower() != ".parquet":
        return read_csv(plan, path, year)
    from registry.monitoring.bulk import open_table  # brings the database along: only where needed

    header, rows = open_table(path)
    check_columns(plan, header, year)
    texts = (
        (number, None if cells is None else dict(zip(header, cells, strict=True)))
        for number, cells in rows
    )
    return read_rows(plan, texts, year)


def balance_values(plan: Plan, texts: Sequence[str]) -> dict[str, Decimal]:
    """Return ``cement=0.85`` and the like by sector; RefusalError ``bad_balance_value``."""
    found: dict[str, Decimal] = {}
    for text in texts:
        sector, _, number = text.partition("=")
        digits = number.replace(".", "", 1)
        balanced = plan.industry and plan.industry.balance and sector in plan.sectors
        plain = digits.isascii() and digits.isdecimal() and len(number.partition(".")[2]) <= 12
        if not balanced or not plain or not 0 < Decimal(number) <= 1000:
            sentence = f"{text!r} is no balance value of {plan.name}, such as cement=0.85"
            raise RefusalError("bad_balance_value", sentence)
        found[sector] = Decimal(number)
    return found


def run(
    choices: Choices, console: Console, errors: Console, keep: Callable[[dict[str, Any]], None]
) -> int:
    """Do what ``tanshi allocate`` was asked for; return its exit code.

    ``keep`` gets the JSON document where a file was asked for. 0: every row was computed; 1: rows
    were refused and the rest was computed; 2: nothing could be computed.
    """
    try:
        plan = plan_file.load(choices.plan)
        trial = compute(plan, choices.units, choices.year, choices.balance)
        explained = trial.steps(choices.explain)
        if choices.out is not None:
            write_files(trial, choices.out)
        _show(trial, choices, explained, console)
        if choices.json_file not in {None, ON_STANDARD_OUTPUT}:
            keep(trial.document(choices.explain))
    except (RefusalError, OSError) as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        return IMPOSSIBLE
    _tell(trial, errors)
    return trial.exit_code


def write_files(trial: Trial, out: Path) -> None:
    """Write the units to ``out``, and beside it ``.entities``, ``.provinces`` and ``.refused``."""
    out.parent.mkdir(parents=True, exist_ok=True)
    refused: list[Record] = [dict(row._asdict()) for row in trial.reading.refused]
    results = trial.results
    for name, rows in (
        ("", [row for of in results for row in report.units(of)]),
        (".entities", [row for of in results for row in report.entities(of)]),
        (".provinces", [row for of in results for row in report.provinces(of)]),
        (".refused", refused),
    ):
        out.with_name(f"{out.stem}{name}{out.suffix}").write_text(csv_text(rows), "utf-8")


def csv_text(rows: Sequence[Record]) -> str:
    """Return rows as CSV with a header; blank where there are none."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def _show(
    trial: Trial,
    choices: Choices,
    explained: list[tuple[Allocation, str, list[Step]]],
    console: Console,
) -> None:
    """Print the results: JSON, or the steps, or tables on a terminal and CSV elsewhere."""
    if choices.json_file == ON_STANDARD_OUTPUT:
        text = json.dumps(trial.document(choices.explain), indent=2, ensure_ascii=False)
        console.file.write(text + "\n")
    elif explained:
        for of, name, steps in explained:
            _show_steps(f"{name}, {of.units.year}, {trial.plan.name}", steps, console)
    elif not console.is_terminal:
        units = [row for of in trial.results for row in report.units(of)]
        if choices.out is None:
            console.file.write(csv_text(units))
    else:
        wide = console.width >= WIDE_FROM
        for of in trial.results:
            for title, rows, narrow, more in (
                ("units", report.units(of), NARROW_UNITS, WIDE_UNITS),
                ("entities", report.entities(of), NARROW_ENTITIES, WIDE_ENTITIES),
            ):
                columns = more if wide else narrow
                _show_table(f"{title} {of.units.year}", rows, columns, console)


NARROW_UNITS = ("entity", "unit", "kind", "quota_t", "approved_t", "emissions_t")
WIDE_UNITS = (
    *("entity", "unit", "kind", "special", "load_factor", "alpha", "quota_t", "gas_top_up_t"),
    *("approved_t", "emissions_t", "pre_allocation_t"),
)
NARROW_ENTITIES = (*("entity", "approved_t", "obligation_t", "shortfall_t", "surplus_t"),)
WIDE_ENTITIES = (
    *("entity", "province", "quota_t", "approved_t", "obligation_t", "shortfall_t"),
    *("shortfall_pct", "surplus_t", "pre_issued_t", "final_issue_t", "take_back_t"),
)


def _show_table(title: str, rows: list[Record], columns: tuple[str, ...], console: Console) -> None:
    table = Table(title=f"{title}: {len(rows):,}")
    columns = tuple(column for column in columns if column in rows[0])
    for column in columns:
        side: Literal["left", "right"] = "right" if isinstance(rows[0][column], int) else "left"
        table.add_column(column, justify=side, overflow="fold")
    for row in rows[:SHOWN_MAX]:
        values = (row[column] for column in columns)
        table.add_row(*(Text(f"{v:,}" if isinstance(v, int) else v) for v in values))
    console.print(table)
    if len(rows) > SHOWN_MAX:
        console.print(f"{len(rows) - SHOWN_MAX:,} more: --out FILE.csv writes all of them")


def _show_steps(title: str, steps: list[Step], console: Console) -> None:
    if console.is_terminal and console.width >= WIDE_FROM:
        table = Table(title=Text(title), title_justify="left")
        for column in Step._fields:
            table.add_column(column, overflow="fold")
        for step in steps:
            table.add_row(*(Text(text) for text in step))
        console.print(table)
        return
    lines = [title]
    for step in steps:
        sure = "" if step.certainty == "certain" else f" ({step.certainty})"
        lines.append(f"  {step.clause}{sure}  {step.what}: {step.calculation}".rstrip(": "))
        change = f"{step.before} -> {step.after}" if step.before else step.after
        lines.append(f"         {change}   (rounding: {step.rounding})")
    console.file.write("\n".join(lines) + "\n")


def _tell(trial: Trial, errors: Console) -> None:
    """Print refused rows, what they leave incomplete, and the summary."""

    def say(text: str, style: str = "") -> None:
        errors.print(Text(text, style=style), soft_wrap=True, highlight=False)

    for row in trial.reading.refused[:REFUSED_SHOWN_MAX]:
        say(f"row {row.row}: {row.field or '-'}: {row.reason} [{row.code}]", "yellow")
    more = len(trial.reading.refused) - REFUSED_SHOWN_MAX
    if more > 0:
        say(f"{more:,} more refused rows: --out and --json list all of them", "yellow")
    for value in report.balance_values(trial.results):
        how = "solved from these rows (AL-82)" if value["solved"] == "yes" else "given"
        say(f"balance value of {value['sector']} {value['year']}: {value['balance_value']}, {how}")
    for of in trial.results:
        total, entities = report.nation(of), of.units.entities
        lacking = [
            n for n, whole in zip(entities.names, entities.complete, strict=True) if not whole
        ]
        if lacking:
            names = ", ".join(lacking[:5]) + (" …" if len(lacking) > 5 else "")
            say(f"{of.units.year}: a refused row is missing in the sums of {names}", "yellow")
        say(
            f"{of.units.year}: {_count(total['units'], 'unit', 'units')} of"
            f" {_count(total['entities'], 'entity', 'entities')},"
            f" approved {total['approved_t']:,} t, due {total['obligation_t']:,} t,"
            f" net deficit {total['net_deficit_t']:,} t ({total['net_deficit_pct']} %)"
        )
    refused = len(trial.reading.refused)
    rows = trial.reading.rows
    plan = f"{trial.plan.name} ({trial.plan.version})"
    say(f"{plan}: {rows:,} rows, {rows - refused:,} computed, {refused:,} refused")


def _count(number: str | int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
