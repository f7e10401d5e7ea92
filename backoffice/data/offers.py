"""Campaigns, offers and their versions."""

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import tasks
from campaigns.models import Campaign, Issuance, Offer, Version
from campaigns.offers.published_offers import terms_of
from core.admin import ReadOnlyAdmin
from core.formatting import format_number
from definitions import offer_sentences


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    """Campaigns."""

    list_display = ("code", "name_en", "name_zh")


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    """Offers with the use of their quota and their terms."""

    list_display = ("code", "name", "campaign", "places", "claims_decided_until", "version")
    list_select_related = ("campaign", "version", "version__offer")
    list_filter = ("campaign",)
    fields = (
        "code",
        "name_en",
        "name_zh",
        "campaign",
        "version",
        "places",
        "limit_per_merchant",
        "qualified_claims",
        "claims_decided_until",
        "grants_followed_until",
        "terms",
    )

    def change_view(self, request: HttpRequest, object_id: str, *args: object, **kwargs: object) -> HttpResponse:
        """Redirect to the page of the offer."""
        return redirect("backoffice:offer", get_object_or_404(Offer, pk=object_id).code)

    @admin.display(description=gettext_lazy("name"))
    def name(self, offer: Offer) -> str:
        return offer.name

    @admin.display(description=gettext_lazy("used"), ordering="places_taken")
    def places(self, offer: Offer) -> str | SafeString:
        """Return `8,120 / 10,000` with a bar, or the number alone when there is no limit."""
        if offer.limit is None:
            return _("%(used)s, no limit") % {"used": f"{offer.places_taken:,}"}
        share = offer.places_taken / offer.limit
        word = _("used up") if share >= 1 else _("nearly used up") if share >= 0.8 else ""
        return format_html(
            '<meter min="0" max="{}" high="{}" value="{}"></meter> {} / {} {}',
            offer.limit,
            int(offer.limit * 0.8),
            offer.places_taken,
            f"{offer.places_taken:,}",
            f"{offer.limit:,}",
            word,
        )

    @admin.display(description=gettext_lazy("terms"))
    def terms(self, offer: Offer) -> str | SafeString:
        """Return the published terms as sentences in the language of the page."""
        return terms_as_list(offer.version) if offer.version else ""


@admin.register(Version)
class VersionAdmin(ReadOnlyAdmin):
    """Published versions, immutable."""

    list_display = ("offer", "number", "digest", "published_at", "published_by")
    list_select_related = ("offer",)
    list_filter = ("offer__campaign",)
    search_codes = ("digest",)
    search_related = ("offer",)
    fields = ("offer", "number", "digest", "published_at", "published_by", "terms", "definition")

    @admin.display(description=gettext_lazy("terms"))
    def terms(self, version: Version) -> SafeString:
        return terms_as_list(version)


@admin.register(Issuance)
class IssuanceAdmin(ReadOnlyAdmin):
    """Issuing of coupons: planned and issued."""

    list_display = ("offer", "progress", "planned", "issued", "spent_until")
    list_select_related = ("offer",)
    actions = ("go_on",)

    def has_go_on_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may continue issuing."""
        return request.user.has_perm("campaigns.change_offer")

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, row: Issuance) -> SafeString:
        """Return a progress bar of issued out of planned coupons."""
        text = _("%(issued)s of %(planned)s") % {
            "issued": format_number(row.issued),
            "planned": format_number(row.planned),
        }
        return format_html('<progress max="{}" value="{}"></progress> {}', row.planned or 1, row.issued, text)

    @admin.action(description=gettext_lazy("Continue issuing now"), permissions=["go_on"])
    def go_on(self, request: HttpRequest, chosen: QuerySet[Issuance]) -> None:
        transaction.on_commit(tasks.tick.delay)
        self.message_user(request, _("Issuing continues. No coupon is issued twice."))


def terms_as_list(version: Version) -> SafeString:
    """Return the terms of a version as an HTML list of sentences."""
    terms = offer_sentences.describe_terms(terms_of(version))
    funding = [terms.funding] if terms.funding else []
    lines = (terms.benefit, *funding, terms.claim, *terms.conditions, terms.quota, *terms.settlement)
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines)))
