"""Ratings, allowances and entitlements of one holder: a tab of the merchant's page, and the page of a buyer."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from backoffice.rendering import render_page, staff_view
from buyers.models import Buyer
from campaigns.allowances import entitlement_results, holdings
from campaigns.allowances.entitlement_results import EntitlementResult
from campaigns.allowances.holdings import Holding
from campaigns.scorecards import explanations, texts
from campaigns.scorecards.explanations import MerchantRatings, RatingExplanation
from core import clock
from core.formatting import format_number
from definitions.allowances import describe_units
from definitions.band_sentences import describe_each
from definitions.scorecards.sentences import part_name
from merchants.models import Merchant

MOST_STEPS = 3
TONES = {"had": "ok", "collectable": "warn", "not_eligible": "idle", "outside_period": "idle"}


@dataclass(frozen=True)
class RatingCard:
    """Ratings of a merchant by one scorecard, with the points of each part and the cheapest steps up."""

    ratings: MerchantRatings
    explained: RatingExplanation

    @property
    def parts(self) -> list[tuple[str, Decimal]]:
        """Parts with their points, fewest first."""
        terms = self.explained.terms
        scores = sorted(self.explained.scored.parts, key=lambda one: one.points)
        return [(part_name(one.part, terms), one.points) for one in scores]

    @property
    def steps(self) -> list[str]:
        """Changes that bring the next level, cheapest first."""
        return [texts.step_text(step, self.explained.terms) for step in self.explained.steps[:MOST_STEPS]]

    def level(self, code: str) -> str:
        """Return the name of a level."""
        return next((str(level) for level in self.explained.terms.levels if level.level == code), code)

    @property
    def official_level(self) -> str:
        return self.level(self.ratings.official.level) if self.ratings.official else ""

    @property
    def predicted_level(self) -> str:
        return self.level(self.ratings.predicted.level) if self.ratings.predicted else ""


@dataclass(frozen=True)
class AllowanceLine:
    """An allowance of a merchant with the words about it."""

    holding: Holding

    @property
    def tone(self) -> str:
        return TONES[self.holding.state]

    @property
    def units(self) -> str:
        return "" if self.holding.units is None else describe_units(self.holding.units)

    @property
    def period(self) -> str:
        return describe_each(self.holding.allowance.terms.in_)


@dataclass(frozen=True)
class EntitlementLine:
    """An entitlement with its value in words."""

    result: EntitlementResult

    @property
    def value(self) -> str:
        return "" if self.result.value is None else format_number(self.result.value)


def of_merchant(_request: HttpRequest, merchant: Merchant, at: datetime) -> dict[str, Any]:
    """Return the ratings, allowances and entitlements of a merchant."""
    rated = explanations.of_merchant(merchant.pk, at=at)
    latest = [(one, one.predicted or one.official or one.history[0]) for one in rated]
    return {
        "rating_cards": [RatingCard(one, explanations.explain(rating)) for one, rating in latest],
        "allowances": [AllowanceLine(one) for one in holdings.holdings(merchant, at=at)],
        **_entitlements("merchant", merchant.pk, at),
    }


def _entitlements(holder_kind: str, holder: str, at: datetime) -> dict[str, Any]:
    lines = [EntitlementLine(one) for one in entitlement_results.results(holder_kind, holder, at=at)]
    return {"entitlements": sorted(lines, key=lambda line: not line.result.is_held)}


@staff_view("buyers.view_buyer", methods=("GET", "HEAD"))
def buyer_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show a buyer: its level over time, and what it is entitled to with the reasons."""
    buyer, at = get_object_or_404(Buyer, pk=code), clock.now()
    levels = list(buyer.levels.filter(from_at__lte=at).order_by("-from_at"))
    return render_page(
        request, "buyer", title=buyer.code, buyer=buyer, levels=levels, **_entitlements("buyer", buyer.pk, at)
    )
