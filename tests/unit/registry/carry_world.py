"""A small market for tests of the end of the compliance year: goods, deals, obligations."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from engine.calendar import is_trading_day
from engine.deals import CASH, DEAL, POSITION, DealFile
from engine.records import Modality
from registry import ledger
from registry.accounts import Directory, last_instruction
from registry.compliance import carry_deciding, carry_over, deciding, eligibility, surrender
from registry.compliance.books import unit_for
from registry.compliance.deciding import Decision
from registry.compliance.schema import allocation_files, allocations, obligations
from registry.errors import RefusalError
from registry.institution import Holding, Registry
from registry.monitoring import entities
from registry.monitoring.checks import sha256
from registry.schema import TRADING_AVAILABLE, TRADING_JUDICIAL
from registry.windows import BEIJING, nanoseconds

MAKER, CHECKER = 7, 8
VINTAGES = ("CEA", "CEA21", "CEA22", "CEA23", "CEA24", "CEA25")
CASH_FEN = 10**13
NOTICES_NS = nanoseconds(dt.date(2026, 1, 20), dt.time(10))


def at(year: int, month: int, day: int, hour: int = 10, minute: int = 0) -> int:
    """Return a Beijing wall time in nanoseconds."""
    return nanoseconds(dt.date(year, month, day), dt.time(hour, minute))


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


class World:
    """Books with provinces and entities; ``account`` by code is the trading index."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.account: dict[str, int] = {}
        self.trade_no = 0
        registry.monitoring.open_provinces()

    def add(self, code: str, sector: str = "power", province: str = "42") -> int:
        """Enter an entity and open its account with plenty of money."""
        self.add_many([(code, f"Plant {code}", province, sector)])
        return self.account[code]

    def add_many(self, rows: list[tuple[str, str, str, str]]) -> None:
        self.registry.monitoring.add_entities(rows)
        self.registry.monitoring.open_accounts()
        with self.registry.database.read() as tx:
            who = Directory(tx)
            known = entities.all_by_code(tx)
        for code, *_ in rows:
            account = known[code].account
            assert account is not None
            self.account[code] = who.index_of[account]
        self.registry.deposit_many([(self.account[code], CASH_FEN) for code, *_ in rows])
        self.arrive()

    def arrive(self) -> None:
        """Let the exchange have done every instruction."""
        with self.registry.database.read() as tx:
            last = last_instruction(tx)
        self.registry.record_done(last)

    def give(self, code: str, vintage: str, tonnes: int, trading: bool = False) -> None:
        """Issue tonnes to an entity, to the trading side if told so."""
        self.registry.issue(vintage, self.account[code], tonnes)
        if trading:
            self.registry.transfer_in(self.account[code], vintage, tonnes)
            self.arrive()

    def oblige(self, year: int, **tonnes: int) -> None:
        """Set obligations as they are after the notice."""
        deadline = eligibility.deadline_ns(year)
        rows = [
            {
                "entity": code, "year": year, "version": 1, "verified_tonnes": due,
                "waived_tonnes": 0, "tonnes": due, "deadline_ns": deadline,
                "ccer_max_tonnes": due // 20, "notice_ns": deadline - 10**9,
            }
            for code, due in tonnes.items()
        ]  # fmt: skip
        with self.registry.database.write() as tx:
            tx.execute(insert(obligations), rows)

    def allocate(self, year: int, stage: str = "final", **tonnes: int) -> None:
        """Write down what was approved, all of it netted: nothing moves."""
        with self.registry.database.write() as tx:
            last = int(tx.exec_driver_sql("SELECT count(*) FROM allocation_files").scalar_one())
            unit = unit_for(tx, year)
            head = {"id": last + 1, "plan": "p", "year": year, "stage": stage, "document": "d"}
            head |= {"content": "[]", "sha256": sha256("[]"), "entities": len(tonnes)}
            head |= {"tonnes": sum(tonnes.values()), "maker": MAKER, "made_ns": 1}
            tx.execute(insert(allocation_files), head)
            first = int(tx.exec_driver_sql("SELECT count(*) FROM allocations").scalar_one()) + 1
            zero = ("waived", "issued", "earmarked", "taken_back", "owed")
            rows = [
                {
                    "id": number, "file": last + 1, "plan": "p", "year": year, "entity": code,
                    "stage": stage, "unit": unit, "tonnes": due, "deduction_tonnes": due,
                    "reason": "", "sha256": "s", "decided_ns": 1, "txn": None,
                    **{f"{name}_tonnes": 0 for name in zero},
                }
                for number, (code, due) in enumerate(tonnes.items(), first)
            ]  # fmt: skip
            tx.execute(insert(allocations), rows)

    def meet(self, year: int, vintage: str, at_ns: int, **tonnes: int) -> None:
        """Issue, apply for and approve surrenders of these quantities."""
        rows = [surrender.Wanted(code, year, vintage, due) for code, due in tonnes.items()]
        self.registry.issue_many([(vintage, self.account[c], due) for c, due in tonnes.items()])
        with self.registry.database.write() as tx:
            done = surrender.apply_many(tx, rows, MAKER, at_ns, True)
            assert not done.refused, done.refused
            deciding.decide(tx, done.numbers, Decision("approved", CHECKER, at_ns))

    def met_both(self, *codes: str) -> None:
        """Let entities meet 10 t of 2023 and 20 t of 2024 in time."""
        for year, tonnes in ((2023, 10), (2024, 20)):
            self.oblige(year, **dict.fromkeys(codes, tonnes))
            self.meet(year, "CEA23", at(year + 1, 12, 10), **dict.fromkeys(codes, tonnes))

    def deal(self, date: int, *rows: tuple[str, str, int, str, int], bulk: bool = False) -> None:
        """Clear and post a day of (seller, buyer, tonnes, vintage, price in fen) deals."""
        day = dt.datetime.strptime(str(date), "%Y%m%d").replace(tzinfo=BEIJING)
        assert is_trading_day(day.date()), date
        file = self._file(date, rows, bulk)
        found = self.registry.clear(file)
        assert found.sound, found.report
        self.registry.post(date, file.tag)

    def _file(self, date: int, rows: Any, bulk: bool) -> DealFile:
        deals = np.zeros(len(rows), DEAL)
        moved: Counter[tuple[int, int]] = Counter()
        money: Counter[int] = Counter()
        for place, (seller, buyer, tonnes, vintage, price) in enumerate(rows):
            self.trade_no += 1
            row = VINTAGES.index(vintage)
            give, take = self.account[seller], self.account[buyer]
            deal = deals[place]
            deal["trade_no"], deal["instrument"], deal["qty_tonnes"] = self.trade_no, row, tonnes
            deal["price_ticks"], deal["value_fen"] = price, price * tonnes
            deal["seller"], deal["buyer"] = give, take
            deal["modality"] = int(Modality.BULK if bulk else Modality.LISTED)
            deal["time_ns"] = place
            moved[give, row] -= tonnes
            moved[take, row] += tonnes
            money[give] += price * tonnes
            money[take] -= price * tonnes
        with self.registry.database.read() as tx:
            who, known = Directory(tx), ledger.unit_ids(tx)
            held = ledger.balances(tx, (TRADING_AVAILABLE, TRADING_JUDICIAL, "cash"))
        row_of = {known[code]: row for row, code in enumerate(VINTAGES) if code in known}
        for bucket, balance in held.items():
            if bucket.kind == "cash":
                money[who.index_of[bucket.account]] += balance
            elif bucket.unit in row_of:
                moved[who.index_of[bucket.account], row_of[bucket.unit]] += balance
        stated = sorted((a, i, q) for (a, i), q in moved.items() if q)
        positions = np.array(stated, POSITION) if stated else np.zeros(0, POSITION)
        cash = np.array(sorted((a, 0, f) for a, f in money.items() if f), CASH)
        return DealFile(date, VINTAGES, deals, positions, cash)

    # Carry-over

    def notices(self, at_ns: int = NOTICES_NS) -> dict[str, int]:
        """Give the notices; return T by entity."""
        with self.registry.database.write() as tx:
            return {one.entity: one.tonnes for one in carry_over.give_notices(tx, at_ns)}

    def carry(
        self, *rows: tuple[Any, ...], at_ns: int = NOTICES_NS, strict: bool = False
    ) -> surrender.Applied:
        with self.registry.database.write() as tx:
            return carry_over.apply_many(tx, rows, MAKER, at_ns, strict)

    def decide(
        self, *numbers: int, verdict: str = "approved", person: int = CHECKER, at_ns: int = 0
    ) -> int:
        decision = Decision(verdict, person, at_ns or at(2026, 3, 26), "")
        with self.registry.database.write() as tx:
            return carry_deciding.decide(tx, numbers, decision)

    def holding(self, code: str, vintage: str) -> Holding:
        held = self.registry.balances(self.account[code]).holdings
        return held.get(vintage, Holding())

    def sound(self) -> None:
        with self.registry.database.read() as tx:
            assert carry_deciding.violations(tx) == []
        assert self.registry.violations() == []
