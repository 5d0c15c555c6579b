"""Objections against a day's statement: in writing, before the next day opens (ST-06, E53)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry import notices
from registry.accounts import Directory, id_of
from registry.errors import RefusalError
from registry.offices import objections
from registry.schema import days
from registry.windows import moment, next_open_ns

WORDING_CHARS_MAX = 2_000


class Objection(NamedTuple):
    """What an account (trading index) has against its statement of a date."""

    date: int
    account: int
    at_ns: int
    wording: str


def lodge(tx: Connection, account: int, date: int, wording: str, at_ns: int) -> Objection:
    """Write an objection down.

    RefusalError: unknown_account, date_invalid, time_invalid, wording_invalid, day_not_posted
    (there is no statement yet), objection_late (the next day has opened: silence was acceptance).
    """
    number = id_of(tx, account)
    moment(at_ns)
    ends_ns = next_open_ns(date)
    if not isinstance(wording, str) or not 0 < len(wording.strip()) <= WORDING_CHARS_MAX:
        raise RefusalError(
            "wording_invalid", f"An objection says something, in {WORDING_CHARS_MAX} characters."
        )
    _refuse_unposted(tx, date)
    if at_ns >= ends_ns:
        raise RefusalError(
            "objection_late",
            f"Objections against {date} ended when the next trading day opened, at "
            f"{moment(ends_ns):%Y-%m-%d %H:%M}.",
        )
    mine = (objections.c.date == date) & (objections.c.account == number)
    line = tx.execute(
        select(func.coalesce(func.max(objections.c.line), 0)).where(mine)
    ).scalar_one()
    row = {"date": date, "account": number, "line": line + 1, "at_ns": at_ns, "wording": wording}
    tx.execute(insert(objections), row)
    notices.tell(
        tx, "objection", f"Your objection against {date} was received.", number, at_ns, date
    )
    return Objection(date, int(account), at_ns, wording)


def standing(tx: Connection, account: int, date: int, at_ns: int) -> str:
    """Return how an account's statement stands: open, objected or accepted (ST-06)."""
    number = id_of(tx, account)
    _refuse_unposted(tx, date)
    mine = (objections.c.date == date) & (objections.c.account == number)
    if tx.execute(select(objections.c.line).where(mine)).first() is not None:
        return "objected"
    return "open" if moment(at_ns) < moment(next_open_ns(date)) else "accepted"


def lodged(tx: Connection, date: int) -> list[Objection]:
    """Return the objections against a date's statements, by account and in order."""
    who = Directory(tx)
    rows = tx.execute(
        select(objections)
        .where(objections.c.date == date)
        .order_by(objections.c.account, objections.c.line)
    )
    return [Objection(row.date, who.index_of[row.account], row.at_ns, row.wording) for row in rows]


def _refuse_unposted(tx: Connection, date: int) -> None:
    posted = select(days.c.date).where(days.c.date == date, days.c.status == "posted")
    if tx.execute(posted).first() is None:
        raise RefusalError("day_not_posted", f"{date} is not posted: there is no statement of it.")
