"""Outside of everything: a process that trades and writes down each answer the moment it comes.

    python -m tests.recovery.recorder URL KEY_ID SECRET NAME COUNT FILE

sends COUNT listings named NAME-0, NAME-1 ..., and adds a line of JSON to FILE for each that is
acknowledged. It ends with its work or with the line. What it wrote outlives whoever is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from gateway import messages as m
from gateway.client import Client, LineLostError

FRAME = 20
PAUSE_S = 0.004


def listings(name: str, count: int) -> list[m.Command]:
    """Return what is sent: nothing of it can meet."""
    return [
        m.List(
            client_order_id=f"{name}-{n}",
            instrument="CEA25",
            side="sell",
            price_ticks=7500 + n % 200,
            qty_tonnes=1 + n % 9,
        )
        for n in range(count)
    ]


async def _send(client: Client, commands: list[m.Command]) -> None:
    frames = []
    for at in range(0, len(commands), FRAME):
        frames.append(asyncio.create_task(client.enter_many(commands[at : at + FRAME])))
        await asyncio.sleep(PAUSE_S)
    await asyncio.gather(*frames, return_exceptions=True)


async def main(arguments: list[str]) -> None:
    url, key_id, secret, name, wanted, path = arguments
    count = int(wanted)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    heard = 0
    async with Client(url, key_id, secret) as client:
        sending = asyncio.create_task(_send(client, listings(name, count)))
        async for report in client.reports():
            assert isinstance(report, m.Accepted), report
            said = [report.seq, report.client_order_id, report.order_no, report.report_seq]
            os.write(file, json.dumps(said).encode() + b"\n")
            heard += 1
            if heard == count:
                break
        await asyncio.gather(sending, return_exceptions=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:]))
    except (LineLostError, OSError) as lost:
        print(f"the line is lost: {lost}")
