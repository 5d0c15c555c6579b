"""One line per record whatever is in it, and nothing in it that is nobody's business."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import logs
from tests.e2e.live_venue import live_venue
from tests.security.raw_line import login_message, raw_line
from tests.unit.gateway.inline_desk import order

FORGED = "x\nCRITICAL gateway: all is lost\r\n\x1b[2J\x00 \u2028é𝄞"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the loggers as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def written(form: str, level: int = logging.WARNING) -> io.StringIO:
    out = io.StringIO()
    logs.set_up(form, level, out)
    return out


@pytest.mark.parametrize("form", logs.FORMATS)
def test_a_clients_text_cannot_forge_a_line(form: str) -> None:
    out = written(form)
    logging.getLogger("gateway").warning("refused %s", FORGED)
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("gateway").exception("oh")
    lines = out.getvalue().split("\n")
    assert len(lines) == 3
    assert lines[2] == ""
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert out.getvalue().splitlines() == lines[:2]


def test_text_names_level_and_logger() -> None:
    out = written("text")
    logging.getLogger("gateway.journal.journal").error("stopped at %d", 5)
    assert out.getvalue() == "ERROR gateway.journal.journal: stopped at 5\n"


def test_json_is_an_object_with_time_and_exception() -> None:
    out = written("json")
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("gateway").exception("oh %s", FORGED)
    found = json.loads(out.getvalue())
    assert set(found) == {"time", "level", "logger", "message", "exception"}
    assert (found["level"], found["logger"]) == ("error", "gateway")
    assert found["message"] == f"oh {FORGED}"
    assert "ValueError" in found["exception"]
    assert found["time"].endswith("Z")


def test_only_its_own_formats_are_taken() -> None:
    with pytest.raises(ValueError, match="text or json"):
        logs.set_up("xml")


@pytest.mark.anyio
@pytest.mark.parametrize("form", logs.FORMATS)
async def test_a_session_at_debug_level_shows_no_secret(tmp_path: Path, form: str) -> None:
    """Logged in, traded, refused, sent nonsense: no secret, signature or order is in the log."""
    out = written(form, logging.DEBUG)
    async with live_venue(tmp_path) as venue, raw_line(venue.url) as line:
        challenge = await line.until("challenge")
        greeting = login_message(challenge["nonce"], venue.keys[0])
        line.say(greeting)
        assert await line.until("welcome")
        line.say(order("private-order-id"))
        assert await line.until("accepted")
        line.say({"type": "create_key", "client_order_id": "k", "roles": ["viewer"]})
        issued = await line.until("key_issued")
        line.say({"type": "status", "client_order_id": "x\nforged"}, {"type": "none-such"})
        assert await line.until("error")
        async with raw_line(venue.url) as stranger:
            await stranger.until("challenge")
            stranger.say(greeting)  # a replay
            assert (await stranger.until("bye"))["code"] == "bad_credentials"
        made = venue.running.venue.keys.find(issued["key_id"])
        assert made is not None
        secrets = [venue.keys[0].secret, made.secret, greeting["signature"], challenge["nonce"]]
    text = out.getvalue()
    for each in (*secrets, "private-order-id", "none-such", "forged"):
        assert each not in text
    for each in text.splitlines():
        assert json.loads(each)["level"] if form == "json" else each.split(" ")[0].isupper()


def test_without_a_place_it_is_standard_error() -> None:
    logs.set_up()
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
