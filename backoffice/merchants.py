"""Page of one merchant, in tabs by address: benefits, claims, coupons, ratings, facts, history; message to it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Model
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice import answers, holder_rights, merchant_history
from backoffice.explanations import explain_subject
from backoffice.rendering import actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.eligibility import merchant_status
from campaigns.models import Coupon, Decision, Grant
from campaigns.notifications import notes
from campaigns.offers import published_offers
from campaigns.reporting.merchant_figures import figures
from core import clock
from core.facts import COLLECTIONS, Collection
from core.permissions import view_permission
from merchants import blocks
from merchants.members import enabled
from merchants.models import Account, Block, Membership, Merchant, Penalty, ServicePackage
from rules.sentences import describe_fact

MAX_ROWS_SHOWN = 50
RECENT = 15
Context = dict[str, Any]
STATES: dict[type[Model], tuple[str | Promise, str]] = {
    Membership: (gettext_lazy("Memberships"), "plan"),
    ServicePackage: (gettext_lazy("Service packages"), "package"),
    Penalty: (gettext_lazy("Penalties"), "kind"),
}
"""States of a merchant over time: label, and the field that names the state."""
GRANT_TONES = {
    "reserved": "info",
    "locked": "info",
    "settled": "ok",
    "released": "idle",
    "forfeited": "bad",
    "revoked": "bad",
}
COUPON_TONES = {"issued": "info", "locked": "plan", "redeemed": "ok", "expired": "idle", "void": "bad"}


@staff_view("view_grant", "merchants.view_merchant", methods=("GET", "HEAD"))
def detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show one tab of a merchant's page; each has an address of its own."""
    merchant, at = get_object_or_404(Merchant, pk=code), clock.now()
    tab = request.GET.get("tab", "benefits")
    if tab not in TABS:
        raise Http404
    tabs = {name: label for name, (label, needed) in TABS.items() if _may_view_any(request, needed())}
    if tab not in tabs:
        raise PermissionDenied
    sees_blocks = has_permissions(request, "merchants.view_block")
    return render_page(
        request,
        "merchant",
        title=merchant.short_name,
        merchant=merchant,
        tab=tab,
        tabs=tabs.items(),
        figures=figures(merchant, at=at),
        memberships=[row for row in merchant.memberships.all() if row.is_in_force(at)],
        merchant_block=blocks.in_force(merchant, at=at) if sees_blocks else None,
        proposed_blocks=merchant.blocks.filter(status=Block.Status.PROPOSED) if sees_blocks else (),
        members=enabled().filter(merchant=merchant).count(),
        live=Grant.objects.filter(merchant=merchant, status__in=Grant.LIVE).exists(),
        **CONTENTS[tab](request, merchant, at),
    )


def _may_view_any(request: HttpRequest, models: Iterable[type[Model]]) -> bool:
    return any(has_permissions(request, view_permission(model)) for model in models)


def _benefits(_request: HttpRequest, merchant: Merchant, at: datetime) -> Context:
    """Return the status of every offer: what the merchant has, and what is missing."""
    published = published_offers.published()
    statuses = {status.code: status for status in merchant_status.statuses(published, merchant, at=at)}
    explained = {answer.code: answer for answer in explain_subject("merchant", merchant.pk, at=at)}
    rows = [(explained.get(code) or answers.of_status(status), status) for code, status in statuses.items()]
    return {"benefits": rows}


def _claims(_request: HttpRequest, merchant: Merchant, _at: datetime) -> Context:
    """Return the latest decisions, each with its grant."""
    decisions = Decision.objects.filter(merchant=merchant).select_related("offer").order_by("-claimed_at", "-pk")
    shown = list(decisions[:MAX_ROWS_SHOWN])
    grants = Grant.objects.filter(merchant=merchant, subject__in={decision.subject for decision in shown})
    by_claim = {(grant.offer_id, grant.subject): grant for grant in grants.order_by("pk")}
    return {"claims": [_claim(decision, by_claim.get((decision.offer_id, decision.subject))) for decision in shown]}


def _claim(decision: Decision, grant: Grant | None) -> tuple[Decision, Grant | None, str, str]:
    """Return a decision, its grant, and tone and label of the pill that shows where it stands."""
    if grant is None:
        return decision, None, "bad", decision.get_outcome_display()
    return decision, grant, GRANT_TONES[grant.status], grant.get_status_display()


def _coupons(_request: HttpRequest, merchant: Merchant, _at: datetime) -> Context:
    coupons = Coupon.objects.filter(merchant=merchant).select_related("offer").order_by("-issued_at", "-pk")
    return {"coupons": [(coupon, COUPON_TONES[coupon.status]) for coupon in coupons[:MAX_ROWS_SHOWN]]}


