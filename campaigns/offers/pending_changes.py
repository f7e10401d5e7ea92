"""Changes of published offers that open drafts hold: what each would change, in a few words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Draft
from campaigns.offers import schedule
from campaigns.offers.published_offers import PublishedOffer
from core.formatting import format_number, format_short_date
from definitions import diff, parser
from definitions.benefit_sentences import describe_benefit
from definitions.errors import DefinitionError
from definitions.offer_terms import OfferTerms
from rules.base import DefinitionModel, ValueList


@dataclass(frozen=True)
class PendingChange:
    """Open draft that changes an offer, with its changes of the offer in a few words."""

    draft: Draft
    changes: Sequence[str]

    @property
    def text(self) -> str:
        return "; ".join(self.changes)

    @property
    def by(self) -> str:
        return self.draft.submitted_by or ", ".join(self.draft.authors)


def pending_changes(offer: PublishedOffer) -> list[PendingChange]:
    """Return the open drafts that change the offer's terms, the newest first. One query."""
    found = []
    for draft in Draft.objects.filter(status__in=Draft.OPEN).exclude(base="").order_by("-pk"):
        before, after = _terms_in(draft.base_source, offer.code), _terms_in(draft.source, offer.code)
        if before and after and before != after:
            found.append(PendingChange(draft, list(short_changes(before, after))))
    return found


@lru_cache(maxsize=128)
def _terms_in(source: str, code: str) -> OfferTerms | None:
    """Return the terms of an offer in the text of a campaign, None if it has none or is not right."""
    try:
        return next((terms for terms in parser.read(source).offers if terms.code == code), None)
    except DefinitionError:
        return None


def short_changes(before: OfferTerms, after: OfferTerms) -> Iterator[str]:
    """Yield the changes from one wording of an offer to another: `limit 300 → 400`, `closes 1 Oct → 8 Oct`.

    Changes that have no such form are counted, by the sentences that merchants read.
    """
    known = [
        _("%(what)s %(old)s → %(new)s") % {"what": what, "old": old, "new": new}
        for what, old, new in (*_figures(before, after), *_dates(before, after))
        if old != new
    ]
    known += [
        _("name “%(old)s” → “%(new)s”") % {"old": old, "new": new}
        for old, new in ((before.names.en, after.names.en), (before.names.zh, after.names.zh))
        if old != new
    ]
    known += _list_changes(before, after)
    yield from known
    if not known:
        n = max(1, *map(len, diff.changed_sentences(before, after)))
        yield ngettext("%(n)d change of the terms", "%(n)d changes of the terms", n) % {"n": n}


def _figures(before: OfferTerms, after: OfferTerms) -> Iterator[tuple[str, str, str]]:
    yield _("limit"), _number(before.limits.total), _number(after.limits.total)
    yield _("limit per merchant"), _number(before.limits.per_merchant), _number(after.limits.per_merchant)
    if before.bundle is None and after.bundle is None:
        yield (
            _("benefit"),
            describe_benefit(before.benefit, before.collection),
            describe_benefit(after.benefit, after.collection),
        )


def _number(limit: int | None) -> str:
    return _("none") if limit is None else format_number(limit)


def _dates(before: OfferTerms, after: OfferTerms) -> Iterator[tuple[str, str, str]]:
    later, zone = dict(schedule.dates(after)), timezone.get_current_timezone_name()
    for kind, bound in schedule.dates(before):
        if kind in later:
            old, new = (format_short_date(at, zone, now=bound.instant) for at in (bound.instant, later[kind].instant))
            yield str(schedule.DATE_LABELS[kind]), old, new


def _list_changes(before: OfferTerms, after: OfferTerms) -> list[str]:
    """Return how many values the named lists of an offer gain and lose."""
    old, new = named_lists(before), named_lists(after)
    changes = ((name, new[name] - old[name], old[name] - new[name]) for name in old if name in new)
    text = _("list “%(name)s”: %(added)s added, %(removed)s removed")
    return [
        text % {"name": name, "added": format_number(len(added)), "removed": format_number(len(removed))}
        for name, added, removed in changes
        if added or removed
    ]


def named_lists(part: object) -> dict[str, frozenset[str]]:
    """Return the values of each named list that a part of a definition uses, by its name in the language in force."""
    if isinstance(part, ValueList):
        return {str(part.names): frozenset(part.values)} if part.names else {}
    if isinstance(part, DefinitionModel):
        return named_lists(tuple(getattr(part, name) for name in type(part).model_fields))
    return {k: v for one in part for k, v in named_lists(one).items()} if isinstance(part, tuple) else {}
