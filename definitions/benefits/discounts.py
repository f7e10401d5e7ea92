"""Discounts: how much is taken off one fee."""

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from itertools import pairwise
from typing import Annotated, Any, Self

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from core.facts import FEES, SUBJECTS, Collection
from core.money import round_money, round_money_down
from definitions.benefits.values import (
    AmountOrFact,
    Currency,
    FactValue,
    MeasureValue,
    Percent,
    PercentOfPart,
    PercentOrFact,
    Positive,
    check_unit,
)
from rules.base import DefinitionModel, KnownWord
from rules.conditions import Amount, Comparison
from rules.errors import ErrorCollector
from rules.measured import Measured, check_measure
from rules.measures import Measure
from rules.query_row import QueryRow

FeeName = Annotated[str, KnownWord("fee", lambda: FEES)]
FORMS = ("percent", "amount", "price", "tiers", "slices")
EXACT = Context(prec=60)
"""Context for facts, which may have more digits than the numbers of a definition."""


class Reduction(DefinitionModel):
    """Percentage of the fee, or an amount."""

    percent: Percent | None = None
    amount: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise ValueError(_("say either %(one)s or %(other)s") % {"one": "percent", "other": "amount"})
        return self

    def amount_for(self, fee: Decimal) -> Decimal:
        """Return the reduction before rounding and limits."""
        return self.amount if self.amount is not None else fee * (self.percent or 0) / 100


class Tier(Reduction):
    """Reduction for fees from an amount on, up to the next tier."""

    from_: Amount = Field(alias="from")
    below: Amount | None = None


class Slice(DefinitionModel):
    """Percentage of the part of the fee from an amount on, up to the next slice."""

    from_: Amount = Field(alias="from")
    percent: PercentOfPart

    def amount_for(self, fee: Decimal, end: Decimal | None, before: Decimal) -> Decimal:
        """Return the reduction of the part of the fee up to `end`, before rounding; None: of all the rest.

        The fee is counted from `before` on.
        """
        reached = before + fee
        part = (reached if end is None else min(reached, end)) - max(self.from_, before)
        return max(part, Decimal(0)) * self.percent / 100


