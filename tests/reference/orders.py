"""Declarations of every way of trading, bulk negotiations and bidding sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from tests.reference.vocabulary import (
    Modality,
    NegotiationStatus,
    Pricing,
    Reason,
    SessionStatus,
    Side,
    Status,
)

if TYPE_CHECKING:
    from tests.reference.venue import Account, Instrument


class Role(Enum):
    """What a declaration is for."""

    BOOK = auto()  # a listing, a take, an order of a price–time book
    OFFER = auto()  # bulk, of the initiator
    ANSWER = auto()  # bulk, of a responder
    BID = auto()
    APPLICATION = auto()  # of a session's applicant, once it is noticed


MODALITY = {
    Role.BOOK: Modality.LISTED,
    Role.OFFER: Modality.BULK,
    Role.ANSWER: Modality.BULK,
    Role.BID: Modality.AUCTION,
    Role.APPLICATION: Modality.AUCTION,
}


@dataclass(slots=True, eq=False)
class Order:
    """A declaration. ``frozen`` is what is left of a buyer's lock, in fen."""

    number: int
    account: Account
    instrument: Instrument
    side: Side
    price: int
    qty: int
    leaves: int
    role: Role = Role.BOOK
    frozen: int = 0
    status: Status = Status.OPEN
    reason: Reason = Reason.NONE
    counterparty: int = -1  # whom a bulk offer is directed at; -1 = everybody
    session: Session | None = None

    @property
    def filled(self) -> int:
        """Tonnes dealt so far."""
        return self.qty - self.leaves

    @property
    def modality(self) -> Modality:
        """The way of trading it belongs to."""
        return MODALITY[self.role]

    @property
    def is_open(self) -> bool:
        """Whether something of it still stands."""
        return self.status in (Status.OPEN, Status.PART_FILLED)


@dataclass(slots=True, eq=False)
class Negotiation:
    """The talk between a bulk offer's initiator and one responder (TR-72)."""

    offer: Order
    responder: Account
    price: int
    qty: int
    proposer: Account  # of the latest terms
    answer: Order | None = None  # the responder's order, once it has agreed
    status: NegotiationStatus = NegotiationStatus.COUNTERED

    @property
    def is_open(self) -> bool:
        """Whether it can still lead to a deal."""
        return self.status is not NegotiationStatus.ENDED


@dataclass(slots=True, eq=False)
class Session:
    """A bidding session (TR-81…91)."""

    number: int
    applicant: Account
    instrument: Instrument
    side: Side  # the applicant's
    limit: int  # the seller's floor, or the buyer's cap
    qty: int
    pricing: Pricing
    from_minute: int = 0
    until_minute: int = 0
    status: SessionStatus = SessionStatus.APPLIED
    order: Order | None = None  # the applicant's, once noticed
    dealt: int = 0
    clearing: int = 0  # lowest winning price (mirror: highest)
    bids: list[Order] = field(default_factory=list)  # in the order they came
