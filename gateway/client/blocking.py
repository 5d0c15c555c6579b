"""The same clients for programs without asyncio: each call returns when it is done.

    with BlockingClient("ws://127.0.0.1:8000", key_id, secret, reconnect=True) as c:
        order = c.list("CEA25", "sell", price="80.05", qty=100)
        c.cancel(order)

A thread with an event loop of its own does the work, so heartbeats and reconnects go on while the
program thinks. Any thread may call.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, Unpack

from gateway import messages as m
from gateway.client.conversation import Told
from gateway.client.errors import LineLostError
from gateway.client.orders import Order
from gateway.client.terms import Options
from gateway.client.trading import Client

Inner_co = TypeVar("Inner_co", covariant=True)
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class LoopThread:
    """A thread that runs an event loop until ``stop``."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, Result], within_s: float | None = None) -> Result:
        """Return what ``work`` returns, or raise what it raises.

        Raises:
            TimeoutError: it has not come to an end ``within_s``; it is given up then.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(within_s)
        except concurrent.futures.CancelledError:
            raise LineLostError("closed meanwhile") from None
        except BaseException:  # Ctrl-C too: nobody waits for it any more
            future.cancel()
            raise

    def stop(self) -> None:
        """Give up what still runs, end the loop and the thread."""
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Facade(Generic[Inner_co]):
    """An asyncio object behind blocking calls; ``with`` connects and closes it."""

    def __init__(self, inner: Inner_co) -> None:
        self._inner = inner
        self._thread: LoopThread | None = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> None:
        """Start the thread and connect in it."""
        assert self._thread is None, "connect once"
        self._thread = LoopThread()
        try:
            self._wait(self._begin())
        except BaseException:
            self._thread.stop()
            self._thread = None
            raise

    def close(self) -> None:
        """Log out and let go."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.wait(self._end())
            thread.stop()

    async def _begin(self) -> None:
        raise NotImplementedError

    async def _end(self) -> None:
        raise NotImplementedError

    def _wait(self, work: Coroutine[Any, Any, Result], within_s: float | None = None) -> Result:
        if self._thread is None:
            work.close()
            raise LineLostError("not connected")
        return self._thread.wait(work, within_s)

    def _look(self, at: Callable[[], Result]) -> Result:
        """Return what ``at`` finds while nothing changes it."""

        async def look() -> Result:
            return at()

        return at() if self._thread is None else self._thread.wait(look())


def waits(
    method: Callable[Concatenate[Inner_co, Arguments], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Facade[Inner_co], Arguments], Result]:
    """Return the blocking twin of a coroutine method: same arguments, same result, same doc."""

    @functools.wraps(method)
    def call(
        facade: Facade[Inner_co], /, *args: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        return facade._wait(method(facade._inner, *args, **named))

    return call


class BlockingClient(Facade[Client]):
    """``gateway.client.Client`` without asyncio: the same arguments, calls and errors."""

    def __init__(self, url: str, key_id: str, secret: str, **options: Unpack[Options]) -> None:
        super().__init__(Client(url, key_id, secret, **options))

    def connect(self) -> m.Welcome:
        """Connect and log in; raises as ``Client.connect``."""
        self._open()
        assert self._inner.welcome is not None, "just connected"
        return self._inner.welcome

    async def _begin(self) -> None:
        await self._inner.connect()

    async def _end(self) -> None:
        await self._inner.close()

    # what this client was told: copies, as of now

    @property
    def orders(self) -> dict[int, Order]:
        """Every order this client was told of, by number."""
        return self._look(lambda: dict(self._inner.orders))

    @property
    def open_orders(self) -> list[Order]:
        """Those of ``orders`` that rest in the book."""
        return self._look(lambda: self._inner.open_orders)

    @property
    def fills(self) -> list[m.Filled]:
        """The day's fills this client was told of, in order."""
        return self._look(lambda: [*self._inner.fills])

    @property
    def account(self) -> m.Snapshot | None:
        """Money, holdings and open orders as of the last ``snapshot``."""
        return self._inner.account

    @property
    def welcome(self) -> m.Welcome | None:
        """What the venue said at the last login."""
        return self._inner.welcome

    @property
    def bye(self) -> m.Bye | None:
        """What the venue said when it last closed a line."""
        return self._inner.bye

    @property
    def phase(self) -> str:
        """Part of the trading day (TR-30…34)."""
        return self._inner.phase

    @property
    def last_report_seq(self) -> int:
        """Number of the last report of the day that was taken in."""
        return self._inner.last_report_seq

    @property
    def connected(self) -> bool:
        """Whether the line is up now."""
        return self._inner.connected

    @property
    def reconnects(self) -> int:
        """How often the line was lost and came back."""
        return self._inner.reconnects

    def reports(self, within_s: float | None = None) -> Iterator[Told]:
        """Return an iterator over every report from now on, as ``Client.reports``.

        Raises:
            TimeoutError: while iterating, no report came ``within_s``; it may be gone on with.
        """
        queue = self._look(self._inner._talk.listen)

        def told() -> Iterator[Told]:
            while (report := self._wait(queue.get(), within_s)) is not None:
                yield report

        return told()

    def abort(self) -> None:
        """Cut the line without a good bye, as if the network had broken: for drills."""
        self._look(self._inner.abort)

    status = waits(Client.status)
    ping = waits(Client.ping)
    snapshot = waits(Client.snapshot)
    limits = waits(Client.limits)
    resume = waits(Client.resume)
    get = waits(Client.get)
    post = waits(Client.post)

    take = waits(Client.take)
    sweep = waits(Client.sweep)
    take_best = waits(Client.take_best)
    add = waits(Client.add)
    amend = waits(Client.amend)
    cancel = waits(Client.cancel)
    cancel_all = waits(Client.cancel_all)
    cancel_after = waits(Client.cancel_after)
    enter_many = waits(Client.enter_many)

    bulk_offer = waits(Client.bulk_offer)
    bulk_counter = waits(Client.bulk_counter)
    bulk_accept = waits(Client.bulk_accept)
    bulk_confirm = waits(Client.bulk_confirm)
    bulk_decline = waits(Client.bulk_decline)
    bulk_withdraw = waits(Client.bulk_withdraw)

    apply_session = waits(Client.apply_session)
    bid = waits(Client.bid)
    cancel_bid = waits(Client.cancel_bid)

    transfer_in = waits(Client.transfer_in)
    transfer_out = waits(Client.transfer_out)
    cash_in = waits(Client.cash_in)
    cash_out = waits(Client.cash_out)
    kill = waits(Client.kill)
    create_key = waits(Client.create_key)
    rotate_key = waits(Client.rotate_key)
    revoke_key = waits(Client.revoke_key)

    list = waits(Client.list)  # last: the name hides the built-in one
