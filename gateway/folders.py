"""Where the markets of one data directory lie, as gateway/serve.py lays them out.

The first market lives in the data directory itself, whichever it is (its registry's books say so);
any other one in a folder of its name there. Each has a journal, keys and bulletins of its own.
"""

from __future__ import annotations

from pathlib import Path

from gateway.market import CEA, MARKETS, Market
from registry.errors import StopError
from registry.institution import Registry

CLOCK_FILE = "clock.json"  # where a manual clock stands, in the data directory itself


def books_url(folder: Path, registry_url: str | None = None) -> str:
    """Return where the registry's books of a market's folder are."""
    return registry_url or f"sqlite:///{folder / 'registry.db'}"


def has_books(folder: Path, registry_url: str | None = None) -> bool:
    """Whether a market's folder has books, so that looking at them does not make new ones."""
    return registry_url is not None or (folder / "registry.db").exists()


def open_books(url: str, name: str | None = None) -> Registry:
    """Open the books of a market by its name; None: whichever they are, new ones the national's.

    Raises:
        as Registry.open, without a name profile_differs only where no market known here fits.
    """
    if name is not None:
        return Registry.open(url, MARKETS[name].profile)
    differs: StopError | None = None
    for market in MARKETS.values():
        try:
            return Registry.open(url, market.profile)
        except StopError as stop:
            if stop.code != "profile_differs":
                raise
            differs = stop
    assert differs is not None, "there are markets"
    raise differs


def market_of(registry: Registry) -> Market:
    """Return the market whose books these are."""
    return next(each for each in MARKETS.values() if each.profile == registry.profile)


def first_market(data_dir: Path, registry_url: str | None = None) -> Market:
    """Return the market in the data directory itself; without books it is the national one."""
    if not has_books(data_dir, registry_url):
        return CEA
    with open_books(books_url(data_dir, registry_url)) as registry:
        return market_of(registry)


def further_folders(data_dir: Path) -> dict[str, Path]:
    """Return the folders of the other markets by their names."""
    found = {name: data_dir / name for name in MARKETS}
    return {
        name: folder
        for name, folder in found.items()
        if (folder / "journal").is_dir() or (folder / "registry.db").exists()
    }


def folder_of(data_dir: Path, name: str | None, registry_url: str | None = None) -> Path:
    """Return the folder of a market by its name; None is the first one.

    Raises:
        ValueError: there is no such market; otherwise as ``open_books``.
    """
    if name is None:
        return data_dir
    if name not in MARKETS:
        raise ValueError(f"there is no market {name!r}; there are {', '.join(MARKETS)}")
    return data_dir if first_market(data_dir, registry_url).name == name else data_dir / name
