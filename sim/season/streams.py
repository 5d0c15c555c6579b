"""Random draws that depend on nothing but their key: (seed, season, entity, purpose, moment).

A draw is a hash of its key, not the next number of a sequence: it is the same for any number of
processes, in any order, and an agent that is added changes nobody else's. The hash is SplitMix64's
finaliser (Steele, Lea, Flood 2014) run over key and moment; it works on whole arrays and inside
kernels alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.season.jit import inlined, over_arrays

Array = np.ndarray[Any, np.dtype[Any]]
TO_UNIT = 1.0 / (1 << 53)


class Purpose:
    """What a draw is for; one stream each, so that two uses never share a number."""

    SIZE = 1
    SURPLUS = 2
    GROUP = 3
    PROVINCE = 4
    CHARACTER = 5
    FORECAST = 6
    WAKE = 7
    ACT = 8
    PRICE = 9
    QUANTITY = 10
    VINTAGE = 11
    NEWS = 12
    SEARCH = 13
    BARGAIN = 14
    DESK = 15
    OFFSET = 16
    HOLDING = 17
    ATTENTION = 18
    SESSION = 19
    LARGE = 20
    OFFER = 21


def entity_keys(seed: int, season: str, names: Sequence[str]) -> Array:
    """Return one 64-bit key per entity, shape (n,), uint64: BLAKE2b of seed, season and name."""
    root = hashlib.blake2b(f"{seed}/{season}/".encode(), digest_size=8)
    keys = np.empty(len(names), np.uint64)
    for row, name in enumerate(names):
        own = root.copy()
        own.update(name.encode())
        keys[row] = int.from_bytes(own.digest(), "little")
    return keys


@inlined
def mixed(key: Any, purpose: int, moment: int) -> Any:
    """Return 64 well mixed bits of a key, a purpose and a moment (uint64)."""
    x = key + np.uint64(purpose) * np.uint64(0x9E3779B97F4A7C15)
    x ^= np.uint64(moment) * np.uint64(0xD1B54A32D192ED03)
    for _ in range(2):
        x ^= x >> np.uint64(30)
        x *= np.uint64(0xBF58476D1CE4E5B9)
        x ^= x >> np.uint64(27)
        x *= np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return x


@inlined
def unit(key: Any, purpose: int, moment: int) -> float:
    """Return a uniform number in [0, 1)."""
    return float(mixed(key, purpose, moment) >> np.uint64(11)) * TO_UNIT


@inlined
def bell(key: Any, purpose: int, moment: int) -> float:
    """Return a standard normal number (Box and Muller's sine branch)."""
    bits = mixed(key, purpose, moment)
    radius = float((bits >> np.uint64(32)) + np.uint64(1)) / 4294967297.0
    angle = float(bits & np.uint64(0xFFFFFFFF)) / 4294967296.0
    return float(np.sqrt(-2.0 * np.log(radius)) * np.sin(6.283185307179586 * angle))


@over_arrays("float64(uint64, int64, int64)")
def units(key: Any, purpose: int, moment: int) -> Any:
    """Return ``unit`` of whole arrays of keys."""
    return unit(key, purpose, moment)


@over_arrays("float64(uint64, int64, int64)")
def bells(key: Any, purpose: int, moment: int) -> Any:
    """Return ``bell`` of whole arrays of keys."""
    return bell(key, purpose, moment)
