"""A client can always learn what became of its order (promise P11): the line cut at every byte.

A proxy stands between a client and the venue and cuts their line after the n-th byte of a request,
or of its answer, for each n and each kind of command. The client comes back by itself; whoever
waits for an answer must have the true one within three seconds. At the end the journal says what
was true: every id was done once, and what the client was told is what is written there.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.exchange import Exchange
from engine.reasons import Reason
from engine.records import Event
from gateway.client import Client, Options, Order, RefusedError, Told
from gateway.journal.journal import Journal
from gateway.keys import Key
from gateway.limits import Limits
from tests.e2e.live_venue import live_venue
from tests.recovery.cutting_proxy import DOWN, UP, CuttingProxy

if TYPE_CHECKING:
    from tests.nightly import Plan, Row

KNOWN_WITHIN_S = 3.0
LANES = 4
CUTS_A_NIGHT = 10_000
FAILURES_MAX = 20
REFERENCE = 7463  # about the price of CEA25 at the venue of these tests

Outcome = Any  # Order, RefusedError, a list of them, or a report
Place = tuple[str, str, int]  # kind of command, direction, bytes that pass
Say = Callable[["Lane", str], Awaitable[Outcome]]


@dataclass
class Lane:
    """One account behind a proxy, and another one that gives it something to trade with.

    The lane's client lives through all its cuts. ``told`` is what its listener heard.
    """

    key: Key
    client: Client
    helper: Client
    proxy: CuttingProxy
    told: list[Told] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by client order id
    slowest_s: float = 0.0

    async def listen(self) -> None:
        async for report in self.client.reports():
            self.told.append(report)

    async def offered(self, qty: int) -> int:
        """Let the other account list something; return the order's number."""
        return (await self.helper.list("CEA25", "sell", price_ticks=REFERENCE, qty=qty)).order_no


async def _list(lane: Lane, identity: str) -> Outcome:
    return await lane.client.list(
        "CEA24", "sell", price_ticks=REFERENCE, qty=3, client_order_id=identity
    )


async def _refused(lane: Lane, identity: str) -> Outcome:
    return await lane.client.list("CEA25", "buy", price="1.00", qty=3, client_order_id=identity)


async def _turned_away(lane: Lane, identity: str) -> Outcome:
    return await lane.client.list("CEA99", "buy", price="1.00", qty=3, client_order_id=identity)


async def _take(lane: Lane, identity: str) -> Outcome:
    return await lane.client.take(await lane.offered(2), 2, client_order_id=identity)


async def _take_best(lane: Lane, identity: str) -> Outcome:
    await lane.offered(2)
    limit = {"price_ticks": REFERENCE, "qty": 2}
    return await lane.client.take_best("CEA25", "buy", client_order_id=identity, **limit)


async def _sweep(lane: Lane, identity: str) -> Outcome:
    legs = [(await lane.offered(1), 1), (await lane.offered(2), 2), (10**6, 1)]
    return await lane.client.sweep(legs, client_order_id=identity)


async def _cancel(lane: Lane, identity: str) -> Outcome:
    open_orders = lane.client.open_orders
    return await lane.client.cancel(open_orders[0], client_order_id=identity)


async def _cancel_all(lane: Lane, identity: str) -> Outcome:
    return await lane.client.cancel_all(side="sell", client_order_id=identity)


async def _cancel_after(lane: Lane, identity: str) -> Outcome:
    return await lane.client.cancel_after(3_600_000, client_order_id=identity)


async def _bulk_offer(lane: Lane, identity: str) -> Outcome:
    terms = {"price_ticks": REFERENCE, "qty": 100_000}
    return await lane.client.bulk_offer("CEA25", "sell", client_order_id=identity, **terms)


async def _cash_in(lane: Lane, identity: str) -> Outcome:
    return await lane.client.cash_in("1.00", client_order_id=identity)


KINDS: dict[str, Say] = {
    "list": _list,
    "refused": _refused,
    "turned-away": _turned_away,
    "take": _take,
    "take-best": _take_best,
    "sweep": _sweep,
    "cancel": _cancel,
    "cancel-all": _cancel_all,
    "cancel-after": _cancel_after,
    "bulk-offer": _bulk_offer,
    "cash-in": _cash_in,
}
BEFORE = {"cancel": "list"}  # what there has to be first
AFTER = {"bulk-offer": "cancel-all"}  # what has to be cleared away


