"""Actions on an offer, with the reasons for those that its state does not allow."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.overview import OfferSummary
from backoffice.rendering import has_permissions
from campaigns.offers.schedule import State


@dataclass(frozen=True)
class Action:
    """Link to the form of an action; `why_not` is the reason for which it is disabled."""

    verb: str
    label: str | Promise
    icon: str
    href: str
    why_not: str | Promise = ""
    is_primary: bool = False
    is_destructive: bool = False


@dataclass(frozen=True)
class Actions:
    """Actions of a page: those shown as buttons, and those in its menu."""

    buttons: list[Action]
    menu: list[Action]


def actions_for(request: HttpRequest, line: OfferSummary) -> Actions:
    """Return the actions that the user may take on the offer."""
    changes = list(_changes(line)) if has_permissions(request, "change_offer") else []
    others = [] if not has_permissions(request, "add_draft") else list(_drafts(line))
    menu = [action for action in changes if action.verb == "stop"] + others
    if has_permissions(request, "revoke_grant"):
        href = reverse("backoffice:revoke-offer", args=[line.offer.code])
        menu.append(Action("revoke", _("Revoke all grants"), "ban", href, is_destructive=True))
    return Actions([action for action in changes if action.verb != "stop"], menu)


def reason_against(line: OfferSummary, verb: str) -> str | Promise:
    """Return why the state of the offer does not allow to pause, resume or stop it; empty if it does."""
    return next((action.why_not for action in _changes(line) if action.verb == verb), "")


def _changes(line: OfferSummary) -> Iterator[Action]:
    """Yield the actions that change the state at once: pause or resume, and stop."""
    row, code = line.offer.row, line.offer.code
    over = _over(line)
    pause, resume = (reverse("backoffice:offer-state", args=[code, verb]) for verb in ("pause", "resume"))
    if row.paused_at:
        yield Action("resume", _("Resume"), "bolt", resume)
    else:
        yield Action("pause", _("Pause"), "player-pause", pause, over)
    stop = reverse("backoffice:offer-state", args=[code, "stop"])
    yield Action("stop", _("Stop for good"), "ban", stop, over, is_destructive=True)


def _over(line: OfferSummary) -> str | Promise:
    """Return why nothing more can be given of the offer; empty if it can."""
    if line.offer.row.stopped_at:
        return _("the offer is stopped")
    return _("the offer has ended") if line.state in (State.ENDED, State.CLOSED) else ""


def _drafts(line: OfferSummary) -> Iterator[Action]:
    """Yield the actions that begin a draft."""
    campaign = line.offer.row.campaign.code
    change = f"{reverse('backoffice:new-draft')}?of={campaign}"
    yield Action("draft", _("Change in a draft"), "pencil", change)
    yield Action("clone", _("Clone campaign"), "copy", reverse("backoffice:clone-campaign", args=[campaign]))
