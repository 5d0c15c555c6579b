"""How kernels are compiled: cached, and never from a stale cache.

Numba's cache does not notice a change in an imported file, so the cache folder is named after a
hash of every engine source. The cache is pickled: its folder belongs to the user alone (0700). This
is the one file of the engine that looks at a disk, and only at its own sources and that folder.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit
from numba.core import config as _config

config: Any = _config  # its settings are made at run time
F = TypeVar("F", bound=Callable[..., Any])


def _sources_hash() -> str:
    """Return a hash of the engine's sources and of what compiles them."""
    folder = Path(__file__).parent
    seen = hashlib.sha256(f"{sys.version_info[:3]} {numba.__version__}".encode())
    for source in sorted(folder.glob("*.py")):
        seen.update(source.name.encode())
        seen.update(source.read_bytes())
    return seen.hexdigest()[:16]


def _use_private_cache() -> None:
    """Point Numba at a folder of this user and these sources, unless the user chose one."""
    if os.environ.get("NUMBA_CACHE_DIR") or config.DISABLE_JIT:
        return
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    flavour = "checked" if config.BOUNDSCHECK else "plain"
    folder = root / "tanshi" / f"kernels-{_sources_hash()}-{flavour}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # a read-only home only costs a compilation at every start
        return
    if folder.stat().st_uid == os.getuid():
        config.CACHE_DIR = str(folder)


_use_private_cache()

# Kernels never allocate, so they need no reference counts (atomic, and most of a command's time);
# they never raise, so divisions need no check.
_OPTIONS: Any = {"_nrt": False, "error_model": "numpy"}


def inlined(function: F) -> F:
    """Compile a part of a kernel; LLVM puts it into its caller, so passing arrays costs nothing."""
    return cast(F, njit(forceinline=True, **_OPTIONS)(function))


def kernel(function: F) -> F:
    """Compile an entry point that is called from Python with a batch."""
    return cast(F, njit(cache=True, **_OPTIONS)(function))
