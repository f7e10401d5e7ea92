"""One merchant's benefits, grants, coupons and decisions."""

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from api import queries, serializers
from api.authentication import merchant_of, merchants_of
from api.pagination import list_response, page_of_rows
from api.views.base import ReadView
from campaigns.eligibility import explanations, merchant_status
from campaigns.eligibility.explanations import Explanation
from campaigns.models import Coupon, Decision, Grant
from campaigns.offers import published_offers
from core import clock


class MerchantsView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(
        parameters=[queries.PageQuery], responses=serializers.MerchantPageSerializer, operation_id="list_merchants"
    )
    def get(self, request: Request) -> Response:
        """List the merchants that the key may see, by their codes."""
        paginator, page = page_of_rows(merchants_of(request), request, self.query)
        return paginator.get_paginated_response(serializers.MerchantSerializer(page, many=True).data)


class MerchantView(ReadView):
    @extend_schema(responses=serializers.MerchantSerializer, operation_id="get_merchant")
    def get(self, request: Request, merchant: str) -> Response:
        """Return a merchant."""
        return Response(serializers.MerchantSerializer(merchant_of(request, merchant)).data)


class GrantView(ReadView):
    @extend_schema(responses=serializers.GrantSerializer, operation_id="get_grant")
    def get(self, request: Request, id: int) -> Response:
        """Return a grant as it is now."""
        visible = Grant.objects.filter(merchant__in=merchants_of(request)).select_related("offer")
        return Response(serializers.GrantSerializer(get_object_or_404(visible, pk=id)).data)


class CouponView(ReadView):
    @extend_schema(responses=serializers.CouponSerializer, operation_id="get_coupon")
    def get(self, request: Request, code: str) -> Response:
        """Return a coupon as it is now."""
        visible = Coupon.objects.filter(merchant__in=merchants_of(request)).select_related("offer")
        return Response(serializers.CouponSerializer(get_object_or_404(visible, code=code)).data)


class BenefitListView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(
        parameters=[queries.PageQuery], responses=serializers.BenefitPageSerializer, operation_id="list_benefits"
    )
    def get(self, request: Request, merchant: str) -> Response:
        """List the merchant's status with every offer; those that need attention come first."""
        offers = published_offers.published()
        statuses = merchant_status.statuses(offers, merchant_of(request, merchant), at=clock.now())
        data = [{**vars(status), "offer": status.code, "state": status.kind.name.lower()} for status in statuses]
        return list_response(serializers.BenefitSerializer, data, request, self.query)


class MerchantListView(ReadView):
    """Base: rows of one merchant in pages, filtered by the query parameters `offer` and `status`."""

    serializer: Any
    model: Any

    def get(self, request: Request, merchant: str) -> Response:
        rows = self.model.objects.filter(merchant=merchant_of(request, merchant)).select_related("offer")
        if "offer" in self.query:
            rows = rows.filter(offer__code=self.query["offer"])
        if "status" in self.query:
            rows = rows.filter(status=self.query["status"])
        paginator, page = page_of_rows(rows, request, self.query)
        return paginator.get_paginated_response(self.serializer(page, many=True).data)


@extend_schema_view(
    get=extend_schema(
        parameters=[queries.GrantsQuery], responses=serializers.GrantPageSerializer, operation_id="list_grants"
    )
)
class GrantListView(MerchantListView):
    """List the merchant's grants, newest first."""

    query_serializer = queries.GrantsQuery
    serializer = serializers.GrantSerializer
    model = Grant


@extend_schema_view(
    get=extend_schema(
        parameters=[queries.CouponsQuery], responses=serializers.CouponPageSerializer, operation_id="list_coupons"
    )
)
class CouponListView(MerchantListView):
    """List the merchant's coupons, newest first."""

    query_serializer = queries.CouponsQuery
    serializer = serializers.CouponSerializer
    model = Coupon


class DecisionListView(ReadView):
    query_serializer = queries.DecisionsQuery

    @extend_schema(
        parameters=[queries.DecisionsQuery], responses=serializers.DecisionPageSerializer, operation_id="list_decisions"
    )
    def get(self, request: Request, merchant: str) -> Response:
        """List the decisions about the merchant's claims, newest first, each with its explanation."""
        rows = Decision.objects.filter(merchant=merchant_of(request, merchant))
        if "offer" in self.query:
            rows = rows.filter(offer__code=self.query["offer"])
        if "outcome" in self.query:
            outcomes = {name: outcome for outcome, name in explanations.OUTCOMES.items()}
            rows = rows.filter(outcome=outcomes[self.query["outcome"]])
        paginator, page = page_of_rows(rows, request, self.query)
        return paginator.get_paginated_response(serializers.DecisionSerializer(_explain(page), many=True).data)


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
