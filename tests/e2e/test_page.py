"""The trading page in a real browser: it logs in, trades, and comes back after a lost line."""

import asyncio
import contextlib
import datetime as dt
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import msgpack
import pytest
from playwright.async_api import (
    Browser,
    Error,
    Page,
    WebSocketRoute,
    async_playwright,
    expect,
)

from engine.records import Phase
from gateway.client import Client, OfficeClient
from gateway.market import CCER, CEA
from gateway.serve import Options, Running, running
from tests.e2e.live_venue import MORNING, LiveVenue, RunningClock, fund, live_venue

pytestmark = pytest.mark.anyio

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
LOST_LINE = ("WebSocket connection to", "net::ERR_CONNECTION_REFUSED")
# Whether a candle's colour of the light theme, #c62f35, stands anywhere in the chart.
DRAWN = """() => [...document.querySelectorAll("#chart canvas")].some((canvas) => {
  const dots = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  for (let at = 0; at < dots.length; at += 4) {
    if (dots[at] === 198 && dots[at + 1] === 47 && dots[at + 2] === 53) return true;
  }
  return false;
})"""
STOPPED = ("Content Security Policy", "Trusted")
expect.set_options(timeout=15_000)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def chromium() -> str:
    """Return where the browser is; without one the tests fail in CI and are skipped elsewhere."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail("chromium is missing: install the system's package `chromium`")
    pytest.skip("no chromium on this machine")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        found = await play.chromium.launch(
            executable_path=chromium(), headless=True, args=FLAGS, chromium_sandbox=False
        )
        yield found
        await found.close()


@dataclass
class Visitor:
    """A page, and what it complained about and asked of others."""

    page: Page
    complaints: list[str]
    requested: set[str]

    async def log_in(self, key_id: str, secret: str, encoding: str = "msgpack.v1") -> None:
        await self.page.fill("#login-key", key_id)
        await self.page.fill("#login-secret", secret)
        await self.page.select_option("#login-encoding", encoding)
        await self.page.click("#login-send")

    async def fill_in(self, side: str, price: str, qty: int) -> None:
        await self.page.locator(f"#ticket label.{side}").click()
        await self.page.locator("#ticket-way").get_by_text("List").click()
        await self.page.fill("#ticket-price", price)
        await self.page.fill("#ticket-qty", str(qty))

    async def list(self, side: str, price: str, qty: int) -> None:
        await self.fill_in(side, price, qty)
        await self.page.click("#ticket-send")

    async def tab(self, name: str) -> None:
        await self.page.locator("#tabs").get_by_text(name).click()

    def body(self, text: str | re.Pattern[str]):
        """Rows of the tab that is shown with this text."""
        return self.page.locator("#tab-body tr").filter(has_text=text)


@contextlib.asynccontextmanager
async def visit(
    browser: Browser, url: str, tolerated: tuple[str, ...] = ()
) -> AsyncIterator[Visitor]:
    """Open the page; at the end it must have been quiet and have talked to its venue only."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    requested: set[str] = set()
    page.on("console", lambda said: complaints.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requested.add(request.url))
    page.on("websocket", lambda socket: requested.add(socket.url.replace("ws", "http", 1)))
    await page.goto(url)
    yield Visitor(page, complaints, requested)
    await page.close()
    assert [each for each in complaints if not any(word in each for word in tolerated)] == []
    venue = re.match(r"http://[^/]+/", url + "/")[0]
    assert [each for each in requested if not each.startswith(venue)] == []


def level(page: Page, side: str, number: int):
    """One row of the ladder."""
    return page.locator(f'.level.{side}[data-level="{number}"]')


def client(venue: LiveVenue, account: int) -> Client:
    key = venue.keys[account]
    return Client(venue.url, key.key_id, key.secret)


