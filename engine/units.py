"""Money, prices, minutes: the one place that multiplies and the one function that rounds.

Integers only: ticks of 0.01 yuan, tonnes, fen, basis points, parts per million.
"""

from __future__ import annotations

from engine.jit import inlined
from engine.records import PRICE_TICKS_MAX

BP = 10_000
PPM = 1_000_000
_MINUTE_NS = 60 * 10**9
DAY_MINUTES = 24 * 60
_BEIJING_MINUTES = 8 * 60


def half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half up, for non-negative numerators (TR-23)."""
    return (2 * numerator + denominator) // (2 * denominator)


half_up_kernel = inlined(half_up)


def value_fen(price_ticks: int, qty_tonnes: int) -> int:
    """Return price x quantity in fen; exact, since one tick is one fen per tonne (ST-15)."""
    return int(price_ticks) * int(qty_tonnes)  # the records' fields are narrow


value_kernel = inlined(value_fen)


def price_limits(reference_ticks: int, band_bp: int) -> tuple[int, int]:
    """Return the (lower, upper) price limit in ticks around a reference, half up (TR-20…23).

    The lower limit is at least one tick, the upper one at most the largest price there is.
    """
    lower = half_up(reference_ticks * (BP - band_bp), BP)
    upper = half_up(reference_ticks * (BP + band_bp), BP)
    return max(1, lower), min(PRICE_TICKS_MAX, upper)


def rate_fen(value: int, ppm: int) -> int:
    """Return value x ppm / 10**6, half up; split so that no product can leave int64."""
    return value // PPM * ppm + half_up_kernel(value % PPM * ppm, PPM)


rate_kernel = inlined(rate_fen)


@inlined
def fee_fen(value: int, trading_ppm: int, settlement_ppm: int) -> int:
    """Return trading plus settlement fee of a value, each half up to one fen (TR-130, TR-132)."""
    if trading_ppm + settlement_ppm == 0:
        return 0
    return rate_kernel(value, trading_ppm) + rate_kernel(value, settlement_ppm)


def minute_of_day(time_ns: int) -> int:
    """Return the minute of the day in Beijing."""
    return (time_ns // _MINUTE_NS + _BEIJING_MINUTES) % DAY_MINUTES
