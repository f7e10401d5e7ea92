"""Pages of revocations: one grant immediately, several by a proposal that a second person approves."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.offers import get_offer
from backoffice.rendering import ReasonForm, actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.grants import revocations, transitions
from campaigns.grants.revocations import RevocationError
from campaigns.models import Grant, Revocation
from core import clock
from core.formatting import format_money
from merchants.models import Merchant

MAX_SELECTED = 200


@staff_view("revoke_grant")
def revoke_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one grant, after a confirmation; propose it if the user has revoked too much alone within a day."""
    grant = get_object_or_404(Grant.objects.select_related("offer"), pk=pk)
    back = reverse("backoffice:merchant", args=[grant.merchant_id])
    if not revocations.may_revoke_alone(grant, at=clock.now(), by=actor(request)):
        title = _("Revoke the grant of %(subject)s") % {"subject": grant.subject}
        return _propose(request, Grant.objects.filter(pk=pk), title, back)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            revocations.revoke(grant, at=clock.now(), by=actor(request), reason=form.cleaned_data["reason"])
            messages.success(request, _("The grant of %(subject)s is revoked.") % {"subject": grant.subject})
        except (transitions.NotLiveError, RevocationError) as refusal:
            messages.error(request, str(refusal))
        return redirect(back)
    words = {"offer": grant.offer.name, "subject": grant.subject, "amount": format_money(grant.amount, grant.currency)}
    effect = _("The grant of %(offer)s for %(subject)s, %(amount)s, is revoked permanently. Its quota is not released.")
    return render_confirmation(
        request,
        title=_("Revoke the grant of %(subject)s") % words,
        effects=[effect % words],
        button=_("Revoke"),
        back=back,
        form=form,
        destructive=True,
        preview=revocations.preview(Grant.objects.filter(pk=pk)),
    )


@staff_view("revoke_grant")
def propose_for_offer(request: HttpRequest, code: str) -> HttpResponse:
    """Propose to revoke all live grants of an offer."""
    offer = get_offer(code)
    title = _("Revoke all grants of %(name)s") % {"name": offer.row.name}
    return _propose(request, Grant.objects.filter(offer=offer.id), title, reverse("backoffice:offer", args=[code]))


@staff_view("revoke_grant")
def propose_for_merchant(request: HttpRequest, code: str) -> HttpResponse:
    """Propose to revoke all live grants of a merchant."""
    merchant = get_object_or_404(Merchant, pk=code)
    title = _("Revoke all grants of %(name)s") % {"name": f"{merchant.code} {merchant.name}".strip()}
    return _propose(
        request, Grant.objects.filter(merchant=merchant), title, reverse("backoffice:merchant", args=[code])
    )


@staff_view("revoke_grant")
def propose_for_selection(request: HttpRequest) -> HttpResponse:
    """Propose to revoke the selected grants, whose ids are in the query string."""
    keys = [key for key in request.GET.get("ids", "").split(",") if key.isascii() and key.isdecimal()]
    if not keys or len(keys) > MAX_SELECTED:
        raise Http404
    if len(keys) == 1:
        return redirect("backoffice:revoke-grant", int(keys[0]))
    several = Grant.objects.filter(pk__in=keys)
    title = _("Revoke %(n)d selected grants") % {"n": len(keys)}
    return _propose(request, several, title, reverse("admin:campaigns_grant_changelist"))


def _propose(request: HttpRequest, several: "QuerySet[Grant]", title: str, back: str) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            revocation = revocations.propose(several, title=title, at=clock.now(), by=actor(request), reason=reason)
        except RevocationError as refusal:
            messages.error(request, str(refusal))
            return redirect(back)
        messages.success(request, _("Revocation proposed. Nothing is revoked until a second person approves it."))
        return redirect("backoffice:revocation", revocation.pk)
    effects = [_("A second person must approve the revocation. Later grants are not included.")]
    return render_confirmation(
        request,
        title=title,
        effects=effects,
        button=_("Propose revocation"),
        back=back,
        form=form,
        destructive=True,
        preview=revocations.preview(several),
    )


@staff_view("view_revocation")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a proposal with its current effect; approve or withdraw it."""
    revocation = get_object_or_404(Revocation, pk=pk)
    if request.method == "POST":
        return _decide(request, revocation)
    open_ = revocation.status == Revocation.Status.PROPOSED
    return render_page(
        request,
        "revocation",
        title=revocation.title,
        revocation=revocation,
        preview=revocations.preview(revocation.grants.all()) if open_ else None,
        grants=revocation.grants.select_related("offer", "merchant").order_by("pk")[:100],
        may_approve=open_ and has_permissions(request, "approve_revocation"),
        mine=revocations.is_proposer(revocation, actor(request)),
        may_withdraw=open_ and has_permissions(request, "revoke_grant"),
    )


def _decide(request: HttpRequest, revocation: Revocation) -> HttpResponse:
    approves = request.POST.get("verb") == "approve"
    if not has_permissions(request, "approve_revocation" if approves else "revoke_grant"):
        raise PermissionDenied
    shown = request.POST.get("shown", "")
    try:
        if approves:
            n = revocations.approve(
                revocation, shown=int(shown) if shown.isdecimal() else -1, at=clock.now(), by=actor(request)
            )
            text = ngettext("%(n)d grant is revoked.", "%(n)d grants are revoked.", n)
            messages.success(request, text % {"n": n})
        else:
            revocations.withdraw(revocation, at=clock.now(), by=actor(request))
            messages.success(request, _("The proposal is withdrawn."))
    except RevocationError as refusal:
        messages.error(request, str(refusal))
    return redirect("backoffice:revocation", revocation.pk)
