"""Claims, quotes and the steps of their subjects."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.explanations import ExplanationSerializer
from api.serializers.fields import Base, InstantField, KeyField, instant
from campaigns.engine.claim_requests import can_be_requested
from campaigns.models import Grant
from core.db.compiled_queries import compiled_query, text
from core.db.fields import LONGEST_KEY
from core.facts import SUBJECTS
from merchants.models import Account

REFUSALS = ("quota_exhausted", "merchant_cap", "holder_cap", "stopped", "refused", "before_opening")
"""Codes of refusals, the most final first: the response has the code of the first that any offer gave."""
SUBJECT_WORDS = sorted(SUBJECTS)
WAITING, PAUSED, NOT_CLAIMED, NOT_APPLICABLE = "waiting", "paused", "not_claimed", "not_applicable"
CLAIM_OUTCOMES = ("granted", WAITING, PAUSED, *REFUSALS, NOT_CLAIMED, NOT_APPLICABLE)
CLAIM_STATES = (*Grant.Status.values, *CLAIM_OUTCOMES[1:])


class ClaimRequestSerializer(Base):
    """Subject of a claim: a recorded one by its `key`, or a new one by its `fact`, which is recorded first."""

    subject = serializers.ChoiceField(choices=SUBJECT_WORDS)
    key = KeyField(min_length=1, max_length=LONGEST_KEY, required=False)
    fact = serializers.DictField(required=False, help_text="The row of the subject, with the column names of its file.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("key" in attrs) == ("fact" in attrs):
            raise serializers.ValidationError("Give either key or fact.", code="key_or_fact")
        return attrs


ACCOUNT = [field.attname for field in Account._meta.concrete_fields]


@compiled_query
def _account() -> "tuple[QuerySet[Account, Any], Any]":
    rows = Account.objects.filter(pk=text("code")).values_list(*ACCOUNT)
    return rows, lambda values: Account.from_db(DEFAULT_DB_ALIAS, ACCOUNT, values)


class OfferRequestSerializer(Base):
    """Request of an account of a merchant for an offer."""

    offer = KeyField(min_length=1, max_length=64, help_text="Code of an offer or an allowance.")
    account_code = KeyField(
        min_length=1, max_length=LONGEST_KEY, help_text="The account that asks; its merchant claims."
    )

    def validate_offer(self, code: str) -> str:
        if not can_be_requested(code):
            raise serializers.ValidationError(_("There is no offer %(code)s.") % {"code": code}, code="unknown")
        return code

    def validate_account_code(self, code: str) -> Account:
        """Return the account. One of another merchant than that of the key does not exist for it."""
        account: Account | None = next(iter(_account()(code=code)), None)
        if account is None or self.context["merchant"] not in (None, account.merchant_id):
            raise serializers.ValidationError(_("There is no account %(code)s.") % {"code": code}, code="unknown")
        return account


class StepSerializer(Base):
    """Instant of a step, now by default."""

    at = InstantField(required=False, allow_null=True)


class ClaimResultSerializer(Base):
    """Result of a claim or quote.

    `state` is the present state: that of the grant, if there is one, else the same as `outcome`.
    """

    id = serializers.CharField(help_text="Subject and key: there is one claim for each subject.")
    href = serializers.CharField(help_text="Address at which the claim can be read, relative to the server.")
    subject = serializers.ChoiceField(choices=SUBJECT_WORDS)
    key = serializers.CharField()
    state = serializers.ChoiceField(
        choices=CLAIM_STATES, help_text="The present state of the grant; without a grant the `outcome`."
    )
    outcome = serializers.ChoiceField(
        choices=CLAIM_OUTCOMES, help_text="The decision, the code of the refusal, or why there is no decision."
    )
    decides_at = instant(allow_null=True, help_text="When the claim is decided, if the outcome is waiting.")
    answers = ExplanationSerializer(many=True)
