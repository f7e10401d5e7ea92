"""Coupons on freight orders: attached and detached while the order is placed and not paid."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import problem_types, serializers
from api.authentication import merchants_of
from api.idempotency import KEY_PARAMETER, idempotent
from api.problems import ProblemError
from api.views.base import ApiView
from campaigns.coupons import attachment
from core import clock
from logistics.models import FreightOrder
from merchants.models import ApiKey


class OrderCouponView(ApiView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=None,
        responses={201: serializers.CouponSerializer, 409: serializers.ProblemSerializer},
        parameters=KEY_PARAMETER,
        operation_id="attach_coupon",
    )
    @idempotent
    def post(self, request: Request, number: str) -> Response:
        """Attach the oldest coupon that fits to a freight order that is placed and not paid."""
        return Response(_change(attachment.attach, request, number), status=201)

    @extend_schema(
        request=None,
        responses={200: serializers.CouponSerializer, 409: serializers.ProblemSerializer},
        parameters=KEY_PARAMETER,
        operation_id="detach_coupon",
    )
    @idempotent
    def delete(self, request: Request, number: str) -> Response:
        """Detach the coupon from a freight order that is not paid yet; it returns to the merchant's wallet."""
        return Response(_change(attachment.detach, request, number))


def _change(verb: Any, request: Request, number: str) -> dict[str, Any]:
    """Attach or detach (`verb`) a coupon and return it."""
    visible = FreightOrder.objects.filter(pk=number, merchant__in=merchants_of(request))
    order = visible.select_related("merchant").first()
    if order is None:
        raise Http404
    try:
        coupon = verb(number, merchant=order.merchant, at=clock.now(), by=str(request.auth))
    except FreightOrder.DoesNotExist as error:
        raise Http404 from error
    except attachment.NotAttachableError as error:
        raise ProblemError(problem_types.NO_COUPON, reason=error) from error
    data: dict[str, Any] = serializers.CouponSerializer(coupon).data
    return data
