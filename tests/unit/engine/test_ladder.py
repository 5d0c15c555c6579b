"""The ladder against a plain sorted list: next occupied level, best rank, links of a level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ladder import lowest_bit, next_occupied
from engine.state import LADDER_STEP, words_per_book


@pytest.mark.parametrize("bit", range(32))
def test_lowest_bit(bit: int) -> None:
    assert lowest_bit(1 << bit) == bit
    assert lowest_bit((1 << bit) | (1 << 31)) == bit


@settings(deadline=None)
@given(
    st.integers(1, 3),
    st.sets(st.integers(0, 3 * LADDER_STEP - 1), max_size=40),
    st.integers(0, 3 * LADDER_STEP),
)
def test_next_occupied_is_the_next_in_a_sorted_list(
    steps: int, ranks: set[int], start: int
) -> None:
    width = steps * LADDER_STEP
    words = np.zeros(2 * words_per_book(width), np.int64)
    base = words_per_book(width)  # the second book: a first one must not leak in
    words[:base] = 0xFFFFFFFF
    occupied = sorted(rank for rank in ranks if rank < width)
    for rank in occupied:
        words[base + rank // 32] |= 1 << (rank % 32)
        words[base + width // 32 + rank // 1024] |= 1 << (rank // 32 % 32)
    expected = next((rank for rank in occupied if rank >= start), width)
    assert next_occupied(words, base, width, min(start, width)) == expected