async def test_the_page_logs_in_and_trades(browser: Browser, tmp_path: Path) -> None:
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 1) as other,
        visit(browser, venue.url) as visitor,
    ):
        page, key = visitor.page, venue.keys[0]
        offered = await other.list("CEA25", "sell", price="74.50", qty=300)
        await visitor.log_in(key.key_id, key.secret)
        await expect(page.locator("#who")).to_contain_text("account 账户 0")
        await expect(page.locator("#phase")).to_have_text("morning 上午交易")
        await expect(level(page, "sell", 1)).to_contain_text("74.50")
        await expect(level(page, "sell", 1)).to_contain_text("300")
        await expect(page.locator("#account")).to_contain_text("1,000,000,000.00")

        await visitor.list("buy", "74.05", 120)
        await expect(visitor.body("74.05")).to_contain_text("open 已申报")
        await expect(level(page, "buy", 1).locator(".mine b")).to_have_text("120")
        (mine,) = [each for each in await orders_of(venue, 0) if each["price_ticks"] == 7405]
        await other.take(mine["order_no"], 50)
        await expect(visitor.body("74.05")).to_contain_text("part filled 部分成交")
        await expect(page.locator("#tape tr").first).to_contain_text("74.05")
        await expect(page.locator("#toasts")).to_contain_text("buy 50 t CEA25 at 74.05")
        await visitor.tab("Fills")
        await expect(visitor.body("3,702.50")).to_contain_text("lister 挂")
        await expect(page.locator("#account tr", has_text="CEA25")).to_contain_text("50")

        await level(page, "sell", 1).locator(".take").click()
        await page.fill("#ticket-qty", "30")
        await page.click("#ticket-send")
        await expect(visitor.body("2,235.00")).to_contain_text("taker 摘")
        await expect(level(page, "sell", 1)).to_contain_text("270")
        assert (await orders_of(venue, 1))[0]["leaves_qty"] == 270 == offered.leaves_qty

        await level(page, "buy", 1).locator(".cross").click()
        await expect(page.locator("#toasts")).to_contain_text("Cancelled by its owner.")
        await visitor.tab("Open orders")
        await expect(page.get_by_text("No open orders")).to_be_visible()
        assert not [each for each in await orders_of(venue, 0) if each["status"] == "part_filled"]


async def orders_of(venue: LiveVenue, account: int) -> list[dict[str, object]]:
    """The account's orders as REST tells them."""
    async with client(venue, account) as asking:
        return (await asking.get("/api/orders"))["orders"]


async def test_refusals_are_said_and_cancel_all_takes_everything_back(
    browser: Browser, tmp_path: Path
) -> None:
    async with live_venue(tmp_path) as venue, visit(browser, venue.url) as visitor:
        page, key = visitor.page, venue.keys[0]
        await visitor.log_in(key.key_id, key.secret, "json.v1")
        for price in ("74.01", "74.02", "74.03"):
            await visitor.list("buy", price, 10)
            await expect(visitor.body(price)).to_contain_text("open")
        await visitor.fill_in("buy", "90.00", 10)  # above the upper limit: the page says so itself
        await expect(page.locator("#ticket-problem")).to_contain_text("outside today's limits")
        await expect(page.locator("#ticket-send")).to_be_disabled()
        await page.fill("#ticket-qty", "100000")
        await page.fill("#ticket-price", "74.00")
        await expect(page.locator("#ticket-problem")).to_contain_text("1 to 99,999 t")
        await visitor.list("sell", "74.03", 10)  # his own listing rests there: the venue refuses
        await expect(page.locator("#toasts")).to_contain_text("Refused 拒绝: would_cross")
        await page.get_by_text("Cancel all 全部撤单").click()
        await expect(page.get_by_text("No open orders")).to_be_visible()
        assert {each["status"] for each in await orders_of(venue, 0)} == {"cancelled"}
        await visitor.tab("Link")
        await expect(visitor.body("Order entry")).to_contain_text("json.v1")
        await expect(visitor.body("Market data")).to_contain_text("open")


