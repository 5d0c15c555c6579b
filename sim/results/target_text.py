"""The words of a targets file: months and dates, numbers with units, ranges, seasons.

Nothing here knows what a target is about; ``sim.results.targets`` puts the pieces together.
"""

from __future__ import annotations

import calendar
import re
from typing import NamedTuple

import numpy as np

from sim.results.days import ALL_DAYS, Window

_MONTHS = {name: at for at, name in enumerate(calendar.month_abbr) if name}
_MONTH = r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
_MONTH += r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
_DAY = r"(?:[12]\d|3[01]|0?[1-9])"
_ORDINAL = r"(?:first|second|third|fourth|1st|2nd|3rd|4th)"
_POINT = (
    r"(?:\d{4}-(?:0[1-9]|1[0-2])-\d{2}(?!\d)|\d{4}-(?:0[1-9]|1[0-2])(?!\d)"
    rf"|(?<![\d.]){_DAY} {_MONTH}(?: \d{{4}})?|{_MONTH} {_DAY}(?!\d|\.\d)(?:,? \d{{4}})?"
    rf"|(?:(?:early|mid|late)[- ])?\b{_MONTH}(?: \d{{4}})?"
    rf"|\b[QH][1-4]\b(?: \d{{4}})?|\b{_ORDINAL}[- ](?:quarter|half)\b)"
)
_SPAN = re.compile(rf"({_POINT})\s*(?:\.\.|-|/|to|and|through|until)\s*({_POINT})")
_BOUND = re.compile(rf"\b(from|since|after|until|till|to|by|before|through|up to) ({_POINT})")
_PLAIN = re.compile(rf"(?:\b(?:in|on|at|over|during) )?({_POINT})")

_NUM = r"[-+]?\d+(?:\.\d+)?"
_UNIT = (
    r"%|percentage points?\b|points?\b|pp\b|[MGk]t\b|million t(?:onnes)?\b|t(?:onnes)?\b(?!/)"
    r"|bn CNY\b|billion CNY\b|billion yuan\b|CNY/t\b|CNY\b|yuan(?:/t)?\b"
    r"|entit(?:ies|y)\b|users?\b|days?\b|firms?\b|enterprises\b|companies\b"
)
_LESS = r"<=|<|≤|at most|under|below|up to|no more than"
_MORE = r">=|>|≥|at least|above|over|more than"
_QUANTITY = re.compile(
    rf"(?P<sign>{_LESS}|{_MORE})?\s*(?<![\w.])(?P<low>{_NUM})\s*%?"
    rf"(?:\s*(?:-|to|\.\.)\s*(?P<high>{_NUM}))?\s*(?P<unit>{_UNIT})?",
    re.IGNORECASE,
)
_OF = re.compile(rf"\bof (?:about |some |the |around )*{_NUM}\s*(?:{_UNIT})?", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d,])")

_KINDS = {"%": "share", "mt": "mass", "gt": "mass", "kt": "mass", "t": "mass"}
_SCALES = {"%": 0.01, "gt": 1e3, "kt": 1e-3, "t": 1e-6, "tonnes": 1e-6}


class Quantity(NamedTuple):
    """A number (``low`` = ``high``) or a range; an open side is infinite.

    ``kind``: "share" (a percentage, here a fraction), "mass" (Mt), "money" (bn CNY), "price"
    (CNY/t), "count", "points" (fraction), or "" = no unit written. ``aside``: it stood in brackets.
    """

    low: float
    high: float
    kind: str
    aside: bool = False

    @property
    def is_range(self) -> bool:
        """More than one value meets it."""
        return self.low != self.high


class Segment(NamedTuple):
    """One statement of a value: its quantities, what else it says, and the days it speaks of.

    ``block``: which part between semicolons it stood in. ``aside_window``, ``aside_words``: what
    stood in brackets.
    """

    block: int
    quantities: tuple[Quantity, ...]
    words: str
    window: Window | None
    aside_window: Window | None
    aside_words: str


def plain(text: str) -> str:
    """One kind of dash, no thousands separators, single spaces."""
    for dash in "–—−‑":
        text = text.replace(dash, "-")
    text = _THOUSANDS.sub(lambda found: found.group().replace(",", ""), text)
    text = re.sub(r"\bbetween ([\d.]+) and ", r"\1-", text)
    return re.sub(r"\s+", " ", text).strip()


def labels_of(metric: str) -> list[str]:
    """The names a metric gives to the parts of a value: after the colon, between commas."""
    return [each.strip() for each in re.split(r"[,;]", plain(metric).split(":")[-1])]


def segments_of(value: str, year: int) -> list[Segment]:
    """The statements of a value. ``year`` completes dates without one."""
    found = []
    for block, text in enumerate(plain(value).split(";")):
        for piece in _split(text):
            asides = re.findall(r"\(([^()]*)\)", piece)
            window, rest = take_window(re.sub(r"\([^()]*\)", " ", piece), year)
            aside_window, aside_rest = take_window(" ; ".join(asides), year)
            numbers = [*_quantities(rest, False), *_quantities(aside_rest, True)]
            words = _QUANTITY.sub(" ", _OF.sub(" ", rest)).strip()
            found.append(Segment(block, tuple(numbers), words, window, aside_window, aside_rest))
    return [each for each in found if each.quantities or each.words or each.window]


def _split(text: str) -> list[str]:
    """At commas, "then", "and", arrows and free slashes, but not inside brackets."""
    text = re.sub(rf"({_MONTH}) and ({_MONTH})", r"\1-\2", text)
    held = re.sub(r"\([^()]*\)", lambda found: found.group().replace(",", "\x00"), text)
    pieces = re.split(r",|\bthen\b|\band\b| / |->|→", held)
    return [piece.replace("\x00", ",").strip() for piece in pieces if piece.strip()]


