"""What two people may do by hand: each action's exact values, and how it is carried out (ST-07).

An action's values are a flat mapping of names to whole numbers and short texts, nothing more and
nothing less, so that what an approver reads is what is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from engine.records import CASH_FEN_MAX, QTY_TONNES_MAX, Block
from registry import court, defaults, directives, instructions, ledger, notices
from registry.accounts import closed, id_of, refuse_closed
from registry.compliance import deductions, forced, issuing, leaving
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.offices import BLOCKS_MAX
from registry.offsets import entering
from registry.offsets.registering import Paper
from registry.offsets.schema import batches
from registry.profiles import Profile
from registry.schema import CANCELLED, REGISTRY_AVAILABLE, accounts, entries, transactions, units
from registry.windows import TIME_NS_MAX

TEXT_CHARS_MAX = 500
GROUNDS = ("succession", "merger", "split", "enforcement")  # RG-14
REVIEWED = ("merger", "split")  # by the province first (E54)
CORRECTABLE = ("issue", "succession", "deduction")

Values = Mapping[str, Any]


class Context(NamedTuple):
    """Who has decided, and when."""

    maker: int
    checker: int
    at_ns: int
    profile: Profile


class Done(NamedTuple):
    """What an approved action has written: a transaction here or a directive to the exchange."""

    txn: int | None = None
    directive: int | None = None


class Action(NamedTuple):
    """The fields of an action by name and type, and its execution."""

    fields: dict[str, str]
    execute: Callable[[Connection, Values, Context], Done]


def refuse_invalid(tx: Connection, action: str, values: Values) -> None:
    """Raise RefusalError unless the values are exactly those of the action, in their bounds.

    action_invalid, fields_invalid, qty_invalid, amount_invalid, text_invalid, unknown_account,
    unknown_vintage, flag_invalid.
    """
    if action not in ACTIONS:
        raise RefusalError("action_invalid", f"There is no action {action!r}.")
    fields = ACTIONS[action].fields
    if not isinstance(values, Mapping) or set(values) != set(fields):
        raise RefusalError("fields_invalid", f"{action} takes exactly {', '.join(sorted(fields))}.")
    for name, kind in fields.items():
        _CHECKS[kind](tx, name, values[name])


def _check_account(tx: Connection, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise RefusalError("unknown_account", f"{name}: there is no account {value!r}.")
    id_of(tx, value)


def _check_vintage(tx: Connection, name: str, value: Any) -> None:
    _check_text(tx, name, value)
    ledger.unit_of(tx, value)


def _check_text(_tx: Connection, name: str, value: Any) -> None:
    sound = isinstance(value, str) and value.isprintable() and bool(value.strip())
    if not sound or len(value) > TEXT_CHARS_MAX:
        raise RefusalError(
            "text_invalid", f"{name} must be printable text of at most {TEXT_CHARS_MAX} characters."
        )


def _check_optional(tx: Connection, name: str, value: Any) -> None:
    if value != "":
        _check_text(tx, name, value)


def _check_flag(_tx: Connection, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise RefusalError("flag_invalid", f"{name} is true or false, not {value!r}.")


def _within(most: int, code: str, unit: str) -> Callable[[Connection, str, Any], None]:
    def check(_tx: Connection, _name: str, value: Any) -> None:
        instructions.refuse_amount(value, most, code, unit)
        if not isinstance(value, int):
            raise RefusalError(code, f"{value!r} is not a whole number of {unit}.")

    return check


_CHECKS: dict[str, Callable[[Connection, str, Any], None]] = {
    "account": _check_account,
    "vintage": _check_vintage,
    "text": _check_text,
    "optional text": _check_optional,
    "tonnes": _within(QTY_TONNES_MAX, "qty_invalid", "tonnes"),
    "fen": _within(CASH_FEN_MAX, "amount_invalid", "fen"),
    "time": _within(TIME_NS_MAX, "time_invalid", "nanoseconds"),
    "number": _within(2**62, "number_invalid", "a number"),
    "flag": _check_flag,
    "bits": _within(BLOCKS_MAX, "bits_invalid", "bits"),
}


def _issue(tx: Connection, v: Values, context: Context) -> Done:
    _refuse_batch(tx, v["vintage"])
    refuse_closed(tx, id_of(tx, v["account"]))
    row = (v["vintage"], v["account"], v["qty_tonnes"])
    return Done(instructions.issue(tx, [row], context.at_ns))


def _refuse_batch(tx: Connection, code: str) -> None:
    """Leave registered reductions to ``registry.offsets``, which proves what it does."""
    of_code = batches.join(units, units.c.id == batches.c.unit)
    if tx.execute(select(batches.c.unit).select_from(of_code).where(units.c.code == code)).first():
        raise RefusalError(
            "batch_registered", f"{code} is issued and cancelled as reductions (VM-06, VM-10)."
        )


def _court(word: str) -> Callable[[Connection, Values, Context], Done]:
    """Return the execution of a court order (RG-15)."""

    def execute(tx: Connection, v: Values, context: Context) -> Done:
        account, unit = id_of(tx, v["account"]), ledger.unit_of(tx, v["vintage"])
        owner = id_of(tx, v["new_owner"]) if word == "deduct" else None
        if v["side"] not in court.SIDES:
            raise RefusalError("side_invalid", "The side is registry or trading.")
        if owner == account:
            raise RefusalError("same_account", "The new owner is the old one.")
        if owner is not None:
            refuse_closed(tx, owner)
        order = court.Order(word, account, unit, v["qty_tonnes"], v["document"], owner)
        if v["side"] == "registry":
            return Done(txn=court.on_registry_side(tx, order, context.at_ns))
        return Done(directive=court.on_trading_side(tx, order, context.maker, context.checker))

    return execute


def _cancel(tx: Connection, v: Values, context: Context) -> Done:
    """Voluntary cancellation: out of circulation for ever, and published (RG-13, E52)."""
    if v["purpose"] not in context.profile.cancellation_kinds:
        allowed = ", ".join(context.profile.cancellation_kinds)
        raise RefusalError("purpose_invalid", f"The purpose is one of: {allowed}.")
    account, unit = id_of(tx, v["account"]), ledger.unit_of(tx, v["vintage"])
    _refuse_batch(tx, v["vintage"])
    move = Move(
        Bucket(account, unit, REGISTRY_AVAILABLE),
        Bucket(account, unit, CANCELLED),
        v["qty_tonnes"],
    )
    note = f"{v['purpose']}: {v['document']}"
    number = ledger.book(tx, "cancellation", note, [move], context.at_ns)
    sentence = f"{v['qty_tonnes']:,} t of {v['vintage']} were cancelled: {v['document']}."
    notices.tell(tx, "cancellation", sentence, None, context.at_ns)
    return Done(number)


def _succeed(tx: Connection, v: Values, context: Context) -> Done:
    """Change the owner by succession, merger, split or enforcement (RG-14, E54)."""
    if v["grounds"] not in GROUNDS:
        raise RefusalError("grounds_invalid", f"The grounds are one of: {', '.join(GROUNDS)}.")
    if v["grounds"] in REVIEWED and not v["provincial_approval"]:
        raise RefusalError(
            "approval_missing", f"The province reviews a {v['grounds']} before the registry acts."
        )
    giver, taker = id_of(tx, v["from_account"]), id_of(tx, v["to_account"])
    if giver == taker:
        raise RefusalError("same_account", "The new owner is the old one.")
    refuse_closed(tx, taker)
    unit = ledger.unit_of(tx, v["vintage"])
    move = Move(
        Bucket(giver, unit, REGISTRY_AVAILABLE),
        Bucket(taker, unit, REGISTRY_AVAILABLE),
        v["qty_tonnes"],
    )
    note = f"{v['grounds']}: {v['document']}; {v['provincial_approval']}"
    number = ledger.book(tx, "succession", note, [move], context.at_ns)
    sentence = f"{v['qty_tonnes']:,} t of {v['vintage']} changed owner by {v['grounds']}."
    notices.tell(tx, "succession", sentence, None, context.at_ns)
    return Done(number)


def _correct(tx: Connection, v: Values, context: Context) -> Done:
    """Take a wrong transaction back by opposite entries, once, on evidence (RG-17)."""
    wrong = tx.execute(select(transactions).where(transactions.c.id == v["transaction"])).first()
    if wrong is None or wrong.kind not in CORRECTABLE:
        raise RefusalError(
            "not_correctable",
            f"Transaction {v['transaction']} is none of {', '.join(CORRECTABLE)}.",
        )
    if tx.execute(select(batches.c.unit).where(batches.c.txn == wrong.id)).first():
        raise RefusalError("not_correctable", "A registered batch stays as it is (VM-06).")
    again = select(transactions.c.id).where(transactions.c.corrects == wrong.id)
    if tx.execute(again).first() is not None:
        raise RefusalError("corrected_before", f"Transaction {wrong.id} was corrected before.")
    rows = tx.execute(select(entries).where(entries.c.txn == wrong.id).order_by(entries.c.line))
    moves = [_opposite(row) for row in rows]
    nation = tx.execute(select(accounts.c.id).where(accounts.c.kind == "national")).scalar()
    if any(move.credit.account == nation for move in moves):
        raise RefusalError(
            "not_correctable", "An allocation is corrected by an additional issue (RG-18)."
        )
    number = ledger.book(tx, "correction", v["evidence"], moves, context.at_ns, wrong.id)
    for account in sorted({bucket.account for move in moves for bucket in move[:2]}):
        sentence = f"Transaction {wrong.id} was corrected by {number}: {v['evidence']}."
        notices.tell(tx, "correction", sentence, account, context.at_ns)
    return Done(number)


def _opposite(row: Row[Any]) -> Move:
    return Move(
        Bucket(row.credit_account, row.unit, row.credit_kind),
        Bucket(row.debit_account, row.unit, row.debit_kind),
        row.amount,
    )


def _restrict(tx: Connection, v: Values, context: Context) -> Done:
    """Restrict an account here and direct the exchange to (ST-10, ST-12, RG-05)."""
    return _set_blocks(tx, v, context, "restrict")


def _lift(tx: Connection, v: Values, context: Context) -> Done:
    refuse_closed(tx, id_of(tx, v["account"]))
    return _set_blocks(tx, v, context, "lift")


def _close(tx: Connection, v: Values, context: Context) -> Done:
    """Close an account of which nothing is left: both institutions bar it from everything."""
    leaving.refuse_close(tx, id_of(tx, v["account"]), v["grounds"])
    words = f"closed: {v['grounds']}, {v['document']}"
    values = {"account": v["account"], "bits": BLOCKS_MAX, "grounds": words}
    return _set_blocks(tx, values, context, "restrict")


def _reopen(tx: Connection, v: Values, context: Context) -> Done:
    """Open a closed account again: its subject is back, and has one account only (RG-03)."""
    if id_of(tx, v["account"]) not in closed(tx):
        raise RefusalError("account_open", "The account is not closed (RG-05).")
    values = {"account": v["account"], "bits": BLOCKS_MAX, "grounds": v["document"]}
    return _set_blocks(tx, values, context, "lift")


def _set_blocks(tx: Connection, v: Values, context: Context, kind: str) -> Done:
    account = id_of(tx, v["account"])
    now = tx.execute(select(accounts.c.blocks).where(accounts.c.id == account)).scalar_one()
    bits = now | v["bits"] if kind == "restrict" else now & ~v["bits"]
    tx.execute(update(accounts).where(accounts.c.id == account).values(blocks=bits))
    word = "restricted" if kind == "restrict" else "freed of restrictions"
    notices.tell(
        tx, "restriction", f"Your account was {word}: {v['grounds']}.", account, context.at_ns
    )
    if not v["bits"] & directives.EXCHANGE_BITS:
        return Done()
    row = {"kind": kind, "account": account, "amount": v["bits"], "document": v["grounds"]}
    row |= {"maker": context.maker, "checker": context.checker}
    return Done(directive=directives.direct(tx, [row]))


def _bank_debit(tx: Connection, v: Values, context: Context) -> Done:
    """Book what a bank or a court took; until it is mended nothing is paid out (ST-10, ST-11)."""
    account = id_of(tx, v["account"])
    due, document = v["limit_at_ns"], v["document"]
    txn = defaults.bank_debit(tx, account, v["amount_fen"], document, due, context.at_ns)
    grounds = {"account": v["account"], "bits": int(Block.CASH_OUT), "grounds": document}
    return _set_blocks(tx, grounds, context, "restrict")._replace(txn=txn)


def _reserve_in(tx: Connection, v: Values, context: Context) -> Done:
    return Done(defaults.reserve_in(tx, v["amount_fen"], v["document"], context.at_ns))


def _cover(tx: Connection, v: Values, context: Context) -> Done:
    return Done(defaults.cover(tx, v["default"], context.at_ns))


def _issue_allocation(tx: Connection, v: Values, context: Context) -> Done:
    """Issue what the platform handed over and the province has signed (RG-09, 7.3)."""
    return Done(issuing.issue(tx, v["file"], v["sha256"], context.at_ns).txn)


def _deduct_allocation(tx: Connection, v: Values, context: Context) -> Done:
    """Write down what later issues are reduced by (AL-41)."""
    names = deductions.NewDeduction._fields
    row = deductions.NewDeduction(**{name: v[name] for name in names})
    deductions.add(tx, row, context.at_ns)
    return Done()


def _force_surrender(tx: Connection, v: Values, context: Context) -> Done:
    """Surrender from the province's earmarks and release the rest (AL-26, AL-40, AL-66)."""
    people = (context.maker, context.checker)
    mandate = forced.Mandate(v["entity"], v["document"], *people, context.at_ns)
    return Done(forced.force(tx, mandate).txn)


