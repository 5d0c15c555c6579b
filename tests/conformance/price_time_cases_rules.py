"""Cases of this market's rules: limits, sizes, own orders, money, goods, several instruments."""

from __future__ import annotations

from tests.conformance.price_time_language import case

BOUNDS = (
    case(
        "limit_prices_are_inside",
        "Orders at the day's upper and lower limit are good and trade (TR-20, TR-23).",
        """
        a: A sells 10 @ 88.00 | accepted a rests 10           |            | 10/1@88.00
        b: B buys 10 @ 72.00  | accepted b rests 10           | 10/1@72.00 | "
        c: C buys 5 @ 88.00   | accepted c rests 0            | "          | 5/1@88.00
                              | trade a 5 @ 88.00 leaves 0/5
        d: D sells 15 @ 72.00 | accepted d rests 5            |            | 5/1@72.00 5/1@88.00
                              | trade b 10 @ 72.00 leaves 5/0
        """,
    ),
    case(
        "outside_the_limits_refused",
        "One tick outside the day's limits is refused and nothing changes (TR-26).",
        """
        a: A sells 10 @ 80.00   | accepted a rests 10       |  | 10/1@80.00
        B buys 10 @ 88.01       | refused price_out_of_band |  | "
        B sells 10 @ 71.99      | refused price_out_of_band |  | "
        B buys 10 @ 0.00        | refused price_invalid     |  | "
        B buys 10 @ -80.00      | refused price_invalid     |  | "
        A amends a to 5 @ 71.99 | refused price_out_of_band |  | "
        """,
    ),
    case(
        "rounded_limits",
        "Limits are rounded half up to a tick: 55.52 has its limits at 49.97 and 61.07 (TR-23).",
        """
        A buys 1 @ 61.08     | refused price_out_of_band    |           |
        a: A buys 1 @ 61.07  | accepted a rests 1           | 1/1@61.07 |
        B sells 1 @ 49.96    | refused price_out_of_band    | "         |
        b: B sells 1 @ 49.97 | accepted b rests 0           |           |
                             | trade a 1 @ 61.07 leaves 0/0
        """,
        reference_ticks=5_552,
    ),
    case(
        "lowest_tick",
        "A book works at the lowest prices there are: one tick, and nothing below (TR-10).",
        """
        a: A buys 10 @ 0.01  | accepted a rests 10          | 10/1@0.01           |
        b: B buys 10 @ 0.02  | accepted b rests 10          | 10/1@0.02 10/1@0.01 |
        B buys 10 @ 0.00     | refused price_invalid        | "                   |
        c: C sells 15 @ 0.01 | accepted c rests 0           | 5/1@0.01            |
                             | trade b 10 @ 0.02 leaves 5/0
                             | trade a 5 @ 0.01 leaves 0/5
        d: D sells 9 @ 0.01  | accepted d rests 4           |                     | 4/1@0.01
                             | trade a 5 @ 0.01 leaves 4/0
        """,
        reference_ticks=10,
        band_bp=9_999,
    ),
    case(
        "one_price_only",
        "When both limits are the same price, everybody meets there, oldest first.",
        """
        a: A sells 10 @ 0.04 | accepted a rests 10           |          | 10/1@0.04
        b: B sells 10 @ 0.04 | accepted b rests 10           |          | 20/2@0.04
        A buys 10 @ 0.05     | refused price_out_of_band     |          | "
        c: C buys 25 @ 0.04  | accepted c rests 5            | 5/1@0.04 |
                             | trade a 10 @ 0.04 leaves 15/0
                             | trade b 10 @ 0.04 leaves 5/0
        """,
        reference_ticks=4,
    ),
    case(
        "largest_declaration",
        "99,999 t are taken and can be filled in one deal; 100,000 t are refused (TR-11).",
        """
        a: A sells 99999 @ 80.00     | accepted a rests 99999           |  | 99999/1@80.00
        B buys 100000 @ 80.00        | refused qty_above_max            |  | "
        B buys 0 @ 80.00             | refused qty_invalid              |  | "
        B buys -5 @ 80.00            | refused qty_invalid              |  | "
        A amends a to 100000 @ 80.00 | refused qty_above_max            |  | "
        b: B buys 99999 @ 80.00      | accepted b rests 0               |  |
                                     | trade a 99999 @ 80.00 leaves 0/0
        """,
    ),
    case(
        "full_number_of_open_orders",
        """An account at its number of open orders has no room, not even for what would trade at
        once; a fill or a cancellation makes room.""",
        """
        a: A buys 1 @ 79.00     | accepted a rests 1           | 1/1@79.00 |
        b: A buys 1 @ 79.00     | accepted b rests 1           | 2/2@79.00 |
        c: A sells 1 @ 81.00    | accepted c rests 1           | 2/2@79.00 | 1/1@81.00
        A buys 1 @ 79.00        | refused too_many_open_orders | "         | "
        d: B sells 2 @ 79.50    | accepted d rests 2           | "         | 2/1@79.50 1/1@81.00
        A buys 1 @ 79.50        | refused too_many_open_orders | "         | "
        A cancels b             | cancelled b 1                | 1/1@79.00 | "
        e: A buys 1 @ 79.50     | accepted e rests 0           | "         | 1/1@79.50 1/1@81.00
                                | trade d 1 @ 79.50 leaves 0/1
        f: A buys 1 @ 79.00     | accepted f rests 1           | 2/2@79.00 | "
        A buys 1 @ 79.00        | refused too_many_open_orders | "         | "
        g: C sells 1 @ 79.00    | accepted g rests 0           | 1/1@79.00 | "
                                | trade a 1 @ 79.00 leaves 0/0
        h: A buys 1 @ 79.00     | accepted h rests 1           | 2/2@79.00 | "
        A amends h to 3 @ 79.00 | amended h 1 to 3 rests 3     | 4/2@79.00 | "
        """,
        open_orders_max=3,
    ),
)

