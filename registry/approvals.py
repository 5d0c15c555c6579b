"""Two people for everything that moves money or allowances by hand (ST-07, RG-17).

One asks (*maker*), another decides (*checker*). A request is never changed after it was made; its
``sha256`` covers number, maker, action and values, and an approval must quote it: what is approved
is what was read, and what is executed. Every decision, and every attempt that was refused, stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select

from registry.actions import ACTIONS, Context, Done, Values, refuse_invalid
from registry.database import Database
from registry.errors import RefusalError, StopError
from registry.offices import PERSON_MAX, attempts, decisions, directives, requests
from registry.windows import moment

NOTE_CHARS_MAX = 500


class Request(NamedTuple):
    """A request and what became of it.

    ``status``: open, approved, refused, withdrawn. ``outcome``: of an approved one: done, or
    pending / refused while and when the exchange has been directed; "" otherwise.
    """

    number: int
    maker: int
    action: str
    values: dict[str, Any]
    sha256: str
    made_at_ns: int
    status: str
    checker: int
    decided_at_ns: int
    note: str
    txn: int | None
    directive: int | None
    outcome: str
    reason: str


class Step(NamedTuple):
    """One line of a request's audit trail."""

    at_ns: int
    person: int
    what: str  # made, approved, refused, withdrawn, or the attempt: "approve", "refuse", "withdraw"
    code: str  # why an attempt was refused, "" otherwise


