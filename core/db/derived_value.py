"""Subqueries that facts are derived by, with an alias of their own."""

from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

PREFIX = "D"
"""Prefix of the aliases. Django gives all others letters after `T`."""


class DerivedValue(Subquery):
    """Value that is derived from other rows, inside conditions at any depth.

    Django renames the aliases of a subquery for each query that it becomes part of. At the third depth it renames a
    reference twice: `WHERE W0.order_id = W0.order_no`, of which the database knows no column. Aliases with a prefix
    of their own are never renamed. One that holds other derived values needs another `prefix` than these.
    """

    def __init__(self, queryset: "QuerySet[Any, Any]", *, prefix: str = PREFIX, **options: Any) -> None:
        super().__init__(queryset, **options)
        query: Any = self.query  # the stubs know none of these
        query.alias_prefix = prefix
        query.subq_aliases = frozenset([prefix])
        query.change_aliases({alias: f"{prefix}{n}" for n, alias in enumerate(query.alias_map)})


def outer(at: Any) -> Any:
    """Return an expression of a row, such as an instant, as an expression inside a subquery of that row."""
    if isinstance(at, OuterRef):
        return OuterRef(at)
    return OuterRef(at.name) if isinstance(at, F) else at  # type: ignore[attr-defined]  # F has one
