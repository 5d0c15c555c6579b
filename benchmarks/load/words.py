"""Durations, rates and shares as they stand in the terminal and on the page."""

from __future__ import annotations

import math

PERCENTILES = (("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p999", 99.9), ("p9999", 99.99))
NONE = "–"  # nothing was measured
UNITS = ((1e6, "s"), (1e3, "ms"), (1.0, "µs"))


def duration(us: float | None) -> str:
    """``us`` microseconds in three digits and the unit that fits; a dash if there are none."""
    if us is None or not math.isfinite(us):
        return NONE
    if us <= 0:
        return "0 µs"
    for size, unit in UNITS:
        if us >= size * 0.9995 or unit == "µs":
            return f"{digits(us / size)} {unit}"
    raise AssertionError("the last unit takes everything")


def digits(value: float) -> str:
    """Three digits that count, thousands apart: 0.123, 1.23, 12.3, 123, 1,234."""
    size = abs(value)
    places = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{value:,.{places}f}"


def rate(per_second: float) -> str:
    """A rate without its unit: whole from a hundred on."""
    return f"{per_second:,.0f}" if per_second >= 100 or per_second == 0 else digits(per_second)


def share(part: float, whole: float) -> str:
    """``part`` of ``whole`` in per cent; a dash where there is no whole."""
    return f"{part / whole * 100:.2f} %" if whole else NONE


def percentile_name(name: str) -> str:
    """``p999`` as people read it: p99.9; names of other things stay."""
    return {"p999": "p99.9", "p9999": "p99.99"}.get(name, name)


def plural(count: int, one: str, many: str = "") -> str:
    """``count`` with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