class Approvals:
    """The registry's counter: ask, look, decide."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def request(self, maker: int, action: str, values: Values, at_ns: int) -> Request:
        """Write a request down; nothing moves.

        RefusalError: person_invalid, time_invalid, and those of ``actions.refuse_invalid``.
        """
        with self._database.write() as tx:
            _refuse_stranger(maker)
            moment(at_ns)
            refuse_invalid(tx, action, values)
            last = tx.execute(select(func.coalesce(func.max(requests.c.id), 0))).scalar_one()
            payload = json.dumps(
                dict(values), sort_keys=True, separators=(",", ":"), ensure_ascii=False
            )
            row = {"id": last + 1, "maker": maker, "action": action, "payload": payload}
            row["sha256"] = signature(last + 1, maker, action, payload)
            tx.execute(insert(requests), {**row, "made_at_ns": at_ns})
            return _find(tx, last + 1)

    def approve(self, number: int, checker: int, sha256: str, at_ns: int) -> Request:
        """Approve and carry out, in one transaction.

        RefusalError: unknown_request, person_invalid, decided_before, maker_is_checker,
        values_differ (another hash than the request's), and whatever the action refuses; the
        request then stays open. StopError request_altered: the row is not what was asked for.
        """

        def decide(tx: Connection, found: Request) -> None:
            if checker == found.maker:
                raise RefusalError("maker_is_checker", "Nobody approves a request of his own.")
            if sha256 != found.sha256:
                raise RefusalError("values_differ", "This is not the hash of what is asked for.")
            refuse_invalid(tx, found.action, found.values)
            context = Context(found.maker, checker, at_ns, self._database.profile)
            done = ACTIONS[found.action].execute(tx, found.values, context)
            _decide(tx, found, "approved", checker, "", at_ns, done)

        return self._try(number, checker, "approve", at_ns, decide)

    def refuse(self, number: int, checker: int, note: str, at_ns: int) -> Request:
        """Refuse a request of somebody else, with a reason in words."""

        def decide(tx: Connection, found: Request) -> None:
            if checker == found.maker:
                raise RefusalError("maker_is_checker", "A maker withdraws; refusing is another's.")
            _decide(tx, found, "refused", checker, _words(note), at_ns)

        return self._try(number, checker, "refuse", at_ns, decide)

    def withdraw(self, number: int, maker: int, note: str, at_ns: int) -> Request:
        """Take one's own request back."""

        def decide(tx: Connection, found: Request) -> None:
            if maker != found.maker:
                raise RefusalError("not_the_maker", "Only who asked can withdraw.")
            _decide(tx, found, "withdrawn", maker, _words(note), at_ns)

        return self._try(number, maker, "withdraw", at_ns, decide)

    def find(self, number: int) -> Request:
        """Return a request; RefusalError unknown_request."""
        with self._database.read() as tx:
            return _find(tx, number)

    def all(self, status: str | None = None) -> list[Request]:
        """Return every request in order, of one status if told so."""
        with self._database.read() as tx:
            found = [_request(row) for row in tx.execute(_query().order_by(requests.c.id))]
        return [one for one in found if status is None or one.status == status]

    def trail(self, number: int) -> list[Step]:
        """Return everything that was tried with a request, in order."""
        with self._database.read() as tx:
            found = _find(tx, number)
            rows = tx.execute(
                select(attempts).where(attempts.c.request == number).order_by(attempts.c.id)
            ).all()
        steps = [Step(found.made_at_ns, found.maker, "made", "")]
        steps += [Step(row.at_ns, row.person, row.verb, row.code) for row in rows]
        if found.status != "open":
            place = sum(1 for row in rows if row.code != "decided_before") + 1
            decided = Step(found.decided_at_ns, found.checker, found.status, "")
            steps.insert(place, decided)
        return steps

    def _try(
        self,
        number: int,
        person: int,
        verb: str,
        at_ns: int,
        decide: Callable[[Connection, Request], None],
    ) -> Request:
        """Decide in one transaction; if the rules refuse, nothing is done and the attempt stays."""
        _refuse_stranger(person)
        moment(at_ns)
        try:
            with self._database.write() as tx:
                found = _find(tx, number)
                if found.status != "open":
                    raise RefusalError(
                        "decided_before", f"Request {number} is {found.status} already."
                    )
                decide(tx, found)
                return _find(tx, number)
        except RefusalError as refusal:
            if refusal.code != "unknown_request":
                self._note_attempt(number, person, verb, refusal.code, at_ns)
            raise

    def _note_attempt(self, number: int, person: int, verb: str, code: str, at_ns: int) -> None:
        with self._database.write() as tx:
            last = tx.execute(select(func.coalesce(func.max(attempts.c.id), 0))).scalar_one()
            row = {"id": last + 1, "request": number, "person": person, "verb": verb}
            tx.execute(insert(attempts), {**row, "code": code, "at_ns": at_ns})


def signature(number: int, maker: int, action: str, payload: str) -> str:
    """Return the hash an approver quotes."""
    return hashlib.sha256(f"{number}|{maker}|{action}|{payload}".encode()).hexdigest()


def _refuse_stranger(person: int) -> None:
    whole = isinstance(person, int) and not isinstance(person, bool)
    if not whole or not 1 <= person <= PERSON_MAX:
        raise RefusalError("person_invalid", f"{person!r} is nobody's number.")


def _words(note: str) -> str:
    if not isinstance(note, str) or not 0 < len(note.strip()) <= NOTE_CHARS_MAX:
        raise RefusalError("text_invalid", "A decision says why, in at most 500 characters.")
    return note


def _decide(
    tx: Connection,
    found: Request,
    verdict: str,
    checker: int,
    note: str,
    at_ns: int,
    done: Done = Done(),  # noqa: B008 - immutable
) -> None:
    row: dict[str, Any] = {"request": found.number, "maker": found.maker, "checker": checker}
    row |= {"decided_at_ns": at_ns, "txn": done.txn, "directive": done.directive}
    tx.execute(insert(decisions), {**row, "verdict": verdict, "note": note})


def _query() -> Any:
    d, o = decisions.c, directives.c
    return (
        select(
            requests,
            *(d.verdict, d.checker, d.decided_at_ns, d.note, d.txn, d.directive),
            *(o.status.label("outcome"), o.reason),
        )
        .select_from(requests)
        .outerjoin(decisions, d.request == requests.c.id)
        .outerjoin(directives, o.number == d.directive)
    )


def _find(tx: Connection, number: int) -> Request:
    known = isinstance(number, int) and 0 < number < 2**62
    row = tx.execute(_query().where(requests.c.id == number)).first() if known else None
    if row is None:
        raise RefusalError("unknown_request", f"There is no request {number!r}.")
    return _request(row)


def _request(row: Row[Any]) -> Request:
    if signature(row.id, row.maker, row.action, row.payload) != row.sha256:
        raise StopError("request_altered", f"Request {row.id} is not what was asked for.")
    approved = row.verdict == "approved"
    return Request(
        row.id,
        row.maker,
        row.action,
        json.loads(row.payload),
        row.sha256,
        row.made_at_ns,
        row.verdict or "open",
        row.checker or 0,
        row.decided_at_ns or 0,
        row.note or "",
        row.txn,
        row.directive,
        row.outcome or ("done" if approved else ""),
        row.reason or "",
    )
