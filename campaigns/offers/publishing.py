"""Publishing: versions of the offers in a campaign's definition, each guarded against what was granted before."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from campaigns.models import AuditEvent, Campaign, Draft, Issuance, Offer, Version
from campaigns.offers import documents, quota_bands, quota_guard
from campaigns.offers.published_offers import PublishedOffer, as_data, digest, terms_of
from core.db import prepared_statements
from declarations import store
from definitions import parser
from definitions.errors import Problem
from definitions.offer_terms import OfferTerms
from definitions.parser import CampaignDefinition


class Check(Protocol):
    """Check of a new version. An error of any kind means that the offer cannot be evaluated."""

    def __call__(self, offer: PublishedOffer, *, at: datetime) -> None: ...


CHECKS: list[Check] = []
"""Checks that every new version passes, or nothing is published. The module that evaluates offers adds its own."""


@transaction.atomic
def publish(
    text: CampaignDefinition, *, source: str, at: datetime, by: str, draft: Draft | None = None
) -> list[Version]:
    """Publish a campaign: a new version of each offer and document that differs from the one in force.

    Returns the new versions of offers. `draft` is the approved draft of the text, if there is one. Offers and documents
    that the text leaves out stay as they are. Raises ValueError, with nothing stored, if a code is taken elsewhere, if
    a limit is lower than the places taken, if a declaration contradicts an earlier one, or if an offer or document
    cannot be evaluated.
    """
    if problems := conflicts(text, source):
        raise ValueError("\n".join(map(str, problems)))
    store.store(text.campaign, [attribute for attribute, _place in text.places()], text.kinds())
    campaign, _new = Campaign.objects.update_or_create(
        code=text.campaign, defaults={"name_en": text.names.en, "name_zh": text.names.zh, "source": source}
    )
    documents.publish(campaign, text, at=at, by=by, draft=draft)  # first: offers may name them
    versions = list(_publish_offers(campaign, text, at=at, by=by))
    for version in versions:
        _check(version, at)
        after = {"version": version.number}
        AuditEvent.objects.create(
            offer=version.offer, draft=draft, verb=AuditEvent.Verb.PUBLISHED, at=at, by=by, after=after
        )
    return versions


def _publish_offers(campaign: Campaign, text: CampaignDefinition, *, at: datetime, by: str) -> Iterator[Version]:
    for terms in text.offers:
        row, _new = Offer.objects.select_for_update(no_key=True).get_or_create(
            code=terms.code, defaults={"campaign": campaign, "name_en": terms.names.en, "name_zh": terms.names.zh}
        )
        if objection := _objection(row, terms, campaign.code):
            raise ValueError(objection)
        data = as_data(terms)
        if row.version is None or row.version.digest != digest(data):
            yield _new_version(row, terms, data, at=at, by=by)


def _check(version: Version, at: datetime) -> None:
    """Run the checks of a new version and roll back what they write. Raises ValueError if one fails."""
    offer = PublishedOffer(version.offer, terms_of(version))
    for check in CHECKS:
        try:
            with transaction.atomic():
                check(offer, at=at)
                transaction.set_rollback(True)
        except Exception as error:
            if _is_passing(error):
                raise
            words = {"code": offer.code, "error": error}
            raise ValueError(_("offer %(code)s cannot be evaluated: %(error)s") % words) from error
        finally:
            prepared_statements.discard_plans()  # the rollback has undone how this session plans


def _is_passing(error: Exception) -> bool:
    """Return True if the database was busy or away: the offer itself may well be right."""
    if not isinstance(error, OperationalError):
        return False
    # SQLite reports errors in a statement as operational errors too.
    return connection.vendor == "postgresql" or "locked" in str(error)


def conflicts(text: CampaignDefinition, source: str) -> list[Problem]:
    """Return the declarations that contradict those of what was published before, at their places in the source."""
    places = dict(text.places())
    errors = [(places[attribute], reason) for attribute, reason in store.conflicts(text.campaign, list(places))]
    if not source:  # a simulation of moved dates has no text of its own
        return [Problem(1, ".".join(place), reason) for place, reason in errors]
    return parser.problems_at(source, errors) if errors else []


def objections(text: CampaignDefinition) -> list[str]:
    """Return why the text cannot be published now: codes of other campaigns, limits lower than the places taken."""
    codes = [terms.code for terms in text.offers]
    rows = {row.code: row for row in Offer.objects.select_related("campaign").filter(code__in=codes)}
    texts = (_objection(rows[terms.code], terms, text.campaign) for terms in text.offers if terms.code in rows)
    return [*filter(None, texts), *documents.objections(text)]


def _objection(row: Offer, terms: OfferTerms, campaign: str) -> str:
    if row.campaign.code != campaign:
        return _("offer %(code)s belongs to another campaign") % {"code": terms.code}
    limit = terms.limits.total
    if limit is not None and limit < row.places_taken:
        words = {"code": terms.code, "n": row.places_taken, "limit": limit}
        return _("offer %(code)s: %(n)d of the quota are used, the limit cannot be %(limit)d") % words
    return quota_bands.objection(row, terms)


def _new_version(row: Offer, terms: OfferTerms, data: dict[str, Any], *, at: datetime, by: str) -> Version:
    number = (row.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    version = Version.objects.create(
        offer=row, number=number, definition=data, digest=digest(data), published_at=at, published_by=by
    )
    limits = terms.limits
    recount = (row.limit_per_merchant is None) != (limits.per_merchant is None)
    row.version, row.limit, row.limit_per_merchant = version, limits.total, limits.per_merchant
    row.subject = terms.subject
    row.name_en, row.name_zh = terms.names.en, terms.names.zh
    row.reevaluate_all = True  # subjects without a claim may have one under the new version
    row.save(
        update_fields=["version", "subject", "limit", "limit_per_merchant", "name_en", "name_zh", "reevaluate_all"]
    )
    if recount:
        quota_guard.recount_merchants(row)
    quota_bands.replace(row, terms)
    if terms.bundle is not None:
        Issuance.objects.get_or_create(offer=row)
    return version
