"""Format 3: accounts, ledger, evening, the registry's people, and requests of subjects."""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect, text

from registry.migrations import frozen

revision = "3"
down_revision = None


def upgrade() -> None:
    """Create the tables; books of format 2 lack only the requests of subjects."""
    tx = op.get_bind()
    statements = frozen(3, tx.dialect.name)
    if not inspect(tx).has_table("formats"):
        for statement in statements:
            tx.exec_driver_sql(statement)
        return
    for statement in statements:
        if " asked" in statement.partition("\n")[0]:
            tx.exec_driver_sql(statement)
    tx.execute(text("UPDATE formats SET format = 3"))
