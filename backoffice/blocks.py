"""Pages of blocks: propose to block a merchant, approve by a second person, withdraw, lift."""

from collections.abc import Callable
from datetime import datetime

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.rendering import ReasonForm, actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.grants import revocations
from campaigns.models import Grant
from core import clock, instants
from core.formatting import format_instant_twice
from merchants import blocks
from merchants.blocks import BlockError
from merchants.models import Block, Merchant


class BlockForm(ReasonForm):
    """Kind, end and reason of a block."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Block.Kind.choices)
    until = forms.DateTimeField(
        validators=[instants.validate],
        label=gettext_lazy("Blocked until"),
        help_text=gettext_lazy("Beijing time; leave empty to block until it is lifted"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    field_order = ("kind", "until", "reason")


@staff_view("merchants.block_merchant", "merchants.view_merchant")
def propose(request: HttpRequest, code: str) -> HttpResponse:
    """Propose to block a merchant, after a confirmation that states the effect."""
    merchant = get_object_or_404(Merchant, pk=code)
    back = reverse("backoffice:merchant", args=[code])
    form = BlockForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            block = blocks.propose(
                merchant,
                kind=data["kind"],
                until=data["until"],
                reason=data["reason"],
                at=clock.now(),
                by=actor(request),
            )
            text = _("Block proposed. The merchant is not blocked until a second person approves it.")
            messages.success(request, text)
            return redirect("backoffice:block", block.pk)
        except BlockError as refusal:
            form.add_error("until", str(refusal))
    return render_confirmation(
        request,
        title=_("Block %(name)s") % {"name": merchant.short_name},
        effects=[_("A second person must approve the block. It begins with the approval."), *_effects(None)],
        button=_("Propose block"),
        back=back,
        form=form,
        destructive=True,
        preview=revocations.preview(Grant.objects.filter(merchant=merchant)),
        preview_title=_("Held now, and kept"),
    )


def _effects(until: datetime | None) -> list[str]:
    """Return the effects of a block on claims and on what the merchant holds."""
    refused = _("Claims during the block are refused by every offer. They take no quota, and stay refused afterwards.")
    held = _(
        "Grants and coupons that the merchant holds stay valid and can be used. To take them away, propose to revoke "
        "them as well."
    )
    end = _("The block ends at %(at)s.") % {"at": format_instant_twice(until)} if until else ""
    return [refused, held, *([end] if end else [])]


@staff_view("merchants.view_block", "merchants.view_merchant")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a block with its effect; approve, withdraw or lift it."""
    block = get_object_or_404(Block.objects.select_related("merchant"), pk=pk)
    if request.method == "POST":
        return _act(request, block, request.POST.get("verb", ""))
    at, proposed = clock.now(), block.status == Block.Status.PROPOSED
    runs = blocks.is_in_force(block, at=at)
    return render_page(
        request,
        "block",
        title=_("Block of %(name)s") % {"name": block.merchant.short_name},
        merchant_block=block,
        is_in_force=runs,
        effects=_effects(block.ends_at),
        preview=revocations.preview(Grant.objects.filter(merchant=block.merchant)),
        preview_title=_("Held now, and kept"),
        may_approve=proposed and has_permissions(request, "merchants.approve_block"),
        mine=blocks.is_proposer(block, actor(request)),
        may_withdraw=proposed and has_permissions(request, "merchants.block_merchant"),
        may_lift=runs and has_permissions(request, "merchants.approve_block"),
    )


VERBS: dict[str, tuple[str, Callable[..., None], Promise]] = {
    "approve": ("merchants.approve_block", blocks.approve, gettext_lazy("The merchant is blocked.")),
    "withdraw": ("merchants.block_merchant", blocks.withdraw, gettext_lazy("The proposal is withdrawn.")),
    "lift": ("merchants.approve_block", blocks.lift, gettext_lazy("The block is lifted.")),
}


def _act(request: HttpRequest, block: Block, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404
    permission, change, done = VERBS[verb]
    if not has_permissions(request, permission):
        raise PermissionDenied
    try:
        change(block, at=clock.now(), by=actor(request))
        messages.success(request, str(done))
    except BlockError as refusal:
        messages.error(request, str(refusal))
    return redirect("backoffice:block", block.pk)