def _quantities(text: str, aside: bool) -> list[Quantity]:
    text = _OF.sub(" ", text)
    if re.fullmatch(r"(?:none|no|never|nil)\b.*", text.strip(), re.IGNORECASE):
        return [Quantity(0.0, 0.0, "", aside)]
    return [_quantity(found, aside) for found in _QUANTITY.finditer(text)]


def _quantity(found: re.Match[str], aside: bool) -> Quantity:
    percent = "%" in found.group()
    unit = "%" if percent else (found["unit"] or "").lower()
    scale = _SCALES.get(unit, 1.0)
    kind = _KINDS.get(unit, "")
    if unit.startswith(("point", "percentage", "pp")):
        kind, scale = "points", 0.01
    elif unit.startswith(("million t", "tonne")):
        kind = "mass"
    elif unit.startswith(("bn", "billion")):
        kind = "money"
    elif unit.startswith(("cny", "yuan")):
        kind = "price"
    elif unit and not kind:
        kind = "count"
    low = high = float(found["low"]) * scale
    if found["high"]:
        low, high = sorted((low, float(found["high"]) * scale))
    sign = (found["sign"] or "").lower()
    if sign and re.fullmatch(_LESS, sign):
        low = -float("inf")
    elif sign:
        high = float("inf")
    return Quantity(low, high, kind, aside)


def take_window(text: str, year: int) -> tuple[Window | None, str]:
    """The days a text speaks of, and the text without them."""
    if span := _SPAN.search(text):
        window = Window(_point(span[1], year)[0], _point(span[2], year)[1])
        return window, _without(text, span)
    if bound := _BOUND.search(text):
        first, last = _point(bound[2], year)
        if bound[1] in {"from", "since"}:
            window = Window(first, None)
        elif bound[1] == "after":
            window = Window(last + 1, None)
        else:
            window = Window(None, first - 1 if bound[1] == "before" else last)
        return window, _without(text, bound)
    if single := _PLAIN.search(text):
        return Window(*_point(single[1], year)), _without(text, single)
    return None, text


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"


def _point(text: str, year: int) -> tuple[np.datetime64, np.datetime64]:
    """First and last day of a date, a month, a third of a month, a quarter or a half-year."""
    if iso := re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text):
        return _days(int(iso[1]), int(iso[2]), int(iso[2]), int(iso[3] or 0))
    if written := re.search(r"\b\d{4}\b", text):
        year, text = int(written.group()), text.replace(written.group(), "")
    if month := re.search(_MONTH, text):
        number = _MONTHS[month.group()[:3]]
        day = re.search(_DAY, text.replace(month.group(), ""))
        first, last = _days(year, number, number, int(day.group()) if day else 0)
        if "early" in text:
            last = first + 9
        elif "mid" in text:
            first, last = first + 10, first + 19
        elif "late" in text:
            first = first + 20
        return first, last
    digits = re.search(r"[1-4]", text)
    named = [text.startswith(word) for word in ("first", "second", "third", "fourth")]
    at = int(digits.group()) if digits else 1 + named.index(True)
    length = 6 if "half" in text or text.startswith("H") else 3
    return _days(year, min(12, length * (at - 1) + 1), min(12, length * at))


def _days(year: int, first: int, last: int, day: int = 0) -> tuple[np.datetime64, np.datetime64]:
    if day:
        only = np.datetime64(f"{year}-{first:02d}-{min(day, _length(year, first)):02d}")
        return only, only
    end = f"{year}-{last:02d}-{_length(year, last):02d}"
    return np.datetime64(f"{year}-{first:02d}-01"), np.datetime64(end)


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


class Seasons(NamedTuple):
    """Which seasons a row speaks of, and which of their days; no years = not understood.

    ``unclear``: what else the text says and was not understood.
    """

    years: tuple[int, ...]
    window: Window = ALL_DAYS
    unclear: str = ""


def seasons_of(text: str) -> Seasons:
    """Read ``2024``, ``2019-20 cycle``, ``2022-05..2023-08``, ``2021/22``, ``2026 to Aug`` …

    A cycle is named after the years its obligations come from; they are met in the year after the
    last of them, and that is its season.
    """
    text = plain(text)
    if cycle := re.search(r"(\d{4})(?:[-/](\d{2,4}))?.*\b(?:cycle|obligations?)\b", text):
        last = int(cycle[1]) if not cycle[2] else _second_year(int(cycle[1]), cycle[2])
        return Seasons((last + 1,))
    if span := re.fullmatch(r"(\d{4})\s*(?:-|/|\.\.|to)\s*(\d{4})", text):
        return Seasons(tuple(range(int(span[1]), int(span[2]) + 1)))
    short = re.fullmatch(r"(\d{4})[-/](\d{2})", text)
    if short and _second_year(int(short[1]), short[2]) == int(short[1]) + 1:
        return Seasons((int(short[1]), int(short[1]) + 1))
    first = re.match(r"\s*(\d{4})(?!\d)", text)
    if not first:
        return Seasons(())
    year = int(first[1])
    rest = re.sub(r"^\s*\d{4}(?!-\d{2})[-\s,:]*", "", text)
    found, left = take_window(re.sub(r"[()]", " ", rest), year)
    window = found or ALL_DAYS
    last = int(str(window.last)[:4]) if window.last is not None else year
    unclear = re.sub(r"\b(?:season|only|year|from|rows|days)\b", "", left).strip(" ,;:-")
    return Seasons(tuple(range(year, max(year, last) + 1)), window, unclear)


def _second_year(first: int, text: str) -> int:
    return int(text) if len(text) == 4 else first // 100 * 100 + int(text)
