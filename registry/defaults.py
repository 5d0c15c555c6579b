"""Money that goes missing outside the market, and who makes it good (ST-08, ST-11).

Full pre-funding leaves one way into default: a bank or a court takes money from a subject's part of
the special account (TR-41). The registry's books are short from then on while the exchange goes on
counting that money, so the evening differs (ST-17) until the subject has topped it up, or, after
the time limit, the settlement risk reserve has covered it. What was covered is a claim; the
defaulter's later deposits go there first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from registry import ledger, notices
from registry.accounts import Directory
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.offices import defaults
from registry.schema import (
    BANK,
    BANK_ID,
    CASH,
    FEN,
    RESERVE,
    RESERVE_BANK_ID,
    RISK_RESERVE_ID,
)
from registry.windows import moment

SPECIAL = Bucket(BANK_ID, FEN, BANK)
RESERVE_BANK = Bucket(RESERVE_BANK_ID, FEN, BANK)
FUND = Bucket(RISK_RESERVE_ID, FEN, RESERVE)


class Default(NamedTuple):
    """One default; ``account`` is a trading index, amounts are fen."""

    number: int
    account: int
    amount_fen: int
    topped_up_fen: int
    covered_fen: int
    recovered_fen: int
    limit_at_ns: int
    document: str

    @property
    def missing_fen(self) -> int:
        """What the books are short of."""
        return self.amount_fen - self.topped_up_fen - self.covered_fen

    @property
    def claim_fen(self) -> int:
        """What the reserve still has to get back."""
        return self.covered_fen - self.recovered_fen


def bank_debit(
    tx: Connection, account: int, amount_fen: int, document: str, limit_at_ns: int, at_ns: int
) -> int:
    """Book what was taken from an account (id) at the bank, set the limit, tell; the transaction.

    RefusalError insufficient_funds, limit_invalid.
    """
    if limit_at_ns <= at_ns:
        raise RefusalError("limit_invalid", "The time limit for topping up must lie ahead.")
    move = Move(Bucket(account, FEN, CASH), SPECIAL, amount_fen)
    number = ledger.book(tx, "bank_debit", document, [move], at_ns)
    last = tx.execute(select(func.coalesce(func.max(defaults.c.id), 0))).scalar_one()
    row = {"id": last + 1, "account": account, "amount_fen": amount_fen}
    row |= {"topped_up_fen": 0, "covered_fen": 0, "recovered_fen": 0, "limit_at_ns": limit_at_ns}
    tx.execute(insert(defaults), {**row, "document": document})
    sentence = (
        f"{amount_fen:,} fen were taken from your part of the special account ({document}). "
        f"Pay them in by {moment(limit_at_ns):%Y-%m-%d %H:%M}: default {last + 1}."
    )
    notices.tell(tx, "default", sentence, account, at_ns)
    return number


def take_from(
    tx: Connection, rows: Sequence[tuple[int, int]], at_ns: int | None
) -> list[tuple[int, int]]:
    """Use deposits (account id, fen) for open defaults and claims first; return what is left.

    The missing money comes first (it goes back to where the exchange counts it), then the claim.
    """
    c = defaults.c
    due = tx.execute(
        select(defaults).where(c.topped_up_fen + c.recovered_fen < c.amount_fen).order_by(c.id)
    ).all()
    if not due:
        return list(rows)
    left = []
    for account, paid in rows:
        rest = paid
        for row in due:
            if row.account == account and rest:
                rest -= _mend(tx, int(row.id), rest, at_ns)
        if rest:
            left.append((account, rest))
    return left


def _mend(tx: Connection, number: int, paid: int, at_ns: int | None) -> int:
    """Use up to ``paid`` fen for one default; return how many."""
    row = tx.execute(select(defaults).where(defaults.c.id == number)).one()
    topped = min(paid, row.amount_fen - row.topped_up_fen - row.covered_fen)
    if topped:
        move = Move(SPECIAL, Bucket(row.account, FEN, CASH), topped)
        ledger.book(tx, "top_up", f"default {number} topped up", [move], at_ns)
    back = min(paid - topped, row.covered_fen - row.recovered_fen)
    if back:
        note = f"claim of default {number} recovered from a deposit"
        ledger.book(tx, "recovery", note, [Move(RESERVE_BANK, FUND, back)], at_ns)
        notices.tell(tx, "recovered", f"{back:,} fen of your deposit paid a {note}.", row.account)
    if topped or back:
        tx.execute(
            update(defaults)
            .where(defaults.c.id == number)
            .values(
                topped_up_fen=row.topped_up_fen + topped, recovered_fen=row.recovered_fen + back
            )
        )
    return int(topped + back)


def reserve_in(tx: Connection, amount_fen: int, document: str, at_ns: int) -> int:
    """Pay the registry's own money into the reserve and return the transaction (ST-08)."""
    move = Move(RESERVE_BANK, FUND, amount_fen)
    return ledger.book(tx, "reserve_in", document, [move], at_ns)


def cover(tx: Connection, number: int, at_ns: int) -> int:
    """Cover what a default leaves missing from the reserve, after its limit; the transaction.

    RefusalError: unknown_default, nothing_missing, limit_not_reached, insufficient_funds.
    """
    row = tx.execute(select(defaults).where(defaults.c.id == number)).first()
    if row is None:
        raise RefusalError("unknown_default", f"There is no default {number}.")
    missing = row.amount_fen - row.topped_up_fen - row.covered_fen
    if not missing:
        raise RefusalError("nothing_missing", f"Nothing is missing of default {number}.")
    if at_ns < row.limit_at_ns:
        raise RefusalError(
            "limit_not_reached",
            f"The subject has until {moment(row.limit_at_ns):%Y-%m-%d %H:%M} to top up.",
        )
    moves = [
        Move(FUND, RESERVE_BANK, missing),
        Move(SPECIAL, Bucket(row.account, FEN, CASH), missing),
    ]
    booked = ledger.book(tx, "cover", f"default {number} covered by the reserve", moves, at_ns)
    tx.execute(
        update(defaults)
        .where(defaults.c.id == number)
        .values(covered_fen=row.covered_fen + missing)
    )
    sentence = f"The reserve covered {missing:,} fen of default {number}: you owe them."
    notices.tell(tx, "covered", sentence, row.account, at_ns)
    return booked


def found(tx: Connection) -> list[Default]:
    """Return every default there was, in order."""
    who = Directory(tx)
    return [
        Default(
            row.id,
            who.index_of[row.account],
            row.amount_fen,
            row.topped_up_fen,
            row.covered_fen,
            row.recovered_fen,
            row.limit_at_ns,
            row.document,
        )
        for row in tx.execute(select(defaults).order_by(defaults.c.id))
    ]


def missing(tx: Connection) -> dict[int, int]:
    """Return the fen that the exchange counts and the bank no longer has, by account id."""
    c = defaults.c
    found: dict[int, int] = {}
    for row in tx.execute(select(defaults).where(c.topped_up_fen + c.covered_fen < c.amount_fen)):
        short = row.amount_fen - row.topped_up_fen - row.covered_fen
        found[row.account] = found.get(row.account, 0) + short
    return found
