"""The watchdog: a venue whose writer is dead must not look alive (F19).

A thread of its own looks twice a second. It ends the process when commands wait and, while the
event loop turns, nothing has moved for ``STALLED_LOOKS`` looks: the writer's task is gone, or one
sync does not come back. It counts looks and not time, so that a process that was stopped (SIGSTOP,
a laptop's lid) and goes on is not taken for a dead one.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from gateway.sequencer import Sequencer

LOOK_S = 0.5
STALLED_LOOKS = 9  # together below the five seconds that are promised


class StalledError(Exception):
    """Commands wait and nobody writes them."""


class Watchdog:
    """Watches one sequencer until ``end``; ``stop`` ends the process."""

    def __init__(
        self,
        sequencer: Sequencer,
        writer: asyncio.Task[None],
        stop: Callable[[BaseException], object],
        look_s: float = LOOK_S,
    ) -> None:
        self._sequencer = sequencer
        self._writer = writer
        self._stop = stop
        self._look_s = look_s
        self._loop = asyncio.get_running_loop()
        self._turned = 0  # by the event loop, once after every look
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def _run(self) -> None:
        seen: tuple[int, int] = (-1, -1)
        looks = 0
        turned = 0
        while not self._ended.wait(self._look_s):
            now = self._sequencer.standing
            alive = self._turned != turned
            turned = self._turned
            if now != seen or now[0] == now[1]:
                seen, looks = now, 0
            elif alive:
                looks += 1
            if looks >= STALLED_LOOKS or (self._left and now[0] != now[1]):
                self._stop(StalledError(f"{now[1] - now[0]} commands wait, nobody writes them"))
                return
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(self._turn)

    @property
    def _left(self) -> bool:
        """Whether the writer went without a word; one that failed has stopped the process."""
        task = self._writer
        return task.done() and (task.cancelled() or task.exception() is None)

    def _turn(self) -> None:
        self._turned += 1
