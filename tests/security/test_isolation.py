"""No account can touch or see another's business (promise P6): every command, every foreign id."""

import re
from pathlib import Path

import httpx
import msgspec
import pytest

from gateway.authority import ACCOUNT_ROLES, EXCHANGE_OPERATOR, PERMITTED
from gateway.protocol import Session, tag_of
from gateway.wire import messages as m
from gateway.wire.codec import CODECS, JSON
from gateway.wire.messages import Refused
from tests.e2e.live_venue import live_venue
from tests.security.hostile_commands import (
    BY_NUMBER,
    BY_SESSION,
    NAMING,
    NUMBERS,
    PUBLIC_NUMBERS,
    QTY,
    attack,
    digest_of,
    named_by,
    numbers,
    of_offices,
)
from tests.security.raw_line import raw_line
from tests.security.test_fuzz_wire import signed
from tests.unit.gateway.inline_desk import Floor, frame, login, order, sample, say

COMMANDS = 4_000


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("kind", m.Request.__args__, ids=tag_of)
def test_every_message_says_what_it_names(kind: type) -> None:
    """A new message, or a new field, fails here until it is listed, and then tested below."""
    assert named_by(kind) == NAMING.get(tag_of(kind), set())


def answer_of(said: Refused, named: int | str) -> tuple[object, ...]:
    """Everything in an answer but what numbers it; the named number itself may come back."""
    content = msgspec.structs.asdict(said)
    for name in ("client_order_id", "seq", "report_seq", "time_us"):
        content.pop(name, None)
    if named == 0:  # an echo and a default look alike: it is compared among the others
        content.pop("order_no", None)
    elif content.get("order_no") == named:
        content["order_no"] = "as named"
    return tuple(content.items())


def same(answers: set[tuple[object, ...]]) -> bool:
    """Whether all answers say the same: one of them may lack the field that was named as 0."""
    longest = max(answers, key=len)
    return all(set(each) <= set(longest) for each in answers) and len(answers) <= 2


@pytest.mark.parametrize("command", list(BY_NUMBER))
@pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))
def test_foreign_and_unknown_numbers_get_the_same_answer(
    floor: Floor, command: str, codec: object
) -> None:
    known = numbers(floor)
    hostile, victim, other = floor.session(2, codec), floor.session(0), floor.session(1)
    before = digest_of(floor, 0), digest_of(floor, 1)
    answers = set()
    for n, name in enumerate(NUMBERS):
        if name in PUBLIC_NUMBERS.get(command, ()):
            continue
        message = {"type": command, "client_order_id": f"h{n}", "order_no": known[name]}
        (said,) = say(hostile, message | BY_NUMBER[command])
        assert isinstance(said, Refused)
        assert said.code in {"unknown_order", "phase_closed"}, name
        answers.add(answer_of(said, known[name]))
    assert same(answers), answers
    assert before == (digest_of(floor, 0), digest_of(floor, 1))
    assert victim.output() == other.output() == []


def test_a_sweep_learns_no_more_than_a_take(floor: Floor) -> None:
    known = numbers(floor)
    hostile = floor.session(2)
    before = digest_of(floor, 0)
    foreign = [known[name] for name in NUMBERS if name != "live"]
    legs = [[number, 1] for number in foreign]
    said = say(hostile, {"type": "take", "client_order_id": "h", "legs": legs})
    assert len(said) == len(legs)
    answers = {(each.code, each.reason, each.sequenced, each.order_no) for each in said}
    assert len({code for code, *_ in answers}) == 1
    assert before == digest_of(floor, 0)


def test_many_commands_about_foreign_numbers_leave_the_victim_as_it_was(
    floor: Floor, base_seed: int
) -> None:
    assert list(attack(floor, base_seed, COMMANDS))[-1] == COMMANDS


OWN_OLD = ("filled", "cancelled", "never used")


