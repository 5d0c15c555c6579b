"""How fast orders may be sent: the client keeps to the venue's rate instead of being refused."""

from __future__ import annotations

import asyncio

from gateway import messages as m

MARGIN = 0.95  # of the rate: two clocks never agree


class Pace:
    """A token bucket that follows the venue's; unbounded until ``learn`` or ``refused``.

    Who waits is served in order. Cancels and questions do not come here: they are never refused
    for their rate.
    """

    def __init__(self) -> None:
        self._rate = 0.0  # orders a second; 0: no bound
        self._burst = 0.0
        self._level = 0.0
        self._at_s = 0.0
        self._not_before_s = 0.0
        self._turn = asyncio.Lock()

    @property
    def burst(self) -> int:
        """The most that may be sent at once, 0: no bound."""
        return int(self._burst)

    def learn(self, limits: m.LimitsNow) -> None:
        """Take over what the venue says."""
        self._rate = limits.orders_per_second * MARGIN
        self._burst = float(max(1, limits.orders_burst)) if limits.orders_per_second else 0.0
        self._level = float(limits.orders_left)
        self._at_s = _now_s()

    def refused(self, retry_ms: int) -> None:
        """An order was sent too early after all: others of the account use the rate too."""
        self._level = min(self._level, 0.0)
        self._not_before_s = _now_s() + retry_ms / 1000 / MARGIN

    async def take(self, count: int = 1) -> None:
        """Return once ``count`` orders, at most ``burst``, may be sent."""
        if not self._rate and not self._not_before_s:
            return
        async with self._turn:
            wait_s = self._wait_s(count)
            while wait_s > 0:
                await asyncio.sleep(wait_s)
                wait_s = self._wait_s(count)  # a refusal may have made it longer
            self._level -= count

    def _wait_s(self, count: int) -> float:
        now_s = _now_s()
        wait_s = self._not_before_s - now_s
        if self._rate:
            gained = (now_s - self._at_s) * self._rate
            self._level, self._at_s = min(self._burst, self._level + gained), now_s
            wait_s = max(wait_s, (count - self._level) / self._rate)
        return wait_s if wait_s > 1e-6 else 0.0


def _now_s() -> float:
    return asyncio.get_running_loop().time()