def _enter(
    enter: Callable[[Connection, Values, Paper, Profile], int | None],
) -> Callable[[Connection, Values, Context], Done]:
    """Return the execution of an entry in the registry of voluntary reductions (VM-06)."""

    def execute(tx: Connection, v: Values, context: Context) -> Done:
        paper = Paper(context.maker, context.checker, context.at_ns, v["document"])
        return Done(enter(tx, v, paper, context.profile))

    return execute


_GOODS = {"account": "account", "vintage": "vintage", "qty_tonnes": "tonnes"}
_ORDER = {**_GOODS, "side": "text", "document": "text"}

ACTIONS: dict[str, Action] = {
    "issue": Action({**_GOODS, "vintage": "text", "document": "text"}, _issue),
    "correct": Action({"transaction": "number", "evidence": "text"}, _correct),
    "freeze": Action(_ORDER, _court("freeze")),
    "release": Action(_ORDER, _court("release")),
    "deduct": Action({**_ORDER, "new_owner": "account"}, _court("deduct")),
    "cancel_voluntarily": Action({**_GOODS, "purpose": "text", "document": "text"}, _cancel),
    "succeed": Action(
        {
            "from_account": "account",
            "to_account": "account",
            "vintage": "vintage",
            "qty_tonnes": "tonnes",
            "grounds": "text",
            "document": "text",
            "provincial_approval": "optional text",
        },
        _succeed,
    ),
    "restrict": Action({"account": "account", "bits": "bits", "grounds": "text"}, _restrict),
    "lift": Action({"account": "account", "bits": "bits", "grounds": "text"}, _lift),
    "close_account": Action({"account": "account", "grounds": "text", "document": "text"}, _close),
    "reopen_account": Action({"account": "account", "document": "text"}, _reopen),
    "bank_debit": Action(
        {"account": "account", "amount_fen": "fen", "document": "text", "limit_at_ns": "time"},
        _bank_debit,
    ),
    "reserve_in": Action({"amount_fen": "fen", "document": "text"}, _reserve_in),
    "cover_default": Action({"default": "number"}, _cover),
    "issue_allocation": Action({"file": "number", "sha256": "text"}, _issue_allocation),
    "deduct_allocation": Action(
        {
            "entity": "text",
            "from_year": "number",
            "grounds": "text",
            "tonnes": "tonnes",
            "document": "text",
        },
        _deduct_allocation,
    ),
    "force_surrender": Action({"entity": "text", "document": "text"}, _force_surrender),
    "register_project": Action(entering.PROJECT, _enter(entering.project)),
    "register_batch": Action(entering.BATCH, _enter(entering.batch)),
}
