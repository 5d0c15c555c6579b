"""Keys: who may log in for which account, and the signatures that prove it.

A key is an id and a secret. The secret never travels: on the socket the client signs the venue's
nonce, over REST it signs the request. Keys lie in the data directory, readable by the owner only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

CLOCK_WINDOW_US = 60_000_000  # a signature is good for a minute around the venue's wall clock
NOBODY_SECRET = secrets.token_hex(32)
TRADE, READ = "trade", "read"


class Key(NamedTuple):
    """A key of ``account``; ``scopes`` are ``trade`` (which includes reading) and ``read``."""

    key_id: str
    secret: str
    account: int
    scopes: tuple[str, ...]


def login_signature(secret: str, nonce: str, time_us: int) -> str:
    """Return what a client sends as ``signature`` in ``login``: hex HMAC-SHA256."""
    return _sign(secret, f"{nonce}:{time_us}")


def request_signature(secret: str, time_us: int, method: str, target: str) -> str:
    """Return the ``X-Tanshi-Signature`` of a REST request; ``target`` is path and query."""
    return _sign(secret, f"{time_us}:{method}:{target}")


def _sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


class Keys:
    """All keys of a venue, kept in ``path`` with mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[str, Key] = {}
        self._seen_ns = 0
        self._look()

    def _look(self) -> None:
        """Read the file if it is newer than what is known: another process may add keys."""
        try:
            changed_ns = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed_ns == self._seen_ns:
            return
        for row in json.loads(self.path.read_text()):
            key = Key(row["key_id"], row["secret"], row["account"], tuple(row["scopes"]))
            self._keys[key.key_id] = key
        self._seen_ns = changed_ns

    def __len__(self) -> int:
        return len(self._keys)

    def create(
        self, account: int, key_id: str | None = None, scopes: tuple[str, ...] = (TRADE, READ)
    ) -> Key:
        """Make and keep a key of ``account``.

        Raises:
            ValueError: the key id is taken.
        """
        self._look()
        name = key_id or f"key-{account}-{secrets.token_hex(4)}"
        if name in self._keys:
            raise ValueError(f"there is a key {name!r} already")
        key = Key(name, secrets.token_hex(32), account, scopes)
        self._keys[name] = key
        self._save()
        return key

    def create_many(self, wanted: list[tuple[int, str]]) -> list[Key]:
        """Make keys for (account, key id) pairs and write the file once; known ids are returned."""
        self._look()
        found = []
        for account, name in wanted:
            key = self._keys.get(name)
            if key is None:
                key = Key(name, secrets.token_hex(32), account, (TRADE, READ))
                self._keys[name] = key
            found.append(key)
        self._save()
        return found

    def of_account(self, account: int) -> list[Key]:
        """Return the account's keys."""
        return [key for key in self._keys.values() if key.account == account]

    def check_login(
        self, key_id: str, nonce: str, time_us: int, signature: str, now_us: int
    ) -> Key | None:
        """Return the key whose owner signed the nonce, or None (in constant time)."""
        return self._check(
            key_id, f"{nonce}:{time_us}", signature, fresh=abs(now_us - time_us) <= CLOCK_WINDOW_US
        )

    def check_request(
        self, key_id: str, time_us: int, method: str, target: str, signature: str, now_us: int
    ) -> Key | None:
        """Return the key whose owner signed the REST request, or None (in constant time)."""
        fresh = abs(now_us - time_us) <= CLOCK_WINDOW_US
        return self._check(key_id, f"{time_us}:{method}:{target}", signature, fresh=fresh)

    def _check(self, key_id: str, text: str, signature: str, *, fresh: bool) -> Key | None:
        self._look()  # always, so that known and unknown ids take the same time
        key = self._keys.get(key_id)
        expected = _sign(key.secret if key else NOBODY_SECRET, text).encode()
        same = hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
        return key if same and fresh else None

    def _save(self) -> None:
        rows = [key._asdict() for key in self._keys.values()]
        beside = self.path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(rows, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self.path)
        self._seen_ns = self.path.stat().st_mtime_ns
