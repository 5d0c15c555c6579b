"""A client for people of the institutions: measures, bidding sessions, what two people decide.

async with OfficeClient("ws://127.0.0.1:8000", key_id, secret) as operator:
    await operator.halt_instrument("CEA25")
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway import office_messages as o
from gateway import rare_messages as r
from gateway import trader_messages as t
from gateway.client.line import Line


class OfficeClient(Line):
    """One logged-in connection of a person of an institution."""

    async def notice_session(self, session_no: int, *, opens: str, closes: str) -> r.SessionNoticed:
        """Publish a bidding session with its window of today, HH:MM in Beijing (TR-81)."""
        window = {"opens": opens, "closes": closes}
        return await self._ask(r.SessionNoticed, o.NoticeSession, window, session_no=session_no)

    async def reject_session(self, session_no: int) -> r.SessionRejected:
        """End an application, or a session that is not open yet."""
        return await self._ask(r.SessionRejected, o.RejectSession, {}, session_no=session_no)

    async def block_account(self, account: int, blocks: Iterable[str]) -> r.AccountBlocked:
        """Set what an account may not do; [] lifts (TR-113…116)."""
        words = {"blocks": [*blocks]}
        return await self._ask(r.AccountBlocked, o.BlockAccount, words, account=account)

    async def guard_holding(self, account: int, instrument: str, *, qty: int) -> r.HoldingGuarded:
        """Guard tonnes that are needed for surrender (TR-116)."""
        whose = {"account": account, "instrument": instrument}
        return await self._ask(r.HoldingGuarded, o.GuardHolding, whose, qty=qty)

    async def limit_holding(self, account: int, *, qty: int) -> r.HoldingLimited:
        """Limit what an account may hold (TR-111)."""
        return await self._ask(r.HoldingLimited, o.LimitHolding, {}, account=account, qty=qty)

    async def warn_account(self, account: int, stage: int) -> r.AccountWarned:
        """Note a warning (TR-113)."""
        return await self._ask(r.AccountWarned, o.WarnAccount, {}, account=account, stage=stage)

    async def halt_instrument(self, instrument: str) -> r.Halted:
        """Halt trading in one instrument (TR-117)."""
        return await self._ask(r.Halted, o.HaltInstrument, {}, instrument=instrument)

    async def resume_instrument(self, instrument: str) -> r.Resumed:
        """Resume trading in one instrument."""
        return await self._ask(r.Resumed, o.ResumeInstrument, {}, instrument=instrument)

    async def halt_market(self) -> r.Halted:
        """Halt all trading (TR-117)."""
        return await self._ask(r.Halted, o.HaltMarket, {})

    async def resume_market(self) -> r.Resumed:
        """Resume trading."""
        return await self._ask(r.Resumed, o.ResumeMarket, {})

    async def kill(
        self,
        *,
        account: int | None = None,
        instrument: str | None = None,
        blocks: Iterable[str] | None = None,
    ) -> r.Killed:
        """Cancel every order that matches, then block the account or halt the rest."""
        words = None if blocks is None else [*blocks]
        whom = {"account": account, "instrument": instrument}
        return await self._ask(r.Killed, t.Kill, whom, blocks=words)

    async def admit_instrument(
        self, code: str, *, price: str | None = None, price_ticks: int | None = None
    ) -> r.InstrumentAdmitted:
        """List an instrument before a day begins (TR-04, VM-02)."""
        asked = o.AdmitInstrument(instrument=code, price=price, price_ticks=price_ticks)
        report = await self._outcome(asked)
        assert isinstance(report, r.InstrumentAdmitted), f"answered by {report}"
        return report

    async def propose(self, action: str, **values: Any) -> r.Proposal:
        """Ask for what somebody else has to approve (ST-07); returns it, pending."""
        return await self._ask(r.Proposal, o.Propose, values, action=action)

    async def withdraw_proposal(self, proposal_id: int) -> r.Proposal:
        """Take an own proposal back before anybody has decided about it."""
        return await self._ask(r.Proposal, o.WithdrawProposal, {}, proposal_id=proposal_id)

    async def approve(self, proposal_id: int) -> r.Proposal:
        """Approve somebody else's proposal; its outcome follows as a report to both."""
        return await self._ask(r.Proposal, o.Approve, {}, proposal_id=proposal_id)

    async def reject_proposal(self, proposal_id: int) -> r.Proposal:
        """Reject somebody else's proposal."""
        return await self._ask(r.Proposal, o.RejectProposal, {}, proposal_id=proposal_id)
