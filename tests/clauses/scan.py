"""The coverage of the rulebook's trading clauses, from the code and the tests as they are.

    python -m tests.clauses.scan            print the table
    python -m tests.clauses.scan --write    write docs/rulebook-coverage.md anew

``main`` is what ``tanshi rulebook`` calls. It reads sources, so it needs a checkout.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.clauses import CLAUSES, OUT_OF_SCOPE
from tests.clauses.citations import ROOT, of_code, of_tests

PAGE = ROOT / "docs" / "rulebook-coverage.md"
TESTED, OUT, MISSING = "tested", "out of scope", "missing"
STYLES = {TESTED: "green", OUT: "dim", MISSING: "red"}
FAMILIES = {
    "TR": "Trading",
    "ST": "Settlement",
    "RG": "Registration",
    "VM": "Voluntary market",
    "CA": "Calendar",
}


@dataclass(frozen=True)
class Coverage:
    """One clause: its title, the files that cite it, the tests that cite it."""

    handle: str
    title: str
    code: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def state(self) -> str:
        """Tested if a test cites it; else out of scope if a reason is given; else missing."""
        if self.tests:
            return TESTED
        return OUT if self.handle in OUT_OF_SCOPE else MISSING

    @property
    def reason(self) -> str:
        """Why it is out of scope; empty if it is not."""
        return OUT_OF_SCOPE[self.handle] if self.state == OUT else ""

    @property
    def rooms(self) -> list[str]:
        """The rooms that cite it."""
        return list(dict.fromkeys(path.partition("/")[0] for path in self.code))


def coverage() -> list[Coverage]:
    """Return every clause in the rulebook's order."""
    code, tests = of_code(), of_tests()
    return [
        Coverage(handle, title, tuple(code.get(handle, ())), tuple(tests.get(handle, ())))
        for handle, title in CLAUSES.items()
    ]


def to_dict(found: list[Coverage]) -> dict[str, Any]:
    """Return counts, then the handles of each state, then every clause with all its places."""
    by_state = {
        state: [each.handle for each in found if each.state == state]
        for state in (TESTED, OUT, MISSING)
    }
    return {
        "clauses": len(found),
        "tested": len(by_state[TESTED]),
        "out_of_scope": len(by_state[OUT]),
        "missing": len(by_state[MISSING]),
        "lists": {state.replace(" ", "_"): handles for state, handles in by_state.items()},
        "details": [
            {
                "clause": each.handle,
                "title": each.title,
                "state": each.state.replace(" ", "_"),
                "reason": each.reason,
                "code": list(each.code),
                "tests": list(each.tests),
            }
            for each in found
        ],
    }


def page(found: list[Coverage]) -> str:
    """Return docs/rulebook-coverage.md: what changes with every test is left to the command."""
    lines = [
        "# Coverage of the rulebook",
        "",
        "Every trading clause (TR, ST, RG, VM, CA): which rooms of the code cite it, and whether a"
        " test does. Where exactly",
        "is printed by `tanshi rulebook`. This page is generated"
        " (`python -m tests.clauses.scan --write`); a test keeps it current.",
        "",
        "A clause counts as tested if a test cites it inside: in its name (`test_…_tr_64`), its"
        " docstring or its body, by the",
        "handle, by a range (`TR-60…67`) or by an edge case that comes from it (`E09`). What no"
        " test cites is out of scope with a",
        "reason, or missing.",
    ]
    for family, title in FAMILIES.items():
        rows = [each for each in found if each.handle.startswith(family)]
        lines += ["", f"## {title}", "", "| clause | what | code | state |", "|---|---|---|---|"]
        for each in rows:
            state = f"out of scope: {each.reason}" if each.reason else each.state
            lines.append(
                f"| {each.handle} | {each.title} | {', '.join(each.rooms) or '–'} | {state} |"
            )
    return "\n".join(lines) + "\n"


def main(json_file: Path | None = None, console: Console | None = None) -> int:
    """Print the table, write the figures as JSON if asked; 0 if nothing is missing, else 1."""
    out = console or Console()
    found = coverage()
    table = Table(title="The rulebook's trading clauses, as the code and the tests cite them")
    for head in ("clause", "what", "code", "state", "tests, or why not"):
        table.add_column(head)
    for each in found:
        first = each.tests[0] if each.tests else each.reason
        more = f" and {len(each.tests) - 1} more" if len(each.tests) > 1 else ""
        state = f"[{STYLES[each.state]}]{each.state}[/]"
        table.add_row(each.handle, each.title, ", ".join(each.code), state, f"{first}{more}")
    out.print(table)
    figures = to_dict(found)
    out.print(
        f"{figures['clauses']} clauses: {figures['tested']} tested,"
        f" {figures['out_of_scope']} out of scope, {figures['missing']} missing",
        highlight=False,
    )
    if figures["missing"]:
        out.print(f"missing: {', '.join(figures['lists'][MISSING])}", highlight=False)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(figures, indent=2, ensure_ascii=False)
        json_file.write_text(f"{text}\n", encoding="utf-8")
    return int(figures["missing"] > 0)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(coverage()), encoding="utf-8")
        sys.exit(0)
    sys.exit(main())
