"""What a load run is asked to do: the arrival of orders, their mix, the clients, when to stop.

A plan holds no secret and can be written down with the record. Rates are orders a second over all
clients, times seconds, bounds microseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

ARRIVALS = ("poisson", "constant", "bursts", "ramp", "recorded")
ENCODINGS = ("json", "msgpack")
KINDS = ("list", "take", "take_best", "cancel", "ping", "bulk_offer")
MIX = {"list": 0.5, "cancel": 0.3, "take": 0.2}
ORDERS_MAX = 20_000_000  # of one run: about 100 bytes of memory each


class LoadError(Exception):
    """A run cannot begin. ``code`` is stable and for programs, ``sentence`` for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{sentence} [{code}]")
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, kw_only=True)
class Stop:
    """When a run ends before its time; 0: never. Each is looked at once a second.

    p99_us: that second's p99 lay above it for ``for_s`` seconds on end.
    refused_share: of the orders answered in the last ``for_s`` seconds (0 … 1).
    backlog: orders that were due and have no answer.
    orders: as many are sent.
    """

    p99_us: float = 0.0
    refused_share: float = 0.0
    backlog: int = 0
    orders: int = 0
    for_s: int = 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run against the venue at ``url`` (ws, wss, http or https).

    arrival: ``poisson``; ``constant``; ``bursts`` of ``burst_size`` at once, ``orders_per_second``
        on average; ``ramp`` from ``ramp_from`` to ``orders_per_second``; ``recorded``: the order
        flow of ``recorded`` (a venue's folder or its export) in its own rhythm, scaled to
        ``orders_per_second`` (0: as it was).
    seconds: of the measured time; ``warmup_s`` of the same load come before it.
    mix: share of each kind of ``KINDS``; scaled to a sum of 1. A ``bulk_offer`` is public, and
        takes the client's last one back where that still stands; mornings refuse it (TR-31).
    qty_min, qty_max: tonnes of a listing. reach: how far from the reference listings lie, as a
        share of the day's band (0 … 1).
    answer_within_s: how long answers are awaited at the end.
    market: path of the venue's market, "" for its first one; ``instrument``: "" for the first one
        that can be traded.
    keep: leave what rests at the end in the book.
    """

    url: str
    arrival: str = "poisson"
    orders_per_second: float = 100.0
    seconds: float = 10.0
    warmup_s: float = 1.0
    clients: int = 2
    encoding: str = "msgpack"
    mix: dict[str, float] = field(default_factory=lambda: dict(MIX))
    seed: int = 1
    burst_size: int = 100
    ramp_from: float = 0.0
    recorded: str = ""
    instrument: str = ""
    market: str = ""
    qty_min: int = 1
    qty_max: int = 20
    reach: float = 0.02
    stop: Stop = field(default_factory=Stop)
    answer_within_s: float = 10.0
    keep: bool = False
    ca_file: str = ""
    insecure: bool = False

    def checked(self) -> Plan:
        """Return the plan itself.

        Raises:
            LoadError: ``bad_plan``, with a sentence that names the value.
        """
        for wrong, sentence in _faults(self):
            if wrong:
                raise LoadError("bad_plan", sentence)
        return self

    @property
    def shares(self) -> dict[str, float]:
        """The mix with a sum of 1, in the order of ``KINDS``."""
        total = sum(self.mix.values())
        return {kind: self.mix[kind] / total for kind in KINDS if self.mix.get(kind)}


def _faults(plan: Plan) -> list[tuple[bool, str]]:
    rates = (plan.orders_per_second, plan.ramp_from, plan.seconds, plan.warmup_s)
    numbers = (*rates, plan.reach, plan.answer_within_s, *plan.mix.values())
    unknown = sorted(set(plan.mix) - set(KINDS))
    expected = plan.orders_per_second * (plan.seconds + plan.warmup_s)
    recorded = plan.arrival == "recorded"
    return [
        (plan.arrival not in ARRIVALS, f"An arrival is one of {', '.join(ARRIVALS)}."),
        (plan.encoding not in ENCODINGS, f"An encoding is one of {', '.join(ENCODINGS)}."),
        (bool(unknown), f"A mix is made of {', '.join(KINDS)}; not of {', '.join(unknown)}."),
        (
            any(not math.isfinite(each) or each < 0 for each in numbers),
            "Rates, times and shares are numbers of 0 or more.",
        ),
        (sum(plan.mix.values()) <= 0, "A mix needs a share above 0."),
        (plan.seconds <= 0, "A run takes more than 0 seconds."),
        (plan.orders_per_second <= 0 and not recorded, "The rate is above 0 orders a second."),
        (expected > ORDERS_MAX, f"A run has {ORDERS_MAX:,} orders at most; this has more."),
        (plan.clients < 1, "There is 1 client at least."),
        (plan.burst_size < 1, "A burst has 1 order at least."),
        (not 1 <= plan.qty_min <= plan.qty_max, "Quantities go from 1 t upwards."),
        (not 0 < plan.reach <= 1, "The reach is a share of the band, above 0 and up to 1."),
        (recorded and not plan.recorded, "A recorded arrival needs the recorded day's file."),
        (plan.stop.for_s < 1, "A stop condition looks at 1 second at least."),
    ]
