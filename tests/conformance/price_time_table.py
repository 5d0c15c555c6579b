"""The page of the cases, and the cases as data.

python -m tests.conformance.price_time_table            print the table
python -m tests.conformance.price_time_table --write    write it into docs/reference/
python -m tests.conformance.price_time_table --json     print all cases, the generated ones too
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.conformance.book_under_test import (
    BookMaker,
    BrokenError,
    NotExpressibleError,
    play,
)
from tests.conformance.price_time_books import YardstickBook
from tests.conformance.price_time_crowds import CASES, CROWDS, GROUPS
from tests.conformance.price_time_language import Case
from tests.conformance.price_time_wrong_rules import WRONG

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE, DATA = REFERENCE / "price-time.md", REFERENCE / "price-time.json"
BEGIN, END = "<!-- cases: begin -->\n", "<!-- cases: end -->\n"
SMALL = [case for case in CASES.values() if case not in CROWDS]


def fails(case: Case, make: BookMaker) -> bool:
    """Say whether a book does not stand a case."""
    try:
        play(case, make)
    except BrokenError:
        return True
    return False


def expressible(case: Case) -> bool:
    """Say whether the yardstick has all messages of a case."""
    try:
        play(case, YardstickBook)
    except NotExpressibleError:
        return False
    return True


def caught_by(name: str) -> list[str]:
    """Return the cases that catch a wrong book; crowds are asked where no other case does."""
    make = WRONG[name]
    small = [case.name for case in SMALL if fails(case, make)]
    return small or [case.name for case in CROWDS if fails(case, make)]


def matrix() -> dict[str, list[str]]:
    """Return case -> the wrong books that it catches."""
    found: dict[str, list[str]] = {name: [] for name in CASES}
    for name in WRONG:
        for case in caught_by(name):
            found[case].append(name)
    return found


def line(case: Case, yardstick: bool, caught: Iterable[str]) -> str:
    """Write one row of the page's tables."""
    name, invariant, messages = case.name, case.invariant, len(case.steps)
    wrong = "; ".join(caught)
    return f"| `{name}` | {messages} | {invariant} | {'yes' if yardstick else ''} | {wrong} |"


def tables() -> str:
    """Return the generated part of the page."""
    caught, parts = matrix(), []
    for title, group in GROUPS.items():
        rows = [line(case, expressible(case), caught[case.name]) for case in group]
        head = "| case | messages | what it checks | yardstick | wrong books it catches |"
        parts.append("\n".join([f"### {title}\n", head, "|---|--:|---|---|---|", *rows]))
    books = [f"| {name} | {make.__doc__} |" for name, make in WRONG.items()]
    parts.append(
        "\n".join(["### The wrong books\n", "| name | what it does |", "|---|---|", *books])
    )
    return "\n\n".join(parts) + "\n"


def rows_of(page: str) -> dict[str, tuple[bool, list[str]]]:
    """Read the page: case -> (whether the yardstick plays it, the wrong books it catches)."""
    found = {}
    for row in page.partition(BEGIN)[2].partition(END)[0].splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if cells[0].startswith("`"):
            wrong = cells[4].split("; ") if cells[4] else []
            found[cells[0].strip("`")] = cells[3] == "yes", wrong
    return found


def data(cases: Iterable[Case]) -> str:
    """Return cases as JSON for users of other engines."""
    return json.dumps([case.data() for case in cases], indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Print or write; see the module's docstring."""
    if arguments == ["--json"]:
        print(data(CASES.values()), end="")
    elif arguments == ["--write"]:
        before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(before + begin + tables() + END + after, encoding="utf-8")
        DATA.write_text(data(SMALL), encoding="utf-8")
    else:
        print(tables(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
