"""Search of the workspace: merchants, offers, campaigns, drafts, orders, coupons, pages and actions, in one field."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.navigation import ELIGIBILITY, GROUPS
from backoffice.rendering import has_permissions, render_page, staff_view
from buyers.models import Buyer
from campaigns.models import Campaign, Coupon, Draft, Offer
from core.db.fields import LONGEST_KEY
from core.facts import SUBJECTS
from core.keys import normalize_key
from core.permissions import view_permission
from core.search import begins_with, contains_words, named
from merchants.models import Merchant

MOST_OF_A_KIND = 6
MOST_ON_A_PAGE = 30


@dataclass(frozen=True)
class Hit:
    """One result: a name, where it leads, and in small what tells it from others; `lang` of the name, if known."""

    name: str
    href: str
    icon: str
    note: str = ""
    lang: str = ""


@dataclass(frozen=True)
class Group:
    """Results of one kind."""

    label: str
    hits: list[Hit]


Source = Callable[[HttpRequest, str, int], Iterator[Hit]]


@staff_view(methods=("GET", "HEAD"))
def search_page(request: HttpRequest) -> HttpResponse:
    """Show the results for `q` as a page; with `part=hits` as the list of options of the palette."""
    text, is_part = normalize_key(request.GET.get("q", ""))[:LONGEST_KEY], request.GET.get("part") == "hits"
    groups = search(request, text, most=MOST_OF_A_KIND if is_part else MOST_ON_A_PAGE)
    if is_part:
        return render(request, "backoffice/search_options.html", {"groups": groups, "sought": text})
    return render_page(request, "search", title=_("Search"), groups=groups, sought=text)


def search(request: HttpRequest, text: str, *, most: int) -> list[Group]:
    """Return the results by kind, only of kinds that the user may view, `most` of each. One query for each table.

    Without a text there are actions alone.
    """
    found = []
    for label, permissions, source in KINDS if text else ():
        if has_permissions(request, *permissions):
            found.append(Group(str(label), list(source(request, text, most))))
    found.append(Group(_("Pages and actions"), list(_pages(request, text))))
    return [group for group in found if group.hits]


def _merchants(_request: HttpRequest, text: str, most: int) -> Iterator[Hit]:
    for merchant in named(Merchant, text)[:most]:
        (name, tag), *others = merchant.names or [(merchant.code, "")]
        note = " · ".join([*(other for other, _tag in others), merchant.code])
        yield Hit(name, reverse("backoffice:merchant", args=[merchant.code]), "building-store", note, tag)


def _offers(_request: HttpRequest, text: str, most: int) -> Iterator[Hit]:
    for offer in named(Offer, text)[:most]:
        yield Hit(offer.name, reverse("backoffice:offer", args=[offer.code]), "ticket", offer.code)


def _campaigns(_request: HttpRequest, text: str, most: int) -> Iterator[Hit]:
    for campaign in named(Campaign, text)[:most]:
        yield Hit(campaign.name, reverse("backoffice:campaign", args=[campaign.code]), "speakerphone", campaign.code)


def _drafts(_request: HttpRequest, text: str, most: int) -> Iterator[Hit]:
    rows = Draft.objects.filter(contains_words(["title"], text)).defer("source", "base_source")
    for draft in rows.order_by("-changed_at")[:most]:
        yield Hit(draft.title, reverse("backoffice:draft", args=[draft.pk]), "pencil", draft.get_status_display())


def _orders(request: HttpRequest, text: str, most: int) -> Iterator[Hit]:
    """Yield orders, draws and other subjects that the user may view and whose number begins with the text."""
    for collection in SUBJECTS.values():
        if collection.is_merchants or not has_permissions(request, view_permission(collection.model)):
            continue
        rows = collection.model._default_manager.filter(begins_with("pk", text)).order_by("pk")
        for key, merchant in rows.values_list("pk", collection.merchant)[:most]:
            yield Hit(str(key), _eligibility(str(key)), "truck", f"{collection.singular} · {merchant}")


def _buyers(_request: HttpRequest, text: str, most: int) -> Iterator[Hit]:
    rows = Buyer.objects.filter(begins_with("code", text)).order_by("code")
    for code, country in rows.values_list("pk", "country")[:most]:
        yield Hit(code, reverse("backoffice:buyer", args=[code]), "user-search", country)


def _coupons(_request: HttpRequest, text: str, most: int) -> Iterator[Hit]:
    rows = Coupon.objects.filter(begins_with("code", text)).order_by("code").select_related("offer")
    for coupon in rows[:most]:
        note = f"{coupon.offer.name} · {coupon.merchant_id}"
        yield Hit(coupon.code, _eligibility(coupon.code), "ticket", note)


def _pages(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Yield actions and pages of the navigation whose words contain the text, and the eligibility check for it."""
    wanted = text.casefold()
    if text and has_permissions(request, *ELIGIBILITY.permissions):
        yield Hit(_("Check eligibility for “%(text)s”") % {"text": text}, _eligibility(text), "user-search")
    for label, view, icon, permissions in ACTIONS:
        if has_permissions(request, *permissions) and wanted in str(label).casefold():
            yield Hit(str(label), reverse(view), icon)
    if text:
        for _group, entries in GROUPS:
            for entry in entries:
                if entry.allows(request) and wanted in str(entry.label).casefold():
                    yield Hit(str(entry.label), reverse(entry.view), entry.icon)


def _eligibility(text: str) -> str:
    return f"{reverse('backoffice:explanation')}?{urlencode({'q': text})}"


ACTIONS: tuple[tuple[str | Promise, str, str, Sequence[str]], ...] = (
    (gettext_lazy("New campaign"), "backoffice:new-draft", "plus", ("add_draft",)),
    (gettext_lazy("New simulation"), "backoffice:choose-draft", "flask", ("add_simulation",)),
    (gettext_lazy("Check eligibility"), "backoffice:explanation", "user-search", ELIGIBILITY.permissions),
)
KINDS: tuple[tuple[str | Promise, Sequence[str], Source], ...] = (
    (gettext_lazy("Merchants"), ("merchants.view_merchant", "view_grant"), _merchants),
    (gettext_lazy("Offers"), ("view_offer",), _offers),
    (gettext_lazy("Campaigns"), ("view_offer",), _campaigns),
    (gettext_lazy("Drafts"), ("view_draft",), _drafts),
    (gettext_lazy("Orders"), ELIGIBILITY.permissions, _orders),
    (gettext_lazy("Buyers"), ("buyers.view_buyer",), _buyers),
    (gettext_lazy("Coupons"), ("view_coupon", *ELIGIBILITY.permissions), _coupons),
)
