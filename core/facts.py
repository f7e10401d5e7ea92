"""Registry of facts: each app describes its own tables here, and conditions, forms and pages read them from here.

An app of facts calls `register` in a module named `facts`, which is loaded at start-up. See docs/adding-facts.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext as _

from core import countries

Label = str | Promise
Choices = tuple[tuple[str, Label], ...]
SEEN_AT = F("seen_at")
"""Annotation of a row with the instant as of which it is evaluated."""


@dataclass(frozen=True)
class Child:
    """A table whose rows belong to a row of a collection, such as the receipts of a trade order.

    `parent` is the child's column that holds the key of that row.
    """

    model: type[models.Model]
    parent: str


@dataclass(frozen=True)
class Derived:
    """Definition of a fact that is no column: computed from the rows of a child table, or from columns.

    `expression(key, at)` returns an ORM expression correlated by `OuterRef(key)`: `key` is the path to the key of the
    row that has the fact. `at` is the instant as of which it is evaluated (`core.db.derived_value.outer` takes it into
    a subquery). `instant` is the child's column in which a new value of an instant fact appears.
    """

    expression: Callable[[str, Any], Any]
    child: Child | None = None
    instant: str = ""


@dataclass(frozen=True)
class Fact:
    """Fact of a row: `kind` is choice, text, number, money, flag or instant; `event` is the verb of an instant.

    `due` is what somebody does so that the event happens: "ship" for "shipped". `codes` names the standard whose codes
    a text fact holds: country (ISO 3166-1) or currency (ISO 4217). `names` are those of known values of a text fact.
    `stated` is how a flag reads as a sentence: set, and not set. `decimals` are those of a number; without them it is a
    whole one. A declared fact has `attribute`, which makes an expression from the path of a JSON column.
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
    decimals: int = 0
    stated: tuple[Label, Label] | None = None
    attribute: Callable[[str], Any] | None = None

    @property
    def is_timed(self) -> bool:
        """Return whether claims and settlements can be timed by an instant: an index finds the rows where it is new."""
        return self.attribute is None and (self.derived is None or self.derived.child is not None)

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
class Reference:
    """Row of another collection to which a row points: its facts are facts of that row too, as `listing.category`.

    `name` is what stands before the point, `column` the path to the key of the other row: `listing_id`, or
    `order__buyer_id` by way of a third row.
    """

    name: str
    column: str
    collection: "Collection"

    def path(self, name: str) -> str:
        """Return the lookup path from a row to the column `name` of the row to which it points."""
        return f"{self.column.removesuffix('_id')}__{name}"

    def facts(self) -> Iterator[Fact]:
        """Return the facts of the other row itself, as facts of the row that points to it."""
        return map(self.qualified, self.collection.own_facts())

    def qualified(self, fact: Fact) -> Fact:
        """Return a fact of the other row, named and labelled as one of the row that points to it."""
        noun = self.collection.singular
        event = _qualified(noun, fact.event) if fact.event else ""
        return replace(
            fact, name=f"{self.name}.{fact.name}", label=_qualified(noun, fact.label), event=event, stated=None
        )


def _in_language(noun: Label, words: Label) -> str:
    return _("%(row)s %(fact)s") % {"row": noun, "fact": words}


_qualified = lazy(_in_language, str)


