"""Terms of an offer as data: subjects, claim, conditions, benefit, quota and settlement."""

import json
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from pydantic import (
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from core.facts import FEES, MERCHANT, SUBJECTS, Collection
from definitions.band_starts import check_starts, start_conditions
from definitions.barring import barring_conditions, with_free_code
from definitions.benefits import Benefit, CouponBundle, Coupons, Discount
from definitions.benefits.amounts import BenefitAmount
from definitions.checks import check_moment, check_names_once
from definitions.claim_terms import Claim, ClaimAt, ClaimNth, ClaimOverThreshold, Threshold
from definitions.declared import WithDeclarations
from definitions.funding import Funding
from definitions.quotas import Limits, Quota, QuotaTerms, check_bands, limits_of
from merchants.facts import MERCHANTS
from rules.base import DefinitionModel, KnownWord, Names
from rules.conditions import (
    Code,
    Comparison,
    Condition,
    Switch,
    WholeNumber,
    check_all,
    reference_lists,
)
from rules.errors import ErrorCollector
from rules.lookups import Lookup, check_lookups, with_lookups
from rules.moments import Moment
from rules.offer_facts import BENEFIT, OFFER_FACTS, OfferFact
from rules.query_row import QueryRow
from rules.time_windows import Bound, EndBound, bounds_in
from trade.facts import TRADE_ORDERS

MOST_CONDITIONS = 60  # a decision stores the failed ones as bits of one 64-bit number
MOST_LOOKUPS = 20  # each is a subquery for every fact of its row that a condition names

OfferCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


def _word_or_list(value: object) -> str:
    return "Word" if isinstance(value, str) else "List"


Scope = Annotated[
    Annotated[Literal["all"], Tag("Word")] | Annotated[tuple[Comparison, ...], Tag("List")],
    Discriminator(_word_or_list),
]
Conditions = Annotated[
    Annotated[Literal["everyone"], Tag("Word")] | Annotated[tuple[Condition, ...], Tag("List")],
    Discriminator(_word_or_list),
]


class Settlement(DefinitionModel):
    """Course of a grant: settled at the claim, or followed to `at` through lock, deadline and requirements."""

    at: Moment = "claim"
    locked_at: str | None = None
    lock_within_hours: Annotated[WholeNumber, Field(gt=0, le=8760)] | None = None
    fulfilled_at: Moment | None = None
    deadline: EndBound | None = None
    requires: tuple[Condition, ...] = ()
    released_by: str | None = None
    released_after_settlement: Switch = False
    revoked_by: str | None = None

    @property
    def at_claim(self) -> bool:
        """Return whether a grant is settled at the claim."""
        return self.at == "claim"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        later = (self.locked_at, self.fulfilled_at, self.deadline, self.revoked_by)
        if self.at_claim and (any(later) or self.requires):
            message = _("settled at the claim: there is no lock, fulfilment, deadline, requirement, revocation")
            raise ValueError(message)
        if self.at_claim and self.released_by and not self.released_after_settlement:
            raise ValueError(_("settled at the claim: released_by needs released_after_settlement: yes"))
        if self.lock_within_hours and not self.locked_at:
            raise ValueError(_("lock_within_hours needs locked_at: the fact that locks in time"))
        if self.fulfilled_at and not self.deadline:
            raise ValueError(_("fulfilled_at needs a deadline"))
        return self


class OfferTerms(WithDeclarations):
    """Terms of one offer. Conditions are evaluated at the claim, requirements of the settlement at settlement."""

    code: OfferCode
    names: Names
    carriers: tuple[Names, ...] = ()
    subject: Annotated[str, KnownWord("subject", lambda: SUBJECTS)]
    lookups: dict[Code, Lookup] = Field({}, max_length=MOST_LOOKUPS)
    where: Scope
    claim: Claim
    decided_at: Bound | None = None
    settling_hours: Annotated[WholeNumber, Field(ge=0, le=8760)] = 0
    conditions: Conditions
    benefit: Benefit
    quota: QuotaTerms = Quota()
    funded_by: Funding = {}
    settlement: Settlement = Settlement()

    @model_validator(mode="after")
    def _conditions_written(self) -> Self:
        errors = ErrorCollector()
        for name, word in (("where", "all"), ("conditions", "everyone")):
            with errors.at(name):
                if getattr(self, name) == ():
                    message = _("%(field)s is empty: write %(word)s if that is meant")
                    raise ValueError(message % {"field": name, "word": word})
        check_names_once(dict(enumerate(condition.name for condition in self.own_conditions)), errors)
        with errors.at("conditions"):
            if len(self.stated) > MOST_CONDITIONS:
                raise ValueError(_("at most %(most)d conditions") % {"most": MOST_CONDITIONS})
        errors.raise_collected("OfferTerms")
        return self

    @model_validator(mode="after")
    def _fits_subject(self) -> Self:
        errors = ErrorCollector()
        check_lookups(self.lookups, self.plain_collection, errors)
        if isinstance(self.claim, ClaimNth | ClaimOverThreshold) and self.lookups:
            with errors.at("lookups"):
                raise ValueError(_("only subjects that claim at a moment of their own look up rows"))
        errors.raise_collected("OfferTerms")  # what follows needs them
        check_all(self.scope, self.row, errors, "where")
        check_all(self.own_conditions, self.row, errors, "conditions")
        check_all(self.settlement.requires, self.row, errors, "settlement", "requires")
        _check_benefit(self, errors)
        _check_claim(self, errors)
        _check_settlement(self, errors)
        check_bands(self, errors)
        check_starts(self, errors)
        errors.raise_collected("OfferTerms")
        return self

    @cached_property
    def collection(self) -> Collection:
        """Return the collection whose rows are subjects, with the facts of rows that they look up."""
        return with_lookups(self.plain_collection, self.lookups)

    @property
    def plain_collection(self) -> Collection:
        """Return the collection whose rows are subjects."""
        return SUBJECTS[self.subject].with_declared(self.declared.facts)

    def holder_rows(self, name: str) -> Collection | None:
        """Return the collection whose rows are holders under a name: merchants, buyers, rows that are looked up."""
        if name == MERCHANT:
            return MERCHANTS.with_declared(self.declared.facts)
        if name in self.lookups:
            return self.lookups[name].collection
        found = (one.collection for one in self.collection.references if one.name == name)
        rows = next(found, SUBJECTS.get(name))
        return rows.with_declared(self.declared.facts) if rows is not None else None

    def row_of(self, collection: Collection) -> QueryRow:
        """Return a row of another collection in a query, for conditions of these terms, evaluated as of `seen_at`."""
        return QueryRow(collection, declared=self.declared.facts)

    @cached_property
    def row(self) -> QueryRow:
        """Return a subject in a query, evaluated as of the annotation `seen_at`."""
        settlement = self.settlement
        worth = replace(OFFER_FACTS[BENEFIT], currency=self.benefit.fixed_currency)
        known = {BENEFIT: OfferFact(worth, BenefitAmount(self.benefit))}
        if not settlement.at_claim:
            known["settlement"] = OfferFact(OFFER_FACTS["settlement"], settlement.at)
        if settlement.fulfilled_at is not None:
            known["fulfilment"] = OfferFact(OFFER_FACTS["fulfilment"], settlement.fulfilled_at)
        declared, currency = self.declared.facts, self._only_currency()
        return QueryRow(self.collection, offer_facts=known, claims=True, declared=declared, currency=currency)

    def _only_currency(self) -> str:
        """Return the currency that scope or conditions require of the subject's own amounts, empty if none."""
        compared = (part for part in (*self.scope, *self.own_conditions) if isinstance(part, Comparison))
        return next((part.is_ for part in compared if part.fact == "currency" and part.is_), "")

    @cached_property
    def recurrence(self) -> str:
        """Identify the subjects that recur in the parts of a period for this offer; empty where they do not recur."""
        each = self.claim.each if isinstance(self.claim, ClaimAt) else None
        if each is None:
            return ""
        # Without defaults: a word that the vocabulary gains must not give recorded subjects other keys.
        words = json.dumps(each.model_dump(mode="json", by_alias=True, exclude_defaults=True), sort_keys=True)
        return sha256(f"{self.code} {words}".encode()).hexdigest()[:8]

    @property
    def scope(self) -> tuple[Comparison, ...]:
        """Return the comparisons that make a row a subject."""
        return () if self.where == "all" else self.where

    def may_be_requested_as(self, code: str) -> bool:
        """Return whether the scope admits requests for a code."""
        named = [part for part in self.scope if part.fact == "offer"]
        return all(
            (part.is_ in (None, code)) and (part.in_ is None or code in part.in_.values) and part.is_not != code
            for part in named
        )

    @property
    def telling_scope(self) -> tuple[Comparison, ...]:
        """Return the scope without the comparison by which a request names this offer: it tells nothing."""
        return tuple(part for part in self.scope if not (part.fact == "offer" and part.is_ == self.code))

    @cached_property
    def asked(self) -> tuple[Condition, ...]:
        """Return every condition of a claim, in order: bit n of a decision's `failed` is condition n here.

        The last ones hold for every offer: the merchant is in no state that bars it.
        """
        taken = {condition.name for condition in self.stated}
        return (*self.stated, *(with_free_code(condition, taken) for condition in barring_conditions()))

    @cached_property
    def stated(self) -> tuple[Condition, ...]:
        """Return the conditions that the definition states, of the offer's own, of its benefit and of its quota.

        A condition that benefit or quota add has a code that no condition of the offer's own has.
        """
        of_benefit = self.benefit.conditions() if isinstance(self.benefit, Discount) else ()
        added = (*of_benefit, *start_conditions(self))
        taken = {condition.name for condition in self.own_conditions}
        return (*self.own_conditions, *(with_free_code(condition, taken) for condition in added))

    @property
    def own_conditions(self) -> tuple[Condition, ...]:
        """Return the conditions without those of the benefit."""
        return () if self.conditions == "everyone" else self.conditions

    @property
    def bundle(self) -> CouponBundle | None:
        """Return the coupons of a grant, None for a discount."""
        return self.benefit.coupons if isinstance(self.benefit, Coupons) else None

    @property
    def threshold(self) -> Threshold | None:
        """Return the threshold that claims come after, if any."""
        return self.claim.over_threshold if isinstance(self.claim, ClaimOverThreshold) else None

    @cached_property
    def limits(self) -> Limits:
        """Return the parts of the quota, in whichever form it is written."""
        return limits_of(self.quota)

    @cached_property
    def bounds(self) -> tuple[Bound, ...]:
        """Return every bound of the terms, each instant once."""
        return tuple({bound.instant: bound for bound in bounds_in(self)}.values())

    @cached_property
    def reference_lists(self) -> frozenset[str]:
        """Return the reference lists that any condition names."""
        return frozenset(reference_lists(self))

    @property
    def fee(self) -> str:
        """Return the fee that is discounted, empty for coupons. Offers on the same fee of a subject compete."""
        return self.benefit.fee if isinstance(self.benefit, Discount) else ""

    @property
    def decision_instant(self) -> datetime | None:
        """Return the instant before which nothing is decided and as of which conditions are evaluated, if any."""
        return self.decided_at.instant if self.decided_at else None


def _check_benefit(offer: OfferTerms, errors: ErrorCollector) -> None:
    check_fee_owner(offer.fee, offer.subject, errors)
    if isinstance(offer.benefit, Discount):
        offer.benefit.check_facts(offer.collection, errors)
    bundle = offer.bundle
    if bundle is None:
        return
    check_all(bundle.where, bundle.row, errors, "benefit", "coupons", "where")
    with errors.at("settlement"):
        if not offer.settlement.at_claim or offer.settlement.released_by:
            raise ValueError(_("coupons are issued at once: leave out settlement"))
    with errors.at("settling_hours"):
        if offer.settling_hours:
            # Coupons issued late could take the fee of an order that another offer has reduced meanwhile.
            raise ValueError(_("coupons are issued at once: leave out settling_hours, or write decided_at"))
    with errors.at("benefit", "coupons", "valid", "to"):
        if offer.decided_at and bundle.valid.to.after <= offer.decided_at.instant:
            words = {"end": bundle.valid.to.at, "start": offer.decided_at.at}
            raise ValueError(_("coupons end at %(end)s before they are issued at %(start)s") % words)


def check_fee_owner(fee: str, subject: str, errors: ErrorCollector) -> None:
    """Collect an error if the fee is not one of the subject; an empty fee, that of coupons, is one of any."""
    with errors.at("benefit", "fee"):
        if fee and FEES[fee].subject != subject:
            words = {"fee": fee, "owner": FEES[fee].subject, "subject": subject}
            raise ValueError(_("%(fee)s is a fee of a %(owner)s, not of a %(subject)s") % words)


def _check_claim(offer: OfferTerms, errors: ErrorCollector) -> None:
    match offer.claim:
        case ClaimAt(at=moment):
            with errors.at("claim", "at"):
                check_moment(offer.row, moment)
            with errors.at("claim", "each"):
                if (offer.claim.each is None) != (offer.collection.bounds is None):
                    raise ValueError(_("subject: merchant_period and each belong together"))
        case ClaimNth():
            with errors.at("claim", "nth"):
                if offer.subject != MERCHANTS.subject:
                    raise ValueError(_("only merchants claim by an n-th row: write subject: merchant"))
        case ClaimOverThreshold(over_threshold=threshold):
            place = ("claim", "over_threshold")
            if offer.subject == TRADE_ORDERS.subject:
                _check_threshold(threshold, offer.row_of(offer.collection), errors, *place, "where")
            with errors.at(*place):
                if offer.subject != TRADE_ORDERS.subject:
                    raise ValueError(_("only trade orders come after a threshold: write subject: trade_order"))


def _check_threshold(threshold: Threshold, row: QueryRow, errors: ErrorCollector, *place: str | int) -> None:
    check_all(threshold.where, row, errors, *place)
    for n, condition in enumerate(threshold.where):
        with errors.at(*place, n, "fact"):
            if condition.fact in row.collection.facts and row.fact(condition.fact).kind == "instant":
                message = _("%(fact)s changes with time, name facts that do not")
                raise ValueError(message % {"fact": condition.fact})


def _check_settlement(offer: OfferTerms, errors: ErrorCollector) -> None:
    for name in ("at", "locked_at", "fulfilled_at", "released_by", "revoked_by"):
        moment = getattr(offer.settlement, name)
        if moment is not None and not (name == "at" and offer.settlement.at_claim):
            with errors.at("settlement", name):
                check_moment(offer.row, moment)
