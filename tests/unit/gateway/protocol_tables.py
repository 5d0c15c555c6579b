"""The tables of docs/protocol.md as the code makes them.

``python -m tests.unit.gateway.protocol_tables --write`` puts them between their marks in the page;
without ``--write`` they are printed.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from engine import safeguards
from engine.reasons import EXPLANATIONS, Reason
from engine.rulebook import Rulebook
from gateway import market_messages, messages, publisher, sequencer, subscriber
from gateway import message_base as base
from gateway.authority import PERMITTED, ROLES
from gateway.connection import SEND_WITHIN_S
from gateway.daycycle import beijing
from gateway.keys import CLOCK_WINDOW_US
from gateway.limits import Limits
from gateway.protocol import HEARTBEATS_MISSED_MAX, OUT_MAX, TRANSITIONS, Session, State, tag_of
from gateway.questions import TURNED_AWAY_MAX
from gateway.refusals import REFUSALS
from gateway.safeguards import GRACE_AT_START_S
from gateway.serve import FRAME_BYTES_CEILING
from tests.unit.gateway.inline_desk import Floor, frame, login, order

PAGE = Path(__file__).parents[3] / "docs/protocol.md"
MARKED = "<!-- {name}: made from the code -->\n"
END = "<!-- end -->\n"


def fields(kind: type[msgspec.Struct]) -> list[tuple[str, bool]]:
    """Return (name, may be left out) of a message's fields."""
    always = getattr(kind.__struct_config__, "omit_defaults", False) is False
    outbound = issubclass(kind, messages.Outbound)
    return [
        (
            field.name,
            not (always and outbound)
            and (
                field.default is not msgspec.NODEFAULT
                or field.default_factory is not msgspec.NODEFAULT
            ),
        )
        for field in msgspec.structs.fields(kind)
    ]


def message_row(kind: type[msgspec.Struct]) -> str:
    shown = " ".join(f"`{name}`{'?' if optional else ''}" for name, optional in fields(kind))
    text = " ".join((kind.__doc__ or "").split()).replace("``", "`")
    return f"| `{tag_of(kind)}` | {shown or '–'} | {text} |"


def message_table(*kinds: type[msgspec.Struct]) -> list[str]:
    return ["| type | fields | meaning |", "|---|---|---|", *map(message_row, kinds)]


def own_refusals() -> list[str]:
    rows = [
        f"| `{code}` | {each.sentence} | {each.clauses or '–'} | {each.close_code or '–'} |"
        for code, each in REFUSALS.items()
    ]
    return ["| code | sentence | clauses | closes with |", "|---|---|---|---|", *rows]


def reasons() -> list[str]:
    known = [(reason.code, EXPLANATIONS[reason]) for reason in Reason if reason]
    rows = [f"| `{code}` | {why.sentence} | {why.clauses or '–'} |" for code, why in known]
    return ["| code | sentence | clauses |", "|---|---|---|", *rows]


def close_codes() -> list[str]:
    codes = sorted({each.close_code for each in REFUSALS.values() if each.close_code})
    own = [
        (number, [code for code, each in REFUSALS.items() if each.close_code == number])
        for number in codes
    ]
    rows = [f"| {number} | {', '.join(f'`{name}`' for name in names)} |" for number, names in own]
    head = ["| close code | `code` of the `bye` |", "|---|---|", "| 1000 | `logout` |"]
    return [*head, *rows]


def role_row(role: str) -> str:
    may = [
        f"`{what}`"
        for what, roles in PERMITTED.items()
        if role in roles and len(roles) < len(ROLES)  # the others are everybody's
    ]
    return f"| `{role}` | {', '.join(may) or '–'} |"


def roles() -> list[str]:
    return ["| role | may |", "|---|---|", *map(role_row, ROLES)]


# the session: each row is played through the machine itself

