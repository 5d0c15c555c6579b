"""What a subject asks for under an id of its own, done once: money and allowances in and out.

The key is (account, day in Beijing, request id). It is written in the transaction that books what
was asked for, so a request whose answer was lost may be made again (F31, F32): with the same
content the first answer is given and nothing moves, with another content it is refused. The id
travels with the instruction to the exchange, so that the arrival there names it (RG-07, ST-14).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, insert, or_, select

from engine.records import CLIENT_ORDER_ID_BYTES
from registry import instructions, ledger, windows
from registry.accounts import id_of
from registry.database import insert_missing
from registry.errors import RefusalError
from registry.offices import asked
from registry.profiles import Profile
from registry.schema import FEN, accounts, units
from registry.schema import instructions as given


class Asked(NamedTuple):
    """A request and what became of it; ``account`` is the trading index, ``vintage`` "" is money.

    ``amount`` was asked for, ``moved`` is what the instruction moves: less where a debt was paid
    first (ST-11), and with ``instruction`` 0 nothing. ``status``: pending, done, refused.
    """

    account: int
    date: int
    request_id: str
    kind: str
    vintage: str
    amount: int
    instruction: int
    moved: int
    status: str
    reason: str


class Wanted(NamedTuple):
    """What is asked for: the accounts' trading index, ``vintage`` "" is money."""

    account: int
    kind: str
    vintage: str
    amount: int


def once(
    tx: Connection, profile: Profile, wanted: Wanted, request_id: str, at_ns: int | None
) -> int:
    """Do what is asked for, once; return the number of its instruction, 0 if it needed none.

    Without an id it is done each time. RefusalError: request_id_invalid, request_differs (the id
    stands for something else today), window_closed, and those of ``instructions.deposit`` and
    ``transfer_in``.
    """
    if not request_id or at_ns is None:
        windows.refuse_closed(profile, wanted.kind, at_ns)
        return _DO[wanted.kind](tx, wanted, at_ns)
    date = day_of(at_ns)
    _refuse_id(request_id)
    account = id_of(tx, wanted.account)
    mine = (asked.c.account == account) & (asked.c.date == date)
    row = tx.execute(select(asked).where(mine & (asked.c.request_id == request_id))).first()
    if row is not None:
        unit = ledger.unit_ids(tx).get(wanted.vintage) if wanted.vintage else FEN
        if (row.kind, row.unit, row.amount) != (wanted.kind, unit, wanted.amount):
            raise RefusalError(
                "request_differs", f"Request {request_id!r} of {date} was for something else."
            )
        return row.instruction or 0
    windows.refuse_closed(profile, wanted.kind, at_ns)
    number = _DO[wanted.kind](tx, wanted, at_ns)
    unit = ledger.unit_of(tx, wanted.vintage) if wanted.vintage else FEN
    content = {"kind": wanted.kind, "unit": unit, "amount": wanted.amount}
    key = {"account": account, "date": date, "request_id": request_id}
    tx.execute(insert(asked), {**key, **content, "instruction": number or None, "seq": None})
    return number


def _deposit(tx: Connection, wanted: Wanted, at_ns: int | None) -> int:
    return instructions.deposit(tx, [(wanted.account, wanted.amount)], at_ns)


def _transfer_in(tx: Connection, wanted: Wanted, at_ns: int | None) -> int:
    return instructions.transfer_in(tx, [(wanted.account, wanted.vintage, wanted.amount)], at_ns)


_DO: dict[str, Callable[[Connection, Wanted, int | None], int]] = {
    "cash_in": _deposit,
    "transfer_in": _transfer_in,
}


def heard(tx: Connection, seq: int, wanted: Wanted, request_id: str, at_ns: int) -> None:
    """Keep the id under which the exchange let something go at ``seq``.

    The exchange has done it, and judged the id: where the key stands for something else here, the
    first one stays.
    """
    row = {
        "account": id_of(tx, wanted.account),
        "date": day_of(at_ns),
        "request_id": request_id,
        "kind": wanted.kind,
        "unit": ledger.unit_of(tx, wanted.vintage) if wanted.vintage else FEN,
        "amount": wanted.amount,
        "instruction": None,
        "seq": seq,
    }
    insert_missing(tx, asked, [row])


def since(tx: Connection, at_ns: int) -> list[Asked]:
    """Return what subjects asked to move in since the day of ``at_ns``, and what is pending."""
    chosen = or_(asked.c.date >= day_of(at_ns), given.c.status == "pending")
    rows = tx.execute(
        select(
            accounts.c.trading_index,
            *(asked.c.date, asked.c.request_id, asked.c.kind, units.c.code, units.c.id),
            *(asked.c.amount, given.c.number, given.c.amount.label("moved")),
            *(given.c.status, given.c.reason),
        )
        .select_from(asked)
        .join(accounts, accounts.c.id == asked.c.account)
        .join(units, units.c.id == asked.c.unit)
        .outerjoin(given, given.c.number == asked.c.instruction)
        .where(asked.c.seq.is_(None), chosen)
        .order_by(asked.c.date, asked.c.account, asked.c.request_id)
    ).all()
    return [
        Asked(
            account=row.trading_index,
            date=row.date,
            request_id=row.request_id,
            kind=row.kind,
            vintage="" if row.id == FEN else row.code,
            amount=row.amount,
            instruction=row.number or 0,
            moved=row.moved or 0,
            status=row.status or "done",
            reason=row.reason or "",
        )
        for row in rows
    ]


def day_of(at_ns: int) -> int:
    """Return the day in Beijing as YYYYMMDD; RefusalError time_invalid."""
    return int(f"{windows.moment(at_ns):%Y%m%d}")


def _refuse_id(request_id: str) -> None:
    sound = isinstance(request_id, str) and request_id.isascii() and request_id.isprintable()
    if not sound or not 0 < len(request_id) <= CLIENT_ORDER_ID_BYTES or " " in request_id:
        raise RefusalError(
            "request_id_invalid",
            f"A request id has 1 to {CLIENT_ORDER_ID_BYTES} printable characters.",
        )
