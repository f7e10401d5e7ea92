"""Lists of grants, coupons and journal entries; review of grants after corrected data."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice import tones as state_tones
from backoffice.revocations import MAX_SELECTED
from campaigns.grants import reviews, transitions
from campaigns.ledger import funding
from campaigns.models import Coupon, Grant, JournalEntry
from core import clock
from core.admin import ReadOnlyAdmin
from core.formatting import format_money, join_and
from core.lists.filters import DateRange
from core.money import round_to_cents
from definitions.funding import PAYERS, split


class NeedsReviewFilter(admin.SimpleListFilter):
    """Filter for grants whose source data was corrected after the decision."""

    title = gettext_lazy("for review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", _("yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> QuerySet[Grant]:
        return queryset.exclude(review="") if self.value() else queryset


def _payers(row: Grant | JournalEntry) -> str:
    """Return what each party pays of an amount: `the merchant 5.00 USD and the platform 25.00 USD`."""
    shares = funding.version_shares(offer=row.offer_id).by_version.get(row.version_id, {})
    paid = split(round_to_cents(row.amount), shares, row.currency)
    return join_and(f"{PAYERS[payer]} {format_money(amount, row.currency)}" for payer, amount in paid.items())


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin):
    """Grants. Those marked for review are accepted or decided again, under the name of the operator."""

    list_title = gettext_lazy("Grants")
    list_intro = gettext_lazy("Every benefit that was granted, from reserved to settled.")
    list_views = (
        (gettext_lazy("All"), ""),
        (gettext_lazy("To review"), "review=yes"),
        *((status.label, f"status__exact={status.value}") for status in Grant.Status),
    )
    list_display = ("subject", "merchant", "offer", "status", "amount", "claimed_at", "review")
    more_columns = ("fee", "ended_at", "version", "coupons")
    list_select_related = ("offer",)
    list_filter = ("offer", "status", ("claimed_at", DateRange), NeedsReviewFilter)
    tones = {"status": state_tones.GRANT}
    search_codes = ("subject",)
    search_related = ("merchant",)
    actions = ("keep", "redecide", "revoke")
    fields = (
        "offer",
        "version",
        "subject",
        "merchant_code",
        "status",
        "amount",
        "currency",
        "fee",
        "claimed_at",
        "ended_at",
        "coupons",
        "payers",
        "review",
    )

    @admin.display(description=gettext_lazy("paid for by"))
    def payers(self, grant: Grant) -> str:
        return _payers(grant)

    def has_review_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may review grants."""
        return request.user.has_perm("campaigns.change_grant")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may revoke grants or propose that."""
        return request.user.has_perm("campaigns.revoke_grant")

    @admin.action(description=gettext_lazy("Revoke…"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Grant]) -> HttpResponse | None:
        keys = list(chosen.order_by("pk").values_list("pk", flat=True)[: MAX_SELECTED + 1])
        if len(keys) > MAX_SELECTED:
            text = _("Select at most %(n)d grants. To revoke all grants of an offer or a merchant, use its page.")
            self.message_user(request, text % {"n": MAX_SELECTED}, messages.WARNING)
            return None
        return redirect(f"{reverse('backoffice:revoke-selection')}?ids={','.join(map(str, keys))}")

    @admin.action(description=gettext_lazy("Accept unchanged"), permissions=["review"])
    def keep(self, request: HttpRequest, chosen: QuerySet[Grant]) -> None:
        self._each(request, chosen, reviews.accept, _("accepted after review"))

    @admin.action(description=gettext_lazy("Decide again with current data"), permissions=["review"])
    def redecide(self, request: HttpRequest, chosen: QuerySet[Grant]) -> None:
        self._each(request, chosen, reviews.reopen, _("decided again after review"))

    def _each(self, request: HttpRequest, chosen: QuerySet[Grant], verb: Callable[..., None], reason: str) -> None:
        done = 0
        for grant in chosen.exclude(review=""):
            try:
                verb(grant, at=clock.now(), by=request.user.get_username(), reason=reason)
                done += 1
            except transitions.NotLiveError as error:
                self.message_user(request, str(error), messages.WARNING)
        text = ngettext("%(n)d grant reviewed.", "%(n)d grants reviewed.", done) % {"n": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.WARNING)


@admin.register(Coupon)
class CouponAdmin(ReadOnlyAdmin):
    """Coupons."""

    list_title = gettext_lazy("Coupons")
    list_intro = gettext_lazy("Every coupon, from issue to use or expiry.")
    list_views = (
        (gettext_lazy("All"), ""),
        *((status.label, f"status__exact={status.value}") for status in Coupon.Status),
    )
    list_display = ("code", "merchant", "offer", "status", "value", "valid_until", "order_no")
    list_select_related = ("offer",)
    list_filter = ("offer", "status", ("valid_until", DateRange))
    tones = {"status": state_tones.COUPON}
    search_codes = ("code", "order_no")
    search_related = ("merchant",)


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    """Journal: every state change of every grant and coupon."""

    fields = (
        "offer",
        "version",
        "grant",
        "coupon",
        "at",
        "source",
        "target",
        "amount",
        "currency",
        "payers",
        "order_no",
        "by",
        "reason",
        "recorded_at",
    )
    list_display = ("at", "offer", "what", "source", "target", "amount", "by", "reason")
    list_select_related = ("offer", "grant", "coupon")
    list_filter = ("offer", "target", ("at", DateRange))
    search_codes = ("grant__subject", "coupon__code")
    search_related = ("grant__merchant", "coupon__merchant")

    @admin.display(description=gettext_lazy("paid for by"))
    def payers(self, entry: JournalEntry) -> str:
        return _payers(entry)

    @admin.display(description=gettext_lazy("what moved"))
    def what(self, entry: JournalEntry) -> str:
        return entry.grant.subject if entry.grant else entry.coupon.code if entry.coupon else ""
