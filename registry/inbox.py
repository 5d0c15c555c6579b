"""From the exchange: what left the trading side, heard once; what became of instructions.

The exchange's ``seq`` is the identity of what it tells. The same seq with the same content gets
the stored answer and changes nothing; with another content it stops (F32).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

from engine.records import CASH_FEN_MAX, QTY_TONNES_MAX, Event, Kind
from registry import instructions, ledger
from registry.accounts import id_of
from registry.errors import RefusalError, StopError
from registry.ledger import Bucket, Move
from registry.schema import BANK, BANK_ID, CASH, FEN, REGISTRY_AVAILABLE, TRADING_AVAILABLE, inbox

INSTRUCTIONS = (Kind.OPEN_ACCOUNT, Kind.CASH_IN, Kind.TRANSFER_IN)
OUTS = {Kind.CASH_OUT: "cash_out", Kind.TRANSFER_OUT: "transfer_out"}

Array = np.ndarray[Any, np.dtype[Any]]


def receive_out(
    tx: Connection, seq: int, kind: Kind, account: int, vintage: str | None, amount: int
) -> int:
    """Book what the exchange let go at ``seq`` and return the transaction's number. Idempotent.

    CASH_OUT: ``amount`` fen leave through the bank, ``vintage`` is None (ST-14). TRANSFER_OUT:
    ``amount`` tonnes return to the registry side at once (RG-07, RG-08). RefusalError:
    kind_invalid, qty_invalid, amount_invalid, unknown_account, unknown_vintage. StopError:
    inbox_differs, out_uncovered, trading_frozen.
    """
    if kind not in OUTS or (vintage is None) != (kind == Kind.CASH_OUT):
        raise RefusalError("kind_invalid", f"{kind!r} of {vintage!r} is nothing that leaves.")
    if kind == Kind.CASH_OUT:
        instructions.refuse_amount(amount, CASH_FEN_MAX, "amount_invalid", "fen")
    else:
        instructions.refuse_amount(amount, QTY_TONNES_MAX, "qty_invalid", "tonnes")
    word, seq, account, amount = OUTS[kind], int(seq), int(account), int(amount)
    content = hashlib.sha256(f"{word}|{account}|{vintage}|{amount}".encode()).hexdigest()
    heard = tx.execute(select(inbox.c.sha256, inbox.c.answer).where(inbox.c.seq == seq)).first()
    if heard is not None:
        if heard.sha256 != content:
            raise StopError(
                "inbox_differs", f"Seq {seq} was heard before with another content than {word}."
            )
        return int(json.loads(heard.answer)["transaction"])
    number = _book_out(tx, seq, account, vintage, amount)
    answer = json.dumps({"transaction": number})
    tx.execute(insert(inbox), {"seq": seq, "kind": word, "sha256": content, "answer": answer})
    return number


def _book_out(tx: Connection, seq: int, account: int, vintage: str | None, amount: int) -> int:
    who = id_of(tx, account)
    if vintage is None:
        move = Move(Bucket(who, FEN, CASH), Bucket(BANK_ID, FEN, BANK), amount)
    else:
        unit = ledger.unit_of(tx, vintage)
        move = Move(
            Bucket(who, unit, TRADING_AVAILABLE), Bucket(who, unit, REGISTRY_AVAILABLE), amount
        )
    try:
        return ledger.book(tx, "out", f"exchange seq {seq}", [move])
    except RefusalError as refusal:
        raise StopError(
            "out_uncovered",
            f"The exchange let go at seq {seq} what the registry does not see: {refusal.sentence}",
        ) from refusal


def absorb(tx: Connection, commands: Array, events: Array, codes: tuple[str, ...]) -> int:
    """Take in what one applied batch means to the registry, in its order; return how much did.

    ``commands``: COMMAND, shape (n,), contiguous seq. ``events``: all EVENT rows they caused.
    ``codes``: the exchange's vintages by row. Instructions done arrive, refused ones are given
    back, what moved out is received. Taking in the same batch again changes nothing.
    """
    due = concerning(commands)
    if not due.size:
        return 0
    first = events[events["index"] == 0]
    outcome = {int(event["seq"]): event for event in first[np.isin(first["seq"], due["seq"])]}
    done = 0
    for command in due:
        event = outcome[int(command["seq"])]
        refused = int(event["kind"]) == Event.REFUSED
        kind = Kind(int(command["kind"]))
        if kind in OUTS:
            if not refused:
                instructions.record_done(tx, done)
                _absorb_out(tx, kind, event, codes)
        elif refused:
            instructions.record_refused(tx, int(command["ref"]), int(event["reason"]))
        else:
            done = max(done, int(command["ref"]))
    instructions.record_done(tx, done)
    return len(due)


def concerning(commands: Array) -> Array:
    """Return the commands of a batch that concern the registry: few, and mostly none."""
    kinds = commands["kind"]
    numbered = np.isin(kinds, INSTRUCTIONS) & (commands["ref"] > 0)
    chosen: Array = commands[numbered | np.isin(kinds, tuple(OUTS))]
    return chosen


def _absorb_out(tx: Connection, kind: Kind, event: Any, codes: tuple[str, ...]) -> None:
    cash = kind == Kind.CASH_OUT
    receive_out(
        tx,
        int(event["seq"]),
        kind,
        int(event["account"]),
        None if cash else codes[int(event["instrument"])],
        int(event["amount_fen"] if cash else event["qty_tonnes"]),
    )
