"""One run from the login to the record."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

import numpy as np

from benchmarks.load.arrivals import SECOND_NS
from benchmarks.load.ends import Client
from benchmarks.load.figures import Figures, advice
from benchmarks.load.keys import Credentials
from benchmarks.load.line import Line, LineLostError, Place, log_in, place_of, snapshot_of
from benchmarks.load.loop import Lane, Loop
from benchmarks.load.market import OPEN, Market, market_of, prices
from benchmarks.load.orders import Orders, planned
from benchmarks.load.outcome import Outcome
from benchmarks.load.plan import LoadError, Plan
from benchmarks.load.record import Checks, Progress, Record, Second
from benchmarks.load.seconds import Seconds
from benchmarks.load.sending import Sending
from benchmarks.load.settle import Settling
from benchmarks.machine import machine, quiet_core

__all__ = ["LoadError", "run"]
OPEN_SHARE = 0.9  # of the open orders that an account may have
Watch = Callable[[Progress], None]


@dataclasses.dataclass(frozen=True)
class Entered:
    """The clients, logged in, and what the venue lets each of them do (0: no bound)."""

    lanes: list[Lane]
    open_max: int
    rate: int

    def close(self) -> None:
        """Log all of them out."""
        for lane in self.lanes:
            lane.line.close()


def run(plan: Plan, keys: Sequence[Credentials], watch: Watch) -> Record:
    """Load the plan's venue with one client per key and return the record.

    ``watch`` is told of every second. Ctrl-C, a stop condition and the loss of the venue end the
    load early: the record is of what was until then.

    Raises:
        LoadError: the run cannot begin.
    """
    plan.checked()
    place = place_of(plan)
    market = market_of(place, plan.instrument)
    orders = planned(plan)
    entered = enter(plan, place, keys)
    try:
        return _Run(plan, place, market, orders, entered, list(keys)).play(watch)
    finally:
        entered.close()


def enter(plan: Plan, place: Place, keys: Sequence[Credentials]) -> Entered:
    """Connect and log in a client per account.

    Raises:
        LoadError: ``no_keys``, ``too_few_keys``, ``one_account``, ``market_closed``,
            ``login_refused``, ``unreachable``, ``tls``, ``no_venue``.
    """
    if not keys:
        raise LoadError("no_keys", "There is no key to log in with.")
    if len(keys) < plan.clients:
        text = f"{plan.clients} clients need {plan.clients} keys of as many accounts"
        raise LoadError("too_few_keys", f"{text}; there are {len(keys)}.")
    entered = Entered([], 0, 0)
    seen: dict[int, str] = {}
    try:
        for number, key in enumerate(keys[: plan.clients]):
            lane, limits = _client(plan, place, number, key)
            entered = Entered([*entered.lanes, lane], *limits)
            if (other := seen.setdefault(lane.client.account, key.key_id)) != key.key_id:
                text = f"Keys {other} and {key.key_id} are of one account"
                raise LoadError("one_account", f"{text}; each client needs an account of its own.")
    except BaseException:
        entered.close()
        raise
    return entered


def _client(
    plan: Plan, place: Place, number: int, key: Credentials
) -> tuple[Lane, tuple[int, int]]:
    line = Line(place, plan.encoding)
    try:
        welcome = log_in(line, key, keep=plan.keep)
        if welcome["phase"] not in OPEN:
            text = f"The market is closed: the phase is {welcome['phase']}."
            raise LoadError("market_closed", text)
        client = Client(number, key.key_id, welcome["account"], welcome["date"])
        return Lane(client, line), _introduced(line, client)
    except LineLostError as error:
        line.close()
        raise LoadError("no_venue", f"The line of key {key.key_id} was lost: {error}.") from error
    except BaseException:
        line.close()
        raise


def _introduced(line: Line, client: Client) -> tuple[int, int]:
    """Learn what the account has; return its most open orders, and orders a second."""
    line.send(line.frame({"type": "limits"}))
    line.send(line.frame({"type": "snapshot"}))
    limits = (0, 0)
    for message in line.coming():
        if message["type"] == "limits":
            limits = (message["open_orders_max"], message["orders_per_second"])
        elif message["type"] == "account":
            client.before = snapshot_of(message)
            client.last = client.before.report_seq
            client.others = {row.order_no for row in client.before.orders}
            return limits
    raise LoadError("no_venue", f"The venue does not tell what key {client.key_id} owns.")


class _Run:
    """A run whose clients are logged in."""

    def __init__(
        self,
        plan: Plan,
        place: Place,
        market: Market,
        orders: Orders,
        entered: Entered,
        keys: list[Credentials],
    ) -> None:
        self._plan = plan
        self._place = place
        self._entered = entered
        clients = [lane.client for lane in entered.lanes]
        # Ids are used once a day: each run has its own.
        self._outcome = Outcome(orders, prices(orders, market), clients, f"{secrets.token_hex(4)}-")
        most = round(entered.open_max * OPEN_SHARE) or len(orders) + 1
        before = max(len(each.before.orders) for each in clients if each.before is not None)
        sending = Sending(orders, self._outcome, market, max(1, most - before))
        self._seconds = Seconds(self._outcome, plan.warmup_s)
        self._loop = Loop(plan, self._outcome, sending, entered.lanes, self._seconds)
        self._settling = Settling(plan, place, self._outcome, entered.lanes, keys)

    def play(self, watch: Watch) -> Record:
        began_us = time.time_ns() // 1000
        busy_s = 0.0

        def tell(row: Second) -> None:
            seconds, tally = self._seconds, self._seconds.tally
            so_far = (tally.latency(), tally.refusals(), tally.ends())
            watch(Progress(row.t, _target(self._plan, row), row, seconds.totals, *so_far))

        with _interrupts(self._loop), _own_core(pin=self._place.local) as core:
            busy_s = time.process_time()
            self._loop.run(tell)
            over_ns = self._loop.now()
            busy = (time.process_time() - busy_s) / max(1e-9, over_ns / SECOND_NS)
        checks = self._settling.settle(lost=bool(self._loop.lost))
        if self._settling.interrupted:
            self._loop.ended_by = "interrupted"
        return self._record(began_us, over_ns, busy, core, checks)

    def _record(
        self, began_us: int, over_ns: int, busy: float, core: int | None, checks: Checks
    ) -> Record:
        plan, loop = self._plan, self._loop
        due = self._seconds.totals["intended"]
        figures = Figures(plan, self._outcome, self._settling.ends, due, over_ns)
        waited, served, histograms = figures.latencies()
        orders, refusals = figures.orders(), figures.refusals()
        late = np.frombuffer(loop.late, dtype=np.int64)
        client = figures.client(late, busy, core, waited.p99)
        return Record(
            url=plan.url,
            finished=loop.ended_by in {"time", "orders"},
            ended_by=loop.ended_by,
            plan=_shown(plan),
            machine=machine(),
            began_us=began_us,
            warmup_s=plan.warmup_s,
            orders=orders,
            orders_per_second=figures.per_second(),
            latency_us=waited,
            service_us=served,
            histograms=histograms,
            seconds=self._seconds.rows,
            refusals=refusals,
            checks=checks,
            client=client,
            advice=advice(plan, orders, refusals, client, self._entered.rate, loop.ended_by),
            warmup_orders=figures.warmup_orders,
            warmup_latency_us=figures.warmup(),
        )


def _target(plan: Plan, row: Second) -> float:
    """Return the rate that the plan wants at this second."""
    if plan.arrival != "ramp":
        return plan.orders_per_second
    share = min(1.0, max(0.0, (row.t - plan.warmup_s) / plan.seconds))
    return plan.ramp_from + share * (plan.orders_per_second - plan.ramp_from)


def _shown(plan: Plan) -> Plan:
    """Return the plan as a record may show it: files by their name only."""
    ca_file = Path(plan.ca_file).name if plan.ca_file else ""
    recorded = Path(plan.recorded).name if plan.recorded else ""
    return dataclasses.replace(plan, ca_file=ca_file, recorded=recorded)


@contextlib.contextmanager
def _own_core(*, pin: bool) -> Iterator[int | None]:
    """Do not let the garbage collector interrupt; beside a local venue, keep to one core."""
    if pin:
        with quiet_core() as core:
            yield core
        return
    gc.collect()
    gc.disable()
    try:
        yield None
    finally:
        gc.enable()


@contextlib.contextmanager
def _interrupts(loop: Loop) -> Iterator[None]:
    """Let Ctrl-C end the load between two messages; a second one ends the program."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        if loop.stop:
            raise KeyboardInterrupt
        loop.stop = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
