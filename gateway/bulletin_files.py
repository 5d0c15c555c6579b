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
    killed between journal and file, are written by ``catch_up``; a file that is there is left. Only
    the latest day's are written again if its figures have changed: a deal was voided (TR-121).
    """

    def __init__(self, folder: Path, feed: Feed) -> None:
        self.folder = folder
        self._feed = feed

    def listen(self, _commands: np.ndarray, events: np.ndarray) -> None:
        """Write what an applied batch has closed, or restated in the evening."""
        evening = events["phase"] == Phase.CLOSED
        kinds = (Event.PHASE_CHANGED, Event.TRADE_VOIDED)
        if (evening & np.isin(events["kind"], kinds)).any():
            self.catch_up()

    def catch_up(self) -> list[Path]:
        """Write every bulletin of the feed that is missing; return the text files written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        latest = max(self._feed.bulletins, default=0)
        written = []
        for date, bulletin in self._feed.bulletins.items():
            name = f"{date // 10_000}-{date // 100 % 100:02d}-{date % 100:02d}"
            text = self.folder / f"{name}.txt"
            data = text.with_suffix(".json")
            there = text.exists() and data.exists()
            if not there or (date == latest and data.read_bytes() != to_json(bulletin)):
                self._write(text, data, bulletin)
                written.append(text)
        return written

    def _write(self, text: Path, data: Path, bulletin: Bulletin) -> None:
        """Write the text, then the JSON: while that is old or missing, both are written again."""
        for file, content in ((text, to_text(bulletin).encode()), (data, to_json(bulletin))):
            beside = file.with_name(f".{file.name}.new")
            beside.write_bytes(content)
            os.replace(beside, file)