@pytest.mark.parametrize("command", list(BY_NUMBER))
def test_own_orders_that_are_over_are_answered_as_unknown_ones(floor: Floor, command: str) -> None:
    known = numbers(floor)
    victim = floor.session(0)
    state = floor.exchange.state
    before = state.orders.tobytes(), state.accounts.tobytes(), state.negotiations.tobytes()
    answers = set()
    for n, name in enumerate(OWN_OLD):
        message = {"type": command, "client_order_id": f"o{n}", "order_no": known[name]}
        (said,) = say(victim, message | BY_NUMBER[command])
        answers.add((said.code, said.reason, said.clauses))
    assert {code for code, *_ in answers} <= {"unknown_order", "phase_closed"}
    assert len(answers) == 1
    assert before == (
        state.orders.tobytes(),
        state.accounts.tobytes(),
        state.negotiations.tobytes(),
    )


def test_the_initiator_of_an_offer_learns_nothing_of_others_by_naming_them(floor: Floor) -> None:
    """A counterparty without a negotiation, and one that does not exist, are answered alike."""
    known = numbers(floor)
    victim = floor.session(0)
    for n, command in enumerate(("bulk_counter", "bulk_accept", "bulk_confirm", "bulk_decline")):
        answers = set()
        for other in (0, 2, 77):
            message = {
                "type": command,
                "client_order_id": f"v{n}-{other}",
                "order_no": known["offer"],
                "counterparty": other,
            }
            (said,) = say(victim, message | BY_NUMBER[command])
            answers.add((said.code, said.sequenced))
        assert answers == {("unknown_negotiation", True)}, command


@pytest.mark.parametrize("command", list(BY_SESSION))
def test_sessions_that_are_not_open_and_unknown_ones_get_the_same_answer(
    floor: Floor, command: str
) -> None:
    numbers(floor)
    hostile = floor.session(2)
    apply = {"instrument": "CEA25", "price": "74.63", "qty_tonnes": QTY}
    say(floor.session(1), {"type": "apply_session", "client_order_id": "s2", **apply})
    before = digest_of(floor, 0)
    answers = set()
    for n, number in enumerate((2, 4711, 0, -1, 2**53)):
        message = {"type": command, "client_order_id": f"h{n}", "session_no": number}
        (said,) = say(hostile, message | BY_SESSION[command])
        answers.add((said.code, said.reason, said.clauses))
    assert {code for code, *_ in answers} == {"unknown_session"}
    assert len(answers) == 1
    assert before == digest_of(floor, 0)


def test_reports_and_status_stay_with_their_owner(floor: Floor) -> None:
    victim, hostile = floor.session(0), floor.session(2)
    say(victim, order("secret"))
    assert hostile.output() == []
    (status,) = say(hostile, {"type": "status", "client_order_id": "secret"})
    (never,) = say(hostile, {"type": "status", "client_order_id": "never"})
    assert (status.outcome, status.seq, status.order_no) == (never.outcome, 0, 0)
    (pong,) = say(hostile, {"type": "ping"})
    assert pong.report_seq == 0


def test_the_account_cannot_be_named_in_a_message(floor: Floor) -> None:
    session = floor.session(2)
    for name in ("account", "counterparty", "operator", "seq"):
        (said,) = say(session, order("a", **{name: 0}))
        assert said.code == "unknown_field"


def test_status_tells_nothing_of_what_others_were_refused(floor: Floor) -> None:
    """Turned away, sent to the registry, or never heard of: to another account all the same."""
    victim, hostile = floor.session(0), floor.session(2)
    say(victim, order("turned", instrument="NONE"))
    say(victim, {"type": "cash_in", "client_order_id": "money", "amount": "1.00"})
    answers = set()
    for name in ("turned", "money", "never"):
        (status,) = say(hostile, {"type": "status", "client_order_id": name})
        answers.add(answer_of(status, name))
    assert len(answers) == 1


