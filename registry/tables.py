"""Every room's tables in one place: whoever creates or migrates a database imports this."""

from __future__ import annotations

from registry import offices, schema
from registry.compliance import carry_schema
from registry.compliance import schema as compliance_schema
from registry.monitoring import report_schema
from registry.monitoring import schema as monitoring_schema
from registry.offsets import schema as offsets_schema

metadata = schema.metadata
APPEND_ONLY = (
    *schema.APPEND_ONLY,
    *offices.APPEND_ONLY,
    *monitoring_schema.APPEND_ONLY,
    *report_schema.APPEND_ONLY,
    *compliance_schema.APPEND_ONLY,
    *carry_schema.APPEND_ONLY,
    *offsets_schema.APPEND_ONLY,
)
