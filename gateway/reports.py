"""Events into the reports that their owners get: one pass over columns, one message per report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.reasons import EXPLANATIONS, Reason
from engine.records import Event
from gateway.day_record import DayRecord
from gateway.messages import (
    Accepted,
    Amended,
    Cancelled,
    Filled,
    Lapsed,
    Refused,
    Report,
)

SIDES = ("", "buy", "sell")
CODES = {int(reason): reason.code for reason in Reason}
SENTENCES = {int(reason): EXPLANATIONS[reason].sentence for reason in EXPLANATIONS}
CLAUSES = {int(reason): EXPLANATIONS[reason].clauses for reason in EXPLANATIONS}

COLUMNS = (
    "kind",
    "seq",
    "time_ns",
    "trade_no",
    "instrument",
    "side",
    "price_ticks",
    "qty_tonnes",
    "leaves_qty",
    "amount_fen",
    "fee_fen",
    "reason",
    "leg",
)


def reports(
    record: DayRecord,
    codes: Sequence[str],
    refs: np.ndarray,
    report_seqs: np.ndarray,
    *,
    repeated: bool = False,
) -> list[Report]:
    """Return one report per ref, in the same order.

    Args:
        record: where the refs point into.
        codes: instrument codes by row.
        refs: shape (n,), int64, see ``DayRecord``.
        report_seqs: shape (n,), their numbers in their owners' streams.
        repeated: mark them as said before.
    """
    rows = record.events.all[refs >> 1]
    other = (refs & 1).astype(bool)
    if other.any():
        _turn(rows, other)
    seq, first_seq = rows["seq"], record.first_seq
    ids = record.commands.all["client_order_id"]
    asked = ids[seq - first_seq]
    known = rows["kind"] != Event.REFUSED
    owner_seq = np.where(known, seq, first_seq)
    owner_seq[known] = record.order_seq.all[rows["order_no"][known] - record.first_order_no]
    own = np.where(known, ids[owner_seq - first_seq], asked)
    rows["time_ns"] //= 1000
    columns = [rows[name].tolist() for name in COLUMNS]
    mixed = zip(
        report_seqs.tolist(),
        own.tolist(),
        asked.tolist(),
        rows["order_no"].tolist(),
        other.tolist(),
        *columns,
        strict=True,
    )
    return [MAKERS[row[5]](row, codes, repeated) for row in mixed]


def _turn(rows: np.ndarray, other: np.ndarray) -> None:
    """Show the counterparty's view of trades in its own fields."""
    for mine, theirs in (
        ("order_no", "other_order_no"),
        ("leaves_qty", "other_leaves_qty"),
        ("fee_fen", "other_fee_fen"),
    ):
        rows[mine][other] = rows[theirs][other]
    rows["side"][other] = 3 - rows["side"][other]
    rows["leg"][other] = 0


# A row: report_seq, own id, id of the command, order_no, other's view?, then COLUMNS (kind at 5).
Row = tuple[Any, ...]


def _accepted(row: Row, codes: Sequence[str], repeated: bool) -> Accepted:
    number, own, _, order_no, _, _, seq, time_us, _, instrument, side, price, qty = row[:13]
    return Accepted(
        number,
        seq,
        time_us,
        own.decode(),
        order_no,
        codes[instrument],
        SIDES[side],
        price,
        qty,
        row[13],
        row[14],
        row[17],
        repeated,
    )


def _refused(row: Row, codes: Sequence[str], repeated: bool) -> Refused:
    reason = row[16]
    return Refused(
        CODES[reason],
        SENTENCES[reason],
        CLAUSES[reason],
        row[2].decode(),
        True,
        row[0],
        row[6],
        row[7],
        row[3],
        row[17],
        repeated,
    )


def _filled(row: Row, codes: Sequence[str], repeated: bool) -> Filled:
    number, own, _, order_no, other, _, seq, time_us, trade_no, instrument, side = row[:11]
    head = (number, seq, time_us, own.decode(), order_no, trade_no, codes[instrument], SIDES[side])
    return Filled(*(*head, *row[11:16], not other, row[17], repeated))


def _ended(row: Row, codes: Sequence[str]) -> tuple[Any, ...]:
    number, own, _, order_no, _, _, seq, time_us, _, instrument, side, price, qty = row[:13]
    reason = row[16]
    head = (number, seq, time_us, own.decode(), order_no, codes[instrument], SIDES[side])
    return (*head, price, qty, row[14], CODES[reason], SENTENCES[reason])


def _cancelled(row: Row, codes: Sequence[str], repeated: bool) -> Cancelled:
    by_owner = row[16] == Reason.BY_OWNER
    return Cancelled(*(*_ended(row, codes), row[2].decode() if by_owner else "", repeated))


def _lapsed(row: Row, codes: Sequence[str], repeated: bool) -> Lapsed:
    return Lapsed(*(*_ended(row, codes), repeated))


def _amended(row: Row, codes: Sequence[str], repeated: bool) -> Amended:
    number, own, asked, order_no, _, _, seq, time_us, _, instrument, side, price, qty = row[:13]
    head = (number, seq, time_us, own.decode(), order_no, codes[instrument], SIDES[side])
    return Amended(*head, price, qty, row[13], row[14], asked.decode(), repeated)


MAKERS: dict[int, Callable[[Row, Sequence[str], bool], Report]] = {
    Event.REFUSED: _refused,
    Event.ACCEPTED: _accepted,
    Event.TRADED: _filled,
    Event.CANCELLED: _cancelled,
    Event.LAPSED: _lapsed,
    Event.AMENDED: _amended,
}
