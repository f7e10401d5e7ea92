"""Published documents: their versions, and the terms in force of each kind."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.models import AuditEvent, Campaign, Document, DocumentVersion, Draft, Offer
from campaigns.offers.published_offers import as_data, digest
from core.db import prepared_statements
from core.db.compiled_queries import compiled_query, text
from core.db.errors import is_transient
from definitions.documents import DocumentTerms
from definitions.parser import CampaignDefinition, document_kinds

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishedDocument:
    """A document with the terms of the version in force."""

    row: Document
    terms: DocumentTerms


class Check(Protocol):
    """Check of a new version of a document. An error of any kind means that it cannot be evaluated."""

    def __call__(self, document: PublishedDocument, *, at: datetime) -> None: ...


CHECKS: dict[str, Check] = {}
"""Check of new versions by kind of document. What it writes is rolled back. The module that evaluates adds it."""


@lru_cache(maxsize=256)
def _terms(kind: str, version_id: int, digest: str) -> DocumentTerms:
    stored = DocumentVersion.objects.values_list("definition", flat=True).get(pk=version_id, digest=digest)
    return document_kinds()[kind].model_validate(stored)


def terms_of(version: DocumentVersion) -> DocumentTerms:
    """Return the terms of a version. They never change: a process reads them once."""
    return _terms(version.document.kind, version.pk, version.digest)


def published(kind: str) -> list[PublishedDocument]:
    """Return the published documents of a kind that can be read, by code."""
    rows = Document.objects.filter(kind=kind).exclude(version=None).select_related("version__document", "campaign")
    return list(_readable(rows.defer("version__definition", "campaign__source").order_by("code")))


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """Keys of a document and of its version in force, with the digest of its terms."""

    document_id: int
    version_id: int
    digest: str


@compiled_query
def _in_force() -> "QuerySet[Document, Any]":
    rows = Document.objects.filter(kind=text("kind"), version__isnull=False).order_by("code")
    return rows.values_list("pk", "version_id", "version__digest")


def send_in_force(kind: str) -> Callable[[], tuple[VersionInForce, ...]]:
    """Start the query for the versions in force of a kind, by code, and return a function that waits for them."""
    fetch = _in_force().execute_deferred(kind=kind)
    return lambda: tuple(VersionInForce(*row) for row in fetch())


def read_terms(kind: str, versions: Iterable[VersionInForce]) -> Iterator[tuple[VersionInForce, DocumentTerms]]:
    """Yield the terms of versions of a kind, leaving out those that cannot be read."""
    for version in versions:
        try:
            yield version, _terms(kind, version.version_id, version.digest)
        except Exception as error:
            if is_transient(error):
                raise
            logger.exception("the stored terms of a document cannot be read: version %s", version.version_id)


def of_campaign(code: str) -> list[PublishedDocument]:
    """Return the published documents of a campaign that can be read, by kind and code."""
    rows = Document.objects.filter(campaign__code=code).exclude(version=None).select_related("version__document")
    return list(_readable(rows.defer("version__definition").order_by("kind", "code")))


def _readable(rows: Iterable[Document]) -> Iterator[PublishedDocument]:
    """Yield the documents whose stored terms can be read: one that was damaged must not stop the others."""
    for row in rows:
        assert row.version is not None
        try:
            yield PublishedDocument(row, terms_of(row.version))
        except Exception as error:
            if is_transient(error):
                raise
            logger.exception("the stored terms of a document cannot be read: %s", row.code)


def publish(
    campaign: Campaign, text: CampaignDefinition, *, at: datetime, by: str, draft: Draft | None = None
) -> list[DocumentVersion]:
    """Publish a new version of each document that differs from the one in force. Returns the new versions.

    Raises ValueError if a code belongs to another campaign, to another kind of document or to an offer elsewhere, or
    if a document cannot be evaluated. Call it in the transaction that publishes the offers.
    """
    if objection := next(objections(text), None):
        raise ValueError(objection)
    made = [
        version
        for kind, terms in text.documents()
        if (version := _new_version(campaign, kind, terms, at=at, by=by)) is not None
    ]
    for version in made:
        _check(version, at)
        AuditEvent.objects.create(
            document=version.document,
            draft=draft,
            verb=AuditEvent.Verb.PUBLISHED,
            at=at,
            by=by,
            after={"version": version.number},
        )
    return made


def objections(text: CampaignDefinition) -> Iterator[str]:
    """Yield why the documents cannot be published now: their codes are taken. Offers and documents share codes."""
    kinds = {terms.code: kind for kind, terms in text.documents()}
    for row in Document.objects.select_related("campaign").filter(code__in=[*kinds, *(o.code for o in text.offers)]):
        if kinds.get(row.code) != row.kind or row.campaign.code != text.campaign:
            yield _("%(code)s is the code of a document of campaign %(campaign)s") % _words(row)
    for offer in Offer.objects.select_related("campaign").filter(code__in=kinds):
        yield _("%(code)s is the code of an offer of campaign %(campaign)s") % _words(offer)


def _words(row: Document | Offer) -> dict[str, str]:
    return {"code": row.code, "campaign": row.campaign.code}


def _new_version(
    campaign: Campaign, kind: str, terms: DocumentTerms, *, at: datetime, by: str
) -> DocumentVersion | None:
    names = {"name_en": terms.names.en, "name_zh": terms.names.zh}
    row, _new = Document.objects.select_for_update(of=("self",), no_key=True).get_or_create(
        code=terms.code, defaults={"campaign": campaign, "kind": kind, **names}
    )
    data = as_data(terms)
    if row.version is not None and row.version.digest == digest(data):
        return None
    number = (row.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    version = DocumentVersion.objects.create(
        document=row, number=number, definition=data, digest=digest(data), published_at=at, published_by=by
    )
    row.version, row.name_en, row.name_zh = version, terms.names.en, terms.names.zh
    row.save(update_fields=["version", "name_en", "name_zh"])
    return version


def _check(version: DocumentVersion, at: datetime) -> None:
    check = CHECKS.get(version.document.kind)
    if check is None:
        return
    try:
        with transaction.atomic():
            check(PublishedDocument(version.document, terms_of(version)), at=at)
            transaction.set_rollback(True)
    except Exception as error:
        if is_transient(error):
            raise
        words = {"code": version.document.code, "error": error}
        raise ValueError(_("document %(code)s cannot be evaluated: %(error)s") % words) from error
    finally:
        prepared_statements.discard_plans()  # the rollback has undone how this session plans
