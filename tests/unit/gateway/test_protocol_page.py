"""docs/reference/protocol.md says what the code says: every message, field, code and example."""

import re
from pathlib import Path

import msgspec
import pytest

from engine.reasons import Reason
from gateway import market_messages, messages
from gateway.keys import login_signature, request_signature
from gateway.limits import Limits
from gateway.refusals import REFUSALS
from tests.unit.gateway.protocol_tables import TABLES, fields

PAGE = (Path(__file__).parents[3] / "docs/reference/protocol.md").read_text()
SECRET, NONCE, TIME_US = "5ec2e7", "9f86d081884c7d65", 1767577500000000


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(text: str) -> dict[str, list[str]]:
    """First column without ticks -> the other columns."""
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| (.*) \|$", text, re.MULTILINE)
    return {name: re.split(r" (?<!\\)\| ", rest) for name, rest in rows}


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("Order entry: what a client sends", messages.Request.__args__),
        ("Order entry: what the venue sends", messages.Message.__args__),
        (
            "Market data",
            (
                *market_messages.Request.__args__,
                market_messages.Subscribed,
                market_messages.Unsubscribed,
                market_messages.Replayed,
                market_messages.Heartbeat,
            ),
        ),
    ],
)
def test_every_message_is_shown_with_its_fields(title: str, kinds: tuple) -> None:
    shown = table(section(title))
    assert set(shown) == {kind.__struct_config__.tag for kind in kinds}
    for kind in kinds:
        found = re.findall(r"`([a-z_]+)`(\??)", shown[kind.__struct_config__.tag][0])
        assert [(name, bool(optional)) for name, optional in found] == fields(kind), kind


def test_every_gateway_refusal_is_shown_as_it_is() -> None:
    shown = table(section("Refusals by the gateway"))
    assert list(shown) == list(REFUSALS)
    for code, refusal in REFUSALS.items():
        expected = [refusal.sentence, refusal.clauses or "–", str(refusal.close_code or "–")]
        assert shown[code] == expected


def test_codes_of_gateway_and_exchange_do_not_contradict() -> None:
    shared = {*REFUSALS} & {reason.code for reason in Reason}
    assert shared == {"unknown_instrument"}
    assert len({each.close_code for each in REFUSALS.values() if each.close_code}) == 7


def test_every_role_is_shown_with_what_it_may() -> None:
    shown = [line for line in section("Roles").splitlines() if line.startswith("| `")]
    assert shown == TABLES["Roles"]


def test_the_examples_compute() -> None:
    assert PAGE.count(login_signature(SECRET, NONCE, TIME_US)) == 2
    signature = request_signature(SECRET, TIME_US, "GET", "/api/orders?open=true")
    assert PAGE.count(signature) == 1
    assert f"{Limits().login_within_ms // 1000} s | `login_timeout`" in PAGE


def test_the_examples_decode() -> None:
    lines = re.findall(r'^[<>] (\{"type".*\})$', PAGE, re.MULTILINE)
    assert len(lines) == 11
    request = msgspec.json.Decoder(messages.Request)
    answer = msgspec.json.Decoder(messages.Message)
    for line in re.findall(r'^> (\{"type".*\})$', PAGE, re.MULTILINE):
        request.decode(line)
    for line in re.findall(r'^< (\{"type".*\})$', PAGE, re.MULTILINE):
        assert msgspec.json.encode(answer.decode(line)).decode() == line
