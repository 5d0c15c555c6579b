"""Who is there: opening accounts, and finding them by the exchange's row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from registry.bulk import insert_many
from registry.database import registry_account
from registry.errors import RefusalError
from registry.offices import decisions, requests
from registry.schema import accounts, instructions

CODE_CHARS_MAX = 64
NAME_CHARS_MAX = 200
CLOSING = {"close_account": 1, "reopen_account": -1}  # the actions of two people (RG-05, ST-07)


class Account(NamedTuple):
    """A subject: its customer number, name, and the numbers of its two sides (RG-03, TR-08)."""

    trading_index: int
    code: str
    name: str
    kind: str
    registry_account: str
    trading_account: str


class Directory:
    """Account ids by trading index and back, as of one transaction."""

    def __init__(self, tx: Connection) -> None:
        rows = tx.execute(
            select(accounts.c.id, accounts.c.code)
            .where(accounts.c.trading_index.is_not(None))
            .order_by(accounts.c.trading_index)
        ).all()
        self.ids = [int(row[0]) for row in rows]  # by trading index, which is dense
        self.codes = [str(row[1]) for row in rows]
        self.index_of = {number: index for index, number in enumerate(self.ids)}

    def id_of(self, account: int) -> int:
        """Return the account id of a trading index; RefusalError if there is none."""
        if not 0 <= account < len(self.ids):
            raise RefusalError(
                "unknown_account", f"There is no account with trading index {account}."
            )
        return self.ids[account]


def id_of(tx: Connection, account: int) -> int:
    """Return the account id of one trading index; RefusalError if there is none."""
    found = tx.execute(
        select(accounts.c.id).where(accounts.c.trading_index == int(account))
    ).scalar()
    if found is None:
        raise RefusalError("unknown_account", f"There is no account with trading index {account}.")
    return int(found)


def closed(tx: Connection) -> set[int]:
    """Return the ids of the accounts that two people have closed and nobody reopened (RG-05)."""
    query = (
        select(requests.c.action, requests.c.payload)
        .join(decisions, decisions.c.request == requests.c.id)
        .where(requests.c.action.in_(CLOSING), decisions.c.verdict == "approved")
    )
    times: Counter[int] = Counter()
    for action, payload in tx.execute(query):
        times[int(json.loads(payload)["account"])] += CLOSING[action]
    indexes = [index for index, count in times.items() if count > 0]
    chosen = select(accounts.c.id).where(accounts.c.trading_index.in_(indexes))
    return set(tx.execute(chosen).scalars()) if indexes else set()


def refuse_closed(tx: Connection, account: int) -> None:
    """Raise RefusalError account_closed if an account (id) is closed: nothing comes onto it."""
    if account in closed(tx):
        code = tx.execute(select(accounts.c.code).where(accounts.c.id == account)).scalar_one()
        raise RefusalError("account_closed", f"The account of {code} is closed (RG-05).")


def open_accounts(
    tx: Connection, people: Sequence[tuple[str, str]], kind: str = "key_emitting_entity"
) -> list[int]:
    """Open accounts for (code, name) pairs, instruct the exchange, return their trading indexes.

    One account a subject (RG-03): RefusalError account_exists, code_invalid, name_invalid,
    kind_invalid.
    """
    if kind not in ("key_emitting_entity", "other"):
        raise RefusalError("kind_invalid", f"{kind!r} is no kind of subject.")
    refuse_invalid(people)
    taken = {row[0] for row in tx.execute(select(accounts.c.code))}
    seen: set[str] = set()
    for code, _ in people:
        if code in taken or code in seen:
            raise RefusalError("account_exists", f"{code!r} has an account already.")
        seen.add(code)
    if not people:
        return []
    last_id, last_index = tx.execute(
        select(func.max(accounts.c.id), func.coalesce(func.max(accounts.c.trading_index), -1))
    ).one()
    rows = [
        {
            "id": int(last_id) + step,
            "code": code,
            "name": name,
            "kind": kind,
            "registry_account": registry_account(int(last_id) + step),
            "trading_account": f"T{int(last_index) + step:08d}",
            "trading_index": int(last_index) + step,
        }
        for step, (code, name) in enumerate(people, 1)
    ]
    insert_many(tx, accounts, rows)
    _instruct(tx, [int(last_id) + step for step in range(1, len(rows) + 1)])
    return [int(last_index) + step for step in range(1, len(rows) + 1)]


def _instruct(tx: Connection, ids: Sequence[int]) -> None:
    """Instruct the exchange to open these accounts, in their order."""
    number = last_instruction(tx)
    insert_many(
        tx,
        instructions,
        [
            {
                "number": number + step,
                "kind": "open_account",
                "account": account_id,
                "unit": None,
                "amount": 0,
                "status": "pending",
                "reason": "",
            }
            for step, account_id in enumerate(ids, 1)
        ],
    )


def refuse_invalid(people: Sequence[tuple[str, str]]) -> None:
    """Raise RefusalError for a code or a name that nobody could read or write on a form."""
    for code, name in people:
        if not (0 < len(code) <= CODE_CHARS_MAX and code.isprintable() and code == code.strip()):
            raise RefusalError("code_invalid", f"{code[:80]!r} is no customer number.")
        if not (0 < len(name) <= NAME_CHARS_MAX and name.isprintable() and name.strip()):
            raise RefusalError("name_invalid", f"{name[:80]!r} is no name.")


def last_instruction(tx: Connection) -> int:
    """Return the number of the newest instruction, 0 if there is none."""
    return int(tx.execute(select(func.coalesce(func.max(instructions.c.number), 0))).scalar_one())


def account(tx: Connection, trading_index: int) -> Account:
    """Return who has a trading index; RefusalError if nobody."""
    row = tx.execute(select(accounts).where(accounts.c.trading_index == int(trading_index))).first()
    if row is None:
        raise RefusalError(
            "unknown_account", f"There is no account with trading index {trading_index}."
        )
    return _account(row)


def accounts_by_id(tx: Connection, only: int | None = None) -> dict[int, Account]:
    """Return the subjects by account id, in the order of their trading indexes; or one of them."""
    query = select(accounts).where(accounts.c.trading_index.is_not(None))
    if only is not None:
        query = query.where(accounts.c.id == only)
    rows = tx.execute(query.order_by(accounts.c.trading_index))
    return {int(row.id): _account(row) for row in rows}


def _account(row: Any) -> Account:
    return Account(
        int(row.trading_index),
        row.code,
        row.name,
        row.kind,
        row.registry_account,
        row.trading_account,
    )
