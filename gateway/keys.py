"""Keys: who may log in, in which roles, and the signatures that prove it.

A key is an id and a secret of one person: of an account's people, or of an institution (account
-1). The secret never travels: on the socket the client signs the venue's nonce, over REST it signs
the request, and the secret of a key made over the wire is derived on both sides from the asker's.
Keys lie in the data directory, readable by the owner only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gateway.authority import ACCOUNT_ROLES, OFFICE_ROLES, PROVINCIAL_AUTHORITY, TRADER, VIEWER

VERSION = 3
READABLE = (2, VERSION)  # 2 had no provinces
CLOCK_WINDOW_US = 60_000_000  # a signature is good for a minute around the venue's wall clock
NOBODY_SECRET = secrets.token_hex(32)
NO_ACCOUNT = -1
OFFICE_FIRST = 1_000_000  # numbers of institutions' people; those of accounts lie below
SALT_BYTES = 16


class Key(NamedTuple):
    """A key of ``account`` (-1: of an institution) with its roles; ``person`` never changes.

    ``province`` (two digits, GB/T 2260) is what a provincial authority is for; else empty.
    """

    key_id: str
    secret: str
    account: int
    roles: tuple[str, ...]
    person: int
    name: str = ""
    province: str = ""


def login_signature(secret: str, nonce: str, time_us: int) -> str:
    """Return what a client sends as ``signature`` in ``login``: hex HMAC-SHA256."""
    return _sign(secret, f"{nonce}:{time_us}")


def request_signature(
    secret: str, time_us: int, method: str, target: str, body: bytes = b""
) -> str:
    """Return the ``X-Tanshi-Signature`` of a REST request; ``target`` is path and query.

    Where there is a body, its hex SHA-256 is signed as well.
    """
    return _sign(secret, _request_text(time_us, method, target, body_sha256(body)))


def body_sha256(body: bytes) -> str:
    """Return what is signed of a body: its hex SHA-256, nothing where there is none."""
    return hashlib.sha256(body).hexdigest() if body else ""


def derived_secret(secret: str, key_id: str, salt: str) -> str:
    """Return the secret of a key that the owner of ``secret`` had made: hex HMAC-SHA256."""
    return _sign(secret, f"{key_id}:{salt}")


def _request_text(time_us: int, method: str, target: str, digest: str) -> str:
    return f"{time_us}:{method}:{target}" + (f":{digest}" if digest else "")


def _sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


class Keys:
    """All keys of one market's venue, kept in ``path`` with mode 0600.

    The file says whose keys it holds from the first time a venue opens it (``market``): accounts
    have numbers of their own in each market, so the keys of one mean nobody in another.
    """

    def __init__(self, path: Path, market: str = "") -> None:
        """Read the keys; without ``market`` as a tool that leaves open whose they are.

        Raises:
            ValueError: the file was written by a later build, or holds another market's keys.
        """
        self.path = path
        self.market = market
        self._keys: dict[str, Key] = {}
        self._next = {"person": 1, "office": OFFICE_FIRST}
        self._seen: tuple[int, int] = (0, 0)
        self._marked = ""  # the market that the file names
        self._look()
        if market and self._keys and not self._marked:
            self._save()

    def _look(self) -> None:
        """Read the file if it is another than what is known: another process may add keys.

        Raises:
            ValueError: see ``__init__``.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return
        if (found.st_mtime_ns, found.st_ino) == self._seen:
            return
        content = json.loads(self.path.read_text())
        if isinstance(content, list):
            content = _upgraded(content)
        if content["version"] not in READABLE:
            raise ValueError(f"{self.path.name} has version {content['version']}, not {VERSION}")
        self._marked = content.get("market", "")
        if self._marked and self.market and self._marked != self.market:
            raise ValueError(
                f"{self.path.name} holds keys of market {self._marked}, not {self.market}"
            )
        rows = [Key(**{**row, "roles": tuple(row["roles"])}) for row in content["keys"]]
        self._keys = {key.key_id: key for key in rows}
        self._next = content["next"]
        self._seen = (found.st_mtime_ns, found.st_ino)

    def __len__(self) -> int:
        return len(self._keys)

    def create(
        self,
        account: int,
        key_id: str | None = None,
        roles: Sequence[str] = ACCOUNT_ROLES,
        secret: str | None = None,
    ) -> Key:
        """Make and keep a key of ``account``, in all roles unless told otherwise.

        Raises:
            ValueError: the key id is taken, a role is none, or there is none.
        """
        return self._create(account, key_id, roles, ACCOUNT_ROLES, "", secret)

    def create_office(
        self, role: str, name: str = "", key_id: str | None = None, province: str = ""
    ) -> Key:
        """Make and keep a key of a person of an institution.

        Raises:
            ValueError: as above; or a provincial authority has no province, or another role has.
        """
        wanted = 2 if role == PROVINCIAL_AUTHORITY else 0
        if len(province) != wanted or (wanted and not (province.isascii() and province.isdigit())):
            raise ValueError(f"a {PROVINCIAL_AUTHORITY} has a province of two digits, others none")
        return self._create(NO_ACCOUNT, key_id, (role,), OFFICE_ROLES, name, None, province)

    def create_many(self, wanted: list[tuple[int, str]]) -> list[Key]:
        """Make keys for (account, key id) pairs and write the file once; known ids are returned."""
        self._look()
        found = []
        for account, name in wanted:
            key = self._keys.get(name)
            if key is None:
                key = self._add(account, name, ACCOUNT_ROLES, "", secrets.token_hex(32))
            found.append(key)
        self._save()
        return found

    def rotate(self, key_id: str, secret: str) -> Key:
        """Give a key another secret; person and roles stay. KeyError: there is no such key."""
        self._look()
        key = self._keys[key_id]._replace(secret=secret)
        self._keys[key_id] = key
        self._save()
        return key

    def revoke(self, key_id: str) -> None:
        """Forget a key; its person's number is never given again. KeyError: there is none."""
        self._look()
        del self._keys[key_id]
        self._save()

    def find(self, key_id: str) -> Key | None:
        """Return the key of this id."""
        self._look()
        return self._keys.get(key_id)

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
        self,
        key_id: str,
        time_us: int,
        method: str,
        target: str,
        signature: str,
        now_us: int,
        body_sha256: str = "",
    ) -> Key | None:
        """Return the key whose owner signed the REST request, or None (in constant time).

        ``body_sha256``: hex SHA-256 of the body, "" where there is none.
        """
        fresh = abs(now_us - time_us) <= CLOCK_WINDOW_US
        text = _request_text(time_us, method, target, body_sha256)
        return self._check(key_id, text, signature, fresh=fresh)

    def _check(self, key_id: str, text: str, signature: str, *, fresh: bool) -> Key | None:
        self._look()  # always, so that known and unknown ids take the same time
        key = self._keys.get(key_id)
        expected = _sign(key.secret if key else NOBODY_SECRET, text).encode()
        same = hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
        return key if same and fresh else None

    def _create(
        self,
        account: int,
        key_id: str | None,
        roles: Sequence[str],
        allowed: Sequence[str],
        name: str,
        secret: str | None,
        province: str = "",
    ) -> Key:
        self._look()
        if not roles or not set(roles) <= set(allowed):
            raise ValueError(f"roles are some of {', '.join(allowed)}")
        taken = key_id or f"key-{account if account >= 0 else roles[0]}-{secrets.token_hex(4)}"
        if taken in self._keys:
            raise ValueError(f"there is a key {taken!r} already")
        key = self._add(account, taken, roles, name, secret or secrets.token_hex(32), province)
        self._save()
        return key

    def _add(
        self,
        account: int,
        key_id: str,
        roles: Sequence[str],
        name: str,
        secret: str,
        province: str = "",
    ) -> Key:
        count = "person" if account >= 0 else "office"
        person = self._next[count]
        self._next[count] = person + 1
        ordered = tuple(role for role in (*ACCOUNT_ROLES, *OFFICE_ROLES) if role in roles)
        self._keys[key_id] = Key(key_id, secret, account, ordered, person, name, province)
        return self._keys[key_id]

    def _save(self) -> None:
        rows = [key._asdict() for key in self._keys.values()]
        market = self.market or self._marked
        content = {"version": VERSION, "market": market, "next": self._next, "keys": rows}
        beside = self.path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self.path)
        found = self.path.stat()
        self._seen = (found.st_mtime_ns, found.st_ino)


def _upgraded(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Read the file of a build that had scopes: trade becomes trader and viewer, read viewer."""
    keys = []
    for person, row in enumerate(rows, start=1):
        roles = (VIEWER, TRADER) if "trade" in row["scopes"] else (VIEWER,)
        plain = {name: row[name] for name in ("key_id", "secret", "account")}
        keys.append({**plain, "roles": roles, "person": person})
    following = {"person": len(rows) + 1, "office": OFFICE_FIRST}
    return {"version": VERSION, "next": following, "keys": keys}
