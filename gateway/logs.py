"""Logs for people or for programs: ids and reasons, never secrets or whole messages.

A record is one line whatever is in it: a client's text cannot forge another one.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

FORMATS = ("text", "json")


class OneLine(logging.Formatter):
    """``LEVEL logger: message`` on one line; what would break it is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        text = f"{record.levelname} {record.name}: {_whole(self, record)}"
        return text.encode("unicode_escape").decode("ascii")


class JsonLine(logging.Formatter):
    """One JSON object per line: time (UTC), level, logger, message, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        seconds = time.gmtime(record.created)
        found = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', seconds)}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found)


def _whole(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    return f"{text} {formatter.formatException(record.exc_info)}" if record.exc_info else text


def set_up(form: str = "text", level: int = logging.WARNING, out: TextIO | None = None) -> None:
    """Log to ``out`` (default: standard error) in one of ``FORMATS``.

    Raises:
        ValueError: there is no such format.
    """
    if form not in FORMATS:
        raise ValueError(f"{form!r} is no log format: {' or '.join(FORMATS)}")
    handler = logging.StreamHandler(out or sys.stderr)
    handler.setFormatter(JsonLine() if form == "json" else OneLine())
    logging.basicConfig(level=level, handlers=[handler], force=True)
