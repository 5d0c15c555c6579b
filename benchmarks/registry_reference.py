"""What the registry's evening is held against: as many rows of the same tables, plainly written.

After a run the tables have grown by a number of rows. The reference takes as many rows of each of
these tables from the books, and writes them into empty tables of the same columns, in the same
database, in one transaction with the same promises to the disk: one ``executemany`` a table. It
checks nothing, changes no holding, has no index and no key. The ratio is the run's time divided by
the reference's, both of the same copy of the books: how often over the run could have written its
rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, insert, select, table, text
from sqlalchemy import column as named

from benchmarks.machine import seconds
from registry.institution import Registry
from registry.tables import metadata

PREFIX = "plain_"


@dataclass
class Reference:
    """Seconds of writing plainly what each run wrote, and how many rows that was."""

    wall: dict[str, list[float]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def of(self, run: str, registry: Registry) -> Iterator[None]:
        """Count what a run writes, then write as much plainly; none of it is in the run's time."""
        before = _counts(registry)
        yield
        after = _counts(registry)
        grown = {name: count - before[name] for name, count in after.items()}
        self.add(run, registry, {name: count for name, count in grown.items() if count > 0})

    def add(self, run: str, registry: Registry, grown: dict[str, int]) -> None:
        """Write ``grown`` rows of each table plainly and note the time."""
        with registry.database.write() as tx:
            rows = {name: _rows(tx, name, count) for name, count in grown.items()}
            for name in grown:
                empty = f"SELECT * FROM {name} WHERE 1 = 0"  # noqa: S608 - a name of our own
                tx.execute(text(f"CREATE TABLE {PREFIX}{name} AS {empty}"))

        def work() -> None:
            with registry.database.write() as tx:
                for name, values in rows.items():
                    columns: list[Any] = [named(each) for each in values[0]]
                    tx.execute(insert(table(PREFIX + name, *columns)), values)

        took = seconds(work)
        with registry.database.write() as tx:
            for name, count in grown.items():
                plain = select(func.count()).select_from(table(PREFIX + name))
                written = tx.execute(plain).scalar_one()
                assert written == count, f"{written} rows of {name} were written, not {count}"
                tx.execute(text(f"DROP TABLE {PREFIX}{name}"))
        self.wall.setdefault(run, []).append(took)
        self.rows[run] = sum(grown.values())

    def join(self, other: Reference) -> None:
        """Take the times of another one in."""
        self.rows |= other.rows
        for run, times in other.wall.items():
            self.wall.setdefault(run, []).extend(times)


def _counts(registry: Registry) -> dict[str, int]:
    with registry.database.read() as tx:
        return {
            name: int(tx.execute(select(func.count()).select_from(each)).scalar_one())
            for name, each in metadata.tables.items()
        }


def _rows(tx: Connection, name: str, count: int) -> list[dict[str, Any]]:
    """Return rows as they are stored: read by name only, so that no type is changed on the way."""
    columns: list[Any] = [named(each.name) for each in metadata.tables[name].columns]
    found = tx.execute(select(*columns).select_from(table(name)).limit(count))
    return [dict(row) for row in found.mappings()]
