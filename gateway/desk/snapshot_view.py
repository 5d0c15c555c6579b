"""An account's whole state in one message, with the number of the report it includes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.records import Kind, OrderStatus, Parameter, Phase
from gateway.desk.rare_reports import SIDES
from gateway.wire import messages as m

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

HELD = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes", "judicial_tonnes")


def account_snapshot(desk: Desk, session: Session) -> m.Snapshot:
    """Return what the session's account has now; an institution has nothing."""
    market, account = desk.exchange.state.market[0], session.account
    state = desk.exchange.state
    known = 0 <= account < int(market["accounts"])
    row = state.accounts[account] if known else np.zeros(1, state.accounts.dtype)[0]
    return m.Snapshot(
        account=account,
        date=int(market["date"]),
        phase=Phase(int(market["phase"])).name.lower(),
        seq=desk.exchange.seq,
        report_seq=desk.record.report_seq(session.owner),
        time_us=desk.now_us(),
        cash_available_fen=int(row["cash_available_fen"]),
        cash_frozen_fen=int(row["cash_frozen_fen"]),
        cancel_on_disconnect=bool(row["cancel_on_disconnect"]),
        cancel_at_us=int(row["cancel_at_ns"]) // 1000,
        holdings=_holdings(desk, account) if known else [],
        orders=_open_orders(desk, account),
    )


def _holdings(desk: Desk, account: int) -> list[m.HoldingNow]:
    rows = desk.exchange.state.holdings[account]
    return [
        m.HoldingNow(code, *(int(row[part]) for part in HELD))
        for code, row in zip(desk.codes, rows, strict=False)
        if any(int(row[part]) for part in HELD)
    ]


def open_rows(desk: Desk, account: int) -> np.ndarray:
    """Return today's rows of the account's open orders, by number."""
    orders = desk.exchange.orders_today()
    standing = (orders["status"] == OrderStatus.OPEN) | (
        orders["status"] == OrderStatus.PART_FILLED
    )
    return np.flatnonzero(standing & (orders["account"] == account))


def _open_orders(desk: Desk, account: int) -> list[m.OrderNow]:
    base = int(desk.exchange.state.market[0]["order_base"])
    rows = open_rows(desk, account)
    return [
        m.OrderNow(
            order_no=base + row,
            client_order_id=desk.record.order_identity(base + row),
            kind=Kind(int(order["kind"])).name.lower(),
            instrument=desk.codes[int(order["instrument"])],
            side=SIDES[int(order["side"])],
            price_ticks=int(order["price_ticks"]),
            qty_tonnes=int(order["qty_tonnes"]),
            leaves_qty=int(order["leaves_qty"]),
        )
        for row, order in zip(rows.tolist(), desk.exchange.orders_today()[rows], strict=True)
    ]


def limits_now(desk: Desk, session: Session) -> m.LimitsNow:
    """Return the session's bounds and what is left of them (0: no bound)."""
    limits, state = desk.limits, desk.exchange.state
    left = session.meter.left
    known = 0 <= session.account < int(state.market[0]["accounts"])
    row = session.account
    return m.LimitsNow(
        orders_per_second=limits.orders_per_second,
        orders_burst=limits.orders_burst if limits.orders_per_second else 0,
        orders_left=int(left) if limits.orders_per_second else 0,
        questions_per_second=limits.questions_per_second,
        questions_burst=limits.questions_burst if limits.questions_per_second else 0,
        lines_per_account_max=limits.lines_per_account_max,
        open_orders_max=int(state.rules[0][Parameter.OPEN_ORDERS_MAX.name.lower()]),
        open_orders=int(state.accounts[row]["open_orders"]) if known else 0,
        frame_bytes_max=m.FRAME_BYTES_MAX,
        frame_messages_max=m.MESSAGES_MAX,
    )
