"""Coupons on freight orders: attached and detached while the order is placed and not paid."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import serializers
from api.authentication import merchants_of
from api.idempotency import ONCE, idempotent
from api.problems import ProblemError
from campaigns.coupons import attachment
from core import clock
from logistics.models import FreightOrder
from merchants.models import ApiKey

ANSWERS = {409: serializers.ProblemShape}


class OrderCoupon(APIView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=None, responses={201: serializers.CouponShape, **ANSWERS}, parameters=ONCE, operation_id="attach_coupon"
    )
    @idempotent
    def post(self, request: Request, number: str) -> Response:
        """Attach the oldest coupon that fits to a freight order that is placed and not paid."""
        return Response(_moved(attachment.attach, request, number), status=201)

    @extend_schema(
        request=None, responses={200: serializers.CouponShape, **ANSWERS}, parameters=ONCE, operation_id="detach_coupon"
    )
    @idempotent
    def delete(self, request: Request, number: str) -> Response:
        """Take the coupon off a freight order that is not paid yet; it comes back to the merchant's wallet."""
        return Response(_moved(attachment.detach, request, number))


def _moved(verb: Any, request: Request, number: str) -> dict[str, Any]:
    order = (
        FreightOrder.objects.filter(pk=number, merchant__in=merchants_of(request)).select_related("merchant").first()
    )
    if order is None:
        raise Http404
    try:
        coupon = verb(number, merchant=order.merchant, at=clock.now(), by=str(request.auth))
    except FreightOrder.DoesNotExist as error:
        raise Http404 from error
    except attachment.NotAttachableError as refusal:
        raise ProblemError(409, "no_coupon", str(refusal)) from refusal
    told: dict[str, Any] = serializers.CouponShape(coupon).data
    return told
