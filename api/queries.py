"""Query parameters: each operation declares its own; unknown, repeated and invalid ones are errors that name them."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.request import Request

from api import problem_types
from api.problems import ProblemError
from api.serializers.fields import Base, KeyField
from api.serializers.webhooks import DELIVERY_STATES
from campaigns.eligibility import explanations
from campaigns.models import Campaign, Coupon, Grant, Offer
from core.similar_words import nearest_word
from definitions.funding import PAYERS

MAX_PAGE_SIZE = 100
PAGE_SIZE = 50


class NoQuery(Base):
    """An operation without query parameters."""


class PageQuery(Base):
    cursor = serializers.CharField(required=False, help_text="Where the page begins: see `next` and `previous`.")
    size = serializers.IntegerField(
        required=False, default=PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE, help_text="Rows of a page, at most."
    )


class CodeField(serializers.CharField):
    """Code of an offer or a campaign that exists: a misspelt one would look like nothing granted."""

    def __init__(self, model: type[Campaign | Offer], **options: Any) -> None:
        super().__init__(required=False, **options)
        self.model = model

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if not self.model._default_manager.filter(code=code).exists():
            self.fail("does_not_exist", code=code)
        return code

    default_error_messages: ClassVar = {"does_not_exist": gettext_lazy("There is no “{code}”.")}


class OffersQuery(PageQuery):
    campaign = CodeField(Campaign, help_text="Only offers of this campaign.")


class GrantsQuery(PageQuery):
    offer = CodeField(Offer, help_text="Only grants of this offer.")
    status = serializers.ChoiceField(choices=Grant.Status.choices, required=False)


class CouponsQuery(PageQuery):
    offer = CodeField(Offer, help_text="Only coupons of this offer.")
    status = serializers.ChoiceField(choices=Coupon.Status.choices, required=False)


class DecisionsQuery(PageQuery):
    offer = CodeField(Offer, help_text="Only decisions of this offer.")
    outcome = serializers.ChoiceField(choices=sorted(explanations.OUTCOMES.values()), required=False)


class MerchantQuery(PageQuery):
    merchant = KeyField(required=False, help_text="Only facts of this merchant.")


class AllowancesQuery(PageQuery):
    merchant = KeyField(required=False, help_text="The merchant; the key's own if it belongs to one.")


END_MADE, KEEP_MADE = "end", "keep"


class RevocationQuery(Base):
    made = serializers.ChoiceField(
        (END_MADE, KEEP_MADE),
        required=False,
        help_text="What happens to keys and webhooks that were made with the key: they end too, or go on working.",
    )


class DeliveriesQuery(PageQuery):
    status = serializers.ChoiceField(choices=DELIVERY_STATES, required=False)


class StatementQuery(PageQuery):
    offer = CodeField(Offer, help_text="Only lines of this offer.")
    merchant = KeyField(required=False, help_text="Only lines of this merchant.")
    payer = serializers.ChoiceField(
        tuple(PAYERS), required=False, help_text="Only the parts of the amounts that this party pays."
    )


def parse(request: Request, declared: type[Base]) -> dict[str, Any]:
    """Return the typed query parameters of a request. Raises ProblemError (400) that names each faulty one."""
    query = request.query_params
    serializer = declared(data={name: query[name] for name in query})
    errors = [error for name in query for error in _name_errors(name, len(query.getlist(name)), serializer.fields)]
    if not errors and serializer.is_valid():
        values: dict[str, Any] = serializer.validated_data
        return values
    errors = errors or [
        parameter_error(name, str(error.code), str(error))
        for name, faults in serializer.errors.items()
        for error in faults
    ]
    raise ProblemError(problem_types.INVALID, errors=errors)


def parameter_error(name: str, code: str, detail: str) -> dict[str, str]:
    """Return an entry of `errors` for a parameter of the address."""
    return {"parameter": name, "code": code, "detail": detail}


def _name_errors(name: str, count: int, declared: Any) -> list[dict[str, str]]:
    if name not in declared:
        similar = nearest_word(name, declared)
        known = ", ".join(declared) or _("none")
        detail = _("Unknown parameter. This address has: %(known)s.") % {"known": known}
        if similar:
            suggestion = _("Did you mean %(word)s?") % {"word": similar}
            detail = f"{detail} {suggestion}"
        return [parameter_error(name, "unknown", detail)]
    if count > 1:
        return [parameter_error(name, "repeated", _("Give this parameter once."))]
    return []
