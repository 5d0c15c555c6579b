"""The evening's two steps: clear what the exchange hands over, post what both have confirmed.

``clear`` recomputes the day and writes down either the cleared deals or the sentences that say
what differs; no balance moves. ``post`` moves allowances and money of the cleared day, writes the
statements and closes the day, in one database transaction. Both may be called as often as one
likes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import (
    Connection,
    Row,
    Select,
    Text,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)

from engine.deals import DealFile
from registry import ledger, notices, telling
from registry.accounts import Directory, last_instruction
from registry.bulk import insert_many
from registry.clearing import Books, differences
from registry.database import insert_missing_from
from registry.errors import StopError
from registry.ledger import TRADING_SIDE
from registry.schema import (
    CASH,
    EXCHANGE_FEES_ID,
    FEES,
    FEN,
    REGISTRY_FEES_ID,
    STANDING,
    TRADING_AVAILABLE,
    Number,
    buckets,
    days,
    deals,
    entries,
    voids,
)
from registry.windows import last_ns

COPIED = (
    "trade_no",
    "seq",
    "time_ns",
    "price_ticks",
    "qty_tonnes",
    "value_fen",
    "buy_trading_fee_fen",
    "buy_settlement_fee_fen",
    "sell_trading_fee_fen",
    "sell_settlement_fee_fen",
    "modality",
    "taker_side",
)
LINES_PER_DEAL = 6  # goods, money, four fees


class Day(NamedTuple):
    """Where the evening of a date stands; ``report`` says what differs, empty unless it does."""

    date: int
    status: str  # cleared, differs, posted
    tag: int
    sha256: str
    deals: int
    report: tuple[str, ...]
    attempts: int

    @property
    def sound(self) -> bool:
        """Whether the registry confirms this day (ST-04)."""
        return self.status != "differs"


def day(tx: Connection, date: int) -> Day | None:
    """Return the evening of a date, None if the registry has not seen its deal file."""
    row = tx.execute(select(days).where(days.c.date == date)).first()
    return None if row is None else _day(row)


def _day(row: Row[Any]) -> Day:
    report = tuple(json.loads(row.report))
    return Day(row.date, row.status, row.tag, row.sha256, row.deals, report, row.attempts)


def clear(tx: Connection, file: DealFile, goods_t_plus: int = 1) -> Day:
    """Clear a deal file and return the day: cleared (or posted before), or differs with a report.

    A day that differs may be cleared again once the cause is mended, with the same file or a
    corrected one; a cleared one while the exchange has undone a trade of it since (TR-121).
    StopError file_differs: a cleared or posted date comes with other bytes (F32).
    StopError date_order: an earlier day is unposted, or a later one is known.
    """
    known = tx.execute(select(days).where(days.c.date == file.date)).first()
    sha256 = file.sha256()
    seen = _seen(tx)
    if known is not None and known.status != "differs":
        if known.sha256 != sha256 and not (known.status == "cleared" and _undone(tx, file.date)):
            raise StopError(
                "file_differs",
                f"The deal file of {file.date} was {known.status} with hash {known.sha256[:16]}…, "
                f"now comes one with hash {sha256[:16]}….",
            )
        if known.sha256 == sha256:
            return _day(known)
    if (
        known is not None
        and known.sha256 == sha256
        and seen == {name: getattr(known, name) for name in seen}
    ):
        return _day(known)  # nothing has changed on either side: the answer is the same
    _refuse_disorder(tx, file.date)
    return _look(tx, file, goods_t_plus, seen, 1 if known is None else known.attempts + 1)


def _seen(tx: Connection) -> dict[str, int]:
    """Return how far the registry's own books have come: what a verdict rests on."""
    voided = tx.execute(select(func.count()).select_from(voids)).scalar_one()
    return {
        "seen_txn": ledger.last_transaction(tx),
        "seen_instruction": last_instruction(tx),
        "seen_voids": int(voided),
    }


