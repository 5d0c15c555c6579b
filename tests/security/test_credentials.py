"""Logins replayed, expired, forged, rotated, revoked; no comparison tells time (F25, F29)."""

import hmac
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from gateway import keys as keys_module
from gateway.desk.people import KEYS_PER_ACCOUNT_MAX
from gateway.keys import CLOCK_WINDOW_US, Key, Keys, login_signature
from gateway.protocol import Session, State
from gateway.wire.codec import JSON
from gateway.wire.messages import Login
from tests.unit.gateway.inline_desk import Floor, frame, login, order, say

GATEWAY = Path(keys_module.__file__).parent


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def challenged(floor: Floor, nonce: str) -> Session:
    session = Session(JSON, floor.desk, nonce)
    session.open()
    session.output()
    return session


def refused(session: Session, message: Login) -> bool:
    session.receive(frame(JSON, message))
    codes = [getattr(each, "code", "") for each in session.output()]
    if session.state is State.LOGGED_IN:
        return False
    assert codes == ["bad_credentials", "bad_credentials"]
    assert session.close_code == 4003
    return True


def test_a_login_is_good_for_its_own_nonce_only(floor: Floor) -> None:
    first = challenged(floor, "nonce-1")
    heard = login(first, floor.key[0])
    assert not refused(first, heard)
    assert refused(challenged(floor, "nonce-2"), heard)
    first.drop()
    assert refused(challenged(floor, "nonce-3"), heard)


@pytest.mark.parametrize("late_us", [CLOCK_WINDOW_US + 5_000_000, -CLOCK_WINDOW_US - 5_000_000])
def test_a_signature_ages(floor: Floor, late_us: int) -> None:
    session = challenged(floor, "n")
    assert refused(session, login(session, floor.key[0], late_us=late_us))
    session = challenged(floor, "n")
    assert not refused(session, login(session, floor.key[0], late_us=late_us // 2))


@pytest.mark.parametrize("change", ["time", "key", "signature", "empty", "case"])
def test_what_is_signed_cannot_be_changed(floor: Floor, change: str) -> None:
    session = challenged(floor, "n")
    good = login(session, floor.key[0])
    if change == "time":
        good.time_us += 1
    elif change == "key":
        good.key_id = floor.key[1].key_id
    elif change == "signature":
        good.signature = good.signature[:-1] + ("0" if good.signature[-1] != "0" else "1")
    else:
        good.signature = "" if change == "empty" else good.signature.upper()
    assert refused(session, good)


@pytest.mark.parametrize("command", ["rotate_key", "revoke_key"])
def test_a_changed_key_ends_its_lines_and_no_others(floor: Floor, command: str) -> None:
    old = floor.keys.create(0, "bot")
    lines = [floor.session_of(old), floor.session_of(old)]
    admin, other = floor.session(0), floor.session(1)
    before = floor.exchange.seq
    say(admin, {"type": command, "client_order_id": "k", "key_id": "bot"})
    for line in lines:
        assert [each.code for each in line.output()] == ["key_changed"]
        assert line.close_code == 4004
        line.receive(frame(JSON, order("late")))
        assert line.output() == []
    assert floor.exchange.seq == before
    assert {admin.state, other.state} == {State.LOGGED_IN}
    again = challenged(floor, "n")
    assert refused(again, login(again, old))


# constant time


def test_secrets_are_compared_by_compare_digest_and_nothing_else() -> None:
    """No ``==`` on a signature or secret anywhere in the gateway's server side."""
    checked = inspect.getsource(Keys._check)
    assert "hmac.compare_digest" in checked
    for file in GATEWAY.rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            found = re.search(
                r"(signature|secret)\b[^#\n]*(==|!=)|(==|!=)[^#\n]*(signature|secret)\b", line
            )
            assert not found, f"{file.name}: {line}"
    callers = [inspect.getsource(each) for each in (Keys.check_login, Keys.check_request)]
    assert all("self._check(" in source for source in callers)


def test_an_unknown_key_costs_what_a_known_one_costs(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same signings, the same comparison of as many bytes, whatever is wrong."""
    done: list[tuple[Any, ...]] = []
    compare, new = hmac.compare_digest, hmac.new

    def compared(a: bytes, b: bytes) -> bool:
        done.append(("compare", len(a), len(b)))
        return compare(a, b)

    def signed(secret: bytes, text: bytes, kind: Any) -> Any:
        done.append(("sign", len(secret), kind))
        return new(secret, text, kind)

    monkeypatch.setattr(keys_module.hmac, "compare_digest", compared)
    monkeypatch.setattr(keys_module.hmac, "new", signed)
    paths = set()
    now_us = 10**15
    good = login_signature(floor.key[0].secret, "n", now_us)
    for key_id, at_us, signature in (
        ("key-0", now_us, good),
        ("key-0", now_us, "0" * 64),
        ("key-0", now_us - 10**9, good),
        ("nobody", now_us, "0" * 64),
        ("", now_us, "0" * 64),
    ):
        done.clear()
        found = floor.keys.check_login(key_id, "n", at_us, signature, now_us)
        assert isinstance(found, Key) is (signature == good and at_us == now_us)
        paths.add(tuple(done))
    assert len(paths) == 1
    assert [step[0] for step in paths.pop()] == ["sign", "compare"]


def test_an_account_has_so_many_keys(floor: Floor) -> None:
    admin, other = floor.session(0), floor.session(1)
    create = {"type": "create_key", "roles": ["viewer"]}
    said = [
        *(
            say(admin, create | {"client_order_id": f"k{n}"})[0]
            for n in range(KEYS_PER_ACCOUNT_MAX)
        ),
    ]
    assert [getattr(each, "code", "") for each in said[-2:]] == ["", "too_many_keys"]
    before = floor.keys.path.read_bytes()
    (no,) = say(admin, create | {"client_order_id": "one-more"})
    assert no.code == "too_many_keys"
    assert floor.keys.path.read_bytes() == before
    (issued,) = say(other, create | {"client_order_id": "k"})
    say(admin, {"type": "revoke_key", "client_order_id": "r", "key_id": said[0].key_id})
    (again,) = say(admin, create | {"client_order_id": "again"})
    assert issued.key_id
    assert again.key_id
