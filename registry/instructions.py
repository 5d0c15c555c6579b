"""Towards the exchange: allowances and money go into transit and arrive when it has taken them.

Instructions are numbered 1, 2, 3 … without gaps. The exchange does a number once and remembers
the last one done, so a number may be sent as often as one likes (IN-02, F32). Until the exchange
has done it, what it moves is *in transit*, a bucket of the same account: nothing is ever nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, insert, select, update

from engine.reasons import Reason
from engine.records import CASH_FEN_MAX, QTY_TONNES_MAX, Block, Kind, Phase, commands
from engine.state import State
from registry import defaults, ledger
from registry.accounts import Directory, last_instruction
from registry.bulk import insert_many
from registry.errors import RefusalError, StopError
from registry.ledger import Bucket, Move
from registry.offices import CASH_IN_BLOCK, asked
from registry.schema import (
    BANK,
    BANK_ID,
    CASH,
    FEN,
    IN_TRANSIT,
    ISSUED,
    REGISTRY_AVAILABLE,
    RESERVE_ID,
    TRADING_AVAILABLE,
    accounts,
    days,
    instructions,
    units,
)

KINDS = {
    "open_account": Kind.OPEN_ACCOUNT,
    "cash_in": Kind.CASH_IN,
    "transfer_in": Kind.TRANSFER_IN,
}
RESTING = (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)  # the exchange takes no goods or money


def issue(tx: Connection, rows: Sequence[tuple[str, int, int]], at_ns: int | None = None) -> int:
    """Issue (vintage, account, qty_tonnes) rows to the registry side, creating vintages (RG-09).

    Returns the transaction's number, 0 if there is nothing to issue.
    """
    for vintage, _, qty in rows:
        refuse_amount(qty, QTY_TONNES_MAX, "qty_invalid", "tonnes")
        if not (0 < len(vintage) <= 16 and vintage.isascii() and vintage.isalnum()):
            raise RefusalError("vintage_invalid", f"{vintage[:40]!r} is no code of a vintage.")
    if not rows:
        return 0
    who, known = Directory(tx), ledger.unit_ids(tx)
    fresh = [code for code in dict.fromkeys(row[0] for row in rows) if code not in known]
    last = int(tx.execute(select(func.max(units.c.id))).scalar_one())
    for number, code in enumerate(fresh, last + 1):
        tx.execute(insert(units), {"id": number, "code": code})
        known[code] = number
    moves = [
        Move(
            Bucket(RESERVE_ID, known[vintage], ISSUED),
            Bucket(who.id_of(account), known[vintage], REGISTRY_AVAILABLE),
            int(qty),
        )
        for vintage, account, qty in rows
    ]
    return ledger.book(tx, "issue", "issued", moves, at_ns)


def deposit(tx: Connection, rows: Sequence[tuple[int, int]], at_ns: int | None = None) -> int:
    """Take in (account, cash_fen) rows at the bank and instruct CASH_IN for each (ST-02, ST-14).

    Returns the number of the last instruction, 0 if there is none: what an account owes after a
    default comes first (ST-11). RefusalError: unknown_account, amount_invalid, account_restricted,
    statements_due.
    """
    for _, amount in rows:
        refuse_amount(amount, CASH_FEN_MAX, "amount_invalid", "fen")
    if not rows:
        return 0
    who = Directory(tx)
    paid = [(who.id_of(account), int(amount)) for account, amount in rows]
    refuse_restricted(tx, CASH_IN_BLOCK, [account for account, _ in paid])
    refuse_untold(tx)
    moves = [
        Move(Bucket(BANK_ID, FEN, BANK), Bucket(account, FEN, IN_TRANSIT), amount)
        for account, amount in defaults.take_from(tx, paid, at_ns)
    ]
    if not moves:
        return 0
    ledger.book(tx, "deposit", "paid in", moves, at_ns)
    return _instruct(tx, "cash_in", moves)


def transfer_in(
    tx: Connection, rows: Sequence[tuple[int, str, int]], at_ns: int | None = None
) -> int:
    """Move (account, vintage, qty_tonnes) rows off the registry side towards trading (RG-07).

    Returns the number of the last instruction, 0 if there are no rows. RefusalError:
    unknown_account, unknown_vintage, qty_invalid, account_restricted, insufficient_holding.
    """
    for _, _, qty in rows:
        refuse_amount(qty, QTY_TONNES_MAX, "qty_invalid", "tonnes")
    if not rows:
        return 0
    who, known = Directory(tx), ledger.unit_ids(tx)
    moves = []
    for account, vintage, qty in rows:
        unit = known.get(vintage) or ledger.unit_of(tx, vintage)
        number = who.id_of(account)
        moves.append(
            Move(
                Bucket(number, unit, REGISTRY_AVAILABLE), Bucket(number, unit, IN_TRANSIT), int(qty)
            )
        )
    refuse_restricted(tx, int(Block.TRANSFER_IN), [move.debit.account for move in moves])
    ledger.book(tx, "transfer_in", "to the trading side", moves, at_ns)
    return _instruct(tx, "transfer_in", moves)


def refuse_restricted(tx: Connection, bit: int, ids: Sequence[int]) -> None:
    """Raise RefusalError account_restricted if one of the accounts may not do this (ST-12)."""
    blocked = tx.execute(select(accounts.c.id).where(accounts.c.blocks.op("&")(bit) > 0)).scalars()
    found = sorted(set(blocked) & set(ids))
    if found:
        raise RefusalError("account_restricted", f"Account id {found[0]} is restricted from this.")


def refuse_untold(tx: Connection) -> None:
    """Raise RefusalError statements_due while a posted day has no statements (ST-05)."""
    untold = select(days.c.date).where(days.c.status == "posted", days.c.told == 0)
    date = tx.execute(untold).scalar()
    if date is not None:
        raise RefusalError(
            "statements_due", f"The statements of {date} are not written yet: no deposits."
        )


def refuse_amount(amount: int, most: int, code: str, unit: str) -> None:
    """Raise RefusalError unless ``amount`` is a whole number from 1 to ``most``."""
    if isinstance(amount, bool) or not isinstance(amount, (int, np.integer)):
        raise RefusalError(code, f"{amount!r} is not a whole number of {unit}.")
    if not 1 <= amount <= most:
        raise RefusalError(code, f"{amount:,} {unit} is outside 1 to {most:,}.")


def _instruct(tx: Connection, kind: str, moves: Sequence[Move]) -> int:
    """Write one instruction per move and return the number of the last one."""
    number = last_instruction(tx)
    insert_many(
        tx,
        instructions,
        [
            {
                "number": number + step,
                "kind": kind,
                "account": move.credit.account,
                "unit": move.credit.unit,
                "amount": move.amount,
                "status": "pending",
                "reason": "",
            }
            for step, move in enumerate(moves, 1)
        ],
    )
    return number + len(moves)


def pending_commands(tx: Connection, state: State) -> np.ndarray[Any, Any]:
    """Return COMMAND rows, shape (n,), for the instructions the exchange has not done, in order.

    A vintage the exchange has not listed is sent as instrument -1 and will be refused (RG-24, E86).
    While the exchange rests between close and posting, goods and money wait: what is returned ends
    before the first of them. ``seq`` and ``time_ns`` are left to the sequencer.
    """
    market = state.market[0]
    rows = tx.execute(
        select(
            instructions.c.number,
            instructions.c.kind,
            instructions.c.amount,
            accounts.c.trading_index,
            units.c.code,
            asked.c.request_id,
        )
        .select_from(instructions)
        .join(accounts, accounts.c.id == instructions.c.account)
        .outerjoin(units, units.c.id == instructions.c.unit)
        .outerjoin(asked, asked.c.instruction == instructions.c.number)
        .where(
            instructions.c.status == "pending",
            instructions.c.number > int(market["instruction_no"]),
        )
        .order_by(instructions.c.number)
    ).all()
    if int(market["phase"]) in RESTING:
        held = [place for place, row in enumerate(rows) if row.kind != "open_account"]
        rows = rows[: held[0]] if held else rows
    listed = state.instruments["code"][: int(market["instruments"])]
    row_of = {code.decode(): row for row, code in enumerate(listed.tolist())}
    batch = commands(len(rows))
    for command, row in zip(batch, rows, strict=True):
        _fill(command, row, row_of)
    return batch


def _fill(command: Any, row: Any, row_of: dict[str, int]) -> None:
    command["ref"] = row.number
    command["kind"] = KINDS[row.kind]
    command["account"] = row.trading_index
    command["client_order_id"] = (row.request_id or "").encode()
    if row.kind == "cash_in":
        command["amount"] = row.amount
    elif row.kind == "transfer_in":
        command["qty_tonnes"] = row.amount
        command["instrument"] = row_of.get(row.code, -1)


def record_done(tx: Connection, instruction_no: int, at_ns: int | None = None) -> int:
    """Let everything pending up to ``instruction_no`` arrive; return how many did. Idempotent.

    StopError (instruction_unknown) if the exchange claims a number that was never given.
    """
    if instruction_no > last_instruction(tx):
        raise StopError(
            "instruction_unknown",
            f"The exchange has done instruction {instruction_no}, the registry has given only "
            f"{last_instruction(tx)}: this registry's books are older than the exchange's.",
        )
    due = (instructions.c.status == "pending") & (instructions.c.number <= instruction_no)
    rows = tx.execute(select(instructions).where(due).order_by(instructions.c.number)).all()
    moves = [_arrival(row) for row in rows if row.amount > 0]
    if moves:
        ledger.book(tx, "arrival", f"done up to {instruction_no}", moves, at_ns)
    if rows:
        tx.execute(update(instructions).where(due).values(status="done"))
    return len(rows)


def _arrival(row: Row[Any]) -> Move:
    there = CASH if row.unit == FEN else TRADING_AVAILABLE
    return Move(
        Bucket(row.account, row.unit, IN_TRANSIT), Bucket(row.account, row.unit, there), row.amount
    )


def record_refused(
    tx: Connection, instruction_no: int, reason: int, at_ns: int | None = None
) -> None:
    """Give back what an instruction moved that the exchange refused: new entries (RG-17).

    Idempotent. The exchange's answer "done before" (DUPLICATE_INSTRUCTION) is no refusal. StopError
    (account_refused) for OPEN_ACCOUNT: the two institutions do not know the same accounts.
    """
    if reason == Reason.DUPLICATE_INSTRUCTION:
        return
    row = tx.execute(select(instructions).where(instructions.c.number == instruction_no)).first()
    if row is None:
        raise StopError(
            "instruction_unknown", f"The registry never gave instruction {instruction_no}."
        )
    if row.status == "refused":
        return
    code = Reason(reason).code
    if row.kind == "open_account":
        raise StopError(
            "account_refused",
            f"The exchange refused to open an account (instruction {instruction_no}: {code}).",
        )
    arrival = _arrival(row)
    where = arrival.debit if row.status == "pending" else arrival.credit
    back = (
        Bucket(BANK_ID, FEN, BANK)
        if row.unit == FEN
        else Bucket(row.account, row.unit, REGISTRY_AVAILABLE)
    )
    note = f"instruction {instruction_no} refused: {code}"
    ledger.book(tx, "refusal", note, [Move(where, back, row.amount)], at_ns)
    tx.execute(
        update(instructions)
        .where(instructions.c.number == instruction_no)
        .values(status="refused", reason=code)
    )
