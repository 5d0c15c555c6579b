"""The open loop: what is due is sent, what has come is heard, and neither waits for the other."""

from __future__ import annotations

import selectors
import time
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable

from benchmarks.load.arrivals import SECOND_NS
from benchmarks.load.ends import Client
from benchmarks.load.line import Line, LineLostError
from benchmarks.load.market import OPEN
from benchmarks.load.outcome import Outcome
from benchmarks.load.plan import Plan
from benchmarks.load.record import Second
from benchmarks.load.seconds import Seconds, Stopping
from benchmarks.load.sending import Sending

AT_ONCE = 256  # orders sent before what has come is heard
FEW = 500  # connections that select() can watch, to the microsecond; beyond, to the millisecond
NAP_NS = SECOND_NS // 50


class Lane:
    """A client's line under load: frames made and not sent yet, and whose they are."""

    def __init__(self, client: Client, line: Line) -> None:
        self.client = client
        self.line = line
        self.frames: list[bytes] = []
        self.orders: list[int] = []
        self._held: deque[tuple[int, int]] = deque()  # (bytes until its end, order)
        self._made = 0

    def push(self, now_ns: int, sent: array[int]) -> bool:
        """Hand over what there is; orders that the system took have ``now_ns`` in ``sent``.

        Returns whether all were taken. Raises: LineLostError.
        """
        at_once = not self._held and not self.line.unsent
        data = b"".join(self.frames)
        if self.line.send(data) and at_once:
            for order in self.orders:
                sent[order] = now_ns
            self._made += len(data)
        else:
            self._slowly(now_ns, sent)
        self.frames.clear()
        self.orders.clear()
        return not self.line.unsent

    def _slowly(self, now_ns: int, sent: array[int]) -> None:
        """The system took part: an order is sent once its last byte is taken."""
        for order, frame in zip(self.orders, self.frames, strict=True):
            self._made += len(frame)
            self._held.append((self._made, order))
        taken = self._made - len(self.line.unsent)
        while self._held and self._held[0][0] <= taken:
            sent[self._held.popleft()[1]] = now_ns


class Loop:
    """A run under load. ``now`` counts nanoseconds since its begin."""

    def __init__(
        self, plan: Plan, outcome: Outcome, sending: Sending, lanes: list[Lane], seconds: Seconds
    ) -> None:
        self._plan = plan
        self._outcome = outcome
        self._sending = sending
        self._lanes = lanes
        self._seconds = seconds
        self._stopping = Stopping(plan.stop, plan.warmup_s)
        self._due = outcome.due
        self._end_ns = round((plan.warmup_s + plan.seconds) * SECOND_NS)
        self._until = len(outcome.due)  # orders from here on are not sent
        if 0 < plan.stop.orders < self._until:
            self._until = plan.stop.orders
        self.limit = self._until  # orders from here on are not even due
        self._blocked: set[int] = set()
        self.at = 0  # orders made so far
        self.late = array("q")  # how late the generator was, ns, order by order
        self.ended_by = ""
        self.stop = False  # set from outside: end now
        self.lost = ""
        self._began_ns = time.perf_counter_ns()

    def now(self) -> int:
        """Return nanoseconds since the run's begin."""
        return time.perf_counter_ns() - self._began_ns

    def run(self, tell: Callable[[Second], None]) -> None:
        """Play the plan until its end, a stop condition, ``stop``, or the venue's loss."""
        few = len(self._lanes) <= FEW
        with selectors.SelectSelector() if few else selectors.DefaultSelector() as selector:
            for number, lane in enumerate(self._lanes):
                selector.register(lane.line.socket, selectors.EVENT_READ, number)
            self._began_ns = time.perf_counter_ns()
            try:
                while not self._over(self.now()):
                    self._turn(selector, tell)
            except LineLostError as lost:
                said = self._outcome.bye
                self.lost = f"{lost}: {said}" if said else str(lost)
                self.ended_by = f"server lost: {self.lost}"
        self._seconds.roll(self.now(), self.at, self.limit)
        if not self.ended_by:
            whole = self._until == len(self._due)
            self.ended_by = "time" if whole else "orders"

    def _over(self, now: int) -> bool:
        if self.stop and not self.ended_by:
            self._finish("interrupted", now)
        done = self.at >= self._until and self._outcome.waiting == 0
        if done and (self.ended_by or self._until < len(self._due) or now >= self._end_ns):
            return True
        return now >= self._end_ns + self._plan.answer_within_s * SECOND_NS

    def _finish(self, why: str, now: int) -> None:
        """Send no more; what was sent is awaited for as long as at the plan's end."""
        self.ended_by = why
        self.limit = min(self.limit, bisect_right(self._due, now))
        self._until = self.at
        self._end_ns = min(self._end_ns, now)

    def _turn(self, selector: selectors.BaseSelector, tell: Callable[[Second], None]) -> None:
        now = self.now()
        if now >= self._seconds.next_ns:
            self._second(now, tell)
        if self.at < self._until and self._due[self.at] <= now:
            self._send(selector, now)
        ready = selector.select(self._pause_s())
        for key, events in ready:
            lane = self._lanes[key.data]
            if events & selectors.EVENT_WRITE and lane.push(self.now(), self._outcome.sent):
                self._blocked.discard(key.data)
                selector.modify(lane.line.socket, selectors.EVENT_READ, key.data)
            if events & selectors.EVENT_READ:
                payloads = lane.line.receive()
                heard = self.now()
                for payload in payloads:
                    for told in lane.line.told(payload):
                        self._outcome.hear(lane.client, told, heard)

    def _pause_s(self) -> float:
        """Seconds until something is due; what has come in between wakes the loop."""
        until = self._seconds.next_ns
        if self.at < self._until:
            until = min(until, self._due[self.at])
        return max(0, min(until - self.now(), NAP_NS)) / SECOND_NS

    def _send(self, selector: selectors.BaseSelector, now: int) -> None:
        outcome, lanes = self._outcome, self._lanes
        upto = min(bisect_right(self._due, now, self.at), self.at + AT_ONCE, self._until)
        touched: set[int] = set()
        for order in range(self.at, upto):
            number = outcome.client[order]
            lane = lanes[number]
            lane.frames.append(lane.line.frame(self._sending.message(order)))
            lane.orders.append(order)
            touched.add(number)
        first, self.at = self.at, upto
        for number in touched - self._blocked:  # these wait until the system takes more
            if not lanes[number].push(self.now(), outcome.sent):
                self._blocked.add(number)
                both = selectors.EVENT_READ | selectors.EVENT_WRITE
                selector.modify(lanes[number].line.socket, both, number)
        offered = self.now()
        self.late.extend([offered - due for due in self._due[first:upto]])

    def _second(self, now: int, tell: Callable[[Second], None]) -> None:
        row = self._seconds.roll(now, self.at, self.limit)
        tell(row)
        phase = self._outcome.phase
        if self.ended_by:
            return
        if phase and phase not in OPEN:
            self._finish(f"condition: the market closed (phase {phase})", now)
        elif why := self._stopping.why(row):
            self._finish(f"condition: {why}", now)
