"""What the commands say and how: progress to stderr, results to stdout, JSON where asked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperCommand

STDOUT = "-"
BAD_INPUT, INTERRUPTED = 2, 130
SEEDS = re.compile(r"(\d+)(?:\.\.(\d+))?")
SEEDS_MAX = 1_000_000
FILE_WIDTH = 132  # of tables that do not go to a terminal

JsonOption = Annotated[
    str | None,
    typer.Option(
        "--json", help="The figures as JSON: to this file, or alone to stdout.", metavar="[FILE]"
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Another value, e.g. banking.sales_multiple=3; repeatable.", metavar="KEY=V"
    ),
]
SeedsOption = Annotated[
    str, typer.Option(help="One seed, or the seeds from A to B.", metavar="A..B")
]
JobsOption = Annotated[int, typer.Option(help="Processes; -1: one a core.")]


class JsonCommand(TyperCommand):
    """A command whose ``--json`` may stand alone: the document then goes to stdout."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a lonely ``--json`` its value; ``ctx`` is Click's context."""
        given: list[str] = []
        for at, word in enumerate(args):
            given.append(word)
            after = args[at + 1] if at + 1 < len(args) else "--"
            if word == "--json" and after.startswith("-") and after != STDOUT:
                given.append(STDOUT)
        left: list[str] = super().parse_args(ctx, given)
        return left


def result_console(json_file: str | None) -> Console:
    """Return where tables go: stdout, or stderr where stdout belongs to a JSON document."""
    console = Console(stderr=json_file == STDOUT)
    if not console.is_terminal:
        console.width = max(console.width, FILE_WIDTH)  # a file has no edge
    return console


def write_json(json_file: str | None, figures: Mapping[str, Any]) -> None:
    """Write a document if one was asked for; parent folders are made."""
    if json_file is None:
        return
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    if json_file == STDOUT:
        sys.stdout.write(text)
        return
    file = Path(json_file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def refuse(problem: object) -> NoReturn:
    """Say what cannot be done as asked, and end with exit code 2."""
    Console(stderr=True).print(str(problem), style="red", markup=False, soft_wrap=True)
    raise typer.Exit(BAD_INPUT)


def interrupted(kept: str) -> NoReturn:
    """Say what an interrupt left, and end with exit code 130."""
    Console(stderr=True).print(f"Interrupted: {kept}", style="yellow", markup=False, soft_wrap=True)
    raise typer.Exit(INTERRUPTED)


def seeds_of(text: str) -> range:
    """Return the seeds of "7" or "1..30"; refuses anything else."""
    found = SEEDS.fullmatch(text.strip())
    first = int(found[1]) if found else 0
    last = int(found[2] or found[1]) if found else -1
    if last < first or last - first >= SEEDS_MAX:
        refuse(f"seeds {text!r}: a seed, or the first and the last one as in 1..30 was expected")
    return range(first, last + 1)


def overrides_of(words: Sequence[str] | None) -> dict[str, object]:
    """Return overrides of "key=value" words; values are TOML, a bare word is a text."""
    found: dict[str, object] = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not key.strip() or not equals:
            refuse(f"{word!r}: KEY=VALUE was expected, e.g. behaviour.reluctance=0.05")
        found[key.strip()] = value_of(value.strip())
    return found


def value_of(text: str) -> object:
    """Return what a value of the command line means: TOML, "none", or a bare word."""
    import tomllib

    if text.lower() == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


class Teller:
    """Progress of something long: a bar on a terminal, plain lines otherwise; on stderr."""

    def __init__(self, total: int, what: str, console: Console) -> None:
        self._total, self._what, self._console = total, what, console
        self._bar: Progress | None = None
        self._said = -1
        if console.is_terminal:
            columns = (
                TextColumn(what),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
            )
            self._bar = Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task(what, total=total, note="")

    def tell(self, done: int, note: str = "", every: bool = True, total: int = 0) -> None:
        """Say how many are done; without ``every`` a plain line comes only each tenth part.

        ``total``: how many there are, where that was not known at the beginning.
        """
        self._total = total or self._total
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self._total, note=note)
            return
        tenth = done * 10 // self._total
        if every or tenth > self._said:
            self._said = tenth
            line = f"{self._what} {done}/{self._total}" + (f"  {note}" if note else "")
            self._console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)

    @property
    def bar(self) -> Progress | None:
        """The bar, on a terminal."""
        return self._bar


@contextmanager
def telling(total: int, what: str) -> Iterator[Teller]:
    """Show progress while something runs."""
    teller = Teller(total, what, Console(stderr=True))
    if teller.bar is None:
        yield teller
        return
    with teller.bar:
        yield teller
