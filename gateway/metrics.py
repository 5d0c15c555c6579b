"""What an operator watches: the figures behind ``GET /metrics`` in the format of Prometheus.

Counted once per batch, never per order; everything that the venue knows anyway is read when it is
asked for. Names, units and meanings: docs/reference/operations.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from engine.reasons import Reason
from engine.records import Event, Kind, Phase

if TYPE_CHECKING:
    from gateway.connection import Door
    from gateway.venue import Venue

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BATCH_EDGES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
SYNC_EDGES_S = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
_REFUSED = int(Event.REFUSED)
_KINDS = {int(kind): kind.name.lower() for kind in Kind}
_CODES = {int(reason): reason.code for reason in Reason}


class Histogram:
    """Counts of values by upper edge, and their sum."""

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges = edges
        self._counts = [0] * (len(edges) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._edges, value)] += 1
        self.sum += value

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper edge, as Prometheus wants them."""
        sums = np.cumsum(self._counts).tolist()
        names = [*(format(edge, "g") for edge in self._edges), "+Inf"]
        return list(zip(names, map(float, sums), strict=True))


class Counts:
    """What one venue has done since its start. ``listen`` belongs into ``Venue.listeners``."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.kinds = np.zeros(256, np.int64)
        self.reasons = np.zeros(256, np.int64)
        self.batch = Histogram(BATCH_EDGES)
        self.sync_s = Histogram(SYNC_EDGES_S)

    def listen(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Count one applied batch."""
        self.kinds += np.bincount(commands["kind"].view(np.uint8), minlength=256)
        refused = events["kind"] == _REFUSED
        if refused.any():
            self.reasons += np.bincount(events["reason"][refused], minlength=256)
        self.batch.add(len(commands))
        self.sync_s.add(self.venue.journal.synced_s)


class Metrics(Collector):
    """The figures of a process: of every venue in it, of its connections, and of the process."""

    def __init__(self, venues: Sequence[Venue], door: Door) -> None:
        self._door = door
        self._counts = [Counts(venue) for venue in venues]
        for counts in self._counts:
            counts.venue.listeners.append(counts.listen)
        self.registry = CollectorRegistry()
        self.registry.register(self)
        PlatformCollector(registry=self.registry)
        ProcessCollector(registry=self.registry)

    def page(self) -> bytes:
        """Return the text of ``GET /metrics``."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every family; called by Prometheus's own code."""
        yield from self._counters()
        yield from self._histograms()
        yield from self._gauges()
        lines = GaugeMetricFamily("tanshi_lines", "Open connections.", labels=["door"])
        lines.add_metric(["trading"], self._door.trading.open)
        lines.add_metric(["market_data"], self._door.market_data.open)
        yield lines

    def _counters(self) -> Iterator[Metric]:
        done = CounterMetricFamily(
            "tanshi_commands", "Commands applied.", labels=["market", "kind"]
        )
        refused = CounterMetricFamily(
            "tanshi_refusals", "Refusals, by who refused.", labels=["market", "by", "code"]
        )
        for counts in self._counts:
            market = counts.venue.market.name
            for kind in np.flatnonzero(counts.kinds).tolist():
                name = _KINDS.get(kind, "unknown")
                done.add_metric([market, name], int(counts.kinds[kind]))
            for reason in np.flatnonzero(counts.reasons).tolist():
                by = [market, "exchange", _CODES[reason]]
                refused.add_metric(by, int(counts.reasons[reason]))
            for code, count in counts.venue.desk.refusals.items():
                refused.add_metric([market, "gateway", code], count)
        yield done
        yield refused

    def _histograms(self) -> Iterator[Metric]:
        batch = HistogramMetricFamily(
            "tanshi_batch_commands", "Commands per synced batch.", labels=["market"]
        )
        sync = HistogramMetricFamily(
            "tanshi_sync_seconds", "Time of the disk per batch.", labels=["market"]
        )
        for counts in self._counts:
            market = [counts.venue.market.name]
            batch.add_metric(market, counts.batch.buckets, counts.batch.sum)
            sync.add_metric(market, counts.sync_s.buckets, counts.sync_s.sum)
        yield batch
        yield sync

    def _gauges(self) -> Iterator[Metric]:
        for name, (text, read) in GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=["market"])
            for counts in self._counts:
                family.add_metric([counts.venue.market.name], read(counts.venue))
            yield family


def _waiting(venue: Venue) -> int:
    return venue.sequencer.next_seq - 1 - venue.exchange.seq


def _sessions(venue: Venue) -> int:
    return sum(map(len, venue.desk.sessions.values()))


def _open_orders(venue: Venue) -> int:
    return int(venue.exchange.state.market[0]["open_orders"])


GAUGES: dict[str, tuple[str, Any]] = {
    "tanshi_seq": ("Last command applied.", lambda venue: venue.exchange.seq),
    "tanshi_waiting_commands": ("Commands that arrived and are not applied yet.", _waiting),
    "tanshi_sessions": ("Sessions that are logged in.", _sessions),
    "tanshi_subscribers": ("Readers of market data.", lambda v: len(v.publisher.subscribers)),
    "tanshi_merged_pictures": (
        "Pictures that slow readers of now did not get because a newer one came.",
        lambda venue: venue.publisher.merged,
    ),
    "tanshi_open_orders": ("Orders in the books.", _open_orders),
    "tanshi_phase": (
        "Part of the trading day, 0 to 8.",
        lambda venue: int(venue.exchange.state.market[0]["phase"]),
    ),
    "tanshi_held": ("1 = the next day cannot open.", lambda venue: int(bool(venue.held))),
}
assert len(Phase) == 9, "the text of tanshi_phase says how many there are"

Refusals = Counter[str]
