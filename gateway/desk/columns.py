"""Whole frames of listings and cancels, taken in column by column: no order costs a call.

What is not plain (a decimal price, an id used before, anything else in the frame) goes message by
message through the desk, with the same result.
"""

from __future__ import annotations

import re
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.records import CLIENT_ORDER_ID_BYTES, Kind
from gateway.desk.negotiations import BUY_SELL
from gateway.wire import messages as m

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

LIST, CANCEL = int(Kind.LIST), int(Kind.CANCEL)
_ALL: Any = slice(None)
_id_of, _price_of, _ticks_of, _qty_of, _side_of, _instrument_of, _order_of = map(
    attrgetter,
    ("client_order_id", "price", "price_ticks", "qty_tonnes", "side", "instrument", "order_no"),
)
_letters_ok = re.compile(r"[A-Za-z0-9._:\-]+").fullmatch


def _ids_ok(names: list[str]) -> bool:
    sizes = set(map(len, names))
    return (
        min(sizes) > 0
        and max(sizes) <= CLIENT_ORDER_ID_BYTES
        and _letters_ok("".join(names)) is not None
    )


def _note_ids(ids: dict[str, int], names: list[str], tickets: range) -> bool:
    """Note each id with its ticket; False, and none noted, if one of them was used before."""
    new = dict(zip(names, tickets, strict=True))
    if len(new) < len(names) or not ids.keys().isdisjoint(new):
        return False
    ids.update(new)  # a dict into a dict: hashes are known, room is made once
    return True


class Columns:
    """One per desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_many(self, session: Session, messages: list[Any]) -> bool:
        """Enter a frame of one plain kind column by column; False (and nothing done) otherwise."""
        kinds = set(map(type, messages))
        if not kinds <= session.many:
            return False
        listings, cancels, at, others = messages, messages, _ALL, _ALL
        if len(kinds) > 1:
            listed = np.array([type(each) is m.List for each in messages])
            at, others = np.flatnonzero(listed), np.flatnonzero(~listed)
            listings = list(compress(messages, listed))
            cancels = list(compress(messages, ~listed))
        columns = self._columns(listings) if m.List in kinds else {}
        names = list(map(_id_of, messages))
        if columns is None or not _ids_ok(names):
            return False
        rows = self._enter(session, names)
        if rows is None:
            return False
        if m.Cancel in kinds:
            rows["kind"][others], rows["instrument"][others] = CANCEL, -1
            rows["ref"][others] = list(map(_order_of, cancels))
        if m.List in kinds:
            rows["kind"][at] = LIST
            for name, column in columns.items():
                rows[name][at] = column
        return True

    def _columns(self, messages: list[m.List]) -> dict[str, Any] | None:
        prices = list(map(_ticks_of, messages))
        if None in prices or set(map(_price_of, messages)) != {None}:
            return None
        known, codes = self._desk.instruments, set(map(_instrument_of, messages))
        if not known.keys() >= codes:
            return None
        sides = set(map(_side_of, messages))
        return {  # most frames are about one instrument and one side
            "price_ticks": prices,
            "qty_tonnes": list(map(_qty_of, messages)),
            "instrument": known[codes.pop()]
            if len(codes) == 1
            else [known[each.instrument] for each in messages],
            "side": BUY_SELL.get(sides.pop(), 0)
            if len(sides) == 1
            else [BUY_SELL.get(each.side, 0) for each in messages],
        }

    def _enter(self, session: Session, names: list[str]) -> np.ndarray | None:
        """Enter as many commands under these ids and return their rows; None: an id was used."""
        sequencer, count = self._desk.sequencer, len(names)
        tickets = range(sequencer.next_seq, sequencer.next_seq + count)
        if not _note_ids(session.ids, names, tickets):
            return None
        rows = sequencer.enter_many(count)
        rows["account"], rows["counterparty"] = session.account, -1
        rows["operator"] = session.operator
        rows["client_order_id"] = np.array(names, "S32")
        return rows
