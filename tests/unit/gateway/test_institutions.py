"""Measures, halts, the kill switch, and what two people decide (TR-111…121, ST-07)."""

from itertools import count
from pathlib import Path

import pytest

from engine.records import Kind, Phase
from gateway.desk.proposals import Proposals, ProposalsDamageError
from gateway.keys import OFFICE_FIRST, Keys, derived_secret
from gateway.wire.rare_messages import Killed, Proposal, TradeVoided
from tests.unit.gateway.inline_desk import Floor, order, say

_ids = count()


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def message(kind: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "client_order_id": f"i{next(_ids)}", **fields}


def test_measures_are_told_to_the_account_and_to_who_took_them(floor: Floor) -> None:
    """TR-111, TR-113, TR-115, TR-116; the account does not hear of the operator's request."""
    trader, other = floor.session(0), floor.session(1)
    operator = floor.office("exchange_operator")
    for sent in (
        message("block_account", account=0, blocks=["buy", "cash_out"]),
        message("guard_holding", account=0, instrument="CEA25", qty_tonnes=5),
        message("limit_holding", account=0, qty_tonnes=10**9),
        message("warn_account", account=0, stage=2),
    ):
        (done,) = say(operator, sent)
        assert done.client_order_id == sent["client_order_id"]
        (told,) = trader.output()
        assert (type(told), told.account, told.client_order_id) == (type(done), 0, "")
    assert other.output() == []
    (refused,) = say(trader, order("a", side="buy", price="74.00"))
    assert refused.code == "account_restricted"
    (cash,) = say(trader, message("cash_out", amount_fen=100))
    assert cash.code == "account_restricted"
    say(operator, message("block_account", account=0, blocks=[]))
    (lifted,) = trader.output()
    assert lifted.blocks == ()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (message("block_account", account=99, blocks=[]), "unknown_account"),
        (message("block_account", account=0, blocks=["breathe"]), "out_of_range"),
        (message("block_account", account=-1, blocks=[]), "out_of_range"),
        (message("guard_holding", account=0, instrument="X", qty_tonnes=1), "unknown_instrument"),
        (message("guard_holding", account=0, instrument="CEA25", qty_tonnes=-1), "qty_invalid"),
        (message("limit_holding", account=0, qty_tonnes=-1), "qty_invalid"),
        (message("warn_account", account=0, stage=5), "parameter_invalid"),
        (message("resume_market"), "phase_order"),
        (message("resume_instrument", instrument="CEA25"), "phase_order"),
        (message("notice_session", session_no=9, opens="10:00", closes="10:30"), "unknown_session"),
        (message("notice_session", session_no=9, opens="24:00", closes="10:30"), "wrong_type"),
        (message("reject_session", session_no=9), "unknown_session"),
        (message("kill", account=99), "unknown_account"),
        ({"type": "admit_instrument", "instrument": "CEA26"}, "phase_closed"),
        ({"type": "admit_instrument", "instrument": "CEA25"}, "instrument_listed"),
        ({"type": "admit_instrument", "instrument": "CE A"}, "client_order_id_invalid"),
        (message("propose", action="void_trade"), "missing_field"),
        (message("propose", action="void_trade", trade_no=1, account=0), "conflicting_fields"),
        (message("propose", action="steal"), "out_of_range"),
        (message("propose", action="freeze_holding"), "not_permitted"),
        (message("approve", proposal_id=7), "unknown_proposal"),
        (message("list"), "missing_field"),
        ({"type": "halt_market", "client_order_id": "I7"}, "client_order_id_invalid"),
        ({"type": "halt_market", "client_order_id": "P7"}, "client_order_id_invalid"),
    ],
    ids=lambda each: str(each)[:50],
)
def test_bad_requests_of_an_operator_change_nothing(floor: Floor, sent: dict, code: str) -> None:
    operator, trader = floor.office("exchange_operator"), floor.session(0)
    accounts = floor.exchange.state.accounts.tobytes()
    (said,) = say(operator, sent)
    assert said.code == code
    assert floor.exchange.state.accounts.tobytes() == accounts
    assert trader.output() == []


