"""Who waits for what: each command and each question until its answer has come, over lost lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway import messages as m
from gateway import trader_messages as t
from gateway.client.errors import OutcomeUnknownError, RefusedError
from gateway.client.orders import Order
from gateway.office_messages import AdmitInstrument, Approve, RejectProposal, WithdrawProposal
from gateway.rare_messages import Rare

Outcome = Any  # an Order, a RefusedError, or of rare commands the report that answers
Outcomes = list[Outcome]  # one per command or leg
LINES_MAX = 5  # a command that loses the line so often is not sent again

# Not safe to send again: the venue does not know these by their id, so they would be done twice, or
# be refused because they are done.
ONLY_ONCE = (
    *(t.CreateKey, t.RotateKey, t.RevokeKey),
    *(AdmitInstrument, Approve, RejectProposal, WithdrawProposal),
)


def identity_of(command: Any) -> str:
    """Return the id that a command's answers carry; an admission goes by its code."""
    found: str = getattr(command, "client_order_id", "") or command.instrument
    return found


@dataclass
class Asked:
    """A command whose answer is waited for: one outcome, or one per leg of a sweep."""

    command: m.Command
    future: asyncio.Future[Outcomes]
    date: int = 0  # of the day on which it was first sent
    line: int = 0  # number of the connection it was last sent on, 0: never sent
    lines: int = 0  # how many connections it was sent on
    got: dict[int, Outcome] = field(default_factory=dict)  # by leg

    @property
    def identity(self) -> str:
        """The id that its answers carry."""
        return identity_of(self.command)

    @property
    def legs(self) -> int:
        """How many outcomes there will be."""
        command = self.command
        return len(command.legs) if isinstance(command, m.Take) and command.legs else 1

    @property
    def until_done(self) -> bool:
        """A take is answered when it is done, anything else when it is accepted."""
        return isinstance(self.command, m.Take | m.TakeBest)

    @property
    def at_end(self) -> bool:
        """Whether it is answered only after all the orders that it ends."""
        return isinstance(self.command, t.CancelAll | t.Kill)

    def sent(self, line: int, date: int) -> None:
        """It goes out on this connection."""
        if self.line != line:
            self.line, self.lines = line, self.lines + 1
            self.date = self.date or date

    def fail(self, error: Exception) -> None:
        """Tell who waits that there will be no answer."""
        if not self.future.done():
            self.future.set_exception(error)

    def give_up(self) -> None:
        """Nobody waits any longer; an error that nobody has looked at is no news then."""
        if not self.future.cancel() and not self.future.cancelled():
            self.future.exception()


@dataclass
class Question:
    """A question whose answer is waited for. ``kind`` and ``key``: of the answer."""

    message: m.Question
    kind: type
    key: object
    future: asyncio.Future[Any]
    line: int = 0  # number of the connection it was last sent on


