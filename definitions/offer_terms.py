"""Terms of an offer as data: subjects, claim, conditions, benefit, quota and settlement."""

from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from core.facts import COLLECTIONS, FEES, SUBJECTS, Collection
from definitions.benefits import Benefit, CouponBundle, Coupons, Discount
from logistics.facts import FREIGHT_ORDERS
from merchants.facts import MERCHANTS
from rules.base import DefinitionModel, KnownWord, Names
from rules.conditions import Comparison, Condition, CountableName, check_all
from rules.errors import ErrorCollector
from rules.moments import Moment, case_fact, moment_facts
from rules.query_row import QueryRow
from rules.time_windows import Bound, NamedWindow
from trade.facts import TRADE_ORDERS

MOST_CONDITIONS = 60  # a decision stores the failed ones as bits of one 64-bit number

OfferCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


class ClaimAt(DefinitionModel):
    """Claim of each subject at a moment of its own."""

    at: Moment


class Nth(DefinitionModel):
    """N-th row that counts, in the order of one of the rows' instants: at that instant the merchant claims."""

    number: Annotated[int, Field(ge=1, le=10_000)]
    of: CountableName
    at: str
    where: tuple[Comparison, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _countable(self) -> Self:
        row, errors = QueryRow(COLLECTIONS[self.of]), ErrorCollector()
        with errors.at("at"):
            row.check_instant(self.at, column=True)
        check_all(self.where, row, errors, "where")
        errors.raise_collected("Nth")
        return self


class ClaimNth(DefinitionModel):
    """Claim of a merchant by its n-th row."""

    nth: Nth


class Threshold(DefinitionModel):
    """Sum of the receipts of a merchant's orders; an order first booked after the sum reached `height` can claim."""

    height: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]
    window: NamedWindow
    where: tuple[Comparison, ...] = Field(min_length=1)


class ClaimOverThreshold(DefinitionModel):
    """Claim of an order after the threshold, at its first booking in the window."""

    over_threshold: Threshold


def _claim_form(value: Any) -> str:
    keys = value if isinstance(value, dict) else type(value).model_fields
    forms = {"nth": "ClaimNth", "over_threshold": "ClaimOverThreshold"}
    return next((form for word, form in forms.items() if word in keys), "ClaimAt")


def _word_or_list(value: Any) -> str:
    return "Word" if isinstance(value, str) else "List"


Claim = Annotated[
    Annotated[ClaimAt, Tag("ClaimAt")]
    | Annotated[ClaimNth, Tag("ClaimNth")]
    | Annotated[ClaimOverThreshold, Tag("ClaimOverThreshold")],
    Discriminator(_claim_form),
]
Scope = Annotated[
    Annotated[Literal["all"], Tag("Word")] | Annotated[tuple[Comparison, ...], Tag("List")],
    Discriminator(_word_or_list),
]
Conditions = Annotated[
    Annotated[Literal["everyone"], Tag("Word")] | Annotated[tuple[Condition, ...], Tag("List")],
    Discriminator(_word_or_list),
]


class Quota(DefinitionModel):
    """Number of places, in all and per merchant; None means no limit."""

    limit: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    per_merchant: Annotated[int, Field(ge=1, le=100_000_000)] | None = None


class Settlement(DefinitionModel):
    """Course of a grant: settled at the claim, or followed to `at` through lock, deadline and requirements."""

    at: Moment = "claim"
    locked_at: str | None = None
    lock_within_hours: Annotated[int, Field(gt=0, le=8760)] | None = None
    fulfilled_at: Moment | None = None
    deadline: Bound | None = None
    requires: tuple[Condition, ...] = ()
    released_by: str | None = None
    released_after_settlement: bool = False
    revoked_by: str | None = None

    @property
    def at_claim(self) -> bool:
        """Return whether a grant is settled at the claim."""
        return self.at == "claim"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        later = (self.locked_at, self.fulfilled_at, self.deadline, self.revoked_by)
        if self.at_claim and (any(later) or self.requires):
            raise ValueError("settled at the claim: there is no lock, fulfilment, deadline, requirement, revocation")
        if self.at_claim and self.released_by and not self.released_after_settlement:
            raise ValueError("settled at the claim: released_by needs released_after_settlement: yes")
        if self.lock_within_hours and not self.locked_at:
            raise ValueError("lock_within_hours needs locked_at: the fact that locks in time")
        if self.fulfilled_at and not self.deadline:
            raise ValueError("fulfilled_at needs a deadline")
        return self


