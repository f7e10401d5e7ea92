"""Measures: named numbers of a merchant, computed from rows as of an instant.

A measure of rows counts, adds or averages the rows of one collection that belong to the merchant of a row, meet
comparisons of their own and lie in a period. A percentage relates two of them. Averages, shares and percentages are
rounded half up to two decimals and used so from then on.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from django.db.models import Model, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag, ValidationInfo, model_validator

from core.declared_facts import ReadWith
from core.facts import COLLECTIONS, MERCHANT, Collection, DeclaredFacts, Fact, countable
from core.formatting import join_or
from rules import measure_queries, operators
from rules.base import DefinitionModel, Names, form_of, named, resolve_name
from rules.comparisons import MOST_ROWS, Amount, Code, Comparison, CountableName, WholeNumber, meet_all
from rules.errors import ErrorCollector, UnknownWordError
from rules.measure_periods import Over
from rules.query_row import QueryRow
from rules.quotients import NUMBER, Hundredths, Quotient
from rules.weights import MOST_TIMES, Weight

FORMS = ("count", "distinct", "sum", "average", "share", "latest", "greatest", "conversion")
OF_FACTS = ("distinct", "sum", "average", "latest", "greatest", "conversion")
QUOTIENTS = ("average", "share", "latest", "greatest", "conversion")
"""Forms without a value where there are no rows: the definition states it."""


def _one_or_several(value: object) -> Any:
    return (value,) if isinstance(value, str) else value


OF_VALUES = ("distinct", "conversion")
WORDS_OF_FORMS = {
    "among": (("share", "conversion"), ("conversion",)),
    "followed_by": (("conversion",), ("conversion",)),
    "where": (FORMS, ("share",)),
    "weight": (("distinct",), ()),
    "times": (("average",), ()),
}
"""Words of some forms: the forms that take a word, and those that need it."""

Holders = Annotated[
    tuple[str, ...], BeforeValidator(_one_or_several, json_schema_input_type=str | list[str]), Field(min_length=1)
]


def check_holders(holders: tuple[str, ...], collection: Collection) -> None:
    """Raise UnknownWordError unless every row has such holders, as the merchant or the buyer."""
    known = [*([MERCHANT] if collection.merchant else []), *collection.holders]
    for word in holders:
        if word not in known:
            message = _("%(rows)s have no holder %(word)r") % {"rows": collection.name, "word": word}
            raise UnknownWordError(message, word=word, known=known)


class RowMeasure(DefinitionModel):
    """Number of a holder's rows, or one that the values of a fact in them make."""

    names: Names | None = None
    code: Code | None = None
    count: CountableName | None = None
    distinct: str | None = None
    sum: str | None = None
    average: str | None = None
    share: CountableName | None = None
    latest: str | None = None
    greatest: str | None = None
    conversion: str | None = None
    among: tuple[Comparison, ...] = ()
    followed_by: tuple[Comparison, ...] = ()
    where: tuple[Comparison, ...] = ()
    weight: Weight | None = None
    times: Annotated[WholeNumber, Field(ge=1, le=MOST_TIMES)] = 1
    at_most: Annotated[WholeNumber, Field(ge=1, le=MOST_ROWS)] | None = None
    over: Over | None = None
    by: Holders = (MERCHANT,)
    otherwise: Amount | None = None
    _read_with: ReadWith = PrivateAttr(default_factory=ReadWith)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [form for form in FORMS if getattr(self, form) is not None]
        if len(given) != 1:
            words = {"forms": ", ".join(FORMS), "given": ", ".join(given) or _("none")}
            raise ValueError(_("say exactly one of %(forms)s; given: %(given)s") % words)
        errors = ErrorCollector()
        with errors.at(self.form):
            self._check_measured()
        if not errors.errors:
            self._check_parts(errors)
        errors.raise_collected("RowMeasure")
        return self

    def _check_measured(self) -> None:
        """Raise ValueError unless what is measured is a collection, or a fact of one that the form can take."""
        if self.form not in OF_FACTS:
            return
        name, point, fact_name = self._measured.partition(".")
        if not point:
            raise ValueError(_("write the collection and a fact of its rows: trade_orders.amount_usd"))
        if name not in countable():
            message = _("no %(what)s %(word)r") % {"what": "collection to count", "word": name}
            raise UnknownWordError(message, word=name, known=countable())
        fact = QueryRow(COLLECTIONS[name]).fact(fact_name)
        if self.form not in OF_VALUES and fact.kind not in operators.AMOUNTS:
            words = {"fact": fact_name, "kind": fact.kind, "form": self.form}
            raise ValueError(_("%(fact)s is %(kind)s: there is no %(form)s of it") % words)

    def _check_parts(self, errors: ErrorCollector) -> None:
        row = QueryRow(self.collection)
        with errors.at("by"):
            check_holders(self.by, self.collection)
        for name in ("among", "followed_by", "where"):
            for n, condition in enumerate(getattr(self, name)):
                with errors.at(name, n):
                    condition.check(row)
        with errors.at("over"):
            if self.over is not None:
                self.over.check(row)
            elif self.form in ("latest", "conversion"):
                raise ValueError(_("%(field)s is missing") % {"field": "over"})
        self._check_words(errors)
        _check_otherwise(self.otherwise, needed=self.form in QUOTIENTS, errors=errors)
        with errors.at(self.form):
            if self.kind == "money" and not self.currency:
                message = _("%(fact)s is in the currency of each row: add where: [{fact: currency, is: USD}]")
                raise ValueError(message % {"fact": self._measured})

    def _check_words(self, errors: ErrorCollector) -> None:
        """Collect an error at each word that the form does not take, or that it needs and does not have."""
        for word, (forms, needed) in WORDS_OF_FORMS.items():
            with errors.at(word):
                given = word in self.model_fields_set and getattr(self, word) not in ((), None)
                if given and self.form not in forms:
                    words = {"word": word, "forms": join_or(forms)}
                    raise ValueError(_("%(word)s belongs to another measure: %(forms)s") % words)
                if not given and self.form in needed:
                    raise ValueError(_("%(field)s is missing") % {"field": word})
        with errors.at("at_most"):
            if self.at_most is not None and self.weight is None:
                raise ValueError(_("at_most is the most that weights add up to: write weight"))
        with errors.at("weight", "by"):
            if self.weight is not None and self.fact is not None:
                self.weight.check(self.fact.name, QueryRow(self.collection))

    @property
    def form(self) -> str:
        """Return the word of the measure: count, distinct, sum, average, share or latest."""
        return next(form for form in FORMS if getattr(self, form) is not None)

    @property
    def _measured(self) -> str:
        return str(getattr(self, self.form))

    @property
    def declared(self) -> DeclaredFacts:
        """Return the declared facts with which the measure was read."""
        return self._read_with.facts

    @property
    def collection(self) -> Collection:
        """Return the collection of the rows."""
        return COLLECTIONS[self._measured.partition(".")[0]].with_declared(self.declared)

    @property
    def fact(self) -> Fact | None:
        """Return the fact of the rows that is measured, None where the rows themselves are."""
        return self.collection.facts[self._measured.partition(".")[2]] if self.form in OF_FACTS else None

    @property
    def kind(self) -> str:
        """Return the kind of the number: money, number or percent."""
        if self.form in ("share", "conversion"):
            return "percent"
        return self.fact.kind if self.fact is not None and self.form != "distinct" else "number"

    @property
    def currency(self) -> str:
        """Return the currency of an amount: that of the fact, or the only one of the rows; empty for other numbers."""
        if self.kind != "money" or self.fact is None:
            return ""
        only = (condition.is_ for condition in self.where if condition.fact == "currency")
        return self.fact.currency or next(only, None) or ""

    @property
    def is_whole(self) -> bool:
        """Return whether the number has no decimals."""
        has_decimals = self.fact is not None and self.fact.decimals and self.form != "distinct"
        return self.kind == "number" and self.form != "average" and not has_decimals

    @property
    def name(self) -> str:
        """Return the code of the measure: its name in the campaign, or made of its words."""
        return self.code or f"{self.form}_{self.collection.name}"[:40]

    def rows(self) -> "Iterator[RowMeasure]":
        """Yield the measures of rows that the measure is made of: itself."""
        yield self

    def facts(self) -> Iterator[str]:
        """Yield the facts of the rows that the number depends on."""
        if self.fact is not None:
            yield self.fact.name
        if self.weight is not None:
            yield self.weight.by
        for condition in (*self.among, *self.followed_by, *self.where):
            yield from condition.facts
        if self.over is not None:
            yield from self.over.facts()

    @property
    def is_of_pairs(self) -> bool:
        """Return whether each pair of a holder and a value counts once: its weight, or whether it went on."""
        return self.form == "conversion" or self.weight is not None

    def rows_of(self, inner: QueryRow, *, key: str = "pk", own: tuple[str, str] | None = None) -> QuerySet[Model]:
        """Return the rows that are measured, of all holders: of a share those that it is a share of.

        `key` is the path from the row that is asked about to the key of its own row among them, for `earlier`; `own`
        are the columns of start and end of that row, if it is a period.
        """
        rows = inner.collection.model._default_manager.all()
        if self.over is not None:
            rows = rows.filter(self.over.q(inner, key=key, own=own))
        return rows.filter(meet_all(self.among if self.form == "share" else self.where, inner))

    def expression(self, row: QueryRow) -> Any:
        """Return the number of the holder of a row, as of its instant, as an expression that is never NULL."""
        return measure_queries.expression(self, row)


