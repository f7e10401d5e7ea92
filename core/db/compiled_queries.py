"""Queries that are put together once a process and then asked again and again with other values.

Django takes a millisecond or more to put a statement together, and PostgreSQL as much to plan it: more than a claim
takes in all. Such a query is written with Django like any other, with `Given` where a value differs from one time to
the next; PostgreSQL keeps its plan (docs/decisions/0018-kept-statements.md).
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, DateTimeField, Expression, F, Field, Func, IntegerField, QuerySet, TextField

from core.db.pipeline import execute_deferred

MOST = 2_000
"""Statements that are kept; those not asked for longest make room."""
Values = tuple[Any, ...]


class Parameter(Expression):
    """The place of a value that is given each time the query is asked."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, _compiler: Any, _connection: Any) -> Any:
        """The value's place in the statement, and this as what stands for it among the parameters."""
        return "%s", [self]


class AnyOfParameter(Func):
    """Whether a text, or a number, is one of a given list of such."""

    output_field = BooleanField()

    def __init__(self, field: str, name: str, *, numbers: bool = False) -> None:
        super().__init__(F(field), Parameter(name, TextField()))
        self.numbers = numbers

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """An array is one parameter, however long it is; an index looks each of its values up."""
        kind = "bigint[]" if self.numbers else "text[]"
        return self.as_sql(compiler, connection, template=f"%(expressions)s::{kind})", arg_joiner=" = ANY (")

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, Any]:
        """The same with a list in JSON."""
        joiner = " IN (SELECT value FROM json_each("
        return self.as_sql(compiler, connection, template="%(expressions)s))", arg_joiner=joiner)


def instant(name: str) -> Parameter:
    """The place of an aware instant."""
    return Parameter(name, DateTimeField())


def text(name: str) -> Parameter:
    """The place of a text."""
    return Parameter(name, TextField())


def number(name: str) -> Parameter:
    """The place of a whole number."""
    return Parameter(name, IntegerField())


class CompiledQuery:
    """A query of values, put together when it is first asked, and what is made of each of its rows."""

    def __init__(self, rows: "QuerySet[Any, Any]", build: Callable[[Values], Any] | None = None) -> None:
        self._build = build
        self._compiler: Any = rows.query.get_compiler(connection=connection)
        self._sql = ""
        self._parameters: list[Any] = []
        self._arrays = connection.vendor == "postgresql"
        self._instant = connection.ops.adapt_datetimefield_value
        try:
            self._sql, parameters = self._compiler.as_sql()
            self._converters = self._compiler.get_converters([column for column, *_ in self._compiler.select])
            self._keep(parameters)
        except EmptyResultSet:
            pass  # no row can meet it

    def _keep(self, parameters: tuple[Any, ...]) -> None:
        """What never changes becomes part of the text on PostgreSQL: its plan then knows of it."""
        if not self._arrays:
            self._parameters = list(parameters)
            return
        connection.ensure_connection()
        literal = psycopg.ClientCursor(connection.connection)
        rest = iter(parameters)

        def fill(place: "re.Match[str]") -> str:
            if place[0] == "%%":
                return place[0]
            value = next(rest)
            if isinstance(value, Parameter):
                self._parameters.append(value)
                return place[0]
            return literal.mogrify("%s", [value]).replace("%", "%%")

        self._sql = re.sub("%[%s]", fill, self._sql)

    def __call__(self, **given: object) -> list[Any]:
        """The rows for what is given: instants, numbers, texts, lists of texts or numbers."""
        return self.send(**given)()

    def send(self, **given: object) -> Callable[[], list[Any]]:
        """As when it is called; the rows are had by calling what is returned (`prepared.send`)."""
        if not self._sql:
            return list
        bound = [self._bound(given[one.name]) if isinstance(one, Parameter) else one for one in self._parameters]
        fetch = execute_deferred(self._sql, bound)
        return lambda: self._made(fetch())

    def _made(self, found: list[Any]) -> list[Any]:
        rows = map(tuple, self._compiler.apply_converters(found, self._converters)) if self._converters else found
        return list(map(self._build, rows) if self._build else rows)

    def _bound(self, value: object) -> Any:
        if isinstance(value, list | tuple):
            return list(value) if self._arrays else json.dumps(value)
        return self._instant(value) if isinstance(value, datetime) else value


def compiled_query(compose: Callable[..., Any]) -> Callable[..., CompiledQuery]:
    """Keep the query that a function composes for each of its arguments; those that have a `key` are known by it.

    The function returns the query, or the query and what makes something of each row.
    """
    known: OrderedDict[Hashable, CompiledQuery] = OrderedDict()

    def of(*arguments: Any) -> CompiledQuery:
        key = tuple(getattr(argument, "key", argument) for argument in arguments)
        if key not in known:
            composed = compose(*arguments)
            known[key] = CompiledQuery(*composed) if isinstance(composed, tuple) else CompiledQuery(composed)
            if len(known) > MOST:
                known.popitem(last=False)
        return known[key]

    return of