async def test_a_wrong_secret_is_told_and_a_kept_key_logs_in_again(
    browser: Browser, tmp_path: Path
) -> None:
    async with live_venue(tmp_path) as venue, visit(browser, venue.url) as visitor:
        page, key = visitor.page, venue.keys[0]
        kept = "Object.values(sessionStorage).join() + Object.values(localStorage).join()"
        await visitor.log_in(key.key_id, "wrong")
        await expect(page.locator("#login-problem")).to_contain_text("the secret is wrong")
        await expect(page.locator("#login")).to_be_visible()
        await page.fill("#login-secret", key.secret)
        await page.click("#login-send")
        await expect(page.locator("#login")).to_be_hidden()
        assert key.secret not in await page.evaluate(kept)
        await page.reload()
        await expect(page.locator("#login")).to_be_visible()
        await page.check("#login-keep")
        await visitor.log_in(key.key_id, key.secret)
        await expect(page.locator("#who")).to_contain_text("account 账户 0")
        await page.reload()
        await expect(page.locator("#who")).to_contain_text("account 账户 0")
        await page.click("#log-out")
        await expect(page.locator("#ticket-send")).to_have_text("Log in to trade 请先登录")
        assert key.secret not in await page.evaluate(kept)


async def test_markup_and_foreign_scripts_have_no_way_in(browser: Browser, tmp_path: Path) -> None:
    async with (
        live_venue(tmp_path) as venue,
        visit(browser, venue.url, STOPPED) as visitor,
    ):
        page = visitor.page
        await page.click("#login-look")
        with pytest.raises(Error, match="TrustedHTML"):
            await page.evaluate("document.body.innerHTML = '<b>text</b>'")
        inline = "const s = document.createElement('script'); s.append('window.got = 1');"
        with contextlib.suppress(Error):
            await page.evaluate(inline + "document.head.append(s)")
        assert await page.evaluate("window.got") is None
        elsewhere = "fetch('http://localhost:9/').then(() => 'sent', () => 'stopped')"
        assert await page.evaluate(elsewhere) == "stopped"
        assert any("Content Security Policy" in each for each in visitor.complaints)


@contextlib.asynccontextmanager
async def served(folder: Path, clock: RunningClock, port: int) -> AsyncIterator[Running]:
    """Serve the venue of ``folder`` on ``port``, in the morning."""
    options = Options(clock=lambda _: clock, port=port, data_dir=folder)
    async with running(options) as server:
        await LiveVenue(server, clock, []).phase(Phase.MORNING)
        yield server


async def test_the_page_comes_back_after_a_restart_of_the_venue(
    browser: Browser, tmp_path: Path
) -> None:
    fund(tmp_path, 2)
    clock = RunningClock(MORNING)
    async with contextlib.AsyncExitStack() as visits:
        async with served(tmp_path, clock, 0) as first:
            port, url = first.port, first.url
            keys = first.venue.keys.create_many([(row, f"key-{row}") for row in range(2)])
            visitor = await visits.enter_async_context(visit(browser, url, LOST_LINE))
            page = visitor.page
            await visitor.log_in(keys[0].key_id, keys[0].secret)
            await visitor.list("sell", "74.30", 80)
            await expect(visitor.body("74.30")).to_contain_text("open")
        await expect(page.locator("#trouble")).to_contain_text("trying again")
        await expect(page.locator("#ticket-send")).to_be_disabled()
        await page.context.set_offline(True)  # so that the fill comes while it is away
        async with (
            served(tmp_path, clock, port),
            Client(url, keys[1].key_id, keys[1].secret) as other,
        ):
            await other.take_best("CEA25", "buy", price="74.30", qty=30)
            await expect(page.locator("#trouble")).to_be_visible()
            await page.context.set_offline(False)
            await expect(page.locator("#trouble")).to_be_hidden()
            await expect(visitor.body("74.30")).to_contain_text("part filled")
            await expect(page.locator("#toasts")).to_contain_text("sell 30 t CEA25 at 74.30")
            await visitor.list("sell", "74.40", 5)
            await expect(visitor.body("74.40")).to_contain_text("open")
            await visitor.tab("Link")
            await expect(visitor.body("Order entry")).to_contain_text("open 已连接")
            await visits.aclose()


