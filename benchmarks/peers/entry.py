"""A book on its way through a round: prepared, compared, timed; or why its times do not count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.book import Told
from benchmarks.peers.process import Player, PlayerError


@dataclass
class Entry:
    """One book. ``state``: "measured", or "differs" or "failed" with the reason in words."""

    name: str
    player: Player
    state: str = "measured"
    reason: str = ""
    told: list[Told] = field(default_factory=list)  # after each part of the stream
    warmed: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)  # of one play, run by run
    plays: int = 0  # in the last run

    def prepare(self, parts: int) -> None:
        """Load, play once unmeasured, and tell part by part."""
        try:
            self.player.begin()
            self.warmed = self.player.ask("warm")
            answer = self.player.ask("check", parts=parts)
        except PlayerError as wrong:
            self._out("failed", str(wrong))
        else:
            self.told = [Told(**row) for row in answer["told"]]

    def compare(self, reference: Entry) -> None:
        """Hold every part against the reference; the first difference is the reason."""
        if self.state != "measured":
            return
        for number, (own, right) in enumerate(zip(self.told, reference.told, strict=True), 1):
            unlike = own.unlike(right)
            if unlike:
                self._out(
                    "differs", f"after part {number} of {len(self.told)}: {', '.join(unlike)}"
                )
                return

    def play(self, least_s: float, reference: Entry) -> None:
        """Take one run's time, if its times count at all, and look at the end once more."""
        if self.state != "measured":
            return
        try:
            answer = self.player.ask("time", least_s=least_s)
        except PlayerError as wrong:
            self._out("failed", str(wrong))
            return
        unlike = Told(**answer["told"]).unlike(reference.told[-1])
        if unlike:
            self._out("differs", f"in a timed play: {', '.join(unlike)}")
            return
        self.seconds.append(answer["seconds"])
        self.plays = answer["plays"]

    def _out(self, state: str, reason: str) -> None:
        self.state, self.reason = state, reason
