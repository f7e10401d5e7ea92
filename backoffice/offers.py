"""Page of one offer: terms in both languages, figures and history; actions pause, resume and stop."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.overview import DATE_LABELS, OfferSummary, summarize_offers
from backoffice.rendering import ReasonForm, actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.models import AuditEvent, Offer
from campaigns.offers import pausing, published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import State
from campaigns.reporting import offer_metrics, quota_history, refusals
from core import clock
from core.formatting import format_instant_twice, format_number
from definitions import offer_sentences, yaml_roundtrip

LANGUAGES = ("en", "zh-hans")


@dataclass(frozen=True)
class Button:
    """Action on an offer; `why_not` is the reason for which it is disabled."""

    verb: str
    label: str | Promise
    why_not: str | Promise = ""


def get_offer(code: str) -> PublishedOffer:
    """Return the published offer with a code. Raises Http404."""
    try:
        return published_offers.find(code)
    except Offer.DoesNotExist as error:
        raise Http404 from error


def terms_in_language(offer: PublishedOffer, language: str) -> offer_sentences.TermSentences:
    """Return the terms in a language, independent of that of the page."""
    with translation.override(language):
        return offer_sentences.describe_terms(offer.terms)


def definition_as_yaml(offer: PublishedOffer) -> str:
    """Return the stored definition as YAML."""
    return yaml_roundtrip.dump_json(published_offers.as_data(offer.terms))


@staff_view("view_offer", methods=("GET", "HEAD"))
def detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show one offer."""
    at, offer = clock.now(), get_offer(code)
    [line] = summarize_offers([offer], at=at)
    zone = timezone.get_current_timezone()
    acts = AuditEvent.objects.filter(offer=offer.id).select_related("draft").order_by("-pk")
    return render_page(
        request,
        "offer",
        title=offer.row.name,
        line=line,
        offer=offer,
        acts=acts[:100],
        terms=[(language, terms_in_language(offer, language)) for language in LANGUAGES],
        definition=definition_as_yaml(offer),
        dates=[(DATE_LABELS[kind], bound) for kind, bound in schedule.dates(offer.terms)],
        days=quota_history.histories([offer.id], zone=zone).get(offer.id, []),
        takers=offer_metrics.top_merchants(offer),
        refusals=refusals.reasons(offer),
        buttons=buttons(line) if has_permissions(request, "change_offer") else [],
        may_draft=has_permissions(request, "add_draft"),
        may_revoke=has_permissions(request, "revoke_grant"),
    )


def buttons(line: OfferSummary) -> list[Button]:
    """Return the actions on the offer, with reasons for those that its state does not allow."""
    row = line.offer.row
    over = gettext_lazy("the offer has ended") if line.state in (State.ENDED, State.CLOSED) else ""
    stopped = gettext_lazy("the offer is stopped") if row.stopped_at else over
    paused, not_paused = gettext_lazy("the offer is paused"), gettext_lazy("the offer is not paused")
    return [
        Button("pause", gettext_lazy("Pause"), paused if row.paused_at else stopped),
        Button("resume", gettext_lazy("Resume"), "" if row.paused_at else not_paused),
        Button("stop", gettext_lazy("Stop"), stopped),
    ]


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
    if request.method == "POST" and form.is_valid():
        _change(request, offer.row, verb, at=at, reason=form.cleaned_data["reason"])
        return redirect("backoffice:offer", code)
    [line] = summarize_offers([offer], at=at)
    if any(button.verb == verb and button.why_not for button in buttons(line)) and request.method == "POST":
        raise PermissionDenied
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
