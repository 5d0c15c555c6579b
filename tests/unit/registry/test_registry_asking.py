"""What subjects ask for under an id of their own is done once (RG-07, ST-14, F31, F32)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.records import Event, Kind
from registry import instructions
from registry.errors import RefusalError
from registry.institution import Registry
from registry.offices import asked
from tests.unit.registry.registry_venue import NOW_NS, Venue

HOUR_NS = 3_600 * 10**9


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


def test_the_same_request_again_gets_the_first_answer_and_moves_nothing(venue: Venue) -> None:
    registry = venue.registry
    first = registry.deposit(0, 500, NOW_NS, "a")
    moved = registry.transfer_in(0, "CEA", 7, NOW_NS, "b")
    assert moved == first + 1
    books = registry.balances(0)
    for at_ns in (NOW_NS, NOW_NS + HOUR_NS, NOW_NS + 10 * HOUR_NS):  # also after the window
        assert registry.deposit(0, 500, at_ns, "a") == first
        assert registry.transfer_in(0, "CEA", 7, at_ns, "b") == moved
    assert registry.balances(0) == books
    venue.instruct()
    assert registry.deposit(0, 500, NOW_NS, "a") == first
    assert len(registry.pending_commands(venue.state)) == 0
    venue.sound()


def test_another_content_under_the_same_id_is_refused(venue: Venue) -> None:
    registry = venue.registry
    registry.deposit(0, 500, NOW_NS, "a")
    before = registry.balances(0)
    for ask in (
        lambda: registry.deposit(0, 501, NOW_NS, "a"),
        lambda: registry.transfer_in(0, "CEA", 500, NOW_NS, "a"),
        lambda: registry.transfer_in(0, "CEA99", 500, NOW_NS, "a"),
    ):
        with refused("request_differs"):
            ask()
    assert registry.balances(0) == before


def test_the_key_is_account_day_and_id(venue: Venue) -> None:
    registry = venue.registry
    numbers = {
        registry.deposit(0, 500, NOW_NS, "a"),
        registry.deposit(1, 500, NOW_NS, "a"),
        registry.deposit(0, 500, NOW_NS, "A"),
        registry.deposit(0, 500, NOW_NS + 72 * HOUR_NS, "a"),  # from Friday to Monday
        registry.deposit(0, 500),
        registry.deposit(0, 500),
    }
    assert len(numbers) == 6


def test_a_refused_request_leaves_its_id_free(venue: Venue) -> None:
    registry = venue.registry
    with refused("insufficient_holding"):
        registry.transfer_in(0, "CEA", 10_001, NOW_NS, "a")
    with refused("window_closed"):
        registry.transfer_in(0, "CEA", 5, NOW_NS + 10 * HOUR_NS, "a")
    assert registry.asked_since(NOW_NS) == []
    assert registry.transfer_in(0, "CEA", 5, NOW_NS, "a") > 0


@pytest.mark.parametrize("bad", ["two words", "x" * 33, "碳", "a\n", " "])
def test_ids_that_are_none(venue: Venue, bad: str) -> None:
    with refused("request_id_invalid"):
        venue.registry.deposit(0, 5, NOW_NS, bad)
    with refused("time_invalid"):
        venue.registry.deposit(0, 5, None, "a")


def test_the_id_travels_with_the_instruction_and_its_answer_is_kept(venue: Venue) -> None:
    """RG-24: one of them is refused by the exchange."""
    registry = venue.registry
    registry.issue("CEA23", 0, 9)
    done = registry.deposit(0, 500, NOW_NS, "in-1")
    gone = registry.transfer_in(0, "CEA23", 9, NOW_NS, "in-2")
    plain = registry.deposit(0, 1)
    assert [each.status for each in registry.asked_since(NOW_NS)] == ["pending", "pending"]
    batch = registry.pending_commands(venue.state)
    assert dict(zip(batch["ref"].tolist(), batch["client_order_id"].tolist(), strict=True)) == {
        done: b"in-1",
        gone: b"in-2",
        plain: b"",
    }
    events = venue.submit(batch)
    assert [int(each["kind"]) for each in events].count(Event.REFUSED) == 1
    one, two = registry.asked_since(NOW_NS)
    assert (one.request_id, one.instruction, one.status) == ("in-1", done, "done")
    assert (one.account, one.kind, one.vintage, one.amount) == (0, "cash_in", "", 500)
    assert (two.status, two.reason) == ("refused", "unknown_instrument")
    assert two.vintage == "CEA23"
    assert registry.asked_since(NOW_NS + 24 * HOUR_NS) == []
    assert registry.transfer_in(0, "CEA23", 9, NOW_NS, "in-2") == gone


def test_pending_requests_of_earlier_days_are_remembered(venue: Venue) -> None:
    number = venue.registry.deposit(0, 500, NOW_NS, "a")
    (found,) = venue.registry.asked_since(NOW_NS + 72 * HOUR_NS)
    assert (found.date, found.instruction, found.status) == (20210716, number, "pending")


def test_a_deposit_that_goes_to_a_debt_has_no_instruction(venue: Venue) -> None:
    """ST-11: what an account owes comes first; asked again nothing is taken again."""
    registry = venue.registry
    venue.hand(
        "bank_debit",
        account=1,
        amount_fen=1_000,
        document="seized",
        limit_at_ns=NOW_NS + HOUR_NS,
    )
    assert registry.deposit(1, 600, NOW_NS, "a") == 0
    assert registry.deposit(1, 600, NOW_NS, "a") == 0
    number = registry.deposit(1, 600, NOW_NS, "b")
    assert [(each.request_id, each.moved) for each in registry.asked_since(NOW_NS)] == [
        ("a", 0),
        ("b", 200),
    ]
    assert number > 0
    assert registry.defaults()[0].topped_up_fen == 1_000


def test_ids_of_what_goes_out_are_kept_with_the_exchanges_seq(venue: Venue) -> None:
    """The exchange judges them: absorbing again, or a key that stands for more, changes nothing."""
    registry = venue.registry
    out = {"account": 2, "instrument": 0, "qty_tonnes": 5}
    venue.do(Kind.TRANSFER_OUT, **out, client_order_id=b"o-1")
    batch, events = venue.tape[-1]
    for _ in range(2):
        registry.absorb(batch, events, venue.codes)
    venue.do(Kind.TRANSFER_OUT, **out, client_order_id=b"o-1")
    venue.do(Kind.CASH_OUT, account=2, amount=7)
    with registry.database.read() as tx:
        kept = tx.execute(select(asked.c.request_id, asked.c.seq)).all()
    assert [tuple(row) for row in kept] == [("o-1", int(events[0]["seq"]))]
    assert registry.balances(2).holdings["CEA"].registry_available == 10_010
    venue.sound()


def test_the_key_is_written_with_the_booking_or_not_at_all(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.open_account("K1", "Plant 1")

    def fail(*_: object) -> int:
        raise OSError("the disk")

    before = registry.balances(0)
    monkeypatch.setattr(instructions, "_instruct", fail)
    with pytest.raises(OSError, match="disk"):
        registry.deposit(0, 5, NOW_NS, "a")
    assert registry.asked_since(NOW_NS) == []
    assert registry.balances(0) == before
