"""Bodies of commands: COMMAND's fields from ``ref`` to ``tail``, as the sequencer takes them."""

from __future__ import annotations

from typing import Any

from engine.records import COMMAND

Body = tuple[object, ...]
FIELDS = tuple((COMMAND.names or ())[2:-1])
_NOBODY = {"account": -1, "counterparty": -1, "instrument": -1}
_BLANK = {name: _NOBODY.get(name, 0) for name in FIELDS}
assert FIELDS[0] == "ref", "seq and time come first"
assert FIELDS[-1] == "tail", "the client order id comes last"


def body(session: Any, kind: int, **fields: int) -> Body:
    """Return the body of a rare command; account and person are the session's unless given."""
    values = {
        **_BLANK,
        "account": session.account,
        "operator": session.operator,
        "kind": int(kind),
        **fields,
    }
    return tuple(values.values())


def venue_body(kind: int, **fields: int) -> tuple[object, ...]:
    """Return the body of a command that the venue itself enters: nobody's, without an id."""
    return (*{**_BLANK, "kind": int(kind), **fields}.values(), b"")
