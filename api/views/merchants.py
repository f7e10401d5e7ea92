"""One merchant's benefits, grants, coupons and decisions."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import serializers
from api.authentication import merchant_of
from api.views.base import NewestFirst, ReadView
from campaigns.eligibility import explanations, merchant_status
from campaigns.eligibility.explanations import Explanation
from campaigns.models import Coupon, Decision, Grant
from campaigns.offers import published_offers
from core import clock

STATUS_FILTERS = [OpenApiParameter(name, str) for name in ("cursor", "size", "offer", "status")]
OUTCOME_FILTERS = [OpenApiParameter(name, str) for name in ("cursor", "size", "offer", "outcome")]


class BenefitListView(ReadView):
    @extend_schema(responses=serializers.BenefitSerializer(many=True), operation_id="list_benefits")
    def get(self, request: Request, merchant: str) -> Response:
        """List the merchant's status with every offer; those that need attention come first."""
        offers = published_offers.published()
        statuses = merchant_status.statuses(offers, merchant_of(request, merchant), at=clock.now())
        data = [{**vars(status), "offer": status.code, "state": status.kind.name.lower()} for status in statuses]
        return Response(serializers.BenefitSerializer(data, many=True).data)


class MerchantListView(ReadView):
    """Base: rows of one merchant in pages, filtered by the query parameters `offer` and `status`."""

    serializer: Any
    model: Any

    def get(self, request: Request, merchant: str) -> Response:
        rows = self.model.objects.filter(merchant=merchant_of(request, merchant)).select_related("offer")
        if "offer" in request.query_params:
            rows = rows.filter(offer__code=request.query_params["offer"])
        if "status" in request.query_params:
            rows = rows.filter(status=_choice(request, "status", self.model.Status.values))
        paginator = NewestFirst()
        page: Any = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(self.serializer(page, many=True).data)


@extend_schema_view(
    get=extend_schema(
        parameters=STATUS_FILTERS, responses=serializers.GrantSerializer(many=True), operation_id="list_grants"
    )
)
class GrantListView(MerchantListView):
    """List the merchant's grants, newest first."""

    serializer = serializers.GrantSerializer
    model = Grant


@extend_schema_view(
    get=extend_schema(
        parameters=STATUS_FILTERS, responses=serializers.CouponSerializer(many=True), operation_id="list_coupons"
    )
)
class CouponListView(MerchantListView):
    """List the merchant's coupons, newest first."""

    serializer = serializers.CouponSerializer
    model = Coupon


class DecisionListView(ReadView):
    @extend_schema(
        parameters=OUTCOME_FILTERS, responses=serializers.DecisionSerializer(many=True), operation_id="list_decisions"
    )
    def get(self, request: Request, merchant: str) -> Response:
        """List the decisions about the merchant's claims, newest first, each with its explanation."""
        rows = Decision.objects.filter(merchant=merchant_of(request, merchant))
        if offer := request.query_params.get("offer"):
            rows = rows.filter(offer__code=offer)
        if request.query_params.get("outcome"):
            outcomes = {name: outcome for outcome, name in explanations.OUTCOMES.items()}
            rows = rows.filter(outcome=outcomes[_choice(request, "outcome", list(outcomes))])
        paginator = NewestFirst()
        page = paginator.paginate_queryset(rows, request, view=self) or []
        return paginator.get_paginated_response(serializers.DecisionSerializer(_explain(page), many=True).data)


def _choice(request: Request, name: str, choices: Sequence[str]) -> str:
    """Return a query parameter. Raises ValidationError (400) if it is not one of the choices."""
    value = request.query_params[name]
    if value not in choices:
        raise ValidationError({name: f"one of {', '.join(choices)}"}, code="unknown")
    return value


def _explain(decisions: Sequence[Decision]) -> list[Explanation]:
    """Return the explanations of decisions, in their order: one query for each offer among them."""
    subjects: dict[int, list[str]] = {}
    for decision in decisions:
        subjects.setdefault(decision.offer_id, []).append(decision.subject)
    explained: dict[tuple[int, str], Explanation] = {}
    for offer in published_offers.published() if subjects else []:
        if offer.id in subjects:
            for explanation in explanations.explain_all(offer, subjects[offer.id], at=clock.now()):
                explained[offer.id, explanation.subject] = explanation
    keys = [(decision.offer_id, decision.subject) for decision in decisions]
    return [explained[key] for key in keys if key in explained]
