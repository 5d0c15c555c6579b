"""Proposals that are taken back, and rules that two people change (ST-07, TR-14, TR-27)."""

import dataclasses
import datetime as dt
from itertools import count
from pathlib import Path

import pytest

from engine.accounts import PARAMETER_BOUNDS
from engine.records import RULES, Kind, Phase
from engine.rulebook import Rulebook, Rules, parameter_commands
from gateway.desk.proposals import Proposals
from gateway.desk.rule_changes import PARAMETERS, bounds, standing
from gateway.wire.rare_messages import ParameterChanged, Proposal
from tests.unit.gateway.inline_desk import Floor, say

_ids = count()
FEES = {"action": "set_parameter", "parameter": "listed_trading_fee_ppm", "value": 500}
TUESDAY = dt.date(2026, 1, 6)


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def message(kind: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "client_order_id": f"i{next(_ids)}", **fields}


def rest(floor: Floor) -> None:
    """End the day: rules change between two days only."""
    for kind, ref in (
        (Kind.SET_PHASE, Phase.LUNCH),
        (Kind.SET_PHASE, Phase.AFTERNOON),
        (Kind.CLOSE_DAY, 0),
        (Kind.CONFIRM_DAY, 1),
        (Kind.POST_DAY, 1),
    ):
        floor.cycle(kind, ref)


def decide(floor: Floor, **fields: object) -> list[object]:
    """Propose and approve by two people of the exchange; return what the checker hears."""
    maker, checker = floor.office("exchange_operator"), floor.office("exchange_operator")
    (proposed,) = say(maker, message("propose", **fields))
    return say(checker, message("approve", proposal_id=proposed.proposal_id))


def wanted(floor: Floor, rules: Rules) -> dict[str, int]:
    """What the day cycle would send under these rules, by parameter."""
    state = floor.exchange.state
    batch = parameter_commands(rules, state.rules, state.instruments)
    names = {number: name for name, number in PARAMETERS.items()}
    kept = standing(batch, floor.desk.institutions.proposals, state, lambda _: Rulebook.on(TUESDAY))
    return {names[int(each["ref"])]: int(each["amount"]) for each in batch[~kept]}


def test_a_maker_takes_a_proposal_back_once_and_nobody_can_approve_it(floor: Floor) -> None:
    digest = floor.digest()
    maker, other = floor.office("exchange_operator"), floor.office("exchange_operator")
    (proposed,) = say(maker, message("propose", action="void_trade", trade_no=1))
    sent = message("withdraw_proposal", proposal_id=proposed.proposal_id)
    (no,) = say(other, sent)
    assert no.code == "not_the_maker"
    (withdrawn,) = say(maker, sent)
    assert isinstance(withdrawn, Proposal)
    assert (withdrawn.status, withdrawn.checker) == ("withdrawn", 0)
    assert withdrawn.client_order_id == sent["client_order_id"]
    for session, kind in ((maker, "withdraw_proposal"), (other, "approve")):
        (late,) = say(session, message(kind, proposal_id=proposed.proposal_id))
        assert late.code == "proposal_decided"
    for unknown in (7, -1):
        (no,) = say(maker, message("withdraw_proposal", proposal_id=unknown))
        assert no.code == "unknown_proposal"
    court = floor.office("registry_maker")
    (no,) = say(court, message("withdraw_proposal", proposal_id=proposed.proposal_id))
    assert no.code == "unknown_proposal"
    assert floor.digest() == digest


def test_what_was_decided_cannot_be_withdrawn(floor: Floor) -> None:
    maker, checker = floor.office("exchange_operator"), floor.office("supervisor")
    for verb in ("approve", "reject_proposal"):
        (proposed,) = say(maker, message("propose", action="void_trade", trade_no=1))
        say(checker, message(verb, proposal_id=proposed.proposal_id))
        maker.output()
        (no,) = say(maker, message("withdraw_proposal", proposal_id=proposed.proposal_id))
        assert no.code == "proposal_decided"


def test_a_withdrawal_is_durable(tmp_path: Path) -> None:
    path = tmp_path / "proposals.jsonl"
    kept = Proposals(path)
    stored = kept.propose("void_trade", {"trade_no": 1}, 1_000_000, "a")
    kept.withdraw(stored.proposal_id)
    (found,) = Proposals(path).all()
    assert (found.status, found.checker) == ("withdrawn", 0)
    assert Proposals(path).missing(set()) == []