def test_halts(floor: Floor) -> None:
    """TR-117: cancels go on."""
    trader, operator = floor.session(0), floor.office("exchange_operator")
    (listed,) = say(trader, order("a"))
    (halted,) = say(operator, message("halt_instrument", instrument="CEA25"))
    assert halted.instrument == "CEA25"
    (refused,) = say(trader, order("b"))
    assert refused.code == "instrument_halted"
    say(operator, message("resume_instrument", instrument="CEA25"), message("halt_market"))
    (refused,) = say(trader, order("c"))
    assert refused.code == "market_halted"
    cancel = {"type": "cancel", "client_order_id": "d", "order_no": listed.order_no}
    (cancelled,) = say(trader, cancel)
    assert cancelled.code == "by_owner"
    (resumed,) = say(operator, message("resume_market"))
    assert resumed.instrument == ""
    (accepted,) = say(trader, order("e"))
    assert accepted.order_no > listed.order_no


def test_an_account_kills_its_own_orders_and_nobody_elses(floor: Floor) -> None:
    """TR-115: all own orders go, own buying and selling is blocked until the exchange lifts it."""
    victim, other = floor.session(0), floor.session(1)
    say(victim, order("a"), order("b", price="80.10"))
    (kept,) = say(other, order("c", price="80.20"))
    for extra in ({"account": 1}, {"blocks": []}):
        (refused,) = say(victim, message("kill", **extra))
        assert refused.code == "not_permitted"
    sent = message("kill")
    first, second, killed = say(victim, sent)
    assert isinstance(killed, Killed)
    assert (killed.cancelled, killed.account, killed.client_order_id) == (
        2,
        0,
        sent["client_order_id"],
    )
    assert {first.code, second.code} == {"killed"}
    assert {first.request_id, second.request_id} == {""}
    (again,) = say(victim, sent)
    assert isinstance(again, Killed)
    assert again.repeated
    assert other.output() == []
    (refused,) = say(victim, order("d"))
    assert refused.code == "account_restricted"
    status = {"type": "status", "client_order_id": "c"}
    assert say(other, status)[0].order_status == "open"
    assert kept.order_no


def test_the_operators_kill_switch(floor: Floor) -> None:
    """TR-117: an account, an instrument, or the whole market."""
    trader, other = floor.session(0), floor.session(1)
    operator = floor.office("exchange_operator")
    say(trader, order("a"))
    (killed,) = say(operator, message("kill", account=0, blocks=["buy"]))
    assert killed.cancelled == 1
    cancelled, told = trader.output()
    assert (cancelled.code, told.client_order_id) == ("killed", "")
    say(trader, order("b"))
    say(other, order("c", price="80.10"))
    (killed,) = say(operator, message("kill", instrument="CEA25"))
    assert (killed.cancelled, killed.instrument, killed.account) == (2, "CEA25", -1)
    other.output()
    (refused,) = say(other, order("d"))
    assert refused.code == "instrument_halted"
    say(operator, message("resume_instrument", instrument="CEA25"), message("kill"))
    (refused,) = say(other, order("e"))
    assert refused.code == "market_halted"


def trade(floor: Floor) -> int:
    (listed,) = say(floor.session(0), order(f"l{next(_ids)}", qty_tonnes=10))
    take = message("take", order_no=listed.order_no, qty_tonnes=10)
    return say(floor.session(1), take)[1].trade_no


