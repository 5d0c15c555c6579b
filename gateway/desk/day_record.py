"""The day's memory: what each client sent, what became of it, and each account's private stream.

Everything here follows from the journal (commands and the events they cause), so a restart rebuilds
it to the byte. Rows stay in arrays; a report for a client is made from them when it is sent, and
again when it has to be repeated. It begins anew with every BEGIN_DAY.

A *ref* names one reader's view of one event: ``4 * position + view``. Views: 0 the account of the
event, 1 its counterparty, 2 the institution's person who sent the command, 3 the one who approved
it. A stream belongs to an account, or to a person of an institution (``-1 - person``).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from engine.records import COMMAND, EVENT, HOT_KINDS_END, Event, Kind, Modality, Phase
from gateway.desk.rows import Rows
from gateway.journal.quarantine import NO_KIND
from gateway.keys import OFFICE_FIRST

# Plain ints: comparing with an IntEnum member costs a look-up each time.
_REFUSED, _ACCEPTED, _TRADED = int(Event.REFUSED), int(Event.ACCEPTED), int(Event.TRADED)
_PHASE_CHANGED, _PRE_OPEN = int(Event.PHASE_CHANGED), int(Phase.PRE_OPEN)


def _marked(*kinds: int) -> np.ndarray:
    found = np.zeros(256, bool)
    found[list(kinds)] = True
    return found


_COMMON = (Event.REFUSED, Event.ACCEPTED, Event.TRADED, Event.CANCELLED, Event.LAPSED)
_TALKS = tuple(range(Event.BULK_OFFERED, Event.BULK_DECLINED + 1))
_SESSIONS = tuple(range(Event.SESSION_APPLIED, Event.SESSION_CLOSED + 1))
_MEASURES = tuple(range(Event.ACCOUNT_BLOCKED, Event.HOLDING_DEDUCTED + 1))
_BRAKES = (Event.MASS_CANCELLED, Event.TIMER_SET)
_MOVES = tuple(range(Event.CASH_MOVED_IN, Event.HOLDING_MOVED_OUT + 1))
PRIVATE = _marked(*(*_COMMON, Event.AMENDED, *_TALKS, *_SESSIONS, *_MEASURES, *_MOVES, *_BRAKES))
TWO_SIDED = _marked(Event.TRADED, *_TALKS, Event.TRADE_VOIDED)
_RULES = (Event.INSTRUMENT_ADMITTED, Event.PARAMETER_CHANGED)
OFFICIAL = _marked(Event.REFUSED, *_SESSIONS, *_MEASURES, *_RULES)
RARE = _marked(*_TALKS, *_SESSIONS, *_MEASURES, *_MOVES, *_BRAKES, *_RULES)
ANSWERS = _marked(Event.BULK_AGREED, Event.SESSION_NOTICED)
ANSWERED_LAST = frozenset(  # orders end first
    (int(Kind.KILL), int(Kind.FREEZE_HOLDING), int(Kind.MASS_CANCEL))
)

BY_PEOPLE = _marked(  # command kinds that an account's people send
    *range(1, HOT_KINDS_END),
    *(Kind.CASH_OUT, Kind.TRANSFER_OUT, Kind.CASH_IN, Kind.TRANSFER_IN, Kind.KILL),
    *range(Kind.BULK_OFFER, Kind.BULK_WITHDRAW + 1),
    *(Kind.APPLY_SESSION, Kind.BID, Kind.CANCEL_BID),
    *(Kind.MASS_CANCEL, Kind.SET_TIMER),
    NO_KIND,  # whatever it was, its sender learns that it is refused
)
RECALLED_REFS = 1 << 18  # from which the streams grow during a restart


def office(person: Any) -> Any:
    """Return whose stream a person of an institution reads (a number, or an array of them)."""
    return -1 - person


def day_begins(events: np.ndarray) -> int | None:
    """Return the seq of the last BEGIN_DAY among what caused ``events``, None if there is none."""
    changed = events[events["kind"] == _PHASE_CHANGED]
    begun = changed["seq"][changed["phase"] == _PRE_OPEN]
    return int(begun[-1]) if len(begun) else None


def listed_only(commands: np.ndarray) -> bool:
    """Whether a batch holds nothing but commands about listed orders: nearly all do."""
    return bool(commands["kind"].max(initial=0) < HOT_KINDS_END)


def _firsts(commands: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Return where each command's events begin."""
    firsts = np.flatnonzero(events["index"] == 0)
    if len(firsts) == len(commands):  # each command caused something
        return firsts
    return np.searchsorted(events["seq"], commands["seq"])