@pytest.mark.parametrize("kind", of_offices())
def test_people_of_an_account_cannot_ask_what_is_an_institutions(floor: Floor, kind: str) -> None:
    """Whatever id they name: not permitted, in the same words, and nobody hears of it."""
    (of,) = (each for each in m.Command.__args__ if tag_of(each) == kind)
    numbers(floor)
    hostile, victim = floor.session(2), floor.session(0)
    before = floor.digest()
    answers = set()
    fields = [name for name in of.__struct_fields__ if NAMING.get(kind) and name in NUMBERED]
    for name in fields or [""]:
        for number in (0, 1, 2, 77, 2**31 - 1):
            message = sample(of, "h") | ({name: number} if name else {})
            (said,) = say(hostile, message)
            answers.add((said.code, said.reason, type(said)))
    assert {code for code, *_ in answers} == {"not_permitted"}
    assert len(answers) == 1
    assert floor.digest() == before
    assert victim.output() == []


NUMBERED = ("session_no", "account", "proposal_id", "trade_no")


def test_an_account_kills_nobody_but_itself(floor: Floor) -> None:
    numbers(floor)
    hostile = floor.session(2)
    before = digest_of(floor, 0)
    answers = set()
    for n, account in enumerate((0, 1, 2, 77, 2**31 - 1)):
        (said,) = say(hostile, {"type": "kill", "client_order_id": f"k{n}", "account": account})
        answers.add(answer_of(said, account))
    assert same(answers)
    assert said.code == "not_permitted"
    assert before == digest_of(floor, 0)


@pytest.mark.parametrize("command", ["rotate_key", "revoke_key"])
def test_keys_of_others_are_answered_as_keys_of_nobody(floor: Floor, command: str) -> None:
    floor.keys.create_office(EXCHANGE_OPERATOR, key_id="of-the-exchange")
    gone = floor.keys.create(0, "gone")
    floor.keys.revoke(gone.key_id)
    hostile, victim = floor.session(2), floor.session(0)
    before = floor.keys.path.read_bytes()
    answers = set()
    for n, key_id in enumerate(("key-0", "of-the-exchange", "gone", "never", "", "x" * 256)):
        (said,) = say(hostile, {"type": command, "client_order_id": f"k{n}", "key_id": key_id})
        answers.add(answer_of(said, key_id))
    assert len(answers) == 1
    assert said.code == "unknown_key"
    assert floor.keys.path.read_bytes() == before
    assert victim.close_code == 0


def test_a_key_id_that_is_taken_is_not_given_away(floor: Floor) -> None:
    """Ids of keys are one space: that one is taken can be seen (as at a login), whose it is not."""
    floor.keys.create_office(EXCHANGE_OPERATOR, key_id="of-the-exchange")
    hostile = floor.session(2)
    before = floor.keys.path.read_bytes()
    answers = set()
    for n, key_id in enumerate(("key-0", "key-2", "of-the-exchange")):
        message = {"type": "create_key", "client_order_id": f"k{n}", "key_id": key_id}
        (said,) = say(hostile, message | {"roles": ["viewer"]})
        answers.add(answer_of(said, key_id))
    assert len(answers) == 1
    assert said.code == "key_exists"
    assert floor.keys.path.read_bytes() == before


def test_a_login_with_a_foreign_key_is_one_with_none(floor: Floor, tmp_path: Path) -> None:
    """Wrong secret, revoked, of another market, never made: the same answer, the same close."""
    (tmp_path / "other").mkdir()
    elsewhere = Floor(tmp_path / "other", accounts=5).key[4]
    gone = floor.keys.create(0, "gone")
    floor.keys.revoke(gone.key_id)
    stolen = floor.key[0]._replace(secret="00" * 32)
    nobody = stolen._replace(key_id="nobody")
    answers = set()
    for key in (elsewhere, gone, stolen, nobody, stolen._replace(key_id="")):
        session = Session(JSON, floor.desk, "n")
        session.open()
        session.receive(frame(JSON, login(session, key)))
        _, error, bye = session.output()
        answers.add((error.code, error.reason, error.closes, bye.code, session.close_code))
    assert len(answers) == 1
    assert answers.pop()[0] == "bad_credentials"


