"""Queries that are compiled to SQL once a process, and then run with other values each time.

Django takes 2 to 13 ms to compile a query of a claim, and PostgreSQL one to plan it: without this module a claim takes
3 times as long, a batch of eight 2.6 times (`tests.benchmarks.ablation`). Such a query is written with Django's ORM,
with a `Parameter` in place of each value that differs from run to run; PostgreSQL prepares it and keeps its plan
(docs/decisions/0018-prepared-statements.md).
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
"""Number of compiled queries of one kind; the oldest makes room for the next."""
Values = tuple[Any, ...]


class Parameter(Expression):
    """Placeholder of a value that is passed each time the query runs."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, _compiler: object, _connection: object) -> Any:
        """Return the placeholder in the statement, with this object as its parameter."""
        return "%s", [self]


class AnyOfParameter(Func):
    """Condition: a text or number is in the list that is passed as a parameter."""

    output_field = BooleanField()

    def __init__(self, field: str, name: str, *, numbers: bool = False) -> None:
        super().__init__(F(field), Parameter(name, TextField()))
        self.numbers = numbers

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Compile to `= ANY (array)`: one parameter for a list of any length, and an index finds each of its values."""
        kind = "bigint[]" if self.numbers else "text[]"
        return self.as_sql(compiler, connection, template=f"%(expressions)s::{kind})", arg_joiner=" = ANY (")

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, Any]:
        """Compile to a list in JSON, which SQLite can take as one parameter."""
        joiner = " IN (SELECT value FROM json_each("
        return self.as_sql(compiler, connection, template="%(expressions)s))", arg_joiner=joiner)


def instant(name: str) -> Parameter:
    """Return the placeholder of an aware instant."""
    return Parameter(name, DateTimeField())


def text(name: str) -> Parameter:
    """Return the placeholder of a text."""
    return Parameter(name, TextField())


def number(name: str) -> Parameter:
    """Return the placeholder of a whole number."""
    return Parameter(name, IntegerField())


class CompiledQuery:
    """Query of `values_list`, compiled on creation; `build` makes a result of each row."""

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
            self._inline_constants(parameters)
        except EmptyResultSet:
            pass  # the conditions exclude every row

    def _inline_constants(self, parameters: tuple[Any, ...]) -> None:
        """On PostgreSQL, write constant values into the statement: its plan can then use partial indexes."""
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

    def __call__(self, **values: object) -> list[Any]:
        """Run the query with the values of its parameters (instants, numbers, texts, lists) and return its results."""
        return self.execute_deferred(**values)()

    def execute_deferred(self, **values: object) -> Callable[[], list[Any]]:
        """Start the query and return a function that waits for its results (see `core.db.pipeline`)."""
        if not self._sql:
            return list
        bound = [
            self._adapt(values[value.name]) if isinstance(value, Parameter) else value for value in self._parameters
        ]
        fetch = execute_deferred(self._sql, bound)
        return lambda: self._build_all(fetch())

    def _build_all(self, raw: list[Any]) -> list[Any]:
        rows = map(tuple, self._compiler.apply_converters(raw, self._converters)) if self._converters else raw
        return list(map(self._build, rows) if self._build else rows)

    def _adapt(self, value: object) -> Any:
        if isinstance(value, list | tuple):
            return list(value) if self._arrays else json.dumps(value)
        return self._instant(value) if isinstance(value, datetime) else value


def compiled_query(compose: Callable[..., Any]) -> Callable[..., CompiledQuery]:
    """Decorate a function that composes a query: compile what it returns once for each combination of arguments.

    An argument with an attribute `key` is identified by that. The function returns the query, or the query and the
    function that makes a result of each row.
    """
    compiled: OrderedDict[Hashable, CompiledQuery] = OrderedDict()

    def find_or_compile(*arguments: object) -> CompiledQuery:
        key = tuple(getattr(argument, "key", argument) for argument in arguments)
        if key not in compiled:
            composed = compose(*arguments)
            compiled[key] = CompiledQuery(*composed) if isinstance(composed, tuple) else CompiledQuery(composed)
            if len(compiled) > MOST:
                compiled.popitem(last=False)
        return compiled[key]

    return find_or_compile
