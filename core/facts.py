"""Registry of facts: each app describes its own tables here, and conditions, forms and pages read them from here.

An app of facts calls `register` in a module named `facts`, which is loaded at start-up. See docs/adding-facts.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F
from django.utils.functional import Promise

from core import countries

Label = str | Promise
Choices = tuple[tuple[str, Label], ...]

KINDS = {
    models.DateTimeField: "instant",
    models.DecimalField: "money",
    models.BooleanField: "flag",
    models.PositiveIntegerField: "number",
}


@dataclass(frozen=True)
class Child:
    """A table whose rows belong to a row of a collection, such as the receipts of a trade order.

    `parent` is the child's column that holds the key of that row.
    """

    model: type[models.Model]
    parent: str


@dataclass(frozen=True)
class Derived:
    """Definition of a fact that is no column: computed from the rows of a child table.

    `expression` returns an ORM expression correlated by `OuterRef("pk")`. `instant` is the child's column in which a
    new value of the fact appears.
    """

    expression: Callable[[], Any]
    child: Child
    instant: str


@dataclass(frozen=True)
class Fact:
    """Fact of a row: `kind` is choice, text, number, money, flag or instant; `event` is the verb of an instant.

    `due` is what somebody does so that the event happens: "ship" for "shipped". `codes` names the standard whose codes
    a text fact holds: country (ISO 3166-1) or currency (ISO 4217). `names` are those of known values of a text fact.
    """

    name: str
    kind: str
    label: Label
    choices: Choices = ()
    currency: str = ""
    event: Label = ""
    derived: Derived | None = None
    codes: str = ""
    due: Label = ""
    names: Mapping[str, Label] = field(default_factory=dict, hash=False)

    def value_name(self, raw: str) -> str:
        """Return the name of a value, in the language in force; the value itself where it has none."""
        if self.codes == "country":
            return countries.name(raw)
        return str(self.names.get(raw) or dict(self.choices).get(raw, raw))


@dataclass(frozen=True)
class Listing:
    """List of a collection in the merchants' dashboard.

    `name` is its word in addresses, `listed_at` the instants of which the first known one orders the rows, `shown`
    the facts in a line.
    """

    name: str
    listed_at: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Collection:
    """Rows of one table that belong to merchants: conditions count them, benefits are given for them.

    `subject` is the word by which an offer names one row; without it the rows are only counted. `merchant` is the path
    from a row to its merchant's code. `steps` maps the steps that programs report (pay, fulfil, cancel) to facts.
    """

    name: str
    model: type[models.Model]
    label: Label
    singular: Label
    facts: Mapping[str, Fact]
    subject: str = ""
    merchant: str = "merchant_id"
    children: tuple[Child, ...] = ()
    listing: Listing | None = None
    steps: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_merchants(self) -> bool:
        """Return whether a row is a merchant itself; merchants cannot be counted."""
        pk = self.model._meta.pk
        return pk is not None and self.merchant == pk.attname

    def merchant_path(self, name: str) -> str:
        """Return the lookup path from a row to the column `name` of its merchant."""
        return name if self.is_merchants else f"{self.merchant.removesuffix('_id')}__{name}"

    def expression(self, name: str) -> Any:
        """Return the ORM expression of fact `name`. Raises KeyError when the collection has no such fact."""
        fact = self.facts[name]
        if fact.derived:
            return fact.derived.expression()
        of_merchant = fact.name.startswith(MERCHANT_PREFIX)
        return F(self.merchant_path(fact.name.removeprefix(MERCHANT_PREFIX)) if of_merchant else fact.name)


@dataclass(frozen=True)
class MerchantState:
    """State of a merchant during an interval, such as a membership; `column` holds its kind.

    A state that `bars` keeps merchants out of every offer: each asks that it is not in force.

    The model has the columns `merchant`, `starts_at` and `ends_at` (exclusive; NULL means open).
    """

    name: str
    model: type[models.Model]
    column: str
    label: Label
    bars: bool = False

    @property
    def choices(self) -> Choices:
        return _choices(self.model, self.column)


@dataclass(frozen=True)
class Fee:
    """Fee that a discount reduces: `fact` of a `subject`, in `currency` or in that of `currency_fact`.

    A discount leaves at least `least`. A rated fee is a percentage of the fact, which the offer states.
    """

    name: str
    label: Label
    subject: str
    fact: str
    currency: str = ""
    currency_fact: str = ""
    least: Decimal = Decimal(0)
    rated: bool = False


MERCHANT_PREFIX = "merchant."

COLLECTIONS: dict[str, Collection] = {}
SUBJECTS: dict[str, Collection] = {}
STATES: dict[str, MerchantState] = {}
FEES: dict[str, Fee] = {}
REFERENCE_LISTS: dict[str, Label] = {}
"""The names of known reference lists, by code."""


def register(*entries: Collection | MerchantState | Fee) -> None:
    """Add entries; an app calls this in its `facts` module. Raises ValueError for a name that is taken."""
    for entry in entries:
        match entry:
            case Collection():
                _add(COLLECTIONS, entry.name, entry)
                if entry.subject:
                    _add(SUBJECTS, entry.subject, entry)
            case MerchantState():
                _add(STATES, entry.name, entry)
            case Fee():
                _add(FEES, entry.name, entry)


def _add(registry: dict[str, Any], name: str, entry: object) -> None:
    if registry.get(name, entry) is not entry:
        raise ValueError(f"two entries of the registry of facts are named {name!r}")
    registry[name] = entry


def countable() -> dict[str, Collection]:
    """Return the collections whose rows a condition can count, by name: all but the merchants themselves."""
    return {name: collection for name, collection in COLLECTIONS.items() if not collection.is_merchants}


def column_facts(
    model: type[models.Model],
    names: str,
    *,
    prefix: str = "",
    events: Mapping[str, Label] | None = None,
    due: Mapping[str, Label] | None = None,
    codes: Mapping[str, str] | None = None,
    names_of: Mapping[str, Mapping[str, Label]] | None = None,
) -> Iterator[Fact]:
    """Yield a fact for each column in `names`, with the label and choices of the model.

    A column whose name ends in `_usd` is an amount in USD. `events` says what happens at an instant: "shipped".
    `due` says what somebody does for it: "ship". `codes` says which texts are codes of a standard: {"destination":
    "country"}, `names_of` how known values are called.
    """
    for name in names.split():
        column = _column(model, name)
        choices = _choices(model, name)
        yield Fact(
            name=prefix + name,
            kind="choice" if choices else _kind(column),
            label=column.verbose_name or name,
            choices=choices,
            currency="USD" if name.endswith("_usd") else "",
            event=(events or {}).get(name, ""),
            due=(due or {}).get(name, ""),
            codes=(codes or {}).get(name, ""),
            names=(names_of or {}).get(name, {}),
        )


def by_name(*facts: Iterable[Fact]) -> dict[str, Fact]:
    """Return the facts of several iterables by name."""
    return {fact.name: fact for several in facts for fact in several}


def _column(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    column = model._meta.get_field(name)
    assert isinstance(column, models.Field)
    return column


def _kind(column: "models.Field[Any, Any]") -> str:
    return next((kind for type_, kind in KINDS.items() if isinstance(column, type_)), "text")


def _choices(model: type[models.Model], name: str) -> Choices:
    return tuple((str(value), label) for value, label in _column(model, name).flatchoices if value)