def test_a_trade_is_voided_by_two_people(floor: Floor) -> None:
    """TR-121, ST-07: what is approved is what was proposed; both are told, and both owners."""
    number = trade(floor)
    seller, buyer = floor.session(0), floor.session(1)
    maker, checker = floor.office("exchange_operator"), floor.office("exchange_operator")
    sent = message("propose", action="void_trade", trade_no=number)
    (proposed,) = say(maker, sent)
    assert isinstance(proposed, Proposal)
    assert (proposed.status, proposed.maker) == ("pending", maker.operator)
    assert say(maker, sent) == [proposed]
    (differs,) = say(maker, sent | {"trade_no": number + 1})
    assert differs.code == "duplicate_client_order_id"
    approve = message("approve", proposal_id=proposed.proposal_id)
    (own,) = say(maker, approve)
    assert own.code == "maker_may_not_approve"
    assert seller.output() == []
    said = say(checker, approve)
    assert [type(each) for each in said] == [TradeVoided, Proposal]
    assert (said[1].status, said[1].checker) == ("approved", checker.operator)
    assert said[1].client_order_id == approve["client_order_id"]
    assert [type(each) for each in maker.output()] == [TradeVoided, Proposal]
    (sold,), (bought,) = seller.output(), buyer.output()
    assert (sold.side, bought.side, sold.trade_no) == ("sell", "buy", number)
    assert sold.order_no != bought.order_no
    (late,) = say(checker, message("approve", proposal_id=proposed.proposal_id))
    assert late.code == "proposal_decided"
    command = floor.record.commands.all[-1]
    assert (int(command["operator"]), int(command["checker"])) == (maker.operator, checker.operator)


def test_a_rejected_proposal_does_nothing(floor: Floor) -> None:
    number, digest = trade(floor), floor.digest()
    maker, checker = floor.office("exchange_operator"), floor.office("supervisor")
    (proposed,) = say(maker, message("propose", action="void_trade", trade_no=number))
    sent = message("reject_proposal", proposal_id=proposed.proposal_id)
    (rejected,) = say(checker, sent)
    assert (rejected.status, rejected.client_order_id) == ("rejected", sent["client_order_id"])
    (told,) = maker.output()
    assert told.status == "rejected"
    assert floor.digest() == digest


def test_court_orders_are_the_registrys(floor: Floor) -> None:
    """RG-15, ST-07: the registry's maker and checker, not the exchange's people."""
    trader = floor.session(0)
    maker, checker = floor.office("registry_maker"), floor.office("registry_checker")
    operator = floor.office("exchange_operator")
    for action, qty in (("freeze_holding", 50), ("release_holding", 20), ("deduct_holding", 30)):
        sent = message("propose", action=action, account=0, instrument="CEA25", qty_tonnes=qty)
        (proposed,) = say(maker, sent)
        approve = message("approve", proposal_id=proposed.proposal_id)
        (no,) = say(operator, approve)
        assert no.code == "unknown_proposal"
        (done, _) = say(checker, approve)
        assert done.qty_tonnes == qty
        (told,) = trader.output()
        assert (type(told), told.account) == (type(done), 0)
        assert len(maker.output()) == 2
    held = floor.exchange.state.holdings[0, 5]
    assert int(held["judicial_tonnes"]) == 0


def test_what_the_exchange_refuses_both_people_hear(floor: Floor) -> None:
    maker, checker = floor.office("exchange_operator"), floor.office("exchange_operator")
    (proposed,) = say(maker, message("propose", action="void_trade", trade_no=4711))
    refused, decided = say(checker, message("approve", proposal_id=proposed.proposal_id))
    assert (refused.code, decided.status) == ("unknown_trade", "approved")
    assert maker.output()[0].code == "unknown_trade"


def test_proposals_are_durable_and_what_was_approved_is_missed_once(tmp_path: Path) -> None:
    path = tmp_path / "proposals.jsonl"
    kept = Proposals(path)
    one = kept.propose("void_trade", {"trade_no": 1}, OFFICE_FIRST, "a")
    two = kept.propose("void_trade", {"trade_no": 2}, OFFICE_FIRST, "b")
    kept.decide(one.proposal_id, OFFICE_FIRST + 1, approved=True)
    with path.open("a") as file:
        file.write('{"torn')
    again = Proposals(path)
    assert [each.status for each in again.all()] == ["approved", "pending"]
    assert [each.proposal_id for each in again.missing(set())] == [one.proposal_id]
    assert again.missing({one.name}) == []
    assert again.propose("void_trade", {"trade_no": 3}, OFFICE_FIRST, "c").proposal_id == 3
    assert len(Proposals(path).all()) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text().replace('"maker"', '"mak"', 1)
    path.write_text(text)
    with pytest.raises(ProposalsDamageError, match="line 1"):
        Proposals(path)
    assert two.status == "pending"


