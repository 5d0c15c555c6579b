"""What the gateway itself refuses: stable codes, sentences, and whether the connection goes on.

A gateway refusal has no place in the journal and can have changed nothing. The exchange's own
refusals are in ``engine.reasons``. The table in docs/protocol.md is held to this one.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.reasons import EXPLANATIONS, Reason


class Refusal(NamedTuple):
    """One way of saying no; a ``close_code`` above 0 ends the connection (WebSocket 4000…)."""

    sentence: str
    clauses: str = ""
    close_code: int = 0


REFUSALS: dict[str, Refusal] = {
    "malformed_frame": Refusal("The frame is not valid in the agreed encoding."),
    "frame_too_big": Refusal("An order-entry frame holds at most 16 KiB.", close_code=4009),
    "too_many_messages": Refusal("A frame holds at most 100 messages; none of it was read."),
    "unknown_message": Refusal("There is no message of this type."),
    "unknown_field": Refusal("The message has a field that its type does not know."),
    "missing_field": Refusal("A field that the message needs is missing."),
    "wrong_type": Refusal("A field holds another type of value than it should."),
    "out_of_range": Refusal("A number, text or list lies beyond what its field can hold."),
    "conflicting_fields": Refusal("Two fields of the message say the same thing: give one."),
    "not_logged_in": Refusal("Log in first."),
    "already_logged_in": Refusal("This connection is logged in."),
    "bad_credentials": Refusal(
        "The key, the signature or the time is not right; connect again.", close_code=4003
    ),
    "account_not_open": Refusal(
        "The exchange has not heard of this account yet; ask again in a moment.", "TR-08"
    ),
    "login_timeout": Refusal("Nobody logged in within the time allowed.", close_code=4008),
    "rate_limited": Refusal("Too many orders a second; try again when retry_ms have passed."),
    "rate_abused": Refusal("The line kept sending above its rate.", close_code=4029),
    "too_many_lines": Refusal("The account has as many connections as it may.", close_code=4029),
    "heartbeat_lost": Refusal("The client has said nothing for too long.", close_code=4014),
    "resume_ahead": Refusal(
        "You have seen more reports than there are: this venue has lost some, or is another one."
    ),
    "client_order_id_invalid": Refusal(
        "A client order id has 1 to 32 characters of A-Z a-z 0-9 . _ : -"
    ),
    "duplicate_client_order_id": Refusal(
        "This client order id stands for another command of today."
    ),
    "unknown_instrument": Refusal(
        EXPLANATIONS[Reason.UNKNOWN_INSTRUMENT].sentence,
        EXPLANATIONS[Reason.UNKNOWN_INSTRUMENT].clauses,
    ),
    "price_off_tick": Refusal("Prices are multiples of 0.01 yuan.", "TR-10"),
    "amount_off_fen": Refusal("Amounts are multiples of 0.01 yuan.", "ST-15"),
    "not_permitted": Refusal("The roles of this key do not permit this."),
    "window_closed": Refusal("The window for this is closed now.", "RG-08, ST-14"),
    "registry_silent": Refusal("The registry does not answer; ask again later."),
    "instrument_listed": Refusal("An instrument of this code is listed already.", "TR-04"),
    "unknown_proposal": Refusal("There is no such proposal for you to decide.", "ST-07"),
    "proposal_decided": Refusal("This proposal was decided before.", "ST-07"),
    "not_the_maker": Refusal("Only who has proposed it can withdraw it.", "ST-07"),
    "maker_may_not_approve": Refusal("Nobody decides about a proposal of his own.", "ST-07"),
    "unknown_role": Refusal("A key has one or more of the roles of an account.", "TR-08"),
    "unknown_key": Refusal("The account has no such key."),
    "key_exists": Refusal("There is a key of this id already."),
    "too_many_keys": Refusal("The account has as many keys as it may.", "TR-08"),
    "key_changed": Refusal("This key was changed or taken away.", close_code=4004),
    "unknown_channel": Refusal("There is no such channel of market data."),
    "slow_consumer": Refusal("The connection does not read what it is sent.", close_code=4013),
    "internal_error": Refusal(
        "The venue made a mistake with this frame; ask with status what became of each command.",
        close_code=1011,
    ),
    "shutting_down": Refusal(
        "The venue is stopping; orders are kept. Connect again.", close_code=4012
    ),
}


def sentence(code: str, detail: str = "") -> str:
    """Return the sentence of ``code`` with a detail for the reader, e.g. the field's name."""
    return f"{REFUSALS[code].sentence} ({detail})" if detail else REFUSALS[code].sentence
