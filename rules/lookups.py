"""Lookups: rows of other collections that a row finds by a holder in common, such as the discount of its listing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

from django.db.models import OuterRef, QuerySet
from django.utils.translation import gettext as _
from pydantic import Field, PrivateAttr, TypeAdapter, ValidationError, model_validator

from core.db.derived_value import DerivedValue, outer
from core.declared_facts import ReadWith
from core.facts import COLLECTIONS, MERCHANT, Collection, Derived, Fact, Reference
from rules.base import DefinitionModel
from rules.comparisons import Comparison, CountableName
from rules.conditions import all_of, check_all
from rules.errors import ErrorCollector
from rules.measures import Holders, check_holders
from rules.query_row import QueryRow

PREFIX = "K"
"""Prefix of the aliases of a lookup: facts of its rows can be derived values themselves."""


class Lookup(DefinitionModel):
    """First row `of` a collection that shares its holders with a row and meets conditions as of the same instant.

    The first is the one with the lowest key, or with the earliest or the latest value of an instant; equal ones by key.
    """

    of: CountableName
    by: Holders
    where: tuple[Comparison, ...] = Field(min_length=1)
    earliest: str | None = None
    latest: str | None = None
    _read_with: ReadWith = PrivateAttr(default_factory=ReadWith)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        row, errors = QueryRow(COLLECTIONS[self.of]), ErrorCollector()
        with errors.at("by"):
            check_holders(self.by, row.collection)
            _check_owned(self.by, row.collection)
        check_all(self.where, row, errors, "where")
        for word in ("earliest", "latest"):
            with errors.at(word):
                if (name := getattr(self, word)) is not None:
                    row.check_instant(name)
        with errors.at("latest"):
            if self.earliest is not None and self.latest is not None:
                words = {"one": "earliest", "other": "latest"}
                raise ValueError(_("say either %(one)s or %(other)s") % words)
        errors.raise_collected("Lookup")
        return self

    @property
    def collection(self) -> Collection:
        """Return the collection of the row that is found."""
        return COLLECTIONS[self.of].with_declared(self._read_with.facts)

    def named_facts(self) -> set[str]:
        """Return the facts that decide which row is found."""
        ordering = filter(None, (self.earliest, self.latest))
        return {*ordering, *(name for one in self.where for name in one.facts)}

    def facts(self, name: str, subjects: Collection) -> Iterator[Fact]:
        """Yield the facts that rows of `subjects` have by the row that is found under `name`, and its key as `name`."""
        yield Fact(name, "text", self.collection.singular, derived=Derived(self._value(None, subjects)))
        reference = Reference(name, "", self.collection)
        for fact in self.collection.own_facts():
            derived = Derived(self._value(fact.name, subjects))
            yield replace(reference.qualified(fact), derived=derived, attribute=None)

    def _value(self, fact: str | None, subjects: Collection) -> Any:
        """Return the function by which a fact of the row found, or its key, is derived; see `core.facts.Derived`."""

        def expression(_key: str, at: Any) -> Any:
            inner = QueryRow(self.collection, at=outer(at), declared=self._read_with.facts)
            if fact is None:
                return DerivedValue(self._rows(inner, subjects).values("pk")[:1], prefix=PREFIX)
            found = self._rows(inner, subjects).annotate(looked_up=inner.expression(fact))
            return DerivedValue(found.values("looked_up")[:1], prefix=PREFIX)

        return expression

    def _rows(self, inner: QueryRow, subjects: Collection) -> "QuerySet[Any]":
        of_holders = {inner.collection.holder_path(by): OuterRef(subjects.holder_path(by)) for by in self.by}
        rows = inner.collection.model._default_manager.filter(**of_holders).filter(all_of(self.where, inner))
        if self.latest:
            return rows.order_by(inner.expression(self.latest).desc(nulls_last=True), "pk")
        first = [inner.expression(self.earliest).asc(nulls_last=True)] if self.earliest else []
        return rows.order_by(*first, "pk")


def _check_owned(holders: tuple[str, ...], collection: Collection) -> None:
    """Raise ValueError if the row could be one of another merchant, whose facts explanations would show to this one."""
    owned = {name for row in COLLECTIONS.values() if row.merchant for name, path in row.holders.items() if path == "pk"}
    if collection.merchant and not {MERCHANT, *owned} & set(holders):
        words = {"rows": collection.name, "by": ", ".join([MERCHANT, *holders])}
        raise ValueError(_("%(rows)s of other merchants would be found: write by: [%(by)s]") % words)


def with_lookups(collection: Collection, lookups: Mapping[str, Lookup]) -> Collection:
    """Return a collection whose rows have the facts of the rows that they look up. The lookups must fit it."""
    if not lookups:
        return collection
    facts = {fact.name: fact for name, lookup in lookups.items() for fact in lookup.facts(name, collection)}
    return replace(collection, facts={**collection.facts, **facts}, lookups=tuple(lookups))


def check_lookups(lookups: Mapping[str, Lookup], collection: Collection, errors: ErrorCollector) -> None:
    """Collect an error at each lookup whose name is taken, or whose holder the rows of the collection do not have."""
    taken = {MERCHANT, *collection.facts, *collection.holders, *(one.name for one in collection.references)}
    for name, lookup in lookups.items():
        with errors.at("lookups", name):
            if name in taken:
                raise ValueError(_("%(name)s is a word of %(rows)s already") % {"name": name, "rows": collection.name})
        with errors.at("lookups", name, "by"):
            check_holders(lookup.by, collection)


LOOKUP: TypeAdapter[Lookup] = TypeAdapter(Lookup)


def valid_lookups(value: object, collection: Collection, context: dict[str, Any]) -> dict[str, Lookup]:
    """Return the lookups of a text that have no errors and fit a collection."""
    valid: dict[str, Lookup] = {}
    for name, entry in value.items() if isinstance(value, dict) else ():
        errors = ErrorCollector()
        try:
            lookup = LOOKUP.validate_python(entry, context=context)
        except ValidationError:
            continue
        check_lookups({str(name): lookup}, collection, errors)
        if not errors.errors:
            valid[str(name)] = lookup
    return valid
