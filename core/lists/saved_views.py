"""Saved views of lists: filters, order and columns under a name."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.lists.changelist import view_query
from core.models import SavedView

MOST_OF_A_PERSON = 20
"""Views that a person may save of one list: more do not fit the page."""


class SavedViewForm(forms.Form):
    """Name of a new view, and the address that it keeps."""

    name = forms.CharField(label=gettext_lazy("Name of the view"), max_length=60)
    query = forms.CharField(widget=forms.HiddenInput, max_length=2_000, required=False)
    is_shared = forms.BooleanField(label=gettext_lazy("Share with everyone who sees this list"), required=False)

    def __init__(self, *data: Any, owner: Any, list_name: str) -> None:
        super().__init__(*data)
        self.owner, self.list_name = owner, list_name

    def clean_is_shared(self) -> bool:
        is_shared = bool(self.cleaned_data["is_shared"])
        if is_shared and not may_share(self.owner, self.list_name):
            raise PermissionDenied
        return is_shared

    def clean_query(self) -> str:
        return view_query(str(self.cleaned_data["query"]))

    def clean(self) -> dict[str, Any]:
        own = SavedView.objects.filter(owner=self.owner, list_name=self.list_name)
        name = self.cleaned_data.get("name", "")
        if own.exclude(name=name).count() >= MOST_OF_A_PERSON:
            text = _("You have %(n)d views of this list. Delete one first.")
            raise forms.ValidationError(text % {"n": MOST_OF_A_PERSON})
        return self.cleaned_data

    def save(self) -> SavedView:
        """Save the view; one of the same name is replaced."""
        values = {"query": self.cleaned_data["query"], "is_shared": self.cleaned_data["is_shared"]}
        view, _created = SavedView.objects.update_or_create(
            owner=self.owner, list_name=self.list_name, name=self.cleaned_data["name"], defaults=values
        )
        return view


def may_share(user: Any, list_name: str) -> bool:
    """Return whether a user may share views of a list: with any permission of its app beyond viewing."""
    app = list_name.partition(".")[0]
    return any(
        name.startswith(f"{app}.") and not name.startswith(f"{app}.view_") for name in user.get_all_permissions()
    )


def deletable_views(list_name: str, *, user: Any) -> QuerySet[SavedView]:
    """Return the views of a list that a user may delete: their own, and for who manages users the shared ones."""
    mine = Q(owner=user)
    return SavedView.objects.filter(mine | Q(is_shared=True) if _manages(user) else mine, list_name=list_name)


def log(view: SavedView, *, user: Any, flag: int, message: str) -> None:
    """Write to the log of the admin what a user did with a shared view."""
    text = f"{message}: {view.list_name} ?{view.query}"
    LogEntry.objects.log_actions(user.pk, [view], flag, change_message=text, single_object=True)


def _manages(user: Any) -> bool:
    return bool(user.has_perm("auth.change_user"))


def visible_views(list_name: str, *, user: Any) -> QuerySet[SavedView]:
    """Return the views of a list that a user sees: their own, and those that others share."""
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared=True), list_name=list_name).order_by("name", "pk")


def tabs(list_name: str, usual: Any, *, user: Any, query: str) -> Iterator[dict[str, Any]]:
    """Yield the tabs above a list: the `usual` ones as (label, query string), then the saved views."""
    here = view_query(query)
    for label, address in usual:
        yield {"label": label, "query": address, "is_current": view_query(address) == here, "pk": None}
    for view in visible_views(list_name, user=user):
        deletable = view.owner_id == user.pk or (view.is_shared and _manages(user))
        yield {
            "label": view.name,
            "query": view.query,
            "is_current": view.query == here,
            "pk": view.pk if deletable else None,
        }