def _undone(tx: Connection, date: int) -> bool:
    """Whether a deal that was cleared for this date has been undone since."""
    both = select(deals.c.trade_no).join(voids, voids.c.trade_no == deals.c.trade_no)
    return tx.execute(both.where(deals.c.date == date)).first() is not None


def _refuse_disorder(tx: Connection, date: int) -> None:
    """Raise StopError unless every other day is earlier and posted."""
    other = tx.execute(
        select(days.c.date, days.c.status)
        .where(days.c.date != date, (days.c.status != "posted") | (days.c.date > date))
        .order_by(days.c.date)
    ).first()
    if other is not None:
        raise StopError("date_order", f"{date} cannot be cleared: {other.date} is {other.status}.")


def _look(
    tx: Connection, file: DealFile, goods_t_plus: int, seen: dict[str, int], attempts: int
) -> Day:
    """Recompute, compare, and write down the verdict."""
    who, known = Directory(tx), ledger.unit_ids(tx)
    report = differences(file, _books(tx, file, who, known), goods_t_plus)
    values = {
        "status": "differs" if report else "cleared",
        "sha256": file.sha256(),
        "tag": file.tag,
        "deals": len(file.deals),
        "report": json.dumps(report, ensure_ascii=False),
        "attempts": attempts,
        **seen,
    }
    if attempts == 1:
        tx.execute(insert(days), {"date": file.date, **values})
        if report:  # announced at once, by both institutions' emergency rules (ST-09)
            sentence = f"{file.date} is unconfirmed: nothing is posted, the next day waits."
            notices.tell(tx, "unconfirmed", sentence, None, date=file.date)
    else:
        tx.execute(update(days).where(days.c.date == file.date).values(values))
    if not report and len(file.deals):
        _write_deals(tx, file.date, _deal_rows(file, who, known))
    found = day(tx, file.date)
    assert found is not None, "the day was just written"
    return found


def _write_deals(tx: Connection, date: int, rows: list[dict[str, int]]) -> None:
    """Write the cleared deals; those of an earlier clearing of the day are there already."""
    there = set(tx.execute(select(deals.c.trade_no).where(deals.c.date == date)).scalars())
    fresh = [row for row in rows if row["trade_no"] not in there]
    insert_many(tx, deals, fresh)


def _books(tx: Connection, file: DealFile, who: Directory, known: dict[str, int]) -> Books:
    """Return the trading side as arrays in the exchange's rows."""
    column = {known[code]: place for place, code in enumerate(file.codes) if code in known}
    tonnes = np.zeros((len(who.ids), len(file.codes)), np.int64)
    judicial = np.zeros_like(tonnes)
    cash = np.zeros(len(who.ids), np.int64)
    for bucket, balance in ledger.balances(tx, TRADING_SIDE).items():
        if bucket.kind == CASH:
            cash[who.index_of[bucket.account]] = balance
        elif bucket.unit in column:
            part = tonnes if bucket.kind == TRADING_AVAILABLE else judicial
            part[who.index_of[bucket.account], column[bucket.unit]] = balance
    earlier = select(func.coalesce(func.max(deals.c.trade_no), 0)).where(deals.c.date < file.date)
    last = int(tx.execute(earlier).scalar_one())
    undone = select(voids.c.trade_no).where(voids.c.trade_no > last).order_by(voids.c.trade_no)
    voided = np.array(tx.execute(undone).scalars().all(), np.int64)
    return Books(tonnes, judicial, cash, who.codes, last, voided)


def _deal_rows(file: DealFile, who: Directory, known: dict[str, int]) -> list[dict[str, int]]:
    columns = {name: file.deals[name].tolist() for name in COPIED}
    columns["unit"] = [known[file.codes[row]] for row in file.deals["instrument"].tolist()]
    for side in ("buyer", "seller"):
        columns[side] = [who.ids[row] for row in file.deals[side].tolist()]
    names = tuple(columns)
    return [
        {"date": file.date, **dict(zip(names, row, strict=True))}
        for row in zip(*columns.values(), strict=True)
    ]


