"""Events into the reports that their owners get: one pass over columns, one message per report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
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
        return list(MAKERS[first](_columns(record, codes, rows, report_seqs, other, repeated)))
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
        "own": _texts(ids[own]),
        "ids": ids,
        "asked": asked,
        "order_no": rows["order_no"].tolist(),
        "instrument": list(map(named.__getitem__, rows["instrument"].tolist())),
        "side": list(map(SIDES.__getitem__, rows["side"].tolist())),
        "price": rows["price_ticks"].tolist(),
        "qty": rows["qty_tonnes"].tolist(),
        "rows": rows,
        "taker": ~other,
        "repeated": repeat(repeated),
    }


def _texts(names: np.ndarray) -> list[str]:
    return list(map(bytes.decode, names.tolist()))


def _head(c: Columns) -> Any:
    """The fields that every report about an order begins with, as columns."""
    return (c["number"], c["seq"], c["time_us"], c["own"], c["order_no"])


def _terms(c: Columns) -> Any:
    """What was ordered, as columns."""
    return (c["instrument"], c["side"], c["price"], c["qty"])


def _looked_up(table: dict[int, str], reasons: list[int]) -> list[str]:
    return list(map(table.__getitem__, reasons))


def _accepted(c: Columns) -> Iterable[Report]:
    rows = c["rows"]
    tail = (rows["leaves_qty"].tolist(), rows["amount_fen"].tolist(), rows["leg"].tolist())
    return map(Accepted, *_head(c), *_terms(c), *tail, c["repeated"])


def _refused(c: Columns) -> Iterable[Report]:
    rows = c["rows"]
    reasons = rows["reason"].tolist()
    why = [_looked_up(table, reasons) for table in (CODES, SENTENCES, CLAUSES)]
    number, seq, time_us, own, order_no = _head(c)
    where = (number, seq, time_us, order_no, rows["leg"].tolist())
    return map(Refused, *why, own, repeat(True), *where, c["repeated"])


def _filled(c: Columns) -> Iterable[Report]:
    rows = c["rows"]
    money = (rows[name].tolist() for name in ("leaves_qty", "amount_fen", "fee_fen"))
    tail = (c["taker"].tolist(), rows["leg"].tolist(), c["repeated"])
    return map(Filled, *_head(c), rows["trade_no"].tolist(), *_terms(c), *money, *tail)


def _ended(c: Columns) -> Any:
    rows = c["rows"]
    reasons = rows["reason"].tolist()
    why = (_looked_up(CODES, reasons), _looked_up(SENTENCES, reasons))
    return (*_head(c), *_terms(c), rows["amount_fen"].tolist(), *why)


def _cancelled(c: Columns) -> Iterable[Report]:
    by_owner = (c["rows"]["reason"] == BY_OWNER).tolist()
    asked = [name if owner else "" for name, owner in zip(_asked(c), by_owner, strict=True)]
    return map(Cancelled, *_ended(c), asked, c["repeated"])


def _lapsed(c: Columns) -> Iterable[Report]:
    return map(Lapsed, *_ended(c), c["repeated"])


def _amended(c: Columns) -> Iterable[Report]:
    rows = c["rows"]
    tail = (rows["leaves_qty"].tolist(), rows["amount_fen"].tolist(), _asked(c))
    return map(Amended, *_head(c), *_terms(c), *tail, c["repeated"])


def _asked(c: Columns) -> list[str]:
    """The ids of the commands that brought the events about."""
    return _texts(c["ids"][c["asked"]])


MAKERS: dict[int, Callable[[Columns], Iterable[Report]]] = {
    Event.REFUSED: _refused,
    Event.ACCEPTED: _accepted,
    Event.TRADED: _filled,
    Event.CANCELLED: _cancelled,
    Event.LAPSED: _lapsed,
    Event.AMENDED: _amended,
}
