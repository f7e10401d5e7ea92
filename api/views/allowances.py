"""Allowances of a merchant and their uses; entitlements of merchants and buyers."""

from uuid import uuid4

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import idempotency, own_numbers, problem_types, queries, serializers, use_batch
from api.authentication import key_of, merchant_of, merchants_of
from api.pagination import list_response
from api.problems import ProblemError
from api.serializers.allowances import use_result
from api.views.base import ApiView, ReadView
from buyers.models import Buyer
from campaigns.allowances import entitlements, holdings, instant_uses
from campaigns.allowances.published import published
from campaigns.models import UsageDecision
from core import clock
from merchants.models import ApiKey


class UsesView(ApiView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=serializers.UseRequestSerializer,
        responses={201: serializers.UseResultSerializer, 409: serializers.UseRefusalSerializer},
        parameters=idempotency.KEY_PARAMETER,
        operation_id="use_allowance",
    )
    def post(self, request: Request) -> Response:
        """Use an allowance now, and learn at once whether that was accepted.

        201: accepted. 409: refused, and nothing was taken. A number that is recorded already gives its stored result.
        """
        serializer = serializers.UseRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return use_batch.submit(request, serializer.validated_data)


class UseView(ReadView):
    @extend_schema(responses=serializers.UseResultSerializer, operation_id="get_use")
    def get(self, request: Request, number: str) -> Response:
        """Return the result of a use as it is now."""
        visible = UsageDecision.objects.filter(merchant__in=merchants_of(request))
        own = key_of(request).merchant_id
        decision = own_numbers.find(visible, own, number)
        if decision is None:
            raise Http404
        row = next(iter(use_batch.used_allowances([decision]).values()), None)
        result = use_result(decision, row, number=own_numbers.shown_number(own, decision.pk))
        return Response(serializers.serialize(serializers.UseResultSerializer, result))


class AllowancesView(ApiView):
    scopes = {"POST": ApiKey.Scope.CLAIM}
    query_serializers = {"GET": queries.AllowancesQuery}

    @extend_schema(
        parameters=[queries.AllowancesQuery],
        responses=serializers.AllowancePageSerializer,
        operation_id="list_allowances",
    )
    def get(self, request: Request) -> Response:
        """List what a merchant may use now: units left and until when, what it can collect, and what it misses."""
        code = self.query.get("merchant") or key_of(request).merchant_id
        if code is None:
            raise Http404
        held = holdings.holdings(merchant_of(request, code), at=clock.now())
        return list_response(serializers.AllowanceSerializer, held, request, self.query)

    @extend_schema(
        request=serializers.CollectRequestSerializer,
        responses={201: serializers.AllowanceSerializer, 409: serializers.NotCollectedSerializer},
        parameters=idempotency.KEY_PARAMETER,
        operation_id="collect_allowance",
    )
    def post(self, request: Request) -> Response:
        """Collect an allowance for an account of a merchant, as a claim request does.

        201: it is collected. 409: it is not: `allowance` says what is missing, or that it is collected already.
        """
        return _collect(self, request)


@idempotency.idempotent
def _collect(_view: object, request: Request) -> Response:
    serializer = serializers.CollectRequestSerializer(
        data=request.data, context={"merchant": key_of(request).merchant_id}
    )
    serializer.is_valid(raise_exception=True)
    code, account = serializer.validated_data["offer"], serializer.validated_data["account_code"]
    terms = next(one.terms for one in published() if one.code == code)
    locked, at = instant_uses.lock(terms.use), clock.now()
    number = f"R-{uuid4().hex}"
    done = instant_uses.collect(locked, number, code=code, merchant=account.merchant_id, account=account.pk, at=at)
    held = next(one for one in holdings.holdings(account.merchant, at=clock.now()) if one.code == code)
    shown = serializers.serialize(serializers.AllowanceSerializer, held)
    if not done:
        return ProblemError(problem_types.NOT_COLLECTED, extra={"allowance": shown}).response()
    return Response(shown, status=201)


class MerchantEntitlementsView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(
        parameters=[queries.PageQuery],
        responses=serializers.EntitlementPageSerializer,
        operation_id="list_merchant_entitlements",
    )
    def get(self, request: Request, merchant: str) -> Response:
        """List what a merchant is entitled to now."""
        holder = merchant_of(request, merchant)
        held = entitlements.held_by("merchant", holder.pk, at=clock.now())
        return list_response(serializers.EntitlementSerializer, held, request, self.query)


class BuyerEntitlementsView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(
        parameters=[queries.PageQuery],
        responses=serializers.EntitlementPageSerializer,
        operation_id="list_buyer_entitlements",
    )
    def get(self, request: Request, buyer: str) -> Response:
        """List what a buyer is entitled to now. For keys of the platform."""
        if key_of(request).merchant_id is not None:
            raise Http404
        held = entitlements.held_by("buyer", buyer, at=clock.now())
        if not held and not Buyer.objects.filter(pk=buyer).exists():
            raise Http404
        return list_response(serializers.EntitlementSerializer, held, request, self.query)
