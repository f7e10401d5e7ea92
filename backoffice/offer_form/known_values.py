"""Values that a fact is known to have, with their names in the reader's language: the pick lists of conditions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from babel import Locale
from django.db import models

from campaigns.offers import published_offers
from core import countries
from core.facts import Collection, Fact
from core.formatting import babel_locale
from core.money import currencies
from core.similar_words import nearest_word
from merchants.models import ReferenceValue
from rules.base import DefinitionModel, ValueList
from rules.conditions import Comparison

LATEST_ROWS = 5000
"""Rows of a table that are looked at for values: enough for those in use, whatever the size of the table."""
MOST_VALUES = 500


@dataclass(frozen=True)
class KnownValues:
    """Values with their names. A closed set, such as the countries, has no others."""

    names: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    def name_of(self, value: str) -> str:
        """Return the name of a value, or the value where it has none."""
        return self.names.get(value, value)

    def value_of(self, text: str) -> str:
        """Return the value that a typed text means: a value itself, or its name in any case."""
        if text in self.names:
            return text
        wanted = text.casefold()
        return next((value for value, name in self.names.items() if name.casefold() == wanted), text)

    def nearest(self, text: str) -> str:
        """Return the value most like an unknown text, by value or by name; empty if none is like it."""
        if not text or text in self.names:
            return ""
        by_name = {name: value for value, name in self.names.items()}
        near = nearest_word(text, [*self.names, *by_name], least_similarity=80)
        return by_name.get(near, near)


def closed(choices: Iterable[tuple[str, Any]]) -> KnownValues:
    """Return a closed set of choices."""
    return KnownValues({value: str(label) for value, label in choices}, closed=True)


class ValueCatalogue:
    """Known values of facts, read once for a page. `lists` are the shared lists of a draft: names by value by list."""

    def __init__(self, lists: dict[str, dict[str, Any]] | None = None) -> None:
        self.lists = lists or {}
        self._known: dict[tuple[str, str], KnownValues] = {}

    def of_fact(self, fact: Fact, collection: Collection) -> KnownValues:
        """Return the values of a fact of a collection."""
        key = collection.name, fact.name
        if key not in self._known:
            self._known[key] = self._standard(fact) or self._found(fact, collection)
        return self._known[key]

    @cached_property
    def reference_lists(self) -> KnownValues:
        """Return the names of the lists that operators keep as facts."""
        names = ReferenceValue.objects.order_by("list_code").values_list("list_code", flat=True).distinct()
        return KnownValues({name: name for name in names[:MOST_VALUES]})

    @staticmethod
    def _standard(fact: Fact) -> KnownValues | None:
        """Return the values of a choice, the codes of a standard, or none at all for numbers and instants."""
        locale = Locale.parse(babel_locale())
        if fact.choices:
            return closed(fact.choices)
        if fact.codes == "country":
            names = {code: str(locale.territories.get(code, code)) for code in countries.codes()}
            return closed(sorted(names.items(), key=lambda entry: entry[1]))
        if fact.codes == "currency":
            return closed((code, f"{code} · {locale.currencies.get(code, code)}") for code in sorted(currencies()))
        return None if fact.kind == "text" else KnownValues()

    def _found(self, fact: Fact, collection: Collection) -> KnownValues:
        """Return the values of a text that rows have and published offers name, and those of lists that share one."""
        published = [several for name, several in self._published if name == fact.name]
        names = {value: str(label) for several in published for value, label in several.labels.items()}
        in_use = {value for several in published for value in several.values} | set(_recorded(fact, collection))
        for entries in self.lists.values():
            if in_use & entries.keys():
                in_use |= entries.keys()
                names |= {value: _in_language(value, label) for value, label in entries.items()}
        values = sorted(in_use, key=lambda value: names.get(value, value))
        return KnownValues({value: names.get(value, value) for value in values[:MOST_VALUES]})

    @cached_property
    def _published(self) -> list[tuple[str, ValueList]]:
        """Return the lists of values in the published offers, each with the fact that is compared with it."""
        found = (comparison for offer in published_offers.published() for comparison in _comparisons(offer.terms))
        return [(one.fact, one.operand) for one in found if isinstance(one.operand, ValueList)]


def _recorded(fact: Fact, collection: Collection) -> list[str]:
    """Return the distinct values of a column in the latest rows of its table."""
    reference = collection.reference_of(fact.name)
    model: type[models.Model] = reference.collection.model if reference else collection.model
    name = collection.column(fact.name).rpartition("__")[2]
    if name not in {column.name for column in model._meta.concrete_fields}:
        return []
    latest = model._default_manager.order_by("-pk").values_list(name, flat=True)[:LATEST_ROWS]
    return sorted({str(value) for value in latest if value})


def _comparisons(part: object) -> Iterator[Comparison]:
    """Yield the comparisons anywhere in a part of a definition."""
    if isinstance(part, Comparison):
        yield part
    elif isinstance(part, DefinitionModel):
        for name in type(part).model_fields:
            yield from _comparisons(getattr(part, name))
    elif isinstance(part, tuple):
        for entry in part:
            yield from _comparisons(entry)


def _in_language(value: str, label: Any) -> str:
    """Return the name of a value of a draft's list in the reader's language."""
    language = "zh" if babel_locale().startswith("zh") else "en"
    return str((label.get(language) if isinstance(label, dict) else "") or value)
