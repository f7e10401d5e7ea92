"""Time of a measure: the period in which its rows lie, or the rows before a claim."""

from collections.abc import Iterator
from typing import Any, Self

from django.db.models import DateTimeField, F, Func, OuterRef, Q
from django.db.models.lookups import Exact, LessThan, LessThanOrEqual
from django.utils.translation import gettext as _
from pydantic import ConfigDict, model_validator

from core.facts import Collection
from rules.base import DefinitionModel
from rules.errors import ErrorCollector
from rules.periods import FirstDays, OwnPeriod, Period, check_period, period_q
from rules.query_row import QueryRow


class Unindexed(Func):
    """An instant as it is, for which PostgreSQL takes no index.

    It guesses that few rows lie between two instants that it does not know yet. It would read an index of the instant
    for all merchants, a thousand times as many rows as one merchant has.
    """

    output_field = DateTimeField()
    template = "%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s + interval '0')", **extra)


class Over(DefinitionModel):
    """Rows of a measure by time: those whose instant `at` lies in a period, or `earlier` than the subject's claim.

    At the same instant, the row with the lower key is the earlier one.
    """

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})  # the words of a period

    period: Period | None = None
    at: str | None = None
    earlier: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _expand_period(cls, value: object) -> Any:
        """Read `{last_days: 90, at: drafted_at}`: the words of a period may stand beside those of their own."""
        if not isinstance(value, dict):
            return value
        own = {word: part for word, part in value.items() if word in cls.model_fields}
        rest = {word: part for word, part in value.items() if word not in own}
        return {**own, "period": rest} if rest and "period" not in own else value

    @model_validator(mode="after")
    def _one_instant(self) -> Self:
        if (self.at is None) == (self.earlier is None):
            raise ValueError(_("say either %(one)s or %(other)s") % {"one": "at", "other": "earlier"})
        if self.earlier is None and self.period is None:
            raise ValueError(_("say which period: last_days: 90, for example"))
        return self

    @property
    def instant(self) -> str:
        """Return the fact of the rows that places them in time."""
        return self.at or self.earlier or ""

    def facts(self) -> Iterator[str]:
        """Yield the facts of the rows that place them in time."""
        yield self.instant
        if isinstance(self.period, FirstDays):
            yield self.period.after

    def check(self, row: QueryRow) -> None:
        """Raise ValidationError if the row has no such instants."""
        errors = ErrorCollector()
        with errors.at("at" if self.at else "earlier"):
            row.check_instant(self.instant)
        with errors.at("period"):
            if self.period is not None:
                check_period(self.period, row)
        errors.raise_collected("Over")

    def q(self, inner: QueryRow, *, key: str = "pk", own: tuple[str, str] | None = None) -> Q:
        """Return the filter of the rows `inner`, which are in a subquery of the row that is asked about.

        `key` is the path from that row to the key of its own row in the collection, for `earlier`; `own` are
        the columns of its start and end, if it is a period.
        """
        found, rows = inner.expression(self.instant), Q()
        if not _is_indexed(inner.collection, self.instant):
            found = Unindexed(found)
        if isinstance(self.period, OwnPeriod):
            assert own is not None  # the subject was checked
            rows &= self.period.q(found, own) & Q(LessThanOrEqual(found, inner.at))
        elif self.period is not None:
            rows &= period_q(self.period, found, at=inner.at, row=inner, includes_at=self.earlier is not None)
        if self.earlier is not None:
            claimed = OuterRef("claimed_at")
            same = Q(Exact(found, claimed)) & Q(LessThan(F("pk"), OuterRef(key)))
            rows &= Q(LessThan(found, claimed)) | same
        return rows


def _is_indexed(collection: Collection, instant: str) -> bool:
    """Return whether an index has the merchant and then the instant, which finds few rows whatever is guessed."""
    wanted = [collection.merchant.removesuffix("_id"), instant]
    return any([*index.fields[:2]] == wanted for index in collection.model._meta.indexes)
