"""Whole frames of listings and cancels, taken in column by column: no order costs a call.

What is not plain (a decimal price, an id used before, anything else in the frame) goes message by
message through the desk, with the same result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.records import Kind
from gateway.desk.negotiations import BUY_SELL
from gateway.wire import messages as m

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

LIST, CANCEL = int(Kind.LIST), int(Kind.CANCEL)
_ALL: Any = slice(None)
_many_ids_ok = re.compile(r"(?:[A-Za-z0-9._:\-]{1,32}\n)+").fullmatch


def _ids_ok(names: list[str]) -> bool:
    joined = "\n".join(names)
    return joined.count("\n") == len(names) - 1 and _many_ids_ok(joined + "\n") is not None


class Columns:
    """One per desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_many(self, session: Session, messages: list[Any]) -> bool:
        """Enter a frame of one plain kind column by column; False (and nothing done) otherwise."""
        kinds = {type(each) for each in messages}
        if not kinds <= session.many:
            return False
        names = [each.client_order_id for each in messages]
        ids, count = session.ids, len(names)
        if not ids.keys().isdisjoint(names) or len(set(names)) < count or not _ids_ok(names):
            return False
        if len(kinds) == 1:
            if m.Cancel in kinds:
                self._cancels(messages, self._many(session, names), _ALL)
                return True
            listings, at = messages, _ALL
        else:
            listings = [each for each in messages if type(each) is m.List]
        columns = self._columns(listings)
        if columns is None:
            return False
        rows = self._many(session, names)
        if len(kinds) > 1:
            listed = np.array([type(each) is m.List for each in messages])
            at = np.flatnonzero(listed)
            cancels = [each for each in messages if type(each) is m.Cancel]
            self._cancels(cancels, rows, np.flatnonzero(~listed))
        rows["kind"][at] = LIST
        for name, column in columns.items():
            rows[name][at] = column
        return True

    def _columns(self, messages: list[m.List]) -> dict[str, Any] | None:
        prices = [each.price_ticks for each in messages]
        if None in prices or {each.price for each in messages} != {None}:
            return None
        known, codes = self._desk.instruments, {each.instrument for each in messages}
        if not known.keys() >= codes:
            return None
        sides = {each.side for each in messages}
        return {  # most frames are about one instrument and one side
            "price_ticks": prices,
            "qty_tonnes": [each.qty_tonnes for each in messages],
            "instrument": known[codes.pop()]
            if len(codes) == 1
            else [known[each.instrument] for each in messages],
            "side": BUY_SELL.get(sides.pop(), 0)
            if len(sides) == 1
            else [BUY_SELL.get(each.side, 0) for each in messages],
        }

    @staticmethod
    def _cancels(messages: list[m.Cancel], rows: np.ndarray, at: Any) -> None:
        rows["kind"][at] = CANCEL
        rows["instrument"][at] = -1
        rows["ref"][at] = [each.order_no for each in messages]

    def _many(self, session: Session, names: list[str]) -> np.ndarray:
        sequencer, count = self._desk.sequencer, len(names)
        seqs = range(sequencer.next_seq, sequencer.next_seq + count)
        session.ids.update(zip(names, seqs, strict=True))
        rows = sequencer.enter_many(count)
        rows["account"], rows["counterparty"] = session.account, -1
        rows["operator"] = session.operator
        rows["client_order_id"] = np.array(names, "S32")
        return rows
