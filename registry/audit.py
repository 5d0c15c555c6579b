"""The report anybody may ask for: is every tonne and every fen where the entries say it is?"""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, and_, func, select, union_all
from sqlalchemy import cast as sql_cast

from engine.deals import deal_file
from engine.records import Phase
from engine.state import State
from registry import defaults, ledger
from registry.accounts import Directory
from registry.clearing import payments
from registry.compliance import audit as compliance_audit
from registry.compliance import carry_deciding
from registry.ledger import Bucket
from registry.offsets import audit as offsets_audit
from registry.schema import (
    BANK,
    CASH,
    EXCHANGE_FEES_ID,
    FEES,
    FEN,
    IN_TRANSIT,
    REGISTRY_FEES_ID,
    RESERVE,
    RESERVE_BANK_ID,
    SOURCES,
    STANDING,
    TRADING_AVAILABLE,
    TRADING_JUDICIAL,
    Number,
    days,
    deals,
    entries,
    instructions,
    transactions,
    units,
)

Array = np.ndarray[Any, np.dtype[Any]]


def violations(tx: Connection, state: State | None = None) -> list[str]:
    """Return one sentence for every broken invariant of rules.md 9A; none = sound.

    I1 and I3: what is in the buckets of a unit is what came in through its source. I2: nothing is
    negative. Every balance is the sum of its entries; transit is what is instructed and pending;
    posted days are exactly their deals; what is allocated, earmarked, waiting and surrendered is
    what was decided (I12), what is carried over is within its limits (I11), and every registered
    reduction is held, in the market, or cancelled with a proof (VM-10). With an exchange's
    ``state`` also I10: both trading sides agree.
    """
    found = [
        *_balances(tx),
        *_conservation(tx),
        *_numbers(tx, transactions, "id", "transaction"),
        *_numbers(tx, instructions, "number", "instruction"),
        *_transit(tx),
        *_settlements(tx),
        *_two_banks(tx),
        *compliance_audit.violations(tx),
        *carry_deciding.violations(tx),
        *offsets_audit.violations(tx),
    ]
    return found if state is None else [*found, *trading_sides(tx, state)]


def _balances(tx: Connection) -> list[str]:
    """Balances against the sum of their entries, and their signs (I2)."""
    e = entries.c
    rows = union_all(
        select(e.credit_account, e.unit, e.credit_kind, e.amount),
        select(e.debit_account, e.unit, e.debit_kind, -e.amount),
    ).subquery()
    account, unit, kind, amount = rows.c
    sums = tx.execute(
        select(account, unit, kind, sql_cast(func.sum(amount), Number)).group_by(
            account, unit, kind
        )
    )
    entered = {Bucket(row[0], row[1], row[2]): int(row[3]) for row in sums}
    held = ledger.balances(tx)
    found = [
        f"The {bucket.kind} bucket of account id {bucket.account}, unit {bucket.unit} holds "
        f"{held.get(bucket, 0):,}; its entries add up to {entered.get(bucket, 0):,}."
        for bucket in sorted(held.keys() | entered.keys())
        if held.get(bucket, 0) != entered.get(bucket, 0)
    ]
    return found + [
        f"The {bucket.kind} bucket of account id {bucket.account} has the wrong sign: {balance:,}."
        for bucket, balance in sorted(held.items())
        if (balance > 0 if bucket.kind in SOURCES else balance < 0)
    ]


def _conservation(tx: Connection) -> list[str]:
    """Per unit: what all buckets hold is what came in through the source (I1, I3)."""
    came: dict[int, int] = {}
    there: dict[int, int] = {}
    for bucket, balance in ledger.balances(tx).items():
        if bucket.kind in SOURCES:
            came[bucket.unit] = came.get(bucket.unit, 0) - balance
        else:
            there[bucket.unit] = there.get(bucket.unit, 0) + balance
    names = {int(number): code for number, code in tx.execute(select(units.c.id, units.c.code))}
    return [
        f"{names[unit]}: {came.get(unit, 0):,} came in, {there.get(unit, 0):,} are there."
        for unit in sorted(came.keys() | there.keys())
        if came.get(unit, 0) != there.get(unit, 0)
    ]


