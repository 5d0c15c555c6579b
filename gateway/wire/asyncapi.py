"""The AsyncAPI 3 document of the sockets, made from the very Structs that decode and encode.

``python -m gateway.wire.asyncapi docs/asyncapi.json`` writes it; the venue serves it at
``/asyncapi.json``. In its words the venue is the application: it receives what clients send.
For people: docs/protocol.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec

from engine.reasons import EXPLANATIONS, Reason
from gateway.authority import PERMITTED
from gateway.market import MARKETS
from gateway.wire import line_messages as line
from gateway.wire import market_messages as md
from gateway.wire import messages as m
from gateway.wire import rare_messages as rare
from gateway.wire import trader_messages as trader
from gateway.wire.asyncapi_samples import example
from gateway.wire.office_messages import OfficeRequest
from gateway.wire.refusals import REFUSALS
from marketdata import messages as feed

VERSION = "1"  # of the protocol: the number in json.v1 and msgpack.v1
CONTENT_TYPES = {"json.v1": "application/json", "msgpack.v1": "application/msgpack"}
SCHEMAS = "#/components/schemas/"
INFO = """
Orders go by `/ws/trade`, market data come by `/ws/md`. Subprotocol `json.v1` (text frames) or
`msgpack.v1` (binary frames, maps with string keys); both carry the same messages. A frame holds one
message or an array of up to {messages} of them, and from a client at most {kib} KiB.

Prices are ticks of 0.01 yuan, quantities whole tonnes, money fen, times microseconds since 1970
(UTC), dates YYYYMMDD: integers below 2^53. In requests an unknown field is refused. In reports a
field at its default is left out, and a client ignores fields that it does not know.

Another subprotocol name means another version; within one version messages, optional fields and
codes may be added, nothing is taken away. A guide with a bot to copy: `docs/protocol.md`.
"""
LOGIN = """
Challenge and response, once per connection: the venue's first message is `challenge`; the client
answers with `login`, whose `signature` is the hex HMAC-SHA256 of `<nonce>:<time_us>` under the
key's secret. The secret never travels. The time must lie within a minute of the venue's wall clock.
"""
TRADE = """
Order entry and the private stream of an account. Reports with a `report_seq` are numbered per
account and day; who misses a number asks for it with `resume`. Nothing but `login`, `ping` and
`logout` is heard before the login.
"""
MARKET_DATA = """
Public market data; no login. Nothing comes before `subscribe`. Facts are numbered by `seq` and
`prev` and can be replayed; a picture replaces the one before it.
"""


class Entry(NamedTuple):
    """One message as the document names it: the channel, who sends it, its tag there."""

    channel: str
    sender: str
    kind: type[msgspec.Struct]
    tag: str

    @property
    def key(self) -> str:
        """The message's name in the document: a type may be sent by both sides."""
        return f"{self.channel}.{self.sender}.{type_of(self.kind)}"


GROUPS: tuple[tuple[str, str, str, Any], ...] = (
    ("trade", "client", "session", m.Login | m.Logout),
    ("trade", "client", "listed", m.Listed),
    ("trade", "client", "negotiated", trader.Negotiated),
    ("trade", "client", "brakes", trader.Brakes),
    ("trade", "client", "movements", trader.Moving),
    ("trade", "client", "keys", trader.People),
    ("trade", "client", "institutions", OfficeRequest),
    ("trade", "client", "questions", line.Question),
    ("trade", "venue", "session", m.Challenge | m.Welcome | m.PhaseChanged | m.Bye),
    ("trade", "venue", "refusals", m.Refused | m.Error),
    ("trade", "venue", "reports", m.Report),
    ("trade", "venue", "negotiated", rare.RareReport),
    ("trade", "venue", "keys", rare.KeyIssued | rare.KeyRevoked),
    ("trade", "venue", "institutions", rare.RareMessage),
    ("trade", "venue", "answers", line.Answer),
    ("md", "client", "questions", md.Request),
    ("md", "venue", "pictures", feed.Picture),
    ("md", "venue", "facts", feed.Fact),
    ("md", "venue", "answers", feed.Snapshot | md.Subscribed | md.Unsubscribed | md.Replayed),
    ("md", "venue", "answers", md.Heartbeat | m.Pong),
    ("md", "venue", "session", m.Error | m.Bye),
)


@cache
def entries() -> tuple[Entry, ...]:
    """Return every message of both sockets once."""
    found: dict[str, Entry] = {}
    for channel, sender, tag, kinds in GROUPS:
        for kind in get_args(kinds):
            entry = Entry(channel, sender, kind, tag)
            found.setdefault(entry.key, entry)
    return tuple(found.values())


def type_of(kind: type[msgspec.Struct]) -> str:
    """Return the ``type`` of a message on the wire."""
    return str(kind.__struct_config__.tag)


