"""A victim's business, and commands of somebody else about it: the matrix of test_isolation.py.

``IDS`` says of every field of every request whether it names something, and what.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

from engine.records import Kind
from gateway import messages as m
from gateway.authority import ACCOUNT_ROLES, PERMITTED
from gateway.messages import Refused
from gateway.protocol import tag_of
from tests.unit.gateway.inline_desk import Floor, order, say

QTY = 100_000
NUMBERS = ("live", "filled", "cancelled", "bid", "offer", "never used", "zero", "negative", "huge")
TERMS: dict[str, object] = {"price": "74.00", "qty_tonnes": QTY}
BY_NUMBER: dict[str, dict[str, object]] = {
    "cancel": {},
    "amend": {"qty_tonnes": 1, "price": "80.05"},
    "bulk_counter": TERMS,
    "bulk_accept": TERMS,
    "bulk_confirm": {},
    "bulk_decline": {},
    "bulk_withdraw": {},
    "cancel_bid": {},
    "take": {"qty_tonnes": 1},
}
BY_SESSION: dict[str, dict[str, object]] = {"bid": {"price": "75.00", "qty_tonnes": 5}}
PUBLIC_NUMBERS = {"take": ("live",)}  # dealing with a listing by its number is what it is for

# field -> what it names; "" is nothing of anybody's
IDS: dict[str, str] = {
    **dict.fromkeys(("client_order_id", "ref", "time_us", "signature"), ""),
    **dict.fromkeys(("cancel_on_disconnect", "grace_ms", "heartbeat_ms", "timeout_ms"), ""),
    **dict.fromkeys(("instrument", "side", "qty_tonnes", "price_ticks", "price", "pricing"), ""),
    **dict.fromkeys(("amount_fen", "amount", "blocks", "roles", "stage", "opens", "closes"), ""),
    **dict.fromkeys(("action", "parameter", "value", "date", "after"), ""),
    "order_no": "order",
    "legs": "order",
    "session_no": "session",
    "account": "account",
    "counterparty": "account",
    "key_id": "key",
    "proposal_id": "proposal",
    "trade_no": "trade",
}
# message -> what it names; each is in a test of test_isolation.py
NAMING: dict[str, set[str]] = {
    **{name: {"order"} for name in BY_NUMBER},
    **{
        name: {"order", "account"}
        for name in ("bulk_counter", "bulk_accept", "bulk_confirm", "bulk_decline")
    },
    "bulk_offer": {"account"},
    "bid": {"session"},
    "kill": {"account"},
    **{name: {"key"} for name in ("login", "create_key", "rotate_key", "revoke_key")},
    **{name: {"session"} for name in ("notice_session", "reject_session")},
    **{
        name: {"account"}
        for name in ("block_account", "guard_holding", "limit_holding", "warn_account")
    },
    "propose": {"account", "trade"},
    **{name: {"proposal"} for name in ("withdraw_proposal", "approve", "reject_proposal")},
}


def named_by(kind: Any) -> set[str]:
    """Return what a message names, by its fields; KeyError: a field that nobody has listed."""
    return {IDS[name] for name in kind.__struct_fields__} - {""}


def of_offices() -> list[str]:
    """Return the types of messages that no key of an account may send."""
    return [
        tag_of(kind)
        for kind in m.Command.__args__
        if not PERMITTED[tag_of(kind)] & set(ACCOUNT_ROLES)
    ]


def numbers(floor: Floor) -> dict[str, int]:
    """Numbers of a victim's orders of every kind and state, and numbers of nobody."""
    victim, other = floor.session(0), floor.session(1)
    live, filled, gone = (each.order_no for each in say(victim, *map(order, "lfg")))
    say(other, {"type": "take", "client_order_id": "t", "order_no": filled, "qty_tonnes": 10})
    say(victim, {"type": "cancel", "client_order_id": "x", "order_no": gone})
    apply = {"instrument": "CEA25", "price": "74.63", "qty_tonnes": QTY}
    say(other, {"type": "apply_session", "client_order_id": "s", **apply})
    window = {"opens": "10:00", "closes": "14:30"}
    operator = floor.office("exchange_operator")
    say(operator, {"type": "notice_session", "client_order_id": "n", "session_no": 1, **window})
    floor.cycle(Kind.OPEN_SESSION, 1)
    bid = {"session_no": 1, "price": "75.00", "qty_tonnes": 5}
    (placed,) = [
        each
        for each in say(victim, {"type": "bid", "client_order_id": "b", **bid})
        if isinstance(each, m.Accepted)
    ]
    floor.afternoon()
    directed = {"instrument": "CEA25", "side": "sell", **TERMS, "counterparty": 1}
    say(victim, {"type": "bulk_offer", "client_order_id": "o", **directed})
    offer = int(floor.exchange.state.market[0]["order_base"]) + int(
        floor.exchange.state.market[0]["orders"] - 1
    )
    found = (live, filled, gone, placed.order_no, offer, 4711, 0, -1, 2**53)
    return dict(zip(NUMBERS, found, strict=True))


def digest_of(floor: Floor, account: int) -> str:
    """Everything the exchange holds for one account, and what it was told."""
    state = floor.exchange.state
    mine = state.orders[state.orders["account"] == account]
    parts = (mine, state.accounts[account], state.holdings[account], state.negotiations)
    text = b"".join(part.tobytes() for part in (*parts, state.sessions))
    text += bytes(floor.record.streams[account])
    return hashlib.sha256(text).hexdigest()


def attack(floor: Floor, seed: int, count: int) -> Iterator[int]:
    """Send ``count`` commands about a victim's numbers, and numbers near them; yield how many.

    Every answer is that of a number of nobody; the victim's bytes stay.
    """
    known = numbers(floor)
    hostile, victim = floor.session(2), floor.session(0)
    draw = random.Random(seed)
    before = digest_of(floor, 0)
    answers: dict[str, tuple[str, ...]] = {}
    for n in range(count):
        command = draw.choice(list(BY_NUMBER))
        name = draw.choice(
            [each for each in NUMBERS if each not in PUBLIC_NUMBERS.get(command, ())]
        )
        number = known[name] if draw.random() < 0.8 else draw.randrange(100, 2**40)
        message = {"type": command, "client_order_id": f"h{n}", "order_no": number}
        (said,) = say(hostile, message | BY_NUMBER[command])
        assert isinstance(said, Refused), (seed, n, message, said)
        answer = (said.code, said.reason, said.clauses, str(said.sequenced))
        assert answers.setdefault(command, answer) == answer, (seed, n, message, said)
        if n % 500 == 499:
            assert digest_of(floor, 0) == before, (seed, n)
            assert victim.output() == []
            yield n + 1
    assert digest_of(floor, 0) == before
