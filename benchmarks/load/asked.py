"""Words of the command line as values of a plan; what cannot be read is told with what could.

Every function raises ValueError with a sentence that says what was expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from benchmarks.load.plan import KINDS, Stop

UNITS_US = {"us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|s)")
FOR = re.compile(r"(.*?)(?:\s+for\s+(\d+)\s*s)?")
CONDITION = re.compile(r"(p99|refused|backlog|orders)\s*(?:>=?|=)\s*(.+)")
STOPS = "p99>50ms for 3s, refused>5% for 3s, backlog>1000 or orders>=100000"


def duration_us(text: str) -> float:
    """Microseconds of "800us", "10ms" or "1.5s"."""
    found = DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ValueError(f"{text!r} is no time: a number above 0 with us, ms or s, as in 10ms")
    return float(found[1]) * UNITS_US[found[2]]


def mix_of(text: str) -> dict[str, float]:
    """Shares of the kinds of orders of "list=50,take=20,cancel=30"; they may have any sum."""
    mix: dict[str, float] = {}
    for part in text.split(","):
        kind, _, weight = (each.strip() for each in part.partition("="))
        share = _number(weight)
        if kind not in KINDS or share is None:
            raise ValueError(
                f"{part.strip()!r} is no part of a mix: one of {', '.join(KINDS)} and its share,"
                " as in list=50,take=20,cancel=30"
            )
        if kind in mix:
            raise ValueError(f"{kind} stands twice in the mix {text!r}")
        mix[kind] = share
    if not sum(mix.values()):
        raise ValueError(f"the mix {text!r} has no share above 0")
    return mix


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def stop_of(texts: Sequence[str]) -> Stop:
    """The condition that ends a run early, of parts such as "p99>50ms for 3s"."""
    found: dict[str, Any] = {}
    lengths: set[int] = set()
    for text in texts:
        parts = FOR.fullmatch(text.strip())
        condition = CONDITION.fullmatch(parts[1].strip()) if parts else None
        if parts is None or condition is None:
            raise ValueError(f"{text!r} is no stop condition: {STOPS}")
        name, value = condition[1], condition[2].strip()
        if parts[2]:
            if name not in {"p99", "refused"} or int(parts[2]) < 1:
                raise ValueError(f"{text!r}: 'for' is of p99 or refused, and of 1 s at least")
            lengths.add(int(parts[2]))
        field, worth = _condition(name, value, text)
        if field in found:
            raise ValueError(f"{text!r}: there is a condition on {name} already")
        found[field] = worth
    if len(lengths) > 1:
        raise ValueError("all stop conditions look at the same number of seconds: one 'for' in all")
    return Stop(**found, **({"for_s": lengths.pop()} if lengths else {}))


def _condition(name: str, value: str, text: str) -> tuple[str, float | int]:
    if name == "p99":
        return "p99_us", duration_us(value)
    if name == "refused":
        share = _number(value.removesuffix("%")) if value.endswith("%") else None
        if share is None or not 0 < share < 100:
            raise ValueError(f"{text!r}: refused is a share between 0 and 100 %, as in refused>5%")
        return "refused_share", share / 100
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{text!r}: {name} is a number of orders of 1 at least")
    return name, int(value)


def tonnes_of(text: str) -> tuple[int, int]:
    """Least and most tonnes of a listing, of "5" or "1..20"."""
    low, dots, high = text.strip().partition("..")
    if not low.isdecimal() or (dots and not high.isdecimal()):
        raise ValueError(f"{text!r} are no tonnes: a number, or the least and the most as in 1..20")
    least, most = int(low), int(high or low)
    if not 1 <= least <= most:
        raise ValueError(f"{text!r}: tonnes begin at 1, and the least comes first")
    return least, most


def address_of(text: str) -> str:
    """The address of a venue; it begins with ws, wss, http or https and names a host."""
    found = re.fullmatch(r"(wss?|https?)://([^/\s:]+|\[[0-9a-fA-F:]+\])(:(\d{1,5}))?(/\S*)?", text)
    if found is None or int(found[4] or 0) > 65535:
        raise ValueError(
            f"{text!r} is neither a venue's address, as in ws://127.0.0.1:8000, nor the record of"
            " an earlier run"
        )
    return text
