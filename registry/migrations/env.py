"""Run by Alembic: the migrations work on the connection they are given, in its transaction."""

from __future__ import annotations

from alembic import context

from registry.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