Event = tuple[State, str, Callable[[Session, Floor], object]]
WORDS = {
    State.CONNECTED: "connected",
    State.CHALLENGED: "challenged",
    State.LOGGED_IN: "logged in",
    State.CLOSED: "closed",
}
EVENTS: tuple[Event, ...] = (
    (State.CONNECTED, "the handshake is done", lambda s, _: s.open()),
    (State.CHALLENGED, "`login`, well signed", lambda s, f: hear(s, login(s, f.key[0]))),
    (
        State.CHALLENGED,
        "`login`, else",
        lambda s, f: hear(s, login(s, f.key[0], secret="another")),
    ),
    (State.CHALLENGED, "no `login` in time", lambda s, _: s.login_expired()),
    (State.CHALLENGED, "`ping`", lambda s, _: hear(s, {"type": "ping"})),
    (State.CHALLENGED, "`logout`", lambda s, _: hear(s, {"type": "logout"})),
    (State.CHALLENGED, "a command", lambda s, _: hear(s, order())),
    (State.CHALLENGED, "a question", lambda s, _: hear(s, {"type": "limits"})),
    (State.CHALLENGED, "what is no message", lambda s, _: s.receive("{")),
    (State.LOGGED_IN, "a command that may be", lambda s, _: hear(s, order())),
    (State.LOGGED_IN, "a command that may not be", lambda s, _: hear(s, order(price="1.00"))),
    (
        State.LOGGED_IN,
        "a command beyond the key's roles",
        lambda s, _: hear(s, {"type": "halt_market", "client_order_id": "h"}),
    ),
    (
        State.LOGGED_IN,
        "a question",
        lambda s, _: hear(s, {"type": "status", "client_order_id": "x"}),
    ),
    (State.LOGGED_IN, "`ping`", lambda s, _: hear(s, {"type": "ping"})),
    (State.LOGGED_IN, "`login`", lambda s, f: hear(s, login(s, f.key[0]))),
    (State.LOGGED_IN, "what is no message", lambda s, _: s.receive("{")),
    (State.LOGGED_IN, "a frame that is too big", lambda s, _: s.receive(" " * 20_000)),
    (State.LOGGED_IN, "`logout`", lambda s, _: hear(s, {"type": "logout"})),
    (State.LOGGED_IN, "the venue stops", lambda s, f: f.desk.close_all("shutting_down")),
    (State.LOGGED_IN, "nothing for three `heartbeat_ms`", lambda s, _: silent(s)),
    (State.LOGGED_IN, "the line is gone", lambda s, _: s.drop()),
    (State.CLOSED, "anything", lambda s, _: hear(s, order(), {"type": "logout"})),
)


def hear(session: Session, *said: object) -> None:
    session.receive(frame(session.codec, *said))


def silent(session: Session) -> None:
    """Let the client have said nothing for an hour, and the heart beat."""
    session.heartbeat_ms, session._heard_s = 1000, session._heard_s - 3600
    session.beat()


def session_in(state: State, floor: Floor) -> Session:
    """A session that has come to this state, with everything read."""
    session = floor.session(None if state is State.CHALLENGED else 0)
    if state is State.CONNECTED:
        session = Session(session.codec, floor.desk, "nonce")
    if state is State.CLOSED:
        session.close("logout")
        session.output()
    return session


def lives() -> list[str]:
    """Return the state table: what was heard in each state, by playing it."""
    rows = ["| state | what comes | the venue says | then |", "|---|---|---|---|"]
    for state, what, act in EVENTS:
        with tempfile.TemporaryDirectory() as folder:
            floor = Floor(Path(folder))
            session = session_in(state, floor)
            assert session.state is state
            act(session, floor)
            said = ", ".join(map(spoken, session.output())) or "–"
        then = WORDS[session.state]
        ended = state is not State.CLOSED and session.close_code
        closed = f" ({session.close_code})" if ended else ""
        rows.append(f"| {WORDS[state]} | {what} | {said} | {then}{closed} |")
    return rows


def spoken(message: msgspec.Struct) -> str:
    """Return a message's type, and its code where it is a refusal."""
    code = getattr(message, "code", "") if not isinstance(message, messages.Status) else ""
    return f"`{tag_of(type(message))}`" + (f" `{code}`" if code else "")


def heard_in(state: State) -> set[str]:
    """Return the types that TRANSITIONS gives a meaning in this state."""
    return {tag_of(kind) for kind in TRANSITIONS[state] if hasattr(kind, "__struct_config__")}


def bounds() -> list[str]:
    """Return every bound: those an operator may set under their name there."""
    rules = Rulebook.on(beijing(0).replace(year=2026, month=1, day=5).date())
    rows = [*of_limits(Limits()), *of_messages()]
    rows.append(
        ("open orders of an account", f"{rules.open_orders_max:,}", "`too_many_open_orders`")
    )
    head = ["| bound | value | beyond it |", "|---|---|---|"]
    return head + [f"| {what} | {value} | {beyond} |" for what, value, beyond in rows]


def of_limits(limits: Limits) -> Iterator[tuple[str, str, str]]:
    """Rows of ``gateway.limits.Limits``; each name is one of ``tanshi serve --limit``."""
    texts = {
        "login_within_ms": ("milliseconds to log in", "`login_timeout`, closed"),
        "lines_max": ("connections of order entry; of market data", "handshake refused with 503"),
        "lines_waiting_max": ("connections that have not logged in", "handshake refused with 503"),
        "lines_waiting_per_address_max": (
            "of these from one address, this machine's own aside",
            "handshake refused with 503",
        ),
        "lines_per_account_max": ("connections of an account", "`too_many_lines`, closed"),
        "orders_per_second": (
            "orders a second, of an account and of each of its lines",
            "`rate_limited` with `retry_ms`",
        ),
        "orders_burst": ("orders at once, after a pause", "`rate_limited` with `retry_ms`"),
        "questions_per_second": ("cancels and questions a second", "the line is read slower"),
        "questions_burst": ("cancels and questions at once", "the line is read slower"),
        "abuse_within_s": ("seconds above the rate", "`rate_abused`, closed"),
    }
    for name, value in vars(limits).items():
        what, beyond = texts[name]
        yield f"{what} (`{name}`)", f"{value:,g}", beyond


