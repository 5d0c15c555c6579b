"""What every client of order entry offers: to connect, to ask, to listen, to come back."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar, Unpack

from gateway import messages as m
from gateway import rare_messages as r
from gateway.client.conversation import Conversation, Told
from gateway.client.errors import RefusedError
from gateway.client.orders import Order
from gateway.client.rest import Rest
from gateway.client.terms import DEFAULTS, Options
from gateway.client.wire import Login, endpoint
from gateway.keys import derived_secret

Answer = TypeVar("Answer")


class NewKey(NamedTuple):
    """A key that was made or changed; its secret has not travelled."""

    key_id: str
    secret: str
    roles: tuple[str, ...]


class Line:
    """One logged-in client. Not for use by several event loops.

    Args:
        url: of the venue, ws:// or http://.
        key_id: the key to log in with.
        secret: its secret, which never travels.
        options: see ``gateway.client.terms.Options``.
    """

    def __init__(self, url: str, key_id: str, secret: str, **options: Unpack[Options]) -> None:
        unknown = options.keys() - DEFAULTS.keys()
        if unknown:
            raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
        chosen: Options = {**DEFAULTS, **options}
        self.url = url
        self.key_id = key_id
        self._secret = secret
        prefix = f"/{chosen['market']}" if chosen["market"] else ""
        self._rest = Rest(url, prefix, key_id, secret)
        login = Login(
            key_id=key_id,
            secret=secret,
            cancel_on_disconnect=chosen["cancel_on_disconnect"],
            grace_ms=chosen["grace_ms"],
            heartbeat_ms=chosen["heartbeat_ms"],
        )
        self._talk = Conversation(
            endpoint(url, prefix + "/ws/trade", "ws"),
            login,
            reconnect=chosen["reconnect"],
            away_max_s=chosen["away_max_s"],
            waits=chosen["on_rate_limit"] == "wait",
        )
        self._prefix = secrets.token_hex(4)
        self._count = 0

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self) -> m.Welcome:
        """Connect and log in; whatever ``reconnect`` says, the first time has to work.

        Raises:
            RefusedError: ``bad_credentials``. OSError: there is no venue at the address.
            LineLostError: it went away meanwhile.
        """
        return await self._talk.link.start()

    async def close(self) -> None:
        """Log out and let go; orders stay in the book."""
        await self._talk.close()

    def abort(self) -> None:
        """Cut the line without a good bye, as if the network had broken: for drills."""
        self._talk.link.abort()

    # what this client was told

    @property
    def orders(self) -> dict[int, Order]:
        """Every order this client was told of, by number."""
        return self._talk.own.by_number

    @property
    def open_orders(self) -> list[Order]:
        """Those of ``orders`` that rest in the book."""
        return self._talk.own.open

    @property
    def fills(self) -> list[m.Filled]:
        """The day's fills this client was told of, in order."""
        return self._talk.own.fills

    @property
    def account(self) -> m.Snapshot | None:
        """Money, holdings and open orders as of the last ``snapshot``."""
        return self._talk.account

    @property
    def welcome(self) -> m.Welcome | None:
        """What the venue said at the last login."""
        return self._talk.welcome

    @property
    def bye(self) -> m.Bye | None:
        """What the venue said when it last closed a line."""
        return self._talk.bye

    @property
    def phase(self) -> str:
        """Part of the trading day (TR-30…34): morning, lunch, afternoon …"""
        return self._talk.phase

    @property
    def last_report_seq(self) -> int:
        """Number of the last report of the day that was taken in."""
        return self._talk.stream.last

    @property
    def connected(self) -> bool:
        """Whether the line is up now."""
        return self._talk.link.up

    @property
    def reconnects(self) -> int:
        """How often the line was lost and came back."""
        return max(0, self._talk.line - 1)

    # questions

    async def status(self, client_order_id: str) -> m.Status:
        """Ask what became of the command with this id today: accepted, refused or unknown."""
        request = m.StatusRequest(client_order_id=client_order_id)
        return await self._talk.question(request, m.Status, client_order_id)

    async def ping(self) -> m.Pong:
        """Ask whether the venue is there."""
        self._count += 1
        return await self._talk.question(m.Ping(ref=self._count), m.Pong, self._count)

    async def snapshot(self) -> m.Snapshot:
        """Ask what the account has now; ``account``, ``orders`` and ``open_orders`` follow it."""
        return await self._talk.question(m.SnapshotRequest(), m.Snapshot)

    async def limits(self) -> m.LimitsNow:
        """Ask what may be sent, and how much of it is left."""
        return await self._talk.question(m.LimitsRequest(), m.LimitsNow)

    async def resume(self, after: int) -> m.StreamResumed:
        """Be told today's reports after this number again, then go on with the newest.

        For a program that was started anew and remembers ``last_report_seq``: call ``reports``
        first, then this. ``orders`` and ``fills`` then hold what is told from there on.

        Raises:
            RefusedError: ``resume_ahead``, there is no such number yet.
        """
        return await self._talk.question(self._talk.rewind(after), m.StreamResumed)

    def reports(self) -> AsyncIterator[Told]:
        """Return an iterator over every report from now on, each once, in order of number.

        It goes on over lost lines. Where numbers cannot tell what was missed, as the day changed
        meanwhile, a ``Snapshot`` comes between: so things stand now. It ends with the client.
        """
        queue = self._talk.listen()

        async def told() -> AsyncIterator[Told]:
            try:
                while (report := await queue.get()) is not None:
                    yield report
            finally:
                self._talk.leave(queue)

        return told()

    async def get(self, target: str) -> Any:
        """Return a REST page, signed, e.g. ``get("/api/orders?open=true")``.

        Raises:
            RefusedError: the venue's code and sentence.
        """
        return await self._rest.request("GET", target)

    async def post(self, target: str, content: Any) -> Any:
        """Send ``content`` as JSON to a REST page, signed, and return the answer. Raises as get."""
        return await self._rest.request("POST", target, content)

    # inside: commands

    def _make(self, kind: Any, given: Mapping[str, object], **fields: object) -> Any:
        """Return a command of these fields and of what the caller gave by keyword."""
        made = {**fields, **given}
        if "qty" in made:
            made["qty_tonnes"] = made.pop("qty")
        if made.get("client_order_id") is None:
            self._count += 1
            made["client_order_id"] = f"{self._prefix}-{self._count}"
        return kind(**made)

    async def _ask(
        self, answer: type[Answer], kind: Any, given: Mapping[str, object], **fields: object
    ) -> Answer:
        """Send one command; return the order, or the report, that answers it."""
        outcome = await self._outcome(self._make(kind, given, **fields))
        assert isinstance(outcome, answer), f"answered by {outcome}"
        return outcome

    async def _outcome(self, command: m.Command) -> Any:
        outcome = (await self._talk.enter([command]))[0]
        if isinstance(outcome, RefusedError):
            raise outcome
        return outcome

    def _new_key(self, issued: r.KeyIssued) -> NewKey:
        secret = derived_secret(self._secret, issued.key_id, issued.salt)
        return NewKey(issued.key_id, secret, issued.roles)
