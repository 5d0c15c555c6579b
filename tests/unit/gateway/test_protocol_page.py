"""docs/protocol.md says what the code says: every message, field, code, bound and example."""

import re
from pathlib import Path

import msgspec
import pytest

from engine.reasons import Reason
from gateway import market_messages, messages
from gateway.keys import login_signature, request_signature
from gateway.limits import Limits
from gateway.protocol import PACED, State, tag_of
from gateway.refusals import REFUSALS
from tests.unit.gateway.protocol_tables import EVENTS, TABLES, heard_in, renewed, shown

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
SECRET, NONCE, TIME_US = "5ec2e7", "9f86d081884c7d659a2feaa0c55ad015", 1767577500000000


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_the_one_that_the_code_makes(name: str) -> None:
    wanted = "python -m tests.unit.gateway.protocol_tables --write"
    assert shown(name, PAGE) == TABLES[name](), f"write it anew: {wanted}"


def test_a_table_that_says_something_else_is_seen_and_renewed() -> None:
    for name, harmed in (
        ("requests", PAGE.replace("`client_order_id` `order_no` | Take an own open", "| Take an")),
        ("own refusals", PAGE.replace("| `slow_consumer` | The", "| `slow_consumer` | A")),
        ("states", PAGE.replace("| closed (4003) |", "| closed (4004) |")),
        ("bounds", PAGE.replace("(`orders_burst`) | 100 |", "(`orders_burst`) | 101 |")),
    ):
        assert harmed != PAGE
        assert shown(name, harmed) != TABLES[name]()
        assert renewed(harmed) == PAGE


def first_column(name: str) -> list[str]:
    return [re.findall(r"`([a-z_]+)`", line)[0] for line in shown(name, PAGE)[2:]]


def test_the_tables_have_every_message_and_every_code() -> None:
    assert first_column("requests") == [tag_of(each) for each in messages.Request.__args__]
    assert first_column("messages") == [tag_of(each) for each in messages.Message.__args__]
    assert first_column("market requests") == [tag_of(e) for e in market_messages.Request.__args__]
    assert first_column("own refusals") == list(REFUSALS)
    assert first_column("reasons") == [reason.code for reason in Reason if reason]
    named = re.findall(r"\(`([a-z_]+)`\) \|", "\n".join(shown("bounds", PAGE)))
    assert named == [*vars(Limits())]


def test_the_state_table_has_everything_that_means_something() -> None:
    """Each message of TRANSITIONS stands in a row of its state, and a frame that is none."""
    for state in (State.CHALLENGED, State.LOGGED_IN):
        said = " ".join(what for in_state, what, _ in EVENTS if in_state is state)
        assert all(f"`{name}`" in said for name in heard_in(state))
        assert "what is no message" in said
    assert {state for state, _, _ in EVENTS} == {*State}


def test_codes_of_gateway_and_exchange_do_not_contradict() -> None:
    shared = {*REFUSALS} & {reason.code for reason in Reason}
    assert shared == {"unknown_instrument"}
    for number in {each.close_code for each in REFUSALS.values()} - {0, 1011}:
        assert 4000 <= number <= 4999  # RFC 6455, 7.4.2: for applications


def test_the_text_names_what_is_never_refused_for_its_rate() -> None:
    paragraph = next(part for part in PAGE.split("\n\n") if part.startswith("Cancels (`cancel`"))
    named = re.findall(r"`([a-z_]+)`", paragraph.split("have a bucket")[0])
    assert {*named} == {tag_of(kind) for kind in PACED} - {"login", "logout"}


def test_the_signatures_compute() -> None:
    assert PAGE.count(login_signature(SECRET, NONCE, TIME_US)) == 2
    signature = request_signature(SECRET, TIME_US, "GET", "/api/orders?open=true")
    assert PAGE.count(signature) == 1


def test_the_examples_decode() -> None:
    """Requests as one type of request each, whole answers as the venue would write them."""
    request = msgspec.json.Decoder(messages.Request | market_messages.Subscribe)
    answer = msgspec.json.Decoder(messages.Message)
    said = re.findall(r'^> (\{"type".*\})$', PAGE, re.MULTILINE)
    misread = []
    for line in said:
        try:
            request.decode(line)
        except msgspec.ValidationError:
            misread.append(line)
    assert [line for line in misread if "n-1" not in line and '"buy"' not in line] == []
    assert len(misread) == 2  # shown to be refused
    heard = re.findall(r'^< (\{"type".*[^…]\})$', PAGE, re.MULTILINE)
    of_orders = [line for line in heard if '"epoch"' not in line]
    assert len(said) > 20
    assert len(of_orders) > 20
    for line in of_orders:
        assert msgspec.json.encode(answer.decode(line)).decode() == line


def test_links_of_the_page_lead_somewhere() -> None:
    heads = re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-") for head in heads}
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert (ROOT / "docs" / target).exists(), target
