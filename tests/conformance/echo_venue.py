"""An echo on the very stack and settings that serve the venue: what the RFC's cases talk to.

Run as a program it prints its port, then echoes until its standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from gateway.serve import listening_socket, server_config

app = FastAPI()


@app.websocket("/")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while (message := await socket.receive())["type"] == "websocket.receive":
            if message.get("text") is not None:
                await socket.send_text(message["text"])
            else:
                await socket.send_bytes(message["bytes"])


async def main() -> None:
    listening = listening_socket("127.0.0.1", 0)
    config = server_config(app)
    config.ws_max_size = 20 * 2**20  # the cases' own messages are up to 16 MiB
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    print(listening.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(main())
