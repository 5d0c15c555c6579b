"""What the private REST pages show of an account, read from the exchange's state and record."""

from __future__ import annotations

import numpy as np

from engine.records import Kind, NegotiationStatus, OrderStatus
from gateway.desk.desk import Desk
from gateway.desk.rare_reports import MODALITIES, block_words
from gateway.desk.reports import CODES, SIDES
from gateway.rest.messages import (
    AccountView,
    HoldingView,
    NegotiationList,
    NegotiationView,
    OrderList,
    OrderView,
    RegistryHolding,
    RegistryView,
    TradeList,
    TradeView,
)
from registry.errors import RegistryError
from registry.institution import Registry

PAGE_MAX = 500
TALKS = {NegotiationStatus.COUNTERED: "countered", NegotiationStatus.AGREED: "agreed"}


def own_orders(desk: Desk, account: int, after: int, only_open: bool) -> OrderList:
    """Return the account's orders of today numbered above ``after``, at most a page."""
    market = desk.exchange.state.market[0]
    base = int(market["order_base"])
    orders = desk.exchange.orders_today()
    mine = orders["account"] == account
    mine[: max(1, after - base + 1)] = False
    if only_open:
        mine &= (orders["status"] == OrderStatus.OPEN) | (
            orders["status"] == OrderStatus.PART_FILLED
        )
    chosen = np.flatnonzero(mine)
    found = [
        OrderView(
            order_no=base + int(row),
            client_order_id=_identity(desk, base + int(row)),
            kind=Kind(int(order["kind"])).name.lower(),
            instrument=desk.codes[int(order["instrument"])],
            side=SIDES[int(order["side"])],
            price_ticks=int(order["price_ticks"]),
            qty_tonnes=int(order["qty_tonnes"]),
            leaves_qty=int(order["leaves_qty"]),
            frozen_fen=int(order["frozen_fen"]),
            status=OrderStatus(int(order["status"])).name.lower(),
            reason=CODES[int(order["reason"])] if order["reason"] else "",
            seq=int(order["seq"]),
            time_us=int(order["time_ns"]) // 1000,
        )
        for row, order in zip(chosen[:PAGE_MAX], orders[chosen[:PAGE_MAX]], strict=True)
    ]
    return OrderList(date=int(market["date"]), orders=found, more=len(chosen) > PAGE_MAX)


def own_trades(desk: Desk, account: int, after: int) -> TradeList:
    """Return the account's trades of today numbered above ``after``, at most a page."""
    market = desk.exchange.state.market[0]
    base = int(market["trade_base"])
    trades = desk.exchange.trades_today()
    mine = (trades["buyer"] == account) | (trades["seller"] == account)
    mine[: max(0, after - base)] = False
    chosen = np.flatnonzero(mine)
    found = []
    for row, trade in zip(chosen[:PAGE_MAX], trades[chosen[:PAGE_MAX]], strict=True):
        side = "buy" if int(trade["buyer"]) == account else "sell"
        order_no = int(trade[f"{side}_order_no"])
        value_fen = int(trade["price_ticks"]) * int(trade["qty_tonnes"])
        found.append(
            TradeView(
                trade_no=base + int(row) + 1,
                order_no=order_no,
                client_order_id=_identity(desk, order_no),
                instrument=desk.codes[int(trade["instrument"])],
                side=side,
                price_ticks=int(trade["price_ticks"]),
                qty_tonnes=int(trade["qty_tonnes"]),
                value_fen=value_fen,
                fee_fen=int(trade[f"{side}_fee_fen"]),
                taker=SIDES[int(trade["taker_side"])] == side,
                modality=MODALITIES[int(trade["modality"])],
                counterparty=int(trade["seller" if side == "buy" else "buyer"]),
                void=bool(trade["void"]),
                seq=int(trade["seq"]),
                time_us=int(trade["time_ns"]) // 1000,
            )
        )
    return TradeList(date=int(market["date"]), trades=found, more=len(chosen) > PAGE_MAX)


