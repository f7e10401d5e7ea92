"""Uses in batches: requests for one use that arrive at the same time are decided and stored in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import idempotency, own_numbers, problem_types, serializers
from api.authentication import key_of
from api.idempotency import IdempotentRequest
from api.problems import ProblemError
from api.serializers.allowances import UsedAllowance, use_result
from buyers.models import Buyer
from campaigns.allowances import instant_uses
from campaigns.allowances.instant_uses import NewUse
from campaigns.models import Allowance, UsageDecision
from core import clock
from core.batching import Batch, Batcher, BatchItem
from core.db.compiled_queries import AnyOfParameter, compiled_query
from core.db.pipeline import pipeline
from merchants.models import Account, Merchant
from services.models import Usage

ACCEPTED = UsageDecision.Result.ACCEPTED
LONGEST_NUMBER = Usage._meta.get_field("usage_no").max_length or 0


@dataclass(eq=False, kw_only=True)
class PendingUse(BatchItem):
    """A use that waits for its response. Its group is the name of the use.

    `own` is the merchant of the API key, None for a key of the platform.
    """

    group: str
    own: str | None
    new: NewUse
    identity: IdempotentRequest
    language: str
    response: Response | None = field(default=None, init=False)


def submit(request: Request, body: dict[str, Any]) -> Response:
    """Decide a use, with requests that arrive meanwhile. Raises ProblemError, Http404 and ValidationError."""
    own = key_of(request).merchant_id
    merchant = body.get("merchant_code", own)
    if merchant is None:
        raise ValidationError({"merchant_code": ErrorDetail(_("This field is required."), "required")})
    if own not in (None, merchant):
        raise Http404
    number = own_numbers.stored_number(own, body["usage_no"], field="usage_no", longest=LONGEST_NUMBER)
    new = NewUse(number, merchant, body.get("account_code"), body["use"], body["quantity"], body.get("buyer_code"))
    identity, language = idempotency.identify(request), get_language() or ""
    pending = PendingUse(group=new.use, own=own, new=new, identity=identity, language=language)
    BATCHER.submit(pending)
    assert pending.response is not None
    return pending.response


def _process(batch: Batch[PendingUse]) -> None:
    """Decide all uses of a batch and store their responses, in one transaction."""
    with transaction.atomic(), pipeline():
        locked = instant_uses.lock(str(batch.group))
        items = batch.close()
        at = clock.now()  # with the lock in hand: no other use comes in between
        waiting = _replay(items)
        known = _Known.of(waiting)
        new = [item for item in waiting if _is_valid(item, known)]
        decided = instant_uses.spend(locked, [item.new for item in new], at=at) if new else {}
        _respond([item for item in waiting if item.error is None], decided)


def _replay(items: Sequence[PendingUse]) -> list[PendingUse]:
    """Answer repeated and concurrent requests; return the others."""
    first = {item.identity: item for item in reversed(items)}
    locked, stored = idempotency.lock(list(first))
    waiting = []
    for item in items:
        if item.identity not in locked or first[item.identity] is not item:
            item.error = ProblemError(problem_types.IN_PROGRESS)
        elif item.identity in stored:
            result = stored[item.identity]
            item.response, item.error = (None, result) if isinstance(result, ProblemError) else (result, None)
        else:
            waiting.append(item)
    return waiting


@dataclass(frozen=True)
class _Known:
    """Rows to which the uses of a batch refer, by one query a kind; `recorded` are uses of before.

    `taken` are the new uses of the batch, by number.
    """

    merchants: frozenset[str]
    accounts: dict[str, str]
    buyers: frozenset[str]
    recorded: dict[str, tuple[Any, ...]]
    by_buyer: frozenset[str]
    taken: dict[str, NewUse] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Sequence[PendingUse]) -> "_Known":
        new = [item.new for item in items]
        fetch_merchants = _merchants().execute_deferred(keys=sorted({one.merchant for one in new}))
        fetch_accounts = _accounts().execute_deferred(keys=sorted({one.account for one in new if one.account}))
        fetch_buyers = _buyers().execute_deferred(keys=sorted({one.buyer for one in new if one.buyer}))
        fetch_recorded = _recorded().execute_deferred(keys=[one.number for one in new])
        by_buyer = frozenset(instant_uses.uses_by_buyer())
        return cls(
            frozenset(code for (code,) in fetch_merchants()),
            dict(fetch_accounts()),
            frozenset(code for (code,) in fetch_buyers()),
            {number: tuple(values) for number, *values in fetch_recorded()},
            by_buyer,
        )


def _of_keys(model: type[Model], *columns: str) -> "QuerySet[Any, Any]":
    rows: QuerySet[Any, Any] = model._default_manager.filter(AnyOfParameter("pk", "keys"))
    return rows.order_by().values_list("pk", *columns)


@compiled_query
def _merchants() -> "QuerySet[Any, Any]":
    return _of_keys(Merchant)


@compiled_query
def _accounts() -> "QuerySet[Any, Any]":
    return _of_keys(Account, "merchant_id")


@compiled_query
def _buyers() -> "QuerySet[Any, Any]":
    return _of_keys(Buyer)


@compiled_query
def _recorded() -> "QuerySet[Any, Any]":
    return _of_keys(Usage, "merchant_id", "account_id", "use", "quantity", "buyer_id")


def _is_valid(item: PendingUse, known: _Known) -> bool:
    """Return whether a use is to be decided; a faulty one gets its error, a repeated one the result of the first."""
    new = item.new
    item.error = _error(new, known)
    if item.error is not None or new.number in known.recorded or new.number in known.taken:
        return False
    known.taken[new.number] = new
    return True


def _error(new: NewUse, known: _Known) -> Exception | None:
    if new.merchant not in known.merchants:
        return Http404()
    faults: dict[str, ErrorDetail] = {}
    if new.account and known.accounts.get(new.account) != new.merchant:
        faults["account_code"] = ErrorDetail(_("is no account of the merchant"), "unknown")
    if new.buyer and new.buyer not in known.buyers:
        faults["buyer_code"] = ErrorDetail(_("is not recorded"), "unknown")
    elif reason := instant_uses.buyer_missing(new.use, new.buyer, set(known.by_buyer)):
        faults["buyer_code"] = ErrorDetail(reason, "required")
    if reason := instant_uses.quantity_wrong(new.use, new.quantity, set(known.by_buyer)):
        faults["quantity"] = ErrorDetail(reason, "invalid")
    same = (new.merchant, new.account, new.use, new.quantity, new.buyer)
    if known.recorded.get(new.number, same) != same or known.taken.get(new.number, new) != new:
        faults["usage_no"] = ErrorDetail(_("is the number of another use"), "conflict")
    return ValidationError(faults) if faults else None


def _respond(items: Sequence[PendingUse], decided: dict[str, UsageDecision]) -> None:
    """Set the response of each use, in its language, and store it under its Idempotency-Key."""
    numbers = [item.new.number for item in items if item.new.number not in decided]
    known = UsageDecision.objects.in_bulk(numbers) if numbers else {}
    decisions = {**known, **decided}
    rows = used_allowances(list(decisions.values()))
    responses = []
    for item in items:
        decision = decisions.get(item.new.number)
        if decision is None:  # recorded, and dated in the future: the tick decides it
            item.error = ProblemError(problem_types.IN_PROGRESS)
            continue
        with override(item.language):
            row = rows.get((decision.merchant_id, decision.document_id, decision.period))
            item.response = respond(decision, row, own=item.own)
        responses.append((item.identity, item.response))
    idempotency.store(responses)


def used_allowances(decisions: Sequence[UsageDecision]) -> dict[tuple[Any, ...], UsedAllowance]:
    """Return the allowances that took accepted uses, by merchant, document and period, as they are now."""
    accepted = [one for one in decisions if one.document_id is not None]
    if not accepted:
        return {}
    rows = _stored_allowances()(
        merchants=sorted({one.merchant_id for one in accepted}),
        documents=sorted({one.document_id for one in accepted if one.document_id is not None}),
        periods=sorted({one.period for one in accepted}),
    )
    return {(row.merchant, row.document_id, row.period): row for row in rows}


@compiled_query
def _stored_allowances() -> "tuple[QuerySet[Allowance, Any], Any]":
    rows = Allowance.objects.filter(
        AnyOfParameter("merchant_id", "merchants"),
        AnyOfParameter("document_id", "documents", numbers=True),
        AnyOfParameter("period", "periods"),
    )
    return rows.values_list(*UsedAllowance.COLUMNS), lambda values: UsedAllowance(*values)


def respond(decision: UsageDecision, row: UsedAllowance | None, *, own: str | None) -> Response:
    """Return the response to a use by a key of a merchant, or of all: 201 if it was accepted, 409 if it was refused."""
    number = own_numbers.shown_number(own, decision.usage_id)
    body = serializers.serialize(serializers.UseResultSerializer, use_result(decision, row, number=number))
    if decision.result == ACCEPTED:
        return Response(body, status=201)
    return ProblemError(problem_types.USE_REFUSALS[decision.result], extra=body).response()


BATCHER = Batcher(_process)