def _two_banks(tx: Connection) -> list[str]:
    """The reserve lies in its own bank account, apart from the subjects' money (ST-02, ST-08)."""
    at_bank = ledger.balances(tx, (BANK,)).get(Bucket(RESERVE_BANK_ID, FEN, BANK), 0)
    reserve = sum(ledger.balances(tx, (RESERVE,)).values())
    if reserve == -at_bank:
        return []
    return [f"The reserve has {reserve:,} fen, its bank account {-at_bank:,}."]


def _numbers(tx: Connection, table: Table, column: str, word: str) -> list[str]:
    """Numbered 1 … n without gaps."""
    number = table.c[column]
    count, last = tx.execute(
        select(func.count(), func.coalesce(func.max(number), 0)).select_from(table)
    ).one()
    return [] if count == last else [f"There are {count} {word}s, numbered up to {last}."]


def _transit(tx: Connection) -> list[str]:
    """In transit is exactly what pending instructions move."""
    i = instructions.c
    rows = tx.execute(
        select(i.account, i.unit, sql_cast(func.sum(i.amount), Number))
        .where(i.status == "pending", i.amount > 0)
        .group_by(i.account, i.unit)
    )
    due = {Bucket(row[0], row[1], IN_TRANSIT): int(row[2]) for row in rows}
    held = ledger.balances(tx, (IN_TRANSIT,))
    return [
        f"{held.get(bucket, 0):,} of unit {bucket.unit} are in transit for account id "
        f"{bucket.account}, instructions say {due.get(bucket, 0):,}."
        for bucket in sorted(held.keys() | due.keys())
        if held.get(bucket, 0) != due.get(bucket, 0)
    ]


def _settlements(tx: Connection) -> list[str]:
    """Every deal of a posted day is delivered and paid once; no deal of another day is."""
    e, d = entries.c, deals.c
    fees = (
        d.buy_trading_fee_fen
        + d.buy_settlement_fee_fen
        + d.sell_trading_fee_fen
        + d.sell_settlement_fee_fen
    )
    dealt = tx.execute(
        select(days.c.txn, func.sum(d.qty_tonnes), func.sum(d.value_fen + fees))
        .join(days, and_(days.c.date == d.date, days.c.status == "posted"))
        .where(STANDING)
        .group_by(days.c.txn)
    )
    due = {row[0]: (int(row[1]), int(row[2])) for row in dealt}
    moved: dict[int, tuple[int, int]] = {}
    rows = tx.execute(
        select(e.txn, e.unit, func.sum(e.amount))
        .join(transactions, transactions.c.id == e.txn)
        .where(transactions.c.kind == "settlement")
        .group_by(e.txn, e.unit)
    )
    for number, unit, amount in rows:
        tonnes, fen = moved.get(number, (0, 0))
        if unit == FEN:
            moved[number] = (tonnes, fen + int(amount))
        else:
            moved[number] = (tonnes + int(amount), fen)
    return [
        f"Settlement {number}: deals of {due.get(number, (0, 0))} t and fen, entries of "
        f"{moved.get(number, (0, 0))}."
        for number in sorted(due.keys() | moved.keys())
        if due.get(number) != moved.get(number)
    ]


def trading_sides(tx: Connection, state: State) -> list[str]:
    """Compare both institutions' trading sides at any moment (I10).

    The registry hears of today's deals in the evening only, and of arrivals when somebody tells
    it; both are allowed for, so that nothing else may differ.
    """
    market = state.market[0]
    who, known = Directory(tx), ledger.unit_ids(tx)
    own: dict[Bucket, int] = {}
    for bucket, amount in ledger.balances(tx, ledger.TRADING_SIDE).items():
        told = (
            bucket._replace(kind=TRADING_AVAILABLE) if bucket.kind == TRADING_JUDICIAL else bucket
        )
        own[told] = own.get(told, 0) + amount
    for account, short in defaults.missing(tx).items():  # the exchange goes on counting it (ST-11)
        own[Bucket(account, FEN, CASH)] = own.get(Bucket(account, FEN, CASH), 0) + short
    for bucket, amount in _arrived_unheard(tx, int(market["instruction_no"])).items():
        own[bucket] = own.get(bucket, 0) + amount
    date = int(market["date"])
    posted = tx.execute(select(days.c.txn).where(days.c.date == date)).scalar() is not None
    unposted = not posted and market["phase"] != Phase.POSTED
    stated = _stated(state, who, known, undo_today=unposted)
    return _fees_differ(tx, state, unposted) + [
        f"{bucket.kind} of {who.codes[who.index_of[bucket.account]]}, unit {bucket.unit}: the "
        f"registry has {own.get(bucket, 0):,}, the exchange {stated.get(bucket, 0):,}."
        for bucket in sorted(own.keys() | stated.keys())
        if own.get(bucket, 0) != stated.get(bucket, 0)
    ]


