"""Accounts, issues, and what goes to and comes from the exchange (RG-06, RG-07, ST-14, F32)."""

from __future__ import annotations

import numpy as np
import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Phase
from registry.errors import RefusalError, StopError
from registry.institution import Balances, Holding, Registry
from tests.unit.registry.registry_venue import DATES, Venue


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


def stopped(code: str) -> pytest.RaisesExc[StopError]:
    return pytest.raises(StopError, match=rf"\[{code}\]$")


def test_trading_indexes_are_dense_and_accounts_have_both_numbers_tr_08(registry: Registry) -> None:
    assert registry.open_account("K-9", "火电厂") == 0
    assert registry.open_accounts([("A", "a"), ("B", "b")], kind="other") == [1, 2]
    assert registry.open_accounts([]) == []
    assert registry.account(0).name == "火电厂"
    numbers = [registry.account(n) for n in range(3)]
    assert [one.trading_account for one in numbers] == ["T00000000", "T00000001", "T00000002"]
    assert len({one.registry_account for one in numbers}) == 3
    assert [one.kind for one in numbers] == ["key_emitting_entity", "other", "other"]


def test_accounts_that_cannot_be_opened(registry: Registry) -> None:
    registry.open_account("K1", "Plant 1")
    for people, code in (
        ([("K2", "x"), ("K1", "again")], "account_exists"),
        ([("K2", "x"), ("K2", "twice")], "account_exists"),
        ([("BANK", "x")], "account_exists"),
        ([("", "x")], "code_invalid"),
        ([("a\nb", "x")], "code_invalid"),
        ([("c" * 65, "x")], "code_invalid"),
        ([("K3", " ")], "name_invalid"),
        ([("K3", "n" * 201)], "name_invalid"),
    ):
        with refused(code):
            registry.open_accounts(people)
    with refused("kind_invalid"):
        registry.open_accounts([("K3", "x")], kind="bank")
    with refused("unknown_account"):
        registry.account(1)


def test_bad_amounts_change_nothing(registry: Registry) -> None:
    registry.open_account("K1", "Plant 1")
    registry.issue("CEA", 0, 10)
    before = registry.balances(0)
    for bad in (0, -1, 10**10, True, 1.5, None):
        with refused("qty_invalid"):
            registry.issue("CEA", 0, bad)  # type: ignore[arg-type]
        with refused("qty_invalid"):
            registry.transfer_in(0, "CEA", bad)  # type: ignore[arg-type]
    for bad in (0, -1, 10**18, 0.5):
        with refused("amount_invalid"):
            registry.deposit(0, bad)  # type: ignore[arg-type]
    for account in (-1, 1, 2**40):
        with refused("unknown_account"):
            registry.deposit(account, 1)
        with refused("unknown_account"):
            registry.transfer_in(account, "CEA", 1)
    with refused("unknown_vintage"):
        registry.transfer_in(0, "CEA99", 1)
    for vintage in ("", "CEA 21", "C" * 17, "碳"):
        with refused("vintage_invalid"):
            registry.issue(vintage, 0, 1)
    with refused("insufficient_funds"):  # more than the whole market can have
        registry.deposit_many([(0, 10**18 - 1)] * 5)
    assert registry.balances(0) == before
    assert registry.violations() == []


def test_numpy_integers_are_whole_numbers(registry: Registry) -> None:
    registry.open_account("K1", "Plant 1")
    registry.issue("CEA", 0, np.int64(10))
    assert registry.balances(np.int32(0)).holdings["CEA"] == Holding(10, 0, 0)


def test_what_is_instructed_is_in_transit_until_done(registry: Registry) -> None:
    venue = Venue(registry)
    registry.open_account("K1", "Plant 1")
    registry.issue("CEA", 0, 10)
    registry.deposit(0, 500)
    registry.transfer_in(0, "CEA", 4)
    assert registry.balances(0) == Balances(0, 500, {"CEA": Holding(6, 4, 0)})
    batch = registry.pending_commands(venue.state)
    assert batch["ref"].tolist() == [1, 2, 3]
    assert batch["kind"].tolist() == [Kind.OPEN_ACCOUNT, Kind.CASH_IN, Kind.TRANSFER_IN]
    venue.submit(batch, heard=False)
    assert registry.violations(venue.state) == []  # the audit allows for what is not yet heard
    assert registry.balances(0).cash_in_transit_fen == 500
    assert registry.record_done(3) == 3
    assert registry.record_done(3) == 0
    assert registry.balances(0) == Balances(500, 0, {"CEA": Holding(6, 0, 4)})
    assert len(registry.pending_commands(venue.state)) == 0
    assert registry.holdings("CEA") == {0: Holding(6, 0, 4)}
    venue.sound()


def test_a_number_sent_twice_is_done_once_in_02(registry: Registry) -> None:
    venue = Venue(registry)
    registry.open_account("K1", "Plant 1")
    registry.deposit(0, 500)
    batch = registry.pending_commands(venue.state)
    venue.submit(batch)
    again = venue.submit(batch)
    assert (again["reason"] == Reason.DUPLICATE_INSTRUCTION).all()
    assert registry.balances(0).cash_fen == 500
    registry.record_refused(2, Reason.DUPLICATE_INSTRUCTION)  # "done before" is no refusal
    venue.sound()


