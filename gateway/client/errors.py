"""What can go wrong for a client: the venue said no, or nobody can say what it did."""

from __future__ import annotations


class RefusedError(Exception):
    """The venue said no; nothing happened. ``code`` is stable, ``sentence`` is for people.

    ``retry_ms``: with ``rate_limited``, how long to wait.
    """

    def __init__(
        self,
        code: str,
        sentence: str,
        clauses: str = "",
        order_id: str = "",
        retry_ms: int = 0,
    ) -> None:
        super().__init__(f"{sentence} [{code}]")
        self.code = code
        self.sentence = sentence
        self.clauses = clauses
        self.client_order_id = order_id
        self.retry_ms = retry_ms


class LineLostError(Exception):
    """The line is lost. Without ``reconnect`` the outcome of what was asked is unknown."""


class OutcomeUnknownError(LineLostError):
    """The venue stayed away too long: what became of ``client_order_id`` has to be asked later.

    ``status(client_order_id)`` tells it, or the same command with the same id: it is never done
    twice on one day.
    """

    def __init__(self, text: str, client_order_id: str = "") -> None:
        super().__init__(f"{text} ({client_order_id})" if client_order_id else text)
        self.client_order_id = client_order_id


class NeverSentError(LineLostError):
    """The venue could not be reached in time: what was asked was not sent, nothing happened."""
