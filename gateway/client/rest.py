"""Signed REST requests of one key."""

from __future__ import annotations

import time
from typing import Any

import httpx
import msgspec

from gateway.client.errors import RefusedError
from gateway.client.wire import endpoint
from gateway.keys import request_signature


class Rest:
    """The pages of a venue; ``prefix``: the path of its market, "" for the first one."""

    def __init__(self, url: str, prefix: str, key_id: str, secret: str) -> None:
        self._url = url
        self._prefix = prefix
        self._key_id = key_id
        self._secret = secret

    async def request(self, method: str, target: str, content: Any = None) -> Any:
        """Return what a page answers.

        Raises:
            RefusedError: the venue's code and sentence.
        """
        now_us, path = time.time_ns() // 1000, self._prefix + target
        body = b"" if content is None else msgspec.json.encode(content)
        headers = {
            "X-Tanshi-Key": self._key_id,
            "X-Tanshi-Time": str(now_us),
            "X-Tanshi-Signature": request_signature(self._secret, now_us, method, path, body),
        }
        if body:
            headers["Content-Type"] = "application/json"
        async with httpx.AsyncClient() as web:
            address = endpoint(self._url, path, "http")
            found = await web.request(method, address, headers=headers, content=body or None)
        answer = found.json()
        if found.status_code not in (200, 201):
            raise RefusedError(answer["code"], answer["reason"])
        return answer
