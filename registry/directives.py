"""Orders to the exchange that carry no instruction number: court orders and restrictions.

The exchange does a *directive* each time it gets it, so the safety is on this side: a directive
carries its key ``I<number>`` in ``client_order_id``, and what became of it is heard by ``absorb``
out of the exchange's journal. Whoever sends absorbs before he asks for pending directives again:
after a restart the whole journal, in a running process every batch. A second outcome under the
same key stops (``directive_twice``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, insert, select, update

from engine.reasons import Reason
from engine.records import Block, Event, Kind, Phase, commands
from engine.state import State
from registry import notices
from registry.errors import StopError
from registry.offices import COURT, directives
from registry.schema import accounts, units

KINDS = {
    "freeze": Kind.FREEZE_HOLDING,
    "release": Kind.RELEASE_HOLDING,
    "deduct": Kind.DEDUCT_HOLDING,
    "restrict": Kind.BLOCK_ACCOUNT,
    "lift": Kind.BLOCK_ACCOUNT,
}
RESTING = (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)  # court orders wait for the posting
EXCHANGE_BITS = int(sum(Block))

Array = np.ndarray[Any, np.dtype[Any]]


def direct(tx: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Write new directives (kind, account id, unit, amount, owner, maker, checker, document).

    Returns the number of the last one.
    """
    last = int(tx.execute(select(func.coalesce(func.max(directives.c.number), 0))).scalar_one())
    blank = {"unit": None, "owner": None, "maker": 0, "checker": 0, "document": ""}
    tx.execute(
        insert(directives),
        [
            {**blank, **row, "number": last + step, "status": "pending", "reason": ""}
            for step, row in enumerate(rows, 1)
        ],
    )
    return last + len(rows)


def pending_commands(tx: Connection, state: State) -> Array:
    """Return COMMAND rows, shape (n,), for the directives that are not answered, in order.

    Court orders wait while the exchange rests between close and posting.
    """
    rows = tx.execute(
        select(directives, accounts.c.trading_index, units.c.code)
        .select_from(directives)
        .join(accounts, accounts.c.id == directives.c.account)
        .outerjoin(units, units.c.id == directives.c.unit)
        .where(directives.c.status == "pending")
        .order_by(directives.c.number)
    ).all()
    market = state.market[0]
    known = int(market["accounts"])
    rows = [row for row in rows if row.trading_index < known]  # opened by an instruction first
    if int(market["phase"]) in RESTING:
        rows = [row for row in rows if row.kind not in COURT]
    listed = state.instruments["code"][: int(market["instruments"])]
    row_of = {code.decode(): row for row, code in enumerate(listed.tolist())}
    blocks: dict[int, int] = {}
    batch = commands(len(rows))
    for command, row in zip(batch, rows, strict=True):
        account = row.trading_index
        command["kind"] = KINDS[row.kind]
        command["client_order_id"] = key_of(row.number)
        command["account"] = account
        command["operator"], command["checker"] = row.maker, row.checker
        if row.kind in COURT:
            command["instrument"] = row_of.get(row.code, -1)
            command["qty_tonnes"] = row.amount
        else:
            now = blocks.get(account, int(state.accounts[account]["blocks"]))
            bits = row.amount & EXCHANGE_BITS
            blocks[account] = now | bits if row.kind == "restrict" else now & ~bits
            command["amount"] = blocks[account]
    return batch


def key_of(number: int) -> bytes:
    """Return the key a directive carries in ``client_order_id``."""
    return f"I{number}".encode()


def find(tx: Connection, command: Any, codes: tuple[str, ...]) -> Row[Any] | None:
    """Return the directive a command carries out: same key and same content; None if it is none."""
    name = bytes(command["client_order_id"])
    if not (name.startswith(b"I") and name[1:].isdigit() and len(name) < 18):
        return None
    row = tx.execute(
        select(directives, accounts.c.trading_index, units.c.code)
        .select_from(directives)
        .join(accounts, accounts.c.id == directives.c.account)
        .outerjoin(units, units.c.id == directives.c.unit)
        .where(directives.c.number == int(name[1:]))
    ).first()
    if row is None or KINDS[row.kind] != int(command["kind"]):
        return None
    same = row.trading_index == int(command["account"])
    same &= row.maker == int(command["operator"]) and row.checker == int(command["checker"])
    if row.kind in COURT:
        same &= row.amount == int(command["qty_tonnes"])
        place = int(command["instrument"])
        same &= place < 0 or codes[place] == row.code
    return row if same else None


def answer(tx: Connection, row: Row[Any], event: Any) -> None:
    """Write down what became of a directive. Idempotent; another answer stops (F32)."""
    refused = int(event["kind"]) == Event.REFUSED
    if refused and event["reason"] == Reason.PHASE_CLOSED:
        return  # it came after the close: it is sent again when the day is posted
    seq, at_ns = int(event["seq"]), int(event["time_ns"])
    if row.seq == seq:
        return
    if row.status != "pending":
        raise StopError(
            "directive_twice",
            f"The exchange has answered directive {row.number} at seq {row.seq} and at {seq}.",
        )
    code = Reason(int(event["reason"])).code if refused else ""
    status = "refused" if refused else "done"
    tx.execute(
        update(directives)
        .where(directives.c.number == row.number)
        .values(status=status, reason=code, seq=seq)
    )
    if refused:
        sentence = f"The exchange refused to {row.kind}: {code} (directive {row.number})."
        kind = "court" if row.kind in COURT else "restriction"
        notices.tell(tx, kind, sentence, row.account, at_ns)
