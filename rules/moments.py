"""Moments: instants of a definition, made of one fact or of several."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from django.db.backends.signals import connection_created
from django.db.models import Case, DateTimeField, Func, Q, Value, When
from django.db.models.functions import Greatest
from django.db.models.lookups import Exact, IsNull
from pydantic import Discriminator, Field, Tag

from core.facts import Collection
from rules.base import DefinitionModel, form_of
from rules.calendars import midnight
from rules.time_windows import Zone

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
INSTANT = DateTimeField()


class NextMidnight(Func):
    """SQL function: 00:00 in a zone on the day after an instant's day there."""

    output_field = INSTANT
    arity = 1

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # One hour after 23:00, because PostgreSQL takes the second of a midnight that occurs twice.
        zone = f"'{self.extra['zone']}'"
        late = f"date_trunc('day', %(expressions)s AT TIME ZONE {zone}) + interval '23 hours'"
        template = f"(({late}) AT TIME ZONE {zone} + interval '1 hour')"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = f"fairground_next_midnight(%(expressions)s, '{self.extra['zone']}')"
        return self.as_sql(compiler, connection, template=template, **extra)


def next_midnight(at: datetime, zone: str) -> datetime:
    """Return 00:00 in `zone` on the day after the day that `at` falls on there, in UTC."""
    return midnight(at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1), zone)


def _next_midnight_in_sqlite(stored: str | None, zone: str) -> str | None:
    if stored is None:
        return None
    return str(next_midnight(datetime.fromisoformat(stored).replace(tzinfo=UTC), zone).replace(tzinfo=None))


def _teach_sqlite(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "fairground_next_midnight", 2, _next_midnight_in_sqlite, deterministic=True
        )


connection_created.connect(_teach_sqlite, dispatch_uid="next_midnight")


class LatestOf(DefinitionModel):
    """Latest of several facts; NULL until all of them have happened."""

    latest_of: tuple[str, ...] = Field(min_length=2)

    def names(self) -> tuple[str, ...]:
        return self.latest_of

    def expression(self, row: Collection) -> Any:
        parts = [row.expression(name) for name in self.latest_of]
        known = Q()
        for part in parts:
            known &= Q(IsNull(part, False))
        return Case(When(known, then=Greatest(*parts)), output_field=INSTANT)


class DayAfter(DefinitionModel):
    """Start, in a zone, of the day after a fact."""

    day_after: str
    zone: Zone

    def names(self) -> tuple[str, ...]:
        return (self.day_after,)

    def expression(self, row: Collection) -> Any:
        return NextMidnight(row.expression(self.day_after), zone=self.zone)


class ByCase(DefinitionModel):
    """Moment that depends on the value of another fact; NULL if no case fits."""

    by: str
    cases: dict[str, "Moment"] = Field(min_length=1)
    otherwise: "Moment | None" = None

    def names(self) -> tuple[str, ...]:
        moments = [*self.cases.values(), *([self.otherwise] if self.otherwise else [])]
        return tuple(name for moment in moments for name in moment_facts(moment))

    def expression(self, row: Collection) -> Any:
        chosen = row.expression(self.by)
        whens = [
            When(Exact(chosen, value), then=moment_expression(moment, row)) for value, moment in self.cases.items()
        ]
        default = moment_expression(self.otherwise, row) if self.otherwise else Value(None, output_field=INSTANT)
        return Case(*whens, default=default, output_field=INSTANT)


def _form(value: object) -> str:
    forms = {"latest_of": "LatestOf", "day_after": "DayAfter", "cases": "ByCase", "by": "ByCase"}
    return form_of(value, forms, "Fact")


Moment = Annotated[
    Annotated[str, Tag("Fact")]
    | Annotated[LatestOf, Tag("LatestOf")]
    | Annotated[DayAfter, Tag("DayAfter")]
    | Annotated[ByCase, Tag("ByCase")],
    Discriminator(_form),
]
ByCase.model_rebuild()


def moment_facts(moment: Moment) -> tuple[str, ...]:
    """Return the names of the instant facts that a moment is made of."""
    return (moment,) if isinstance(moment, str) else moment.names()


def moment_expression(moment: Moment, row: Collection) -> Any:
    """Return the moment as an expression over a row: NULL until it is known."""
    return row.expression(moment) if isinstance(moment, str) else moment.expression(row)


def case_fact(moment: Moment) -> tuple[str, tuple[str, ...]] | None:
    """Return the fact that selects the case of a moment and the values with a case, None without cases."""
    return (moment.by, tuple(moment.cases)) if isinstance(moment, ByCase) else None
