"""Webhooks managed by programs, and their deliveries."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import problem_types, queries, serializers, webhook_rows
from api.access_changes import Verb, merchant_for, reachable, record
from api.authentication import key_of
from api.idempotency import KEY_PARAMETER, idempotent
from api.pagination import page_of_rows
from api.problems import ProblemError, field_error
from api.views.base import ApiView
from campaigns import tasks
from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhook_events, webhooks
from core import clock
from core.safe_http import AddressError
from merchants.models import ApiKey


class WebhooksView(ApiView):
    scope = ApiKey.Scope.WEBHOOKS
    query_serializers = {"GET": queries.PageQuery}

    @extend_schema(
        parameters=[queries.PageQuery], responses=serializers.WebhookPageSerializer, operation_id="list_webhooks"
    )
    def get(self, request: Request) -> Response:
        """List webhooks, newest first: those of the key's merchant, or all for a key of the platform."""
        paginator, page = page_of_rows(reachable(request, Endpoint.objects.all()), request, self.query)
        return paginator.get_paginated_response([webhook_rows.webhook(each) for each in page])

    @extend_schema(
        request=serializers.WebhookRequestSerializer,
        responses={201: serializers.NewWebhookSerializer},
        parameters=KEY_PARAMETER,
        operation_id="register_webhook",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Register a webhook for the events of one merchant or of all. Its `secret` is shown once."""
        serializer = serializers.WebhookRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        try:
            endpoint = webhooks.register(
                wanted["name"],
                wanted["url"],
                merchant=merchant_for(request, wanted.get("merchant")),
                kinds=webhook_events.kinds_named(wanted["events"]),
                at=clock.real(),
                by=str(key_of(request)),
            )
        except AddressError as error:
            raise _bad_url(error) from error
        except webhooks.TooManyError as error:
            raise _too_many(error) from error
        record(request, Verb.REGISTERED, endpoint, url=endpoint.url)
        return _with_secret(endpoint)


class WebhookView(ApiView):
    scope = ApiKey.Scope.WEBHOOKS

    @extend_schema(responses=serializers.WebhookSerializer, operation_id="get_webhook")
    def get(self, request: Request, id: int) -> Response:
        """Return a webhook, without its secret."""
        return Response(webhook_rows.webhook(_find(request, id)))

    @extend_schema(
        request=serializers.WebhookChangeSerializer,
        responses=serializers.WebhookSerializer,
        parameters=KEY_PARAMETER,
        operation_id="change_webhook",
    )
    @idempotent
    def patch(self, request: Request, id: int) -> Response:
        """Change name, address or events of a webhook; disable or enable it."""
        endpoint = _find(request, id)
        serializer = serializers.WebhookChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = dict(serializer.validated_data)
        enabled = wanted.pop("enabled", None)
        if "events" in wanted:
            wanted["kinds"] = webhook_events.kinds_named(wanted.pop("events"))
        try:
            webhooks.change(endpoint, **wanted)
            if enabled is not None:
                webhooks.enable(endpoint) if enabled else webhooks.disable(endpoint, at=clock.real())
        except AddressError as error:
            raise _bad_url(error) from error
        except webhooks.TooManyError as error:
            raise _too_many(error) from error
        endpoint.refresh_from_db()
        record(request, Verb.CHANGED, endpoint, **serializer.validated_data)
        return Response(webhook_rows.webhook(endpoint))


class WebhookRotationView(ApiView):
    scope = ApiKey.Scope.WEBHOOKS

    @extend_schema(
        request=None,
        responses={201: serializers.NewWebhookSerializer},
        parameters=KEY_PARAMETER,
        operation_id="rotate_webhook_secret",
    )
    @idempotent
    def post(self, request: Request, id: int) -> Response:
        """Replace the secret. Deliveries are signed with the old one too for a day. The new one is shown once."""
        endpoint = _find(request, id)
        webhooks.rotate(endpoint, at=clock.real())
        record(request, Verb.ROTATED, endpoint)
        return _with_secret(endpoint)


class WebhookTestView(ApiView):
    scope = ApiKey.Scope.WEBHOOKS

    @extend_schema(
        request=None,
        responses={202: serializers.DeliverySerializer, 409: serializers.ProblemSerializer},
        parameters=KEY_PARAMETER,
        operation_id="test_webhook",
    )
    @idempotent
    def post(self, request: Request, id: int) -> Response:
        """Send the event `endpoint.tested`. The response is its delivery, to be read again."""
        endpoint = _sendable(_find(request, id))
        delivery = webhooks.test(endpoint, at=clock.real())
        record(request, Verb.TESTED, endpoint, delivery=delivery.key)
        return _sent(delivery)


class DeliveriesView(ApiView):
    scope = ApiKey.Scope.WEBHOOKS
    query_serializers = {"GET": queries.DeliveriesQuery}

    @extend_schema(
        parameters=[queries.DeliveriesQuery],
        responses=serializers.DeliveryPageSerializer,
        operation_id="list_deliveries",
    )
    def get(self, request: Request, id: int) -> Response:
        """List the deliveries of a webhook, newest first."""
        rows = Delivery.objects.filter(endpoint=_find(request, id)).select_related("event__offer")
        rows = rows.filter(**STATES[self.query["status"]]) if "status" in self.query else rows
        paginator, page = page_of_rows(rows, request, self.query)
        return paginator.get_paginated_response(webhook_rows.deliveries(page))


class DeliveryView(ApiView):
    scope = ApiKey.Scope.WEBHOOKS

    @extend_schema(responses=serializers.DeliverySerializer, operation_id="get_delivery")
    def get(self, request: Request, id: str) -> Response:
        """Return a delivery as it is now."""
        return Response(webhook_rows.deliveries([_find_delivery(request, id)])[0])


class ResendView(ApiView):
    scope = ApiKey.Scope.WEBHOOKS

    @extend_schema(
        request=None,
        responses={202: serializers.DeliverySerializer, 409: serializers.ProblemSerializer},
        parameters=KEY_PARAMETER,
        operation_id="resend_delivery",
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Send a delivery again, with the same `webhook-id`, delivered before or not."""
        delivery = _find_delivery(request, id)
        _sendable(delivery.endpoint)
        webhooks.replay(delivery, at=clock.real())
        record(request, Verb.RESENT, delivery.endpoint, delivery=delivery.key)
        delivery.refresh_from_db()
        return _sent(delivery)


STATES: dict[str, dict[str, Any]] = {
    "pending": {"due_at__isnull": False},
    "delivered": {"delivered_at__isnull": False},
    "given_up": {"due_at": None, "delivered_at": None},
}


def _find(request: Request, pk: int) -> Endpoint:
    endpoint: Endpoint = get_object_or_404(reachable(request, Endpoint.objects.select_related("merchant")), pk=pk)
    return endpoint


def _sendable(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint. Raises ProblemError if it is disabled: what is queued for it would wait for ever."""
    if endpoint.disabled_at is not None:
        raise ProblemError(problem_types.WEBHOOK_DISABLED)
    return endpoint


def _find_delivery(request: Request, key: str) -> Delivery:
    visible = Delivery.objects.filter(endpoint__in=reachable(request, Endpoint.objects.all()))
    delivery: Delivery = get_object_or_404(visible.select_related("event__offer", "endpoint__merchant"), key=key)
    return delivery


def _with_secret(endpoint: Endpoint) -> Response:
    return Response({**webhook_rows.webhook(endpoint), "secret": endpoint.secret}, status=201)


def _sent(delivery: Delivery) -> Response:
    """Send what is due once the transaction has ended; answer with the delivery."""
    transaction.on_commit(lambda: tasks.deliver.delay(delivery.endpoint_id), robust=True)  # else the sweep sends it
    return Response(webhook_rows.deliveries([delivery])[0], status=202)


def _too_many(error: webhooks.TooManyError) -> ProblemError:
    return ProblemError(problem_types.INVALID, errors=[field_error("merchant", str(error))])


def _bad_url(error: AddressError) -> ProblemError:
    return ProblemError(problem_types.INVALID, errors=[field_error("url", str(error))])