class Answers:
    """Everything that is waited for, in the order in which it was asked."""

    def __init__(self) -> None:
        self._asked: dict[str, Asked] = {}
        self._questions: list[Question] = []

    def expect(self, command: m.Command) -> Asked:
        """Wait for the outcomes of a command.

        Raises:
            RefusedError: a command of this id is being waited for.
        """
        identity = identity_of(command)
        known = self._asked.get(identity)
        if known is not None and not known.future.done():
            text = "A command of this id is on its way."
            raise RefusedError("duplicate_client_order_id", text, "", identity)
        asked = Asked(command, asyncio.get_running_loop().create_future())
        self._asked[identity] = asked
        return asked

    def question(self, message: m.Question, kind: type, key: object = None) -> Question:
        """Wait for the next answer of ``kind`` about ``key``."""
        asked = Question(message, kind, key, asyncio.get_running_loop().create_future())
        self._questions.append(asked)
        return asked

    @property
    def commands(self) -> list[Asked]:
        """Commands that nobody has answered."""
        self._asked = {key: each for key, each in self._asked.items() if not each.future.done()}
        return list(self._asked.values())

    @property
    def questions(self) -> list[Question]:
        """Questions that nobody has answered."""
        self._questions = [each for each in self._questions if not each.future.done()]
        return list(self._questions)

    def fail(self, error: Callable[[str, bool], Exception]) -> None:
        """Give everything up; ``error`` makes one from an id ("": a question) and whether sent."""
        for asked in self.commands:
            asked.fail(error(asked.identity, asked.lines > 0))
        for question in self.questions:
            question.future.set_exception(error("", True))

    def not_again(self, asked: Asked, date: int) -> bool:
        """Whether a command must not be sent again; who waits is told why.

        Ids are good for one day: after it the same command would be another one.
        """
        if asked.lines == 0:
            return False
        if asked.date != date:
            text = "the day has ended, its statement tells what was done"
        elif asked.lines >= LINES_MAX:
            text = "the line was lost each time it was sent"
        elif isinstance(asked.command, ONLY_ONCE):
            text = "the answer is lost, and this command is not to be sent twice"
        else:
            return False
        asked.fail(OutcomeUnknownError(text, asked.identity))
        return True

    def waiting(self, identity: str) -> Asked | None:
        """Return the command of this id that is waited for."""
        asked = self._asked.get(identity)
        return None if asked is None or asked.future.done() else asked

    def replied(self, message: Any, key: object = None) -> None:
        """Give an answer to the first one who asked this question."""
        for question in self.questions:
            if isinstance(message, question.kind) and question.key == key:
                question.future.set_result(message)
                return

    def turned_down(self, kind: type, error: Exception) -> bool:
        """Give an error to the first one who asked for this kind of answer; False: nobody did."""
        for question in self.questions:
            if question.kind is kind:
                question.future.set_exception(error)
                return True
        return False

    def heard(self, report: m.Report, order: Order | None, *, last_word: bool = False) -> None:
        """Answer whoever waits for what a report says; ``order``: the one that it is about.

        ``last_word``: nothing more will be told of the order, as it is older than this client.
        """
        match report:
            case m.Refused():
                self._refused(report)
            case m.Accepted():
                asked = self.waiting(report.client_order_id)
                if asked is not None and (last_word or not asked.until_done):
                    self.settle(asked.identity, order, report.leg)
            case m.Filled() if report.request_id:
                self.settle(report.request_id, report)
            case m.Cancelled() | m.Amended() if report.request_id:
                asked = self.waiting(report.request_id)
                if asked is not None and not asked.at_end:
                    self.settle(asked.identity, order)
            case Rare():
                self.settle(report.client_order_id, report)
        if order is not None and order.done:
            asked = self.waiting(order.client_order_id)
            if asked is not None and asked.until_done:
                self.settle(asked.identity, order, order.leg)

    def _refused(self, report: m.Refused) -> None:
        asked = self.waiting(report.client_order_id)
        if asked is None:
            return
        words = (report.code, report.reason, report.clauses, report.client_order_id)
        error = RefusedError(*words, report.retry_ms)
        if report.sequenced:
            self.settle(asked.identity, error, report.leg)
        else:  # by the gateway: the whole message, whatever its legs
            for leg in range(1, asked.legs + 1) if asked.legs > 1 else (0,):
                self.settle(asked.identity, error, leg)

    def settle(self, identity: str, outcome: Outcome, leg: int = 0) -> None:
        """Note an outcome; the last one answers who waits."""
        asked = self.waiting(identity)
        if asked is None:
            return
        asked.got[leg] = outcome
        if len(asked.got) >= asked.legs:
            del self._asked[identity]
            asked.future.set_result([asked.got[leg] for leg in sorted(asked.got)])


def plain(messages: tuple[m.Inbound, ...]) -> list[dict[str, Any]]:
    """Return messages as maps without the fields that are left out."""
    return [
        {name: value for name, value in each.items() if value is not None}
        for each in msgspec.to_builtins(messages)
    ]
