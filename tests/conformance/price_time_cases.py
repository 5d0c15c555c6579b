"""Cases of the book itself: queues, sweeps, levels, cancellations."""

from __future__ import annotations

from tests.conformance.price_time_language import case

QUEUES = (
    case(
        "cancel_middle_then_sweep",
        """An order cancelled in the middle of a level is passed over; those behind it are not
        lost and keep their order.""",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10            |  | 10/1@80.00
        b: B sells 20 @ 80.00 | accepted b rests 20            |  | 30/2@80.00
        c: C sells 30 @ 80.00 | accepted c rests 30            |  | 60/3@80.00
        B cancels b           | cancelled b 20                 |  | 40/2@80.00
        d: D buys 35 @ 80.00  | accepted d rests 0             |  | 5/1@80.00
                              | trade a 10 @ 80.00 leaves 25/0
                              | trade c 25 @ 80.00 leaves 0/5
        """,
    ),
    case(
        "cancel_head_then_sweep",
        "When the oldest order of a level is cancelled, the next one is first.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |  | 10/1@80.00
        b: B sells 20 @ 80.00 | accepted b rests 20           |  | 30/2@80.00
        c: C sells 30 @ 80.00 | accepted c rests 30           |  | 60/3@80.00
        A cancels a           | cancelled a 10                |  | 50/2@80.00
        d: D buys 25 @ 80.00  | accepted d rests 0            |  | 25/1@80.00
                              | trade b 20 @ 80.00 leaves 5/0
                              | trade c 5 @ 80.00 leaves 0/25
        """,
    ),
    case(
        "cancel_tail_then_add",
        "When the youngest order of a level is cancelled, the next to come queues behind the rest.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |  | 10/1@80.00
        b: B sells 20 @ 80.00 | accepted b rests 20           |  | 30/2@80.00
        B cancels b           | cancelled b 20                |  | 10/1@80.00
        c: C sells 30 @ 80.00 | accepted c rests 30           |  | 40/2@80.00
        d: D buys 15 @ 80.00  | accepted d rests 0            |  | 25/1@80.00
                              | trade a 10 @ 80.00 leaves 5/0
                              | trade c 5 @ 80.00 leaves 0/25
        """,
    ),
    case(
        "cancel_all_of_a_level_one_by_one",
        "However a level is emptied, nothing of it is left, and nothing of it trades.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10 |           | 10/1@80.00
        b: B sells 20 @ 80.00 | accepted b rests 20 |           | 30/2@80.00
        c: C sells 30 @ 80.00 | accepted c rests 30 |           | 60/3@80.00
        B cancels b           | cancelled b 20      |           | 40/2@80.00
        A cancels a           | cancelled a 10      |           | 30/1@80.00
        C cancels c           | cancelled c 30      |           |
        d: D buys 5 @ 80.00   | accepted d rests 5  | 5/1@80.00 |
        """,
    ),
    case(
        "shared_level_sibling_untouched",
        "What happens to one order of a level changes neither size nor place of its siblings.",
        """
        a: A buys 10 @ 80.00     | accepted a rests 10           | 10/1@80.00 |
        b: B buys 20 @ 80.00     | accepted b rests 20           | 30/2@80.00 |
        c: A buys 30 @ 80.00     | accepted c rests 30           | 60/3@80.00 |
        A cancels a              | cancelled a 10                | 50/2@80.00 |
        A amends c to 25 @ 80.00 | amended c 30 to 25 rests 25   | 45/2@80.00 |
        d: D sells 20 @ 80.00    | accepted d rests 0            | 25/1@80.00 |
                                 | trade b 20 @ 80.00 leaves 0/0
        """,
    ),
    case(
        "fifo_within_a_level",
        "Equal prices are served in the order of arrival.",
        """
        a: A buys 1 @ 80.00  | accepted a rests 1           | 1/1@80.00 |
        b: B buys 2 @ 80.00  | accepted b rests 2           | 3/2@80.00 |
        c: C buys 3 @ 80.00  | accepted c rests 3           | 6/3@80.00 |
        d: D sells 1 @ 80.00 | accepted d rests 0           | 5/2@80.00 |
                             | trade a 1 @ 80.00 leaves 0/0
        e: D sells 2 @ 80.00 | accepted e rests 0           | 3/1@80.00 |
                             | trade b 2 @ 80.00 leaves 0/0
        f: D sells 3 @ 80.00 | accepted f rests 0           |           |
                             | trade c 3 @ 80.00 leaves 0/0
        """,
    ),
    case(
        "price_before_time",
        "A better price is served before an older order.",
        """
        a: A sells 5 @ 80.02 | accepted a rests 5           |  | 5/1@80.02
        b: B sells 5 @ 80.01 | accepted b rests 5           |  | 5/1@80.01 5/1@80.02
        c: C sells 5 @ 80.00 | accepted c rests 5           |  | 5/1@80.00 5/1@80.01 5/1@80.02
        d: D buys 12 @ 80.02 | accepted d rests 0           |  | 3/1@80.02
                             | trade c 5 @ 80.00 leaves 7/0
                             | trade b 5 @ 80.01 leaves 2/0
                             | trade a 2 @ 80.02 leaves 0/3
        """,
    ),
    case(
        "partial_maker_keeps_head",
        "A partly filled order stays the first of its level.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10          |  | 10/1@80.00
        b: B sells 10 @ 80.00 | accepted b rests 10          |  | 20/2@80.00
        c: C buys 4 @ 80.00   | accepted c rests 0           |  | 16/2@80.00
                              | trade a 4 @ 80.00 leaves 0/6
        d: D buys 4 @ 80.00   | accepted d rests 0           |  | 12/2@80.00
                              | trade a 4 @ 80.00 leaves 0/2
        e: E buys 4 @ 80.00   | accepted e rests 0           |  | 8/1@80.00
                              | trade a 2 @ 80.00 leaves 2/0
                              | trade b 2 @ 80.00 leaves 0/8
        """,
    ),
    case(
        "partial_fill_then_cancel",
        "A cancellation takes back what is still open, not what was declared, and no more trades.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10          |           | 10/1@80.00
        b: B buys 4 @ 80.00   | accepted b rests 0           |           | 6/1@80.00
                              | trade a 4 @ 80.00 leaves 0/6
        A cancels a           | cancelled a 6                |           |
        c: C buys 4 @ 80.00   | accepted c rests 4           | 4/1@80.00 |
        """,
    ),
    case(
        "emptied_level_refilled",
        "A level that was emptied and filled again knows only its new orders, in their order.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10            |  | 10/1@80.00
        b: B sells 10 @ 80.00 | accepted b rests 10            |  | 20/2@80.00
        c: C buys 20 @ 80.00  | accepted c rests 0             |  |
                              | trade a 10 @ 80.00 leaves 10/0
                              | trade b 10 @ 80.00 leaves 0/0
        d: B sells 5 @ 80.00  | accepted d rests 5             |  | 5/1@80.00
        e: A sells 5 @ 80.00  | accepted e rests 5             |  | 10/2@80.00
        f: C buys 7 @ 80.00   | accepted f rests 0             |  | 3/1@80.00
                              | trade d 5 @ 80.00 leaves 2/0
                              | trade e 2 @ 80.00 leaves 0/3
        """,
    ),
    case(
        "cancel_then_add_goes_to_the_back",
        "Who cancels and comes again at the same price is the youngest.",
        """
        a: A buys 10 @ 80.00  | accepted a rests 10           | 10/1@80.00 |
        b: B buys 10 @ 80.00  | accepted b rests 10           | 20/2@80.00 |
        A cancels a           | cancelled a 10                | 10/1@80.00 |
        c: A buys 10 @ 80.00  | accepted c rests 10           | 20/2@80.00 |
        d: D sells 15 @ 80.00 | accepted d rests 0            | 5/1@80.00  |
                              | trade b 10 @ 80.00 leaves 5/0
                              | trade c 5 @ 80.00 leaves 0/5
        """,
    ),
    case(
        "order_at_own_best_joins_the_queue",
        "An order at its own side's best price queues behind; the best price stays.",
        """
        a: A buys 10 @ 79.99  | accepted a rests 10            | 10/1@79.99 |
        b: B buys 10 @ 79.99  | accepted b rests 10            | 20/2@79.99 |
        c: A buys 10 @ 79.99  | accepted c rests 10            | 30/3@79.99 |
        d: D sells 25 @ 79.99 | accepted d rests 0             | 5/1@79.99  |
                              | trade a 10 @ 79.99 leaves 15/0
                              | trade b 10 @ 79.99 leaves 5/0
                              | trade c 5 @ 79.99 leaves 0/5
        """,
    ),
)

SWEEPS = (
    case(
        "sweep_levels_at_makers_prices",
        "A sweep deals at each maker's price; the incoming order gets every improvement.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10            |  | 10/1@80.00
        b: B sells 10 @ 80.01 | accepted b rests 10            |  | 10/1@80.00 10/1@80.01
        c: C sells 10 @ 80.05 | accepted c rests 10            |  | 10/1@80.00 10/1@80.01 10/1@80.05
        d: D buys 25 @ 80.10  | accepted d rests 0             |  | 5/1@80.05
                              | trade a 10 @ 80.00 leaves 15/0
                              | trade b 10 @ 80.01 leaves 5/0
                              | trade c 5 @ 80.05 leaves 0/5
        """,
    ),
    case(
        "sell_sweep_at_makers_prices",
        "The same downwards: an incoming seller gets the buyers' prices, the highest first.",
        """
        a: A buys 10 @ 79.90  | accepted a rests 10            | 10/1@79.90                       |
        b: B buys 10 @ 80.00  | accepted b rests 10            | 10/1@80.00 10/1@79.90            |
        c: C buys 10 @ 79.95  | accepted c rests 10            | 10/1@80.00 10/1@79.95 10/1@79.90 |
        d: D sells 25 @ 79.00 | accepted d rests 0             | 5/1@79.90                        |
                              | trade b 10 @ 80.00 leaves 15/0
                              | trade c 10 @ 79.95 leaves 5/0
                              | trade a 5 @ 79.90 leaves 0/5
        """,
    ),
    case(
        "residual_becomes_best",
        "What a sweep could not buy rests at its own price and is the new best.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |                  | 10/1@80.00
        b: B sells 10 @ 80.20 | accepted b rests 10           |                  | 10/1@80.00
                              |                               |                  | 10/1@80.20
        c: C buys 5 @ 79.90   | accepted c rests 5            | 5/1@79.90        | "
        d: D buys 15 @ 80.10  | accepted d rests 5            | 5/1@80.10        | 10/1@80.20
                              | trade a 10 @ 80.00 leaves 5/0 | 5/1@79.90        |
        e: E sells 7 @ 80.00  | accepted e rests 2            | 5/1@79.90        | 2/1@80.00
                              | trade d 5 @ 80.10 leaves 2/0  |                  | 10/1@80.20
        """,
    ),
    case(
        "limit_stops_at_its_own_price",
        "A marketable limit trades up to and including its own price and never beyond.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10            |            | 10/1@80.00
        b: B sells 10 @ 80.01 | accepted b rests 10            |            | 10/1@80.00 10/1@80.01
        c: C sells 10 @ 80.02 | accepted c rests 10            |            | 10/1@80.00 10/1@80.01
                              |                                |            | 10/1@80.02
        d: D buys 30 @ 80.01  | accepted d rests 10            | 10/1@80.01 | 10/1@80.02
                              | trade a 10 @ 80.00 leaves 20/0
                              | trade b 10 @ 80.01 leaves 10/0
        """,
    ),
    case(
        "touching_prices_trade",
        "Equal prices cross, on either side; one tick apart does not.",
        """
        a: A sells 3 @ 80.00 | accepted a rests 3           |           | 3/1@80.00
        b: B buys 3 @ 79.99  | accepted b rests 3           | 3/1@79.99 | 3/1@80.00
        c: C buys 3 @ 80.00  | accepted c rests 0           | 3/1@79.99 |
                             | trade a 3 @ 80.00 leaves 0/0
        d: D sells 3 @ 79.99 | accepted d rests 0           |           |
                             | trade b 3 @ 79.99 leaves 0/0
        """,
    ),
    case(
        "exact_fill_leaves_nothing",
        "Equal quantities end both orders and the level.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |  | 10/1@80.00
        b: B buys 10 @ 80.00  | accepted b rests 0            |  |
                              | trade a 10 @ 80.00 leaves 0/0
        A cancels a           | refused unknown_order         |  |
        B cancels b           | refused unknown_order         |  |
        """,
    ),
    case(
        "last_levels_cross_book_empties",
        "When the last levels of both sides meet exactly, nothing is left on either.",
        """
        a: A buys 10 @ 79.00  | accepted a rests 10           | 10/1@79.00 |
        b: B sells 10 @ 81.00 | accepted b rests 10           | 10/1@79.00 | 10/1@81.00
        c: C sells 10 @ 79.00 | accepted c rests 0            |            | 10/1@81.00
                              | trade a 10 @ 79.00 leaves 0/0
        d: D buys 10 @ 81.00  | accepted d rests 0            |            |
                              | trade b 10 @ 81.00 leaves 0/0
        e: E buys 1 @ 80.00   | accepted e rests 1            | 1/1@80.00  |
        """,
    ),
    case(
        "interleaved_cancel_and_sweep",
        "Cancellations between two parts of a sweep leave neither gaps nor ghosts.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |           | 10/1@80.00
        b: B sells 10 @ 80.00 | accepted b rests 10           |           | 20/2@80.00
        c: C sells 10 @ 80.01 | accepted c rests 10           |           | 20/2@80.00 10/1@80.01
        d: A sells 10 @ 80.01 | accepted d rests 10           |           | 20/2@80.00 20/2@80.01
        e: D buys 5 @ 80.01   | accepted e rests 0            |           | 15/2@80.00 20/2@80.01
                              | trade a 5 @ 80.00 leaves 0/5
        A cancels a           | cancelled a 5                 |           | 10/1@80.00 20/2@80.01
        f: D buys 15 @ 80.01  | accepted f rests 0            |           | 15/2@80.01
                              | trade b 10 @ 80.00 leaves 5/0
                              | trade c 5 @ 80.01 leaves 0/5
        C cancels c           | cancelled c 5                 |           | 10/1@80.01
        g: D buys 12 @ 80.01  | accepted g rests 2            | 2/1@80.01 |
                              | trade d 10 @ 80.01 leaves 2/0
        """,
    ),
    case(
        "best_moves_over_gaps",
        "The best price moves in and out over empty prices, on both sides, without losing a level.",
        """
        a: A sells 1 @ 85.00 | accepted a rests 1           |                   | 1/1@85.00
        b: B sells 1 @ 80.50 | accepted b rests 1           |                   | 1/1@80.50
                             |                              |                   | 1/1@85.00
        c: C buys 1 @ 75.00  | accepted c rests 1           | 1/1@75.00         | "
        d: D buys 1 @ 79.50  | accepted d rests 1           | 1/1@79.50         | "
                             |                              | 1/1@75.00         |
        B cancels b          | cancelled b 1                | "                 | 1/1@85.00
        D cancels d          | cancelled d 1                | 1/1@75.00         | "
        e: E sells 2 @ 75.00 | accepted e rests 1           |                   | 1/1@75.00
                             | trade c 1 @ 75.00 leaves 1/0 |                   | 1/1@85.00
        f: F buys 3 @ 85.00  | accepted f rests 1           | 1/1@85.00         |
                             | trade e 1 @ 75.00 leaves 2/0
                             | trade a 1 @ 85.00 leaves 1/0
        """,
    ),
    case(
        "sweep_over_gaps",
        "A sweep jumps over empty prices, however wide the gap.",
        """
        a: A sells 1 @ 72.00 | accepted a rests 1           |  | 1/1@72.00
        b: B sells 1 @ 72.33 | accepted b rests 1           |  | 1/1@72.00 1/1@72.33
        c: C sells 1 @ 82.24 | accepted c rests 1           |  | 1/1@72.00 1/1@72.33 1/1@82.24
        d: A sells 1 @ 88.00 | accepted d rests 1           |  | 1/1@72.00 1/1@72.33 1/1@82.24
                             |                              |  | 1/1@88.00
        e: D buys 4 @ 88.00  | accepted e rests 0           |  |
                             | trade a 1 @ 72.00 leaves 3/0
                             | trade b 1 @ 72.33 leaves 2/0
                             | trade c 1 @ 82.24 leaves 1/0
                             | trade d 1 @ 88.00 leaves 0/0
        """,
    ),
    case(
        "passive_orders_do_not_trade",
        "Orders that do not cross rest on both sides and change nothing of each other.",
        """
        a: A buys 10 @ 79.98  | accepted a rests 10 | 10/1@79.98            |
        b: B sells 10 @ 80.02 | accepted b rests 10 | "                     | 10/1@80.02
        c: C buys 10 @ 79.99  | accepted c rests 10 | 10/1@79.99 10/1@79.98 | "
        d: D sells 10 @ 80.01 | accepted d rests 10 | "                     | 10/1@80.01 10/1@80.02
        """,
    ),
    case(
        "one_tonne_at_a_time",
        "Many small deals with one maker add up to it, and end it exactly once.",
        """
        a: A sells 3 @ 80.00 | accepted a rests 3           |           | 3/1@80.00
        b: B buys 1 @ 80.00  | accepted b rests 0           |           | 2/1@80.00
                             | trade a 1 @ 80.00 leaves 0/2
        c: C buys 1 @ 80.01  | accepted c rests 0           |           | 1/1@80.00
                             | trade a 1 @ 80.00 leaves 0/1
        d: B buys 1 @ 80.02  | accepted d rests 0           |           |
                             | trade a 1 @ 80.00 leaves 0/0
        e: C buys 1 @ 80.00  | accepted e rests 1           | 1/1@80.00 |
        """,
    ),
)

