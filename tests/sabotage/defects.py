"""The defects: one replacement in one file, and the test that has to notice.

``before`` must occur exactly once in the file, so that a defect cannot silently miss its target
when the code moves. The tests run uncompiled (NUMBA_DISABLE_JIT), which makes a defect cost about
a second instead of a compilation.
"""

from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """What is broken, where, how, and who has to notice."""

    name: str
    file: str
    before: str
    after: str
    test: str


LISTED = "tests/scenarios/test_listed_trading.py::"
MONEY = "tests/scenarios/test_money_and_holdings.py::"
PRICES = "tests/scenarios/test_prices.py::"
DAY = "tests/scenarios/test_day.py::"
BOOK = "tests/scenarios/test_price_time.py::"

DEFECTS = (
    Defect(
        "price priority is not enforced",
        "engine/listed.py",
        "return _BETTER if foreign else 0",
        "return 0",
        LISTED + "test_e01_the_better_price_comes_first",
    ),
    Defect(
        "own listings stand in the way",
        "engine/listed.py",
        'while row != 0 and a.orders[row]["account"] == account:',
        "while False:",
        LISTED + "test_e01_own_listings_do_not_stand_in_the_way",
    ),
    Defect(
        "six levels are within reach",
        "engine/listed.py",
        'if passed >= a.rules[0]["take_levels_max"]:',
        'if passed > a.rules[0]["take_levels_max"]:',
        LISTED + "test_e05_the_sixth_level_is_out_of_reach",
    ),
    Defect(
        "a listing may cross",
        "engine/listed.py",
        "        return _WOULD_CROSS",
        "        pass",
        LISTED + "test_e22_a_listing_may_not_cross",
    ),
    Defect(
        "a take may exceed what is left",
        "engine/listed.py",
        'if c["qty_tonnes"] > listing["leaves_qty"]:',
        "if False:",
        LISTED + "test_e04_more_than_the_listing_has_is_refused",
    ),
    Defect(
        "the legs of a sweep are not summed",
        "engine/orders.py",
        "if max(qty, total) > ",
        "if qty > ",
        LISTED + "test_tr66_the_sum_of_the_legs_counts",
    ),
    Defect(
        "anybody cancels",
        "engine/price_time.py",
        'elif row == 0 or a.orders[row]["account"] != c["account"]:',
        "elif row == 0:",
        LISTED + "test_nobody_cancels_for_somebody_else",
    ),
    Defect(
        "100,000 tonnes pass as listed",
        "engine/orders.py",
        '> a.rules[0]["listed_qty_max"]',
        '> a.rules[0]["listed_qty_max"] + 1',
        LISTED + "test_e07_a_declaration_stays_below_100_000_tonnes",
    ),
    Defect(
        "goods bought today can be sold",
        "engine/ledger.py",
        'target["bought_today_tonnes"] += qty',
        'target["available_tonnes"] += qty',
        MONEY + "test_e14_what_was_bought_today_is_not_sold_today",
    ),
    Defect(
        "proceeds can be withdrawn at once",
        "engine/accounts.py",
        'if row["cash_available_fen"] - row["proceeds_today_fen"] < amount:',
        "if False:",
        MONEY + "test_e15_proceeds_trade_today_and_leave_tomorrow",
    ),
    Defect(
        "a listing does not freeze the money",
        "engine/ledger.py",
        'account["cash_available_fen"] -= lock',
        'account["cash_available_fen"] -= 0',
        MONEY + "test_e16_locked_money_does_not_buy_twice",
    ),
    Defect(
        "a cancel keeps the lock",
        "engine/ledger.py",
        'account["cash_available_fen"] += lock',
        'account["cash_available_fen"] += 0',
        MONEY + "test_tr43_a_cancel_releases_what_is_open",
    ),
    Defect(
        "the close lapses nothing",
        "engine/day.py",
        'orders["status"][rows] = OrderStatus.LAPSED',
        'orders["status"][rows] = OrderStatus.OPEN',
        MONEY + "test_e17_what_is_open_at_the_close_lapses",
    ),
    Defect(
        "self-trades pass",
        "engine/listed.py",
        'if listing["account"] == account:',
        "if False:",
        MONEY + "test_tr50_nobody_trades_with_himself",
    ),
    Defect(
        "fees are rounded down",
        "engine/units.py",
        "return value // PPM * ppm + half_up_kernel(value % PPM * ppm, PPM)",
        "return value * ppm // PPM",
        MONEY + "test_tr132_each_component_is_rounded_half_up",
    ),
    Defect(
        "price limits are rounded down",
        "engine/units.py",
        "upper = half_up(reference_ticks * (BP + band_bp), BP)",
        "upper = reference_ticks * (BP + band_bp) // BP + 1",
        PRICES + "test_e09_the_upper_limit_is_rounded_half_up",
    ),
    Defect(
        "the close is the last price",
        "engine/day.py",
        'row["close_ticks"] = half_up(turnover, qty)',
        'row["close_ticks"] = row["last_ticks"]',
        PRICES + "test_e26_the_last_trade_is_not_the_close",
    ),
    Defect(
        "the low never falls",
        "engine/orders.py",
        'figures["low_ticks"] = min(figures["low_ticks"], price_ticks)',
        'figures["low_ticks"] = figures["low_ticks"] + 0',
        PRICES + "test_tr101_open_high_low_and_last_follow_the_trades",
    ),
    Defect(
        "a disputed day lets the next begin",
        "engine/day.py",
        "        return outcome.refuse(Reason.DAY_UNCONFIRMED)",
        "        phase = Phase.POSTED",
        DAY + "test_st17_a_disputed_day_blocks_the_next",
    ),
    Defect(
        "the market opens on make-up Saturdays",
        "engine/calendar.py",
        "date.weekday() < 5",
        "date.weekday() < 6",
        DAY + "test_e21_days_without_trading_do_not_begin",
    ),
    Defect(
        "a registry instruction is done twice",
        "engine/accounts.py",
        'return 0 < int(c["ref"]) <= int(state.market[0]["instruction_no"])',
        "return False",
        DAY + "test_in02_a_registry_instruction_is_done_once",
    ),
    Defect(
        "the youngest order of a level is served first",
        "engine/price_time.py",
        'resting = a.levels[book * a.width + rank]["head"]',
        'resting = a.levels[book * a.width + rank]["tail"]',
        BOOK + "test_best_price_first_then_oldest",
    ),
    Defect(
        "an amended order keeps its place at a new price",
        "engine/price_time.py",
        'stays = price == order["price_ticks"] and qty <= order["qty_tonnes"]',
        'stays = qty <= order["qty_tonnes"]',
        BOOK + "test_more_or_another_price_queues_last",
    ),
    Defect(
        "an incoming order meets its own",
        "engine/price_time.py",
        'if a.orders[resting]["account"] == order["account"]:',
        "if False:",
        BOOK + "test_an_incoming_order_stops_at_its_own",
    ),
)
