"""Status: campaigns, offers and their places; what a merchant has, and why."""

from collections.abc import Callable, Sequence
from datetime import UTC, date
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import serializers
from api.authentication import key_of, merchant_of
from campaigns.eligibility import explanations, merchant_status
from campaigns.ledger import statements
from campaigns.models import Campaign, Coupon, Decision, Grant, Offer
from campaigns.offers import published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from campaigns.reporting import offer_metrics
from core import clock
from core.db.compiled_queries import AnyOfParameter, compiled_query, number
from core.facts import SUBJECTS
from definitions import offer_sentences
from merchants.models import ApiKey


class ByNumber(CursorPagination):
    """Newest first, a page at a time; `next` leads on however long the list is."""

    ordering = "-pk"
    page_size = 50
    page_size_query_param = "size"
    max_page_size = 100


@method_decorator(conditional_page, name="dispatch")
class Reading(APIView):
    """What only looks. Unchanged answers are 304 to whoever sends the ETag back."""

    scope = ApiKey.Scope.READ


class Campaigns(Reading):
    @extend_schema(responses=serializers.CampaignShape(many=True), operation_id="list_campaigns")
    def get(self, _request: Request) -> Response:
        """All campaigns."""
        return Response(serializers.CampaignShape(Campaign.objects.defer("source").order_by("code"), many=True).data)


class Offers(Reading):
    @extend_schema(
        responses=serializers.OfferShape(many=True),
        parameters=[OpenApiParameter("campaign", str, description="only those of this campaign")],
        operation_id="list_offers",
    )
    def get(self, request: Request) -> Response:
        """All published offers."""
        wanted = request.query_params.get("campaign")
        found = [offer for offer in published_offers.published() if wanted in (None, offer.row.campaign.code)]
        return Response(serializers.OfferShape([_offer(offer) for offer in found], many=True).data)


class OneOffer(Reading):
    @extend_schema(responses=serializers.OfferWholeShape, operation_id="get_offer")
    def get(self, _request: Request, code: str) -> Response:
        """An offer with its terms, as data and as sentences in the language that `Accept-Language` asks for."""
        offer = _find(code)
        whole = {
            **_offer(offer),
            "terms": published_offers.as_data(offer.terms),
            "sentences": offer_sentences.terms(offer.terms),
        }
        return Response(serializers.OfferWholeShape(whole).data)


class OneQuota(Reading):
    @extend_schema(responses=serializers.QuotaShape, operation_id="get_quota")
    def get(self, _request: Request, code: str) -> Response:
        """How many places there are, are taken and are left."""
        offer = _find(code)
        row = offer.row
        [(waiting,)] = _waiting()(offer=offer.id)
        quota = {
            "limit": row.limit,
            "used": row.used,
            "reserved": waiting,
            "left": None if row.limit is None else max(row.limit - row.used, 0),
            "per_merchant": row.cap,
            "as_of": max((at for at in (row.grants_followed_until, row.asked_until) if at), default=None),
            "forecast": offer_metrics.latest_forecast(offer, at=clock.now()),
        }
        return Response(serializers.told(serializers.QuotaShape, quota))


@compiled_query
def _waiting() -> Any:
    """How many of an offer's places are reserved."""
    waiting = Grant.objects.filter(offer=OuterRef("pk"), status__in=[Grant.Status.RESERVED, Grant.Status.LOCKED])
    counted = waiting.order_by().values("offer").annotate(n=Count("pk")).values("n")
    return Offer.objects.filter(pk=number("offer")).values_list(Coalesce(Subquery(counted), 0))


class History(Reading):
    @extend_schema(responses=serializers.PointShape(many=True), operation_id="get_quota_history")
    def get(self, _request: Request, code: str) -> Response:
        """How places went: by the hour while the history is shorter than four days, else by the day, in UTC."""
        offer = _find(code)
        found = offer_metrics.histories([offer.id], zone=UTC).get(offer.id, [])
        return Response(serializers.PointShape(found, many=True).data)


class Statement(Reading):
    @extend_schema(
        responses=serializers.StatementShape(many=True),
        parameters=[OpenApiParameter(name, str) for name in ("offer", "merchant")],
        operation_id="get_statement",
    )
    def get(self, request: Request, month: str) -> Response:
        """What was settled and redeemed in a month such as `2022-09`, of the merchants that the key sees."""
        try:
            first = date.fromisoformat(f"{month}-01")
        except ValueError as error:
            raise Http404 from error
        own, wanted = key_of(request).merchant_id, request.query_params
        found = [
            line
            for line in statements.lines(first, of=own or wanted.get("merchant"))
            if wanted.get("offer") in (None, line.offer) and wanted.get("merchant") in (None, line.merchant)
        ]
        return Response(serializers.StatementShape(found, many=True).data)


class Benefits(Reading):
    @extend_schema(responses=serializers.BenefitShape(many=True), operation_id="list_benefits")
    def get(self, request: Request, merchant: str) -> Response:
        """Where the merchant stands with every offer, by what needs attention."""
        found = merchant_status.standings(published_offers.published(), merchant_of(request, merchant), at=clock.now())
        told = [{**vars(one), "offer": one.code, "state": one.kind.name.lower()} for one in found]
        return Response(serializers.BenefitShape(told, many=True).data)


