"""What all answers of REST pages share."""

from __future__ import annotations

import msgspec


class Answer(msgspec.Struct, kw_only=True):
    """Prices in ticks of 0.01 yuan, quantities in tonnes, money in fen, times in microseconds."""


class Listed(Answer, omit_defaults=True, kw_only=True):
    """A page of a list; ``next``: what to say as ``after`` for the next one, left out at the end.

    As CSV or Parquet (``format``, or the header Accept) the rows are all there is.
    """

    next: str = ""
