"""The yardstick of the gateway: the same frames on the same stack, and nothing done with them.

    python -m benchmarks.echo_server [CORE]

FastAPI on uvicorn with the venue's own socket and server options. Per connection a reader task,
which decodes each order in one typed pass, and a writer task, which sends the acknowledgements that
wait as one array. An acknowledgement names the order's id and gives it a number, a place and a
time. No login, no checks, no exchange, no disk. Prints its port as JSON; SIGTERM ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from gateway.serve import FRAME_BYTES_CEILING, listening_socket
from gateway.wire.messages import Cancel, List

Order = List | Cancel


class Accepted(msgspec.Struct, tag_field="type", tag="accepted", gc=False):
    """The least a client has to be told."""

    client_order_id: str
    order_no: int
    seq: int
    time_us: int


_decode = msgspec.msgpack.Decoder(Order | list[Order]).decode
_encode = msgspec.msgpack.Encoder().encode


class Echo:
    """One for all connections: gives out numbers."""

    def __init__(self) -> None:
        self._seq = 0

    def answered(self, frame: bytes) -> list[Accepted]:
        """Return an acknowledgement for each order of a frame."""
        found: Any = _decode(frame)
        orders = found if type(found) is list else [found]
        now_us, seq = time.time_ns() // 1000, self._seq
        self._seq = seq + len(orders)
        return [
            Accepted(order.client_order_id, number, number, now_us)
            for number, order in enumerate(orders, seq + 1)
        ]

    async def serve(self, socket: WebSocket) -> None:
        """Answer one connection until it ends."""
        await socket.accept(subprotocol="msgpack.v1")
        waiting: list[Accepted] = []
        wake = asyncio.Event()

        async def write() -> None:
            while True:
                await wake.wait()
                wake.clear()
                acks = waiting.copy()
                waiting.clear()
                await socket.send_bytes(_encode(acks[0] if len(acks) == 1 else acks))

        writer = asyncio.create_task(write())
        try:
            while True:
                waiting += self.answered(await socket.receive_bytes())
                wake.set()
        except WebSocketDisconnect:
            writer.cancel()


def main(core: int | None) -> None:
    """Serve until SIGTERM."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    app, echo = FastAPI(), Echo()
    app.websocket("/ws/trade")(echo.serve)
    listening = listening_socket("127.0.0.1", 0)
    listening.listen()  # who reads the port may connect at once
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)  # noqa: T201
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=FRAME_BYTES_CEILING,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