class OfferTerms(DefinitionModel):
    """Terms of one offer. Conditions are evaluated at the claim, requirements of the settlement at settlement."""

    code: OfferCode
    names: Names
    carriers: tuple[Names, ...] = ()
    subject: Annotated[str, KnownWord("subject", lambda: SUBJECTS)]
    where: Scope
    claim: Claim
    decided_at: Bound | None = None
    settling_hours: Annotated[int, Field(ge=0, le=8760)] = 0
    conditions: Conditions
    benefit: Benefit
    quota: Quota = Quota()
    settlement: Settlement = Settlement()

    @model_validator(mode="after")
    def _conditions_written(self) -> Self:
        for name, word in (("where", "all"), ("conditions", "everyone")):
            if getattr(self, name) == ():
                raise ValueError(f"{name} is empty: write {word} if that is meant")
        names = [condition.name for condition in self.asked]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two conditions are called {', '.join(sorted(twice))}: give one a code of its own")
        if len(names) > MOST_CONDITIONS:
            raise ValueError(f"at most {MOST_CONDITIONS} conditions")
        return self

    @model_validator(mode="after")
    def _fits_subject(self) -> Self:
        errors = ErrorCollector()
        check_all(self.scope, self.row, errors, "where")
        check_all(self.own_conditions, self.row, errors, "conditions")
        check_all(self.settlement.requires, self.row, errors, "settlement", "requires")
        _check_benefit(self, errors)
        _check_claim(self, errors)
        _check_settlement(self, errors)
        errors.raise_collected("OfferTerms")
        return self

    @cached_property
    def collection(self) -> Collection:
        """Return the collection whose rows are subjects."""
        return SUBJECTS[self.subject]

    @cached_property
    def row(self) -> QueryRow:
        """Return a subject in a query, evaluated as of the annotation `seen_at`."""
        settlement = self.settlement
        moments = {} if settlement.at_claim else {"settlement": settlement.at}
        if settlement.fulfilled_at is not None:
            moments["fulfilment"] = settlement.fulfilled_at
        return QueryRow(self.collection, moments=moments, claims=True)

    @property
    def scope(self) -> tuple[Comparison, ...]:
        """Return the comparisons that make a row a subject."""
        return () if self.where == "all" else self.where

    @cached_property
    def asked(self) -> tuple[Condition, ...]:
        """Return every condition of a claim, in order: bit n of a decision's `failed` is condition n here."""
        return (*self.own_conditions, *(self.benefit.conditions() if isinstance(self.benefit, Discount) else ()))

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

    @property
    def fee(self) -> str:
        """Return the fee that is discounted, empty for coupons. Offers on the same fee of a subject compete."""
        return self.benefit.fee if isinstance(self.benefit, Discount) else ""

    @property
    def decision_instant(self) -> datetime | None:
        """Return the instant before which nothing is decided and as of which conditions are evaluated, if any."""
        return self.decided_at.instant if self.decided_at else None


def _check_moment(row: QueryRow, moment: Moment) -> None:
    """Raise ValueError unless every fact of the moment is an instant of the row and its cases are values of a fact."""
    for name in moment_facts(moment):
        row.check_instant(name)
    if case := case_fact(moment):
        fact, values = case
        Comparison.model_validate({"fact": fact, "in": values}).check(row)


def _check_benefit(offer: OfferTerms, errors: ErrorCollector) -> None:
    with errors.at("benefit", "fee"):
        owner = FEES[offer.fee].subject if offer.fee else offer.subject
        if owner != offer.subject:
            raise ValueError(f"{offer.fee} is a fee of a {owner}, not of a {offer.subject}")
    bundle = offer.bundle
    if bundle is None:
        return
    check_all(bundle.where, QueryRow(FREIGHT_ORDERS), errors, "benefit", "coupons", "where")
    with errors.at("settlement"):
        if not offer.settlement.at_claim or offer.settlement.released_by:
            raise ValueError("coupons are issued at once: leave out settlement")
    with errors.at("settling_hours"):
        if offer.settling_hours:
            # Coupons issued late could take the fee of an order that another offer has reduced meanwhile.
            raise ValueError("coupons are issued at once: leave out settling_hours, or write decided_at")
    with errors.at("benefit", "coupons", "valid", "to"):
        if offer.decided_at and bundle.valid.to.after <= offer.decided_at.instant:
            raise ValueError(f"coupons end at {bundle.valid.to.at} before they are issued at {offer.decided_at.at}")


def _check_claim(offer: OfferTerms, errors: ErrorCollector) -> None:
    match offer.claim:
        case ClaimAt(at=moment):
            with errors.at("claim", "at"):
                _check_moment(offer.row, moment)
        case ClaimNth():
            with errors.at("claim", "nth"):
                if offer.subject != MERCHANTS.subject:
                    raise ValueError("only merchants claim by an n-th row: write subject: merchant")
        case ClaimOverThreshold(over_threshold=threshold):
            place = ("claim", "over_threshold")
            if offer.subject == TRADE_ORDERS.subject:
                _check_threshold(threshold, offer.row, errors, *place, "where")
            with errors.at(*place):
                if offer.subject != TRADE_ORDERS.subject:
                    raise ValueError("only trade orders come after a threshold: write subject: trade_order")


def _check_threshold(threshold: Threshold, row: QueryRow, errors: ErrorCollector, *place: str | int) -> None:
    check_all(threshold.where, row, errors, *place)
    for n, condition in enumerate(threshold.where):
        fact = row.collection.facts.get(condition.fact)
        with errors.at(*place, n, "fact"):
            if fact is not None and fact.kind == "instant":
                raise ValueError(f"{condition.fact} changes with time, name facts that do not")


def _check_settlement(offer: OfferTerms, errors: ErrorCollector) -> None:
    for name in ("at", "locked_at", "fulfilled_at", "released_by", "revoked_by"):
        moment = getattr(offer.settlement, name)
        if moment is not None and not (name == "at" and offer.settlement.at_claim):
            with errors.at("settlement", name):
                _check_moment(offer.row, moment)