def _row_measure(value: object, info: ValidationInfo) -> Any:
    found = resolve_name("measures", value, info)
    if isinstance(found, PercentMeasure):
        raise ValueError(_("%(measure)s is a percentage of two measures itself") % {"measure": value})
    return found


class PercentMeasure(DefinitionModel):
    """One measure of rows in percent of another."""

    names: Names | None = None
    code: Code | None = None
    percent: Annotated[RowMeasure, BeforeValidator(_row_measure, json_schema_input_type=Any)]
    of: Annotated[RowMeasure, BeforeValidator(_row_measure, json_schema_input_type=Any)]
    otherwise: Amount | None = None

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        errors = ErrorCollector()
        _check_otherwise(self.otherwise, needed=True, errors=errors)
        with errors.at("of"):
            if (self.percent.kind, self.percent.currency) != (self.of.kind, self.of.currency):
                raise ValueError(_("one is an amount or in another currency: there is no percentage of them"))
        errors.raise_collected("PercentMeasure")
        return self

    form: ClassVar[Literal["percent"]] = "percent"
    kind: ClassVar[str] = "percent"
    currency: ClassVar[str] = ""
    is_whole: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Return the code of the measure: its name in the campaign, or made of its words."""
        return self.code or f"percent_{self.percent.name}"[:40]

    def rows(self) -> Iterator[RowMeasure]:
        """Yield the measures of rows that the measure is made of."""
        yield from (self.percent, self.of)

    def expression(self, row: QueryRow) -> Any:
        """Return the number of the merchant of a row, as of its instant, as an expression that is never NULL."""
        part, base = (Hundredths(one.expression(row)) for one in (self.percent, self.of))
        empty = Value(self.otherwise, output_field=NUMBER)
        return Coalesce(Quotient(part * 100, base), empty, output_field=NUMBER)


def _form(value: object) -> str:
    return form_of(value, {**dict.fromkeys(FORMS, "RowMeasure"), "percent": "PercentMeasure"}, "RowMeasure")


Measure = Annotated[
    Annotated[RowMeasure, Tag("RowMeasure")] | Annotated[PercentMeasure, Tag("PercentMeasure")],
    Discriminator(_form),
]
NamedMeasure = Annotated[Measure, named("measures")]


def _check_otherwise(value: object, *, needed: bool, errors: ErrorCollector) -> None:
    with errors.at("otherwise"):
        if needed and value is None:
            raise ValueError(_("otherwise is missing: the value without rows, such as 0.00"))
        if not needed and value is not None:
            raise ValueError(_("otherwise is not needed: without rows the number is 0"))