DEAD_ORDERS = (
    case(
        "cancel_what_never_was",
        "A cancellation of a number that never existed is refused and changes nothing.",
        """
        A cancels #1          | refused unknown_order |  |
        a: A sells 10 @ 80.00 | accepted a rests 10   |  | 10/1@80.00
        A cancels #999        | refused unknown_order |  | "
        A cancels #0          | refused unknown_order |  | "
        A cancels a           | cancelled a 10        |  |
        """,
    ),
    case(
        "cancel_twice",
        "A cancelled order cannot be cancelled again; its former neighbours stay.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |  | 10/1@80.00
        b: B sells 20 @ 80.00 | accepted b rests 20           |  | 30/2@80.00
        A cancels a           | cancelled a 10                |  | 20/1@80.00
        A cancels a           | refused unknown_order         |  | "
        c: C buys 20 @ 80.00  | accepted c rests 0            |  |
                              | trade b 20 @ 80.00 leaves 0/0
        """,
    ),
    case(
        "cancel_after_fill",
        "A filled order cannot be cancelled, and the attempt removes no other.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10           |            | 10/1@80.00
        b: A sells 20 @ 80.00 | accepted b rests 20           |            | 30/2@80.00
        c: C buys 10 @ 80.00  | accepted c rests 0            |            | 20/1@80.00
                              | trade a 10 @ 80.00 leaves 0/0
        A cancels a           | refused unknown_order         |            | "
        C cancels c           | refused unknown_order         |            | "
        d: A buys 10 @ 79.00  | accepted d rests 10           | 10/1@79.00 | "
        A cancels a           | refused unknown_order         | "          | "
        """,
    ),
    case(
        "cancel_of_anothers_order",
        "Nobody cancels or amends what belongs to somebody else.",
        """
        a: A sells 10 @ 80.00   | accepted a rests 10   |  | 10/1@80.00
        b: B sells 10 @ 80.00   | accepted b rests 10   |  | 20/2@80.00
        B cancels a             | refused unknown_order |  | "
        B amends a to 5 @ 80.00 | refused unknown_order |  | "
        C cancels b             | refused unknown_order |  | "
        A cancels a             | cancelled a 10        |  | 10/1@80.00
        """,
    ),
    case(
        "amend_of_the_dead",
        "A filled, cancelled or unknown order cannot be amended, and does not come back.",
        """
        a: A sells 10 @ 80.00     | accepted a rests 10           |            | 10/1@80.00
        b: B buys 10 @ 80.00      | accepted b rests 0            |            |
                                  | trade a 10 @ 80.00 leaves 0/0
        A amends a to 20 @ 80.00  | refused unknown_order         |            |
        c: C buys 10 @ 79.00      | accepted c rests 10           | 10/1@79.00 |
        C cancels c               | cancelled c 10                |            |
        C amends c to 5 @ 79.00   | refused unknown_order         |            |
        C amends #77 to 5 @ 79.00 | refused unknown_order         |            |
        """,
    ),
    case(
        "client_id_again_after_cancel",
        "A client's id used again after a cancellation is a new order with a new number and place.",
        """
        a: A sells 10 @ 80.00 as mine | accepted a rests 10           |  | 10/1@80.00
        b: B sells 10 @ 80.00         | accepted b rests 10           |  | 20/2@80.00
        A cancels a                   | cancelled a 10                |  | 10/1@80.00
        c: A sells 5 @ 80.00 as mine  | accepted c rests 5            |  | 15/2@80.00
        A cancels a                   | refused unknown_order         |  | "
        d: D buys 12 @ 80.00          | accepted d rests 0            |  | 3/1@80.00
                                      | trade b 10 @ 80.00 leaves 2/0
                                      | trade c 2 @ 80.00 leaves 0/3
        A cancels c                   | cancelled c 3                 |  |
        """,
    ),
    case(
        "client_id_again_after_fill",
        "The same after a fill: the old number stays dead, the new order is open.",
        """
        a: A buys 10 @ 80.00 as mine | accepted a rests 10           | 10/1@80.00 |
        b: B sells 10 @ 80.00        | accepted b rests 0            |            |
                                     | trade a 10 @ 80.00 leaves 0/0
        c: A buys 7 @ 79.50 as mine  | accepted c rests 7            | 7/1@79.50  |
        A cancels a                  | refused unknown_order         | "          |
        A amends a to 9 @ 79.50      | refused unknown_order         | "          |
        A cancels c                  | cancelled c 7                 |            |
        """,
    ),
    case(
        "phantom_level_after_cancel",
        "The last order's cancellation takes its level along: nobody trades with an empty price.",
        """
        a: A sells 10 @ 80.00 | accepted a rests 10          |           | 10/1@80.00
        b: B sells 10 @ 80.10 | accepted b rests 10          |           | 10/1@80.00 10/1@80.10
        A cancels a           | cancelled a 10               |           | 10/1@80.10
        c: C buys 4 @ 80.05   | accepted c rests 4           | 4/1@80.05 | "
        d: D buys 4 @ 80.10   | accepted d rests 0           | 4/1@80.05 | 6/1@80.10
                              | trade b 4 @ 80.10 leaves 0/6
        """,
    ),
    case(
        "phantom_level_after_fill",
        "The last order's fill takes its level along, and the next level is the best.",
        """
        a: A buys 10 @ 80.00  | accepted a rests 10           | 10/1@80.00            |
        b: B buys 10 @ 79.90  | accepted b rests 10           | 10/1@80.00 10/1@79.90 |
        c: C sells 10 @ 80.00 | accepted c rests 0            | 10/1@79.90            |
                              | trade a 10 @ 80.00 leaves 0/0
        d: D sells 4 @ 79.95  | accepted d rests 4            | 10/1@79.90            | 4/1@79.95
        """,
    ),
)