async def test_bulk_and_bidding_from_the_page(browser: Browser, tmp_path: Path) -> None:
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 1) as other,
        visit(browser, venue.url) as visitor,
    ):
        page, key = visitor.page, venue.keys[0]
        office = venue.running.venue.keys.create_office("exchange_operator")
        await visitor.log_in(key.key_id, key.secret)
        applied = await other.apply_session("CEA25", price="74.63", qty=100_000)
        async with OfficeClient(venue.url, office.key_id, office.secret) as operator:
            await operator.notice_session(applied.session_no, opens="10:00", closes="10:30")
        await visitor.tab("Bidding")
        await expect(visitor.body("10:00–10:30")).to_contain_text("noticed 已公告")
        venue.clock.leap_to(dt.datetime(2026, 1, 5, 10, 0, 1))
        await expect(visitor.body("10:00–10:30")).to_contain_text("open 竞价中")
        await page.locator("#tab-body input[name=price]").fill("75.00")
        await page.locator("#tab-body input[name=qty]").fill("100000")
        await page.get_by_text("Bid 出价").click()
        await visitor.tab("Open orders")
        await expect(visitor.body("75.00")).to_contain_text("bid 竞价")
        venue.clock.leap_to(dt.datetime(2026, 1, 5, 10, 30, 1))
        await visitor.tab("Bidding")
        await expect(visitor.body("10:00–10:30")).to_contain_text("100,000 t at 75.00")

        venue.clock.leap_to(dt.datetime(2026, 1, 5, 13, 0, 1))
        await venue.phase(Phase.AFTERNOON)
        await other.bulk_offer("CEA25", "sell", price="74.00", qty=150_000)
        await visitor.tab("Bulk")
        await visitor.body("150,000").get_by_text("accept").click()
        await visitor.tab("Fills")
        await expect(visitor.body("11,100,000.00")).to_contain_text("bulk 大宗")
        await expect(visitor.body("7,500,000.00")).to_contain_text("bidding 竞价")


async def test_a_day_ends_and_the_next_one_begins_afresh(browser: Browser, tmp_path: Path) -> None:
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 1) as other,
        visit(browser, venue.url) as visitor,
    ):
        page, key = visitor.page, venue.keys[0]
        await visitor.log_in(key.key_id, key.secret)
        await visitor.list("sell", "74.05", 60)
        await expect(visitor.body("74.05")).to_contain_text("open")
        await other.take_best("CEA25", "buy", price="74.05", qty=20)
        await expect(visitor.body("74.05")).to_contain_text("part filled")
        venue.clock.leap_to(dt.datetime(2026, 1, 5, 15, 0, 1))
        await expect(page.locator("#toasts")).to_contain_text("Lapsed")
        await venue.phase(Phase.POSTED)
        await expect(page.locator("#phase")).to_have_text("settled 已交收")
        await visitor.tab("Bulletins")
        await expect(visitor.body("CEA25")).to_contain_text("74.05")
        venue.clock.leap_to(dt.datetime(2026, 1, 6, 9, 30, 1))
        await expect(page.locator("#phase")).to_have_text("morning 上午交易")
        await visitor.tab("Orders today")
        await expect(page.locator("#tab-body tbody tr")).to_have_count(0)
        await visitor.tab("Open orders")
        await visitor.list("sell", "74.10", 7)
        await expect(visitor.body("74.10")).to_contain_text("open")
        await expect(page.locator("#ticket-limits")).to_contain_text("66.65 – 81.46")


async def test_clicks_in_the_ladder_and_keys_send_at_once_if_wanted(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 1) as other,
        visit(browser, venue.url) as visitor,
    ):
        page, key = visitor.page, venue.keys[0]
        await visitor.log_in(key.key_id, key.secret)
        for qty in (30, 40):
            await other.list("CEA25", "sell", price="74.50", qty=qty)
        await expect(level(page, "sell", 1)).to_contain_text("70")
        await page.fill("#ticket-qty", "50")
        await page.check("#one-click")
        await level(page, "sell", 1).locator(".take").click()  # 30 of the older, 20 of the younger
        await expect(level(page, "sell", 1).locator(".number").first).to_have_text("20")
        assert [each["leaves_qty"] for each in await orders_of(venue, 1)] == [0, 20]
        await visitor.tab("Fills")
        await expect(page.locator("#tab-body tbody tr")).to_have_count(2)
        await level(page, "sell", 1).locator(".price").click()  # join the sellers
        await expect(level(page, "sell", 1).locator(".mine b")).to_have_text("50")
        await page.locator("#tabs button").first.click()
        await page.keyboard.press("b")
        await expect(page.locator("#ticket-send")).to_have_class("send buy")
        await page.keyboard.press("Shift+X")
        await expect(page.get_by_text("No open orders")).to_be_visible()