def of_messages() -> Iterator[tuple[str, str, str]]:
    too_big = (
        f"`frame_too_big`, closed (above {FRAME_BYTES_CEILING // 1024} KiB without a word, 1009)"
    )
    yield "bytes of a client's frame", f"{messages.FRAME_BYTES_MAX:,}", too_big
    yield "messages in a frame", f"{messages.MESSAGES_MAX}", "`too_many_messages`, none was read"
    yield "legs of a sweep", f"{messages.LEGS_MAX}", "`out_of_range`"
    yield "instruments, or channels, of a subscription", *names_max()
    yield "price in ticks, either sign", f"{base.PRICE_MAX:,}", "`out_of_range`"
    yield "tonnes, either sign", f"{base.QTY_MAX:,}", "`out_of_range`"
    yield "other integers, either sign", f"{base.INT53_MAX:,}", "`out_of_range`"
    grace, beat = (meta_max(each) for each in (base.GraceMs, base.HeartbeatMs))
    yield "`grace_ms` of a login", f"0 to {grace:,}", "`out_of_range`"
    yield "`heartbeat_ms` of a login", f"0 to {beat:,}", "`out_of_range`"
    yield "heartbeats without a word from the client", f"{HEARTBEATS_MISSED_MAX}", HEART
    timer = f"0, or {safeguards.TIMER_MS_MIN:,} to {safeguards.TIMER_MS_MAX:,}"
    yield "`timeout_ms` of `cancel_after`", timer, "`parameter_invalid` or `out_of_range`"
    yield "grace after a restart of the venue", f"{GRACE_AT_START_S:g} s", "open orders end"
    window = f"{CLOCK_WINDOW_US // 1_000_000} s"
    yield "age of a signature, by the wall clock, either side", window, "`bad_credentials`"
    yield "refusals of the gateway that `status` remembers", f"{TURNED_AWAY_MAX:,}", "`unknown`"
    yield "messages that wait for a reader of order entry", f"{OUT_MAX:,}", FETCHED
    yield "facts that wait for a reader of market data", f"{subscriber.FACTS_MAX:,}", SLOW
    yield "seconds between heartbeats of market data", f"{publisher.HEARTBEAT_S:g}", "–"
    yield "seconds in which a peer takes nothing", f"{SEND_WITHIN_S:g}", "cut off"
    yield "commands that wait for the disk", f"{sequencer.WAITING_MAX:,}", "the venue stops reading"


HEART = "`heartbeat_lost`, closed"
FETCHED = "later reports are fetched again when it reads; it loses none"
SLOW = "`slow_consumer`, closed"


def names_max() -> tuple[str, str]:
    return f"{market_messages.INSTRUMENTS_MAX}", "`wrong_type`"


def meta_max(kind: object) -> int:
    """Return the largest value that an annotated integer allows."""
    return int(kind.__metadata__[0].le)


TABLES: dict[str, Callable[[], list[str]]] = {
    "states": lives,
    "requests": lambda: message_table(*messages.Request.__args__),
    "messages": lambda: message_table(*messages.Message.__args__),
    "market requests": lambda: message_table(*market_messages.Request.__args__),
    "market messages": lambda: message_table(
        market_messages.Subscribed,
        market_messages.Unsubscribed,
        market_messages.Replayed,
        market_messages.Heartbeat,
    ),
    "own refusals": own_refusals,
    "reasons": reasons,
    "close codes": close_codes,
    "roles": roles,
    "bounds": bounds,
}


def shown(name: str, page: str) -> list[str]:
    """Return the lines of a table as they stand in the page."""
    return page.split(MARKED.format(name=name))[1].split(END, maxsplit=1)[0].splitlines()


def renewed(page: str) -> str:
    """Return the page with every table as the code makes it."""
    for name, made in TABLES.items():
        begin = MARKED.format(name=name)
        assert page.count(begin) == 1, f"the page has one mark {begin!r}"
        pattern = re.escape(begin) + r".*?" + re.escape(END)
        text = begin + "\n".join(made()) + "\n" + END
        page = re.sub(pattern, lambda _, text=text: text, page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        for name, made in TABLES.items():
            print(f"## {name}", *made(), sep="\n")
