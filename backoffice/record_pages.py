"""Pages of records: references to a merchant, an offer or a draft in any list link to them."""

from campaigns.models import Draft, Offer
from core.lists.cells import register_page
from merchants.models import Merchant


def register() -> None:
    """Register the pages of the workspace."""
    register_page(Merchant, "backoffice:merchant", "code", "merchants.view_merchant")
    register_page(Offer, "backoffice:offer", "code", "campaigns.view_offer")
    register_page(Draft, "backoffice:draft", "pk", "campaigns.view_draft")