def test_a_rule_is_changed_between_two_days_by_two_people(floor: Floor) -> None:
    rest(floor)
    trader = floor.session(0)
    changed, decided = decide(floor, **FEES)
    assert isinstance(changed, ParameterChanged)
    assert (changed.parameter, changed.value, changed.instrument) == (
        "listed_trading_fee_ppm",
        500,
        "",
    )
    assert isinstance(decided, Proposal)
    assert (decided.parameter, decided.value, decided.status) == (
        *list(FEES.values())[1:],
        "approved",
    )
    assert int(floor.exchange.state.rules[0]["listed_trading_fee_ppm"]) == 500
    weight = {"action": "set_parameter", "parameter": "composite_weight", "value": 7}
    changed, _ = decide(floor, **weight, instrument="CEA25")
    assert (changed.instrument, changed.value) == ("CEA25", 7)
    assert int(floor.exchange.state.instruments["weight"][5]) == 7
    assert trader.output() == []


def test_while_a_day_is_open_the_exchange_refuses(floor: Floor) -> None:
    """TR-14, TR-27: both people hear it; nothing stands against the rulebook."""
    refused, decided = decide(floor, **FEES)
    assert (refused.code, decided.status) == ("phase_closed", "approved")
    rest(floor)
    before = int(floor.exchange.state.rules[0]["listed_trading_fee_ppm"])
    rules = dataclasses.replace(Rulebook.on(TUESDAY), listed_trading_fee_ppm=before + 1)
    assert wanted(floor, rules) == {"listed_trading_fee_ppm": before + 1}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"parameter": "gravity"}, "out_of_range"),
        ({"value": -1}, "out_of_range"),
        ({"value": 100_001}, "out_of_range"),
        ({"parameter": "composite_weight"}, "missing_field"),
        ({"instrument": "CEA25"}, "conflicting_fields"),
        ({"instrument": "CEA99"}, "unknown_instrument"),
        ({"qty_tonnes": 1}, "conflicting_fields"),
        ({"trade_no": 1}, "conflicting_fields"),
        ({"value": None}, "missing_field"),
        ({"parameter": None}, "missing_field"),
        ({"action": "void_trade", "trade_no": 1}, "conflicting_fields"),
    ],
    ids=str,
)
def test_proposals_of_rules_that_are_none(floor: Floor, changes: dict, code: str) -> None:
    maker = floor.office("exchange_operator")
    sent = message("propose", **FEES) | changes
    (no,) = say(maker, {name: value for name, value in sent.items() if value is not None})
    assert no.code == code
    assert floor.desk.institutions.proposals.all() == []


def test_only_people_of_the_exchange_propose_rules(floor: Floor) -> None:
    for role, code in (("registry_maker", "not_permitted"), ("supervisor", "not_permitted")):
        (no,) = say(floor.office(role), message("propose", **FEES))
        assert no.code == code
    (proposed,) = say(floor.office("exchange_operator"), message("propose", **FEES))
    (no,) = say(
        floor.office("registry_checker"), message("approve", proposal_id=proposed.proposal_id)
    )
    assert no.code == "unknown_proposal"


def test_every_parameter_has_a_name_and_bounds() -> None:
    assert set(PARAMETERS.values()) == set(PARAMETER_BOUNDS)
    assert set(RULES.names or ()) < set(PARAMETERS)
    assert bounds("listed_band_bp") == (1, 9_999)


def test_what_two_people_set_stands_until_the_rulebook_changes_it(floor: Floor) -> None:
    rest(floor)
    rules = Rulebook.on(TUESDAY)
    assert wanted(floor, rules) == {}
    decide(floor, **FEES)
    decide(floor, action="set_parameter", parameter="composite_weight", value=7, instrument="CEA25")
    decide(floor, action="set_parameter", parameter="take_levels_max", value=9)
    (last, *_) = floor.desk.institutions.proposals.all()
    assert last.first_day == 20260106
    assert wanted(floor, rules) == {}
    later = dataclasses.replace(rules, listed_trading_fee_ppm=900)
    assert wanted(floor, later) == {"listed_trading_fee_ppm": 900}
    batch = parameter_commands(later, floor.exchange.state.rules, floor.exchange.state.instruments)
    floor.sequencer.submit(batch[batch["ref"] == PARAMETERS["listed_trading_fee_ppm"]])
    assert wanted(floor, later) == {}
    decide(floor, action="set_parameter", parameter="take_levels_max", value=rules.take_levels_max)
    assert wanted(floor, dataclasses.replace(rules, take_levels_max=4)) == {
        "listed_trading_fee_ppm": rules.listed_trading_fee_ppm,
        "take_levels_max": 4,
    }
