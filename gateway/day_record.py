"""The day's memory: what each client sent, what became of it, and each account's private stream.

Everything here follows from the journal (commands and the events they cause), so a restart rebuilds
it to the byte. Rows stay in arrays; a report for a client is made from them when it is sent, and
again when it has to be repeated. It begins anew with every BEGIN_DAY.

A *ref* names one owner's view of one event: ``2 * position + view``; view 1 is the counterparty's.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import NamedTuple

import numpy as np

from engine.records import COMMAND, EVENT, HOT_KINDS_END, Event, Kind, Phase

# Plain ints: comparing with an IntEnum member costs a look-up each time.
_REFUSED, _ACCEPTED, _TRADED = int(Event.REFUSED), int(Event.ACCEPTED), int(Event.TRADED)
_PULLED, _PHASE_CHANGED = int(Event.PULLED), int(Event.PHASE_CHANGED)
_PRE_OPEN = int(Phase.PRE_OPEN)

PRIVATE = np.zeros(256, bool)
PRIVATE[
    [
        Event.REFUSED,
        Event.ACCEPTED,
        Event.TRADED,
        Event.CANCELLED,
        Event.LAPSED,
        Event.AMENDED,
    ]
] = True


def day_begins(events: np.ndarray) -> int | None:
    """Return the seq of the last BEGIN_DAY among what caused ``events``, None if there is none."""
    changed = events[events["kind"] == _PHASE_CHANGED]
    begun = changed["seq"][changed["phase"] == _PRE_OPEN]
    return int(begun[-1]) if len(begun) else None


class Group(NamedTuple):
    """New reports of one account: the number of the first one, and their refs."""

    account: int
    first_report_seq: int
    refs: np.ndarray


class Rows:
    """An array that grows at its end; ``all`` are the rows in use.

    Rows are copied as raw bytes: NumPy copies structured rows field by field otherwise.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self._dtype = dtype
        self._raw = np.dtype((np.void, dtype.itemsize))
        self._room = np.zeros(256, dtype)
        self.size = 0

    @property
    def all(self) -> np.ndarray:
        """The rows in use, not copied."""
        return self._room[: self.size]

    def extend(self, rows: np.ndarray) -> None:
        """Append ``rows``."""
        size = self.size + len(rows)
        if size > len(self._room):
            grown = np.zeros(max(size, 2 * len(self._room)), self._dtype)
            grown.view(self._raw)[: self.size] = self.all.view(self._raw)
            self._room = grown
        added = np.ascontiguousarray(rows, self._dtype).view(self._raw)
        self._room.view(self._raw)[self.size : size] = added
        self.size = size

    def chosen(self, positions: np.ndarray) -> np.ndarray:
        """Return a copy of the rows at ``positions``."""
        found: np.ndarray = self._room.view(self._raw)[positions]
        return found.view(self._dtype)


