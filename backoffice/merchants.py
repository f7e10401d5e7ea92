"""Page of one merchant, in tabs by address: benefits, claims, coupons, facts, history. Message to the merchant."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice import answers, merchant_history
from backoffice.explanations import explain_subject
from backoffice.rendering import actor, render_confirmation, render_page, staff_view
from campaigns.eligibility import merchant_status
from campaigns.models import Coupon, Decision, Grant
from campaigns.notifications import notes
from campaigns.offers import published_offers
from campaigns.reporting.merchant_figures import figures
from core import clock
from core.facts import COLLECTIONS, Collection
from merchants import blocks
from merchants.members import enabled
from merchants.models import Block, Merchant
from rules.sentences import describe_fact

MAX_ROWS_SHOWN = 50
RECENT = 15
Context = dict[str, Any]
TABS: dict[str, str | Promise] = {
    "benefits": gettext_lazy("Benefits"),
    "claims": gettext_lazy("Claims"),
    "coupons": gettext_lazy("Coupons"),
    "facts": gettext_lazy("Source data"),
    "history": gettext_lazy("History"),
}


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
    contents: dict[str, Callable[[Merchant, datetime], Context]] = {
        "benefits": _benefits,
        "claims": _claims,
        "coupons": _coupons,
        "facts": _facts,
        "history": _history,
    }
    return render_page(
        request,
        "merchant",
        title=merchant.short_name,
        merchant=merchant,
        tab=tab,
        tabs=TABS.items(),
        figures=figures(merchant, at=at),
        memberships=[row for row in merchant.memberships.all() if row.is_in_force(at)],
        merchant_block=blocks.in_force(merchant, at=at),
        proposed_blocks=merchant.blocks.filter(status=Block.Status.PROPOSED),
        members=enabled().filter(merchant=merchant).count(),
        live=Grant.objects.filter(merchant=merchant, status__in=Grant.LIVE).exists(),
        **contents[tab](merchant, at),
    )


def _benefits(merchant: Merchant, at: datetime) -> Context:
    """Return the status of every offer: what the merchant has, and what is missing."""
    published = published_offers.published()
    statuses = {status.code: status for status in merchant_status.statuses(published, merchant, at=at)}
    explained = {answer.code: answer for answer in explain_subject("merchant", merchant.pk, at=at)}
    rows = [(explained.get(code) or answers.of_status(status), status) for code, status in statuses.items()]
    return {"benefits": rows}


def _claims(merchant: Merchant, _at: datetime) -> Context:
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


def _coupons(merchant: Merchant, _at: datetime) -> Context:
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


def _facts(merchant: Merchant, at: datetime) -> Context:
    """Return the states of the merchant and its newest orders, draws and so on. One query for each kind."""
    plans, packages = merchant.memberships.order_by("-starts_at"), merchant.service_packages.order_by("-starts_at")
    states = [
        (_("Memberships"), [(row.get_plan_display(), row) for row in plans]),
        (_("Service packages"), [(row.get_package_display(), row) for row in packages]),
        (_("Penalties"), [(row.get_kind_display(), row) for row in merchant.penalties.order_by("-starts_at")]),
    ]
    listed = [_newest(collection, merchant, at) for collection in COLLECTIONS.values() if collection.listing]
    return {"states": states, "listed": listed, "accounts": merchant.accounts.order_by("pk")[:MAX_ROWS_SHOWN]}


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


def _history(merchant: Merchant, _at: datetime) -> Context:
    return {"history": merchant_history.entries(merchant)}


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
