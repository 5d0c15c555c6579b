"""What the steps share: where the books are, when it is, who acts, how results are shown."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from registry.institution import Registry

ALL_DONE, SOME_REFUSED, IMPOSSIBLE = 0, 1, 2
SHOWN_MAX = 100  # rows of a table; --out and --refused write all of them
DEFAULT_DATA = Path("var/venue")
BOOKS = "registry.db"

DataOption = Annotated[
    Path, typer.Option("--data", help="The venue's data directory, where registry.db lies.")
]
UrlOption = Annotated[
    str | None, typer.Option("--registry", help="These books instead: a database URL.")
]
AtOption = Annotated[
    str, typer.Option("--at", help="When, in Beijing: 2026-03-01 or 2026-03-01T10:00 (now).")
]
PersonOption = Annotated[int, typer.Option("--person", min=1, help="Number of who does it.")]
MakerOption = Annotated[int, typer.Option("--maker", min=1, help="Number of who asks (ST-07).")]
CheckerOption = Annotated[
    int, typer.Option("--checker", min=1, help="Number of who approves: somebody else (ST-07).")
]
DocumentOption = Annotated[str, typer.Option("--document", help="The paper it rests on.")]
EntityOption = Annotated[
    list[str] | None, typer.Option("--entity", help="Only this entity; repeatable.")
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="If one row is refused nothing is done.")
]
RefusedOption = Annotated[
    Path | None,
    typer.Option("--refused", help="Write refused rows: .csv or .parquet.", metavar="FILE"),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write the table: .csv or .parquet.", metavar="FILE")
]


class Step:
    """One step on open books; ``at_ns`` is when it is done."""

    def __init__(self, registry: Registry, at_ns: int) -> None:
        self.registry = registry
        self.at_ns = at_ns
        self.console, self.errors = Console(), Console(stderr=True)
        self.exit_code = ALL_DONE

    def say(self, text: str) -> None:
        """Print a sentence."""
        self.console.print(Text(text), soft_wrap=True, highlight=False)

    def refuse(self, rows: Sequence[Any], what: str = "line", out: Path | None = None) -> None:
        """Show refused rows as a table: their line (or who it is), field, code, reason."""
        if rows:
            self.exit_code = SOME_REFUSED
            lines = [(row[0], row[1] or "-", row[2], row[3]) for row in rows]
            self.table((what, "field", "code", "reason"), lines, out)

    def left_out(self, rows: Sequence[Any]) -> None:
        """Show (entity, code, reason) of who was left out of a run."""
        if rows:
            self.exit_code = SOME_REFUSED
            self.show(("entity", "code", "reason"), [tuple(row) for row in rows])

    def show(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a table, of a long one the first rows; tonnes and money with separators."""
        if not rows:
            return
        texts = [[_text(n, cell) for n, cell in zip(columns, row, strict=True)] for row in rows]
        shown = [list(columns), *texts[:SHOWN_MAX]]
        widths = [max(len(line[i]) for line in shown) for i in range(len(columns))]
        right = [isinstance(rows[0][i], int) for i in range(len(columns))]
        for line in shown:
            cells = zip(line, widths, right, strict=True)
            padded = [c.rjust(w) if is_right else c.ljust(w) for c, w, is_right in cells]
            self.say("  ".join(padded).rstrip())
        if len(texts) > SHOWN_MAX:
            self.say(f"… and {len(texts) - SHOWN_MAX:,} more rows")

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Any]], out: Path | None
    ) -> None:
        """Write a table to a file if one is named, else print it."""
        from registry.monitoring import bulk

        if out is None:
            self.show(columns, rows)
        else:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.say(f"{bulk.write(out, columns, rows):,} rows in {out}")

    @contextlib.contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Show that something longer is on its way, on a terminal."""
        if self.errors.is_terminal:
            with self.errors.status(text):
                yield
        else:
            yield


def _text(column: str, cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    grouped = column.endswith(("tonnes", "fen"))
    return f"{cell:,}" if isinstance(cell, int) and grouped else str(cell)


@contextlib.contextmanager
def step(
    data: Path, url: str | None, at: str = "", new: bool = False, market: str = "cea"
) -> Iterator[Step]:
    """Open the books of a market for one step, and leave with its exit code.

    Without ``new`` books that are not there are not made. What the registry refuses is printed,
    exit code 2.
    """
    from registry.errors import RegistryError
    from registry.institution import Registry
    from registry.profiles import NATIONAL, VOLUNTARY

    errors = Console(stderr=True)
    if url is None and not (data / BOOKS).exists():
        if not new:
            first = "provinces" if market == "cea" else "project"
            stop(errors, f"There are no books in {data}: `tanshi registry {first}` opens them.")
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        profile = NATIONAL if market == "cea" else VOLUNTARY
        with Registry.open(url or f"sqlite:///{data / BOOKS}", profile) as registry:
            taken = Step(registry, moment_ns(at))
            yield taken
    except (RegistryError, OSError) as problem:
        stop(errors, str(problem))
    raise typer.Exit(taken.exit_code)


def stop(errors: Console, sentence: str) -> NoReturn:
    """Say why it cannot be done, and leave."""
    errors.print(sentence, style="red", markup=False, soft_wrap=True, highlight=False)
    raise typer.Exit(IMPOSSIBLE)


def account_of(registry: Registry, code: str, name: str = "") -> int:
    """Return the trading index of a customer number; with a name it is opened where it lacks.

    RefusalError unknown_account.
    """
    from registry import listing
    from registry.errors import RefusalError

    try:
        with registry.database.read() as tx:
            return listing.index_of(tx, code)
    except RefusalError:
        if not name:
            raise
    return registry.open_accounts([(code, name)], "other")[0]


def moment_ns(at: str) -> int:
    """Return a Beijing time as nanoseconds since 1970, now for ""; RefusalError time_invalid."""
    from registry.errors import RefusalError
    from registry.windows import BEIJING, NS

    if not at:
        return int(dt.datetime.now(BEIJING).timestamp()) * NS
    try:
        local = dt.datetime.fromisoformat(at)
    except ValueError:
        raise RefusalError("time_invalid", f"{at!r} is no time such as 2026-03-01T10:00.") from None
    beijing = local if local.tzinfo else local.replace(tzinfo=BEIJING)
    return int(beijing.timestamp()) * NS
