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
from llvmlite import ir
from numba import njit, types
from numba.core import config as _config
from numba.extending import intrinsic
from numba.np import arrayobj

config: Any = _config  # its settings are made at run time
make_array: Any = arrayobj.make_array
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


@intrinsic
def _ask_for(_typing: Any, rows: Any, at: Any) -> Any:
    """Emit LLVM's prefetch of one row's two ends, for writing, into every level of the cache."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array = make_array(signature.args[0])(context, builder, values[0])
        offset = builder.mul(values[1], array.itemsize)
        one = ir.Constant(offset.type, 1)
        address = builder.add(builder.ptrtoint(array.data, offset.type), offset)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [byte], form)
        flags = [ir.Constant(number, flag) for flag in (1, 3, 1)]  # to write, to keep, data
        for end in (address, builder.add(address, builder.sub(array.itemsize, one))):
            builder.call(ask, [builder.inttoptr(end, byte), *flags])
        return context.get_dummy_value()

    return types.void(rows, types.intp), code


ask_for: Any = _ask_for  # its first parameter is the compiler's

if config.DISABLE_JIT:

    def prefetch(rows: Any, at: int) -> None:
        """Do nothing: an interpreter is not waiting for memory."""

else:

    @inlined
    def prefetch(rows: Any, at: int) -> None:
        """Ask for row ``at``; any number will do, nothing is read."""
        ask_for(rows, at)
