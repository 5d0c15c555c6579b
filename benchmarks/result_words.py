"""The words of the page of results: its head, how to read it, and what each ratio says."""

from __future__ import annotations

import re

HEAD = """# Speed

This page and its pictures are made by `tanshi bench page` from the figures in
[docs/results/bench](../results/bench/), measured by `tanshi bench all --json docs/results/bench`.
Nothing on it is written by hand; a test holds it to them. How to measure yourself, and how to
compare two builds: [measure-speed.md](../how-to/measure-speed.md).

Measured on:
"""

HOW_TO_READ = """\
A **ratio** compares two things that took turns in one run on one machine; its median, least and
most are of the pairs. It can be held against another day's. **Absolute** figures (seconds, commands
a second) drift by a factor of two between hours on shared machines: they say what to expect, and
prove nothing. No time counts before the results of the things compared were found the same."""

ABSOLUTE_NOTE = "absolute figure (drifts between machines)"

RATIOS = {
    "matching": {
        "price_time": "price–time, everything on: times as fast as a plain Python book",
        "listed": "listed agreement, everything on: times as fast as a plain Python book",
    },
    "gateway": {
        "echo_single": "one order a frame: speed, as a part of a bare echo's",
        "echo_cpu_single": "one order a frame: the same by CPU time of the server",
        "echo_batch100": "100 orders a frame: speed, as a part of a bare echo's",
        "echo_cpu_batch100": "100 orders a frame: the same by CPU time of the server",
    },
    "fanout": {
        "stalled_p99": "p99 of the others beside a reader who never reads, by that without one",
    },
    "registry": {
        "settle_in_plain_writing": (
            "SQLite: an evening without fees, in times of plainly writing as many rows"
        ),
        "settle_with_fees_in_plain_writing": "SQLite: an evening with all fees, likewise",
        "pg_settle_in_plain_writing": "PostgreSQL: an evening without fees, likewise",
        "pg_settle_with_fees_in_plain_writing": "PostgreSQL: an evening with all fees, likewise",
    },
    "season": {"two_processes": "the same seasons in two processes: times as fast as in one"},
    "scaling": {
        "growth_cancels": "cancels at random: cost in the deepest book, by that in the first",
    },
    "recovery": {
        "replay_over_apply": "replay: its time, by that of the exchange alone",
        "replay_over_read": "replay: its time, by that of reading and verifying alone",
    },
    "journal": {
        "durable_over_unsynced": "durable speed, as a part of that without a sync",
        "durable_over_memory": "durable speed, as a part of that without a journal",
        "told_over_durable": "everybody told, as a part of the durable speed",
    },
}
WORKS = {"price_time": "price–time", "listed": "listed", "bulk": "bulk agreement"}
GROWING = {"resting": "resting orders", "instruments": "vintages", "accounts": "accounts"}
PATTERNS = (
    (
        r"growth_(resting|instruments|accounts)_(.+)",
        "{1}: cost at the most {0}, by that at the start",
    ),
    (
        r"times_yardstick_deepest_(?:resting_)?(.+)",
        "{0}, deepest book: times as fast as a plain book",
    ),
    (r"(.+)_call_by_bare_loop", "{0}, a call each: cost, by that of a bare loop of calls"),
    (r"(.+)_call_times_yardstick_call", "{0}, a call each: times as fast as a plain book's"),
    (r"(.+)_call_by_batched", "{0}, a call each: cost, by that in batches"),
    (
        r"(.+)_times_yardstick_of_listed_part",
        "{0} day: times as fast as a plain book for its listed part",
    ),
    (
        r"(.+)_negotiated_in_listed_commands",
        "{0} day: cost of a bulk or bidding command, in listed ones",
    ),
    (
        r"(.+)_last_fifth_of_day_by_first",
        "{0} day: cost in the last fifth of the day, by the first",
    ),
    (r"engine_over_(.+)", "our engine: times as fast as {0}"),
)


def ratio_words(question: str, name: str) -> str:
    """Return what a ratio says; a name that nobody put into words stands for itself."""
    known = RATIOS.get(question, {}).get(name)
    if known:
        return known
    for pattern, words in PATTERNS:
        found = re.fullmatch(pattern, name)
        if found:
            return words.format(
                *(WORKS.get(part, GROWING.get(part, part)) for part in found.groups())
            )
    return f"`{name}`"
