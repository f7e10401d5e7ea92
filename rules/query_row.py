"""Position of a row in a query: the context in which conditions become expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    IntegerField,
    Model,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from core.db.derived_value import outer
from core.declared_facts import declared_facts
from core.facts import Collection, DeclaredFacts, Fact
from rules.errors import UnknownWordError
from rules.offer_facts import OfferFact


@dataclass(frozen=True)
class QueryRow:
    """Row in a query.

    `at` is the instant as of which it is evaluated, `offer_facts` are facts of the offer itself that conditions may
    name too, `claims` says whether the row has the annotation `claimed_at`. `declared` are the declared facts that
    conditions may name: while a definition is read those of the definition. `currency` is the only one that the row can
    have, where the offer says so: sentences name it.
    """

    collection: Collection
    at: Any = field(default_factory=lambda: F("seen_at"))
    offer_facts: Mapping[str, OfferFact] = field(default_factory=dict)
    claims: bool = False
    declared: DeclaredFacts = field(default_factory=declared_facts)
    currency: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "collection", self.collection.with_declared(self.declared))

    def expression(self, name: str) -> Any:
        """Return the expression of a fact of the row or of the offer."""
        if name in self.offer_facts:
            return self.offer_facts[name].expression(self)
        return self.collection.expression(name, at=self.at)

    def fact(self, name: str) -> Fact:
        """Return the description of a fact. Raises UnknownWordError when row and offer have none of that name."""
        if name in self.offer_facts:
            return self.offer_facts[name].fact
        if name not in self.collection.facts:
            known = (*self.collection.facts, *self.offer_facts)
            message = _("%(rows)s have no fact %(word)r") % {"rows": self.collection.name, "word": name}
            raise UnknownWordError(message, word=name, known=known)
        return self.collection.facts[name]

    def check_instant(self, name: str, *, column: bool = False, declared: bool = False) -> None:
        """Raise UnknownWordError unless the row has an instant fact of that name; `column`: one that is a column.

        `declared`: one that the definition declares or looks up will do.
        """
        instants = [
            fact.name
            for fact in self.collection.facts.values()
            if fact.kind == "instant" and fact.is_timed and not (column and fact.derived)
        ]
        fact = self.collection.facts.get(name)
        if fact and fact.kind == "instant" and not fact.is_timed:
            if declared:
                return
            message = _("%(fact)s is a declared instant: conditions can compare it, but nothing can be timed by it")
            if fact.attribute is None:
                message = _("%(fact)s is looked up: conditions can compare it, but nothing can be timed by it")
            raise ValueError(message % {"fact": name})
        if name not in instants:
            message = _("%(rows)s have no instant %(word)r") % {"rows": self.collection.name, "word": name}
            raise UnknownWordError(message, word=name, known=instants)

    def inside(self, collection: Collection) -> "QueryRow":
        """Return a row of another collection in a subquery of this one, evaluated as of the same instant."""
        return replace(self, collection=collection, at=outer(self.at), offer_facts={}, claims=False, currency="")

    def beside(self, collection: Collection) -> "QueryRow":
        """Return a row of another collection that is queried by itself."""
        return QueryRow(collection, declared=self.declared)


def as_boolean(q: Q) -> Case | Value:
    """Return a filter as a boolean expression: NULL becomes false; an empty filter is true."""
    if not q:
        return Value(True, output_field=BooleanField())
    return Case(When(q, then=Value(True)), default=Value(False), output_field=BooleanField())


def row_count(rows: QuerySet[Model], *, merchant: str) -> Any:
    """Return the number of rows of an outer merchant as an expression; `merchant` is the path to its code."""
    counted = rows.order_by().values(merchant).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))