class Listing(Reading):
    """Rows of one merchant, filtered by the parameters named, a page at a time."""

    filters: tuple[tuple[str, str, tuple[str, ...]], ...]
    shape: Any
    model: Any

    def get(self, request: Request, merchant: str) -> Response:
        rows = self.model.objects.filter(merchant=merchant_of(request, merchant)).select_related("offer")
        for name, path, choices in self.filters:
            if name in request.query_params:
                wanted = request.query_params[name]
                if choices and wanted not in choices:
                    raise ValidationError({name: f"one of {', '.join(choices)}"}, code="unknown")
                rows = rows.filter(**{path: wanted})
        pages = ByNumber()
        page: Any = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(self.shape(page, many=True).data)


PAGED = [OpenApiParameter(name, str) for name in ("cursor", "size", "offer", "status")]


@extend_schema_view(
    get=extend_schema(parameters=PAGED, responses=serializers.GrantShape(many=True), operation_id="list_grants")
)
class Grants(Listing):
    """The merchant's grants, newest first."""

    filters = (("offer", "offer__code", ()), ("status", "status", tuple(Grant.Status.values)))
    shape = serializers.GrantShape
    model = Grant


@extend_schema_view(
    get=extend_schema(parameters=PAGED, responses=serializers.CouponShape(many=True), operation_id="list_coupons")
)
class Coupons(Listing):
    """The merchant's coupons, newest first."""

    filters = (("offer", "offer__code", ()), ("status", "status", tuple(Coupon.Status.values)))
    shape = serializers.CouponShape
    model = Coupon


DECIDED = [OpenApiParameter(name, str) for name in ("cursor", "size", "offer", "outcome")]


class Decisions(Reading):
    @extend_schema(parameters=DECIDED, responses=serializers.DecisionShape(many=True), operation_id="list_decisions")
    def get(self, request: Request, merchant: str) -> Response:
        """What was decided of the merchant's claims, newest first, each with its explanation."""
        rows = Decision.objects.filter(merchant=merchant_of(request, merchant))
        if offer := request.query_params.get("offer"):
            rows = rows.filter(offer__code=offer)
        if outcome := request.query_params.get("outcome"):
            rows = rows.filter(outcome=_outcome(outcome))
        pages = ByNumber()
        page = pages.paginate_queryset(rows, request, view=self) or []
        told = _explained(page)
        found = [told[one.offer_id, one.subject] for one in page if (one.offer_id, one.subject) in told]
        return pages.get_paginated_response(serializers.DecisionShape(found, many=True).data)


def _outcome(name: str) -> int:
    known = {label: outcome for outcome, label in explanations.OUTCOMES.items()}
    if name not in known:
        raise ValidationError({"outcome": f"one of {', '.join(known)}"}, code="unknown")
    return known[name]


def _explained(decisions: Sequence[Decision]) -> dict[tuple[int, str], explanations.Explanation]:
    """The explanation of each decision: one query for each offer among them."""
    asked = {one.offer_id for one in decisions}
    return {
        (offer.id, one.subject): one
        for offer in (published_offers.published() if asked else [])
        if offer.id in asked
        for one in explanations.explain_all(
            offer, [one.subject for one in decisions if one.offer_id == offer.id], at=clock.now()
        )
    }


class Explanations(Reading):
    @extend_schema(responses=serializers.ExplanationShape(many=True), operation_id="explain")
    def get(self, request: Request, subject: str, key: str) -> Response:
        """What every offer about such a subject says to this one, condition by condition."""
        if not is_theirs(request, subject, key):
            raise Http404
        return Response(
            serializers.ExplanationShape(explained(published_offers.about(subject), [key]).get(key, []), many=True).data
        )


def explained(about: Sequence[PublishedOffer], keys: Sequence[str]) -> dict[str, list[explanations.Explanation]]:
    """The explanations that offers about such subjects give of some, by the subject's key."""
    told: dict[str, list[explanations.Explanation]] = {}
    for offer in sorted(about, key=lambda offer: offer.code):
        for one in explanations.explain_all(offer, keys, at=clock.now()):
            told.setdefault(one.subject, []).append(one)
    return told


def is_theirs(request: Request, subject: str, key: str) -> bool:
    """Whether there is such a subject, of a merchant that the request's key sees."""
    own = key_of(request).merchant_id
    return any(own in (None, merchant) for merchant in owners_of(subject, [key]).values())


def owners_of(subject: str, keys: Sequence[str]) -> dict[str, str]:
    """The merchants whose subjects these are, by key; those that are not there are left out."""
    return send_owners(subject, keys)()


def send_owners(subject: str, keys: Sequence[str]) -> Callable[[], dict[str, str]]:
    """As `owners_of`; they are had by calling what is returned."""
    fetch = _owners(subject).execute_deferred(keys=list(keys)) if subject in SUBJECTS else list
    return lambda: dict(fetch())


@compiled_query
def _owners(subject: str) -> Any:
    collection = SUBJECTS[subject]
    return collection.model._default_manager.filter(AnyOfParameter("pk", "keys")).values_list("pk", collection.merchant)


def _find(code: str) -> PublishedOffer:
    try:
        return published_offers.find(code)
    except Offer.DoesNotExist as error:
        raise Http404 from error


def _offer(offer: PublishedOffer) -> dict[str, Any]:
    opens, closes = schedule.opens(offer.terms), schedule.closes(offer.terms)
    return {
        "code": offer.code,
        "campaign": offer.row.campaign.code,
        "name": offer.row.name,
        "version": offer.row.version.number if offer.row.version else 0,
        "subject": offer.terms.subject,
        "opens": opens.instant if opens else None,
        "closes": closes.after if closes else None,
        "paused_at": offer.row.paused_at,
        "stopped_at": offer.row.stopped_at,
    }
