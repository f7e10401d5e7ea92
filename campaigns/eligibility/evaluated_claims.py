"""Evaluated claims: all undecided claims of an offer with the conditions that each fails, in a temporary table.

In a tick over everything the conditions cost more than anything else. They are worked out once, by one statement that
sees one state of the facts; the refusals and the claims that pass are read from the table. It needs no statistics: it
is only read from end to end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.eligibility import claims
from campaigns.offers.published_offers import PublishedOffer
from core.db import temporary_tables

CHUNK = 5_000


@dataclass(frozen=True)
class EvaluatedClaims:
    """Claims of an offer in the temporary `table`, with the columns of `claims.evaluated`.

    It lasts until the transaction ends or the offer is evaluated again.
    """

    table: str
    _build: Callable[[list[Any]], Iterator[claims.Subject]]

    def passed(self) -> Iterator[claims.Subject]:
        """Stream the claims that meet every condition, in the order of claim time and key."""
        with connection.chunked_cursor() as cursor:
            cursor.execute(f"SELECT * FROM {self.table} WHERE x_failed = 0 ORDER BY claimed_at, pk")  # noqa: S608  own name
            while rows := cursor.fetchmany(CHUNK):
                yield from self._build(rows)


def evaluate(offer: PublishedOffer, rows: claims.Rows) -> EvaluatedClaims:
    """Evaluate the conditions of `rows` now. Call it in a transaction."""
    query, build = claims.evaluated(offer, rows)
    compiler: Any = query.order_by().query.get_compiler(connection=connection)
    statement, parameters = compiler.as_sql()
    converters = compiler.get_converters([column for column, *_ in compiler.select])
    table = temporary_tables.create_as(f"evaluated_{offer.id}", statement, parameters)
    return EvaluatedClaims(table, lambda rows: map(build, map(tuple, compiler.apply_converters(rows, converters))))
