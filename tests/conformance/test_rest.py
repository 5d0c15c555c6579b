"""Every REST page answers as its OpenAPI document says, whatever it is asked (schemathesis)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from requests.auth import AuthBase
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.authority import OFFICE_ROLES, PROVINCIAL_AUTHORITY
from gateway.keys import Key, request_signature
from tests.e2e.live_venue import LiveVenue, live_venue

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Signed(AuthBase):
    """Signs each request as it leaves, with a trader's or an institution's key."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        now_us, body = time.time_ns() // 1000, request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        assert request.method is not None
        target = request.path_url
        request.headers["X-Tanshi-Key"] = self._key.key_id
        request.headers["X-Tanshi-Time"] = str(now_us)
        request.headers["X-Tanshi-Signature"] = request_signature(
            self._key.secret, now_us, request.method, target, raw
        )
        return request


class Served:
    """A venue in a thread of its own, for the tests that speak plain HTTP."""

    def __init__(self, folder: Any) -> None:
        self._folder = folder
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.venue: LiveVenue
        self.keys: list[Key] = []

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with live_venue(self._folder) as venue:
            self.venue = venue
            keys = venue.running.venue.keys
            offices = (
                keys.create_office(role, province="11" * (role == PROVINCIAL_AUTHORITY))
                for role in OFFICE_ROLES
            )
            self.keys = [venue.keys[0], *offices]
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("rest")) as venue:
        yield venue


@pytest.fixture(scope="module")
def pages(served: Served) -> Any:
    return schemathesis.openapi.from_url(served.venue.url + "/openapi.json")


SETTINGS = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_every_page_answers_as_documented(pages: Any, served: Served) -> None:
    """Unsigned, as a trader and as each institution; a page that is only read changes nothing."""
    exchange = served.venue.running.venue.exchange
    who = (None, *map(Signed, served.keys))
    found = [result.ok() for result in pages.get_all_operations()]
    assert len(found) > 20

    for operation in found:

        @SETTINGS
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            before = exchange.digest()
            for auth in who:
                case.validate_response(case.call(auth=auth), checks=CHECKS)
            assert exchange.digest() == before

        ask()


def test_the_checks_notice_a_page_that_answers_otherwise(pages: Any, served: Served) -> None:
    """The negative control: another page's answer is refused by the schema."""
    operation = pages["/api/bulletins"]["GET"]
    case = operation.Case()
    other = requests.get(served.venue.url + "/healthz", timeout=10)
    with pytest.raises(FailureGroup):
        case.validate_response(other, checks=CHECKS)
