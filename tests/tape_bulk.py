"""Draws for bulk agreement: offers, talks in every state, terms that changed, wrong answers."""

from __future__ import annotations

from tests.reference.endings import talks_of
from tests.reference.orders import Negotiation, Order, Role
from tests.reference.venue import Instrument
from tests.reference.vocabulary import Kind, Modality, NegotiationStatus, Parameter, Side
from tests.tape_draws import CommandDict, Draws


class BulkDraws(Draws):
    """Each method draws one command."""

    def bulk_offer(self) -> CommandDict:
        """An offer to everybody or to one account."""
        account, instrument = self._account(), self._any_instrument()
        side = self.random.choice((Side.BUY, Side.SELL))
        towards = self.random.choice((-1, -1, self._account(), self._account()))
        if self._chance(0.03):
            towards = self.random.choice((99, -2, account))
        command = self._command(
            Kind.BULK_OFFER, account=account, side=int(side), counterparty=towards, qty_tonnes=1
        )
        if instrument is not None and self._known(account):
            price = self._bulk_price(instrument)
            command["instrument"], command["price_ticks"] = instrument.number, price
            rows = self.twin.venue.accounts
            qty = self._amount_near(rows[account], instrument, side, price)
            command["qty_tonnes"] = self._bulk_qty(qty)
        return command

    def bulk_counter(self) -> CommandDict:
        """New terms, by a responder or by the initiator."""
        offer, talk = self._offer_or_talk()
        if offer is None and self._chance(0.9):
            return self.bulk_offer()
        command = self._answer(Kind.BULK_COUNTER, offer, talk)
        if offer is not None:
            price, qty = (talk.price, talk.qty) if talk else (offer.price, offer.qty)
            command["price_ticks"] = price + self.random.choice((0, 0, -1, 1, -3, 3))
            command["qty_tonnes"] = max(1, qty + self.random.choice((0, 0, -1, 1, 5, -qty // 2)))
            if self._chance(0.1):
                command["price_ticks"] = self._bulk_price(offer.instrument)
            if command["account"] == offer.account.number and self._chance(0.4):
                near = self._amount_near(offer.account, offer.instrument, offer.side, price)
                command["qty_tonnes"] = max(1, offer.leaves + near)
        return command

    def bulk_accept(self) -> CommandDict:
        """Mostly the latest terms, mostly by the side whose turn it is."""
        offer, talk = self._offer_or_talk()
        if (offer is None or (talk is None and self._chance(0.7))) and self._chance(0.9):
            return self.bulk_counter()  # a talk first, or nothing is ever agreed
        if talk is not None and self._chance(0.8):
            command = self._by(Kind.BULK_ACCEPT, talk, is_proposer=False)
        else:
            command = self._answer(Kind.BULK_ACCEPT, offer, talk)
        if offer is not None:
            mine = talk is not None and command["account"] in (
                talk.responder.number,
                offer.account.number,
            )
            price, qty = (talk.price, talk.qty) if talk and mine else (offer.price, offer.qty)
            command["price_ticks"], command["qty_tonnes"] = price, qty
            if self._chance(0.08):
                command["qty_tonnes"] = self.random.choice((qty + 1, qty + 1, 0))
        return command

    def bulk_confirm(self) -> CommandDict:
        """Mostly of an agreed talk by the side that has to."""
        agreed = self._talks(NegotiationStatus.AGREED)
        if agreed and self._chance(0.85):
            return self._by(Kind.BULK_CONFIRM, self.random.choice(agreed), is_proposer=True)
        if self._chance(0.8):
            return self.bulk_accept()
        return self._answer(Kind.BULK_CONFIRM, *self._offer_or_talk())

    def bulk_decline(self) -> CommandDict:
        """By anybody who may, and by some who may not."""
        return self._answer(Kind.BULK_DECLINE, *self._offer_or_talk())

    def bulk_withdraw(self) -> CommandDict:
        """Mostly by the initiator."""
        offer, _ = self._offer_or_talk()
        if offer is None:
            return self._command(Kind.BULK_WITHDRAW, account=self._account(), ref=1)
        account = offer.account.number if self._chance(0.85) else self._wrong_account()
        return self._command(Kind.BULK_WITHDRAW, account=account, ref=offer.number)

    def shortchange(self) -> CommandDict:
        """An initiator that has agreed locks its offer lower elsewhere and spends the rest."""
        venue = self.twin.venue
        open_talks = [t for t in venue.negotiations if t.is_open and t.proposer is t.responder]
        open_talks = [talk for talk in open_talks if talk.offer.counterparty == -1]
        if not open_talks:
            return self.bulk_counter()
        talk = self.random.choice(open_talks)
        offer, initiator = talk.offer, talk.offer.account
        others = {t.responder.number for t in self._talks(NegotiationStatus.AGREED)}
        others |= {initiator.number, talk.responder.number}
        third = next((a.number for a in venue.accounts if a.number not in others), 0)
        if talk.status is NegotiationStatus.COUNTERED:
            accept = self._by(Kind.BULK_ACCEPT, talk, is_proposer=False)
            self.pending.append(accept | {"price_ticks": talk.price, "qty_tonnes": talk.qty})
        terms = {"ref": offer.number, "price_ticks": offer.price, "qty_tonnes": 1}
        self._queue(Kind.BULK_COUNTER, account=third, **terms)
        self._queue(Kind.BULK_COUNTER, account=initiator.number, counterparty=third, **terms)
        row, cash = initiator.holdings[offer.instrument.number], initiator.cash_available
        if offer.side is Side.SELL:
            fields = {"account": initiator.number, "instrument": offer.instrument.number}
            spent = max(1, row.available + offer.leaves - 1)
            self._queue(Kind.TRANSFER_OUT, **fields, qty_tonnes=spent)
        else:
            settled = cash - initiator.proceeds_today + offer.frozen - 2 * offer.price
            self._queue(Kind.CASH_OUT, account=initiator.number, amount=max(1, settled))
        self._queue(Kind.BULK_CONFIRM, account=talk.responder.number, ref=offer.number)
        return self.pending.popleft()

    # ---- how to draw it ----------------------------------------------------------------------

    def _bulk_price(self, instrument: Instrument) -> int:
        limits, middle = instrument.limits[Modality.BULK], instrument.reference
        if self._chance(0.1):
            return self.random.choice(
                (limits.lower, limits.upper, limits.lower - 1, limits.upper + 1)
            )
        return middle + self.random.choice((-4, -2, -1, 0, 0, 1, 2, 4))

    def _bulk_qty(self, qty: int) -> int:
        least = self.twin.venue.parameters[Parameter.BULK_QTY_MIN]
        if self._chance(0.05):
            return least - 1
        return max(qty, least) if least < 10_000 else qty

    def _offers(self) -> list[Order]:
        return [o for o in self.twin.venue.resting.values() if o.role is Role.OFFER]

    def _talks(self, status: NegotiationStatus) -> list[Negotiation]:
        return [talk for talk in self.twin.venue.negotiations if talk.status is status]

    def _offer_or_talk(self) -> tuple[Order | None, Negotiation | None]:
        """An open offer, and one of its talks if there is any and chance wills."""
        offers = self._offers()
        if not offers:
            return None, None
        talked = [offer for offer in offers if talks_of(self.twin.venue, offer)]
        offer = self.random.choice(talked if talked and self._chance(0.6) else offers)
        talks = talks_of(self.twin.venue, offer)
        return offer, self.random.choice(talks) if talks and self._chance(0.75) else None

    def _by(self, kind: Kind, talk: Negotiation, is_proposer: bool) -> CommandDict:
        """A command of the side that named the latest terms, or of the other one."""
        initiator = talk.offer.account
        by_initiator = (talk.proposer is initiator) is is_proposer
        account = initiator if by_initiator else talk.responder
        towards = talk.responder.number if by_initiator else -1
        return self._command(
            kind, account=account.number, ref=talk.offer.number, counterparty=towards
        )

    def _answer(self, kind: Kind, offer: Order | None, talk: Negotiation | None) -> CommandDict:
        """A command about an offer by somebody it concerns, rarely by somebody else."""
        if offer is None:
            number = self.random.choice((0, 1, self.twin.venue.order_no))
            return self._command(kind, account=self._account(), ref=number, qty_tonnes=1)
        towards = -1
        if talk is not None and self._chance(0.85):
            account = self.random.choice((talk.responder.number, offer.account.number))
            towards = talk.responder.number
        elif offer.counterparty >= 0 and self._chance(0.8):
            account = offer.counterparty
        else:
            account = self._wrong_account()
            towards = self._wrong_account()
        return self._command(kind, account=account, ref=offer.number, counterparty=towards)