HELD = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes", "judicial_tonnes")


def own_account(desk: Desk, account: int) -> AccountView:
    """Return the account's cash and holdings; vintages it has nothing of are left out."""
    state = desk.exchange.state
    row = state.accounts[account]
    available, proceeds = int(row["cash_available_fen"]), int(row["proceeds_today_fen"])
    held = [
        HoldingView(
            instrument=code,
            available_tonnes=int(holding["available_tonnes"]),
            frozen_tonnes=int(holding["frozen_tonnes"]),
            bought_today_tonnes=int(holding["bought_today_tonnes"]),
            guarded_tonnes=int(holding["guarded_tonnes"]),
            judicial_tonnes=int(holding["judicial_tonnes"]),
        )
        for code, holding in zip(desk.codes, state.holdings[account], strict=False)
        if any(int(holding[part]) for part in HELD)
    ]
    return AccountView(
        account=account,
        cash_available_fen=available,
        cash_frozen_fen=int(row["cash_frozen_fen"]),
        proceeds_today_fen=proceeds,
        withdrawable_fen=max(0, available - proceeds),
        open_orders=int(row["open_orders"]),
        blocks=block_words(int(row["blocks"])),
        holdings=held,
    )


def registry_side(registry: Registry, account: int) -> RegistryView | None:
    """Return what the registry has of the account; None while it does not answer. Blocks."""
    try:
        found = registry.balances(account)
    except RegistryError:
        return None
    return RegistryView(
        cash_fen=found.cash_fen,
        cash_in_transit_fen=found.cash_in_transit_fen,
        holdings=[
            RegistryHolding(
                instrument=code,
                available_tonnes=parts.registry_available,
                in_transit_tonnes=parts.in_transit,
                judicial_tonnes=parts.judicial,
                trading_tonnes=parts.trading_available + parts.trading_judicial,
            )
            for code, parts in found.holdings.items()
        ],
    )


def own_negotiations(desk: Desk, account: int) -> NegotiationList:
    """Return the account's open bulk negotiations and offers directed at it (TR-72, TR-75)."""
    state = desk.exchange.state
    market = state.market[0]
    base, found = int(market["order_base"]), []
    for talk in state.negotiations[: int(market["negotiations"])]:
        offer = state.orders[int(talk["offer_row"])]
        initiator, responder = int(offer["account"]), int(talk["responder"])
        if account not in (initiator, responder) or int(talk["status"]) not in TALKS:
            continue
        found.append(
            NegotiationView(
                order_no=base + int(talk["offer_row"]),
                instrument=desk.codes[int(offer["instrument"])],
                side=SIDES[int(offer["side"])],
                price_ticks=int(talk["price_ticks"]),
                qty_tonnes=int(talk["qty_tonnes"]),
                status=TALKS[NegotiationStatus(int(talk["status"]))],
                initiator=account == initiator,
                counterparty=responder if account == initiator else initiator,
                your_terms=int(talk["proposer"]) == account,
            )
        )
    orders = desk.exchange.orders_today()
    directed = (orders["kind"] == Kind.BULK_OFFER) & (orders["status"] == OrderStatus.OPEN)
    for row in np.flatnonzero(directed & (orders["counterparty"] == account)).tolist():
        if any(each.order_no == base + row for each in found):
            continue
        offer = orders[row]
        found.append(
            NegotiationView(
                order_no=base + row,
                instrument=desk.codes[int(offer["instrument"])],
                side=SIDES[int(offer["side"])],
                price_ticks=int(offer["price_ticks"]),
                qty_tonnes=int(offer["qty_tonnes"]),
                status="offered",
                initiator=False,
                counterparty=int(offer["account"]),
                your_terms=False,
            )
        )
    return NegotiationList(date=int(market["date"]), negotiations=found)


def _identity(desk: Desk, order_no: int) -> str:
    return desk.record.order_identity(order_no)
