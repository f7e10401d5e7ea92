"""Templates of offers: what a new offer starts with. None stands for a value that the operator enters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.document import codes_of, free_code
from backoffice.offer_form.save import styled

MAIN_WINDOW = "activity"
"""Shared window of a new campaign: its dates."""
NOT_CANCELLED = {"code": "not_cancelled", "fact": "cancelled_at", "happened": "no"}
NEW_CODE = "new-"
"""Start of the code of an offer without a name; it is replaced when the offer has one."""


@dataclass(frozen=True)
class OfferTemplate:
    """Template with its name, a note, an icon, and the words that differ from those of other templates."""

    name: str | Promise
    note: str | Promise
    icon: str
    words: Callable[[Any], dict[str, Any]]


def _freight(benefit: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """Return the words of an offer on freight, for each order that is paid in the dates of the campaign."""

    def words(window: Any) -> dict[str, Any]:
        return {
            "subject": "freight_order",
            "where": "all",
            "claim": {"at": "paid_at"},
            "conditions": [{"fact": "paid_at", "within": window}, NOT_CANCELLED],
            "benefit": benefit,
            "settlement": {"released_by": "cancelled_at", "released_after_settlement": "yes"},
        }

    return words


def _waiver(window: Any) -> dict[str, Any]:
    return {
        "subject": "trade_order",
        "where": "all",
        "claim": {"at": "first_payment_at"},
        "conditions": [{"fact": "first_payment_at", "within": window}, NOT_CANCELLED],
        "benefit": {"fee": "service_fee", "percent": "100"},
    }


def _coupons(window: Any) -> dict[str, Any]:
    counted = [{"fact": "shipped_at", "within": window}, {"fact": "cancelled_at", "happened": "no"}]
    bundle = {"count": None, "value": None, "currency": "CNY", "valid": {"from": None, "to": None}}
    return {
        "subject": "merchant",
        "where": "all",
        "claim": {"nth": {"number": None, "of": "freight_orders", "at": "shipped_at", "where": counted}},
        "conditions": "everyone",
        "benefit": {"coupons": {**bundle, "where": [{"fact": "base_freight", "at_least": None}]}},
        "quota": {"per_merchant": "1"},
    }


TIERS = [{"from": None, "amount": None}, {"from": None, "amount": None}]
TEMPLATES: dict[str, OfferTemplate] = {
    "percent": OfferTemplate(
        _("Percent off"), _("For example 10% off freight"), "ticket", _freight({"fee": "freight", "percent": None})
    ),
    "amount": OfferTemplate(
        _("Amount off"),
        _("For example 30 CNY off freight over 400 CNY"),
        "receipt",
        _freight({"fee": "freight", "currency": "CNY", "amount": None}),
    ),
    "tiers": OfferTemplate(
        _("Tiers"),
        _("For example 50 CNY off from 500, 120 CNY off from 1,000"),
        "list-check",
        _freight({"fee": "freight", "currency": "CNY", "tiers": TIERS}),
    ),
    "waiver": OfferTemplate(_("Fee waived"), _("For example no service fee on trade orders"), "check", _waiver),
    "coupons": OfferTemplate(
        _("Coupons"), _("For example 8 coupons of 25 CNY for the fifth order shipped"), "wallet", _coupons
    ),
}


def offer_from(template: OfferTemplate, document: Any) -> Any:
    """Return a new offer of a document, made of a template."""
    window = MAIN_WINDOW if MAIN_WINDOW in (document.get("windows") or {}) else {"from": None, "to": None}
    head = {"code": free_code(codes_of(document), f"{NEW_CODE}1"), "names": {"en": None, "zh": None}}
    return styled({**head, **template.words(window)})