@dataclass(frozen=True)
class FactRows:
    """Newest rows of one kind of facts: key, what a list shows of it, and when it was."""

    collection: Collection
    rows: list[tuple[str, str, datetime]]

    @property
    def all_rows(self) -> str:
        """Address of the list of all such rows."""
        meta = self.collection.model._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def _fact_models() -> list[type[Model]]:
    """Return the models of which the tab "Source data" shows rows."""
    listed = [collection.model for collection in COLLECTIONS.values() if collection.listing]
    return [*listed, *STATES, Account]


def _facts(request: HttpRequest, merchant: Merchant, at: datetime) -> Context:
    """Return the states of the merchant and its newest orders, draws and so on, of each kind that the user may view.

    One query for each kind.
    """
    states = []
    for model, (label, shown) in STATES.items():
        if has_permissions(request, view_permission(model)):
            rows = model._default_manager.filter(merchant=merchant).order_by("-starts_at")
            states.append((label, [(getattr(row, f"get_{shown}_display")(), row) for row in rows]))
    listed = [
        _newest(collection, merchant, at)
        for collection in COLLECTIONS.values()
        if collection.listing and has_permissions(request, view_permission(collection.model))
    ]
    sees_accounts = has_permissions(request, view_permission(Account))
    accounts = merchant.accounts.order_by("pk")[:MAX_ROWS_SHOWN] if sees_accounts else ()
    return {"states": states, "listed": listed, "accounts": accounts}


def _newest(collection: Collection, merchant: Merchant, at: datetime) -> FactRows:
    assert collection.listing is not None
    dates, shown = collection.listing.listed_at, collection.listing.shown
    first_known = Coalesce(*dates) if len(dates) > 1 else F(dates[0])
    found = collection.model._default_manager.filter(**{collection.merchant: merchant.pk})
    dated = found.annotate(listed_at=first_known).filter(listed_at__lte=at)
    rows = []
    for row in dated.order_by("-listed_at", "-pk")[:RECENT]:
        values = ((collection.facts[name], getattr(row, name)) for name in shown)
        currency = getattr(row, "currency", "")
        text = " · ".join(describe_fact(fact, raw, currency=currency) for fact, raw in values if raw not in (None, ""))
        rows.append((str(row.pk), text, row.listed_at))
    return FactRows(collection, rows)


def _history(request: HttpRequest, merchant: Merchant, _at: datetime) -> Context:
    return {"history": merchant_history.entries(request, merchant)}


CONTENTS: dict[str, Callable[[HttpRequest, Merchant, datetime], Context]] = {
    "benefits": _benefits,
    "claims": _claims,
    "coupons": _coupons,
    "rights": holder_rights.of_merchant,
    "facts": _facts,
    "history": _history,
}
TABS: dict[str, tuple[str | Promise, Callable[[], Iterable[type[Model]]]]] = {
    "benefits": (gettext_lazy("Benefits"), lambda: [Grant]),
    "claims": (gettext_lazy("Claims"), lambda: [Decision]),
    "coupons": (gettext_lazy("Coupons"), lambda: [Coupon]),
    "rights": (gettext_lazy("Ratings and entitlements"), lambda: [Grant]),
    "facts": (gettext_lazy("Source data"), _fact_models),
    "history": (gettext_lazy("History"), lambda: merchant_history.SOURCES),
}
"""Tabs by name: label, and the models of which the user may view one at least."""


class MessageForm(forms.Form):
    """Text of a message to a merchant."""

    text = forms.CharField(
        label=gettext_lazy("Message"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5, "class": "textarea"})
    )


@staff_view("write_to_merchant", "merchants.view_merchant")
def write(request: HttpRequest, code: str) -> HttpResponse:
    """Send a message to all members of a merchant; the audit log keeps who wrote it."""
    merchant = get_object_or_404(Merchant, pk=code)
    back = reverse("backoffice:merchant", args=[code])
    form = MessageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _send(request, merchant, form.cleaned_data["text"])
            messages.success(request, _("The message is sent."))
            return redirect(f"{back}?tab=history")
        except notes.NoteError as refusal:
            form.add_error("text", str(refusal))
    count = enabled().filter(merchant=merchant).count()
    effect = ngettext(
        "%(n)d person who signs in for this merchant reads it on the Messages page, and by mail if they get any mail.",
        "%(n)d people who sign in for this merchant read it on the Messages page, and by mail if they get any mail.",
        count,
    )
    return render_confirmation(
        request,
        title=_("Message to %(name)s") % {"name": merchant.short_name},
        effects=[effect % {"n": count}, _("It cannot be taken back.")],
        button=_("Send message"),
        back=back,
        form=form,
    )


@transaction.atomic
def _send(request: HttpRequest, merchant: Merchant, text: str) -> None:
    notes.send(merchant, text, at=clock.now(), by=actor(request))
    assert request.user.pk is not None
    LogEntry.objects.log_actions(
        request.user.pk, [merchant], CHANGE, change_message=f"sent a message: {text}", single_object=True
    )
