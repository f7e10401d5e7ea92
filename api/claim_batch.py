"""Claims in batches: requests that arrive at the same time are decided and stored in one transaction.

`submit` is called for each request and returns its response. `_process` decides a batch: lock the offers, lock the
Idempotency-Keys, check owners, decide, explain, store the responses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.db import transaction
from django.http import Http404
from django.utils.translation import get_language, override
from rest_framework.request import Request
from rest_framework.response import Response

from api import claim_results, idempotency, problem_types
from api.authentication import key_of
from api.idempotency import IdempotentRequest
from api.problems import ProblemError
from api.subjects import explain_by_key, send_merchants
from campaigns.engine import claim_requests, instant_claims
from campaigns.engine.claim_requests import NewRequest
from core import clock
from core.batching import Batch, Batcher, BatchItem
from core.db.errors import is_transient
from core.db.pipeline import pipeline


@dataclass(eq=False, kw_only=True)
class PendingClaim(BatchItem):
    """A claim request that waits for its response. Its group is the type of its subject, and the code it requests.

    `merchant` is the code of the merchant that the API key belongs to, None for a key of the platform. `new` is the
    request that makes the subject, which is recorded when it is admitted.
    """

    group: tuple[str, str | None]
    subject: str
    at: datetime
    identity: IdempotentRequest
    merchant: str | None
    language: str
    new: NewRequest | None = None
    response: Response | None = field(default=None, init=False)


def submit(request: Request, subject_type: str, subject: str, *, new: NewRequest | None = None) -> Response:
    """Decide the claims of a subject, recorded or `new`, with requests that arrive meanwhile. Raises ProblemError."""
    claim = PendingClaim(
        group=(subject_type, new.offer if new else None),
        subject=subject,
        at=clock.now(),
        identity=idempotency.identify(request),
        merchant=key_of(request).merchant_id,
        language=get_language() or "",
        new=new,
    )
    BATCHER.submit(claim)
    assert claim.response is not None
    return claim.response


def _process(batch: Batch[PendingClaim]) -> None:
    """Decide all claims of a batch and store their responses, in one transaction.

    A claim that fails alone is decided by the offers that can: the others are left to the tick.
    """
    try:
        _process_together(batch, instant_claims.decide)
    except Exception as error:
        if is_transient(error) or len(batch.items) > 1:
            raise
        _process_together(batch, instant_claims.decide_apart)


def _process_together(batch: Batch[PendingClaim], decide: Callable[..., object]) -> None:
    with transaction.atomic(), pipeline():
        subject_type, requested = batch.items[0].group
        locked = instant_claims.lock_offers(subject_type, requested=requested)
        claims = batch.close()
        at = max(claim.at for claim in claims)
        if admitted := _admit(claims):
            if new := [claim.new for claim in admitted if claim.new]:
                at = max(at, claim_requests.record(locked, new, at=at, by="REST"))
            subjects = sorted({claim.subject for claim in admitted})
            decide(locked, subjects, at=at)
            _respond(locked, admitted, at)


def _admit(claims: Sequence[PendingClaim]) -> list[PendingClaim]:
    """Answer repeated, concurrent and foreign requests; return the claims that are left to decide."""
    first = {claim.identity: claim for claim in reversed(claims)}
    fetch_merchants = send_merchants(claims[0].group[0], [claim.subject for claim in claims])
    locked, stored = idempotency.lock(list(first))
    merchants = fetch_merchants()
    admitted = []
    for claim in claims:
        if claim.identity not in locked or first[claim.identity] is not claim:
            claim.error = ProblemError(problem_types.IN_PROGRESS)
        elif claim.identity in stored:
            result = stored[claim.identity]
            claim.response, claim.error = (None, result) if isinstance(result, ProblemError) else (result, None)
        elif claim.new is None and claim.merchant not in _may_claim(merchants.get(claim.subject)):
            claim.error = Http404()
        else:
            admitted.append(claim)
    return admitted


def _may_claim(owner: str | None) -> tuple[str | None, ...]:
    """Return the merchants of the API keys that may claim for a subject of `owner`; none for one without an owner."""
    return (None, owner) if owner is not None else ()


def _respond(locked: instant_claims.LockedOffers, claims: Sequence[PendingClaim], at: datetime) -> None:
    """Set the response of each claim, in its language, and store it under its Idempotency-Key."""
    responses = []
    by_language = attrgetter("language")
    for language, group in groupby(sorted(claims, key=by_language), by_language):
        with override(language):
            same_language = list(group)
            explanations = explain_by_key(locked.offers, [claim.subject for claim in same_language], at=at)
            for claim in same_language:
                response = claim_results.respond(
                    claim_results.result(claim.group[0], claim.subject, explanations.get(claim.subject, []))
                )
                claim.response = response
                responses.append((claim.identity, response))
    idempotency.store(responses)


BATCHER = Batcher(_process)
