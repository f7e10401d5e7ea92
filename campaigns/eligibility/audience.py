"""Warnings that need recorded facts: how many merchants an offer is for, and reference lists that are not there."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.formatting import join_and
from core.similar_words import nearest_word
from definitions.offer_terms import OfferTerms
from merchants.facts import MERCHANTS
from merchants.models import Merchant, ReferenceValue
from rules.conditions import AnyOf, Comparison, Condition, all_of
from rules.sentences import describe


def size(terms: OfferTerms) -> int:
    """Return the number of recorded merchants that meet all conditions on facts of the merchant.

    Memberships, penalties and orders are left out: they change while the offer runs.
    """
    return Merchant.objects.filter(all_of(_lasting(terms), terms.row_of(MERCHANTS))).count()


def warnings(offers: tuple[OfferTerms, ...]) -> Iterator[str]:
    """Yield a warning for each offer that fits no merchant or has more places than the merchants can take.

    And one for each reference list that does not exist. There are no warnings before the first merchant is recorded.
    """
    if not Merchant.objects.exists():
        return
    lists = set(ReferenceValue.objects.values_list("list_code", flat=True).distinct())
    for terms in offers:
        yield from (f"{terms.code}: {warning}" for warning in _of_audience(terms))
        yield from (f"{terms.code}: {warning}" for warning in _missing_lists(terms, lists))


def _lasting(terms: OfferTerms) -> tuple[Condition, ...]:
    return tuple(condition for condition in (*terms.scope, *terms.asked) if _is_lasting(condition, terms))


def _is_lasting(condition: Condition, terms: OfferTerms) -> bool:
    """Return whether the condition is about facts of the merchant that do not change with time."""
    if isinstance(condition, AnyOf):
        return all(_is_lasting(part, terms) for part in condition.any)
    facts = terms.row_of(MERCHANTS).collection.facts
    return isinstance(condition, Comparison) and condition.fact in facts and facts[condition.fact].kind != "instant"


def _of_audience(terms: OfferTerms) -> Iterator[str]:
    count, limit = size(terms), terms.limits.total
    each = 1 if terms.subject == MERCHANTS.subject else terms.limits.per_merchant
    if count == 0:
        conditions = join_and(describe(condition, terms.row_of(MERCHANTS)) for condition in _lasting(terms))
        yield "conditions: " + _("no merchant recorded so far meets: %(conditions)s") % {"conditions": conditions}
    elif limit is not None and each is not None and limit > count * each:
        words = {"limit": limit, "n": count, "most": count * each}
        yield (
            "quota: "
            + ngettext(
                "%(limit)d, and the %(n)d merchant recorded so far can take %(most)d",
                "%(limit)d, and the %(n)d merchants recorded so far can take %(most)d",
                count,
            )
            % words
        )


def _missing_lists(terms: OfferTerms, known: set[str]) -> Iterator[str]:
    """Yield a warning for each reference list that a comparison anywhere in the offer names and nobody imported."""
    for name in sorted(terms.reference_lists - known):
        near = nearest_word(name, known)
        missing = _("there is no reference list %(name)r; did you mean %(near)r?")
        text = missing if near else _("there is no reference list %(name)r")
        yield "conditions: " + text % {"name": name, "near": near}
