"""How the season's kernels are compiled: cached, in a folder named after a hash of their sources.

As in engine/jit.py: Numba does not notice a change in a file that a kernel's file imports, so the
engine's sources and these are hashed together; whatever changes, nothing stale can run.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba as _numba

from engine.jit import config, inlined

__all__ = ["inlined", "kernel", "over_arrays", "part"]

numba: Any = _numba  # its own types do not know every option of the compiler
F = TypeVar("F", bound=Callable[..., Any])


def _folder() -> str | None:
    """Return the cache folder of these sources, beside the engine's own; None = Numba's choice."""
    if not config.CACHE_DIR:
        return None
    seen = hashlib.sha256(f"{sys.version_info[:3]} {_numba.__version__}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        seen.update(source.name.encode())
        seen.update(source.read_bytes())
    return f"{config.CACHE_DIR}-season-{seen.hexdigest()[:16]}"


@contextlib.contextmanager
def _own_cache() -> Iterator[None]:
    """Compile what is decorated inside into this room's cache folder."""
    before, own = config.CACHE_DIR, _folder()
    if own is not None:
        Path(own).mkdir(mode=0o700, parents=True, exist_ok=True)
        config.CACHE_DIR = own
    try:
        yield
    finally:
        config.CACHE_DIR = before


def kernel(function: F) -> F:
    """Compile a kernel that plain Python calls."""
    with _own_cache():
        return cast(F, numba.njit(cache=True, error_model="numpy", _nrt=False)(function))


def part(function: F) -> F:
    """Compile a part of a kernel that stays a function of its own: compiles once, not per call."""
    return cast(F, numba.njit(error_model="numpy", _nrt=False)(function))


def over_arrays(signature: str) -> Callable[[F], F]:
    """Compile a function of single numbers into one of whole arrays."""

    def compiled(function: F) -> F:
        with _own_cache():
            return cast(F, numba.vectorize([signature], cache=True)(function))

    return compiled