async def test_the_voluntary_market_has_the_page_under_its_own_path(
    browser: Browser, tmp_path: Path
) -> None:
    fund(tmp_path, 1)
    clock = RunningClock(MORNING)
    options = Options(clock=lambda _: clock, port=0, data_dir=tmp_path, markets=(CEA, CCER))
    async with running(options) as server, visit(browser, f"{server.url}/ccer/") as visitor:
        page = visitor.page
        await page.click("#login-look")
        await expect(page.locator("#market-name")).to_have_text("CCER")
        await visitor.tab("Link")
        await expect(visitor.body("Market data")).to_contain_text("open")
        paths = {each.removeprefix(server.url) for each in visitor.requested}
        assert {"/ccer/api/instruments", "/ccer/ws/md"} <= paths
        assert all(each.startswith("/ccer/") for each in paths)


class Thief:
    """Stands between page and venue and takes one message away."""

    def __init__(self, wanted: Callable[[dict[str, object]], bool]) -> None:
        self.wanted = wanted
        self.taken: list[dict[str, object]] = []

    def __call__(self, route: WebSocketRoute) -> None:
        route.connect_to_server().on_message(lambda frame: self._down(route, frame))

    def _down(self, route: WebSocketRoute, frame: str | bytes) -> None:
        content = msgpack.unpackb(frame)
        messages = content if isinstance(content, list) else [content]
        if not self.taken:
            self.taken = [each for each in messages if self.wanted(each)][:1]
            messages = [each for each in messages if each not in self.taken]
        route.send(msgpack.packb(messages))


async def test_a_lost_report_is_missed_and_asked_for(browser: Browser, tmp_path: Path) -> None:
    thief = Thief(lambda message: message["type"] == "filled")
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 1) as other,
        visit(browser, venue.url) as visitor,
    ):
        page, key = visitor.page, venue.keys[0]
        await page.route_web_socket("**/ws/trade", thief)
        await page.reload()
        await visitor.log_in(key.key_id, key.secret)
        await visitor.list("sell", "74.05", 60)
        await expect(visitor.body("74.05")).to_contain_text("open")
        await other.take_best("CEA25", "buy", price="74.05", qty=20)
        await expect(page.locator("#toasts")).to_contain_text("sell 20 t CEA25 at 74.05")
        assert len(thief.taken) == 1
        await visitor.tab("Fills")
        await expect(page.locator("#tab-body tbody tr")).to_have_count(1)
        await visitor.tab("Link")
        gaps = visitor.body("Order entry").locator("td:nth-child(6)")
        await expect(gaps).to_have_text("1")


async def test_a_lost_trade_is_missed_and_asked_for(browser: Browser, tmp_path: Path) -> None:
    thief = Thief(lambda message: message["type"] == "trade" and message["qty_tonnes"] == 2)
    async with live_venue(tmp_path) as venue, client(venue, 1) as a, client(venue, 2) as b:
        listing = await a.list("CEA25", "sell", price="74.05", qty=100)
        async with visit(browser, venue.url, ("willReadFrequently",)) as visitor:
            await visitor.page.route_web_socket("**/ws/md", thief)
            await visitor.page.reload()
            await visitor.page.click("#login-look")
            await expect(level(visitor.page, "sell", 1)).to_contain_text("100")
            assert not await visitor.page.evaluate(DRAWN)
            for qty in (1, 2, 3):
                await b.take(listing.order_no, qty)
                await asyncio.sleep(0.15)  # a tick of the feed between two trades
            sizes = visitor.page.locator("#tape tr td:nth-child(3)")
            await expect(sizes).to_have_text(["3", "2", "1"])
            assert len(thief.taken) == 1
            await visitor.page.wait_for_function(DRAWN)
            asked = f"{venue.url}/v1/bars?instrument=CEA25&interval=1m&"
            assert any(each.startswith(asked) for each in visitor.requested)
            await visitor.tab("Link")
            gaps = visitor.body("Market data").locator("td:nth-child(6)")
            await expect(gaps).to_have_text("1")
