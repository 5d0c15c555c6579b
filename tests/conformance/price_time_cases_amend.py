"""Cases of amendments: who keeps the place, who comes in anew, what is refused."""

from __future__ import annotations

from tests.conformance.price_time_language import case

AMENDMENTS = (
    case(
        "amend_down_keeps_place",
        "Less at the same price keeps the place in the queue.",
        """
        a: A sells 10 @ 80.00   | accepted a rests 10          |  | 10/1@80.00
        b: B sells 10 @ 80.00   | accepted b rests 10          |  | 20/2@80.00
        A amends a to 4 @ 80.00 | amended a 10 to 4 rests 4    |  | 14/2@80.00
        c: C buys 6 @ 80.00     | accepted c rests 0           |  | 8/1@80.00
                                | trade a 4 @ 80.00 leaves 2/0
                                | trade b 2 @ 80.00 leaves 0/8
        """,
    ),
    case(
        "amend_up_loses_place",
        "More at the same price queues last.",
        """
        a: A sells 10 @ 80.00    | accepted a rests 10           |  | 10/1@80.00
        b: B sells 10 @ 80.00    | accepted b rests 10           |  | 20/2@80.00
        A amends a to 11 @ 80.00 | amended a 10 to 11 rests 11   |  | 21/2@80.00
        c: C buys 12 @ 80.00     | accepted c rests 0            |  | 9/1@80.00
                                 | trade b 10 @ 80.00 leaves 2/0
                                 | trade a 2 @ 80.00 leaves 0/9
        """,
    ),
    case(
        "amend_price_loses_place",
        "Another price queues last there; back again is last again.",
        """
        a: A buys 10 @ 80.00     | accepted a rests 10            | 10/1@80.00            |
        b: B buys 10 @ 80.00     | accepted b rests 10            | 20/2@80.00            |
        c: C buys 10 @ 79.99     | accepted c rests 10            | 20/2@80.00 10/1@79.99 |
        A amends a to 10 @ 79.99 | amended a 10 to 10 rests 10    | 10/1@80.00 20/2@79.99 |
        d: D sells 22 @ 79.99    | accepted d rests 0             | 8/1@79.99             |
                                 | trade b 10 @ 80.00 leaves 12/0
                                 | trade c 10 @ 79.99 leaves 2/0
                                 | trade a 2 @ 79.99 leaves 0/8
        """,
    ),
    case(
        "amend_there_and_back",
        "Repeated changes of the price leave one order, at one price, behind all others there.",
        """
        a: A buys 10 @ 80.00     | accepted a rests 10           | 10/1@80.00            |
        b: B buys 10 @ 80.00     | accepted b rests 10           | 20/2@80.00            |
        A amends a to 10 @ 79.00 | amended a 10 to 10 rests 10   | 10/1@80.00 10/1@79.00 |
        A amends a to 10 @ 80.00 | amended a 10 to 10 rests 10   | 20/2@80.00            |
        B amends b to 10 @ 79.00 | amended b 10 to 10 rests 10   | 10/1@80.00 10/1@79.00 |
        B amends b to 10 @ 80.00 | amended b 10 to 10 rests 10   | 20/2@80.00            |
        A amends a to 10 @ 81.00 | amended a 10 to 10 rests 10   | 10/1@81.00 10/1@80.00 |
        A amends a to 10 @ 80.00 | amended a 10 to 10 rests 10   | 20/2@80.00            |
        c: C sells 12 @ 80.00    | accepted c rests 0            | 8/1@80.00             |
                                 | trade b 10 @ 80.00 leaves 2/0
                                 | trade a 2 @ 80.00 leaves 0/8
        """,
    ),
    case(
        "amend_without_change",
        "An amendment to the same price and quantity is confirmed and costs no place.",
        """
        a: A sells 10 @ 80.00    | accepted a rests 10          |  | 10/1@80.00
        b: B sells 10 @ 80.00    | accepted b rests 10          |  | 20/2@80.00
        A amends a to 10 @ 80.00 | amended a 10 to 10 rests 10  |  | "
        c: C buys 3 @ 80.00      | accepted c rests 0           |  | 17/2@80.00
                                 | trade a 3 @ 80.00 leaves 0/7
        A amends a to 10 @ 80.00 | amended a 7 to 10 rests 7    |  | "
        d: D buys 3 @ 80.00      | accepted d rests 0           |  | 14/2@80.00
                                 | trade a 3 @ 80.00 leaves 0/4
        """,
    ),
    case(
        "amend_into_cross_at_makers_price",
        "An order amended across the other side trades at once, at the maker's price.",
        """
        a: A sells 10 @ 80.00    | accepted a rests 10            |            | 10/1@80.00
        b: B sells 10 @ 80.03    | accepted b rests 10            |            | 10/1@80.00
                                 |                                |            | 10/1@80.03
        c: C buys 25 @ 79.90     | accepted c rests 25            | 25/1@79.90 | "
        C amends c to 25 @ 80.05 | amended c 25 to 25 rests 5     | 5/1@80.05  |
                                 | trade a 10 @ 80.00 leaves 15/0
                                 | trade b 10 @ 80.03 leaves 5/0
        """,
    ),
    case(
        "sell_amended_into_cross",
        "The same downwards: a seller who comes down gets the buyers' prices.",
        """
        a: A buys 10 @ 80.00     | accepted a rests 10           | 10/1@80.00      |
        b: B buys 10 @ 79.95     | accepted b rests 10           | 10/1@80.00      |
                                 |                               | 10/1@79.95      |
        c: C sells 12 @ 80.50    | accepted c rests 12           | "               | 12/1@80.50
        C amends c to 12 @ 79.90 | amended c 12 to 12 rests 0    | 8/1@79.95       |
                                 | trade a 10 @ 80.00 leaves 2/0
                                 | trade b 2 @ 79.95 leaves 0/8
        C cancels c              | refused unknown_order         | "               |
        """,
    ),
    case(
        "amend_of_a_partly_filled_order",
        "The new quantity is a total: what is filled stays filled, the rest is what is left of it.",
        """
        a: A sells 20 @ 80.00    | accepted a rests 20           |  | 20/1@80.00
        b: B sells 10 @ 80.00    | accepted b rests 10           |  | 30/2@80.00
        c: C buys 5 @ 80.00      | accepted c rests 0            |  | 25/2@80.00
                                 | trade a 5 @ 80.00 leaves 0/15
        A amends a to 12 @ 80.00 | amended a 15 to 12 rests 7    |  | 17/2@80.00
        d: D buys 8 @ 80.00      | accepted d rests 0            |  | 9/1@80.00
                                 | trade a 7 @ 80.00 leaves 1/0
                                 | trade b 1 @ 80.00 leaves 0/9
        """,
    ),
    case(
        "amend_up_of_a_partly_filled_order",
        "A larger total of a partly filled order queues last with what is then left.",
        """
        a: A sells 20 @ 80.00    | accepted a rests 20           |  | 20/1@80.00
        b: B sells 10 @ 80.00    | accepted b rests 10           |  | 30/2@80.00
        c: C buys 5 @ 80.00      | accepted c rests 0            |  | 25/2@80.00
                                 | trade a 5 @ 80.00 leaves 0/15
        A amends a to 21 @ 80.00 | amended a 15 to 21 rests 16   |  | 26/2@80.00
        d: D buys 12 @ 80.00     | accepted d rests 0            |  | 14/1@80.00
                                 | trade b 10 @ 80.00 leaves 2/0
                                 | trade a 2 @ 80.00 leaves 0/14
        """,
    ),
    case(
        "amend_to_what_is_filled_refused",
        "A total at or below what is filled is refused; one tonne more leaves one tonne.",
        """
        a: A sells 20 @ 80.00   | accepted a rests 20           |  | 20/1@80.00
        b: B buys 8 @ 80.00     | accepted b rests 0            |  | 12/1@80.00
                                | trade a 8 @ 80.00 leaves 0/12
        A amends a to 7 @ 80.00 | refused qty_below_filled      |  | "
        A amends a to 8 @ 80.00 | refused qty_below_filled      |  | "
        A amends a to 8 @ 81.00 | refused qty_below_filled      |  | "
        A amends a to 9 @ 80.00 | amended a 12 to 9 rests 1     |  | 1/1@80.00
        """,
    ),
    case(
        "amend_to_nothing_refused",
        "A quantity of nothing is no amendment; a cancellation is a message of its own.",
        """
        a: A buys 10 @ 80.00     | accepted a rests 10           | 10/1@80.00 |
        b: B buys 10 @ 80.00     | accepted b rests 10           | 20/2@80.00 |
        A amends a to 0 @ 80.00  | refused qty_invalid           | "          |
        A amends a to -1 @ 80.00 | refused qty_invalid           | "          |
        A amends a to 10 @ 0.00  | refused price_invalid         | "          |
        c: C sells 10 @ 80.00    | accepted c rests 0            | 10/1@80.00 |
                                 | trade a 10 @ 80.00 leaves 0/0
        """,
    ),
    case(
        "refused_amendment_keeps_place",
        "An amendment that is refused has not pulled the order out of its queue.",
        """
        a: A sells 10 @ 80.00        | accepted a rests 10           |  | 10/1@80.00
        b: B sells 10 @ 80.00        | accepted b rests 10           |  | 20/2@80.00
        A amends a to 10 @ 88.01     | refused price_out_of_band     |  | "
        A amends a to 100000 @ 80.00 | refused qty_above_max         |  | "
        c: C buys 12 @ 80.00         | accepted c rests 0            |  | 8/1@80.00
                                     | trade a 10 @ 80.00 leaves 2/0
                                     | trade b 2 @ 80.00 leaves 0/8
        """,
    ),
    case(
        "amend_of_the_best_moves_it",
        "When the only order of the best level goes elsewhere, the next level is the best.",
        """
        a: A sells 10 @ 80.00    | accepted a rests 10         |           | 10/1@80.00
        b: B sells 10 @ 80.20    | accepted b rests 10         |           | 10/1@80.00 10/1@80.20
        A amends a to 10 @ 80.30 | amended a 10 to 10 rests 10 |           | 10/1@80.20 10/1@80.30
        c: C buys 5 @ 80.10      | accepted c rests 5          | 5/1@80.10 | "
        A amends a to 10 @ 80.15 | amended a 10 to 10 rests 10 | "         | 10/1@80.15 10/1@80.20
        """,
    ),
    case(
        "reduce_then_cancel",
        "After a reduction, a cancellation takes back the reduced rest.",
        """
        a: A buys 10 @ 80.00    | accepted a rests 10       | 10/1@80.00 |
        A amends a to 6 @ 80.00 | amended a 10 to 6 rests 6 | 6/1@80.00  |
        A amends a to 2 @ 80.00 | amended a 6 to 2 rests 2  | 2/1@80.00  |
        A cancels a             | cancelled a 2             |            |
        """,
    ),
    case(
        "amend_into_own_order_stops",
        "An amendment that meets the account's own order ends there, as any incoming order does.",
        """
        a: A sells 10 @ 80.00    | accepted a rests 10            |            | 10/1@80.00
        b: B sells 10 @ 80.01    | accepted b rests 10            |            | 10/1@80.00
                                 |                                |            | 10/1@80.01
        c: B buys 20 @ 79.00     | accepted c rests 20            | 20/1@79.00 | "
        B amends c to 20 @ 80.05 | amended c 20 to 20 rests 0     |            | 10/1@80.01
                                 | trade a 10 @ 80.00 leaves 10/0
                                 | stopped c 10
        B cancels c              | refused unknown_order          |            | "
        """,
    ),
)
