"""The keys that a load run logs in with, read from a venue's ``keys.json`` or a plain list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from benchmarks.load.plan import LoadError
from gateway.authority import TRADER


class Credentials(msgspec.Struct, frozen=True):
    """A key and its secret; ``account`` is -1 where the file does not tell it."""

    key_id: str
    secret: str
    account: int = -1


def read_keys(file: Path) -> list[Credentials]:
    """Return the file's keys that may trade, one of each account where accounts are told.

    Raises:
        LoadError: ``no_keys``, ``bad_keys``.
    """
    try:
        content = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        sentence = f"The keys in {file.name} cannot be read: {error.strerror}."
        raise LoadError("no_keys", sentence) from error
    except msgspec.MsgspecError as error:
        raise LoadError("bad_keys", f"{file.name} is no JSON: {error}.") from error
    venue = isinstance(content, dict)
    rows = content.get("keys") if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LoadError("bad_keys", f"{file.name} is no list of keys.")
    found = [_key(row, file) for row in rows if not venue or _trades(row)]
    if not found:
        raise LoadError("no_keys", f"{file.name} has no key of an account that may trade.")
    first: dict[object, Credentials] = {}
    for key in found:
        first.setdefault(key.account if key.account >= 0 else key.key_id, key)
    return list(first.values())


def _trades(row: dict[str, Any]) -> bool:
    return row.get("account", -1) >= 0 and TRADER in row.get("roles", ())


def _key(row: dict[str, Any], file: Path) -> Credentials:
    try:
        return msgspec.convert(row, Credentials)
    except msgspec.ValidationError as error:
        raise LoadError("bad_keys", f"A key in {file.name} is not whole: {error}.") from error
