"""Results of claims: the present state, the decision, and the HTTP status that tells both."""

from typing import Any

from rest_framework.response import Response

from api import problem_types, serializers
from api.addresses import address
from api.problems import ProblemError
from api.serializers.claims import NOT_APPLICABLE, NOT_CLAIMED, PAUSED, WAITING
from campaigns.eligibility.explanations import Explanation
from campaigns.models import Grant

BY_RANK = ("settled", "locked", "reserved", "revoked", "forfeited", "released")
"""States of grants: of several, the first one is the state of the claim."""


def result(subject_type: str, subject: str, explanations: list[Explanation]) -> dict[str, Any]:
    """Return the body of a response to a claim or a quote."""
    outcome = _outcome(explanations)
    instants = [explanation.decides_at for explanation in explanations if explanation.decides_at]
    claim = {
        "id": f"{subject_type}/{subject}",
        "href": address("claims", subject_type, subject),
        "subject": subject_type,
        "key": subject,
        "state": _grant_status(explanations) or outcome,
        "outcome": outcome,
        "decides_at": min(instants, default=None) if outcome == WAITING else None,
        "answers": explanations,
    }
    return serializers.serialize(serializers.ClaimResultSerializer, claim)


def _grant_status(explanations: list[Explanation]) -> str:
    """Return the state of the subject's best grant, empty without one."""
    found = {explanation.status for explanation in explanations}
    return next((status for status in BY_RANK if status in found), "")


def _outcome(explanations: list[Explanation]) -> str:
    """Return the decision on a claim from those of the offers: what may still be granted comes before refusals."""
    outcomes = {explanation.outcome for explanation in explanations}
    if "granted" in outcomes:
        return "granted"
    if "pending" in outcomes:
        return WAITING if any(explanation.decides_at for explanation in explanations) else PAUSED
    refusal = next((refusal for refusal in problem_types.CLAIM_REFUSALS if refusal in outcomes), None)
    return refusal or (NOT_CLAIMED if "no_claim" in outcomes else NOT_APPLICABLE)


def respond(claim: dict[str, Any]) -> Response:
    """Return the response to a claim.

    201: it has a benefit. 202: it is decided at `decides_at`. 200: there is nothing to decide now. 409: it has none,
    because it was refused or the grant has ended.
    """
    outcome = claim["outcome"]
    ended = outcome == "granted" and claim["state"] not in Grant.LIVE
    refusal = problem_types.ENDED if ended else problem_types.CLAIM_REFUSALS.get(outcome)
    if refusal is not None:
        # Returned, not raised: the decision and the response to a repeated request are to be stored.
        return ProblemError(refusal, extra=claim).response()
    return Response(claim, status={"granted": 201, WAITING: 202}.get(outcome, 200))
