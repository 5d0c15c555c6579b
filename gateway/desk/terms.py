"""Decimal strings of messages made exact: prices into ticks, amounts into fen, times into minutes.

Each function refuses a message that says too much, too little or nonsense, and returns None.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.wire.message_base import INT53_MAX, PRICE_MAX

_decimal = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,9}))?").fullmatch
_time = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])").fullmatch


def ticks(session: Any, message: Any) -> int | None:
    """Return the price in ticks, or None after refusing it."""
    return _hundredths(session, message, "price", "price_ticks", PRICE_MAX, "price_off_tick")


def fen(session: Any, message: Any) -> int | None:
    """Return the amount in fen, or None after refusing it."""
    return _hundredths(session, message, "amount", "amount_fen", INT53_MAX, "amount_off_fen")


def _hundredths(
    session: Any, message: Any, name: str, exact: str, most: int, too_fine: str
) -> int | None:
    identity = getattr(message, "client_order_id", "")
    given, text = getattr(message, exact), getattr(message, name)
    if text is None:
        if given is None:
            session.refuse("missing_field", identity, exact)
        return given if given is None else int(given)
    if given is not None:
        session.refuse("conflicting_fields", identity, name)
        return None
    found = _decimal(text)
    if found is None:
        session.refuse("wrong_type", identity, f"{name} is a decimal such as 80.05")
        return None
    sign, whole, part = found.group(1), found.group(2), (found.group(3) or "").rstrip("0")
    if len(part) > 2:
        session.refuse(too_fine, identity)
        return None
    value = int(whole) * 100 + int(part.ljust(2, "0"))
    if value > most:
        session.refuse("out_of_range", identity, name)
        return None
    return -value if sign else value


def minute(session: Any, message: Any, name: str) -> int | None:
    """Return the minute of the day of an HH:MM field, or None after refusing it."""
    found = _time(getattr(message, name))
    if found is None:
        session.refuse("wrong_type", message.client_order_id, f"{name} is a time such as 10:00")
        return None
    return int(found.group(1)) * 60 + int(found.group(2))
