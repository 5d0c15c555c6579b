"""An account's keys: its admin makes, changes and takes away keys of its own people (TR-08).

No secret travels: that of a key made here is derived from the asking key's secret and a salt, by
both sides (``keys.derived_secret``). The connections of a changed or revoked key end at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway.authority import ACCOUNT_ROLES
from gateway.keys import SALT_BYTES, Key, Keys, derived_secret
from gateway.wire import trader_messages as t
from gateway.wire.rare_messages import KeyIssued, KeyRevoked

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

KEYS_PER_ACCOUNT_MAX = 64  # the file of keys is written as a whole for each


class People:
    """The handlers of one desk."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        self._desk = desk
        self._keys = keys
        self.handlers: dict[type, Callable[[Any, Any], None]] = {
            t.CreateKey: self._create,
            t.RotateKey: self._rotate,
            t.RevokeKey: self._revoke,
        }

    def _create(self, session: Session, message: t.CreateKey) -> None:
        identity, key_id = message.client_order_id, message.key_id
        if not message.roles or not set(message.roles) <= set(ACCOUNT_ROLES):
            session.refuse("unknown_role", identity)
            return
        name = f"key-{session.account}-{secrets.token_hex(4)}" if key_id is None else key_id
        if not self._desk.valid(session, name):
            return
        if self._keys.find(name) is not None:
            session.refuse("key_exists", identity)
            return
        if len(self._keys.of_account(session.account)) >= KEYS_PER_ACCOUNT_MAX:
            session.refuse("too_many_keys", identity)
            return
        salt = secrets.token_hex(SALT_BYTES)
        secret = derived_secret(_own(session).secret, name, salt)
        key = self._keys.create(session.account, name, message.roles, secret)
        session.say(KeyIssued(identity, key.key_id, key.roles, key.person, salt))

    def _rotate(self, session: Session, message: t.RotateKey) -> None:
        key = self._of_account(session, message)
        if key is not None:
            salt = secrets.token_hex(SALT_BYTES)
            secret = derived_secret(_own(session).secret, key.key_id, salt)
            key = self._keys.rotate(key.key_id, secret)
            answer = (message.client_order_id, key.key_id, key.roles, key.person, salt)
            session.say(KeyIssued(*answer))
            self._desk.end_sessions_of(key.key_id)

    def _revoke(self, session: Session, message: t.RevokeKey) -> None:
        key = self._of_account(session, message)
        if key is not None:
            self._keys.revoke(key.key_id)
            session.say(KeyRevoked(message.client_order_id, key.key_id))
            self._desk.end_sessions_of(key.key_id)

    def _of_account(self, session: Session, message: Any) -> Key | None:
        """Return the named key if it is one of the asker's account, else say it is unknown."""
        key = self._keys.find(message.key_id)
        if key is None or key.account != session.account:
            session.refuse("unknown_key", message.client_order_id)
            return None
        return key


def _own(session: Session) -> Key:
    assert session.key is not None, "only who is logged in gets here"
    return session.key
