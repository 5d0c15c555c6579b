"""The ladder of one side of a book: price levels by rank, orders of a level in order of arrival.

The daily price limit bounds the prices (TR-20), so a level is an array slot. Its *rank* is the
distance from the side's most attractive limit: a sell at the lower limit and a buy at the upper
limit have rank 0. Better prices have smaller ranks on both sides, so nothing here asks for the
side. A bitmap with one bit a level (and one a word above it) finds the next occupied level.
"""

from __future__ import annotations

import numpy as np

from engine.jit import inlined
from engine.state import Array, Arrays

# Position of the lowest set bit of a 32-bit word, by a de Bruijn multiplication.
_DE_BRUIJN = 0x077CB531
_LOWEST_BIT = np.zeros(32, np.int64)
for _bit in range(32):
    _LOWEST_BIT[((_DE_BRUIJN << _bit) & 0xFFFFFFFF) >> 27] = _bit


@inlined
def lowest_bit(word: int) -> int:
    """Return the index of the lowest set bit of a non-zero word below 2**32."""
    return _LOWEST_BIT[(((word & -word) * _DE_BRUIJN) & 0xFFFFFFFF) >> 27]


@inlined
def rank_of(a: Arrays, instrument: int, side: int, price_ticks: int) -> int:
    """Return the rank of a price on a side; the price must lie inside the day's limits."""
    row = a.instruments[instrument]
    if side == 2:
        return price_ticks - row["lower_limit_ticks"]
    return row["upper_limit_ticks"] - price_ticks


@inlined
def price_of(a: Arrays, instrument: int, side: int, rank: int) -> int:
    """Return the price in ticks of a rank."""
    row = a.instruments[instrument]
    if side == 2:
        return row["lower_limit_ticks"] + rank
    return row["upper_limit_ticks"] - rank


@inlined
def words_at(width: int, book: int) -> int:
    """Return where a book's words begin."""
    return book * ((width >> 5) + (width >> 10))


@inlined
def next_occupied(words: Array, base: int, width: int, rank: int) -> int:
    """Return the smallest occupied rank >= ``rank``, or ``width`` if there is none."""
    if rank >= width:
        return width
    word = rank >> 5
    bits = (words[base + word] >> (rank & 31)) << (rank & 31)
    if bits != 0:
        return (word << 5) + lowest_bit(bits)
    word += 1
    group = word >> 5
    groups = width >> 10
    if group >= groups:
        return width
    top = base + (width >> 5)
    bits = (words[top + group] >> (word & 31)) << (word & 31)
    while bits == 0:
        group += 1
        if group >= groups:
            return width
        bits = words[top + group]
    word = (group << 5) + lowest_bit(bits)
    return (word << 5) + lowest_bit(words[base + word])


@inlined
def link(a: Arrays, book: int, rank: int, row: int) -> None:
    """Put an order at the end of its level."""
    order = a.orders[row]
    level = a.levels[book * a.width + rank]
    tail = level["tail"]
    order["prev"] = tail
    order["next"] = 0
    if tail != 0:
        a.orders[tail]["next"] = row
    else:
        level["head"] = row
        word = rank >> 5
        base = words_at(a.width, book)
        a.words[base + word] |= 1 << (rank & 31)
        a.words[base + (a.width >> 5) + (word >> 5)] |= 1 << (word & 31)
        a.books[book]["levels"] += 1
        a.books[book]["best_rank"] = min(a.books[book]["best_rank"], rank)
    level["tail"] = row
    level["orders"] += 1
    level["qty_tonnes"] += order["leaves_qty"]
    a.books[book]["orders"] += 1


@inlined
def unlink(a: Arrays, book: int, rank: int, row: int) -> None:
    """Take an order out of its level; its remaining quantity leaves with it."""
    order = a.orders[row]
    level = a.levels[book * a.width + rank]
    before, after = order["prev"], order["next"]
    if before != 0:
        a.orders[before]["next"] = after
    else:
        level["head"] = after
    if after != 0:
        a.orders[after]["prev"] = before
    else:
        level["tail"] = before
    order["next"] = 0
    order["prev"] = 0
    level["orders"] -= 1
    level["qty_tonnes"] -= order["leaves_qty"]
    a.books[book]["orders"] -= 1
    if level["orders"] == 0:
        clear_level(a, book, rank)


@inlined
def clear_level(a: Arrays, book: int, rank: int) -> None:
    """Mark a level as empty and find the best one anew if it was the best."""
    word = rank >> 5
    base = words_at(a.width, book)
    left = a.words[base + word] & ~(1 << (rank & 31))
    a.words[base + word] = left
    if left == 0:
        a.words[base + (a.width >> 5) + (word >> 5)] &= ~(1 << (word & 31))
    a.books[book]["levels"] -= 1
    if a.books[book]["best_rank"] == rank:
        a.books[book]["best_rank"] = next_occupied(a.words, base, a.width, rank)
