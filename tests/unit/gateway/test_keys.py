"""Keys: kept privately, checked in constant time, never travelling."""

import json
from pathlib import Path

import pytest

from gateway.keys import CLOCK_WINDOW_US, Keys, login_signature, request_signature


def test_keys_are_kept_with_mode_0600_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = Keys(path).create(7, "seven")
    assert path.stat().st_mode & 0o777 == 0o600
    (found,) = Keys(path).of_account(7)
    assert found == made
    with pytest.raises(ValueError, match="seven"):
        Keys(path).create(8, "seven")


def test_create_many_returns_known_keys_unchanged(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    first = keys.create_many([(0, "a"), (1, "b")])
    again = Keys(tmp_path / "keys.json").create_many([(1, "b"), (2, "c")])
    assert again[0] == first[1]
    assert len(Keys(tmp_path / "keys.json")) == 3


def test_login_checks_signature_nonce_and_age(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    key, now = keys.create(0, "a"), 10**15
    good = login_signature(key.secret, "nonce", now)
    assert keys.check_login("a", "nonce", now, good, now) == key
    assert keys.check_login("a", "nonce", now, good, now + CLOCK_WINDOW_US) == key
    assert keys.check_login("a", "nonce", now, good, now + CLOCK_WINDOW_US + 1) is None
    assert keys.check_login("a", "other", now, good, now) is None
    assert keys.check_login("b", "nonce", now, good, now) is None
    assert keys.check_login("a", "nonce", now, good.upper(), now) is None
    assert keys.check_login("a", "nonce", now, "é\udcff", now) is None


def test_a_request_signature_is_good_for_that_request_only(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    key, now = keys.create(0, "a"), 10**15
    good = request_signature(key.secret, now, "GET", "/api/orders?after=3")
    assert keys.check_request("a", now, "GET", "/api/orders?after=3", good, now) == key
    assert keys.check_request("a", now, "GET", "/api/orders?after=4", good, now) is None
    assert keys.check_request("a", now, "POST", "/api/orders?after=3", good, now) is None
    assert keys.check_login("a", "GET", now, good, now) is None


def test_keys_of_one_market_are_nobody_in_another(tmp_path: Path) -> None:
    """A file made by a tool belongs to the market whose venue opens it first; copies do not."""
    path = tmp_path / "keys.json"
    made = Keys(path).create(0, "a")
    assert Keys(path, "cea").find("a") == made
    assert Keys(path).create(1, "b").account == 1, "a tool leaves the file's market as it is"
    assert len(Keys(path, "cea")) == 2
    with pytest.raises(ValueError, match="keys of market cea, not ccer"):
        Keys(path, "ccer")
    other = Keys(tmp_path / "ccer.json", "ccer")
    good = login_signature(made.secret, "nonce", 10**15)
    assert other.check_login("a", "nonce", 10**15, good, 10**15) is None
    given = other.create(0, "a", secret=made.secret)
    assert other.check_login("a", "nonce", 10**15, good, 10**15) == given


def test_a_provincial_authority_has_a_province_and_nobody_else(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    made = keys.create_office("provincial_authority", "Hubei", province="42")
    assert keys.rotate(made.key_id, "another").province == "42"
    found = Keys(tmp_path / "keys.json").find(made.key_id)
    assert found is not None
    assert (found.province, found.roles) == ("42", ("provincial_authority",))
    for role, province in (
        *(("provincial_authority", ""), ("provincial_authority", "4")),
        *(("provincial_authority", "4x"), ("provincial_authority", "\u0664\u0662")),
        *(("ministry", "42"), ("verifier", "42")),
    ):
        with pytest.raises(ValueError, match="province of two digits"):
            keys.create_office(role, "X", province=province)
    assert len(Keys(tmp_path / "keys.json")) == 1


def test_keys_of_the_build_before_have_no_province(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key = Keys(path).create(3, "k")
    content = json.loads(path.read_text())
    assert content["version"] == 3
    content["version"] = 2
    for row in content["keys"]:
        del row["province"]
    path.write_text(json.dumps(content))
    assert Keys(path).find("k") == key