@pytest.mark.parametrize("command", ["approve", "reject_proposal", "withdraw_proposal"])
def test_proposals_that_one_may_not_decide_are_answered_as_none(floor: Floor, command: str) -> None:
    """The registry's people and the exchange's do not see into each other's proposals (ST-07)."""
    maker, checker = floor.office("exchange_operator"), floor.office("supervisor")
    for n in range(3):
        void = {"type": "propose", "client_order_id": f"p{n}", "action": "void_trade"}
        say(maker, void | {"trade_no": n + 1})
    say(maker, {"type": "withdraw_proposal", "client_order_id": "w", "proposal_id": 2})
    say(checker, {"type": "reject_proposal", "client_order_id": "r", "proposal_id": 3})
    role = "registry_maker" if command == "withdraw_proposal" else "registry_checker"
    hostile = floor.office(role)
    maker.output()
    checker.output()
    before = [each.__dict__ for each in floor.desk.institutions.proposals.all()]
    answers = set()
    for n, number in enumerate((1, 2, 3, 4711, 0, -1, 2**53)):
        message = {"type": command, "client_order_id": f"h{n}", "proposal_id": number}
        (said,) = say(hostile, message)
        answers.add(answer_of(said, number))
    assert same(answers)
    assert said.code == "unknown_proposal"
    assert before == [each.__dict__ for each in floor.desk.institutions.proposals.all()]
    assert maker.output() == checker.output() == []


# REST

PRIVATE = (
    *("/api/orders", "/api/trades", "/api/account", "/api/negotiations", "/api/notices"),
    *("/api/keys", "/api/statements/20260105", "/api/orders?after=0&open=true"),
    *("/api/trades?after=0", "/api/orders?after=9007199254740992"),
    *("/api/compliance/obligations?year=2025", "/api/compliance/applications"),
    *("/api/compliance/certificates", "/api/compliance/allocations", "/api/compliance/offsets"),
    *("/api/compliance/carry-over", "/api/compliance/borrowings", "/api/compliance/penalties"),
    *("/api/compliance/warnings", "/api/monitoring/entities", "/api/monitoring/roster/2025"),
    *("/api/monitoring/reports/2025", "/api/monitoring/findings/2025"),
    *("/api/monitoring/rechecks/2025", "/api/offsets/cancellations"),
    *("/api/compliance/deductions", "/api/compliance/earmarks", "/api/compliance/notices"),
    *("/api/compliance/carry-limits", "/api/compliance/carry-applications"),
    *("/api/compliance/adjustments", "/api/registry/holdings", "/api/registry/transactions"),
    "/api/offsets/proofs/P00000001",
)
LAST = re.compile("/(20260105|2025|P00000001)$")


def test_every_private_page_of_an_account_is_in_the_list() -> None:
    pages = {
        name.split()[1]
        for name, roles in PERMITTED.items()
        if name.startswith("GET /") and roles & set(ACCOUNT_ROLES)
    }
    assert {LAST.sub("", page.split("?")[0]) for page in PRIVATE} == pages


@pytest.mark.anyio
async def test_private_pages_show_nothing_of_what_others_do(tmp_path: Path) -> None:
    """The bytes of every page of an account are the same before and after others have traded."""
    async with live_venue(tmp_path) as venue, httpx.AsyncClient(base_url=venue.url) as web:

        async def pages() -> list[tuple[int, bytes]]:
            found = []
            for page in PRIVATE:
                answer = await web.get(page, headers=signed(venue.keys[2], "GET", page))
                found.append((answer.status_code, answer.content))
            return found

        before = await pages()
        async with raw_line(venue.url) as victim, raw_line(venue.url) as other:
            await victim.login(venue.keys[0])
            await other.login(venue.keys[1])
            victim.say(order("a", price="80.05"))
            accepted = await victim.until("accepted")
            deal = {"type": "take", "client_order_id": "t", "qty_tonnes": 5}
            other.say(deal | {"order_no": accepted["order_no"]})
            assert await victim.until("filled")
            await venue.settled()
            assert await pages() == before
        foreign = signed(venue.keys[0], "GET", "/api/orders")
        answers = set()
        for key_id in ("key-2", "nobody", ""):
            headers = foreign | {"X-Tanshi-Key": key_id}
            answer = await web.get("/api/orders", headers=headers)
            answers.add((answer.status_code, answer.content))
        assert len(answers) == 1
        assert answers.pop()[0] == 401
