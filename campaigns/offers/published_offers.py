"""Published offers: the row and the terms in force. `campaigns.offers.publishing` publishes new versions."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet

from campaigns.models import Offer, Version
from core.db.compiled_queries import AnyOfParameter, compiled_query, text
from core.db.errors import is_transient
from definitions import offer_terms as definition
from rules.base import DefinitionModel

logger = logging.getLogger(__name__)


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

    def under(self, version: Version) -> "PublishedOffer":
        """Return the offer with the terms of another of its versions, which decided earlier."""
        row = copy(self.row)  # the version of the row identifies the compiled queries of these terms
        row.version = version
        return PublishedOffer(row, terms_of(version))

    @cached_property
    def key(self) -> tuple[int, int, str]:
        """Identify the terms: the key of a compiled query made for them."""
        assert self.row.version is not None
        return (self.id, self.version_id, self.row.version.digest)


OFFER = [field.attname for field in Offer._meta.concrete_fields]
VERSION = ["id", "offer_id", "number", "digest"]


@lru_cache(maxsize=1024)
def _terms(version_id: int, digest: str) -> definition.OfferTerms:
    stored = Version.objects.values_list("definition", flat=True).get(pk=version_id, digest=digest)
    return definition.OfferTerms.model_validate(stored)


def terms_of(version: Version) -> definition.OfferTerms:
    """Return the terms of a version. They never change: a process reads them once."""
    return _terms(version.pk, version.digest)


def published() -> list[PublishedOffer]:
    """Return all published offers that can be read, by code."""
    return read_all()[0]


def read_all() -> tuple[list[PublishedOffer], list[tuple[Offer, Exception]]]:
    """Return all published offers that can be read, by code, and the rows of the others with their errors."""
    unreadable: list[tuple[Offer, Exception]] = []
    rows = _with_version(Offer.objects.exclude(version=None)).order_by("code")
    return list(_readable(rows, unreadable)), unreadable


def _readable(rows: Iterable[Offer], unreadable: list[tuple[Offer, Exception]]) -> Iterator[PublishedOffer]:
    """Yield the offers whose stored terms can be read: one that was damaged must not stop the others."""
    for row in rows:
        assert row.version is not None
        try:
            terms = terms_of(row.version)
        except Exception as error:
            if is_transient(error):
                raise
            logger.exception("the stored terms of an offer cannot be read: %s", row.code)
            unreadable.append((row, error))
        else:
            yield PublishedOffer(row, terms)


def _with_version(rows: QuerySet[Offer]) -> QuerySet[Offer]:
    """Leave the definition in the database: `terms_of` reads it once a process."""
    return rows.select_related("version", "campaign").defer("version__definition", "campaign__source")


def find(code: str) -> PublishedOffer:
    """Return the published offer with a code. Raises Offer.DoesNotExist, also if its terms cannot be read."""
    for offer in _published(_coded()(code=code)):
        return offer
    raise Offer.DoesNotExist(code)


def hold(group: list[PublishedOffer]) -> list[PublishedOffer]:
    """Lock the rows of offers until the transaction ends, and return the offers as they are now."""
    # NO KEY UPDATE: new decisions and grants refer to the offer, and their foreign keys must not wait for this lock.
    # By key: all who lock several offers do so in this order, so that none waits for another in a circle.
    rows = _with_version(Offer.objects.select_for_update(of=("self",), no_key=True))
    held = rows.filter(pk__in=[offer.id for offer in group]).order_by("pk")
    return [PublishedOffer(row, terms_of(row.version)) for row in held if row.version]


@compiled_query
def _coded() -> QuerySet[Offer, Any]:
    mine = Offer.objects.filter(code=text("code"), version__isnull=False)
    return mine.values_list(*OFFER, "version__number", "version__digest")


@compiled_query
def _about(held: bool, some: bool) -> QuerySet[Offer, Any]:
    rows = Offer.objects.select_for_update(of=("self",), no_key=True) if held else Offer.objects.all()
    mine = rows.filter(subject=text("subject"), version__isnull=False).order_by("pk" if held else "code")
    mine = mine.filter(AnyOfParameter("pk", "only", numbers=True)) if some else mine
    return mine.values_list(*OFFER, "version__number", "version__digest")


def about(subject: str) -> list[PublishedOffer]:
    """Return the published offers for a type of subject, by code."""
    return send_about(subject, held=False)()


def send_about(subject: str, *, held: bool, only: Sequence[int] | None = None) -> Callable[[], list[PublishedOffer]]:
    """Start the query of `about` and return a function that waits for the offers; `held`: their rows are locked.

    `only` are the keys of the offers that are wanted.
    """
    fetch = _about(held, only is not None).execute_deferred(subject=subject, only=only)
    return lambda: list(_published(fetch()))


def _published(rows: Iterable[tuple[Any, ...]]) -> Iterator[PublishedOffer]:
    return _readable(map(_row, rows), [])


def _row(values: tuple[Any, ...]) -> Offer:
    row = Offer.from_db(DEFAULT_DB_ALIAS, OFFER, values[: len(OFFER)])
    row.version = Version.from_db(DEFAULT_DB_ALIAS, VERSION, (row.version_id, row.pk, *values[len(OFFER) :]))
    return row


def competing(offers: list[PublishedOffer]) -> list[list[PublishedOffer]]:
    """Group offers that compete: those on one fee together, each other offer alone; offers of coupons come first."""
    groups: dict[str, list[PublishedOffer]] = {}
    for offer in offers:
        groups.setdefault(offer.terms.fee or f"coupons of {offer.code}", []).append(offer)
    return sorted(groups.values(), key=lambda group: (bool(group[0].terms.fee), group[0].code))


def as_data(terms: DefinitionModel) -> dict[str, Any]:
    """Return terms as they are stored: plain values, without defaults."""
    data: dict[str, Any] = terms.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return data


def digest(data: dict[str, Any]) -> str:
    """Return the SHA-256 of stored terms in canonical form."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
