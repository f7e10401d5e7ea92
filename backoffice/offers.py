"""Page of one offer, and the actions that pause, resume and stop it."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.offer_actions import actions_for, reason_against
from backoffice.offer_tabs import TABS
from backoffice.overview import OfferSummary, summarize_offers
from backoffice.rendering import ReasonForm, actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.models import Decision, Offer
from campaigns.offers import pausing, published_offers
from campaigns.offers.pending_changes import pending_changes
from campaigns.offers.published_offers import PublishedOffer
from core import clock
from core.formatting import format_instant_twice, format_number
from core.pagination import PAGE_SIZE, CappedPaginator


def get_offer(code: str) -> PublishedOffer:
    """Return the published offer with a code. Raises Http404."""
    try:
        return published_offers.find(code)
    except Offer.DoesNotExist as error:
        raise Http404 from error


@staff_view("view_offer", methods=("GET", "HEAD"))
def detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show one tab of the page of an offer."""
    at, offer = clock.now(), get_offer(code)
    tab = request.GET.get("tab", "performance")
    if tab not in TABS:
        raise Http404
    [line] = summarize_offers([offer], at=at)
    pending = pending_changes(offer) if has_permissions(request, "view_draft") else []
    claims = CappedPaginator(Decision.objects.filter(offer=offer.id).order_by("-pk"), PAGE_SIZE)
    _label, context = TABS[tab]
    return render_page(
        request,
        f"offer_{tab}",
        title=offer.row.name,
        line=line,
        offer=offer,
        tab=tab,
        tabs=[(name, label) for name, (label, _context) in TABS.items()],
        decided=claims,
        version_count=offer.row.versions.count(),
        pending=pending,
        actions=actions_for(request, line),
        at=at,
        **context(request, line, pending),
    )


TRANSITIONS: dict[str, tuple[Callable[..., None], Promise, Promise]] = {
    "pause": (pausing.pause, gettext_lazy("Pause %(name)s"), gettext_lazy("%(name)s is paused.")),
    "resume": (pausing.resume, gettext_lazy("Resume %(name)s"), gettext_lazy("%(name)s is resumed.")),
    "stop": (pausing.stop, gettext_lazy("Stop %(name)s"), gettext_lazy("%(name)s is stopped.")),
}


def effects(line: OfferSummary, verb: str, at: datetime) -> list[str]:
    """Return the effects of an action on the offer, with figures."""
    row = line.offer.row
    words = {
        "used": format_number(row.places_taken),
        "limit": format_number(row.limit or 0),
        "held": format_number(line.held),
        "at": format_instant_twice(at),
    }
    granted = _("Used: %(used)s of %(limit)s. Grants stay unchanged.") if row.limit else ""
    granted = granted or _("Used: %(used)s. Grants stay unchanged.")
    held = _("Not settled yet: %(held)s. These grants stay valid and are processed as usual.")
    later = {
        "pause": _(
            "New claims wait and are decided in order after the offer is resumed. Merchants see that it is paused."
        ),
        "resume": _("Waiting claims are decided by the next run, in the order of the claims."),
        "stop": _("Claims made after %(at)s are refused. Stopping is permanent and cannot be undone."),
    }[verb]
    return [text % words for text in (granted, held, later)]


@staff_view("change_offer")
def change_state(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    """Pause, resume or stop an offer, after a confirmation with a reason."""
    if verb not in TRANSITIONS:
        raise Http404
    at, offer = clock.now(), get_offer(code)
    title = str(TRANSITIONS[verb][1]) % {"name": offer.row.name}
    form = ReasonForm(request.POST or None)
    [line] = summarize_offers([offer], at=at)
    if request.method == "POST" and (reason := reason_against(line, verb)):
        messages.error(request, _("Nothing has changed: %(reason)s.") % {"reason": reason})
        return redirect("backoffice:offer", code)
    if request.method == "POST" and form.is_valid():
        _change(request, offer.row, verb, at=at, reason=form.cleaned_data["reason"])
        return redirect("backoffice:offer", code)
    return render_confirmation(
        request,
        title=title,
        effects=effects(line, verb, at),
        button=title,
        form=form,
        back=f"/admin/offers/{code}/",
        destructive=verb == "stop",
    )


def _change(request: HttpRequest, offer: Offer, verb: str, *, at: datetime, reason: str) -> None:
    change, _title, done = TRANSITIONS[verb]
    try:
        change(offer, at=at, by=actor(request), reason=reason)
        messages.success(request, str(done) % {"name": offer.name})
    except pausing.NotNowError as refusal:
        messages.error(request, str(refusal))
