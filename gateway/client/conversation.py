"""The conversation with the venue: what was asked, what is told, and how both outlive a lost line.

After a lost line the client logs in again, resumes its reports after the last one it has taken in,
and when these are told sends again whatever is still unanswered: the venue knows each command of
the day by its id, so what was done is answered again and not done twice. (To ask ``status`` first
would not do: a command cut off with the old line may still reach the venue after the question.)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway import messages as m
from gateway import rare_messages as r
from gateway.client.answers import Answers, Asked, Outcomes, Question
from gateway.client.errors import (
    LineLostError,
    NeverSentError,
    OutcomeUnknownError,
    RefusedError,
)
from gateway.client.link import Link
from gateway.client.orders import OwnOrders
from gateway.client.pace import Pace
from gateway.client.stream import Place, Stream
from gateway.client.wire import Login, Wire
from gateway.protocol import PACED

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S = 15.0
FRAME_ORDERS = 60  # of the longest ids, in one frame below the venue's 16 KiB

Told = m.Report | r.Proposal | r.KeyIssued | r.KeyRevoked | m.Snapshot
Answer = TypeVar("Answer")
_id_ok = re.compile(r"[A-Za-z0-9._:\-]{1,32}").fullmatch


class Conversation:
    """One per client; ``waits``: keep to the venue's rate instead of being refused."""

    def __init__(
        self, address: str, login: Login, *, reconnect: bool, away_max_s: float, waits: bool
    ) -> None:
        self.welcome: m.Welcome | None = None
        self.phase = ""
        self.bye: m.Bye | None = None
        self.account: m.Snapshot | None = None
        self.own = OwnOrders()
        self.stream = Stream()
        self.line = 0  # number of the connection
        self._address = address
        self._login = login
        self._reconnect = reconnect
        self._away_max_s = away_max_s
        self._waits = waits
        heartbeat_s = login.heartbeat_ms / 1000
        self.link = Link(
            self._open_wire,
            self,
            reconnect=reconnect,
            away_max_s=away_max_s,
            heartbeat_s=heartbeat_s,
        )
        self._pace = Pace()
        self._answers = Answers()
        self._again = False  # the line was lost: what is unanswered goes out once more
        self._torn = ""  # numbers cannot tell what was missed: "day" changed, or reports are "lost"
        self._listeners: list[asyncio.Queue[Told | None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Log out and let go."""
        await self.link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # asking

    async def enter(self, commands: list[m.Command]) -> Outcomes:
        """Send commands in few frames; return all their outcomes once the last one is there.

        Raises:
            LineLostError, OutcomeUnknownError, NeverSentError: as their names say.
            RefusedError: one of them cannot be sent at all.
        """
        waiting: list[Asked] = []
        if not commands:
            return []
        try:
            while len(waiting) < len(commands):
                size = min(FRAME_ORDERS, self._pace.burst or FRAME_ORDERS)
                waiting += await self._send_frame(commands[len(waiting) :][:size])
            _, late = await asyncio.wait(
                [asked.future for asked in waiting], timeout=self._patience_s
            )
            for asked in waiting:
                if asked.future in late:
                    raise OutcomeUnknownError("no answer in time", asked.identity)
            return [outcome for asked in waiting for outcome in asked.future.result()]
        finally:
            for asked in waiting:
                asked.give_up()

    async def _send_frame(self, commands: list[m.Command]) -> list[Asked]:
        for command in commands:
            identity = getattr(command, "client_order_id", None)
            if identity is not None and _id_ok(identity) is None:
                text = "A client order id has 1 to 32 characters of A-Z a-z 0-9 . _ : -"
                raise RefusedError("client_order_id_invalid", text, "", identity[:32])
        paced = sum(type(command) not in PACED for command in commands)
        if self._waits and paced:
            await self._pace.take(paced)
        if not self.link.alive:
            raise LineLostError("not connected")
        asked: list[Asked] = []
        try:
            asked += map(self._answers.expect, commands)
            await self._transmit(asked)
        except BaseException:
            for each in asked:
                each.give_up()
            raise
        return asked

    async def _transmit(self, asked: list[Asked]) -> None:
        """Send a frame if the line is up; if not, or if it breaks, coming back takes care."""
        if not self.link.up:
            return
        for each in asked:
            each.sent(self.line, self.stream.date)
        try:
            with contextlib.suppress(LineLostError):
                await self.link.send(*(each.command for each in asked))
        except RefusedError as refused:  # too big for a frame: nothing was sent
            for each in asked:
                each.fail(refused)

    async def question(self, request: m.Question, kind: type[Answer], key: object = None) -> Answer:
        """Return the answer to a question, asked again after a lost line.

        Raises:
            LineLostError: there was none. RefusedError: the venue does not answer it.
        """
        if not self.link.alive:
            raise LineLostError("not connected")
        asked = self._answers.question(request, kind, key)
        await self._pose(asked)
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await asked.future
        except TimeoutError:
            raise LineLostError("no answer in time") from None
        assert isinstance(answer, kind), f"answered by {answer}"
        return answer

    async def _pose(self, question: Question) -> None:
        if self.link.up:
            question.line = self.line
            with contextlib.suppress(LineLostError):
                await self.link.send(question.message)

    @property
    def _patience_s(self) -> float:
        return ANSWER_WITHIN_S + (self._away_max_s if self._reconnect else 0)

    def listen(self) -> asyncio.Queue[Told | None]:
        """Return a queue of everything told from now on; None is its end."""
        queue: asyncio.Queue[Told | None] = asyncio.Queue()
        self._listeners.append(queue)
        return queue

    def leave(self, queue: asyncio.Queue[Told | None]) -> None:
        """Nobody reads this queue any more."""
        self._listeners.remove(queue)

    # what the link tells

    async def _open_wire(self) -> Wire:
        return await Wire.open(self._address, self._login)

    def came_up(self, welcome: m.Welcome) -> None:
        """A line is up: resume after the last report, or begin with the first line."""
        first, self.welcome, self.phase = self.welcome is None, welcome, welcome.phase
        self.line += 1
        if first or not self._reconnect:
            self.stream.begin(welcome.date, welcome.report_seq, welcome.seq)
        else:
            self._again = True
            self._resume()
            if self._torn:
                self._say(m.SnapshotRequest())
        if self._waits and welcome.account >= 0:
            self._say(m.LimitsRequest())

    def away_too_long(self) -> None:
        """Nobody waits any longer, but the client still tries to come back."""
        self._give_up(f"the venue was away for {self._away_max_s:g} s")

    def ended(self, why: Exception) -> None:
        """There is no line any more and there will be none."""
        if self._reconnect:
            self._give_up(str(why))
        else:
            self._answers.fail(lambda identity, _: LineLostError(f"{why} ({identity})"))
        for queue in self._listeners:
            queue.put_nowait(None)

    def _give_up(self, text: str) -> None:
        def error(identity: str, sent: bool) -> Exception:
            return OutcomeUnknownError(text, identity) if sent else NeverSentError(text)

        self._answers.fail(error)

    def take_in(self, message: Any) -> None:
        """Take in one message of the venue."""
        match message:
            case m.Pong():
                self._heal(message.report_seq)
                self._answers.replied(message, message.ref)
            case m.Heartbeat():
                self._heal(message.report_seq)
            case m.Status():
                self._answers.replied(message, message.client_order_id)
            case m.Snapshot():
                self._stands(message)
            case m.LimitsNow():
                if self._waits:
                    self._pace.learn(message)
                self._answers.replied(message)
            case m.StreamResumed():
                self._resumed(message)
            case m.PhaseChanged():
                self.phase = message.phase
                if self.stream.turn(message.date, message.seq):
                    self.own.new_day()
            case m.Bye():
                self.bye = message
            case m.Error():
                self._complained(message)
            case r.Proposal() | r.KeyIssued() | r.KeyRevoked():
                self._answers.settle(message.client_order_id, message)
                self._pass_on(message)
            case _ if isinstance(message, m.Report):
                self._report(message)
        if self._again and self.stream.whole:
            self._again = False
            self._start(self._send_again())

    # the stream

    def _report(self, report: m.Report) -> None:
        if report.repeated or not report.report_seq:
            self._aside(report)
            return
        match self.stream.place(report):
            case Place.NEXT:
                order = self.own.take_in(report)
                self._answers.heard(report, order)
                self._pass_on(report)
            case Place.TOLD:
                self._pass_on(report)
            case Place.EARLY:
                self._heal(report.report_seq)

    def _aside(self, report: m.Report) -> None:
        """Take in what is no new entry of the stream: a repeated answer, a gateway's refusal."""
        if isinstance(report, m.Refused) and report.code == "rate_limited":
            asked = self._answers.waiting(report.client_order_id)
            if asked is not None and (self._waits or asked.lines > 1):
                self._pace.refused(report.retry_ms)
                self._start(self._send_later(asked))
                return
        if report.report_seq > self.stream.last:
            return  # the stream will tell, with all that belongs to it
        older = report.report_seq <= self.stream.first
        self._answers.heard(report, self.own.look_up(report), last_word=older)
        if not report.repeated:
            self._pass_on(report)

    def _heal(self, report_seq: int) -> None:
        """If reports up to this number are missing, have them told again."""
        if self.stream.missing(report_seq):
            self._resume()

    def _resume(self) -> None:
        date, after = self.stream.ask()
        self._say(m.Resume(date=date, after=after))

    def rewind(self, after: int) -> m.Resume:
        """Go back to a number; return the request that has the rest told again."""
        if self.stream.rewind(after):
            self.own.forget()
        return m.Resume(date=self.stream.date, after=after)

    def _resumed(self, message: m.StreamResumed) -> None:
        if message.complete:
            self.stream.resumed(message.report_seq)
            self._answers.replied(message)
            return
        self.own.new_day()
        self.stream.begin(message.date, 0)
        self._torn = "day"
        self._say(m.SnapshotRequest())
        self._resume()

    def _complained(self, error: m.Error) -> None:
        logger.warning("the venue: %s [%s]", error.reason, error.code)
        if error.code != "resume_ahead":
            return
        refused = RefusedError(error.code, error.reason)
        if self._answers.turned_down(m.StreamResumed, refused):
            self.stream.resumed(self.stream.last)
        else:  # the venue has lost reports, or is another one
            self._torn = "lost"
            self._say(m.SnapshotRequest())

    def _stands(self, snapshot: m.Snapshot) -> None:
        """So things stand now; listeners are told where numbers could not tell them."""
        self.account = snapshot
        self.own.agree(snapshot)
        if self._torn:
            if self._torn == "lost":
                self.stream.begin(snapshot.date, snapshot.report_seq, snapshot.seq)
            self._torn = ""
            self._pass_on(snapshot)
        self._answers.replied(snapshot)

    # sending again

    async def _send_again(self) -> None:
        """Send whatever nobody has answered, in the order in which it was asked."""
        for question in self._answers.questions:
            if question.line != self.line:
                await self._pose(question)
        for asked in self._answers.commands:
            lost = asked.line != self.line
            if lost and not self._answers.not_again(asked, self.stream.date):
                await self._send_later(asked)

    async def _send_later(self, asked: Asked) -> None:
        """Send a command once its turn comes, unless it was answered meanwhile."""
        if self._waits and type(asked.command) not in PACED:
            await self._pace.take()
        if not asked.future.done():
            await self._transmit([asked])

    def _say(self, message: m.Inbound) -> None:
        """Send in the background; if the line is lost, coming back says what is needed."""

        async def say() -> None:
            with contextlib.suppress(LineLostError):
                await self.link.send(message)

        self._start(say())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _pass_on(self, message: Told) -> None:
        for queue in self._listeners:
            queue.put_nowait(message)
