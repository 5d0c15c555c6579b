"""The AsyncAPI document is the code's: nothing missing, nothing else, every example a message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.reasons import Reason
from gateway.authority import permitted
from gateway.market import MARKETS
from gateway.publisher import CODECS as MARKET_CODECS
from gateway.wire import market_messages, messages
from gateway.wire.asyncapi import Entry, as_text, document, entries
from gateway.wire.codec import CODECS
from gateway.wire.refusals import REFUSALS
from marketdata import messages as feed
from tests.unit.gateway.inline_desk import Floor, say

FILE = Path(__file__).parents[3] / "docs/asyncapi.json"
DOCUMENT = document()
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
MISREAD = {
    *("malformed_frame", "unknown_message", "unknown_field", "missing_field", "wrong_type"),
    *("out_of_range", "conflicting_fields", "price_off_tick", "amount_off_fen"),
    *("client_order_id_invalid", "unknown_channel"),
}
TRADE_IN = ("trade", "client")


def test_the_committed_document_is_the_generated_one() -> None:
    wanted = "python -m gateway.wire.asyncapi docs/asyncapi.json"
    assert FILE.read_text(encoding="utf-8") == as_text(), f"write it anew: {wanted}"


def test_every_message_of_both_sockets_is_in_it() -> None:
    told = (*feed.Message.__args__, feed.Snapshot, market_messages.Subscribed)
    told += (market_messages.Unsubscribed, market_messages.Replayed, market_messages.Heartbeat)
    expected = {
        ("trade", "client"): set(messages.Request.__args__),
        ("trade", "venue"): set(messages.Message.__args__),
        ("md", "client"): set(market_messages.Request.__args__),
        ("md", "venue"): {*told, messages.Pong, messages.Error, messages.Bye},
    }
    for (channel, sender), kinds in expected.items():
        mine = [each for each in entries() if (each.channel, each.sender) == (channel, sender)]
        assert {each.kind for each in mine} == kinds
        action = "receive" if sender == "client" else "send"
        refs = DOCUMENT["operations"][f"{channel}.{action}"]["messages"]
        shown = {f"#/channels/{channel}/messages/{each.key}" for each in mine}
        assert {ref["$ref"] for ref in refs} == shown
    assert {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]} == {
        *MESSAGES
    }


@pytest.mark.parametrize("entry", entries(), ids=lambda each: each.key)
def test_every_example_is_a_message_of_its_type(entry: Entry) -> None:
    for example in MESSAGES[entry.key]["examples"]:
        payload = example["payload"]
        message = msgspec.convert(payload, entry.kind)
        again = msgspec.to_builtins(message)
        assert {name: again[name] for name in payload} == payload
        if entry.sender == "client":
            codecs = CODECS if entry.channel == "trade" else MARKET_CODECS
            for codec in codecs.values():
                assert codec.decode(codec.encode_messages([payload])) == [message]


def test_every_example_of_a_request_is_understood(tmp_path: Path) -> None:
    """Not only the fields: also what belongs together, e.g. exactly one of two prices."""
    floor = Floor(tmp_path)
    own, office = floor.session(), floor.office("exchange_operator")
    for number, entry in enumerate(e for e in entries() if (e.channel, e.sender) == TRADE_IN):
        payload = dict(MESSAGES[entry.key]["examples"][0]["payload"])
        if payload["type"] in ("login", "logout"):
            continue
        if "client_order_id" in payload:
            payload["client_order_id"] = f"example-{number}"
        roles = floor.key[0].roles
        answers = say(own if permitted(roles, payload["type"]) else office, payload)
        codes = {getattr(each, "code", "") for each in answers}
        assert not codes & MISREAD, (payload, answers)


def test_every_refusal_and_every_role_is_in_it() -> None:
    shown = {(each["code"], each["sequenced"]) for each in DOCUMENT["x-refusals"]}
    own = {(code, False) for code in REFUSALS}
    assert shown == own | {(reason.code, True) for reason in Reason if reason}
    closing = {each["code"] for each in DOCUMENT["x-refusals"] if "closeCode" in each}
    assert closing == {code for code, refusal in REFUSALS.items() if refusal.close_code}
    assert MESSAGES["trade.client.list"]["x-roles"] == ["trader"]


def test_servers_and_encodings_are_those_of_the_venue() -> None:
    paths = {name: each["pathname"] for name, each in DOCUMENT["servers"].items()}
    assert paths == {name: market.path or "/" for name, market in MARKETS.items()}
    for channel in DOCUMENT["channels"].values():
        assert set(channel["x-content-types"]) == {*CODECS}
        headers = channel["bindings"]["ws"]["headers"]["properties"]
        assert headers["Sec-WebSocket-Protocol"]["enum"] == list(channel["x-content-types"])


def test_no_schema_says_more_than_draft_7() -> None:
    text = as_text()
    assert "prefixItems" not in text
    refs = set(_refs(DOCUMENT))
    names = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert not [name for name in names if name.count(".")]
    assert {ref for ref in refs if ref.startswith("#/components/schemas/")} == names


def _refs(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [ref for each in part.values() for ref in _refs(each)]
    return [ref for each in part for ref in _refs(each)] if isinstance(part, list) else []
