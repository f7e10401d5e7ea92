"""Sets of keys that a query selects, evaluated before other statements use them.

As a subquery of another statement, a union over several tables would be planned together with it: PostgreSQL guesses
how many keys there are, and reads whole tables once a key if it guesses too few. Few keys become values of the
statement, and many a temporary table with statistics of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import BooleanField, F, Func, Model, Q, QuerySet

from core.db import planner_hints, temporary_tables

FEW = 1_000


@dataclass(frozen=True)
class KeySet:
    """Keys: `few` of them, or many in the temporary `table`."""

    few: Sequence[str] = ()
    table: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.few or self.table)

    def contains(self, field: str) -> Q:
        """Return the filter of the rows whose `field` is in the set."""
        return Q(_InTable(F(field), table=self.table)) if self.table else Q(**{f"{field}__in": self.few})


class _InTable(Func):
    output_field = BooleanField()
    template = "%(expressions)s IN (SELECT selected_key FROM %(table)s)"


def materialize(keys: QuerySet[Model, str], *, name: str) -> KeySet:
    """Return the keys that the query selects now. Call it in a transaction.

    The set lasts until the transaction ends or another set of the same `name` is made.
    """
    few = list(keys[: FEW + 1])
    if len(few) <= FEW:
        return KeySet(few=sorted(set(few)))
    statement, parameters = keys.query.sql_with_params()
    collation = 'COLLATE "C"' if connection.vendor == "postgresql" else ""
    table = temporary_tables.create(f"selected_{name}", f"selected_key varchar(129) {collation} UNIQUE")
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} SELECT DISTINCT * FROM ({statement}) AS keys", parameters)  # noqa: S608  own name
    planner_hints.analyze_table(table)
    return KeySet(table=table)
