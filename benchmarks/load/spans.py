"""How long each row of a record is: the last one, and those after a stall, are not one second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.load.record import Second

SHORTEST_S = 0.5  # a shorter rest at the end says nothing about a rate


def with_spans(rows: Sequence[Second]) -> Iterator[tuple[Second, float]]:
    """Each row that is long enough to tell a rate, and its seconds."""
    before = 0.0
    for row in rows:
        length = row.t - before
        before = row.t
        if length >= SHORTEST_S:
            yield row, length