def _by_owner(values: np.ndarray, owners: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each owner, least first, and its values in order; values are never negative.

    Both go into one number: sorting numbers is much faster than sorting places by two keys.
    """
    if len(values) == 0:
        return
    bits = int(values.max()).bit_length()
    keys = np.sort((owners.astype(np.int64) << bits) | values)
    owners, values = keys >> bits, keys & ((1 << bits) - 1)
    firsts = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist()]
    for owner, begin, end in zip(
        owners[firsts].tolist(), firsts, [*firsts[1:], len(values)], strict=True
    ):
        yield owner, values[begin:end]


class Group(NamedTuple):
    """New reports of one reader: the number of the first one, and their refs.

    ``usual``: they come from a batch of listed orders only.
    """

    owner: int
    first_report_seq: int
    refs: np.ndarray
    usual: bool = False


class DayRecord:
    """Commands, events, private streams and client order ids since the last BEGIN_DAY."""

    def __init__(self) -> None:
        self._ids: dict[int, dict[str, int]] = {}
        self._unread: dict[int, np.ndarray] = {}  # rows of ``commands`` whose ids nobody asked for
        self.streams: dict[int, array[int]] = {}
        self._recalled: list[tuple[np.ndarray, np.ndarray]] = []  # refs and owners, in order
        self._named: list[tuple[np.ndarray, np.ndarray]] = []  # rows with an id, and owners
        self.first_seq = 1
        self.first_order_no = 0
        self.commands = Rows(COMMAND)
        self.events = Rows(EVENT)
        self.first_event = Rows(np.dtype(np.int64))  # of each command: position in ``events``
        self.order_seq = Rows(np.dtype(np.int64))  # of each order of the day, in order of number
        self.session_seq: dict[int, int] = {}  # of each application for a bidding session
        self.rare = False  # whether anything but listed orders was reported today

    def absorb(self, commands: np.ndarray, events: np.ndarray) -> list[Group]:
        """Take in an applied batch and return the new reports, account by account.

        commands: shape (n,), dtype COMMAND. events: shape (m,), dtype EVENT, all of them theirs.
        """
        return self._streams_grow(*self._take(commands, events))

    def recall(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take in a batch as ``absorb`` does, after a restart; ``recalled`` ends it."""
        refs, owners, _ = self._take(commands, events)
        self._recalled.append((refs, owners))
        self._named.append(self._said(self.commands.size - len(commands)))
        if sum(len(refs) for refs, _ in self._recalled) >= RECALLED_REFS:
            self._recalled_grow()

    def recalled(self) -> None:
        """Everything of the day was recalled: let the streams grow, know the client order ids."""
        self._recalled_grow()
        self._know_ids()

    def _recalled_grow(self) -> None:
        """Let the streams grow by many batches at once: there are thousands of streams."""
        if self._recalled:
            refs, owners = (np.concatenate(column) for column in zip(*self._recalled, strict=True))
            self._streams_grow(refs, owners, usual=False)
            self._recalled = []

    def _take(
        self, commands: np.ndarray, events: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Keep a batch; return its refs, whose stream each belongs to, and whether it is usual."""
        usual = listed_only(commands)
        begun = None if usual else day_begins(events)
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
        self.first_event.extend(start + _firsts(commands, events))
        if not usual:
            self.rare = self.rare or bool(RARE[events["kind"]].any())
        self._learn_orders(events, usual)
        return (*self._readers(commands, events, start, usual), usual)

    def _learn_orders(self, events: np.ndarray, usual: bool) -> None:
        """Note which command brought each new order: the numbers go up without gaps."""
        kinds, numbers = events["kind"], events["order_no"]
        new = kinds == _ACCEPTED
        if self.rare and not usual:
            named = ANSWERS[kinds]  # a responder's or an applicant's order has the other number
            numbers = np.where(named, events["other_order_no"], numbers)
            dealt = (kinds == _TRADED) & (events["modality"] == Modality.BULK)
            known = self.first_order_no + self.order_seq.size
            new = (new | named | dealt | (kinds == Event.BULK_OFFERED)) & (numbers >= max(1, known))
            _, first = np.unique(numbers[new], return_index=True)
            numbers, seqs = numbers[new][first], events["seq"][new][first]
            applied = events[kinds == Event.SESSION_APPLIED]
            self.session_seq.update(
                zip(applied["order_no"].tolist(), applied["seq"].tolist(), strict=True)
            )
        else:
            numbers, seqs = numbers[new], events["seq"][new]
        if len(numbers):
            if self.order_seq.size == 0:
                self.first_order_no = int(numbers[0])
            self.order_seq.extend(seqs)

    def order_identity(self, order_no: int) -> str:
        """Return the client order id of an order of the day; a bidding applicant's: of its apply.

        "" if the day does not know the order.
        """
        at = order_no - self.first_order_no
        if not 0 <= at < self.order_seq.size:
            return ""
        command = self.commands.all[int(self.order_seq.all[at]) - self.first_seq]
        if int(command["kind"]) == Kind.NOTICE_SESSION:
            return self.session_identity(int(command["ref"]))
        name: bytes = command["client_order_id"]
        return name.decode()

    def session_identity(self, session_no: int) -> str:
        """Return the client order id of an application for a bidding session, "" if unknown."""
        seq = self.session_seq.get(session_no, -1)
        if seq < self.first_seq:
            return ""
        name: bytes = self.commands.all["client_order_id"][seq - self.first_seq]
        return name.decode()

    def learn_ids(self) -> None:
        """Know the client order ids in the commands (after a restart); read when asked for."""
        self._named = [self._said(0)]
        self._know_ids()

    def _said(self, begin: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which commands from row ``begin`` on carry a client order id, and whose it is."""
        begin = max(0, begin)
        used = self.commands.all[begin:]
        official = used["operator"] >= OFFICE_FIRST
        said = (BY_PEOPLE[used["kind"]] | official) & (used["client_order_id"] != b"")
        owner = np.where(official, office(used["operator"]), used["account"])
        rows = np.flatnonzero(said)
        return begin + rows, owner[rows]

    def _know_ids(self) -> None:
        """Sort by owner what ``_said`` has found."""
        if self._named:
            rows, owners = (np.concatenate(column) for column in zip(*self._named, strict=True))
            self._unread, self._named = dict(_by_owner(rows, owners)), []

    @property
    def ids(self) -> dict[int, dict[str, int]]:
        """All client order ids of the day, by account: each with its (first) command's seq."""
        for account in list(self._unread):
            self.ids_of(account)
        return self._ids

    def ids_of(self, account: int) -> dict[str, int]:
        """Return the account's client order ids of the day, each with its (first) command's seq."""
        found = self._ids.get(account)
        if found is None:
            found = self._ids[account] = {}
        rows = self._unread.pop(account, None) if self._unread else None
        if rows is not None:
            used = self.commands.all
            columns = (used["client_order_id"][rows].tolist(), used["seq"][rows].tolist())
            for identity, seq in zip(*columns, strict=True):
                found.setdefault(identity.decode(), seq)
        return found

    def report_seq(self, account: int) -> int:
        """Return the number of the account's last report of the day, 0 where there is none."""
        stream = self.streams.get(account)
        return len(stream) if stream is not None else 0

    def refs(self, account: int, first_report_seq: int, count: int) -> np.ndarray:
        """Return up to ``count`` refs of the account's stream from ``first_report_seq`` on."""
        stream = self.streams.get(account, array("q"))
        return np.array(stream[first_report_seq - 1 : first_report_seq - 1 + count], np.int64)

    def answers(self, owner: int, seq: int) -> list[tuple[int, int]]:
        """Return (ref, report_seq) of the first report of the command ``seq`` and of its legs.

        Of a kill or a court's freeze, which end orders first, it is the last one.
        """
        at = seq - self.first_seq
        legs = max(1, int(self.commands.all[at]["legs"]))
        last = int(self.commands.all[at]["kind"]) in ANSWERED_LAST
        stream = self.streams[owner]
        found = []
        for place in range(at, at + legs):
            begin, end = self._events_of(place)
            number = bisect_left(stream, 4 * begin)
            if last:
                number = bisect_left(stream, 4 * end) - 1
            found.append((stream[number], number + 1))
        return found

    def _events_of(self, place: int) -> tuple[int, int]:
        """Return where the events of the command in row ``place`` begin and end."""
        begin = int(self.first_event.all[place])
        if place + 1 < self.first_event.size:
            return begin, int(self.first_event.all[place + 1])
        return begin, self.events.size

    def bodies(self, seq: int, count: int) -> bytes:
        """Return ``count`` commands from ``seq`` on as bytes; numbers, times and people blanked."""
        at = seq - self.first_seq
        rows = self.commands.all[at : at + count].copy()
        rows["seq"] = rows["time_ns"] = rows["operator"] = 0
        return rows.tobytes()

    def _readers(
        self, commands: np.ndarray, events: np.ndarray, start: int, usual: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the refs of a batch's events and whose stream each belongs to."""
        kinds = events["kind"]
        private = PRIVATE[kinds] & (events["account"] >= 0)
        position = np.arange(start, start + len(events), dtype=np.int64)
        if usual:  # everybody hears of his own command; of trades the other side too
            traded = kinds == _TRADED
            return (
                np.concatenate((4 * position[private], 4 * position[traded] + 1)),
                np.concatenate((events["account"][private], events["counterparty"][traded])),
            )
        cause = events["seq"] - commands["seq"][0]
        official = commands["operator"] >= OFFICE_FIRST
        asked = BY_PEOPLE[commands["kind"]] & ~official
        private &= (kinds != _REFUSED) | asked[cause]
        sided = TWO_SIDED[kinds] & (events["counterparty"] >= 0)
        parts = [4 * position[private], 4 * position[sided] + 1]
        readers = [events["account"][private], events["counterparty"][sided]]
        told = OFFICIAL[kinds] & official[cause]
        for view, column in ((2, "operator"), (3, "checker")):
            people = commands[column][cause]
            chosen = told & (people >= OFFICE_FIRST)
            parts.append(4 * position[chosen] + view)
            readers.append(office(people[chosen]))
        return np.concatenate(parts), np.concatenate(readers)

    def _streams_grow(self, refs: np.ndarray, owners: np.ndarray, usual: bool) -> list[Group]:
        if len(refs) == 0:
            return []
        groups = []
        for account, mine in _by_owner(refs, owners):
            stream = self.streams.setdefault(account, array("q"))
            groups.append(Group(account, len(stream) + 1, mine, usual))
            stream.frombytes(mine.tobytes())
        return groups

    def _forget(self, first_seq: int) -> None:
        self.first_seq = first_seq
        self.first_order_no = 0
        self.commands = Rows(COMMAND)
        self.events = Rows(EVENT)
        self.first_event = Rows(np.dtype(np.int64))
        self.order_seq = Rows(np.dtype(np.int64))
        self.session_seq, self.rare = {}, False
        self.streams, self._recalled = {}, []
        self._unread, self._named = {}, []  # they are of commands before this one
        for account, ids in self._ids.items():
            self._ids[account] = {each: seq for each, seq in ids.items() if seq > first_seq}
