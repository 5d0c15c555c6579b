"""Batches whose every byte follows from their numbers, so that what is read can be foretold."""

import numpy as np

from engine.records import Kind, commands


def batch_from(first_seq: int, count: int) -> np.ndarray:
    batch = commands(count)
    batch["seq"] = np.arange(first_seq, first_seq + count)
    batch["time_ns"] = 10**18 + batch["seq"]
    batch["kind"] = Kind.LIST
    batch["qty_tonnes"] = batch["seq"] * 7
    batch["client_order_id"] = [f"order-{seq}".encode() for seq in batch["seq"]]
    return batch
