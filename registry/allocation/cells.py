"""The cells of one row: texts turned into exact numbers, or refused with a code and a reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from registry.allocation.exact import MICRO
from registry.allocation.plan import GAS, UNIT_CLASSES, ClassRules

NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
DECIMALS = 6
QUANTITY_MAX = 10**10  # t, MWh or GJ; more than the whole market has
SHOWN_MAX = 40  # characters of a cell in a sentence
FULL = 100 * MICRO  # 100 % in micropct


class CellError(Exception):
    """A row cannot be used: the field, a stable code, and a sentence."""

    def __init__(self, field: str, code: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.code = code
        self.reason = reason


def cut(text: str) -> str:
    """Return a text that fits into a sentence: a long one ends with an ellipsis."""
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


class Cells:
    """The texts of one row by column; a column that is not there is blank."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def refuse(self, field: str, code: str, reason: str) -> NoReturn:
        """Refuse the row."""
        raise CellError(field, code, reason)

    def text(self, field: str) -> str:
        """Return a text; blank if it is missing."""
        return (self._texts.get(field) or "").strip()

    def needed(self, field: str, why: str = "") -> str:
        """Return a text that must be there; ``missing_value``."""
        found = self.text(field)
        if not found:
            self.refuse(field, "missing_value", f"{field} is blank{why}")
        if not found.isprintable():
            sentence = f"{field} is {cut(found)!r}, which cannot be shown"
            self.refuse(field, "not_printable", sentence)
        return found

    def one_of(self, field: str, allowed: tuple[str, ...], code: str, why: str = "") -> int:
        """Return the index in ``allowed``; ``missing_value`` or ``code``."""
        found = self.needed(field, why)
        if found not in allowed:
            self.refuse(field, code, f"{cut(found)!r} is none of {', '.join(allowed)}")
        return allowed.index(found)

    def micro(self, field: str, why: str = "", most: int = QUANTITY_MAX) -> int:
        """Return a number from 0 to ``most`` in millionths."""
        return self.number(field, self.needed(field, why), most)

    def micro_or_zero(self, field: str) -> int:
        """Return a number in millionths, 0 where the cell is blank."""
        return self.micro(field) if self.text(field) else 0

    def number(self, field: str, text: str, most: int = QUANTITY_MAX) -> int:
        """Return a text as a number in millionths.

        ``negative``, ``not_a_number``, ``too_many_decimals``, ``too_large``.
        """
        found = NUMBER.fullmatch(text)
        if found is None:
            if text[:1] in {"-", "−"} and NUMBER.fullmatch(text[1:]):
                self.refuse(field, "negative", f"{field} is {text}; it cannot be negative")
            sentence = f"{field} is {cut(text)!r}, which is no plain decimal"
            self.refuse(field, "not_a_number", sentence)
        whole, decimals = found[1], (found[2] or "").rstrip("0")
        if len(decimals) > DECIMALS:
            self.refuse(field, "too_many_decimals", f"{field} has more than {DECIMALS} decimals")
        # Only a number of a sane length is computed with.
        if len(whole.lstrip("0")) <= len(str(QUANTITY_MAX)):
            value = int(whole) * MICRO + int(decimals.ljust(DECIMALS, "0"))
            if value <= most * MICRO:
                return value
        sentence = f"{field} is {cut(text)}; at most {most:,} is possible"
        return self.refuse(field, "too_large", sentence)

    def percent(self, field: str, why: str = "") -> int:
        """Return a number from 0 to 100 in micropct; ``out_of_range``."""
        value = self.micro(field, why)
        if value > FULL:
            self.refuse(field, "out_of_range", f"{field} is more than 100")
        return value

    def tonnes(self, field: str) -> int:
        """Return whole tonnes; ``not_whole_tonnes`` (U27)."""
        value = self.micro(field)
        if value % MICRO:
            self.refuse(field, "not_whole_tonnes", f"{field} must be whole tonnes")
        return value // MICRO

    def tonnes_or(self, field: str, otherwise: int) -> int:
        """Return whole tonnes, or ``otherwise`` where the cell is blank."""
        return self.tonnes(field) if self.text(field) else otherwise


def load_pct(cells: Cells, electricity: int) -> int:
    """Return the load factor in micropct; a fraction in place of a per cent is refused."""
    found = cells.percent("load_factor_pct", ", and the unit's class has a load factor")
    if found == 0 and electricity > 0:
        cells.refuse("load_factor_pct", "out_of_range", "the load is 0 % but there is output")
    if 0 < found <= MICRO:
        sentence = "load_factor_pct is at most 1: give per cent (65 for 65 %), not a fraction"
        cells.refuse("load_factor_pct", "out_of_range", sentence)
    return found


def unit_classes(cells: Cells, rules: ClassRules) -> list[int]:
    """Return the classes of a unit, several for units that report merged (AL-03).

    From ``class`` (``I``, or ``I+III``), or from ``fuel`` and ``capacity_mw`` (``330+600``);
    where both are there, they must agree: ``unknown_class``, ``class_contradicts``.
    """
    stated = cells.text("class")
    if not stated and not cells.text("fuel"):
        cells.refuse("class", "missing_value", "neither class nor fuel is there")
    found = []
    for name in stated.split("+") if stated else ():
        if name.strip() not in UNIT_CLASSES:
            known = ", ".join(UNIT_CLASSES)
            cells.refuse("class", "unknown_class", f"{name.strip()!r} is none of {known}")
        found.append(UNIT_CLASSES.index(name.strip()))
    if not cells.text("fuel"):
        return found
    derived = _derived(cells, rules)
    if found and set(found) != set(derived):
        names = "+".join(UNIT_CLASSES[i] for i in derived)
        cells.refuse("class", "class_contradicts", f"by fuel and capacity it is class {names}")
    return derived


def _derived(cells: Cells, rules: ClassRules) -> list[int]:
    fuel = ("coal", "gas")[cells.one_of("fuel", ("coal", "gas"), "unknown_class")]
    if fuel == "gas":
        most = rules.gas_other_fuel_max_pct.value
        if cells.text("other_fuel_pct") and cells.percent("other_fuel_pct") > most * MICRO:
            sentence = f"more than {most} % other fuels: this is no gas unit"
            cells.refuse("other_fuel_pct", "unknown_class", sentence)
        return [GAS]
    over = rules.unconventional_over_pct.value
    if cells.text("unconventional_pct") and cells.percent("unconventional_pct") > over * MICRO:
        return [UNIT_CLASSES.index("III")]
    split = rules.split_mw.value * MICRO
    parts = cells.needed("capacity_mw", ", and the class follows from it").split("+")
    powers = [cells.number("capacity_mw", part.strip()) for part in parts]
    if 0 in powers:
        cells.refuse("capacity_mw", "out_of_range", "a unit has more than 0 MW")
    return [0 if mw >= split else 1 for mw in powers]
