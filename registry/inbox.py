"""From the exchange: what left or was frozen, heard once; what became of what it was told.

The exchange's ``seq`` is the identity of what it tells. The same seq with the same content gets
the stored answer and changes nothing; with another content it stops (F32).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, insert, select

from engine.records import CASH_FEN_MAX, QTY_TONNES_MAX, Event, Kind
from registry import asking, court, directives, instructions, ledger
from registry.accounts import id_of
from registry.errors import RefusalError, StopError
from registry.ledger import Bucket, Move
from registry.schema import (
    BANK,
    BANK_ID,
    CASH,
    FEN,
    REGISTRY_AVAILABLE,
    TRADING_AVAILABLE,
    inbox,
    voids,
)

INSTRUCTIONS = (Kind.OPEN_ACCOUNT, Kind.CASH_IN, Kind.TRANSFER_IN)
OUTS = {Kind.CASH_OUT: "cash_out", Kind.TRANSFER_OUT: "transfer_out"}
DIRECTED = frozenset(directives.KINDS.values())
DONE = np.array([int(kind) for kind in court.WORDS_BY_EVENT])
CONCERNING = np.zeros(128, np.bool_)  # by command kind
CONCERNING[[*INSTRUCTIONS, *OUTS, *DIRECTED, Kind.VOID_TRADE]] = True

Array = np.ndarray[Any, np.dtype[Any]]


def receive_out(
    tx: Connection,
    seq: int,
    kind: Kind,
    account: int,
    vintage: str | None,
    amount: int,
    at_ns: int | None = None,
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
    content = f"{word}|{account}|{vintage}|{amount}"
    heard = _heard_before(tx, seq, content)
    if heard is not None:
        return heard["transaction"]
    number = _book_out(tx, seq, account, vintage, amount, at_ns)
    _remember(tx, seq, word, content, {"transaction": number})
    return number


def _keep_id(tx: Connection, command: Any, event: Any, vintage: str | None, amount: int) -> None:
    """Keep the subject's own id of what left, where it gave one."""
    name: bytes = command["client_order_id"]
    if name:
        word = OUTS[Kind(int(command["kind"]))]
        wanted = asking.Wanted(int(event["account"]), word, vintage or "", amount)
        at_ns = int(event["time_ns"])
        asking.heard(tx, int(event["seq"]), wanted, name.decode("ascii", "replace"), at_ns)


def _book_out(
    tx: Connection, seq: int, account: int, vintage: str | None, amount: int, at_ns: int | None
) -> int:
    who = id_of(tx, account)
    if vintage is None:
        move = Move(Bucket(who, FEN, CASH), Bucket(BANK_ID, FEN, BANK), amount)
    else:
        unit = ledger.unit_of(tx, vintage)
        move = Move(
            Bucket(who, unit, TRADING_AVAILABLE), Bucket(who, unit, REGISTRY_AVAILABLE), amount
        )
    try:
        return ledger.book(tx, "out", f"exchange seq {seq}", [move], at_ns)
    except RefusalError as refusal:
        raise StopError(
            "out_uncovered",
            f"The exchange let go at seq {seq} what the registry does not see: {refusal.sentence}",
        ) from refusal


def absorb(tx: Connection, commands: Array, events: Array, codes: tuple[str, ...]) -> int:
    """Take in what one applied batch means to the registry, in its order; return how much did.

    ``commands``: COMMAND, shape (n,), contiguous seq. ``events``: all EVENT rows they caused.
    ``codes``: the exchange's vintages by row. Instructions done arrive, refused ones are given
    back, what moved out, was frozen, released, deducted or undone is written down, directives are
    answered. Taking in the same batch again changes nothing.
    """
    due = concerning(commands)
    if not due.size:
        return 0
    outcome = _outcomes(events[np.isin(events["seq"], due["seq"])])
    done, done_ns = 0, None
    for command in due:
        event = outcome[int(command["seq"])]
        at_ns = int(event["time_ns"])
        refused = int(event["kind"]) == Event.REFUSED
        kind = Kind(int(command["kind"]))
        if kind in INSTRUCTIONS:
            if refused:
                instructions.record_refused(tx, int(command["ref"]), int(event["reason"]), at_ns)
            else:
                done, done_ns = max(done, int(command["ref"])), at_ns
            continue
        instructions.record_done(tx, done, done_ns)
        if kind in DIRECTED:
            _absorb_directed(tx, command, event, codes)
        elif not refused:
            _absorb_told(tx, kind, command, event, codes)
    instructions.record_done(tx, done, done_ns)
    return len(due)


