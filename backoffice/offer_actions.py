"""Actions on an offer, with the reasons for those that its state does not allow."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.amendments.end_dates import movable_ends
from backoffice.overview import OfferSummary
from backoffice.rendering import has_permissions
from campaigns.offers.pending_changes import named_lists
from campaigns.offers.schedule import State

AMENDMENTS = ("limit", "extend", "rename", "list")
BUTTONS = ("limit", "extend", "pause", "resume")
MENU = ("rename", "list", "duplicate", "draft", "clone", "stop", "revoke")


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
    found: dict[str, Action] = {}
    if has_permissions(request, "add_draft", "change_draft"):
        found |= {action.verb: action for action in (*_amendments(line), *_drafts(line))}
    if has_permissions(request, "change_offer"):
        found |= {action.verb: action for action in _changes(line)}
    if has_permissions(request, "revoke_grant"):
        href = reverse("backoffice:revoke-offer", args=[line.offer.code])
        found["revoke"] = Action("revoke", _("Revoke all grants"), "ban", href, is_destructive=True)
    return Actions(*([found[verb] for verb in verbs if verb in found] for verbs in (BUTTONS, MENU)))


def reason_against(line: OfferSummary, verb: str) -> str | Promise:
    """Return why the offer does not allow an action now; empty if it does."""
    return next((action.why_not for action in (*_changes(line), *_amendments(line)) if action.verb == verb), "")


def _amendments(line: OfferSummary) -> Iterator[Action]:
    """Yield the small amendments, which need the approval of a second person."""
    code, over = line.offer.code, _over(line)
    hrefs = {kind: reverse("backoffice:amend-offer", args=[code, kind]) for kind in AMENDMENTS}
    yield Action("limit", _("Change limit"), "pencil", hrefs["limit"], over, is_primary=True)
    ends = over or ("" if movable_ends(line) else _("no end date of the offer lies ahead"))
    yield Action("extend", _("Extend"), "clock", hrefs["extend"], ends)
    yield Action("rename", _("Rename"), "pencil", hrefs["rename"])
    if named_lists(line.offer.terms):
        yield Action("list", _("Change a list"), "list-check", hrefs["list"], over)


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
    campaign, duplicate = line.offer.row.campaign.code, reverse("backoffice:duplicate-offer", args=[line.offer.code])
    yield Action("duplicate", _("Duplicate offer"), "copy", duplicate)
    change = f"{reverse('backoffice:new-draft')}?of={campaign}"
    yield Action("draft", _("Change in a draft"), "pencil", change)
    yield Action("clone", _("Clone campaign"), "copy", reverse("backoffice:clone-campaign", args=[campaign]))
