"""Who may do what (rules.md 7.5): every message type times every role, over a real session."""

from pathlib import Path
from typing import get_args

import pytest

from gateway.authority import ACCOUNT_ROLES, OFFICE_ROLES, PERMITTED, ROLES, permitted
from gateway.protocol import tag_of
from gateway.rest.routes import routes
from gateway.wire import messages as m
from tests.unit.gateway.inline_desk import Floor, sample, say

FREE = {"login", "logout", "ping"}
PROVINCES = {"provincial_authority": "11"}


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def test_every_message_type_has_a_rule() -> None:
    types = {tag_of(kind) for kind in m.Request.__args__} - FREE
    rules = {what for what in PERMITTED if "." not in what and " " not in what}
    assert types == rules
    assert all(PERMITTED.values())
    assert {role for roles in PERMITTED.values() for role in roles} <= set(ROLES)


def test_every_private_page_has_a_rule(floor: Floor) -> None:
    class Bare:
        market = type("Market", (), {"path": ""})()
        registry = type("Registry", (), {"approvals": type("Approvals", (), {"all": None})})()
        keys = None

    found = set()
    for route in routes(Bare()).routes:  # type: ignore[arg-type]
        private = {"mine", "office"} & set(route.tags)
        for method in route.methods if private else ():
            found.add(f"{method} {route.path.split('/{')[0]}")
    assert found == {what for what in PERMITTED if " " in what}


def test_what_no_rule_names_nobody_may_do() -> None:
    assert not any(permitted((role,), "no such message") for role in ROLES)
    assert not permitted((), "list")
    assert not permitted(("owner",), "list")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_exactly_what_the_table_says(floor: Floor, role: str) -> None:
    """Whoever may not is told not_permitted, and nothing has changed."""
    if role in OFFICE_ROLES:
        key = floor.keys.create_office(role, "somebody", province=PROVINCES.get(role, ""))
    else:
        key = floor.keys.create(0, "person", (role,))
    session = floor.session_of(key)
    for number, kind in enumerate(k for k in m.Request.__args__ if tag_of(k) not in FREE):
        if tag_of(kind) in {"transfer_in", "cash_in"} and permitted((role,), tag_of(kind)):
            continue  # they ask the registry, see the tests with a live one
        before = floor.digest()
        said = say(session, sample(kind, f"m{number}"))
        codes = [getattr(each, "code", "") for each in said]
        if permitted((role,), tag_of(kind)) and tag_of(kind) != "propose":
            assert "not_permitted" not in codes, (role, kind)
        elif tag_of(kind) != "propose":
            assert codes == ["not_permitted"], (role, kind)
            assert floor.digest() == before


def test_a_key_with_several_roles_may_what_each_may(floor: Floor) -> None:
    session = floor.session_of(floor.keys.create(0, "both", ("viewer", "funds")))
    (refused,) = say(session, sample(m.List, "a"))
    assert refused.code == "not_permitted"
    (moved,) = say(session, {"type": "cash_out", "client_order_id": "b", "amount": "1.00"})
    assert (moved.direction, moved.amount_fen) == ("out", 100)


def test_the_account_roles_and_the_institutions_do_not_mix(floor: Floor) -> None:
    with pytest.raises(ValueError, match="roles"):
        floor.keys.create(0, "x", ("exchange_operator",))
    with pytest.raises(ValueError, match="roles"):
        floor.keys.create_office("trader")
    assert not set(ACCOUNT_ROLES) & set(OFFICE_ROLES)
    assert get_args(m.Command)
