"""Claims, quotes, facts, and coupons attached: what changes something, each done once."""

from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import attaching, claiming, clock
from campaigns.api import shapes
from campaigns.api.authentication import key_of, merchants_of
from campaigns.api.idempotency import HEADER, once
from campaigns.api.problems import ProblemError, pointed
from campaigns.api.reading import explained, is_theirs
from campaigns.explaining import Explanation
from campaigns.intake import FILES
from campaigns.rules.facts import SUBJECTS
from logistics.models import FreightOrder
from merchants.intake.calls import take_facts
from merchants.intake.files import Complaint, FactFile
from merchants.intake.taking import Outcome
from merchants.models import ApiKey

FACTS: dict[str, FactFile] = {file.name: file for file in FILES}
ONCE = [OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, required=True, description="names this one call")]
# A refusal is told by the most final of what the offers said.
REFUSALS = ("quota_exhausted", "merchant_cap", "stopped", "refused")
ATTACHED = {201: shapes.CouponShape, 409: shapes.ProblemShape}


class Quotes(APIView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(request=shapes.SubjectShape, responses=shapes.ClaimShape, operation_id="quote")
    def post(self, request: Request) -> Response:
        """What a claim would get now, by the same engine. Nothing is held, and nothing stays recorded."""
        with transaction.atomic():
            told = _claimed(request)
            transaction.set_rollback(True)
        return Response(shapes.ClaimShape(told).data)


class Claims(APIView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=shapes.SubjectShape,
        responses={201: shapes.ClaimShape, 202: shapes.ClaimShape, 409: shapes.ProblemShape},
        parameters=ONCE,
        operation_id="claim",
    )
    @once
    def post(self, request: Request) -> Response:
        """Decide a subject's claims at once. 201 granted, 409 refused, 202 where the claim waits for its decision."""
        told = _claimed(request)
        answer = shapes.ClaimShape(told).data
        if told["outcome"] in REFUSALS:
            text = _("No offer gave this subject a benefit; see answers.")
            return Response(ProblemError(409, told["outcome"], text, more=dict(answer)).body(), status=409)
        return Response(answer, status=202 if told["outcome"] == "waiting" else 201)


def _claimed(request: Request) -> dict[str, Any]:
    """Record the subject where its facts were given, and decide its claims."""
    asked = shapes.SubjectShape(data=request.data)
    asked.is_valid(raise_exception=True)
    subject, key = asked.validated_data["subject"], asked.validated_data.get("key")
    if key is None:
        key = _recorded(request, subject, asked.validated_data["fact"])
    if not is_theirs(request, subject, key):
        raise Http404
    claiming.claim(key, of=subject, at=clock.now())
    answers = explained(request, subject, key)
    return {"subject": subject, "key": key, "outcome": _outcome(answers), "answers": answers}


def _outcome(answers: list[Explanation]) -> str:
    outcomes = {answer.outcome for answer in answers}
    if "granted" in outcomes:
        return "granted"
    return next((refusal for refusal in REFUSALS if refusal in outcomes), "waiting")


def _recorded(request: Request, subject: str, fact: dict[str, Any]) -> str:
    if ApiKey.Scope.FACTS not in key_of(request).scopes:
        text = _("To record facts, this key needs the scope facts; else name a subject by its key.")
        raise ProblemError(403, "scope_missing", text)
    file = next(file for file in FILES if file.model is SUBJECTS[subject].model)
    _take(file, [fact], "/fact", many=False)
    return str(fact[file.key[0]])


def _take(file: FactFile, facts: list[dict[str, Any]], at: str, *, many: bool = True) -> Outcome:
    complaints: list[Complaint] = []
    outcome = take_facts(file, facts, name=f"api: {file.name}", now=clock.now(), report=complaints.append)
    if complaints:
        errors = [pointed(one, f"{at}/{one.line}" if many else at) for one in complaints]
        raise ProblemError(
            400, "invalid", _("Nothing was recorded: something in the facts is wrong; see errors."), errors
        )
    return outcome


class Facts(APIView):
    scope = ApiKey.Scope.FACTS

    @extend_schema(request=shapes.FactsShape, responses=shapes.TakenShape, parameters=ONCE, operation_id="record_facts")
    @once
    def post(self, request: Request, kind: str) -> Response:
        """Record up to 1,000 facts of a kind, named as in its file: new or changed. All or none."""
        if kind not in FACTS:
            raise Http404
        asked = shapes.FactsShape(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(shapes.TakenShape(_take(FACTS[kind], asked.validated_data["facts"], "/facts")).data)


class OrderCoupon(APIView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(request=None, responses=ATTACHED, parameters=ONCE, operation_id="attach_coupon")
    @once
    def post(self, request: Request, number: str) -> Response:
        """Attach the oldest coupon that fits to a freight order that is placed and not paid."""
        order = FreightOrder.objects.filter(pk=number, merchant__in=merchants_of(request)).select_related("merchant")
        found = order.first()
        if found is None:
            raise Http404
        try:
            coupon = attaching.attach(number, merchant=found.merchant, at=clock.now(), by=str(request.auth))
        except FreightOrder.DoesNotExist as error:
            raise Http404 from error
        except attaching.NotAttachableError as refusal:
            raise ProblemError(409, "no_coupon", str(refusal)) from refusal
        return Response(shapes.CouponShape(coupon).data, status=201)
