"""Navigation of the dashboard: the pages that a reader may open. Later pages join here."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from merchants.models import Member

BOTTOM = 4
"""Places of the bar on small screens, before "More"."""


@dataclass(frozen=True)
class NavigationLink:
    """Link to a page: `name` is that of its address, `is_here` says whether the reader is on it."""

    name: str
    label: str
    icon: str
    is_here: bool
    count: int = 0

    @property
    def href(self) -> str:
        return reverse(self.name)


@dataclass(frozen=True)
class Navigation:
    """Links of the top bar, of the bottom bar on small screens, and of the page "More"."""

    top: list[NavigationLink]
    bottom: list[NavigationLink]
    more: list[NavigationLink]


def navigation(member: Member | None, *, current: str, unread: int, rated: bool = False) -> Navigation:
    """Return the navigation for a member, or for an operator who views the dashboard.

    `rated` says whether the merchant has a rating to show.
    """
    links = [
        NavigationLink(name, label, icon, is_here=current == name, count=unread if name == "messages" else 0)
        for name, label, icon in _pages(member, rated=rated)
    ]
    pages = [link for link in links if link.name not in ("messages", "account")]
    return Navigation(top=pages, bottom=pages[:BOTTOM], more=links)


def _pages(member: Member | None, *, rated: bool) -> Iterator[tuple[str, str, str]]:
    yield "home", _("Home"), "home"
    yield "orders", _("Orders"), "truck"
    yield "wallet", _("Wallet"), "wallet"
    if rated:
        yield "rating", _("Rating"), "star"
    yield "savings", _("Savings"), "receipt"
    yield "allowances", _("Allowances"), "list-check"
    if member is None or member.role == Member.Role.MAIN:
        yield "team", _("Team"), "building-store"
    yield "messages", _("Messages"), "bell"
    if member is not None:
        yield "account", _("Account"), "settings"
