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
BULK = "tests/scenarios/test_bulk.py::"
BIDDING = "tests/scenarios/test_bidding.py::"
CONTROL = "tests/scenarios/test_control.py::"
COMPOSITE = "tests/scenarios/test_composite.py::"
BOOK = "tests/scenarios/test_price_time.py::"
BRAKES = "tests/scenarios/test_safeguards.py::"

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
        "engine/closing.py",
        'row["close_ticks"] = half_up(turnover, qty) if',
        'row["close_ticks"] = row["last_ticks"] if',
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
    Defect(
        "a counter does not lock the offer anew",
        "engine/bulk.py",
        "        lock = _relock(state, talk.row, terms, lock)\n    at =",
        "        lock = 0\n    at =",
        BULK + "test_tr73_a_counter_of_the_initiator_locks_its_offer_anew",
    ),
    Defect(
        "an account agrees with itself",
        "engine/bulk.py",
        " or talk.proposer == talk.me):",
        "):",
        BULK + "test_tr72_only_the_other_side_accepts_and_only_the_proposer_confirms",
    ),
    Defect(
        "old terms are accepted",
        "engine/bulk.py",
        "    if terms != talk.terms:",
        "    if False:",
        BULK + "test_a_counter_races_an_accept",
    ),
    Defect(
        "a directed offer is open to all",
        "engine/bulk.py",
        "if not talk.leads and talk.directed_at not in (PUBLIC, talk.me):",
        "if False:",
        BULK + "test_tr75_a_directed_offer_is_nobody_elses_business",
    ),
    Defect(
        "99,999 tonnes pass as bulk",
        "engine/bulk.py",
        'if qty < state.rules[0]["bulk_qty_min"]',
        'if qty + 1 < state.rules[0]["bulk_qty_min"]',
        BULK + "test_e31_a_bulk_declaration_has_100_000_tonnes",
    ),
    Defect(
        "bulk opens in the morning",
        "engine/bulk.py",
        "_AFTERNOON = (Phase.AFTERNOON,)",
        "_AFTERNOON = (Phase.MORNING, Phase.AFTERNOON)",
        BULK + "test_e32_bulk_opens_at_one",
    ),
    Defect(
        "a short initiator is held",
        "engine/bulk.py",
        "    if not reason and not talk.leads:",
        "    if False:",
        BULK + "test_an_initiator_that_spent_its_goods_elsewhere_cannot_be_held",
    ),
    Defect(
        "the later bid comes first",
        "engine/bidding.py",
        'return sign * int(order["price_ticks"]), int(order["seq"])',
        'return sign * int(order["price_ticks"]), -int(order["seq"])',
        BIDDING + "test_e39_better_prices_first_then_earlier_bids",
    ),
    Defect(
        "pay-as-bid pays one price",
        "engine/bidding.py",
        'own if int(session["pricing"]) == Pricing.PAY_AS_BID else clearing',
        "clearing",
        BIDDING + "test_e39_better_prices_first_then_earlier_bids",
    ),
    Defect(
        "bids pass below the floor",
        "engine/bidding.py",
        "if not least <= price <= most:",
        "if price > most:",
        BIDDING + "test_e38_bids_lie_between_the_floor_and_the_upper_limit",
    ),
    Defect(
        "an applicant bids for its own goods",
        "engine/bidding.py",
        'if int(session["applicant"]) == account:',
        "if False:",
        BIDDING + "test_tr81_no_bid_before_the_window_opens",
    ),
    Defect(
        "a killed account goes on",
        "engine/control.py",
        'state.accounts["blocks"][account] |= int(c["amount"])',
        'state.accounts["blocks"][account] |= 0',
        CONTROL + "test_tr115_killing_an_account_cancels_all_it_has_open",
    ),
    Defect(
        "a void keeps the day's prices",
        "engine/control.py",
        "    _restate_figures(state, instrument)\n",
        "",
        CONTROL + "test_tr121_a_voided_trade_never_was",
    ),
    Defect(
        "a court takes the oldest sale",
        "engine/control.py",
        "for row in reversed(matching_orders(state, account, instrument)):",
        "for row in matching_orders(state, account, instrument):",
        CONTROL + "test_u26_a_court_reaches_into_open_sales_youngest_first",
    ),
    Defect(
        "the threshold is not reported",
        "engine/control.py",
        "np.flatnonzero(tonnes >= threshold)",
        "np.flatnonzero(tonnes > threshold)",
        CONTROL + "test_tr112_large_holders_are_reported_at_the_close",
    ),
    Defect(
        "guarded tonnes are sold",
        "engine/ledger.py",
        'if available - holding["guarded_tonnes"] >= qty:',
        "if available >= qty:",
        CONTROL + "test_tr116_guarded_tonnes_are_not_sold_or_moved_out",
    ),
    Defect(
        "open buys do not count against the limit",
        "engine/ledger.py",
        ' + row["buying_tonnes"] + qty > limit',
        " + qty > limit",
        CONTROL + "test_tr111_an_account_holds_no_more_than_its_limit",
    ),
    Defect(
        "the composite close is no extreme",
        "engine/closing.py",
        'max(int(market["composite_high_sum"]), total)',
        'int(market["composite_high_sum"])',
        COMPOSITE + "test_tr105_the_close_counts_among_the_extremes",
    ),
    Defect(
        "the composite moves without a trade",
        "engine/closing.py",
        'if int(market["composite_open_sum"]) > 0:',
        "if True:",
        COMPOSITE + "test_e29_without_a_trade_the_composite_repeats_its_close",
    ),
    Defect(
        "a mass cancel does not look at the side",
        "engine/control.py",
        "    if side != Side.NONE:",
        "    if False:",
        BRAKES + "test_tr43_only_what_is_named_goes",
    ),
    Defect(
        "a mass cancel forgets the answers",
        "engine/safeguards.py",
        "    end_answers(state, account, instrument, why, outcome, side)\n",
        "",
        BRAKES + "test_tr72_a_responders_answers_end_and_the_offers_stay",
    ),
    Defect(
        "a responder stands on the side of the offer",
        "engine/control.py",
        'matches and side != int(offered["side"])',
        'matches and side in (0, int(offered["side"]))',
        BRAKES + "test_tr72_a_responder_stands_on_the_other_side_of_the_offer",
    ),
    Defect(
        "a slip cancels every vintage",
        "engine/safeguards.py",
        "if instrument != -1 and not d.is_instrument",
        "if instrument >= 0 and not d.is_instrument",
        BRAKES + "test_a_vintage_that_is_none_is_refused",
    ),
    Defect(
        "a timer is due a nanosecond late",
        "engine/safeguards.py",
        'not 0 < due_ns <= int(c["time_ns"])',
        'not 0 < due_ns < int(c["time_ns"])',
        BRAKES + "test_a_timer_runs_out_at_its_nanosecond",
    ),
    Defect(
        "a timer that is not set is due",
        "engine/safeguards.py",
        'not 0 < due_ns <= int(c["time_ns"])',
        'not due_ns <= int(c["time_ns"])',
        BRAKES + "test_a_timer_is_set_anew_and_switched_off",
    ),
    Defect(
        "a timer that ran out stays set",
        "engine/safeguards.py",
        '        row["cancel_at_ns"] = 0\n',
        "        pass\n",
        BRAKES + "test_a_timer_runs_out_at_its_nanosecond",
    ),
    Defect(
        "a timer stands still outside the day",
        "engine/safeguards.py",
        "if cause == Cause.OWNER and state.market",
        "if state.market",
        BRAKES + "test_a_timer_fires_outside_the_day_and_finds_nothing",
    ),
    Defect(
        "a lost line stays armed",
        "engine/safeguards.py",
        '        row["cancel_on_disconnect"] = 0\n',
        "        pass\n",
        BRAKES + "test_a_lost_line_disarms_itself_and_nothing_else",
    ),
    Defect(
        "a mass cancel reaches into published sessions",
        "engine/control.py",
        '    found &= orders["kind"] != Kind.NOTICE_SESSION\n',
        "",
        BRAKES + "test_tr89_bids_go_and_an_applicants_session_stays",
    ),
)
