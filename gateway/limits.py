"""What a client may use of the venue (reliability.md 8.1): every bound by name, and the counts.

Orders above their rate are refused and told when to try again. Cancels and questions are never
refused: a line that sends too many of them is read more slowly.
"""

from __future__ import annotations

import ipaddress
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Every bound of the gateway that an operator may set. A rate of 0 sets no bound."""

    login_within_ms: int = 3_000
    lines_max: int = 2_000  # of order entry and of market data, each
    lines_waiting_max: int = 200  # not logged in yet
    lines_waiting_per_address_max: int = 8  # this machine's own address is not counted
    lines_per_account_max: int = 8
    orders_per_second: int = 50  # of an account, and of each of its lines
    orders_burst: int = 100
    questions_per_second: int = 500  # cancels and questions: beyond it a line is read slower
    questions_burst: int = 2_000
    abuse_within_s: float = 10.0  # refused for its rate all this time, a line is closed


def limits_of(texts: Sequence[str]) -> Limits:
    """Return the limits with some of them set by ``name=value``.

    Raises:
        ValueError: there is no such limit, or the value is no number of at least 0.
    """
    known = {name: type(value) for name, value in asdict(Limits()).items()}
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in known:
            raise ValueError(f"{name!r} is no limit: {', '.join(known)}")
        try:
            found[name] = known[name](value)
        except ValueError:
            raise ValueError(f"{text!r} is no limit, e.g. {name}=100") from None
        if not 0 <= found[name] < math.inf:
            raise ValueError(f"{text!r}: a limit is at least 0")
    return Limits(**found)


ALMOST = 1e-6  # of a token: sums of fractions are not exact


class Bucket:
    """A token bucket; ``level`` is what is left. Times are seconds of any steady clock."""

    __slots__ = ("_at_s", "burst", "level", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = (rate, burst) if rate > 0 else (0.0, math.inf)
        self.level = self.burst
        self._at_s = 0.0

    def fine(self) -> None:
        """What was refused costs a token too: waiting helps, insisting does not."""
        self.level = max(0.0, self.level - 1)

    def owe(self, count: int, now_s: float) -> None:
        """Take ``count`` tokens even if they are not there."""
        self.fill(now_s)
        self.level -= count

    def wait_s(self, count: int = 0) -> float:
        """Return how long it takes until ``count`` tokens are there."""
        missing = count - self.level
        return missing / self.rate if missing > 0 else 0.0

    def fill(self, now_s: float) -> None:
        """Let the time since the last call count."""
        level = self.level + (now_s - self._at_s) * self.rate
        self.level = level if level < self.burst else self.burst
        self._at_s = now_s


class Credit:
    """The two buckets of a line or of an account."""

    __slots__ = ("orders", "questions")

    def __init__(self, limits: Limits) -> None:
        self.orders = Bucket(limits.orders_per_second, limits.orders_burst)
        self.questions = Bucket(limits.questions_per_second, limits.questions_burst)


class Meter:
    """What one line may still send: its own credit, and once logged in its account's too."""

    def __init__(self, limits: Limits) -> None:
        self._abuse_within_s = limits.abuse_within_s
        self._credits = [Credit(limits)]
        self._refused_since_s = math.inf
        self._calm_level = limits.orders_burst / 2

    def join(self, account: Credit) -> None:
        """Count against the account as well from now on."""
        self._credits.append(account)

    def orders(self, count: int, now_s: float) -> bool:
        """Whether ``count`` orders may pass; all of them or none."""
        left = math.inf
        for each in self._credits:  # once per frame: no generators, no calls but one
            bucket = each.orders
            bucket.fill(now_s)
            left = min(left, bucket.level)
        if left + ALMOST < count:
            return False
        for each in self._credits:
            each.orders.level -= count
        if left - count > self._calm_level:
            self._refused_since_s = math.inf
        return True

    def refuse(self, now_s: float) -> None:
        """One order was refused for its rate."""
        for each in self._credits:
            each.orders.fine()
        self._refused_since_s = min(self._refused_since_s, now_s)

    def questions(self, count: int, now_s: float) -> None:
        """Cancels and questions pass always; what they owe is waited for, see ``pause_s``."""
        for each in self._credits:
            each.questions.owe(count, now_s)

    def abused(self, now_s: float) -> bool:
        """Whether the line has insisted for too long."""
        return now_s - self._refused_since_s > self._abuse_within_s

    @property
    def left(self) -> float:
        """Orders that may be sent at once."""
        return min(each.orders.level for each in self._credits)

    @property
    def wait_s(self) -> float:
        """How long until the next order may be sent."""
        return max(each.orders.wait_s(1) for each in self._credits)

    @property
    def pause_s(self) -> float:
        """How long the line is to be read no further."""
        pause_s = 0.0
        for each in self._credits:
            if each.questions.level < 0:
                pause_s = max(pause_s, each.questions.wait_s())
        return pause_s


class Lines:
    """How many connections there are: one count for order entry, one for market data."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.open = 0
        self.waiting: Counter[str] = Counter()

    def admits(self, address: str) -> bool:
        """Whether another connection from ``address`` may come in."""
        limits = self._limits
        own = _is_own(address)
        return (
            self.open < limits.lines_max
            and self.waiting.total() < limits.lines_waiting_max
            and (own or self.waiting[address] < limits.lines_waiting_per_address_max)
        )

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Count a connection while the block lasts."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def came(self, address: str) -> None:
        """A connection from ``address`` has yet to log in."""
        self.waiting[address] += 1

    def settled(self, address: str) -> None:
        """It has logged in, or gone."""
        self.waiting[address] -= 1
        if self.waiting[address] <= 0:
            del self.waiting[address]


def _is_own(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
