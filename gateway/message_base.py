"""What all messages of order entry are made of: bounds, and the two directions."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

INT53_MAX = 2**53
PRICE_MAX = 2**31 - 1
QTY_MAX = 10**15  # the sum of all legs stays far below 2**63
ROW_MAX = 2**31 - 1
TEXT_MAX = 256  # characters of any text in a field; most fields say less
WORDS_MAX = 16

Int53 = Annotated[int, Meta(ge=-INT53_MAX, le=INT53_MAX)]
PriceTicks = Annotated[int, Meta(ge=-PRICE_MAX, le=PRICE_MAX)]
QtyTonnes = Annotated[int, Meta(ge=-QTY_MAX, le=QTY_MAX)]
AccountNo = Annotated[int, Meta(ge=0, le=ROW_MAX)]
TimeoutMs = Annotated[int, Meta(ge=0, le=86_400_000)]
GraceMs = Annotated[int, Meta(ge=0, le=300_000)]
HeartbeatMs = Annotated[int, Meta(ge=0, le=60_000)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Words = Annotated[list[Text], Meta(max_length=WORDS_MAX)]


class Inbound(msgspec.Struct, tag_field="type", forbid_unknown_fields=True, kw_only=True, gc=False):
    """What a client sends."""


class Outbound(msgspec.Struct, tag_field="type", omit_defaults=True, gc=False):
    """What the venue sends."""
