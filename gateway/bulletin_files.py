"""Bulletins as files (TR-141): ``2026-08-20.txt`` for people, ``2026-08-20.json`` for programs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from engine.records import Event, Phase
from marketdata.bulletin import Bulletin, to_json, to_text
from marketdata.feed import Feed


class BulletinFiles:
    """Writes each day's bulletin into ``folder`` when the day is closed.

    ``listen`` belongs into ``Venue.listeners``. Days the folder lacks, e.g. because the process was
    killed between journal and file, are written by ``catch_up``; a file that is there is left.
    """

    def __init__(self, folder: Path, feed: Feed) -> None:
        self.folder = folder
        self._feed = feed

    def listen(self, _commands: np.ndarray, events: np.ndarray) -> None:
        """Write what an applied batch has closed."""
        closed = (events["kind"] == Event.PHASE_CHANGED) & (events["phase"] == Phase.CLOSED)
        if closed.any():
            self.catch_up()

    def catch_up(self) -> list[Path]:
        """Write every bulletin of the feed that is missing; return the text files written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        written = []
        for date, bulletin in self._feed.bulletins.items():
            name = f"{date // 10_000}-{date // 100 % 100:02d}-{date % 100:02d}"
            text = self.folder / f"{name}.txt"
            if not text.exists():
                self._write(text, bulletin)
                written.append(text)
        return written

    def _write(self, text: Path, bulletin: Bulletin) -> None:
        contents = {text.with_suffix(".json"): to_json(bulletin), text: to_text(bulletin).encode()}
        for file, content in contents.items():
            beside = file.with_name(f".{file.name}.new")
            beside.write_bytes(content)
            os.replace(beside, file)
