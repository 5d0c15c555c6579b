"""The published packages that are played against, and what is needed to play each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata


@dataclass(frozen=True)
class Peer:
    """A package on the index.

    ``adapter``: module and function that return what makes an empty book. ``in_place``: it can be
    told a reduction; otherwise that is a cancel and a new order (benchmarks/peers/streams.py).
    ``count``: the field of the size that says how many messages it is given.
    """

    name: str
    package: str
    adapter: str
    in_place: bool
    count: str
    extra: str = "peers"

    def version(self) -> str | None:
        """Return the installed version, or None."""
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError:
            return None


HERE = "benchmarks.peers"
PEERS = (
    Peer("order_book", "order-book", f"{HERE}.order_book_book:opened", True, "messages"),
    Peer("tracebook", "tracebook-sim", f"{HERE}.tracebook_book:opened", True, "messages"),
    Peer(
        "limit_order_book",
        "limit-order-book",
        f"{HERE}.limit_order_book_book:opened",
        False,
        "messages",
        "peers-native",
    ),
    Peer(
        "lightmatchingengine",
        "lightmatchingengine",
        f"{HERE}.lightmatchingengine_book:opened",
        False,
        "messages_slow",
    ),
    Peer(
        "order_matching",
        "order-matching",
        f"{HERE}.order_matching_book:opened",
        False,
        "messages_slowest",
    ),
)
OWN = {
    "yardstick": f"{HERE}.own:yardstick",
    "engine": f"{HERE}.own:batches",
    "engine_calls": f"{HERE}.own:calls",
}
