"""Bulk offers and bidding sessions as the public hears of them (TR-75, TR-80…89).

Events about them name accounts; here is decided what may be told. Of bulk agreement that is the
terms of offers made to everybody, as their initiator changes them: whose counter or agreement it
was is told from the account, which is kept beside the offer and goes no further. Offers directed at
one account and the talk about any offer are nobody else's business. Of a bidding session it is the
notice, its opening and its result; applications and sealed bids are not.
"""

from __future__ import annotations

import numpy as np

from engine.reasons import Reason
from engine.records import Modality
from marketdata.bidding import BiddingSession, Win
from marketdata.figures import Figures
from marketdata.history import Outbox
from marketdata.messages import Offer
from marketdata.told import SIDE_NAMES, Told

OWNERS = ("account", "counterparty")  # columns read of bulk events, never told
EVERYBODY = -1  # counterparty of a public offer


class Negotiated:
    """Puts facts into ``outbox`` as (maker, its arguments); a method per kind of event."""

    def __init__(self, told: Told, figures: Figures, outbox: Outbox) -> None:
        self._told = told
        self._figures = figures
        self._outbox = outbox
        self._offers: dict[int, tuple[int, int, Offer]] = {}  # initiator, instrument, terms
        self._sessions: dict[int, BiddingSession] = {}  # published ones of the day

    def begin_day(self) -> None:
        """Sessions live within a day; offers have lapsed at its close."""
        self._sessions.clear()

    def bulk_offered(self, event: np.void) -> None:
        if event["counterparty"] == EVERYBODY:
            self._say_offer(int(event["account"]), event, "open")

    def bulk_terms(self, event: np.void) -> None:
        """A counter or an agreement: the initiator's own gives the offer new terms (TR-73)."""
        initiator, _, offer = self._offers.get(int(event["order_no"]), (EVERYBODY, 0, None))
        terms = (int(event["price_ticks"]), int(event["qty_tonnes"]))
        if offer is None or event["account"] != initiator:
            return
        if terms != (offer.price_ticks, offer.qty_tonnes):
            self._say_offer(initiator, event, "changed")

    def _say_offer(self, initiator: int, event: np.void, status: str) -> None:
        number, instrument = int(event["order_no"]), int(event["instrument"])
        side = SIDE_NAMES[int(event["side"])]
        offer = Offer(number, side, int(event["price_ticks"]), int(event["qty_tonnes"]))
        self._offers[number] = (initiator, instrument, offer)
        self._outbox.append(
            (self._told.bulk_offer, instrument, int(event["time_ns"]), offer, status)
        )

    def ended(self, order_no: int, time_ns: int) -> None:
        """An order of a rare modality ended: the public hears of it if it was a public offer."""
        _, instrument, offer = self._offers.pop(order_no, (EVERYBODY, 0, None))
        if offer is not None:
            self._outbox.append((self._told.bulk_offer, instrument, time_ns, offer, "gone"))

    def dealt(self, modality: int, other_no: int, trade_no: int, win: Win, time_ns: int) -> None:
        """A bulk deal ends its offer; an auction deal belongs to the session just closed."""
        if modality == Modality.BULK:
            self.ended(other_no, time_ns)
        elif other_no in self._sessions:
            self._sessions[other_no].won(trade_no, win)

    def voided(self, trade_no: int, time_ns: int) -> None:
        """A deal of a session was undone: its result is told once more, without it (TR-121)."""
        for number, session in self._sessions.items():
            if trade_no in session.wins:
                self._sessions[number] = restated = session.without(trade_no)
                said = (restated.instrument, time_ns, restated, "closed")
                self._outbox.append((self._told.bidding, *said))
                return

    def session_noticed(self, event: np.void) -> None:
        """The exchange's notice: here the session becomes public (TR-81)."""
        number = int(event["order_no"])
        window = (int(event["from_minute"]), int(event["until_minute"]))
        self._sessions[number] = BiddingSession(
            number,
            int(event["instrument"]),
            int(event["side"]),
            int(event["price_ticks"]),
            int(event["qty_tonnes"]),
            window,
            int(event["mode"]),
        )
        self._say_session(event, "noticed")

    def session_opened(self, event: np.void) -> None:
        """The window opens."""
        self._say_session(event, "open")

    def session_rejected(self, event: np.void) -> None:
        """What was never published (an application) is not told either."""
        if int(event["order_no"]) in self._sessions:
            self._say_session(event, "rejected")

    def session_closed(self, event: np.void) -> None:
        """The result; the trades that follow within the command belong to it (TR-84…88)."""
        failed = int(event["reason"]) == Reason.SESSION_FAILED
        self._figures.held(failed)
        self._sessions[int(event["order_no"])].close(int(event["price_ticks"]))
        self._say_session(event, "failed" if failed else "closed")

    def _say_session(self, event: np.void, status: str) -> None:
        session = self._sessions[int(event["order_no"])]
        self._outbox.append(
            (self._told.bidding, session.instrument, int(event["time_ns"]), session, status)
        )