def test_an_unlisted_vintage_comes_back_rg_24_e86(venue: Venue) -> None:
    venue.registry.issue("CEA23", 0, 10)
    venue.registry.transfer_in(0, "CEA23", 7)
    venue.registry.deposit(0, 9)
    events = venue.instruct()
    assert events["reason"].tolist() == [Reason.UNKNOWN_INSTRUMENT, Reason.NONE]
    assert venue.registry.balances(0).holdings["CEA23"] == Holding(10, 0, 0)
    venue.registry.record_refused(4 + 4 + 8 + 1, Reason.UNKNOWN_INSTRUMENT)  # told again
    assert venue.registry.balances(0).holdings["CEA23"] == Holding(10, 0, 0)
    venue.sound()


@pytest.mark.parametrize("marked_done", [False, True])
def test_refused_money_goes_back_to_the_bank(venue: Venue, marked_done: bool) -> None:
    venue.registry.deposit(0, 5)
    number = int(venue.registry.pending_commands(venue.state)[0]["ref"])
    if marked_done:  # somebody counted a later number first
        venue.registry.record_done(number)
        assert venue.registry.violations(venue.state) != []
    venue.registry.record_refused(number, Reason.AMOUNT_INVALID)
    venue.registry.record_refused(number, Reason.AMOUNT_INVALID)
    assert venue.registry.balances(0) == Balances(
        100_000_000, 0, {"CEA": Holding(10_000, 0, 10_000), "CEA21": Holding(10_000, 0, 10_000)}
    )
    assert len(venue.registry.pending_commands(venue.state)) == 0
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    statement = venue.registry.statement(0, DATES[0])
    assert statement is not None
    assert (statement.cash_in, statement.cash_out) == (100_000_000, 0)
    venue.sound()


def test_answers_that_cannot_be_stop(venue: Venue) -> None:
    with stopped("instruction_unknown"):
        venue.registry.record_done(99)
    with stopped("instruction_unknown"):
        venue.registry.record_refused(99, Reason.QTY_INVALID)
    with stopped("account_refused"):
        venue.registry.record_refused(1, Reason.ACCOUNT_EXISTS)
    venue.sound()


def test_goods_and_money_wait_while_the_exchange_rests_st_16(venue: Venue) -> None:
    venue.close_day()
    venue.registry.open_account("K9", "Plant 9")
    venue.registry.deposit(4, 5)
    venue.registry.open_account("K10", "Plant 10")
    assert venue.registry.pending_commands(venue.state)["kind"].tolist() == [Kind.OPEN_ACCOUNT]
    venue.instruct()
    venue.settle()
    assert len(venue.registry.pending_commands(venue.state)) == 2
    events = venue.instruct()
    assert not (events["kind"] == Event.REFUSED).any()
    venue.sound()


def test_what_leaves_is_booked_once_a_seq_f31_f32(venue: Venue) -> None:
    registry = venue.registry
    first = registry.receive_out(901, Kind.CASH_OUT, 0, None, 40)
    assert registry.receive_out(901, Kind.CASH_OUT, 0, None, 40) == first
    second = registry.receive_out(900, Kind.TRANSFER_OUT, 0, "CEA", 30)  # late, out of order
    assert registry.receive_out(900, Kind.TRANSFER_OUT, 0, "CEA", 30) == second
    assert registry.balances(0).cash_fen == 100_000_000 - 40
    assert registry.balances(0).holdings["CEA"] == Holding(10_030, 0, 9_970)
    assert registry.violations() == []
    for altered in (
        (901, Kind.CASH_OUT, 0, None, 41),
        (901, Kind.CASH_OUT, 1, None, 40),
        (900, Kind.TRANSFER_OUT, 0, "CEA21", 30),
        (900, Kind.CASH_OUT, 0, None, 30),
    ):
        with stopped("inbox_differs"):
            registry.receive_out(*altered)
    assert registry.violations() == []


def test_what_the_registry_does_not_see_cannot_leave(venue: Venue) -> None:
    for kind, vintage, amount in (
        (Kind.CASH_OUT, None, 100_000_001),
        (Kind.TRANSFER_OUT, "CEA", 10_001),
    ):
        with stopped("out_uncovered"):
            venue.registry.receive_out(900, kind, 0, vintage, amount)
    for kind, vintage in ((Kind.CASH_OUT, "CEA"), (Kind.TRANSFER_OUT, None), (Kind.LIST, "CEA")):
        with refused("kind_invalid"):
            venue.registry.receive_out(900, kind, 0, vintage, 1)
    with refused("qty_invalid"):
        venue.registry.receive_out(900, Kind.TRANSFER_OUT, 0, "CEA", 0)
    with refused("unknown_vintage"):
        venue.registry.receive_out(900, Kind.TRANSFER_OUT, 0, "CEA99", 1)
    venue.sound()


def test_a_tape_absorbed_again_changes_nothing(venue: Venue) -> None:
    venue.registry.issue("CEA23", 0, 10)
    venue.registry.transfer_in(0, "CEA23", 7)
    venue.registry.deposit(1, 77)
    venue.instruct()
    venue.do(Kind.TRANSFER_OUT, account=0, instrument=1, qty_tonnes=3)
    venue.do(Kind.CASH_OUT, account=1, amount=10)
    before = [venue.registry.balances(account) for account in range(4)]
    for commands, events in venue.tape:
        venue.registry.absorb(commands, events, venue.codes)
    assert [venue.registry.balances(account) for account in range(4)] == before
    venue.sound()


def test_in_and_out_again_within_one_batch(venue: Venue) -> None:
    venue.registry.deposit(0, 1_000)
    batch = venue.registry.pending_commands(venue.state)
    out = batch.copy()
    out["kind"], out["ref"], out["amount"] = Kind.CASH_OUT, 0, 100_001_000
    venue.submit(np.concatenate([batch, out]))
    assert venue.registry.balances(0).cash_fen == 0
    venue.sound()
