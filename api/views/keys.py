"""API keys managed by programs: a key never gives, rotates or revokes more than it has itself."""

from datetime import timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import problem_types, queries, serializers
from api.access_changes import Verb, merchant_for, reachable, record, write
from api.authentication import key_of
from api.idempotency import KEY_PARAMETER, idempotent
from api.pagination import page_of_rows
from api.problems import ProblemError, field_error
from api.views.base import ApiView
from campaigns.models import Endpoint
from campaigns.notifications import key_revocation
from core import clock
from merchants import api_keys
from merchants.models import ApiKey


class KeysView(ApiView):
    scope = ApiKey.Scope.KEYS
    query_serializers = {"GET": queries.PageQuery}

    @extend_schema(parameters=[queries.PageQuery], responses=serializers.KeyPageSerializer, operation_id="list_keys")
    def get(self, request: Request) -> Response:
        """List API keys, newest first: those of the key's merchant, or all for a key of the platform."""
        paginator, page = page_of_rows(reachable(request, ApiKey.objects.all()), request, self.query)
        return paginator.get_paginated_response(serializers.ApiKeySerializer(page, many=True).data)

    @extend_schema(
        request=serializers.KeyRequestSerializer,
        responses={201: serializers.NewApiKeySerializer},
        parameters=KEY_PARAMETER,
        operation_id="issue_key",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Issue an API key, with no more than the key of this request has. Its `secret` is shown once."""
        serializer = serializers.KeyRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted, issuer, now = serializer.validated_data, key_of(request), clock.real()
        merchant = merchant_for(request, wanted.get("merchant"))
        ends = wanted.get("expires_at") or issuer.expires_at
        if ends is not None and ends <= now:
            raise ProblemError(problem_types.INVALID, errors=[field_error("expires_at", "is in the past")])
        _check_reach(issuer, wanted["scopes"], merchant.pk if merchant else None, ends)
        try:
            key, secret = api_keys.issue(
                wanted["name"], scopes=wanted["scopes"], merchant=merchant, expires_at=ends, at=now, by=str(issuer)
            )
        except ValueError as error:
            raise ProblemError(problem_types.INVALID, errors=[field_error("scopes", str(error))]) from error
        record(request, Verb.ISSUED, key, scopes=key.scopes)
        return _created(key, secret)


class KeyView(ApiView):
    scope = ApiKey.Scope.KEYS
    query_serializers = {"DELETE": queries.RevocationQuery}

    @extend_schema(responses=serializers.ApiKeySerializer, operation_id="get_key")
    def get(self, request: Request, id: str) -> Response:
        """Return an API key, without its secret."""
        return Response(serializers.ApiKeySerializer(_find(request, id)).data)

    @extend_schema(
        request=None,
        responses={200: serializers.RevokedApiKeySerializer, 409: serializers.MadeWithKeySerializer},
        parameters=[*KEY_PARAMETER, queries.RevocationQuery],
        operation_id="revoke_key",
    )
    @idempotent
    def delete(self, request: Request, id: str) -> Response:
        """Revoke an API key: it stops working at once.

        409 `made_with_key` if keys or webhooks that it made still work: it names them, and nothing is revoked. Say
        `made=end` to end those too, or `made=keep`.
        """
        key, now, made = _find(request, id), clock.real(), self.query.get("made")
        record(request, Verb.REVOKED, key)  # first: a key may revoke itself, and then records nothing more
        ended = key_revocation.revoke(
            key, at=now, noted=lambda one: _note_end(request, one, key), ends_made=made == queries.END_MADE
        )
        if made is None and (left := key_revocation.made_with(key, at=now)).can_end:
            raise ProblemError(problem_types.MADE_WITH_KEY, extra=serializers.made_with_key(left))
        return Response({**serializers.ApiKeySerializer(key).data, **serializers.made_with_key(ended)})


def _note_end(request: Request, one: ApiKey | Endpoint, key: ApiKey) -> None:
    """Check that a key or webhook may end, and record it if it ends with the key that made it."""
    if isinstance(one, ApiKey):
        _check_key(request, one)
    if one != key:
        if isinstance(one, ApiKey):
            write(request, Verb.REVOKED, one, made_by=key.prefix)
        else:
            write(request, Verb.CHANGED, one, enabled=False, made_by=key.prefix)


class KeyRotationView(ApiView):
    scope = ApiKey.Scope.KEYS

    @extend_schema(
        request=serializers.RotationSerializer,
        responses={201: serializers.NewApiKeySerializer},
        parameters=KEY_PARAMETER,
        operation_id="rotate_key",
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Issue the successor of an API key. The old one works for `overlap_hours` longer."""
        serializer = serializers.RotationSerializer(data=request.data or {})
        serializer.is_valid(raise_exception=True)
        key, now = _find(request, id), clock.real()
        _check_key(request, key)
        overlap = timedelta(hours=serializer.validated_data["overlap_hours"])
        try:
            successor, secret = api_keys.rotate(key, at=now, overlap=overlap, by=str(key_of(request)))
        except api_keys.EndedError as error:
            raise ProblemError(problem_types.KEY_ENDED) from error
        except ValueError as error:
            raise ProblemError(problem_types.INVALID, errors=[field_error("merchant", str(error))]) from error
        record(request, Verb.ROTATED, key, successor=successor.prefix)
        return _created(successor, secret)


def _find(request: Request, prefix: str) -> ApiKey:
    key: ApiKey = get_object_or_404(reachable(request, ApiKey.objects.all()), prefix=prefix)
    return key


def _check_key(request: Request, key: ApiKey) -> None:
    _check_reach(key_of(request), key.scopes, key.merchant_id, key.expires_at)


def _check_reach(own: ApiKey, scopes: Any, merchant: str | None, expires_at: Any) -> None:
    if not api_keys.covers(own, scopes=scopes, merchant=merchant, expires_at=expires_at):
        raise ProblemError(problem_types.BEYOND_KEY)


def _created(key: ApiKey, secret: str) -> Response:
    return Response({**serializers.ApiKeySerializer(key).data, "secret": secret}, status=201)
