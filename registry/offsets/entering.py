"""Projects and batches as requests of a maker that a checker approves (VM-06, ST-07)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from registry.offsets.registering import (
    NewBatch,
    NewProject,
    Paper,
    add_batch,
    add_project,
    refuse_other_market,
)
from registry.profiles import Profile

# The values of each request, by name and type (registry.actions); an owner is a trading index.
PROJECT = {
    "code": "text",
    "name": "text",
    "type": "text",
    "owner": "account",
    "methodology": "text",
    "installation": "text",
    "covered": "flag",
    "document": "text",
}
BATCH = {
    "code": "text",
    "project": "text",
    "registered": "number",
    "period_first": "number",
    "period_last": "number",
    "tonnes": "tonnes",
    "document": "text",
}


def project(tx: Connection, values: Mapping[str, Any], paper: Paper, profile: Profile) -> None:
    """Enter a project; RefusalError as ``registering.add_project``, and market_invalid."""
    refuse_other_market(profile)
    add_project(tx, NewProject(**{name: values[name] for name in NewProject._fields}), paper)


def batch(tx: Connection, values: Mapping[str, Any], paper: Paper, profile: Profile) -> int:
    """Register a batch and issue it; return the transaction; RefusalError as ``add_batch``."""
    refuse_other_market(profile)
    new = NewBatch(**{name: values[name] for name in NewBatch._fields})
    return add_batch(tx, new, paper).transaction
