"""The one rounding of the market: half up."""

from __future__ import annotations


def half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator to the nearest whole, a half upwards; neither is negative."""
    whole, rest = divmod(numerator, denominator)
    return whole + (1 if 2 * rest >= denominator else 0)