def test_an_admin_manages_the_keys_of_its_account_only(floor: Floor) -> None:
    """TR-08: no secret travels; the connections of a changed key end."""
    admin = floor.session(0)
    created = message("create_key", roles=["trader"], key_id="desk-2")
    (issued,) = say(admin, created)
    secret = derived_secret(floor.key[0].secret, "desk-2", issued.salt)
    key = floor.keys.find("desk-2")
    assert key is not None
    assert (key.secret, key.roles, key.account) == (secret, ("trader",), 0)
    assert key.person not in {each.person for each in floor.key}
    trader = floor.session_of(key)
    (accepted,) = say(trader, order("a"))
    assert accepted.order_no
    admin.output()
    (changed,) = say(admin, message("rotate_key", key_id="desk-2"))
    assert changed.person == key.person
    assert trader.output()[-1].code == "key_changed"
    assert trader.close_code == 4004
    newer = floor.keys.find("desk-2")
    assert newer is not None
    again = floor.session_of(newer)
    (revoked,) = say(admin, message("revoke_key", key_id="desk-2"))
    assert revoked.key_id == "desk-2"
    assert again.output()[-1].code == "key_changed"
    assert floor.keys.find("desk-2") is None
    for sent, code in (
        (message("create_key", roles=["trader"], key_id="key-1"), "key_exists"),
        (message("create_key", roles=["supervisor"]), "unknown_role"),
        (message("create_key", roles=[]), "unknown_role"),
        (message("create_key", roles=["viewer"], key_id="no spaces"), "client_order_id_invalid"),
        (message("rotate_key", key_id="key-1"), "unknown_key"),
        (message("revoke_key", key_id="key-1"), "unknown_key"),
        (message("revoke_key", key_id="never"), "unknown_key"),
    ):
        (refused,) = say(admin, sent)
        assert refused.code == code
    assert floor.keys.find("key-1") == floor.key[1]


def test_ids_of_institutions_are_learnt_again_after_a_restart(floor: Floor) -> None:
    operator = floor.office("exchange_operator")
    sent = message("halt_instrument", instrument="CEA25")
    say(operator, sent)
    known = dict(floor.record.ids_of(operator.owner))
    assert list(known) == [sent["client_order_id"]]
    floor.record.ids.clear()
    floor.record.learn_ids()
    assert floor.record.ids_of(operator.owner) == known


def test_instruments_are_admitted_while_no_day_is_open(floor: Floor) -> None:
    """TR-04, VM-06: by an operator, in the next row; its code is the id of the request."""
    operator = floor.office("exchange_operator")
    for kind, ref in (
        (Kind.SET_PHASE, Phase.LUNCH),
        (Kind.SET_PHASE, Phase.AFTERNOON),
        (Kind.CLOSE_DAY, 0),
        (Kind.CONFIRM_DAY, 1),
        (Kind.POST_DAY, 1),
    ):
        floor.cycle(kind, ref)
    operator.output()
    sent = {"type": "admit_instrument", "instrument": "CEA26", "price": "70.00"}
    (admitted,) = say(operator, sent)
    assert (admitted.instrument, admitted.price_ticks) == ("CEA26", 7000)
    assert admitted.client_order_id == "CEA26"
    (again,) = say(operator, sent)
    assert again.code == "instrument_listed"
    assert floor.desk.instruments["CEA26"] == 6


def test_keys_of_the_build_before_are_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(
        '[{"key_id": "a", "secret": "s", "account": 0, "scopes": ["trade", "read"]},'
        ' {"key_id": "b", "secret": "t", "account": 1, "scopes": ["read"]}]'
    )
    keys = Keys(path)
    one, two = keys.find("a"), keys.find("b")
    assert one is not None
    assert two is not None
    assert (one.roles, two.roles, one.person, two.person) == (
        ("viewer", "trader"),
        ("viewer",),
        1,
        2,
    )
    assert keys.create(2, "c").person == 3
    assert '"version": 3' in path.read_text()
    path.write_text('{"version": 4, "keys": []}')
    with pytest.raises(ValueError, match="version 4"):
        Keys(path)