def _fees_differ(tx: Connection, state: State, unposted: bool) -> list[str]:
    """Compare what the two institutions have earned, by both their books (TR-130)."""
    market, today = state.market[0], deal_file(state).deals
    found = []
    for word, earned in zip(("trading", "settlement"), fees(tx), strict=True):
        legs = (f"buy_{word}_fee_fen", f"sell_{word}_fee_fen")
        waiting = sum(int(today[leg].sum()) for leg in legs) if unposted else 0
        stated = int(market[f"{word}_fees_fen"]) - waiting
        if earned != stated:
            found.append(f"{word} fees: the registry has {earned:,}, the exchange {stated:,}.")
    return found


def fees(tx: Connection) -> tuple[int, int]:
    """Return the trading fees (exchange's) and settlement fees (registry's) earned, in fen."""
    held = ledger.balances(tx, (FEES,))
    exchange, registry = (
        held.get(Bucket(number, FEN, FEES), 0) for number in (EXCHANGE_FEES_ID, REGISTRY_FEES_ID)
    )
    return exchange, registry


def fees_by_modality(tx: Connection, date: int | None = None) -> dict[int, tuple[int, int]]:
    """Return trading and settlement fees of posted deals per way of trading (TR-130, TR-142)."""
    d = deals.c
    trading = d.buy_trading_fee_fen + d.sell_trading_fee_fen
    settlement = d.buy_settlement_fee_fen + d.sell_settlement_fee_fen
    query = (
        select(d.modality, sql_cast(func.sum(trading), Number), func.sum(settlement))
        .join(days, and_(days.c.date == d.date, days.c.status == "posted"))
        .where(STANDING)
        .group_by(d.modality)
        .order_by(d.modality)
    )
    rows = tx.execute(query if date is None else query.where(d.date == date))
    return {int(row[0]): (int(row[1]), int(row[2])) for row in rows}


def _arrived_unheard(tx: Connection, instruction_no: int) -> dict[Bucket, int]:
    """What the exchange has taken in and nobody has told the registry yet."""
    i = instructions.c
    rows = tx.execute(
        select(i.account, i.unit, sql_cast(func.sum(i.amount), Number))
        .where(i.status == "pending", i.number <= instruction_no, i.amount > 0)
        .group_by(i.account, i.unit)
    )
    return {
        Bucket(row[0], row[1], CASH if row[1] == FEN else TRADING_AVAILABLE): int(row[2])
        for row in rows
    }


def _stated(
    state: State, who: Directory, known: dict[str, int], undo_today: bool
) -> dict[Bucket, int]:
    """Return the exchange's trading side by bucket, as it was before today's deals if told so."""
    file = deal_file(state)
    accounts, instruments = int(state.market[0]["accounts"]), len(file.codes)
    tonnes = np.zeros((accounts, instruments), np.int64)
    tonnes[file.positions["account"], file.positions["instrument"]] = file.positions["qty_tonnes"]
    cash = np.zeros(accounts, np.int64)
    cash[file.cash["account"]] = file.cash["cash_fen"]
    if undo_today:
        _undo(file.deals, tonnes, cash)
    found: dict[Bucket, int] = {}
    for account, instrument in np.argwhere(tonnes).tolist():
        bucket = Bucket(
            who.id_of(account), known.get(file.codes[instrument], -1), TRADING_AVAILABLE
        )
        found[bucket] = int(tonnes[account, instrument])
    for account in np.flatnonzero(cash).tolist():
        found[Bucket(who.id_of(account), FEN, CASH)] = int(cash[account])
    return found


def _undo(today: Array, tonnes: Array, cash: Array) -> None:
    paid, received = payments(today)
    np.add.at(tonnes, (today["seller"], today["instrument"]), today["qty_tonnes"])
    np.subtract.at(tonnes, (today["buyer"], today["instrument"]), today["qty_tonnes"])
    np.add.at(cash, today["buyer"], paid)
    np.subtract.at(cash, today["seller"], received)
