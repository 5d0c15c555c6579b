"""Schemas of their own for tests on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Generator

import psycopg
from sqlalchemy.engine import make_url


def new_schema(postgres: str) -> Generator[str]:
    """Give the URL of an empty schema of its own; drop it afterwards."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    plain = make_url(postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    _administer(plain, f'CREATE SCHEMA "{name}"')
    try:
        yield (
            make_url(postgres)
            .update_query_dict({"options": f"-csearch_path={name}"})
            .render_as_string(hide_password=False)
        )
    finally:
        _administer(plain, f'DROP SCHEMA "{name}" CASCADE')


def _administer(plain: str, statement: str) -> None:
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(statement.encode())
