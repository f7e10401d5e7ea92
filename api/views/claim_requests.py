"""Claim requests: an account of a merchant asks for an offer, and the claim is decided at once."""

from uuid import uuid4

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import claim_batch, idempotency, serializers
from api.authentication import key_of
from api.views.base import ApiView
from campaigns.engine import claim_requests
from merchants.models import Account, ApiKey


class ClaimRequestView(ApiView):
    scope = ApiKey.Scope.CLAIM

    @extend_schema(
        request=serializers.OfferRequestSerializer,
        responses={
            200: serializers.ClaimResultSerializer,
            201: serializers.ClaimResultSerializer,
            202: serializers.ClaimResultSerializer,
            409: serializers.RefusalSerializer,
        },
        parameters=idempotency.KEY_PARAMETER,
        operation_id="request_offer",
    )
    def post(self, request: Request) -> Response:
        """Request an offer for an account. The server states when, and decides the claim at once.

        201: it has a benefit. 202: it is decided later, at `decides_at`. 200: no offer is about it (`not_applicable`),
        or the offer is paused (`paused`). 409: it was refused. A repeated request gets the first response.
        """
        seen = {"merchant": key_of(request).merchant_id}
        serializer = serializers.OfferRequestSerializer(data=request.data, context=seen)
        serializer.is_valid(raise_exception=True)
        account: Account = serializer.validated_data["account_code"]
        new = claim_requests.NewRequest(
            number=f"R-{uuid4().hex}",
            offer=serializer.validated_data["offer"],
            merchant=account.merchant_id,
            account=account.pk,
        )
        return claim_batch.submit(request, claim_requests.SUBJECT, new.number, new=new)