def _outcomes(events: Array) -> dict[int, Any]:
    """Return the event that says what became of each command: the refusal, or what was done."""
    telling = (events["index"] == 0) | np.isin(events["kind"], DONE)
    return {int(event["seq"]): event for event in events[telling]}


def concerning(commands: Array) -> Array:
    """Return the commands of a batch that concern the registry: few, and mostly none."""
    kinds = commands["kind"]
    chosen = CONCERNING[kinds]
    if chosen.any():
        chosen &= (commands["ref"] > 0) | ~np.isin(kinds, INSTRUCTIONS)
    found: Array = commands[chosen]
    return found


def _absorb_told(
    tx: Connection, kind: Kind, command: Any, event: Any, codes: tuple[str, ...]
) -> None:
    """Take in what left the trading side, and trades that were undone."""
    if kind == Kind.VOID_TRADE:
        _absorb_void(tx, command, event)
        return
    cash = kind == Kind.CASH_OUT
    vintage = None if cash else codes[int(event["instrument"])]
    amount = int(event["amount_fen"] if cash else event["qty_tonnes"])
    seq, account, at_ns = int(event["seq"]), int(event["account"]), int(event["time_ns"])
    receive_out(tx, seq, kind, account, vintage, amount, at_ns)
    _keep_id(tx, command, event, vintage, amount)


def _absorb_void(tx: Connection, command: Any, event: Any) -> None:
    """Remember a trade undone before settlement: its number will be missing (TR-121)."""
    seq, trade_no = int(event["seq"]), int(event["trade_no"])
    if _heard_before(tx, seq, f"void|{trade_no}") is not None:
        return
    row = {"trade_no": trade_no, "seq": seq, "maker": int(command["operator"])}
    tx.execute(insert(voids), {**row, "checker": int(command["checker"])})
    _remember(tx, seq, "void", f"void|{trade_no}", {"trade_no": trade_no})


def _absorb_directed(tx: Connection, command: Any, event: Any, codes: tuple[str, ...]) -> None:
    """Take in court orders and restrictions: the registry's own, and the exchange's."""
    row = directives.find(tx, command, codes)
    done = int(event["kind"])
    if done in court.WORDS_BY_EVENT:
        seq, word = int(event["seq"]), court.WORDS_BY_EVENT[done]
        code = codes[int(event["instrument"])]
        content = f"{word}|{event['account']}|{code}|{event['qty_tonnes']}"
        if _heard_before(tx, seq, content) is None:
            number = court.heard(tx, word, event, row, code)
            _remember(tx, seq, word, content, {"transaction": number})
    if row is not None:
        directives.answer(tx, row, event)


def heard_seq(tx: Connection) -> int:
    """Return the last seq of the exchange that was heard of, 0 where there is none (F17)."""
    return tx.execute(select(func.max(inbox.c.seq))).scalar() or 0


def _heard_before(tx: Connection, seq: int, content: str) -> dict[str, int] | None:
    """Return the stored answer to ``seq``; StopError inbox_differs if the content was another."""
    heard = tx.execute(select(inbox.c.sha256, inbox.c.answer).where(inbox.c.seq == seq)).first()
    if heard is None:
        return None
    if heard.sha256 != _hash(content):
        raise StopError(
            "inbox_differs", f"Seq {seq} was heard before with another content than {content}."
        )
    answer: dict[str, int] = json.loads(heard.answer)
    return answer


def _remember(tx: Connection, seq: int, kind: str, content: str, answer: dict[str, int]) -> None:
    row = {"seq": seq, "kind": kind, "sha256": _hash(content), "answer": json.dumps(answer)}
    tx.execute(insert(inbox), row)


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
