"""Offers as they are published: the row, the terms in force, and publishing new ones."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import QuerySet

from campaigns.models import AuditEvent, Campaign, Draft, Issuance, Offer, Version
from campaigns.offers import quota_counters
from core.db.compiled_queries import compiled_query, text
from definitions import offer_terms as definition
from definitions.parser import CampaignDefinition


@dataclass(frozen=True)
class PublishedOffer:
    """An offer with the terms of the version in force."""

    row: Offer
    terms: definition.OfferTerms

    @cached_property
    def id(self) -> int:
        return self.row.pk

    @cached_property
    def version_id(self) -> int:
        assert self.row.version_id is not None
        return self.row.version_id

    @cached_property
    def code(self) -> str:
        return self.terms.code

    @cached_property
    def key(self) -> tuple[int, int, str]:
        """What tells its terms from all others."""
        assert self.row.version is not None
        return (self.id, self.version_id, self.row.version.digest)


OFFER = [field.attname for field in Offer._meta.concrete_fields]
VERSION = ["id", "offer_id", "number", "digest"]


@lru_cache(maxsize=1024)
def _terms(version_id: int, digest: str) -> definition.OfferTerms:
    stored = Version.objects.values_list("definition", flat=True).get(pk=version_id, digest=digest)
    return definition.OfferTerms.model_validate(stored)


def terms_of(version: Version) -> definition.OfferTerms:
    """The terms a version holds. They never change, so they are read once a process."""
    return _terms(version.pk, version.digest)


def published() -> list[PublishedOffer]:
    """Every offer that has a version, with its terms, by code."""
    rows = _with_version(Offer.objects.exclude(version=None)).order_by("code")
    return [PublishedOffer(row, terms_of(row.version)) for row in rows if row.version]


def _with_version(rows: QuerySet[Offer]) -> QuerySet[Offer]:
    """The definition itself stays in the database: its terms are read once a process."""
    return rows.select_related("version", "campaign").defer("version__definition", "campaign__source")


def find(code: str) -> PublishedOffer:
    """The published offer of that code. Raises Offer.DoesNotExist."""
    found = _coded()(code=code)
    if not found:
        raise Offer.DoesNotExist(code)
    return _published(found[0])


def hold(group: list[PublishedOffer]) -> list[PublishedOffer]:
    """The same offers as they stand now, their rows locked, in one order, until the transaction ends."""
    rows = _with_version(Offer.objects.select_for_update(of=("self",), no_key=True))
    held = rows.filter(pk__in=[offer.id for offer in group]).order_by("pk")
    return [PublishedOffer(row, terms_of(row.version)) for row in held if row.version]


@compiled_query
def _coded() -> QuerySet[Offer, Any]:
    mine = Offer.objects.filter(code=text("code"), version__isnull=False)
    return mine.values_list(*OFFER, "version__number", "version__digest")


@compiled_query
def _about(held: bool) -> QuerySet[Offer, Any]:
    rows = Offer.objects.select_for_update(of=("self",), no_key=True) if held else Offer.objects.all()
    mine = rows.filter(subject=text("subject"), version__isnull=False).order_by("pk" if held else "code")
    return mine.values_list(*OFFER, "version__number", "version__digest")


def about(subject: str) -> list[PublishedOffer]:
    """Every published offer about such subjects, by code."""
    return send_about(subject, held=False)()


def hold_all(subject: str) -> list[PublishedOffer]:
    """The same, their rows locked in one order until the transaction ends."""
    return send_about(subject, held=True)()


def send_about(subject: str, *, held: bool) -> Callable[[], list[PublishedOffer]]:
    """As `about` or `hold_all`; the offers are had, and held, by calling what is returned."""
    fetch = _about(held).execute_deferred(subject=subject)
    return lambda: [_published(values) for values in fetch()]


def _published(values: tuple[Any, ...]) -> PublishedOffer:
    row = Offer.from_db(DEFAULT_DB_ALIAS, OFFER, values[: len(OFFER)])
    row.version = Version.from_db(DEFAULT_DB_ALIAS, VERSION, (row.version_id, row.pk, *values[len(OFFER) :]))
    return PublishedOffer(row, terms_of(row.version))


def competing(offers: list[PublishedOffer]) -> list[list[PublishedOffer]]:
    """Offers grouped by what they can compete for: those on one fee together, others alone; coupons first."""
    groups: dict[str, list[PublishedOffer]] = {}
    for offer in offers:
        groups.setdefault(offer.terms.fee or f"coupons of {offer.code}", []).append(offer)
    return sorted(groups.values(), key=lambda group: (bool(group[0].terms.fee), group[0].code))


def as_data(terms: definition.OfferTerms) -> dict[str, Any]:
    """The terms as they are stored: plain values, nothing that goes without saying."""
    data: dict[str, Any] = terms.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return data


def digest(data: dict[str, Any]) -> str:
    """SHA-256 over the canonical text of stored terms."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@transaction.atomic
