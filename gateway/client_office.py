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
from gateway.client_line import Line


class OfficeClient(Line):
    """One logged-in connection of a person of an institution."""

    async def notice_session(self, session_no: int, *, opens: str, closes: str) -> r.SessionNoticed:
        """Publish a bidding session with its window of today, HH:MM in Beijing (TR-81)."""
        window = {"opens": opens, "closes": closes}
        report: r.SessionNoticed = await self._say(o.NoticeSession, session_no=session_no, **window)
        return report

    async def reject_session(self, session_no: int) -> r.SessionRejected:
        """End an application, or a session that is not open yet."""
        report: r.SessionRejected = await self._say(o.RejectSession, session_no=session_no)
        return report

    async def block_account(self, account: int, blocks: Iterable[str]) -> r.AccountBlocked:
        """Set what an account may not do; [] lifts (TR-113…116)."""
        report: r.AccountBlocked = await self._say(
            o.BlockAccount, account=account, blocks=[*blocks]
        )
        return report

    async def guard_holding(self, account: int, instrument: str, *, qty: int) -> r.HoldingGuarded:
        """Guard tonnes that are needed for surrender (TR-116)."""
        report: r.HoldingGuarded = await self._say(
            o.GuardHolding, account=account, instrument=instrument, qty_tonnes=qty
        )
        return report

    async def limit_holding(self, account: int, *, qty: int) -> r.HoldingLimited:
        """Limit what an account may hold (TR-111)."""
        report: r.HoldingLimited = await self._say(o.LimitHolding, account=account, qty_tonnes=qty)
        return report

    async def warn_account(self, account: int, stage: int) -> r.AccountWarned:
        """Note a warning (TR-113)."""
        report: r.AccountWarned = await self._say(o.WarnAccount, account=account, stage=stage)
        return report

    async def halt_instrument(self, instrument: str) -> r.Halted:
        """Halt trading in one instrument (TR-117)."""
        report: r.Halted = await self._say(o.HaltInstrument, instrument=instrument)
        return report

    async def resume_instrument(self, instrument: str) -> r.Resumed:
        """Resume trading in one instrument."""
        report: r.Resumed = await self._say(o.ResumeInstrument, instrument=instrument)
        return report

    async def halt_market(self) -> r.Halted:
        """Halt all trading (TR-117)."""
        report: r.Halted = await self._say(o.HaltMarket)
        return report

    async def resume_market(self) -> r.Resumed:
        """Resume trading."""
        report: r.Resumed = await self._say(o.ResumeMarket)
        return report

    async def kill(
        self,
        *,
        account: int | None = None,
        instrument: str | None = None,
        blocks: Iterable[str] | None = None,
    ) -> r.Killed:
        """Cancel every order that matches, then block the account or halt the rest."""
        words = None if blocks is None else [*blocks]
        report: r.Killed = await self._say(
            t.Kill, account=account, instrument=instrument, blocks=words
        )
        return report

    async def admit_instrument(
        self, code: str, *, price: str | None = None, price_ticks: int | None = None
    ) -> r.InstrumentAdmitted:
        """List an instrument before a day begins (TR-04, VM-02)."""
        asked = o.AdmitInstrument(instrument=code, price=price, price_ticks=price_ticks)
        report: r.InstrumentAdmitted = await self._ask(asked)
        return report

    async def propose(self, action: str, **values: Any) -> r.Proposal:
        """Ask for what somebody else has to approve (ST-07); returns it, pending."""
        report: r.Proposal = await self._say(o.Propose, action=action, **values)
        return report

    async def withdraw_proposal(self, proposal_id: int) -> r.Proposal:
        """Take an own proposal back before anybody has decided about it."""
        report: r.Proposal = await self._say(o.WithdrawProposal, proposal_id=proposal_id)
        return report

    async def approve(self, proposal_id: int) -> r.Proposal:
        """Approve somebody else's proposal; its outcome follows as a report to both."""
        report: r.Proposal = await self._say(o.Approve, proposal_id=proposal_id)
        return report

    async def reject_proposal(self, proposal_id: int) -> r.Proposal:
        """Reject somebody else's proposal."""
        report: r.Proposal = await self._say(o.RejectProposal, proposal_id=proposal_id)
        return report

    async def _say(self, kind: Any, **fields: Any) -> Any:
        return await self._ask(kind(client_order_id=self._identity(None), **fields))
