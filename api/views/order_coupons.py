"""Coupons on orders: attached and detached while the order is placed and not paid."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from api import problem_types, serializers
from api.authentication import merchants_of
from api.idempotency import KEY_PARAMETER, idempotent
from api.problems import ProblemError
from api.views.base import ApiView
from campaigns.coupons import attachment
from core import clock
from core.facts import COUPON_FEES
from definitions.benefits.coupons import DEFAULT_ORDERS
from merchants.models import ApiKey


class OrderCouponView(ApiView):
    """Coupon of an order of one `kind`: the subject whose rows the orders are."""

    scope = ApiKey.Scope.CLAIM
    kind = ""

    @extend_schema(
        request=None,
        responses={201: serializers.CouponSerializer, 409: serializers.ProblemSerializer},
        parameters=KEY_PARAMETER,
    )
    @idempotent
    def post(self, request: Request, number: str) -> Response:
        """Attach the oldest coupon that fits to an order that is placed and not paid."""
        return Response(_change(attachment.attach, self.kind, request, number), status=201)

    @extend_schema(
        request=None,
        responses={200: serializers.CouponSerializer, 409: serializers.ProblemSerializer},
        parameters=KEY_PARAMETER,
    )
    @idempotent
    def delete(self, request: Request, number: str) -> Response:
        """Detach the coupon from an order that is not paid yet; it returns to the merchant's wallet."""
        return Response(_change(attachment.detach, self.kind, request, number))


def _change(verb: Any, kind: str, request: Request, number: str) -> dict[str, Any]:
    """Attach or detach (`verb`) a coupon and return it."""
    rows: QuerySet[Any] = COUPON_FEES[kind].collection.model._default_manager.all()
    visible = rows.filter(pk=number, merchant__in=merchants_of(request))
    order = visible.select_related("merchant").first()
    if order is None:
        raise Http404
    try:
        coupon = verb(number, kind=kind, merchant=order.merchant, at=clock.now(), by=str(request.auth))
    except attachment.NoOrderError as error:
        raise Http404 from error
    except attachment.NotAttachableError as error:
        raise ProblemError(problem_types.NO_COUPON, reason=error) from error
    data: dict[str, Any] = serializers.CouponSerializer(coupon).data
    return data


def _view(kind: str) -> Any:
    """Return the view of one kind of order: its operations have names of their own."""
    first = kind == DEFAULT_ORDERS  # the names that its operations had when there was one kind
    name = "coupon" if first else f"coupon_of_{kind}"
    operations = {"post": f"attach_{name}", "delete": f"detach_{name}"}
    extend = extend_schema_view(**{method: extend_schema(operation_id=id_) for method, id_ in operations.items()})
    view: type[OrderCouponView] = type(f"OrderCouponView_{kind}", (OrderCouponView,), {"kind": kind})
    return extend(view).as_view()


def paths() -> list[URLPattern]:
    """Return the path of the coupon of an order, for each kind of order that takes coupons."""
    return [
        path(f"{fee.collection.name.replace('_', '-')}/<key:number>/coupon/", _view(kind))
        for kind, fee in COUPON_FEES.items()
    ]
