"""What every function of this room asks of its arguments before it looks at the books."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from registry.errors import RefusalError
from registry.monitoring.schema import SECTORS, TONNES_MAX
from registry.offices import PERSON_MAX

ENTITY_CODE = re.compile(r"[A-Za-z0-9._-]{1,32}")
YEAR_FIRST, YEAR_LAST = 2018, 2099
TEXT_CHARS_MAX = 500


def is_whole(value: object) -> bool:
    """Whether ``value`` is a whole number and not a truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def person(number: int) -> int:
    """Return the number of a person; RefusalError person_invalid."""
    if not is_whole(number) or not 1 <= number <= PERSON_MAX:
        raise RefusalError("person_invalid", f"{number!r} is nobody's number.")
    return number


def year(number: int) -> int:
    """Return a data year; RefusalError year_invalid."""
    if not is_whole(number) or not YEAR_FIRST <= number <= YEAR_LAST:
        raise RefusalError(
            "year_invalid", f"{number!r} is no data year from {YEAR_FIRST} to {YEAR_LAST}."
        )
    return number


def sector(name: str) -> str:
    """Return a sector; RefusalError sector_invalid (CP-01)."""
    if name not in SECTORS:
        raise RefusalError("sector_invalid", f"{name!r} is none of {', '.join(SECTORS)} (CP-01).")
    return name


def tonnes(value: int) -> int:
    """Return a year's emissions in whole tonnes; RefusalError tonnes_invalid (U27)."""
    if not is_whole(value) or not 0 <= value <= TONNES_MAX:
        raise RefusalError(
            "tonnes_invalid", f"{value!r} is no emission of a year: whole tonnes, not negative."
        )
    return value


def wording(value: str, what: str) -> str:
    """Return a text that says something; RefusalError text_invalid."""
    good = isinstance(value, str) and value.strip() and value.isprintable()
    if not good or len(value) > TEXT_CHARS_MAX:
        raise RefusalError("text_invalid", f"{what} is a line of 1 to {TEXT_CHARS_MAX} characters.")
    return value


def canonical(content: Mapping[str, Any]) -> str:
    """Return the one way to write ``content`` as JSON: what a sha256 is taken of."""
    return json.dumps(dict(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(content: str) -> str:
    """Return the hash of a content as ``canonical`` writes it."""
    return hashlib.sha256(content.encode()).hexdigest()
