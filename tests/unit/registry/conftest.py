"""Every test of the registry runs on SQLite and on a real PostgreSQL server.

The server is the one of TANSHI_PG_URL, or else a throw-away one of the installed programs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.postgres_server import binaries, running
from registry.institution import Registry
from tests.unit.registry.postgres_schema import new_schema
from tests.unit.registry.registry_venue import Venue


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server that tests may use."""
    given = os.environ.get("TANSHI_PG_URL")
    if given:
        yield given
        return
    programs = binaries()
    if programs is None:
        reason = "no PostgreSQL: set TANSHI_PG_URL or install the package postgresql"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """URL of an empty schema of its own."""
    yield from new_schema(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a new, empty database of each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    """Open books, empty."""
    with Registry.open(url) as opened:
        yield opened


@pytest.fixture
def venue(registry: Registry) -> Venue:
    """An exchange with two vintages beside the registry, four funded accounts, day one open."""
    made = Venue(registry)
    made.fund(4)
    made.open_day(20210716)
    return made
