"""The registry as an institution: one object, every door into its books.

Each method is one database transaction: done altogether or not at all. ``account`` is always the
trading index (the exchange's row), ``vintage`` the instrument's code, tonnes and fen are whole
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import select

from engine.deals import DealFile
from engine.records import Kind
from engine.state import State
from registry import (
    accounts,
    asking,
    audit,
    defaults,
    directives,
    inbox,
    instructions,
    ledger,
    notices,
    objections,
    reading,
    settlement,
    telling,
    windows,
)
from registry.accounts import Account
from registry.approvals import Approvals
from registry.asking import Asked, Wanted
from registry.compliance.door import Compliance
from registry.database import Database
from registry.defaults import Default
from registry.errors import RefusalError
from registry.monitoring.monitoring import Monitoring
from registry.notices import Notice
from registry.objections import Objection
from registry.offsets.offsets import Offsets
from registry.profiles import NATIONAL, Profile
from registry.schema import (
    CASH,
    FEN,
    IN_TRANSIT,
    RESERVE,
    buckets,
    units,
)
from registry.settlement import Day
from registry.statements import Fill, Statement

Array = np.ndarray[Any, np.dtype[Any]]


class Holding(NamedTuple):
    """What an account has of one vintage, by bucket, in tonnes (RG-06)."""

    registry_available: int = 0
    in_transit: int = 0
    trading_available: int = 0
    judicial: int = 0
    trading_judicial: int = 0
    pending: int = 0
    cancelled: int = 0
    surrendered: int = 0
    recovered: int = 0

    @property
    def position(self) -> int:
        """What counts as held, frozen or not (RG-16): all but what is gone for ever."""
        return sum(self) - self.cancelled - self.surrendered - self.recovered


class Balances(NamedTuple):
    """What an account has: money of its sub-ledger (ST-02) and holdings by vintage."""

    cash_fen: int
    cash_in_transit_fen: int
    holdings: dict[str, Holding]


class Registry:
    """Accounts, ledger and settlement over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.profile = database.profile
        self.approvals = Approvals(database)
        self.monitoring = Monitoring(database)
        self.offsets = Offsets(database)
        self.compliance = Compliance(database)

    @classmethod
    def open(cls, url: str, profile: Profile = NATIONAL) -> Registry:
        """Open the books of a market at ``url`` (``sqlite:///file``, ``postgresql+psycopg://…``).

        A new database gets its tables. Raises RefusalError (database_url), StopError
        (database_unsafe, database_damaged, schema_format, profile_differs) or UnavailableError.
        ``sqlite://`` keeps the books in memory only.
        """
        return cls(Database(url, profile))

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Accounts and allowances. ``issue``, ``issue_many`` and what has no ``at_ns`` are the
    # institution's own initial set-up; by hand, on a day of work, two people do it (``approvals``).

    def open_account(self, code: str, name: str) -> int:
        """Open one account and return its trading index (RG-03, TR-08)."""
        return self.open_accounts([(code, name)])[0]

    def open_accounts(
        self, people: Sequence[tuple[str, str]], kind: str = "key_emitting_entity"
    ) -> list[int]:
        """Open accounts for (code, name) pairs and return their trading indexes."""
        with self.database.write() as tx:
            return accounts.open_accounts(tx, people, kind)

    def issue(self, vintage: str, account: int, qty_tonnes: int) -> None:
        """Issue allowances to the registry side of an account (RG-09)."""
        self.issue_many([(vintage, account, qty_tonnes)])

    def issue_many(self, rows: Sequence[tuple[str, int, int]]) -> None:
        """Issue (vintage, account, qty_tonnes) rows."""
        with self.database.write() as tx:
            instructions.issue(tx, rows)

    def deposit(
        self, account: int, cash_fen: int, at_ns: int | None = None, request_id: str = ""
    ) -> int:
        """Take money in at the bank; the exchange is instructed to make it tradable (ST-14).

        Returns the number of the instruction, 0 where all of it went to what the account owed. With
        a ``request_id`` it is done once that day (``registry.asking``): asked again the same way it
        gives the first answer; RefusalError request_differs if it was for something else.
        """
        return self._ask(Wanted(account, "cash_in", "", cash_fen), at_ns, request_id)

    def deposit_many(self, rows: Sequence[tuple[int, int]], at_ns: int | None = None) -> None:
        """Take in (account, cash_fen) rows; ``at_ns``: asked by subjects, within the window."""
        windows.refuse_closed(self.profile, "cash_in", at_ns)
        with self.database.write() as tx:
            instructions.deposit(tx, rows, at_ns)

    def transfer_in(
        self,
        account: int,
        vintage: str,
        qty_tonnes: int,
        at_ns: int | None = None,
        request_id: str = "",
    ) -> int:
        """Move allowances off the registry side towards the trading side (RG-07).

        Returns the number of the instruction; ``request_id`` as in ``deposit``.
        """
        return self._ask(Wanted(account, "transfer_in", vintage, qty_tonnes), at_ns, request_id)

    def _ask(self, wanted: Wanted, at_ns: int | None, request_id: str) -> int:
        if request_id and at_ns is None:
            raise RefusalError("time_invalid", "A request with an id says when it is made.")
        with self.database.write() as tx:
            return asking.once(tx, self.profile, wanted, request_id, at_ns)

    def transfer_in_many(
        self, rows: Sequence[tuple[int, str, int]], at_ns: int | None = None
    ) -> None:
        """Move (account, vintage, qty_tonnes) rows; ``at_ns``: within the window (RG-08)."""
        windows.refuse_closed(self.profile, "transfer_in", at_ns)
        with self.database.write() as tx:
            instructions.transfer_in(tx, rows, at_ns)

    def asked_since(self, at_ns: int) -> list[Asked]:
        """Return what was asked to move in under an id since that day, and all that is pending."""
        with self.database.read() as tx:
            return asking.since(tx, at_ns)

    def window_open(self, operation: str, at_ns: int) -> bool:
        """Whether transfer_in, transfer_out, cash_in or cash_out may be asked (RG-08, ST-14)."""
        return windows.is_open(self.profile, operation, at_ns)

    # To and from the exchange

    def pending_commands(self, state: State) -> Array:
        """Return COMMAND rows for instructions and directives the exchange has not done, in order.

        Whoever submits them lets ``absorb`` hear of it before asking again (``directives``).
        """
        with self.database.read() as tx:
            return np.concatenate(
                [
                    instructions.pending_commands(tx, state),
                    directives.pending_commands(tx, state),
                ]
            )

    def absorb(self, commands: Array, events: Array, codes: tuple[str, ...]) -> int:
        """Take in what one applied batch means to the registry; see ``registry.inbox.absorb``."""
        if not inbox.concerning(commands).size:
            return 0
        with self.database.write() as tx:
            return inbox.absorb(tx, commands, events, codes)

    def heard_seq(self) -> int:
        """Return the last command of the exchange that the inbox knows, 0 where there is none."""
        with self.database.read() as tx:
            return inbox.heard_seq(tx)

    def record_done(self, instruction_no: int) -> int:
        """Let every instruction up to this number arrive; return how many were waiting."""
        with self.database.write() as tx:
            return instructions.record_done(tx, instruction_no)

    def record_refused(self, instruction_no: int, reason: int) -> None:
        """Give back what an instruction moved that the exchange refused (RG-17)."""
        with self.database.write() as tx:
            instructions.record_refused(tx, instruction_no, reason)

    def receive_out(
        self, seq: int, kind: Kind, account: int, vintage: str | None, amount: int
    ) -> int:
        """Book a TRANSFER_OUT (tonnes) or CASH_OUT (fen, no vintage), once a seq."""
        with self.database.write() as tx:
            return inbox.receive_out(tx, seq, kind, account, vintage, amount)

    # The evening

    def clear(self, file: DealFile, goods_t_plus: int = 1) -> Day:
        """Recompute a day from the registry's own books and write down the verdict (ST-03)."""
        with self.database.write() as tx:
            return settlement.clear(tx, file, goods_t_plus)

    def post(self, date: int, tag: int) -> Day:
        """Post a cleared and confirmed day, once (ST-04)."""
        with self.database.write() as tx:
            return settlement.post(tx, int(date), int(tag))

    def day(self, date: int) -> Day | None:
        """Return where the evening of a date stands."""
        with self.database.read() as tx:
            return settlement.day(tx, int(date))

    def report(self, date: int) -> list[str]:
        """Return what differs on a date, in sentences: empty unless the day is disputed (ST-17)."""
        found = self.day(date)
        return [] if found is None else list(found.report)

    def write_statements(self, date: int) -> bool:
        """Try again to write the statements of a posted day (ST-05); whether they are written."""
        with self.database.write() as tx:
            return telling.write_again(tx, int(date))

    def object(self, account: int, date: int, wording: str, at_ns: int) -> Objection:
        """Object to a statement before the next day opens (ST-06, E53)."""
        with self.database.write() as tx:
            return objections.lodge(tx, account, int(date), wording, at_ns)

    def objections(self, date: int) -> list[Objection]:
        """Return the objections against a date's statements."""
        with self.database.read() as tx:
            return objections.lodged(tx, int(date))

    def statement_status(self, account: int, date: int, at_ns: int) -> str:
        """Return open, objected or accepted: silence is acceptance (ST-06)."""
        with self.database.read() as tx:
            return objections.standing(tx, account, int(date), at_ns)

    # Questions

    def account(self, account: int) -> Account:
        """Return who has this trading index."""
        with self.database.read() as tx:
            return accounts.account(tx, account)

    def balances(self, account: int) -> Balances:
        """Return what an account has, by bucket."""
        with self.database.read() as tx:
            held = ledger.balances(tx, only=accounts.id_of(tx, account))
            codes = {number: code for code, number in ledger.unit_ids(tx).items()}
        amounts: dict[int, dict[str, int]] = {}
        for bucket, balance in held.items():
            amounts.setdefault(bucket.unit, {})[bucket.kind] = balance
        money = amounts.pop(FEN, {})
        holdings = {codes[unit]: Holding(**parts) for unit, parts in sorted(amounts.items())}
        return Balances(money.get(CASH, 0), money.get(IN_TRANSIT, 0), holdings)

    def holdings(self, vintage: str) -> dict[int, Holding]:
        """Return what every account has of a vintage, by trading index."""
        with self.database.read() as tx:
            unit = ledger.unit_of(tx, vintage)
            who = accounts.Directory(tx)
            kinds = Holding._fields
            rows = tx.execute(
                select(buckets.c.account, buckets.c.kind, buckets.c.balance).where(
                    buckets.c.unit == unit, buckets.c.kind.in_(kinds)
                )
            ).all()
        found: dict[int, dict[str, int]] = {}
        for number, kind, balance in rows:
            if number in who.index_of:  # a province has no trading side
                found.setdefault(who.index_of[number], {})[kind] = balance
        return {index: Holding(**parts) for index, parts in sorted(found.items())}

    def vintages(self) -> list[str]:
        """Return the codes of the vintages issued, oldest first."""
        with self.database.read() as tx:
            return list(
                tx.execute(
                    select(units.c.code).where(units.c.id != FEN).order_by(units.c.id)
                ).scalars()
            )

    def fees(self) -> tuple[int, int]:
        """Return trading fees (the exchange's) and settlement fees (the registry's), in fen."""
        with self.database.read() as tx:
            return audit.fees(tx)

    def fees_by_modality(self, date: int | None = None) -> dict[int, tuple[int, int]]:
        """Return trading and settlement fees per way of trading, of one posted date or of all."""
        with self.database.read() as tx:
            return audit.fees_by_modality(tx, date)

    def statement(self, account: int, date: int) -> Statement | None:
        """Return an account's daily statement of a posted date (ST-05)."""
        with self.database.read() as tx:
            return reading.statement(tx, account, date)

    def export_statements(self, date: int) -> list[dict[str, Any]]:
        """Return every account's statement of a posted date as plain data, by trading index."""
        with self.database.read() as tx:
            return [one.as_dict() for one in reading.of_day(tx, int(date))]

    def notices(self, account: int | None = None) -> list[Notice]:
        """Return the notices to an account, or the public ones (RG-13, RG-14, RG-15)."""
        with self.database.read() as tx:
            return notices.told(tx, account)

    def defaults(self) -> list[Default]:
        """Return every default: what is missing, what the reserve may claim (ST-11)."""
        with self.database.read() as tx:
            return defaults.found(tx)

    def reserve_fen(self) -> int:
        """Return what the settlement risk reserve has (ST-08)."""
        with self.database.read() as tx:
            return sum(ledger.balances(tx, (RESERVE,)).values())

    def trades(self, account: int, date: int | None = None) -> list[Fill]:
        """Return an account's cleared deals in order, of one date or of all (TR-68)."""
        with self.database.read() as tx:
            return reading.fills(tx, account, date)

    def violations(self, state: State | None = None) -> list[str]:
        """Return one sentence for every broken invariant; with a state also I10. None = sound."""
        with self.database.read() as tx:
            return audit.violations(tx, state)
