"""Quotes and claims: what a subject would get, and what it gets, decided at once by the engine's own rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from time import perf_counter
from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import idempotency, serializers
from api.authentication import key_of
from api.problems import ProblemError
from api.views.facts import take
from api.views.reading import explained, is_theirs, send_owners
from campaigns.eligibility.explanations import Explanation
from campaigns.engine import instant_claims
from campaigns.engine.claim_batching import Asking, Desk
from campaigns.monitoring import prometheus
from campaigns.offers import published_offers
from core import clock
from core.facts import SUBJECTS
from imports.registry import all_schemas
from merchants.models import ApiKey

# A refusal is told by the most final of what the offers said.
REFUSALS = ("quota_exhausted", "merchant_cap", "stopped", "refused")


class Quotes(APIView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(request=serializers.SubjectShape, responses=serializers.ClaimShape, operation_id="quote")
    def post(self, request: Request) -> Response:
        """What a claim would get now, by the same engine. Nothing is held, and nothing stays recorded."""
        asked = _asked(request)
        with transaction.atomic():
            told = _claimed(request, asked)
            transaction.set_rollback(True)
        return Response(told)


class Claims(APIView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=serializers.SubjectShape,
        responses={201: serializers.ClaimShape, 202: serializers.ClaimShape, 409: serializers.ProblemShape},
        parameters=idempotency.ONCE,
        operation_id="claim",
    )
    def post(self, request: Request) -> Response:
        """Decide a subject's claims at once. 201 granted, 409 refused, 202 where the claim waits for its decision."""
        began = perf_counter()
        asked = _asked(request)
        answer = _with_facts(self, request, asked) if "fact" in asked else _at_the_desk(request, asked)
        prometheus.CLAIM_SECONDS.labels(answer.data["outcome"]).observe(perf_counter() - began)
        return answer


class Steps(APIView):
    scope = ApiKey.Scope.FACTS

    @extend_schema(
        request=serializers.StepShape,
        responses={200: serializers.ClaimShape, 409: serializers.ProblemShape},
        parameters=idempotency.ONCE,
        operation_id="follow_claim",
    )
    @idempotency.idempotent
    def post(self, request: Request, subject: str, key: str, step: str) -> Response:
        """Tell that a subject was paid, fulfilled or cancelled, as a fact; its grants follow at once."""
        asked = serializers.StepShape(data=request.data)
        asked.is_valid(raise_exception=True)
        fact = SUBJECTS[subject].steps.get(step) if subject in SUBJECTS else None
        if fact is None or not is_theirs(request, subject, key):
            raise Http404
        _record_step(subject, key, fact, asked.validated_data.get("at") or clock.now())
        instant_claims.claim(key, of=subject, at=clock.now())
        return Response(_told(subject, key, explained(published_offers.about(subject), [key]).get(key, [])))


def _record_step(subject: str, key: str, fact: str, at: datetime) -> None:
    """The subject's row told again, with the instant of the step. Raises ProblemError where it has one already."""
    file = next(file for file in all_schemas() if file.model is SUBJECTS[subject].model)
    row = file.model._default_manager.get(pk=key)
    if getattr(row, fact) is not None:
        text = _("%(fact)s is known already: %(at)s. To correct it, send the fact itself.")
        known = getattr(row, fact).isoformat()
        raise ProblemError(409, "step_done", text % {"fact": fact, "at": known})
    told = {column.name: _plain(getattr(row, column.attname)) for column in file.columns}
    take(file, [{**told, fact: at.isoformat()}], "", many=False)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@idempotency.idempotent
def _with_facts(_view: APIView, request: Request, asked: dict[str, Any]) -> Response:
    """Facts and decision in one transaction."""
    return _answer(_claimed(request, asked))


@dataclass(frozen=True)
class Caller:
    """What the desk must know of a claim: the call, the merchant that the key is for, the language to answer in."""

    ticket: idempotency.Ticket
    merchant: str | None
    language: str


def _at_the_desk(request: Request, asked: dict[str, Any]) -> Response:
    """Decided together with all that this process is asked meanwhile, each with its own answer and its own key."""
    caller = Caller(idempotency.ticket(request), key_of(request).merchant_id, get_language() or "")
    mine = Asking(asked["key"], asked["subject"], clock.now(), caller)
    DESK.ask(mine)
    answer: Response = mine.answer
    return answer


def _admit(together: Sequence[Asking]) -> list[Asking]:
    """Those whose call is not at work elsewhere and was not done before, about what is theirs; others are answered."""
    first = {one.about.ticket: one for one in reversed(together)}
    asked = send_owners(together[0].of, [one.subject for one in together])
    free, before = idempotency.admit(list(first))
    owners = asked()
    for one in together:
        ticket = one.about.ticket
        if ticket not in free or first[ticket] is not one:
            one.error = idempotency.in_progress()
        elif ticket in before:
            told = before[ticket]
            one.answer, one.error = (None, told) if isinstance(told, ProblemError) else (told, None)
        elif one.subject not in owners or one.about.merchant not in (None, owners[one.subject]):
            one.error = Http404()
    return [one for one in together if one.error is None and one.answer is None]


def _conclude(held: instant_claims.Held, decided: Sequence[Asking]) -> None:
    """Explain to each in its language, and keep the answers."""
    for language, some in groupby(sorted(decided, key=lambda one: one.about.language), lambda one: one.about.language):
        with override(language):
            asked = list(some)
            answers = explained(held.about, [one.subject for one in asked])
            for one in asked:
                one.answer = _answer(_told(one.of, one.subject, answers.get(one.subject, [])))
    idempotency.store([(one.about.ticket, one.answer) for one in decided])


DESK = Desk(_admit, _conclude)


def _asked(request: Request) -> dict[str, Any]:
    asked = serializers.SubjectShape(data=request.data)
    asked.is_valid(raise_exception=True)
    given: dict[str, Any] = asked.validated_data
    return given


def _claimed(request: Request, asked: dict[str, Any]) -> dict[str, Any]:
    """Record the subject where its facts were given, and decide its claims. Belongs into a transaction."""
    subject, key = asked["subject"], asked.get("key")
    if key is None:
        key = _recorded(request, subject, asked["fact"])
    if not is_theirs(request, subject, key):
        raise Http404
    instant_claims.claim(key, of=subject, at=clock.now())
    return _told(subject, key, explained(published_offers.about(subject), [key]).get(key, []))


def _told(subject: str, key: str, answers: list[Explanation]) -> dict[str, Any]:
    claim = {"subject": subject, "key": key, "outcome": _outcome(answers), "answers": answers}
    return serializers.told(serializers.ClaimShape, claim)


def _answer(told: dict[str, Any]) -> Response:
    if told["outcome"] in REFUSALS:
        text = _("No offer gave this subject a benefit; see answers.")
        return Response(ProblemError(409, told["outcome"], text, more=dict(told)).body(), status=409)
    return Response(told, status=202 if told["outcome"] == "waiting" else 201)


def _outcome(answers: list[Explanation]) -> str:
    outcomes = {answer.outcome for answer in answers}
    if "granted" in outcomes:
        return "granted"
    return next((refusal for refusal in REFUSALS if refusal in outcomes), "waiting")


def _recorded(request: Request, subject: str, fact: dict[str, Any]) -> str:
    if ApiKey.Scope.FACTS not in key_of(request).scopes:
        text = _("To record facts, this key needs the scope facts; else name a subject by its key.")
        raise ProblemError(403, "scope_missing", text)
    file = next(file for file in all_schemas() if file.model is SUBJECTS[subject].model)
    take(file, [fact], "/fact", many=False)
    return str(fact[file.key[0]])
