"""Generated cases of thousands of orders, and the list of all cases."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.price_time_cases import DEAD_ORDERS, QUEUES, SWEEPS
from tests.conformance.price_time_cases_amend import AMENDMENTS
from tests.conformance.price_time_cases_rules import BOUNDS, FEES, INSTRUMENTS, MEANS, OWN_ORDERS
from tests.conformance.price_time_language import AS_REPORTED, Case, crowd

Row = tuple[str, str, str, str]
MANY = 5_000
DEEP = 1_000


def _price(place: int) -> str:
    """A price, ``place`` ticks above 80.00."""
    return f"{80 + place // 100}.{place % 100:02}"


def _taken(first: int, last: int, left: int, levels: int = 1) -> str:
    """The trades with the one-tonne makers first to last of an order that wants ``left`` more."""
    return "".join(
        f"; trade m{n} 1 @ {_price(n * levels // MANY if levels > 1 else 0)} leaves {left - i}/0"
        for i, n in enumerate(range(first, last + 1), 1)
    )


def deep_fifo() -> Iterator[Row]:
    """A thousand orders at one price, then a thousand takers."""
    for n in range(DEEP):
        text = f"m{n}: {'ABCD'[n % 4]} sells 1 @ 80.00"
        yield text, f"accepted m{n} rests 1", "", f"{n + 1}/{n + 1}@80.00"
    for n in range(DEEP):
        left = DEEP - n - 1
        told = f"accepted t{n} rests 0; trade m{n} 1 @ 80.00 leaves 0/0"
        yield f"t{n}: E buys 1 @ 80.00", told, "", f"{left}/{left}@80.00" if left else ""


def holes() -> Iterator[Row]:
    """Six hundred orders at one price; every third is cancelled, from the youngest on; a sweep."""
    count = 600
    for n in range(count):
        text = f"m{n}: {'ABCD'[n % 4]} buys 1 @ 80.00"
        yield text, f"accepted m{n} rests 1", f"{n + 1}/{n + 1}@80.00", ""
    gone = range(count - 1, 0, -3)
    for done, n in enumerate(gone, 1):
        left = count - done
        yield f"{'ABCD'[n % 4]} cancels m{n}", f"cancelled m{n} 1", f"{left}/{left}@80.00", ""
    alive = [n for n in range(count) if n not in set(gone)]
    trades = "".join(
        f"; trade m{n} 1 @ 80.00 leaves {len(alive) - i}/0" for i, n in enumerate(alive, 1)
    )
    yield f"s: E sells {len(alive)} @ 80.00", "accepted s rests 0" + trades, "", ""


def sweep_one_level() -> Iterator[Row]:
    """Five thousand makers at one price; one order takes all but one, a second the last."""
    for n in range(MANY):
        text = f"m{n}: {'ABCD'[n % 4]} sells 1 @ 80.00"
        yield text, f"accepted m{n} rests 1", "", f"{n + 1}/{n + 1}@80.00"
    trades = _taken(0, MANY - 2, MANY - 1)
    yield f"s: E buys {MANY - 1} @ 80.00", "accepted s rests 0" + trades, "", "1/1@80.00"
    last = f"accepted t rests 1; trade m{MANY - 1} 1 @ 80.00 leaves 1/0"
    yield "t: F buys 2 @ 80.00", last, "1/1@80.00", ""


def sweep_many_levels(levels: int = 500) -> Iterator[Row]:
    """Five thousand makers over 500 levels, the dearest first; one order takes them all."""
    for n in reversed(range(MANY)):
        text = f"m{n}: {'ABCD'[n % 4]} sells 1 @ {_price(n * levels // MANY)}"
        yield text, f"accepted m{n} rests 1", "", AS_REPORTED
    each = MANY // levels
    order = [level * each + place for level in range(levels) for place in reversed(range(each))]
    trades = "".join(
        f"; trade m{n} 1 @ {_price(n * levels // MANY)} leaves {MANY + 1 - i}/0"
        for i, n in enumerate(order, 1)
    )
    told = "accepted s rests 1" + trades
    yield f"s: E buys {MANY + 1} @ 88.00", told, "1/1@88.00", ""


def room_grows() -> Iterator[Row]:
    """Twelve hundred deals one by one: whatever a book allots, it must not run out."""
    for n in range(1_200):
        yield f"m{n}: A sells 1 @ 80.00", f"accepted m{n} rests 1", "", "1/1@80.00"
        told = f"accepted t{n} rests 0; trade m{n} 1 @ 80.00 leaves 0/0"
        yield f"t{n}: B buys 1 @ 80.00", told, "", ""
    yield "x: A sells 5 @ 80.00", "accepted x rests 5", "", "5/1@80.00"
    yield "A cancels m3", "refused unknown_order", "", "5/1@80.00"
    yield "A cancels x", "cancelled x 5", "", ""


CROWDS = (
    crowd(
        "deep_fifo",
        "A thousand orders at one price are served one by one in the order of arrival.",
        deep_fifo(),
        look_every=50,
    ),
    crowd(
        "holes_in_a_deep_level",
        "Cancellations all over a long queue leave exactly the others, in their order.",
        holes(),
        look_every=50,
    ),
    crowd(
        "sweep_of_5000_on_one_level",
        "One order meets five thousand makers at one price and tells of every one.",
        sweep_one_level(),
        look_every=500,
    ),
    crowd(
        "sweep_of_5000_over_500_levels",
        "One order meets five thousand makers over five hundred levels, best price first.",
        sweep_many_levels(),
        look_every=250,
    ),
    crowd(
        "room_grows",
        "Numbers of orders and trades beyond what a book has allotted change nothing.",
        room_grows(),
        look_every=100,
    ),
)

GROUPS: dict[str, tuple[Case, ...]] = {
    "Queues": QUEUES,
    "Sweeps": SWEEPS,
    "Dead orders and phantom levels": DEAD_ORDERS,
    "Amendments": AMENDMENTS,
    "Limits and sizes": BOUNDS,
    "Own orders": OWN_ORDERS,
    "Money and goods": MEANS,
    "Fees": FEES,
    "Several instruments": INSTRUMENTS,
    "Crowds": CROWDS,
}
CASES = {case.name: case for group in GROUPS.values() for case in group}
