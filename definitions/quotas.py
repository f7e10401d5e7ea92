"""Quotas: two limits in a short form, or a list of bands."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from django.utils.translation import gettext as _
from pydantic import Discriminator, Field, Tag, model_validator

from core.facts import FEES, MERCHANT_PREFIX, Collection, Fact
from definitions.benefits.values import AmountOrFact, Currency, FactValue, check_unit
from rules.base import DefinitionModel
from rules.conditions import Comparison, WholeNumber
from rules.errors import ErrorCollector, UnknownWordError
from rules.periods import Recurring, RecurringPeriod, bounds_of, key_of

if TYPE_CHECKING:
    from definitions.offer_terms import OfferTerms

MOST_GRANTS = 100_000_000
MOST_BANDS = 20
ALL, MERCHANT = "all", "merchant"

Limit = Annotated[WholeNumber, Field(ge=1, le=MOST_GRANTS)]


class Quota(DefinitionModel):
    """Number of places, in all and per merchant; None means no limit. The short form of two bands."""

    limit: Limit | None = None
    per_merchant: Limit | None = None


class Band(DefinitionModel):
    """One limit of a quota: so many grants, or so much money, for each holder in each period of the claim.

    `at_most` is a number, or a fact of each holder. `from` is the number of the first subject of the holder that can be
    granted, by a condition that the offer gains. `last: partly` gives the last grant what is left; without it, a grant
    that does not fit whole is refused.
    """

    of: Literal["grants", "amount"]
    from_: Annotated[WholeNumber, Field(ge=2, le=MOST_GRANTS)] | None = Field(None, alias="from")
    at_most: AmountOrFact | None = None
    currency: Currency | None = None
    per: str = ALL
    in_: RecurringPeriod | None = Field(None, alias="in")
    last: Literal["partly"] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        errors = ErrorCollector()
        with errors.at("at_most"):
            if self.at_most is None and (self.from_ is None or self.is_amount):
                raise ValueError(_("%(field)s is missing") % {"field": "at_most"})
        with errors.at("from"):
            if self.from_ is not None and self.is_amount:
                raise ValueError(_("only a band of: grants has from; of money write slices after a measure"))
        (self._check_amount if self.is_amount else self._check_number)(errors)
        errors.raise_collected("Band")
        return self

    def _check_amount(self, errors: ErrorCollector) -> None:
        with errors.at("currency"):
            if self.currency is None:
                raise ValueError(_("an amount needs a currency"))
        with errors.at("at_most"):
            if isinstance(self.at_most, Decimal):
                check_unit(self.at_most, self.currency or "")

    def _check_number(self, errors: ErrorCollector) -> None:
        with errors.at("at_most"):
            if isinstance(self.at_most, Decimal) and (self.at_most % 1 or self.at_most > MOST_GRANTS):
                words = {"found": self.at_most, "most": MOST_GRANTS}
                raise ValueError(_("%(found)s is not a whole number of grants up to %(most)d") % words)
        for word in ("currency", "last"):
            with errors.at(word):
                if getattr(self, word) is not None:
                    raise ValueError(_("only a band of: amount has %(word)s") % {"word": word})

    @property
    def is_amount(self) -> bool:
        """Return whether the band limits money, not the number of grants."""
        return self.of == "amount"

    @property
    def is_short(self) -> bool:
        """Return whether the short form of a quota can say the band: its counters are those of the offer."""
        return not self.is_amount and self.in_ is None and self.per in (ALL, MERCHANT) and not self.fact

    @property
    def is_counted(self) -> bool:
        """Return whether the band has counters of its own. A lower bound alone limits nothing."""
        return self.at_most is not None and not self.is_short

    @property
    def fact(self) -> str:
        """Return the fact of a holder that holds its limit, empty where the band states it."""
        return self.at_most.fact if isinstance(self.at_most, FactValue) else ""

    @cached_property
    def units(self) -> int | None:
        """Return the limit in units of its counters, grants or hundredths of the currency; None without a number."""
        return self.units_of(self.at_most) if isinstance(self.at_most, Decimal) else None

    def units_of(self, number: Decimal | int) -> int:
        """Return a number of grants or an amount in the units of the counters, rounded down."""
        return int(number * 100) if self.is_amount else int(number)

    @cached_property
    def signature(self) -> str:
        """Identify the counters of the band: bands that differ in their limit alone share them."""
        period = "" if self.in_ is None else json.dumps(self.in_.model_dump(mode="json", by_alias=True), sort_keys=True)
        digest = sha256(period.encode()).hexdigest()[:32] if period else ""
        return " ".join(part for part in (self.of, self.currency, self.per, digest) if part)

    @cached_property
    def period_key(self) -> "PeriodKeys":
        """Return the function from the instant of a claim to the key of its period."""
        return PeriodKeys(self.in_)


class PeriodKeys:
    """Function from an instant to the key of its part of a period: empty without one, None outside of it.

    Claims come in the order of their instants: the latest part is remembered.
    """

    def __init__(self, period: Recurring | None) -> None:
        self._period = period
        self._latest: tuple[datetime, datetime, str] | None = None

    def __call__(self, at: datetime) -> str | None:
        if self._period is None:
            return ""
        latest = self._latest
        if latest is not None and latest[0] <= at < latest[1]:
            return latest[2]
        key, bounds = key_of(self._period, at), bounds_of(self._period, at)
        if key is not None and bounds is not None:
            self._latest = (*bounds, key)
        return key


class Limits(NamedTuple):
    """Quota of an offer in parts: the limit of grants, that of each merchant, and every other band."""

    total: int | None
    per_merchant: int | None
    bands: tuple[Band, ...]

    @property
    def holders(self) -> tuple[str, ...]:
        """Return the holders of bands other than the merchant, each once."""
        return tuple(dict.fromkeys(band.per for band in self.bands if band.per not in (ALL, MERCHANT)))


def _form(value: object) -> str:
    return "Bands" if isinstance(value, list | tuple) else "Quota"


QuotaTerms = Annotated[
    Annotated[Quota, Tag("Quota")]
    | Annotated[tuple[Band, ...], Tag("Bands"), Field(min_length=1, max_length=MOST_BANDS)],
    Discriminator(_form),
]


def limits_of(quota: Quota | tuple[Band, ...]) -> Limits:
    """Return the parts of a quota in either form."""
    if isinstance(quota, Quota):
        return Limits(quota.limit, quota.per_merchant, ())
    short = {band.per: band.units for band in quota if band.is_short}
    return Limits(short.get(ALL), short.get(MERCHANT), tuple(band for band in quota if band.is_counted))


def check_bands(offer: "OfferTerms", errors: ErrorCollector) -> None:
    """Collect an error at each band that an earlier one repeats, or that does not fit the benefit."""
    seen: set[str] = set()
    for n, band in enumerate(offer.quota if isinstance(offer.quota, tuple) else ()):
        with errors.at("quota", n):
            if band.signature in seen:
                raise ValueError(_("two bands limit the same: leave one out"))
        with errors.at("quota", n, "per"):
            if band.per not in (known := (ALL, *holders_of(offer.collection))):
                message = _("a %(subject)s has no holder %(word)r") % {"subject": offer.subject, "word": band.per}
                raise UnknownWordError(message, word=band.per, known=known)
        with errors.at("quota", n, "currency"):
            if band.is_amount and _fixed_currency(offer) != band.currency:
                message = _("the benefit can come in another currency than %(currency)s: add a condition on it")
                raise ValueError(message % {"currency": band.currency})
        with errors.at("quota", n, "at_most"):
            if band.fact:
                _check_fact(offer, band)
        with errors.at("quota", n, "last"):
            if band.last and offer.bundle is not None:
                raise ValueError(_("coupons are not issued in part: leave out last"))
        seen.add(band.signature)


def holders_of(collection: Collection) -> tuple[str, ...]:
    """Return the holders for each of whom a band can limit the rows of a collection."""
    return (*([MERCHANT] if collection.merchant else []), *collection.holders, *collection.lookups)


def _check_fact(offer: "OfferTerms", band: Band) -> None:
    """Raise ValueError unless the limit is a number of the holder, without decimals, or an amount in the currency."""
    rows = offer.holder_rows(band.per)
    facts = [] if rows is None else rows.facts.values() if rows.is_merchants else rows.own_facts()
    known = [f"{band.per}.{fact.name.removeprefix(MERCHANT_PREFIX)}" for fact in facts if _is_limit(band, fact)]
    if band.fact not in known:
        message = _("%(word)r cannot be the limit: name a number of each %(holder)s")
        raise UnknownWordError(message % {"word": band.fact, "holder": band.per}, word=band.fact, known=known)


def _is_limit(band: Band, fact: Fact) -> bool:
    if fact.derived is not None:
        return False  # it can change with time, and a limit has no instant
    return (fact.kind, fact.currency) == ("money", band.currency) if band.is_amount else fact.kind == "number"


def _fixed_currency(offer: "OfferTerms") -> str:
    """Return the currency of every benefit of the offer, by its terms or a condition; empty if there can be several."""
    if offer.benefit.fixed_currency:
        return offer.benefit.fixed_currency
    fact = FEES[offer.fee].currency_fact
    for condition in (*offer.scope, *offer.stated):
        if isinstance(condition, Comparison) and condition.fact == fact:
            if condition.is_ is not None:
                return condition.is_
            if condition.in_ is not None and len(condition.in_.values) == 1:
                return condition.in_.values[0]
    return ""


def with_limits(quota: Any, limits: Mapping[str, int]) -> Any:
    """Return a quota as written, in either form, with other limits by the words of the short form."""
    if not isinstance(quota, list):
        return {**(quota or {}), **{word: str(number) for word, number in limits.items()}}
    pers = {"limit": ALL, "per_merchant": MERCHANT}
    bands = [band for band in quota if not is_short(band, {pers[word] for word in limits})]
    return [*({"of": "grants", "at_most": str(n), "per": pers[word]} for word, n in limits.items()), *bands]


def is_short(band: Any, pers: set[str]) -> bool:
    """Return whether a band as written limits the grants of one of `pers`, without a period."""
    return isinstance(band, dict) and band.get("of") == "grants" and "in" not in band and band.get("per", ALL) in pers
