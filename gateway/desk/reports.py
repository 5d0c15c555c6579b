"""Events into the reports that their owners get: one pass over columns, one message per report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.reasons import EXPLANATIONS, Reason
from engine.records import Event, Modality
from gateway.desk.day_record import RARE, DayRecord
from gateway.desk.rare_reports import SIDES, rare_reports
from gateway.wire.messages import (
    Accepted,
    Amended,
    Cancelled,
    Filled,
    Lapsed,
    Refused,
    Report,
)

__all__ = ["CLAUSES", "CODES", "SENTENCES", "SIDES", "reports"]
CODES = {int(reason): reason.code for reason in Reason}
SENTENCES = {int(reason): EXPLANATIONS[reason].sentence for reason in EXPLANATIONS}
CLAUSES = {int(reason): EXPLANATIONS[reason].clauses for reason in EXPLANATIONS}

REFUSED, BY_OWNER = int(Event.REFUSED), int(Reason.BY_OWNER)
LISTED = int(Modality.LISTED)

Columns = dict[str, Any]


def reports(
    record: DayRecord,
    codes: Sequence[str],
    refs: np.ndarray,
    report_seqs: np.ndarray,
    *,
    repeated: bool = False,
    usual: bool = False,
) -> list[Report]:
    """Return one report per ref, in the same order.

    Args:
        record: where the refs point into.
        codes: instrument codes by row.
        refs: shape (n,), int64, see ``DayRecord``.
        report_seqs: shape (n,), their numbers in their owners' streams.
        repeated: mark them as said before.
        usual: it is known that all are about listed orders.
    """
    rows, views = record.events.chosen(refs >> 2), refs & 3
    if usual or not record.rare:
        return _common(record, codes, rows, views, report_seqs, repeated)
    rare = RARE[rows["kind"]] | (rows["modality"] > LISTED)
    if not rare.any():
        return _common(record, codes, rows, views, report_seqs, repeated)
    found: list[Any] = [None] * len(rows)
    chosen, others = np.flatnonzero(rare), np.flatnonzero(~rare)
    made = rare_reports(
        record, codes, rows[chosen], views[chosen], report_seqs[chosen], repeated=repeated
    )
    if len(others):
        mine = (rows[others], views[others], report_seqs[others])
        made = [*made, *_common(record, codes, *mine, repeated)]
    for at, report in zip([*chosen.tolist(), *others.tolist()], made, strict=True):
        found[at] = report
    return found


def _common(
    record: DayRecord,
    codes: Sequence[str],
    rows: np.ndarray,
    views: np.ndarray,
    report_seqs: np.ndarray,
    repeated: bool,
) -> list[Report]:
    """Reports about listed orders, and refusals of anything: whole columns at a time."""
    other = views == 1
    if other.any():
        _turn(rows, other)
    kinds = rows["kind"]
    first, whole = int(kinds[0]), bool((kinds == kinds[0]).all())
    if whole:
        return MAKERS[first](_columns(record, codes, rows, report_seqs, other, repeated))
    found: list[Any] = [None] * len(rows)
    for kind in np.unique(kinds).tolist():
        chosen = np.flatnonzero(kinds == kind)
        mine = (rows[chosen], report_seqs[chosen], other[chosen])
        part = _columns(record, codes, *mine, repeated)
        for at, report in zip(chosen.tolist(), MAKERS[kind](part), strict=True):
            found[at] = report
    return found


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


def _columns(
    record: DayRecord,
    codes: Sequence[str],
    rows: np.ndarray,
    report_seqs: np.ndarray,
    other: np.ndarray,
    repeated: bool,
) -> Columns:
    """Return what the makers need of events of one kind, column by column."""
    ids = record.commands.all["client_order_id"]
    asked = rows["seq"] - record.first_seq
    named = (*codes, "")  # a refused command may name no instrument: -1
    if rows["kind"][0] == REFUSED:
        own = asked
    else:
        own = record.order_seq.all[rows["order_no"] - record.first_order_no] - record.first_seq
    return {
        "number": report_seqs.tolist(),
        "seq": rows["seq"].tolist(),
        "time_us": (rows["time_ns"] // 1000).tolist(),
        "own": [name.decode() for name in ids[own].tolist()],
        "asked": asked if asked is own else ids[asked],
        "order_no": rows["order_no"].tolist(),
        "instrument": [named[row] for row in rows["instrument"].tolist()],
        "side": [SIDES[side] for side in rows["side"].tolist()],
        "price": rows["price_ticks"].tolist(),
        "qty": rows["qty_tonnes"].tolist(),
        "rows": rows,
        "taker": (~other).tolist(),
        "repeated": [repeated] * len(rows),
    }


def _head(c: Columns) -> Any:
    """The fields that every report about an order begins with, as columns."""
    return (c["number"], c["seq"], c["time_us"], c["own"], c["order_no"])


def _accepted(c: Columns) -> list[Report]:
    rows = c["rows"]
    tail = (rows["leaves_qty"].tolist(), rows["amount_fen"].tolist(), rows["leg"].tolist())
    columns = (*_head(c), c["instrument"], c["side"], c["price"], c["qty"], *tail, c["repeated"])
    return [Accepted(*row) for row in zip(*columns, strict=True)]


def _refused(c: Columns) -> list[Report]:
    rows = c["rows"]
    columns = (*_head(c), rows["reason"].tolist(), rows["leg"].tolist(), c["repeated"])
    return [
        Refused(
            CODES[reason],
            SENTENCES[reason],
            CLAUSES[reason],
            own,
            True,
            number,
            seq,
            time_us,
            order_no,
            leg,
            repeated,
        )
        for number, seq, time_us, own, order_no, reason, leg, repeated in zip(*columns, strict=True)
    ]


def _filled(c: Columns) -> list[Report]:
    rows = c["rows"]
    money = (rows[name].tolist() for name in ("leaves_qty", "amount_fen", "fee_fen"))
    middle = (rows["trade_no"].tolist(), c["instrument"], c["side"], c["price"], c["qty"])
    columns = (*_head(c), *middle, *money, c["taker"], rows["leg"].tolist(), c["repeated"])
    return [Filled(*row) for row in zip(*columns, strict=True)]


def _ended(c: Columns) -> Any:
    rows = c["rows"]
    reasons = rows["reason"].tolist()
    return (
        *_head(c),
        c["instrument"],
        c["side"],
        c["price"],
        c["qty"],
        rows["amount_fen"].tolist(),
        [CODES[reason] for reason in reasons],
        [SENTENCES[reason] for reason in reasons],
    )


def _cancelled(c: Columns) -> list[Report]:
    by_owner = c["rows"]["reason"] == BY_OWNER
    asked = [
        name.decode() if owner else ""
        for name, owner in zip(c["asked"].tolist(), by_owner.tolist(), strict=True)
    ]
    return [Cancelled(*row) for row in zip(*_ended(c), asked, c["repeated"], strict=True)]


def _lapsed(c: Columns) -> list[Report]:
    return [Lapsed(*row) for row in zip(*_ended(c), c["repeated"], strict=True)]


def _amended(c: Columns) -> list[Report]:
    rows = c["rows"]
    asked = [name.decode() for name in c["asked"].tolist()]
    tail = (rows["leaves_qty"].tolist(), rows["amount_fen"].tolist(), asked)
    columns = (*_head(c), c["instrument"], c["side"], c["price"], c["qty"], *tail, c["repeated"])
    return [Amended(*row) for row in zip(*columns, strict=True)]


MAKERS: dict[int, Callable[[Columns], list[Report]]] = {
    Event.REFUSED: _refused,
    Event.ACCEPTED: _accepted,
    Event.TRADED: _filled,
    Event.CANCELLED: _cancelled,
    Event.LAPSED: _lapsed,
    Event.AMENDED: _amended,
}
