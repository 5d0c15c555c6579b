"""The figures of /metrics: they parse, they move as they should, the page of operations names them.

Readiness, too: a venue whose task has died takes no orders and says so.
"""

import asyncio
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.limits import Limits
from gateway.metrics import BATCH_EDGES, CONTENT_TYPE, GAUGES, SYNC_EDGES_S, Histogram
from tests.e2e.live_venue import LiveVenue, live_venue
from tests.security.raw_line import raw_line
from tests.unit.gateway.inline_desk import order

pytestmark = pytest.mark.anyio
Figures = dict[tuple[str, ...], float]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def figures(web: httpx.AsyncClient) -> Figures:
    """Every sample by its name and the values of its labels, in order of their names."""
    answer = await web.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def web_of(venue: LiveVenue) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=venue.url)


async def test_figures_move_with_what_is_done(tmp_path: Path) -> None:
    limits = Limits(orders_per_second=1, orders_burst=3)
    async with live_venue(tmp_path, limits=limits) as venue, web_of(venue) as web:
        before = await figures(web)
        async with raw_line(venue.url) as line, raw_line(venue.url, "/ws/md") as watcher:
            await line.login(venue.keys[0])
            line.say(
                order("a"), order("b", price="1.00"), order("c", instrument="NONE"), order("d")
            )
            assert await line.until("accepted")
            await venue.settled()
            watcher.say({"type": "subscribe"})
            assert await watcher.until("subscribed")
            line.say({"type": "status", "client_order_id": "d"})
            assert (await line.until("status"))["code"] == "rate_limited"
            await venue.settled()
            during = await figures(web)
        after = await figures(web)
        for _ in range(200):
            if after["tanshi_lines", "trading"] + after["tanshi_lines", "market_data"]:
                await asyncio.sleep(0.02)
                after = await figures(web)

    def moved(*name: str) -> float:
        assert name in during, sorted(during)
        return during[name] - before.get(name, 0)

    assert moved("tanshi_commands_total", "list", "cea") == 2
    assert moved("tanshi_refusals_total", "exchange", "price_out_of_band", "cea") == 1
    assert moved("tanshi_refusals_total", "gateway", "unknown_instrument", "cea") == 1
    assert moved("tanshi_refusals_total", "gateway", "rate_limited", "cea") == 1
    assert moved("tanshi_open_orders", "cea") == 1
    assert moved("tanshi_seq", "cea") == moved("tanshi_batch_commands_sum", "cea") == 2
    for name in ("tanshi_sessions", "tanshi_subscribers"):
        assert (before[name, "cea"], during[name, "cea"], after[name, "cea"]) == (0, 1, 0)
    for door in ("trading", "market_data"):
        assert [each["tanshi_lines", door] for each in (before, during, after)] == [0, 1, 0]
    batches = moved("tanshi_batch_commands_count", "cea")
    assert 1 <= batches <= 2
    assert moved("tanshi_batch_commands_bucket", "+Inf", "cea") == batches
    assert moved("tanshi_sync_seconds_count", "cea") == batches
    assert 0 < moved("tanshi_sync_seconds_sum", "cea") < 60
    assert (during["tanshi_waiting_commands", "cea"], during["tanshi_held", "cea"]) == (0, 0)
    assert during["tanshi_phase", "cea"] > 0
    assert during["process_resident_memory_bytes",] > 0


def test_a_histogram_counts_up_to_and_with_its_edges() -> None:
    counted = Histogram((1, 10))
    for value in (1, 2, 10, 11):
        counted.add(value)
    assert counted.buckets == [("1", 1.0), ("10", 3.0), ("+Inf", 4.0)]
    assert counted.sum == 24
    assert list(BATCH_EDGES) == sorted(BATCH_EDGES)
    assert list(SYNC_EDGES_S) == sorted(SYNC_EDGES_S)


async def test_every_family_has_a_name_of_the_house_and_a_help_text(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, web_of(venue) as web:
        text = (await web.get("/metrics")).text
    families = {each.name: each for each in text_string_to_metric_families(text)}
    own = {name for name in families if not name.startswith(("process_", "python_"))}
    assert set(GAUGES) < own
    assert all(name.startswith("tanshi_") for name in own)
    assert all(families[name].documentation.endswith(".") for name in own)


async def test_ready_until_a_task_of_the_venue_dies(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, web_of(venue) as web:
        ready = await web.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "markets": ["cea"]})
        broken = venue.running.venue._tasks[-1]
        broken.cancel()
        await asyncio.gather(broken, return_exceptions=True)
        dead = await web.get("/readyz")
        assert (dead.status_code, dead.json()["code"]) == (503, "not_ready")
        assert "cea" in dead.json()["reason"]
        assert (await web.get("/metrics")).status_code == 200
