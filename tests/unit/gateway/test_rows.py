"""The day's rows grow without a row lost, also while somebody looks at them."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.desk import rows
from gateway.desk.rows import Rows

PAIR = np.dtype([("number", "<i8"), ("text", "S8")])


def numbered(first: int, count: int) -> np.ndarray:
    made = np.zeros(count, PAIR)
    made["number"] = np.arange(first, first + count)
    made["text"] = [str(n).encode() for n in range(first, first + count)]
    return made


@pytest.mark.parametrize("watched", [False, True])
def test_rows_stay_as_the_array_grows(monkeypatch: pytest.MonkeyPatch, watched: bool) -> None:
    monkeypatch.setattr(rows, "ROOM_MIN", 512)
    kept, views = Rows(PAIR), []
    for first in range(0, 20_000, 250):
        kept.extend(numbered(first, 250))
        if watched:
            views.append(kept.all)
    assert kept.size == 20_000
    np.testing.assert_array_equal(kept.all, numbered(0, 20_000))
    for at, view in enumerate(views):  # of memory that was left behind
        np.testing.assert_array_equal(view, numbered(0, 250 * (at + 1)))
    np.testing.assert_array_equal(kept.chosen(np.array([19_999, 3])), kept.all[[19_999, 3]])


def test_more_rows_than_twice_the_room_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROOM_MIN", 512)
    kept = Rows(PAIR)
    kept.extend(numbered(0, 5_000))
    np.testing.assert_array_equal(kept.all, numbered(0, 5_000))
