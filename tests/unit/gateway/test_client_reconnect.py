"""A client whose line is lost: it comes back, misses no report, and learns every outcome."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.client import (
    Client,
    LineLostError,
    NeverSentError,
    Options,
    Order,
    OutcomeUnknownError,
    RefusedError,
)
from gateway.client import link as link_module
from gateway.wire import messages as m
from gateway.wire.trader_messages import CreateKey
from tests.unit.gateway.fake_venue import (
    ANY_SEQ,
    DATE,
    FakeVenue,
    Script,
    Talk,
    accepted,
    snapshot,
)

pytestmark = pytest.mark.anyio
NEXT_DAY = DATE + 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Told:
    """What a listener heard."""

    def __init__(self, client: Client) -> None:
        self.messages: list[Any] = []
        self._task = asyncio.create_task(self._listen(client.reports()))

    async def _listen(self, reports: AsyncIterator[Any]) -> None:
        async for report in reports:
            self.messages.append(report)

    async def count(self, least: int) -> None:
        while len(self.messages) < least:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    @property
    def numbers(self) -> list[Any]:
        return [
            "snapshot" if isinstance(each, m.Snapshot) else each.report_seq
            for each in self.messages
        ]


@contextlib.asynccontextmanager
async def client(*scripts: Script, **options: Any) -> AsyncIterator[tuple[Client, FakeVenue]]:
    """A reconnecting client of a venue with these scripts, without heartbeats."""
    chosen: Options = {"reconnect": True, "heartbeat_ms": 0, **options}
    async with (
        FakeVenue(*scripts).open() as venue,
        Client(venue.url, "key", "secret", **chosen) as found,
    ):
        yield found, venue


def listed(found: Client, identity: str = "a") -> asyncio.Task[Order]:
    call = found.list("CEA25", "sell", price="80.00", qty=10, client_order_id=identity)
    return asyncio.create_task(call)


async def loses_a_list(talk: Talk) -> None:
    await talk.login()
    await talk.hears(m.List)
    talk.cut()


async def test_a_lost_answer_comes_with_the_resumed_stream_and_nothing_is_sent_again() -> None:
    async def comes_back(talk: Talk) -> None:
        await talk.login(report_seq=1)
        assert await talk.hears(m.Resume) == m.Resume(date=DATE, after=0)
        await talk.say(m.Heartbeat(0, ANY_SEQ, 0))
        await asyncio.sleep(0.05)
        await talk.say(m.StreamResumed(DATE, 0, 1, True), accepted(1, "a"))
        await talk.lives()

    async with client(loses_a_list, comes_back) as (found, _):
        order = await listed(found)
        assert (order.order_no, order.repeated) == (1, False)
        assert (found.reconnects, found.last_report_seq) == (1, 1)
        await found.ping()


async def test_what_the_venue_never_got_is_sent_again_once_the_stream_is_whole() -> None:
    async def comes_back(talk: Talk) -> None:
        await talk.login(report_seq=2)
        await talk.hears(m.Resume)
        await talk.say(m.StreamResumed(DATE, 0, 2, True), accepted(1, "other"))
        await talk.say(accepted(2, "another"))
        again = await talk.hears(m.List)
        assert (again.client_order_id, again.qty_tonnes) == ("a", 10)
        await talk.say(accepted(3, "a"))
        await talk.lives()

    async with client(loses_a_list, comes_back) as (found, _):
        told = Told(found)
        assert (await listed(found)).order_no == 3
        await found.ping()
        assert told.numbers == [1, 2, 3]


async def test_what_went_out_on_the_new_line_is_not_sent_again() -> None:
    up = asyncio.Event()

    async def comes_back(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.Resume)
        up.set()
        assert (await talk.hears(m.List)).client_order_id == "new"
        await talk.say(m.StreamResumed(DATE, 0, 0, True))
        assert (await talk.hears(m.List)).client_order_id == "lost"
        await asyncio.sleep(0.05)
        await talk.say(accepted(1, "new"), accepted(2, "lost"))
        await talk.lives()

    async with client(loses_a_list, comes_back) as (found, _):
        lost = listed(found, "lost")
        await up.wait()
        assert (await listed(found, "new")).order_no == 1
        assert (await lost).order_no == 2
        await found.ping()


async def test_a_repeated_answer_is_a_true_one_and_is_not_told_to_listeners() -> None:
    async def comes_back(talk: Talk) -> None:
        await talk.login(report_seq=0)
        await talk.hears(m.Resume)
        await talk.say(m.StreamResumed(DATE, 0, 0, True))
        await talk.hears(m.List)
        await talk.say(accepted(1, "a"), accepted(1, "a", repeated=True))
        await talk.lives()

    async with client(loses_a_list, comes_back) as (found, _):
        told = Told(found)
        order = await listed(found)
        await found.ping()
        assert (order.order_no, told.numbers) == (1, [1])


async def test_a_repeated_answer_that_overtakes_its_reports_waits_for_them() -> None:
    fill = m.Filled(2, ANY_SEQ + 1, 0, "t", 1, 9, "CEA25", "buy", 8000, 10, 0, 80_000)

    async def comes_back(talk: Talk) -> None:
        await talk.login(report_seq=0)
        await talk.hears(m.Resume)
        await talk.say(m.StreamResumed(DATE, 0, 0, True))
        await talk.hears(m.Take)
        await talk.say(accepted(1, "t", repeated=True))
        await talk.say(accepted(1, "t"), fill)
        await talk.lives()

    async def loses_a_take(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.Take)
        talk.cut()

    async with client(loses_a_take, comes_back) as (found, _):
        order = await found.take(7, 10, client_order_id="t")
        assert (order.status, order.filled_qty) == ("filled", 10)


async def test_the_answer_to_a_cancel_that_overtakes_its_report_waits_for_it() -> None:
    told = (2, ANY_SEQ + 2, 0, "a", 1, "CEA25", "sell", 8000, 10, 0, "by_owner", "")

    async def loses_a_cancel(talk: Talk) -> None:
        await talk.login()
        await talk.say(accepted(1, "a"))
        await talk.hears(m.Cancel)
        talk.cut()

    async def comes_back(talk: Talk) -> None:
        await talk.login(report_seq=1)
        await talk.hears(m.Resume)
        await talk.say(m.StreamResumed(DATE, 1, 1, True))
        await talk.hears(m.Cancel)
        await talk.say(m.Cancelled(*told, "c", repeated=True))
        await asyncio.sleep(0.05)
        await talk.say(m.Cancelled(*told, "c"))
        await talk.lives()

    async with client(loses_a_cancel, comes_back) as (found, _):
        listener = Told(found)
        order = await found.cancel(1, client_order_id="c")
        assert (order.status, order.leaves_qty) == ("cancelled", 0)
        assert (order.repeated, listener.numbers) == (False, [1, 2])


async def test_a_missing_report_is_asked_for_and_each_is_told_once_in_order() -> None:
    async def skips_one(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.StatusRequest)
        await talk.say(accepted(1, "a"), accepted(3, "c"), accepted(4, "d"))
        assert await talk.hears(m.Resume) == m.Resume(date=DATE, after=1)
        replayed = [accepted(n, "abcd"[n - 1]) for n in (2, 3, 4)]
        await talk.say(m.StreamResumed(DATE, 1, 4, True), *replayed)
        await talk.say(accepted(4, "d"), accepted(5, "e"), m.Status("x", "unknown"))
        await talk.lives()

    async with client(skips_one) as (found, _):
        told = Told(found)
        assert (await found.status("x")).outcome == "unknown"
        await found.ping()
        assert told.numbers == [1, 2, 3, 4, 5]
        assert [*found.orders] == [1, 2, 3, 4, 5]


async def test_a_heartbeat_shows_that_the_last_report_is_missing() -> None:
    async def loses_the_last(talk: Talk) -> None:
        await talk.login()
        await talk.say(m.Heartbeat(0, ANY_SEQ + 1, 1))
        assert await talk.hears(m.Resume) == m.Resume(date=DATE, after=0)
        await talk.say(m.StreamResumed(DATE, 0, 1, True), accepted(1, "a"))
        await talk.lives()

    async with client(loses_the_last) as (found, _):
        told = Told(found)
        await told.count(1)
        assert told.numbers == [1]


async def test_another_day_begins_with_a_snapshot_and_its_own_numbers() -> None:
    async def the_day_before(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.List)
        await talk.say(accepted(1, "old"))
        await talk.hears(m.List)
        talk.cut()

    async def the_next_day(talk: Talk) -> None:
        await talk.login(report_seq=1, date=NEXT_DAY, seq=900)
        assert await talk.hears(m.Resume) == m.Resume(date=DATE, after=1)
        await talk.say(m.StreamResumed(NEXT_DAY, 1, 1, False))
        await talk.hears(m.SnapshotRequest)
        assert await talk.hears(m.Resume) == m.Resume(date=NEXT_DAY, after=0)
        await talk.say(snapshot(1, NEXT_DAY, 900))
        await talk.say(
            m.StreamResumed(NEXT_DAY, 0, 1, True), accepted(1, "new", seq=890, order_no=9)
        )
        await talk.lives()

    async with client(the_day_before, the_next_day) as (found, _):
        told = Told(found)
        old = await listed(found, "old")
        with pytest.raises(OutcomeUnknownError, match="the day has ended") as unknown:
            await listed(found, "lost")
        assert unknown.value.client_order_id == "lost"
        await found.ping()
        assert told.numbers == [1, "snapshot", 1]
        assert (old.status, old.leaves_qty) == ("ended", 0)
        assert [*found.orders] == [1, 9]


@pytest.mark.parametrize("early", [True, False])
async def test_the_day_turns_under_a_client_that_stays(early: bool) -> None:
    turn = m.PhaseChanged(NEXT_DAY, "pre_open", 200, 0)

    async def stays(talk: Talk) -> None:
        await talk.login()
        await talk.say(accepted(1, "a"), accepted(2, "b"))
        first = accepted(1, "c", seq=201)
        await talk.say(*((first, turn) if early else (turn, first)), accepted(2, "d", seq=202))
        await talk.lives()

    async with client(stays) as (found, _):
        told = Told(found)
        await told.count(4)
        await found.ping()
        assert told.numbers == [1, 2, 1, 2]


async def test_a_venue_that_lost_history_is_followed_from_where_it_stands() -> None:
    async def knows_less(talk: Talk) -> None:
        await talk.login(report_seq=3)
        assert (await talk.hears(m.Resume)).after == 5
        await talk.say(m.Error("resume_ahead", "You have seen more."))
        await talk.hears(m.SnapshotRequest)
        await talk.say(snapshot(3, seq=50))
        again = await talk.hears(m.List)
        assert again.client_order_id == "a"
        await talk.say(accepted(4, "a", seq=51))
        await talk.lives()

    async def was_ahead(talk: Talk) -> None:
        await talk.login(report_seq=5)
        await talk.hears(m.List)
        talk.cut()

    async with client(was_ahead, knows_less) as (found, _):
        told = Told(found)
        assert (await listed(found)).order_no == 4
        assert told.numbers == ["snapshot", 4]


async def test_a_venue_that_stays_away_leaves_the_outcome_open_and_is_still_waited_for() -> None:
    back = asyncio.Event()

    async def away(talk: Talk) -> None:
        await back.wait()
        talk.cut()

    async def returns(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.Resume)
        await talk.say(m.StreamResumed(DATE, 0, 0, True))
        await talk.hears(m.StatusRequest)
        await talk.say(m.Status("a", "accepted"))
        await talk.lives()

    async with client(loses_a_list, away, returns, away_max_s=0.3) as (found, _):
        with pytest.raises(OutcomeUnknownError, match="away") as unknown:
            await listed(found)
        assert unknown.value.client_order_id == "a"
        never = listed(found, "b")
        await asyncio.sleep(0.05)
        never.cancel()
        back.set()
        assert (await found.status("a")).outcome == "accepted"


async def test_what_was_asked_while_the_line_was_down_was_never_sent() -> None:
    async def goes(talk: Talk) -> None:
        await talk.login()
        talk.cut()

    async with client(goes, away_max_s=0.2) as (found, _):
        while found.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        with pytest.raises(NeverSentError):
            await listed(found)


async def test_a_key_that_is_good_no_more_ends_the_client() -> None:
    async def turns_away(talk: Talk) -> None:
        await talk.say(m.Challenge("nonce", 0, 3000))
        await talk.hears(m.Login)
        await talk.say(m.Error("bad_credentials", "Not right.", True))

    async with client(loses_a_list, turns_away) as (found, venue):
        told = Told(found)
        with pytest.raises(OutcomeUnknownError, match="bad_credentials"):
            await listed(found)
        with pytest.raises(LineLostError, match="not connected"):
            await found.status("a")
        await told._task
        assert venue.connections == 2


async def test_a_silent_line_is_cut_and_opened_anew() -> None:
    silence = asyncio.Event()

    async def falls_silent(talk: Talk) -> None:
        login = await talk.login()
        assert (login.heartbeat_ms, login.cancel_on_disconnect, login.grace_ms) == (50, False, 7)
        await silence.wait()

    async def speaks(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.Resume)
        await talk.say(m.StreamResumed(DATE, 0, 0, True))
        silence.set()
        await talk.lives()

    options: Options = {"heartbeat_ms": 50, "cancel_on_disconnect": False, "grace_ms": 7}
    async with client(falls_silent, speaks, **options) as (found, _):
        await silence.wait()
        await found.ping()
        assert found.reconnects == 1


async def test_a_key_is_not_made_twice() -> None:
    async def makes_one(talk: Talk) -> None:
        await talk.login()
        await talk.hears(CreateKey)
        talk.cut()

    async def comes_back(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.Resume)
        await talk.say(m.StreamResumed(DATE, 0, 0, True))
        await talk.lives()

    async with client(makes_one, comes_back) as (found, _):
        with pytest.raises(OutcomeUnknownError, match="not to be sent twice"):
            await found.create_key(roles=["trader"])
        await found.ping()


async def limited(talk: Talk) -> None:
    await talk.login()
    await talk.hears(m.List)
    await talk.say(m.Refused("rate_limited", "Too many.", client_order_id="a", retry_ms=120))
    await talk.hears(m.List, m.Logout)
    with contextlib.suppress(Exception):
        await talk.say(accepted(1, "a"))
        await talk.lives()


async def test_a_client_waits_for_its_rate_or_is_told() -> None:
    loop = asyncio.get_running_loop()
    async with client(limited) as (found, _):
        began_s = loop.time()
        assert (await listed(found)).order_no == 1
        assert loop.time() - began_s >= 0.12
    async with client(limited, on_rate_limit="raise") as (found, _):
        with pytest.raises(RefusedError, match="rate_limited") as refused:
            await listed(found)
        assert refused.value.retry_ms == 120


async def test_a_program_started_anew_resumes_from_its_own_number() -> None:
    async def tells(talk: Talk) -> None:
        await talk.login(report_seq=3)
        assert await talk.hears(m.Resume) == m.Resume(date=DATE, after=1)
        again = [accepted(2, "b", seq=ANY_SEQ - 2), accepted(3, "c", seq=ANY_SEQ - 1)]
        await talk.say(m.StreamResumed(DATE, 1, 3, True), *again)
        assert (await talk.hears(m.Resume)).after == 9
        await talk.say(m.Error("resume_ahead", "There are fewer."), accepted(4, "d"))
        await talk.lives()

    async with client(tells) as (found, _):
        told = Told(found)
        await asyncio.sleep(0)
        assert (await found.resume(1)).report_seq == 3
        with pytest.raises(RefusedError, match="resume_ahead"):
            await found.resume(9)
        await found.ping()
        assert told.numbers == [2, 3, 4]
        assert [order.client_order_id for order in found.open_orders] == ["b", "c", "d"]


async def test_what_cannot_be_sent_is_refused_before_it_is() -> None:
    async def hears_nothing(talk: Talk) -> None:
        await talk.login()
        await talk.lives()

    async with client(hears_nothing) as (found, _):
        for identity in ("", "é", "x" * 33):
            with pytest.raises(RefusedError, match="client_order_id_invalid"):
                await listed(found, identity)
        with pytest.raises(RefusedError, match="frame_too_big"):
            await found.list("C" * 20_000, "sell", price="1", qty=1)


async def test_the_same_id_cannot_be_on_its_way_twice() -> None:
    async def waits(talk: Talk) -> None:
        await talk.login()
        await talk.hears(m.List)
        await talk.hears(m.Ping)
        await talk.say(m.Pong(1, 0, 0, 0), accepted(1, "a"))
        await talk.lives()

    async with client(waits) as (found, _):
        first = listed(found)
        await asyncio.sleep(0.05)
        with pytest.raises(RefusedError, match="on its way"):
            await listed(found)
        await found.ping()
        assert (await first).order_no == 1


def test_pauses_grow_with_jitter_up_to_a_bound() -> None:
    longest = link_module.pauses_s(lambda: 1.0)
    steps = [next(longest) for _ in range(10)]
    assert steps[:4] == [0.05, 0.1, 0.2, 0.4]
    assert steps[-1] == link_module.LONGEST_PAUSE_S
    shortest = link_module.pauses_s(lambda: 0.0)
    assert [next(shortest) for _ in range(10)] == [each / 2 for each in steps]