async def exchange_once(lane: Lane, kind: str, identity: str) -> None:
    """Do one command through the line as it is, and write down its outcome."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        async with asyncio.timeout(KNOWN_WITHIN_S):
            lane.outcomes[identity] = await KINDS[kind](lane, identity)
    except RefusedError as refused:
        lane.outcomes[identity] = refused
    lane.slowest_s = max(lane.slowest_s, loop.time() - began_s)


async def prepare(lane: Lane, kind: str, identity: str) -> None:
    """Do what has to be there before a command of this kind, with an unbroken line."""
    if kind in BEFORE and not lane.client.open_orders:
        await KINDS[BEFORE[kind]](lane, f"{identity}-b")


async def measure(lane: Lane) -> list[Place]:
    """Return every place where a line can be cut: kind, direction, number of bytes that pass."""
    places = []
    for kind in KINDS:
        identity = f"m{len(places):06}"  # as long as those of ``cut_all``
        await prepare(lane, kind, identity)
        before = lane.proxy.passed.copy()
        await exchange_once(lane, kind, identity)
        for direction in (UP, DOWN):
            count = lane.proxy.passed[direction] - before[direction]
            places += [(kind, direction, n) for n in range(count + 1)]
        if kind in AFTER:
            await KINDS[AFTER[kind]](lane, f"{identity}-a")
    return places


async def cut(lane: Lane, place: Place, identity: str) -> None:
    """Cut one line; raises what must not happen."""
    kind, direction, count = place
    lane.proxy.disarm()
    await prepare(lane, kind, identity)
    lane.proxy.arm(direction, count)
    try:
        await exchange_once(lane, kind, identity)
    except TimeoutError:
        raise AssertionError(f"unknown after {KNOWN_WITHIN_S:g} s: {place}") from None
    lane.proxy.disarm()
    if kind in AFTER:
        await KINDS[AFTER[kind]](lane, f"{identity}-a")


async def cut_all(
    lane: Lane, places: Iterator[tuple[int, Place]], result: Result, tick: Callable[[], None]
) -> None:
    """Cut at the places that this lane gets."""
    for number, place in places:
        try:
            await cut(lane, place, f"n{number:06}")
        except AssertionError as problem:
            result.problems.append(str(problem))
        result.tried += 1
        tick()


async def list_and_cancel(lane: Lane, done: asyncio.Event) -> None:
    """Work without a pause, whatever becomes of the line; write down each outcome."""
    number = 0
    while not done.is_set():
        number += 1
        for kind in ("list", "cancel"):
            identity = f"{kind}-{number}"
            lane.outcomes[identity] = await KINDS[kind](lane, identity)


@dataclass
class Truth:
    """What the journal says about one id of one account."""

    commands: int = 0
    events: list[Any] = field(default_factory=list)

    def of(self, kind: Event) -> list[Any]:
        return [event for event in self.events if event["kind"] == kind]


def journal_of(folder: Path) -> dict[tuple[int, str], Truth]:
    """Play the journal; return what was done, by account and client order id."""
    journal, exchange = Journal(folder / "journal"), Exchange()
    found: dict[tuple[int, str], Truth] = defaultdict(Truth)
    for batch in journal.replay():
        events = exchange.apply(batch)
        by_seq: dict[int, list[Any]] = defaultdict(list)
        for event in events:
            by_seq[int(event["seq"])].append(event)
        for command in batch:
            name = command["client_order_id"].decode()
            truth = found[int(command["account"]), name]
            truth.commands += 1
            truth.events += by_seq[int(command["seq"])]
    journal.close()
    return found


def untruths(lane: Lane, journal: dict[tuple[int, str], Truth]) -> list[str]:
    """Compare what a lane was told with the journal; return what differs."""
    wrong = []
    for identity, outcome in lane.outcomes.items():
        truth = journal.get((lane.key.account, identity), Truth())
        legs = outcome if isinstance(outcome, list) else [outcome]
        turned_away = isinstance(outcome, RefusedError) and outcome.code == "unknown_instrument"
        if truth.commands != (0 if turned_away else len(legs)):
            wrong.append(f"{identity}: {truth.commands} times in the journal")
        elif not turned_away and not _true(legs, truth):
            wrong.append(f"{identity}: told {outcome}, the journal has {truth.events}")
    return wrong


def _true(legs: list[Outcome], truth: Truth) -> bool:
    refused = [each.code for each in legs if isinstance(each, RefusedError)]
    orders = {each.order_no: each for each in legs if isinstance(each, Order)}
    if refused != [Reason(int(event["reason"])).code for event in truth.of(Event.REFUSED)]:
        return False
    if ended := truth.of(Event.CANCELLED):
        if truth.of(Event.MASS_CANCELLED):
            return len(ended) == legs[0].cancelled
        return [int(event["order_no"]) for event in ended] == [*orders]
    accepted = {int(event["order_no"]) for event in truth.of(Event.ACCEPTED)}
    if accepted != orders.keys():
        return False
    traded: dict[int, int] = defaultdict(int)
    for event in truth.of(Event.TRADED):
        traded[int(event["order_no"])] += int(event["qty_tonnes"])
    taken = {number: order.filled_qty for number, order in orders.items() if number in traded}
    return taken == traded


def told_in_order(lane: Lane) -> bool:
    """Whether the listener heard every report of the day once, in order."""
    numbers = [report.report_seq for report in lane.told if getattr(report, "report_seq", 0)]
    return numbers == [*range(1, lane.client.last_report_seq + 1)]


def spread(places: list[Any], most: int, seed: int) -> Iterator[tuple[int, Any]]:
    """Number ``most`` places, evenly spread; all of them again and again where there are fewer."""
    step = max(1, len(places) // most)
    turned = places[seed % step :: step]
    return iter(enumerate(itertools.islice(itertools.cycle(turned), most)))


@contextlib.asynccontextmanager
async def lane(url: str, key: Key, other: Key) -> AsyncIterator[Lane]:
    """Open a lane for one account, with another one to trade with."""
    options: Options = {"reconnect": True, "cancel_on_disconnect": False, "heartbeat_ms": 0}
    async with (
        CuttingProxy(url) as proxy,
        Client(proxy.url, key.key_id, key.secret, **options) as client,
        Client(url, other.key_id, other.secret) as helper,
    ):
        opened = Lane(key, client, helper, proxy)
        listening = asyncio.create_task(opened.listen())
        await asyncio.sleep(0)
        yield opened
        proxy.disarm()
        await client.ping()
        await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@dataclass
class Result:
    """What came of many cuts; ``problems`` is empty where all is as promised."""

    tried: int = 0
    cuts: int = 0
    slowest_s: float = 0.0
    problems: list[str] = field(default_factory=list)


async def run(folder: Path, most: int, seed: int, tick: Callable[[], None]) -> Result:
    """Cut the lines of LANES clients ``most`` times; ``tick`` is called after each."""
    result = Result()
    free = Limits(orders_per_second=0, questions_per_second=0)  # no bound
    async with (
        live_venue(folder, accounts=2 * LANES, limits=free) as venue,
        contextlib.AsyncExitStack() as stack,
    ):
        pairs = zip(venue.keys[::2], venue.keys[1::2], strict=True)
        lanes = [await stack.enter_async_context(lane(venue.url, *pair)) for pair in pairs]
        places = spread(await measure(lanes[0]), most, seed)
        await asyncio.gather(*(cut_all(each, places, result, tick) for each in lanes))
    result.cuts = sum(each.proxy.cuts for each in lanes)
    result.slowest_s = max(each.slowest_s for each in lanes)
    result.problems += [
        f"account {each.key.account}: reports were told twice, in disorder, or not at all"
        for each in lanes
        if not told_in_order(each)
    ]
    journal = journal_of(folder)
    result.problems += [text for each in lanes for text in untruths(each, journal)]
    return result


def nightly(plan: Plan, row: Row) -> None:
    """Every byte of request and answer of every kind of command, again and again."""
    row.unit = "cuts"
    goal = max(1, CUTS_A_NIGHT * plan.commands // 10_000_000)

    def tick() -> None:
        row.runs += 1
        row.progress(goal)

    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(run(Path(folder), goal, plan.seed, tick))
    for text in result.problems[:FAILURES_MAX]:
        row.fail(text)