class DayRecord:
    """Commands, events, private streams and client order ids since the last BEGIN_DAY."""

    def __init__(self) -> None:
        self.ids: dict[int, dict[str, int]] = {}
        self.streams: dict[int, array[int]] = {}
        self.first_seq = 1
        self.first_order_no = 0
        self.commands = Rows(COMMAND)
        self.events = Rows(EVENT)
        self.first_event = Rows(np.dtype(np.int64))  # of each command: position in ``events``
        self.order_seq = Rows(np.dtype(np.int64))  # of each order of the day, in order of number

    def absorb(self, commands: np.ndarray, events: np.ndarray) -> list[Group]:
        """Take in an applied batch and return the new reports, account by account.

        commands: shape (n,), dtype COMMAND. events: shape (m,), dtype EVENT, all of them theirs.
        """
        begun = day_begins(events)
        if begun is not None:
            first_seq = begun
            commands = commands[commands["seq"] >= first_seq]
            events = events[events["seq"] >= first_seq]
            self._forget(first_seq)
        elif self.commands.size == 0:
            self.first_seq = int(commands["seq"][0])
        start = self.events.size
        self.commands.extend(commands)
        self.events.extend(events)
        self.first_event.extend(start + np.searchsorted(events["seq"], commands["seq"]))
        accepted = events["kind"] == _ACCEPTED
        if accepted.any():
            if self.order_seq.size == 0:
                self.first_order_no = int(events["order_no"][accepted][0])
            self.order_seq.extend(events["seq"][accepted])
        return self._streams_grow(commands, events, start)

    def learn_ids(self) -> None:
        """Rebuild the client order ids from the commands (after a restart)."""
        used = self.commands.all
        hot = (used["kind"] > Kind.NOOP) & (used["kind"] < HOT_KINDS_END)
        columns = (used["account"][hot], used["client_order_id"][hot], used["seq"][hot])
        for account, identity, seq in zip(*(column.tolist() for column in columns), strict=True):
            self.ids_of(account).setdefault(identity.decode(), seq)

    def ids_of(self, account: int) -> dict[str, int]:
        """Return the account's client order ids of the day, each with its (first) command's seq."""
        found = self.ids.get(account)
        if found is None:
            found = self.ids[account] = {}
        return found

    def report_seq(self, account: int) -> int:
        """Return the number of the account's last report of the day, 0 where there is none."""
        stream = self.streams.get(account)
        return len(stream) if stream is not None else 0

    def refs(self, account: int, first_report_seq: int, count: int) -> np.ndarray:
        """Return up to ``count`` refs of the account's stream from ``first_report_seq`` on."""
        stream = self.streams.get(account, array("q"))
        return np.array(stream[first_report_seq - 1 : first_report_seq - 1 + count], np.int64)

    def answers(self, account: int, seq: int) -> list[tuple[int, int]]:
        """Return (ref, report_seq) of the first report of the command ``seq`` and of its legs."""
        at = seq - self.first_seq
        legs = max(1, int(self.commands.all[at]["legs"]))
        stream = self.streams[account]
        found = []
        for position in self.first_event.all[at : at + legs].tolist():
            pulled = self.events.all[position]["kind"] == _PULLED  # then AMENDED follows
            ref = 2 * (position + int(pulled))
            found.append((ref, bisect_left(stream, ref) + 1))
        return found

    def bodies(self, seq: int, count: int) -> bytes:
        """Return ``count`` commands from ``seq`` on as bytes, numbers and times blanked."""
        at = seq - self.first_seq
        rows = self.commands.all[at : at + count].copy()
        rows["seq"] = rows["time_ns"] = 0
        return rows.tobytes()

    def _streams_grow(self, commands: np.ndarray, events: np.ndarray, start: int) -> list[Group]:
        kinds = events["kind"]
        private = PRIVATE[kinds] & (events["account"] >= 0)
        refused = kinds == _REFUSED
        if refused.any():
            cause = commands["kind"][events["seq"] - commands["seq"][0]]
            private &= ~refused | (cause < HOT_KINDS_END)
        traded = kinds == _TRADED
        position = np.arange(start, start + len(events), dtype=np.int64)
        refs = np.concatenate((2 * position[private], 2 * position[traded] + 1))
        if len(refs) == 0:
            return []
        owners = np.concatenate((events["account"][private], events["counterparty"][traded]))
        order = np.lexsort((refs, owners))
        refs, owners = refs[order], owners[order]
        edges = np.flatnonzero(np.diff(owners)) + 1
        firsts = [0, *edges.tolist()]
        groups = []
        for account, mine in zip(owners[firsts].tolist(), np.split(refs, edges), strict=True):
            stream = self.streams.setdefault(account, array("q"))
            groups.append(Group(account, len(stream) + 1, mine))
            stream.frombytes(mine.tobytes())
        return groups

    def _forget(self, first_seq: int) -> None:
        self.first_seq = first_seq
        self.first_order_no = 0
        self.commands = Rows(COMMAND)
        self.events = Rows(EVENT)
        self.first_event = Rows(np.dtype(np.int64))
        self.order_seq = Rows(np.dtype(np.int64))
        self.streams = {}
        for account, ids in self.ids.items():
            self.ids[account] = {each: seq for each, seq in ids.items() if seq > first_seq}
