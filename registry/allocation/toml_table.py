"""Strict reading of a TOML table: every key is asked for, every number has a clause.

A plan decides who gets how many tonnes, so nothing in it may be misspelt, forgotten or out of
range without being told: each refusal is one sentence that names the place.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from registry.allocation.exact import FACTOR
from registry.allocation.plan import Cited
from registry.errors import RefusalError

CLAUSE = re.compile(r"(AL|CP|CA)-\d{2}")
CERTAINTIES = ("certain", "likely", "choice")


def refuse(place: str, sentence: str) -> NoReturn:
    """Refuse the plan: ``plan_invalid``, with the place and what is wrong there."""
    raise RefusalError("plan_invalid", f"{place} {sentence}" if place else sentence)


class TomlTable:
    """One table of the file; what nobody asked for is refused by ``finish``."""

    def __init__(self, data: Mapping[str, Any], place: str = "") -> None:
        self._data = dict(data)
        self.place = place

    def at(self, key: str) -> str:
        """Return the full name of a key, for sentences."""
        return f"{self.place}.{key}" if self.place else key

    def has(self, key: str) -> bool:
        """Tell whether the key is there and was not read yet."""
        return key in self._data

    def key_names(self) -> list[str]:
        """Return the keys that were not read yet."""
        return list(self._data)

    def finish(self) -> None:
        """Refuse keys that were never asked for."""
        for key in self._data:
            refuse(self.at(key), "is not known here")

    def _take(self, key: str) -> Any:
        if key not in self._data:
            refuse(self.at(key), "is missing")
        return self._data.pop(key)

    def table(self, key: str) -> TomlTable:
        """Take a table."""
        value = self._take(key)
        if not isinstance(value, dict):
            refuse(self.at(key), "must be a table")
        return TomlTable(value, self.at(key))

    def optional(self, key: str) -> TomlTable | None:
        """Take a table that need not be there."""
        return self.table(key) if self.has(key) else None

    def tables(self, key: str) -> list[TomlTable]:
        """Take an array of tables; none is an empty list."""
        value = self._data.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            refuse(self.at(key), "must be a list of tables")
        return [TomlTable(row, f"{self.at(key)}[{i}]") for i, row in enumerate(value, 1)]

    def text(self, key: str, allowed: tuple[str, ...] = ()) -> str:
        """Take a text, one of ``allowed`` where these are given."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            refuse(self.at(key), "must be a text")
        if allowed and value not in allowed:
            refuse(self.at(key), f"is {value!r}; it may be {', '.join(allowed)}")
        return value

    def texts(self, key: str, allowed: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Take a list of different texts."""
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            refuse(self.at(key), "must be a list of texts")
        if not value or len(set(value)) != len(value):
            refuse(self.at(key), "must have entries, each once")
        for item in value:
            if allowed and item not in allowed:
                refuse(self.at(key), f"has {item!r}; it may have {', '.join(allowed)}")
        return tuple(value)

    def numbers(self, key: str) -> tuple[Decimal, ...]:
        """Take a list of numbers."""
        value = self._take(key)
        if not isinstance(value, list) or not value:
            refuse(self.at(key), "must be a list of numbers")
        return tuple(_number(item, self.at(key)) for item in value)

    def years(self, key: str, allowed: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Take a list of rising years, all in ``allowed`` where these are given."""
        value = self._take(key)
        if not isinstance(value, list) or not value or not all(type(y) is int for y in value):
            refuse(self.at(key), "must be a list of years")
        if sorted(set(value)) != value or not all(2000 <= year <= 2100 for year in value):
            refuse(self.at(key), "must be years from 2000 to 2100, rising")
        for year in value:
            if allowed and year not in allowed:
                refuse(self.at(key), f"has {year}, which is no year of the plan")
        return tuple(value)

    def number(self, key: str, least: Decimal | int = 0, most: Decimal | int = 10**9) -> Decimal:
        """Take a number from ``least`` to ``most``."""
        return _within(_number(self._take(key), self.at(key)), least, most, self.at(key))

    def source(self) -> tuple[str, str]:
        """Take the clause of this table and how sure it is."""
        if not self.has("clause"):
            refuse(self.place, "has no clause")
        clause = self.text("clause")
        if not CLAUSE.fullmatch(clause):
            refuse(self.at("clause"), f"is {clause!r}, which is no clause such as AL-32")
        certainty = self.text("certainty", CERTAINTIES) if self.has("certainty") else "certain"
        return clause, certainty

    def _cited(self, key: str, read: Callable[[TomlTable], Any]) -> Cited[Any]:
        inner = self.table(key)
        value = read(inner)
        found = Cited(value, *inner.source())
        inner.finish()
        return found

    def cited_number(
        self, key: str, least: Decimal | int = 0, most: Decimal | int = 10**9
    ) -> Cited[Decimal]:
        """Take ``{ value = 0.877, clause = "AL-11" }``."""
        return self._cited(key, lambda inner: inner.number("value", least, most))

    def cited_whole(self, key: str, least: int = 0, most: int = 10**9) -> Cited[int]:
        """Take a whole number with its clause."""

        def read(inner: TomlTable) -> int:
            value = inner.number("value", least, most)
            if value != int(value):
                refuse(inner.at("value"), "must be a whole number")
            return int(value)

        return self._cited(key, read)

    def cited_text(self, key: str, allowed: tuple[str, ...]) -> Cited[str]:
        """Take one of ``allowed`` with its clause."""
        return self._cited(key, lambda inner: inner.text("value", allowed))

    def cited_flag(self, key: str, yes: str, no: str) -> Cited[bool]:
        """Take one of two words with its clause; True for the first."""
        found = self.cited_text(key, (yes, no))
        return Cited(found.value == yes, found.clause, found.certainty)

    def cited_date(self, key: str) -> Cited[dt.date]:
        """Take a date with its clause."""

        def read(inner: TomlTable) -> dt.date:
            value = inner._take("value")
            if type(value) is not dt.date:
                refuse(inner.at("value"), "must be a date")
            return value

        return self._cited(key, read)


def _number(value: object, place: str) -> Decimal:
    if type(value) is int or isinstance(value, Decimal):
        number = Decimal(value)
        if number.is_finite():
            if number * FACTOR % 1:
                refuse(place, f"is {number}; at most 12 decimals are possible")
            return number
    refuse(place, "must be a number")


def _within(number: Decimal, least: Decimal | int, most: Decimal | int, place: str) -> Decimal:
    if not least <= number <= most:
        refuse(place, f"is {number}; it must lie from {least} to {most}")
    return number