OWN_ORDERS = (
    case(
        "own_order_first_in_the_way",
        "An incoming order never trades with its own account: at its own order it ends (TR-50).",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10   |  | 10/1@80.00
        b: A buys 10 @ 80.00  | accepted b rests 0    |  | "
                              | stopped b 10
        A cancels b           | refused unknown_order |  | "
        """,
    ),
    case(
        "stops_at_own_after_others",
        "It trades with whom comes before its own order, and the rest neither trades nor rests.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10            |  | 10/1@80.00
        b: B sells 10 @ 80.00 | accepted b rests 10            |  | 20/2@80.00
        c: C sells 10 @ 80.00 | accepted c rests 10            |  | 30/3@80.00
        d: B buys 25 @ 80.00  | accepted d rests 0             |  | 20/2@80.00
                              | trade a 10 @ 80.00 leaves 15/0
                              | stopped d 15
        """,
    ),
    case(
        "own_order_beyond_the_limit",
        "An own order beyond the incoming order's price does not stop it: both rest.",
        """
        a: A sells 10 @ 80.10 | accepted a rests 10           |           | 10/1@80.10
        b: B sells 10 @ 80.00 | accepted b rests 10           |           | 10/1@80.00 10/1@80.10
        c: A buys 15 @ 80.05  | accepted c rests 5            | 5/1@80.05 | 10/1@80.10
                              | trade b 10 @ 80.00 leaves 5/0
        """,
    ),
    case(
        "filled_before_its_own",
        "Who is filled before the own order's turn is filled like any other.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |  | 10/1@80.00
        b: B sells 10 @ 80.00 | accepted b rests 10           |  | 20/2@80.00
        c: B buys 10 @ 80.00  | accepted c rests 0            |  | 10/1@80.00
                              | trade a 10 @ 80.00 leaves 0/0
        """,
    ),
)

MEANS = (
    case(
        "improvement_is_free_again",
        "A buyer who gets a better price than his own has the difference back at once (TR-42).",
        """
        a: B sells 10 @ 80.00   | accepted a rests 10           |           | 10/1@80.00
        b: A buys 10 @ 81.00    | accepted b rests 0            |           |
                                | trade a 10 @ 80.00 leaves 0/0
        A buys 1 @ 80.01        | refused insufficient_funds    |           |
        c: A buys 1 @ 80.00     | accepted c rests 1            | 1/1@80.00 |
        A amends c to 1 @ 80.01 | refused insufficient_funds    | 1/1@80.00 |
        """,
        means={0: (88_000, 0)},
    ),
    case(
        "a_lock_comes_back",
        "What an open order froze is free after its cancellation or reduction, not before (TR-43).",
        """
        a: A buys 10 @ 80.00    | accepted a rests 10        | 10/1@80.00 |
        A buys 1 @ 80.00        | refused insufficient_funds | "          |
        A amends a to 9 @ 80.00 | amended a 10 to 9 rests 9  | 9/1@80.00  |
        b: A buys 1 @ 80.00     | accepted b rests 1         | 10/2@80.00 |
        A cancels a             | cancelled a 9              | 1/1@80.00  |
        c: A buys 9 @ 80.00     | accepted c rests 9         | 10/2@80.00 |
        A buys 1 @ 72.00        | refused insufficient_funds | "          |
        """,
        means={0: (80_000, 0)},
    ),
    case(
        "not_more_than_held",
        "A seller covers every tonne; what is on sale already covers nothing else (TR-40).",
        """
        A sells 11 @ 80.00      | refused insufficient_holding |  |
        a: A sells 6 @ 80.00    | accepted a rests 6           |  | 6/1@80.00
        A sells 5 @ 81.00       | refused insufficient_holding |  | "
        b: A sells 4 @ 81.00    | accepted b rests 4           |  | 6/1@80.00 4/1@81.00
        A amends b to 5 @ 81.00 | refused insufficient_holding |  | "
        A amends a to 2 @ 80.00 | amended a 6 to 2 rests 2     |  | 2/1@80.00 4/1@81.00
        A amends b to 8 @ 81.00 | amended b 4 to 8 rests 8     |  | 2/1@80.00 8/1@81.00
        """,
        means={0: (0, 10)},
    ),
    case(
        "bought_today_is_not_sold_today",
        "What was bought today is not for sale today; what was held before is (TR-47, TR-49).",
        """
        a: B sells 10 @ 80.00   | accepted a rests 10           |  | 10/1@80.00
        b: A buys 10 @ 80.00    | accepted b rests 0            |  |
                                | trade a 10 @ 80.00 leaves 0/0
        A sells 6 @ 80.00       | refused holding_bought_today  |  |
        c: A sells 5 @ 80.00    | accepted c rests 5            |  | 5/1@80.00
        A amends c to 6 @ 80.00 | refused holding_bought_today  |  | "
        A sells 11 @ 80.00      | refused insufficient_holding  |  | "
        """,
        means={0: (10**6, 5)},
    ),
    case(
        "proceeds_buy_at_once",
        "What a sale brings can be spent on the same day (TR-48).",
        """
        a: B buys 10 @ 80.00 | accepted a rests 10          | 10/1@80.00 |
        A buys 1 @ 80.00     | refused insufficient_funds   | "          |
        b: A sells 4 @ 80.00 | accepted b rests 0           | 6/1@80.00  |
                             | trade a 4 @ 80.00 leaves 0/6
        c: A buys 4 @ 80.00  | accepted c rests 4           | 10/2@80.00 |
        A buys 1 @ 72.00     | refused insufficient_funds   | "          |
        """,
        means={0: (0, 10)},
    ),
    case(
        "refused_order_takes_no_place",
        "A refused order has no place and no lock: the next one is served as if it had not been.",
        """
        a: B sells 10 @ 80.00 | accepted a rests 10           |  | 10/1@80.00
        A buys 11 @ 80.00     | refused insufficient_funds    |  | "
        b: A buys 10 @ 80.00  | accepted b rests 0            |  |
                              | trade a 10 @ 80.00 leaves 0/0
        """,
        means={0: (80_000, 0)},
    ),
)

FEES = (
    case(
        "a_lock_covers_the_fee",
        "What a lock set aside for its fee and did not need comes back (TR-41, TR-132).",
        """
        a: A buys 2 @ 80.00  | accepted a rests 2           | 2/1@80.00 |
        A buys 1 @ 72.01     | refused insufficient_funds   | "         |
        b: B sells 1 @ 80.00 | accepted b rests 0           | 1/1@80.00 |
                             | trade a 1 @ 80.00 leaves 0/1
        c: C sells 1 @ 80.00 | accepted c rests 0           |           |
                             | trade a 1 @ 80.00 leaves 0/0
        A buys 1 @ 72.02     | refused insufficient_funds   |           |
        d: A buys 1 @ 72.01  | accepted d rests 1           | 1/1@72.01 |
        """,
        fee_ppm=50,
        means={0: (23_201, 0)},
    ),
    case(
        "fees_stay_within_the_lock",
        """Fees are rounded deal by deal; however they add up, a buyer never pays more than was
        frozen, as the older or the younger side.""",
        """
        a: A buys 2 @ 80.00  | accepted a rests 2           | 2/1@80.00 |
        b: B sells 1 @ 80.00 | accepted b rests 0           | 1/1@80.00 |
                             | trade a 1 @ 80.00 leaves 0/1
        c: C sells 1 @ 80.00 | accepted c rests 0           |           |
                             | trade a 1 @ 80.00 leaves 0/0
        A buys 1 @ 72.00     | refused insufficient_funds   |           |
        d: B sells 1 @ 80.00 | accepted d rests 1           |           | 1/1@80.00
        e: C sells 1 @ 80.00 | accepted e rests 1           |           | 2/2@80.00
        D buys 2 @ 80.01     | refused insufficient_funds   |           | "
        f: D buys 2 @ 80.00  | accepted f rests 0           |           |
                             | trade d 1 @ 80.00 leaves 1/0
                             | trade e 1 @ 80.00 leaves 0/0
        """,
        fee_ppm=70,
        means={0: (16_001, 0), 3: (16_001, 0)},
    ),
    case(
        "an_amended_lock_covers_the_fee",
        "An amendment's lock is computed afresh, with its fee, and improvement frees its fee too.",
        """
        a: A buys 10 @ 80.00     | accepted a rests 10           | 10/1@80.00 |
        A amends a to 11 @ 80.00 | refused insufficient_funds    | "          |
        A amends a to 10 @ 80.50 | amended a 10 to 10 rests 10   | 10/1@80.50 |
        A amends a to 10 @ 80.51 | refused insufficient_funds    | "          |
        b: B sells 10 @ 79.00    | accepted b rests 0            |            |
                                 | trade a 10 @ 80.50 leaves 0/0
        c: C sells 4 @ 80.00     | accepted c rests 4            |            | 4/1@80.00
        d: D buys 9 @ 80.50      | accepted d rests 5            | 5/1@80.50  |
                                 | trade c 4 @ 80.00 leaves 5/0
        D cancels d              | cancelled d 5                 |            |
        """,
        fee_ppm=10_000,
        means={0: (81_305, 0)},
    ),
)

INSTRUMENTS = (
    case(
        "instruments_do_not_leak",
        "Two instruments share accounts and money, never a book.",
        """
        a: A sells 10 @ 80.00      | accepted a rests 10           |             | 10/1@80.00
        b: B sells 10 @ 80.00 on Y | accepted b rests 10           |             | 10/1@80.00 Y
                                   |                               |             | 10/1@80.00
        c: C buys 15 @ 80.00 on Y  | accepted c rests 5            | Y 5/1@80.00 | 10/1@80.00
                                   | trade b 10 @ 80.00 leaves 5/0
        d: D sells 3 @ 80.00       | accepted d rests 3            | Y 5/1@80.00 | 13/2@80.00
        C cancels c                | cancelled c 5                 |             | 13/2@80.00
        e: E buys 12 @ 80.00       | accepted e rests 0            |             | 1/1@80.00
                                   | trade a 10 @ 80.00 leaves 2/0
                                   | trade d 2 @ 80.00 leaves 0/1
        """,
        instruments=2,
    ),
    case(
        "money_is_shared_goods_are_not",
        "Cash frozen in one instrument is missing in the other; tonnes do not cover the other.",
        """
        a: A buys 10 @ 80.00       | accepted a rests 10          | 10/1@80.00 |
        A buys 1 @ 72.00 on Y      | refused insufficient_funds   | "          |
        b: A sells 10 @ 81.00 on Y | accepted b rests 10          | "          | Y 10/1@81.00
        A sells 1 @ 82.00 on Y     | refused insufficient_holding | "          | "
        c: A sells 10 @ 82.00      | accepted c rests 10          | "          | 10/1@82.00 Y
                                   |                              |            | 10/1@81.00
        """,
        instruments=2,
        means={0: (80_000, 10)},
    ),
)