@dataclass(frozen=True)
class Collection:
    """Rows of one table: conditions count those of a merchant, benefits are given for them.

    `subject` is the word by which an offer names one row; without it the rows are only counted. `merchant` is the path
    from a row to its merchant's code, empty for rows of no merchant; `holders` has the paths to the keys of its other
    holders: `{"buyer": "buyer_id"}`. The facts of the rows in `references` are added to `facts`. `steps` maps the steps
    that programs report (pay, fulfil, cancel) to facts. `row_kind` is the word under which definitions declare
    attributes of a row; its model has the column `attributes`. `lookups` names the rows of other collections that an
    offer looks up for a row: their facts are among `facts`, and their keys too, under these names. `bounds` are the
    columns of start and end (exclusive) of rows that are parts of a recurring period.
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
    references: tuple[Reference, ...] = ()
    holders: Mapping[str, str] = field(default_factory=dict)
    row_kind: str = ""
    lookups: tuple[str, ...] = ()
    bounds: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        added = by_name(*(reference.facts() for reference in self.references))
        object.__setattr__(self, "facts", {**self.facts, **added})

    @property
    def is_merchants(self) -> bool:
        """Return whether a row is a merchant itself; merchants cannot be counted."""
        pk = self.model._meta.pk
        return pk is not None and self.merchant == pk.attname

    def holder_path(self, name: str) -> str:
        """Return the lookup path from a row to the key of a holder. Raises KeyError for one that rows do not have."""
        holders = {MERCHANT: self.merchant, **self.holders} if self.merchant else self.holders
        return holders[name]

    def holder_key(self, name: str) -> Any:
        """Return the expression of the key of a holder, or of a row that is looked up, as of `seen_at`."""
        return self.expression(name) if name in self.lookups else F(self.holder_path(name))

    def own_facts(self) -> list[Fact]:
        """Return the facts of a row itself, without those of its merchant and of rows to which it points."""
        prefixes = (MERCHANT_PREFIX, *(f"{reference.name}." for reference in self.references))
        return [fact for name, fact in self.facts.items() if not name.startswith(prefixes)]

    def reference_of(self, name: str) -> Reference | None:
        """Return the row of which `name` is a fact: the merchant, or one of `references`; None for the row itself."""
        if name.startswith(MERCHANT_PREFIX):
            return None if self.is_merchants else Reference(MERCHANT, self.merchant, COLLECTIONS["merchants"])
        found = (reference for reference in self.references if name.startswith(f"{reference.name}."))
        return next(found, None)

    def path_to(self, other: "Collection") -> str:
        """Return the path from a row to the key of the row of another collection to which it points.

        That of its own collection is `pk`; empty if it points to none, or to several.
        """
        if other.name == self.name:
            return "pk"
        paths = [reference.column for reference in self.references if reference.collection.name == other.name]
        return paths[0] if len(paths) == 1 else ""

    def column(self, name: str) -> str:
        """Return the lookup path from a row to the column of fact `name`, which is not derived."""
        reference = self.reference_of(name)
        if reference is None:
            return name.removeprefix(MERCHANT_PREFIX) if self.is_merchants else name
        return reference.path(name.removeprefix(f"{reference.name}."))

    def expression(self, name: str, *, at: Any = SEEN_AT) -> Any:
        """Return the ORM expression of fact `name` as of `at`. Raises KeyError when the collection has no such fact."""
        fact = self.facts[name]
        reference = self.reference_of(name)
        if fact.derived:
            return fact.derived.expression(reference.column if reference else "pk", at)
        path = self.column(name)
        return fact.attribute(path.rpartition(".")[0]) if fact.attribute else F(path)

    def with_declared(self, declared: "DeclaredFacts") -> "Collection":
        """Return the collection with the declared facts of its rows, of their merchants, and of rows they point to."""
        if not declared:
            return self
        own = () if self.is_merchants else declared.get(self.row_kind, {}).values()
        of_merchant = declared.get(MERCHANT, {}).values() if self.merchant else ()
        added = by_name(own, (replace(fact, name=MERCHANT_PREFIX + fact.name) for fact in of_merchant))
        for reference in self.references:
            facts = declared.get(reference.collection.row_kind, {}).values()
            added |= by_name(map(reference.qualified, facts))
        return replace(self, facts={**self.facts, **added}) if added else self


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
        return column_choices(self.model, self.column)


@dataclass(frozen=True)
class Fee:
    """Fee that a discount reduces: `fact` of a `subject`, in `currency` or in that of `currency_fact`.

    A discount leaves at least `least`. A rated fee is a percentage of the fact, which the offer states. The
    amount of a measured one is a measure that the offer names; it has no fact. Coupons reduce a fee that
    `takes_coupons`: the model of its subject then has the columns `merchant`, `use_coupon`, `imported_use_coupon`,
    `placed_at`, `paid_at` and `cancelled_at`. One subject has at most one such fee.
    """

    name: str
    label: Label
    subject: str
    fact: str
    currency: str = ""
    currency_fact: str = ""
    least: Decimal = Decimal(0)
    rated: bool = False
    measured: bool = False
    takes_coupons: bool = False

    @property
    def collection(self) -> Collection:
        """Return the collection whose rows are charged the fee."""
        return SUBJECTS[self.subject]


MERCHANT = "merchant"
MERCHANT_PREFIX = f"{MERCHANT}."
ATTRIBUTES = "attributes"
"""Column with the values of declared attributes, and the beginning of the names of their facts."""

DeclaredFacts = Mapping[str, Mapping[str, Fact]]
"""Facts that a definition declares, by kind of row (merchant) and name (attributes.opened_at)."""

COLLECTIONS: dict[str, Collection] = {}
SUBJECTS: dict[str, Collection] = {}
STATES: dict[str, MerchantState] = {}
FEES: dict[str, Fee] = {}
COUPON_FEES: dict[str, Fee] = {}
"""The fees that coupons reduce, by the subject that is charged: the kinds of orders that take coupons."""
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
                if entry.takes_coupons:
                    _add(COUPON_FEES, entry.subject, entry)


def _add(registry: dict[str, Any], name: str, entry: object) -> None:
    if registry.get(name, entry) is not entry:
        raise ValueError(f"two entries of the registry of facts are named {name!r}")
    registry[name] = entry


def row_kinds() -> dict[str, Collection]:
    """Return the collections whose rows have declared attributes, by the word under which these are declared."""
    return {collection.row_kind: collection for collection in COLLECTIONS.values() if collection.row_kind}


def countable() -> dict[str, Collection]:
    """Return the collections whose rows a condition can count, by name: those of merchants, but not merchants.

    Parts of recurring periods are no facts that others recorded: they are not counted.
    """
    facts = {name: each for name, each in COLLECTIONS.items() if each.merchant and not each.bounds}
    return {name: each for name, each in facts.items() if not each.is_merchants}


def by_name(*facts: Iterable[Fact]) -> dict[str, Fact]:
    """Return the facts of several iterables by name."""
    return {fact.name: fact for several in facts for fact in several}


def column_choices(model: type[models.Model], name: str) -> Choices:
    """Return the values that a column can have, with their labels; none for a column without choices."""
    column = model._meta.get_field(name)
    assert isinstance(column, models.Field)
    return tuple((str(value), label) for value, label in column.flatchoices if value)
