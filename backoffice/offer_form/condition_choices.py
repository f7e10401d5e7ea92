"""Choices of a condition: the fields of a row, states of the merchant, rows to count, and groups."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.offer_form.condition_rows import ANY, COUNT_PREFIX, MEASURE_PREFIX, STATE_PREFIX
from backoffice.offer_form.inputs import Choices
from core.facts import MERCHANT, MERCHANT_PREFIX, STATES, Collection, countable
from rules.offer_facts import BENEFIT, OFFER_FACTS


def conditions_on(collection: Collection, measures: Mapping[str, str], *, simple: bool, deepest: bool) -> Choices:
    """Return what a condition can be about, in groups. A `simple` one is about a field of the row itself.

    `measures` are the names of those of the campaign, by key.
    """
    of: dict[str, Choices] = {}
    for key, fact in collection.facts.items():
        reference = collection.reference_of(key)
        row = MERCHANT if key.startswith(MERCHANT_PREFIX) else reference.name if reference else ""
        of.setdefault(row, []).append((key, capfirst(str(fact.event or fact.label))))
    of_merchant = of.pop(MERCHANT, [])
    groups: list[Any] = [("", _("Add condition…")), (capfirst(str(collection.singular)), of.pop("", []))]
    nouns = {reference.name: reference.collection.singular for reference in collection.references}
    groups += [(capfirst(str(nouns[row])), facts) for row, facts in of.items()]
    if not simple:
        for state in STATES.values():
            of_merchant.append((STATE_PREFIX + state.name, _("Merchant has: %(what)s") % {"what": state.label}))
        for name, rows in countable().items():
            of_merchant.append((COUNT_PREFIX + name, _("Merchant has: %(what)s") % {"what": rows.label}))
    groups.append((_("Merchant"), of_merchant))
    if not simple:
        groups.append((_("Measures"), [(MEASURE_PREFIX + key, name) for key, name in measures.items()]))
    if not simple or BENEFIT in collection.facts:
        facts = OFFER_FACTS.items() if not simple else [(BENEFIT, OFFER_FACTS[BENEFIT])]
        groups.append((_("Offer"), [(key, capfirst(str(fact.label))) for key, fact in facts]))
    if not simple and not deepest:
        groups.append((_("Group"), [(ANY, _("Any of these conditions"))]))
    return [group for group in groups if group[1]]


def force_choices() -> Choices:
    """Return whether the merchant must be in a state or must not be."""
    return [("in_force", gettext_lazy("at least one of")), ("not_in_force", gettext_lazy("none of"))]


def flat(choices: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the choices of all groups."""
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label
