"""A funded venue of one's own, to try the load tester with one command."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gateway_servers import ServerError, cores, server
from benchmarks.load.keys import Credentials
from benchmarks.load.plan import LoadError


@contextlib.contextmanager
def own_venue(accounts: int) -> Iterator[tuple[str, list[Credentials]]]:
    """Serve a venue with funded accounts on 127.0.0.1 until the block ends; yields URL and keys.

    It is a process of its own, on a core of its own where there are two, with a folder that is
    removed at the end.

    Raises:
        LoadError: ``own_venue``: it did not start.
    """
    core, _ = cores()
    with tempfile.TemporaryDirectory(prefix="load-venue-") as name:
        arguments = (Path(name) / "venue", accounts, *(() if core is None else (core,)))
        try:
            with server("benchmarks.gateway_server", *arguments, session=True) as venue:
                keys = [Credentials(*row[:3]) for row in venue.announced["keys"]]
                yield f"ws://127.0.0.1:{venue.port}", keys
        except ServerError as error:
            raise LoadError("own_venue", f"The venue did not start: {error}.") from error
