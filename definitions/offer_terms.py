"""An offer as data: who may get what, for what, when, how many, and how it settles (programs.md, sections 4 and 5)."""

from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from core.facts import COLLECTIONS, FEES, SUBJECTS, Collection
from definitions.benefits import Benefit, CouponBundle, Coupons, Discount
from logistics.facts import FREIGHT_ORDERS
from rules.base import DefinitionModel, KnownWord, Names
from rules.conditions import Comparison, Condition, CountableName, Row
from rules.moments import Moment, cased, facts_of
from rules.time_windows import Bound, NamedWindow

MOST_CONDITIONS = 60  # a decision notes which failed in the bits of one whole number

OfferCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


class ClaimAt(DefinitionModel):
    """Each subject claims at a moment of its own."""

    at: Moment


class Nth(DefinitionModel):
    """A merchant claims when it has the n-th row that counts, in the order of one of the rows' instants."""

    number: Annotated[int, Field(ge=1, le=10_000)]
    of: CountableName
    at: str
    where: tuple[Comparison, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _countable(self) -> Self:
        row = Row(COLLECTIONS[self.of])
        _check_instants(row, self.at)
        for condition in self.where:
            condition.check(row)
        return self


class ClaimNth(DefinitionModel):
    """The claim of a merchant by its n-th row."""

    nth: Nth


class Threshold(DefinitionModel):
    """Receipts of a merchant's orders add up to a height; orders first booked after it is reached are candidates."""

    height: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]
    window: NamedWindow
    where: tuple[Comparison, ...] = Field(min_length=1)


class ClaimOverThreshold(DefinitionModel):
    """A candidate claims at its first booking in the window."""

    over_threshold: Threshold


def _claim_form(value: Any) -> str:
    keys = value if isinstance(value, dict) else type(value).model_fields
    return next((form for form in ("nth", "over_threshold") if form in keys), "at")


Claim = Annotated[
    Annotated[ClaimAt, Tag("at")]
    | Annotated[ClaimNth, Tag("nth")]
    | Annotated[ClaimOverThreshold, Tag("over_threshold")],
    Discriminator(_claim_form),
]


class Quota(DefinitionModel):
    """How many places there are: in all, and per merchant. Nothing written means no limit."""

    limit: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    per_merchant: Annotated[int, Field(ge=1, le=100_000_000)] | None = None


class Settlement(DefinitionModel):
    """What becomes of a grant: settled at the claim, or followed to `at` through lock, deadline and requirements."""

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
        """Whether a grant is settled at once."""
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
    """One promise. Conditions are asked at the claim, requirements of the settlement at settlement."""

    code: OfferCode
    names: Names
    carriers: tuple[Names, ...] = ()
    subject: Annotated[str, KnownWord("subject", lambda: SUBJECTS)]
    where: Literal["all"] | tuple[Comparison, ...]
    claim: Claim
    decided_at: Bound | None = None
    settling_hours: Annotated[int, Field(ge=0, le=8760)] = 0
    conditions: Literal["everyone"] | tuple[Condition, ...]
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
        for condition in (*self.scope, *self.asked, *self.settlement.requires):
            condition.check(self.row)
        _check_claim(self)
        _check_settlement(self)
        owner = FEES[self.fee].subject if self.fee else self.subject
        if owner != self.subject:
            raise ValueError(f"{self.fee} is a fee of a {owner}, not of a {self.subject}")
        return self

    @cached_property
    def collection(self) -> Collection:
        """The rows that are its subjects."""
        return SUBJECTS[self.subject]

    @cached_property
    def row(self) -> Row:
        """A subject in a query, as of the annotation `seen_at`."""
        settlement = self.settlement
        moments = {} if settlement.at_claim else {"settlement": settlement.at}
        if settlement.fulfilled_at is not None:
            moments["fulfilment"] = settlement.fulfilled_at
        return Row(self.collection, moments=moments, claims=True)

    @property
    def scope(self) -> tuple[Comparison, ...]:
        """What makes a row a subject at all."""
        return () if self.where == "all" else self.where

    @cached_property
    def asked(self) -> tuple[Condition, ...]:
        """Every condition of a claim, in order: bit n of a decision's `failed` is condition n here."""
        own = () if self.conditions == "everyone" else self.conditions
        return (*own, *(self.benefit.conditions() if isinstance(self.benefit, Discount) else ()))

    @property
    def bundle(self) -> CouponBundle | None:
        """The coupons a grant brings, if any."""
        return self.benefit.coupons if isinstance(self.benefit, Coupons) else None

    @property
    def threshold(self) -> Threshold | None:
        """The threshold that claims come after, if any."""
        return self.claim.over_threshold if isinstance(self.claim, ClaimOverThreshold) else None

    @property
    def fee(self) -> str:
        """The fee it discounts: offers on the same fee of a subject compete. Empty for coupons."""
        return self.benefit.fee if isinstance(self.benefit, Discount) else ""

    @property
    def decision_instant(self) -> datetime | None:
        """Before this nothing is decided, and conditions are asked as of it."""
        return self.decided_at.instant if self.decided_at else None


def _check_instants(row: Row, moment: Moment) -> None:
    for name in facts_of(moment):
        if name not in row.collection.facts or row.kind(name).kind != "instant":
            known = ", ".join(n for n, fact in row.collection.facts.items() if fact.kind == "instant")
            raise ValueError(f"{row.collection.name} have no instant {name!r}; known are: {known or 'none'}")
    if by := cased(moment):
        fact, values = by
        Comparison.model_validate({"fact": fact, "in": values}).check(row)


def _check_claim(offer: OfferTerms) -> None:
    match offer.claim:
        case ClaimAt(at=moment):
            _check_instants(offer.row, moment)
        case ClaimNth() if offer.subject != "merchant":
            raise ValueError("only merchants claim by an n-th row: write subject: merchant")
        case ClaimOverThreshold() if offer.subject != "trade_order":
            raise ValueError("only trade orders come after a threshold: write subject: trade_order")
        case ClaimOverThreshold(over_threshold=threshold):
            for condition in threshold.where:
                condition.check(Row(offer.collection))
                if offer.row.kind(condition.fact).kind == "instant":
                    raise ValueError(
                        f"over_threshold.where: {condition.fact} changes with time, name facts that do not"
                    )


def _check_settlement(offer: OfferTerms) -> None:
    settlement, row = offer.settlement, offer.row
    named = [settlement.locked_at, settlement.released_by, settlement.revoked_by, settlement.fulfilled_at]
    for moment in (*named, None if settlement.at_claim else settlement.at):
        if moment is not None:
            _check_instants(row, moment)
    bundle = offer.bundle
    if bundle is None:
        return
    for condition in bundle.where:
        condition.check(Row(FREIGHT_ORDERS))
    if not settlement.at_claim or settlement.released_by:
        raise ValueError("coupons are issued at once: leave out settlement")
    if offer.decided_at and bundle.valid.to.after <= offer.decided_at.instant:
        raise ValueError(f"coupons end at {bundle.valid.to.at} before they are issued at {offer.decided_at.at}")