class Discount(DefinitionModel):
    """Reduction of one fee, rounded half up to the cent and never more than the fee leaves room for."""

    fee: FeeName
    of: MeasureValue | None = None
    rate: Percent | None = None
    currency: Currency | None = None
    percent: PercentOrFact | None = None
    amount: AmountOrFact | None = None
    price: Amount | None = None
    tiers: tuple[Tier, ...] = ()
    slices: tuple[Slice, ...] = ()
    at_most: Positive | None = None
    by: MeasureValue | None = None
    after: MeasureValue | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(getattr(self, word) not in (None, ()) for word in FORMS) != 1:
            raise ValueError(_("say exactly one of %(words)s") % {"words": ", ".join(FORMS)})
        if FEES[self.fee].rated != (self.rate is not None):
            text = _("%(fee)s takes a rate") if FEES[self.fee].rated else _("%(fee)s takes no rate")
            raise ValueError(text % {"fee": self.fee})
        if self.rate is not None and (self.tiers or self.slices) and self.measure is None:
            raise ValueError(_("a fee that is a rate of an amount takes no tiers and no slices"))
        if self.at_most is not None and isinstance(self.amount, Decimal):
            raise ValueError(_("a fixed amount takes no at_most: write the smaller of the two as the amount"))
        if self.slices and not any(part.percent for part in self.slices):
            raise ValueError(_("every slice is 0 percent: the offer gives nothing"))
        return self

    @model_validator(mode="after")
    def _money_fits(self) -> Self:
        if self._amounts() and not self.fixed_currency:
            raise ValueError(_("a fixed amount needs a currency"))
        if FEES[self.fee].measured != (self.of is not None):
            text = _("%(fee)s needs the measure that it is of") if self.of is None else _("%(fee)s takes no measure")
            raise ValueError(text % {"fee": self.fee})
        if self.currency and FEES[self.fee].currency not in ("", self.currency):
            words = {"fee": self.fee, "currency": FEES[self.fee].currency, "found": self.currency}
            raise ValueError(_("%(fee)s is in %(currency)s, not %(found)s") % words)
        for amount in self._amounts():
            check_unit(amount, self.fixed_currency)
        return self

    def check_facts(self, rows: Collection, errors: ErrorCollector) -> None:
        """Collect an error if the rows do not have the number or amount that the discount is, in its currency."""
        for word, value in (("percent", self.percent), ("amount", self.amount)):
            with errors.at("benefit", word, "fact"):
                if isinstance(value, FactValue):
                    fact = value.check(rows)
                    if word == "amount" and fact.currency not in ("", self.fixed_currency):
                        words = {"fact": fact.name, "currency": fact.currency}
                        raise ValueError(_("%(fact)s is in %(currency)s: write currency: %(currency)s") % words)

    @model_validator(mode="after")
    def _measure_fits(self) -> Self:
        errors = ErrorCollector()
        with errors.at("of", "measure"):
            if self.of is not None:
                check_measure(self.of.measure, QueryRow(SUBJECTS[FEES[self.fee].subject], claims=True))
                if self.of.measure.currency != self.fixed_currency or not self.fixed_currency:
                    raise ValueError(_("the measure is no amount in the currency of the benefit"))
        for word, parts in (("by", "tiers"), ("after", "slices")):
            value: MeasureValue | None = getattr(self, word)
            with errors.at(word):
                if value is not None and not getattr(self, parts):
                    raise ValueError(_("%(word)s belongs to %(parts)s") % {"word": word, "parts": parts})
            with errors.at(word, "measure"):
                if value is not None:
                    check_measure(value.measure, QueryRow(SUBJECTS[FEES[self.fee].subject], claims=True))
                    currency = value.measure.currency
                    if word == "after" and (not currency or currency != self.fixed_currency):
                        words = {"found": currency or "–", "currency": self.fixed_currency or "–"}
                        raise ValueError(
                            _("after is an amount in the currency of the discount, %(currency)s, not %(found)s") % words
                        )
        errors.raise_collected("Discount")
        return self

    @model_validator(mode="after")
    def _parts_meet(self) -> Self:
        _check_order([tier.from_ for tier in self.tiers], _("tiers overlap: %(upper)s comes after %(lower)s"))
        _check_order([part.from_ for part in self.slices], _("slices overlap: %(upper)s comes after %(lower)s"))
        for lower, upper in pairwise(self.tiers):
            if lower.below is not None and lower.below != upper.from_:
                gap = _("tiers leave a gap between %(end)s and %(start)s")
                text = gap if lower.below < upper.from_ else _("tiers overlap between %(end)s and %(start)s")
                raise ValueError(text % {"end": lower.below, "start": upper.from_})
        if self.tiers and self.tiers[-1].below is not None:
            raise ValueError(_("the last tier has no upper end: leave out below"))
        return self

    def _amounts(self) -> list[Decimal]:
        """Return every amount of money that the discount states; where parts of the fee begin does not count."""
        stated = (self.amount, self.price, self.at_most, *(tier.amount for tier in self.tiers))
        return [amount for amount in stated if isinstance(amount, Decimal)]

    @property
    def fixed_currency(self) -> str:
        """Return the currency that every discount is in; empty where it is that of the row."""
        of = self.of.measure.currency if self.of is not None else ""
        return self.currency or FEES[self.fee].currency or of

    @property
    def fact(self) -> str:
        """Return the fact that holds the percentage or the amount; empty where the discount states it."""
        given = next((value for value in (self.percent, self.amount) if isinstance(value, FactValue)), None)
        return given.fact if given else ""

    @property
    def measure(self) -> Measure | None:
        """Return the measure that selects the tier, or after which the slices are counted; None for the fee."""
        value = self.by or self.after
        return value.measure if value is not None else None

    @property
    def most(self) -> Decimal | None:
        """Return an amount that no discount exceeds, None where a larger fee gets a larger one."""
        if self.at_most is not None or isinstance(self.amount, Decimal):
            return self.at_most or self.amount  # type: ignore[return-value]  # a fact was excluded above
        amounts = [tier.amount for tier in self.tiers if tier.amount is not None]
        return max(amounts) if amounts and len(amounts) == len(self.tiers) else None

    def value(self, fee_value: Decimal | None, currency: str = "", given: Decimal | int | None = None) -> Decimal:
        """Return the discount for the value `fee_value` of the fee's fact; None counts as 0.00.

        It is rounded to the smallest unit of `currency`, that of the row; empty: that of the discount or of its fee.
        `given` is the value of `fact`, or that of `measure`; None counts as 0.
        """
        currency = currency or self.fixed_currency
        fee = (fee_value or Decimal(0)) * (self.rate / 100 if self.rate is not None else 1)
        least = FEES[self.fee].least
        # A rated fee is rounded as it is charged; a fee that leaves less than a unit of room is not exceeded.
        room = round_money(fee, currency) if self.rate is not None else round_money_down(fee - least, currency)
        off = self._off(fee, given)
        if self.at_most is not None:
            off = min(off, self.at_most)
        return max(Decimal("0.00"), min(round_money(off, currency), room))

    def smallest_value(self, fee_value: Decimal, given: Decimal | None = None) -> Decimal:
        """Return the smallest discount for any value of the fee's fact from `fee_value` on, of `fact` from `given` on.

        Between two tiers a discount grows with the fee, so it is smallest at an end. A tier that a measure selects,
        and the slice after it, may be any.
        """
        if self.measure is not None:
            lowest = [Decimal(0)] if self.after else []
            starts = [*lowest, *(tier.from_ for tier in self.tiers), *(part.from_ for part in self.slices)]
            return min(self.value(fee_value, given=start) for start in starts)
        ends = (tier.from_ for tier in self.tiers if tier.from_ > fee_value)
        return min(self.value(end, given=given) for end in (fee_value, *ends))

    def _off(self, fee: Decimal, given: Decimal | int | None) -> Decimal:
        """Return the reduction before the cap, rounding and limits."""
        if self.price is not None:
            return fee - self.price
        before = Decimal(given or 0) if self.measure is not None else Decimal(0)
        if self.slices:
            return sum((part.amount_for(fee, end, before) for part, end in self.parts()), Decimal(0))
        if self.tiers:  # that of the highest tier reached, 0 below the lowest
            height = fee if self.by is None else before
            return next((tier.amount_for(fee) for tier in reversed(self.tiers) if tier.from_ <= height), Decimal(0))
        if self.fact:
            stated = max(Decimal(given or 0), Decimal(0))
            share = EXACT.multiply(fee, min(stated, Decimal(100))).scaleb(-2, EXACT)
            return stated if self.amount is not None else share
        return self.amount if isinstance(self.amount, Decimal) else fee * self.percent / 100  # type: ignore[operator]  # a number

    def parts(self) -> Iterator[tuple[Slice, Decimal | None]]:
        """Yield each slice with its end, None for the last one."""
        for number, part in enumerate(self.slices, start=1):
            yield part, self.slices[number].from_ if number < len(self.slices) else None

    def conditions(self) -> tuple[Comparison | Measured, ...]:
        """Return the conditions of the discount itself: its currency, and a fee from the lowest tier or slice on.

        Where a measure selects the tier, it is that which must reach the lowest.
        """
        fee = FEES[self.fee]
        asked: list[dict[str, Any]] = []
        if self.currency and fee.currency_fact:
            asked.append({"fact": fee.currency_fact, "is": self.currency})
        lowest = next((part.from_ for parts in (self.tiers, self.slices) for part in parts), Decimal(0))
        measured: list[Measured] = []
        if lowest > 0 and self.measure is None and self.of is not None:
            measured.append(Measured(measure=self.of.measure, at_least=lowest))
        elif lowest > 0 and self.measure is None:
            asked.append({"fact": fee.fact, "at_least": lowest})
        comparisons = tuple(Comparison.model_validate(condition) for condition in asked)
        if self.by and lowest > 0:
            measured.append(Measured(measure=self.by.measure, at_least=lowest))
        return (*comparisons, *measured)


def _check_order(starts: Sequence[Decimal], text: str) -> None:
    """Raise ValueError unless each part of the fee begins above the one before it."""
    for lower, upper in pairwise(starts):
        if upper <= lower:
            raise ValueError(text % {"upper": upper, "lower": lower})
