"""Exact whole numbers from products of scaled integers.

Quantities are ``int64`` in millionths of their unit, factors in millionths of a millionth, so
every input is exact. A product is estimated in binary floating point for all units at once; where
the estimate is so close to a whole number that its error could matter, the whole number is found
with exact fractions. The result is that of exact arithmetic, always (AL-62, AL-87: a product that
lies on an integer must not lose a tonne).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from registry.errors import RefusalError

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]

MICRO = 10**6  # of quantities (MWh, GJ, t of product) and of per cents
FACTOR = 10**12  # of factors and of balance values

SHORT_MAX = 10**4  # denominator of a share

_RELATIVE_ERROR = 1e-14  # twenty roundings lose less than 3e-15
_ABSOLUTE_ERROR = 1e-9


class Term(NamedTuple):
    """A product divided by a product; arrays of shape (n,) or plain integers; may be negative."""

    numerators: tuple[Ints | int, ...]
    denominators: tuple[Ints | int, ...]


def scaled(number: Decimal, scale: int, what: str = "number") -> int:
    """Return ``number`` in units of 1/scale, exactly; refused where it has more decimals."""
    product = number * scale
    whole = int(product)
    if whole != product:
        raise RefusalError("plan_invalid", f"{what}: {number} has too many decimals")
    return whole


def floor_of(terms: tuple[Term, ...], n: int) -> Ints:
    """Return the floor of the sum of ``terms`` for each of ``n`` units, exactly; shape (n,).

    No denominator may be zero, and the sum must fit in an int64.
    """
    total = np.zeros(n)
    size = np.zeros(n)
    for term in terms:
        value = np.ones(n)
        for array in term.numerators:
            value *= _double(array)
        for array in term.denominators:
            value /= _double(array)
        total += value
        size += np.abs(value)
    found = np.floor(total).astype(np.int64)
    margin = size * _RELATIVE_ERROR + _ABSOLUTE_ERROR
    near = np.abs(total - np.rint(total)) <= margin
    for i in np.flatnonzero(near).tolist():
        found[i] = exactly(terms, i).__floor__()
    return found


def exactly(terms: tuple[Term, ...], i: int) -> Fraction:
    """Return the sum of ``terms`` for unit ``i`` as an exact fraction."""
    whole = Fraction(0)
    for term in terms:
        top, bottom = 1, 1
        for array in term.numerators:
            top *= _at(array, i)
        for array in term.denominators:
            bottom *= _at(array, i)
        whole += Fraction(top, bottom)
    return whole


def _double(array: Ints | int) -> Floats | float:
    return float(array) if isinstance(array, int) else array.astype(np.float64)


def _at(array: Ints | int, i: int) -> int:
    return array if isinstance(array, int) else int(array[i])


def share_floor(tonnes: Ints, share: Decimal) -> Ints:
    """Return ``share`` of whole tonnes, rounded down, exactly; shape of ``tonnes``."""
    ratio = Fraction(share)
    if ratio.denominator <= SHORT_MAX:  # 0.7, 0.8: int64 holds the product of any sum of tonnes
        return tonnes * ratio.numerator // ratio.denominator
    return floor_of((Term((tonnes, scaled(share, FACTOR)), (FACTOR,)),), len(tonnes))


def hundredths_half_up(part: Ints, whole: Ints) -> Ints:
    """Return ``part / whole`` in hundredths of a per cent, half up (AL-62); 0 where whole is 0."""
    safe = np.where(whole > 0, whole, 1)
    return np.where(whole > 0, (part * 20_000 + safe) // (2 * safe), 0)


def sums(group: Ints, values: Ints, n: int) -> Ints:
    """Return the sums of ``values`` by ``group`` (0 .. n-1), in integers; shape (n,)."""
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, group, values)
    return total