def document() -> dict[str, Any]:
    """Return the whole document; it depends on nothing but the code."""
    messages, schemas = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "tanshi: order entry and market data",
            "version": VERSION,
            "description": _text(
                INFO.format(messages=m.MESSAGES_MAX, kib=m.FRAME_BYTES_MAX // 1024)
            ),
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in entries())],
        },
        "defaultContentType": CONTENT_TYPES["json.v1"],
        "servers": {name: _server(name, market.path) for name, market in MARKETS.items()},
        "channels": {
            "trade": _channel("trade", "/ws/trade", "Order entry", TRADE),
            "md": _channel("md", "/ws/md", "Market data", MARKET_DATA),
        },
        "operations": dict(_operations()),
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {"login": {"type": "userPassword", "description": _text(LOGIN)}},
        },
        "x-refusals": list(_refusals()),
    }


def _server(name: str, path: str) -> dict[str, Any]:
    return {
        "host": "127.0.0.1:8000",
        "protocol": "ws",
        "pathname": path or "/",
        "description": f"The market {name} of a venue on this machine.",
    }


def _channel(name: str, address: str, title: str, text: str) -> dict[str, Any]:
    named = {"type": "string", "enum": list(CONTENT_TYPES), "description": "What the client offers"}
    headers = {"type": "object", "properties": {"Sec-WebSocket-Protocol": named}}
    return {
        "address": address,
        "title": title,
        "description": _text(text),
        "servers": [{"$ref": f"#/servers/{market}"} for market in MARKETS],
        "messages": {
            each.key: {"$ref": f"#/components/messages/{each.key}"}
            for each in entries()
            if each.channel == name
        },
        "bindings": {"ws": {"method": "GET", "headers": headers, "bindingVersion": "0.1.0"}},
        "x-content-types": CONTENT_TYPES,
        "x-frame": {"bytesMax": m.FRAME_BYTES_MAX, "messagesMax": m.MESSAGES_MAX},
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for channel, what in (("trade", "orders and questions"), ("md", "subscriptions")):
        for sender, action in (("client", "receive"), ("venue", "send")):
            told = "reports and answers" if channel == "trade" else "pictures, facts and answers"
            mine = [e for e in entries() if (e.channel, e.sender) == (channel, sender)]
            operation: dict[str, Any] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
                "summary": f"Take {what}." if sender == "client" else f"Tell {told}.",
                "messages": [{"$ref": f"#/channels/{channel}/messages/{e.key}"} for e in mine],
            }
            if channel == "trade":
                operation["security"] = [{"$ref": "#/components/securitySchemes/login"}]
            yield f"{channel}.{action}", operation


def _messages() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the messages, and the schemas of their payloads."""
    kinds = tuple(dict.fromkeys(each.kind for each in entries()))
    template = SCHEMAS + "{name}"
    refs, schemas = msgspec.json.schema_components(kinds, ref_template=template)
    payloads = dict(zip(kinds, refs, strict=True))
    messages = {each.key: _message(each, plain(payloads[each.kind])) for each in entries()}
    return messages, {short(name): plain(schema) for name, schema in sorted(schemas.items())}


def _message(entry: Entry, payload: Any) -> dict[str, Any]:
    name, text = type_of(entry.kind), _text(entry.kind.__doc__ or "")
    made = {
        "name": name,
        "title": name,
        "summary": text,
        "tags": [{"name": entry.tag}],
        "payload": payload,
        "examples": [{"name": name, "payload": example(entry.kind)}],
    }
    if (entry.channel, entry.sender) == ("trade", "client") and name in PERMITTED:
        made["x-roles"] = sorted(PERMITTED[name])
    return made


def _refusals() -> Iterator[dict[str, Any]]:
    """Both families: the gateway's own, and the exchange's (``sequenced``)."""
    for code, refusal in REFUSALS.items():
        closes = {"closeCode": refusal.close_code} if refusal.close_code else {}
        yield _refusal(code, refusal.sentence, refusal.clauses) | {"sequenced": False} | closes
    for reason in Reason:
        if reason:
            why = EXPLANATIONS[reason]
            yield _refusal(reason.code, why.sentence, why.clauses) | {"sequenced": True}


def _refusal(code: str, sentence: str, clauses: str) -> dict[str, Any]:
    return {"code": code, "reason": sentence} | ({"clauses": clauses} if clauses else {})


def plain(schema: Any) -> Any:
    """Return a schema as JSON Schema draft 7, which AsyncAPI 3 speaks, with one-line texts."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: plain(value) for name, value in schema.items()}
    if "prefixItems" in made:
        made["items"], made["additionalItems"] = made.pop("prefixItems"), False
    if isinstance(made.get("description"), str):
        made["description"] = _text(made["description"])
    if isinstance(made.get("$ref"), str):
        made["$ref"] = SCHEMAS + short(made["$ref"].removeprefix(SCHEMAS))
    return made


def short(name: str) -> str:
    """Return a schema's name without modules; of two of the same name the public feed's say so."""
    module, _, last = name.rpartition(".")
    prefix = {"gateway.wire.market_messages": "MarketData", "marketdata.messages": "Feed"}
    return prefix.get(module, "") + last


def _text(lines: str) -> str:
    """Join the lines of each paragraph."""
    paragraphs: Iterable[str] = lines.strip().split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs).replace("``", "`")


@cache
def as_text() -> str:
    """Return the document as it is committed and served."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(as_text(), encoding="utf-8")
    else:
        sys.stdout.write(as_text())
