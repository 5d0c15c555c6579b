"""From the words of a target to questions a run can answer: one part per number of its value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from sim.results.days import Window
from sim.results.target_text import Quantity, Segment, labels_of, plain, segments_of

SCALARS = {
    *("Q4", "ND", "DEC", "TOP10", "TOP20", "WPK", "GINI", "VAC1", "JF", "THIN", "BULK", "NOBULK"),
    *("BSIZE", "BDMED", "BDVW", "BDTAIL", "SD", "KURT", "AC1", "ACABS", "ZERO", "RUN20"),
}
# Which fact a number of that unit speaks of; numbers without a unit take "" in turn.
_LIMITS = ("LIM.upper", "LIM.lower")
_SPLIT = ("SPLIT.listed", "SPLIT.bulk", "SPLIT.auction")
BY_UNIT: dict[str, dict[str, tuple[str, ...]]] = {
    "VOL": {
        "mass": ("VOL",),
        "share": ("VOL.share",),
        "money": ("VOL.turnover",),
        "": ("VOL", "VOL.share"),
    },
    "PART": {"count": ("PART",), "share": ("PART.share",), "": ("PART",)},
    "COMP": {"count": ("COMP",), "share": ("COMP.rate",), "": ("COMP",)},
    "CCER": {"mass": ("CCER",), "count": ("CCER.users",), "": ("CCER", "CCER.users")},
    "DEF": {
        "count": ("DEF",),
        "share": ("DEF.share",),
        "mass": ("DEF.sum",),
        "": ("DEF", "DEF.sum"),
    },
    "LIM": {"count": _LIMITS, "": _LIMITS},
    "SPLIT": {"mass": _SPLIT, "": _SPLIT},
}
POINTS_FROM = 0.25
NAMES = SCALARS | set(BY_UNIT) | {"P"}

# For rows whose id says nothing: the words of the metric, most telling first.
_METRICS = (
    ("BDTAIL", r"bulk more than 20 ?% below"),
    ("BDVW", r"volume-weighted.*bulk vwap.*listed vwap"),
    ("BDMED", r"median.*bulk vwap.*listed vwap"),
    ("NOBULK", r"days without (?:a )?bulk"),
    ("BSIZE", r"median bulk volume"),
    ("SPLIT", r"listed and bulk volume"),
    ("BULK", r"bulk share"),
    ("THIN", r"days with listed volume"),
    ("Q4", r"share.*volume in (?:oct-dec|the fourth quarter)"),
    ("ND", r"share.*volume in nov-dec"),
    ("DEC", r"share.*volume in dec"),
    ("TOP10", r"ten busiest"),
    ("TOP20", r"twenty busiest"),
    ("WPK", r"busiest week"),
    ("GINI", r"gini"),
    ("SD", r"standard deviation.*return"),
    ("KURT", r"kurtosis"),
    ("ACABS", r"autocorrelation of absolute"),
    ("AC1", r"autocorrelation of (?:daily )?(?:log )?returns"),
    ("VAC1", r"autocorrelation of log (?:daily )?volume"),
    ("ZERO", r"zero close changes|unchanged closes"),
    ("RUN20", r"last (?:20|twenty) (?:trading )?days"),
    ("JF", r"jan-feb.*nov-dec"),
    ("LIM", r"limit touch|touched the|limit days"),
    ("PART", r"entities that traded|participat"),
    ("COMP", r"not in full compliance|compliance rate"),
    ("CCER", r"ccer"),
    ("DEF", r"deficit"),
    ("VOL", r"season volume|total volume"),
    ("P", r"\bclose\b|\bprice\b"),
)

_STATISTICS = (
    ("peak", r"\b(?:peak|high(?:est)?|max(?:imum)?|top)\b"),
    ("low", r"\b(?:low(?:est)?|trough|min(?:imum)?|bottom)\b"),
    ("mean", r"\b(?:mean|average)\b"),
    ("range", r"\b(?:range|band)\b"),
    ("level", r"\b(?:plateau|level|flat|median|around|about)\b"),
    ("start", r"\b(?:start|first|open(?:ing)?|begin(?:ning)?)\b"),
    ("end", r"\b(?:end|last|final|closing|year-end)\b"),
)


class Tolerance(NamedTuple):
    """``kind``: "plain" (the value's unit), "share" (of the value), "points", "accepted".

    Accepted = the range of values that are near enough, from ``low`` to ``high``.
    """

    kind: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Part:
    """One number of a target and how far a run may be from it.

    ``low`` = ``high``, or a range that is met inside. ``below``, ``above``: how far outside is one
    tolerance. ``fact``: key of ``facts``, or "P.<statistic>" of the closes in ``window``.
    ``reason``: why the part is not scored; empty = it is.
    """

    label: str
    fact: str
    low: float
    high: float
    below: float = float("nan")
    above: float = float("nan")
    window: Window | None = None
    block: int = 0
    is_share: bool = False
    reason: str = ""

    @property
    def is_bounded(self) -> bool:
        """At least one side is a number; "at most 10" has one."""
        return math.isfinite(self.low) or math.isfinite(self.high)

    def z(self, simulated: float) -> float:
        """How many tolerances ``simulated`` lies above (or, negative, below) what was observed."""
        if simulated > self.high:
            return (simulated - self.high) / self.above
        if simulated < self.low:
            return (simulated - self.low) / self.below
        return 0.0


def name_of(target_id: str, metric: str) -> str:
    """The fact a row is about: by its id, else by its metric; "" = unknown."""
    name = target_id.rsplit("-", 1)[0].upper()
    if name in NAMES:
        return name
    text = plain(metric).lower()
    return next((known for known, words in _METRICS if re.search(words, text)), "")


def parts_of(name: str, metric: str, value: str, tolerance: str, year: int) -> list[Part]:
    """Every number of ``value`` as a part; those that cannot be scored say why."""
    segments = segments_of(value, year)
    if name == "P":
        parts = _price_parts(metric, segments, year)
    elif name in SCALARS:
        parts = _scalar_parts(name, segments)
    else:
        parts = _unit_parts(name, metric, segments)
    return _tolerated(parts, tolerance, name)


def _part(label: str, fact: str, quantity: Quantity, segment: Segment, reason: str = "") -> Part:
    share = quantity.kind in {"share", "points"}
    return Part(
        label, fact, quantity.low, quantity.high, block=segment.block, is_share=share, reason=reason
    )


def _scalar_parts(name: str, segments: list[Segment]) -> list[Part]:
    parts: list[Part] = []
    for segment in segments:
        for each in segment.quantities:
            taken = any(not part.reason for part in parts)
            reason = "a second number for a fact that has one" if taken else ""
            parts.append(_part(name, name, each, segment, reason))
    return parts


def _unit_parts(name: str, metric: str, segments: list[Segment]) -> list[Part]:
    used: set[str] = set()
    found: list[Part] = []
    total = sum(len(segment.quantities) for segment in segments)
    for segment in segments:
        for each in segment.quantities:
            choice = _by_words(name, metric, segment.words) or BY_UNIT[name].get(each.kind, ())
            if name == "LIM" and total == 1 and not re.search(r"[+-] ?10|upper|lower", metric):
                choice = ("LIM",)
            if name == "DEF" and each.kind in {"mass", ""} and re.search(r"\bnet\b", metric):
                choice = ("DEF.net",)
            if name == "PART" and not each.kind and each.high <= 1:
                choice = ("PART.share",)
            fact = next((key for key in choice if key not in used), "")
            used.add(fact)
            reason = "" if fact else f"no fact of {name} has this unit"
            found.append(_part(fact or name, fact, each, segment, reason))
    return found


def _by_words(name: str, metric: str, words: str) -> tuple[str, ...]:
    """Parts that name themselves: "listed 37.0", "8 up"."""
    if name == "SPLIT":
        order = re.findall(r"listed|bulk|auction", words) or re.findall(
            r"listed|bulk|auction", metric
        )
        return tuple(f"SPLIT.{each}" for each in order)
    if name == "LIM" and re.search(r"\b(?:up|upper|down|lower)\b", words):
        return ("LIM.upper",) if re.search(r"\bup", words) else ("LIM.lower",)
    return ()


def _statistic(text: str) -> str:
    text = re.sub(r"(?:fourth|third|second|first)[- ](?:quarter|half)", "", text.lower())
    return next((kind for kind, words in _STATISTICS if re.search(words, text)), "")


def _price_parts(metric: str, segments: list[Segment], year: int) -> list[Part]:
    labels = labels_of(metric)
    if len(labels) != len(segments):
        labels = [label for label in labels if _statistic(label)]
    found: list[Part] = []
    for at, segment in enumerate(segments):
        label = labels[at] if at < len(labels) else ""
        found += _price_segment(label, segment, year)
    return found


def _price_segment(label: str, segment: Segment, year: int) -> list[Part]:
    """A range of prices asks for the lowest and the highest close, both inside it."""
    asked = segments_of(label, year)
    label_window = next((each.window for each in asked if each.window), None)
    texts = (segment.words, label, segment.aside_words)
    statistic = next(filter(None, map(_statistic, texts)), "")
    window = segment.window or label_window
    if window is None and not statistic:
        window = segment.aside_window
    if window and window.first == window.last and statistic in {"peak", "low"}:
        window = None  # the day on which the season's extreme was seen
    found = []
    for each in segment.quantities:
        text = label or segment.words or "close"
        if each.aside or each.kind in {"share", "points", "mass", "count", "money"}:
            reason = "not a price level"
            found.append(_part(text, "", each, segment, reason))
            continue
        kind = statistic or ("range" if each.is_range else "level" if window else "end")
        kinds = [kind]
        if kind == "range":
            kinds = ["low", "peak"] if each.is_range else ["level"]
        for one in kinds:
            suffix = (
                {"low": ", lowest", "peak": ", highest"}.get(one, "") if kind == "range" else ""
            )
            part = _part(text + suffix, f"P.{one}", each, segment)
            found.append(replace(part, window=window))
    return found


def tolerances_of(text: str) -> list[Tolerance] | None:
    """``0.05``, ``30%``, ``3 points``, ``0-10``, ``3 points; 10%``; None = not understood."""
    found = []
    for each in plain(text).replace("±", "").replace("+/-", "").split(";"):
        numbers = [number for segment in segments_of(each, 2000) for number in segment.quantities]
        if len(numbers) != 1:
            return None
        number = numbers[0]
        kind = {"share": "share", "points": "points"}.get(number.kind, "plain")
        if number.is_range:
            kind = "accepted"
        found.append(Tolerance(kind, number.low, number.high))
    return found


def _tolerated(parts: list[Part], text: str, name: str) -> list[Part]:
    tolerances = tolerances_of(text) if text.strip() else []
    if not tolerances:
        reason = f"tolerance {text!r} is not understood" if text.strip() else "no tolerance"
        return [replace(part, reason=part.reason or reason) for part in parts]
    done = []
    for part in parts:
        blockwise = len(tolerances) > 1
        if blockwise and part.block >= len(tolerances):
            done.append(replace(part, reason=part.reason or "no tolerance for this part"))
            continue
        done.append(_with(part, tolerances[part.block if blockwise else 0], name))
    return done


def _with(part: Part, tolerance: Tolerance, name: str) -> Part:
    share = part.is_share or (name in SCALARS and tolerance.kind == "points")
    edges = [abs(edge) for edge in (part.low, part.high)]
    if tolerance.kind == "points":
        if not share:
            return replace(part, reason=part.reason or "its tolerance is in points of a share")
        below = above = tolerance.high
    elif tolerance.kind == "share":
        finite = [edge for edge in edges if math.isfinite(edge)] or [math.inf]
        below, above = finite[0] * tolerance.high, finite[-1] * tolerance.high
    elif tolerance.kind == "accepted":
        below, above = part.low - tolerance.low, tolerance.high - part.high
        below, above = (0.0 if math.isinf(each) else each for each in (below, above))
        if below < 0 or above < 0 or below == above == 0:
            return replace(part, reason=part.reason or "the value is outside its accepted range")
        below, above = below or above, above or below
    else:
        # Beside a percentage, 0.6 and 3 are points, 0.05 is a fraction like the value.
        points = share and tolerance.high >= POINTS_FROM
        below = above = tolerance.high / 100 if points else tolerance.high
    if not (below > 0 and above > 0):
        return replace(part, reason=part.reason or "the tolerance leaves no room")
    if math.isinf(below) or math.isinf(above) or not part.is_bounded:
        return replace(part, reason=part.reason or "a number without end")
    return replace(part, below=below, above=above)