def publish(
    text: CampaignDefinition, *, source: str, at: datetime, by: str, draft: Draft | None = None
) -> list[Version]:
    """Publish a campaign: a new version of each offer that differs from the one in force. Returns those.

    `draft` is the one that was approved, where that is how it comes here. Offers of the campaign that the text leaves
    out stay as they are. Raises ValueError where an offer's code belongs to another campaign, or a limit would fall
    below the places taken.
    """
    campaign, _ = Campaign.objects.update_or_create(
        code=text.campaign, defaults={"name_en": text.names.en, "name_zh": text.names.zh, "source": source}
    )
    made = list(_publish_offers(campaign, text, at=at, by=by))
    for version in made:
        after = {"version": version.number}
        AuditEvent.objects.create(
            offer=version.offer, draft=draft, verb=AuditEvent.Verb.PUBLISHED, at=at, by=by, after=after
        )
    return made


def _publish_offers(campaign: Campaign, text: CampaignDefinition, *, at: datetime, by: str) -> Iterator[Version]:
    for terms in text.offers:
        row, _ = Offer.objects.select_for_update(no_key=True).get_or_create(
            code=terms.code, defaults={"campaign": campaign, "name_en": terms.names.en, "name_zh": terms.names.zh}
        )
        if objection := _objection(row, terms, campaign.code):
            raise ValueError(objection)
        data = as_data(terms)
        if row.version is None or row.version.digest != digest(data):
            yield _new_version(row, terms, data, at=at, by=by)


def objections(text: CampaignDefinition) -> list[str]:
    """Why the text could not be published as things stand: offers of other campaigns, limits below the places taken."""
    rows = {
        row.code: row for row in Offer.objects.select_related("campaign").filter(code__in=[o.code for o in text.offers])
    }
    found = (_objection(rows[terms.code], terms, text.campaign) for terms in text.offers if terms.code in rows)
    return [objection for objection in found if objection]


def _objection(row: Offer, terms: definition.OfferTerms, campaign: str) -> str:
    if row.campaign.code != campaign:
        return f"offer {terms.code} belongs to another campaign"
    if terms.quota.limit is not None and terms.quota.limit < row.places_taken:
        return f"offer {terms.code}: {row.places_taken} places are taken, the limit cannot be {terms.quota.limit}"
    return ""


def _new_version(row: Offer, terms: definition.OfferTerms, data: dict[str, Any], *, at: datetime, by: str) -> Version:
    number = (row.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    version = Version.objects.create(
        offer=row, number=number, definition=data, digest=digest(data), published_at=at, published_by=by
    )
    recount = (row.limit_per_merchant is None) != (terms.quota.per_merchant is None)
    row.version, row.limit, row.limit_per_merchant = version, terms.quota.limit, terms.quota.per_merchant
    row.subject = terms.subject
    row.name_en, row.name_zh = terms.names.en, terms.names.zh
    row.reevaluate_all = True  # a new wording may make claims of subjects that had none
    row.save(
        update_fields=["version", "subject", "limit", "limit_per_merchant", "name_en", "name_zh", "reevaluate_all"]
    )
    if recount:
        quota_counters.recount_merchants(row)
    if terms.bundle is not None:
        Issuance.objects.get_or_create(offer=row)
    return version
