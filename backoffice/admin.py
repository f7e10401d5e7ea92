"""Registration of every table in the operators' workspace; rows are read here, and changed through the verbs."""

from backoffice.data import (
    allowances,
    decisions,
    demo_clock,
    grants,
    offers,
    quarantine,
    tick_runs,
    users,
    webhooks,
    workflow,
)

__all__ = [
    "allowances",
    "decisions",
    "demo_clock",
    "grants",
    "offers",
    "quarantine",
    "tick_runs",
    "users",
    "webhooks",
    "workflow",
]
