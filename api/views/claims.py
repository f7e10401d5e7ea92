"""Quotes and claims: what a subject would get, and what it gets, decided at once by the engine's rules."""

from datetime import datetime
from time import perf_counter
from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from api import claim_batch, claim_results, idempotency, problem_types, serializers
from api.authentication import key_of
from api.problems import ProblemError
from api.subjects import explain_by_key, is_visible
from api.views.base import ApiView, ReadView
from api.views.facts import record
from campaigns.engine import instant_claims
from campaigns.monitoring import prometheus
from campaigns.offers import published_offers
from core import clock
from core.facts import SUBJECTS
from core.keys import normalize_key
from imports.json_rows import Mode, cell_text
from imports.registry import all_schemas
from imports.schema import FileSchema
from merchants.models import ApiKey

SUBJECT = OpenApiParameter("subject", {"type": "string", "enum": sorted(SUBJECTS)}, OpenApiParameter.PATH)
STEPS = sorted({step for collection in SUBJECTS.values() for step in collection.steps})
STEP = OpenApiParameter("step", {"type": "string", "enum": STEPS}, OpenApiParameter.PATH)


class QuoteView(ApiView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=serializers.ClaimRequestSerializer, responses=serializers.ClaimResultSerializer, operation_id="quote"
    )
    def post(self, request: Request) -> Response:
        """Return what a claim would get now. Nothing is reserved and nothing is stored."""
        claim = _validate(request)
        with transaction.atomic():
            result = _decide(request, claim)
            transaction.set_rollback(True)
        return Response(result)


class ClaimView(ApiView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=serializers.ClaimRequestSerializer,
        responses={
            200: serializers.ClaimResultSerializer,
            201: serializers.ClaimResultSerializer,
            202: serializers.ClaimResultSerializer,
            409: serializers.RefusalSerializer,
        },
        parameters=idempotency.KEY_PARAMETER,
        operation_id="claim",
    )
    def post(self, request: Request) -> Response:
        """Decide a subject's claims at once.

        201: it has a benefit. 202: it is decided later, at `decides_at`. 200: no offer is about it (`not_applicable`),
        it has not claimed yet (`not_claimed`), or the offer is paused (`paused`). 409: it has no benefit, because it
        was refused, or because the grant has ended (`ended`).
        """
        began = perf_counter()
        claim = _validate(request)
        if "fact" in claim:
            response = _record_and_decide(self, request, claim)
        else:
            response = claim_batch.submit(request, claim["subject"], claim["key"])
        prometheus.CLAIM_SECONDS.labels(response.data["outcome"]).observe(perf_counter() - began)
        return response


class ClaimResultView(ReadView):
    @extend_schema(responses=serializers.ClaimResultSerializer, operation_id="get_claim", parameters=[SUBJECT])
    def get(self, request: Request, subject: str, key: str) -> Response:
        """Return the claim of a subject as it is now. Nothing is decided and nothing is stored."""
        return _read(request, subject, key)


@extend_schema_view(get=extend_schema(exclude=True))
class ClaimStepView(ApiView):
    scope = ApiKey.Scope.FACTS
    scopes = {"GET": ApiKey.Scope.READ}

    def get(self, request: Request, subject: str, key: str, step: str) -> Response:
        """Return the claim of a subject whose key has a slash and looks like a key and a step."""
        return _read(request, subject, f"{key}/{step}")

    @extend_schema(
        request=serializers.StepSerializer,
        responses={200: serializers.ClaimResultSerializer, 409: serializers.ProblemSerializer},
        parameters=[SUBJECT, STEP, *idempotency.KEY_PARAMETER],
        operation_id="follow_claim",
    )
    @idempotency.idempotent
    def post(self, request: Request, subject: str, key: str, step: str) -> Response:
        """Record that a subject was paid, fulfilled or cancelled. Its grants follow at once."""
        serializer = serializers.StepSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fact = SUBJECTS[subject].steps.get(step) if subject in SUBJECTS else None
        if fact is None or not is_visible(request, subject, key):
            raise Http404
        _record_step(subject, key, fact, serializer.validated_data.get("at") or clock.now())
        return Response(_claim(subject, key))


def _validate(request: Request) -> dict[str, Any]:
    serializer = serializers.ClaimRequestSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    claim: dict[str, Any] = serializer.validated_data
    return claim


@idempotency.idempotent
def _record_and_decide(_view: ApiView, request: Request, claim: dict[str, Any]) -> Response:
    """Record the facts and decide the claims in one transaction."""
    return claim_results.respond(_decide(request, claim))


def _decide(request: Request, claim: dict[str, Any]) -> dict[str, Any]:
    """Record the subject if the request has its facts, and decide its claims, in the current transaction."""
    subject, key = claim["subject"], claim.get("key")
    if key is None:
        key = _record_subject(request, subject, claim["fact"])
    if not is_visible(request, subject, key):
        raise Http404
    return _claim(subject, key)


def _claim(subject: str, key: str) -> dict[str, Any]:
    """Follow the grants and decide the claims of a subject; return the body of the response."""
    instant_claims.claim(key, of=subject, at=clock.now())
    return _present(subject, key)


def _present(subject: str, key: str) -> dict[str, Any]:
    explanations = explain_by_key(published_offers.about(subject), [key])
    return claim_results.result(subject, key, explanations.get(key, []))


def _read(request: Request, subject: str, key: str) -> Response:
    if not is_visible(request, subject, key):
        raise Http404
    return Response(_present(subject, key))


def _record_subject(request: Request, subject: str, fact: dict[str, Any]) -> str:
    """Record the facts of a subject and return its key."""
    if ApiKey.Scope.FACTS not in key_of(request).scopes:
        raise ProblemError(problem_types.FACTS_SCOPE_MISSING)
    schema = _schema(subject)
    record(schema, [fact], pointer="/fact")
    return "/".join(normalize_key(cell_text(fact[name]) or "") for name in schema.key)


def _record_step(subject: str, key: str, fact: str, at: datetime) -> None:
    """Record the subject's row again, with the instant of the step. Raises ProblemError if it has one already."""
    schema = _schema(subject)
    row = schema.model._default_manager.get(pk=key)
    if (recorded := getattr(row, fact)) is not None:
        raise ProblemError(problem_types.STEP_DONE, fact=fact, at=recorded.isoformat())
    record(schema, [{schema.key[0]: key, fact: at.isoformat()}], mode=Mode.CHANGE, pointer="")


def _schema(subject: str) -> FileSchema:
    return next(schema for schema in all_schemas() if schema.model is SUBJECTS[subject].model)