def post(tx: Connection, date: int, tag: int) -> Day:
    """Post a cleared day that both institutions have confirmed; once, however often called.

    StopError day_not_cleared: nothing to post, or the books differ (ST-17). StopError
    file_differs: the exchange has confirmed another file.
    """
    known = day(tx, date)
    if known is None or not known.sound:
        raise StopError("day_not_cleared", f"{date} is not cleared here: nothing is posted.")
    if known.tag != tag:
        raise StopError(
            "file_differs", f"The exchange confirmed tag {tag} for {date}, not {known.tag}."
        )
    if known.status == "posted":
        return known
    number = ledger.begin(tx, "settlement", f"settlement of {date}", last_ns(date), date)
    if known.deals:
        _move(tx, number, date)
    tx.execute(update(days).where(days.c.date == date).values(status="posted", txn=number))
    telling.tell_day(tx, date, number)
    return known._replace(status="posted")


def _move(tx: Connection, number: int, date: int) -> None:
    """Deliver and pay every deal of the day, gross (ST-03), and bring the balances up to date."""
    standing = (deals.c.date == date) & STANDING
    first = tx.execute(select(func.min(deals.c.trade_no)).where(standing)).scalar_one()
    _make_buckets(tx, date)
    lines = union_all(*_lines(number, date, int(first)))
    names = [
        "txn",
        "line",
        "unit",
        "debit_account",
        "debit_kind",
        "credit_account",
        "credit_kind",
        "amount",
        "trade_no",
    ]
    tx.execute(insert(entries).from_select(names, lines))
    ledger.settle_balances(tx, number)


def _make_buckets(tx: Connection, date: int) -> None:
    """Make the buckets that receive something for the first time."""
    columns = ["account", "unit", "kind", "balance"]
    of_day = (deals.c.date == date) & STANDING
    goods = select(deals.c.buyer, deals.c.unit, literal(TRADING_AVAILABLE, Text), literal(0))
    money = select(deals.c.seller, literal(FEN), literal(CASH, Text), literal(0))
    for query in (goods, money):
        insert_missing_from(tx, buckets, columns, query.where(of_day).distinct())
    fees = [
        {"account": number, "unit": FEN, "kind": FEES, "balance": 0}
        for number in (EXCHANGE_FEES_ID, REGISTRY_FEES_ID)
    ]
    insert_many(tx, buckets, fees, missing_only=True)


def _lines(number: int, date: int, first: int) -> Iterator[Select[Any]]:
    """Give the six queries that turn the day's deals into entries."""
    d = deals.c
    parts = (
        (d.unit, d.seller, TRADING_AVAILABLE, d.buyer, TRADING_AVAILABLE, d.qty_tonnes),
        (literal(FEN), d.buyer, CASH, d.seller, CASH, d.value_fen),
        (literal(FEN), d.buyer, CASH, literal(EXCHANGE_FEES_ID), FEES, d.buy_trading_fee_fen),
        (literal(FEN), d.buyer, CASH, literal(REGISTRY_FEES_ID), FEES, d.buy_settlement_fee_fen),
        (literal(FEN), d.seller, CASH, literal(EXCHANGE_FEES_ID), FEES, d.sell_trading_fee_fen),
        (literal(FEN), d.seller, CASH, literal(REGISTRY_FEES_ID), FEES, d.sell_settlement_fee_fen),
    )
    for place, (unit, debit, debit_kind, credit, credit_kind, amount) in enumerate(parts):
        yield select(
            literal(number, Number).label("txn"),
            ((d.trade_no - first) * LINES_PER_DEAL + place).label("line"),
            unit.label("unit"),
            debit.label("debit_account"),
            literal(debit_kind, Text).label("debit_kind"),
            credit.label("credit_account"),
            literal(credit_kind, Text).label("credit_kind"),
            amount.label("amount"),
            d.trade_no.label("trade_no"),
        ).where(d.date == date, STANDING, amount > 0)
