"""The venue of the gateway benchmark, which lets programs of the same user look at its stacks.

    python -m benchmarks.profiled_server FOLDER ACCOUNTS [CORE]

Where the system lets only parents look (Yama's ptrace_scope 1, the default of several
distributions), a process may say otherwise of itself, and this one does.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from benchmarks.gateway_server import main

PR_SET_PTRACER, ANYBODY = 0x59616D61, -1


def be_looked_at() -> None:
    """Allow it; a system that never forbade it says no to the question, which is no matter."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(ANYBODY), 0, 0, 0)


if __name__ == "__main__":
    be_looked_at()
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
