"""Admin pages whose lists filter by what they offer, and by nothing else."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import DateField, Model
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest

from core.lists.filters import DateRange

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin  # not subscriptable at run time


class OfferedLookupsAdmin(Base):
    """Admin whose list accepts in its address only the filters that it offers; any other gets 400.

    Django accepts every lookup on every column. With `?secret__regex=` a person who may view a list could then read a
    column that no page shows, one character at a time, and a regular expression can keep a database busy for minutes.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return True for the parameters of `list_filter`."""
        filters = self.list_filter if request is None else self.get_list_filter(request)
        return any(lookup in _parameters(self.model, each) for each in filters)


def _parameters(model: type[Model], list_filter: Any) -> Iterator[str]:
    """Yield the parameters of the address that one entry of `list_filter` reads.

    A filter class of this project may name more of them in `extra_parameters`.
    """
    field_path, kind = list_filter if isinstance(list_filter, tuple) else (list_filter, None)
    if isinstance(kind, type) and issubclass(kind, DateRange):
        yield from kind.parameters(field_path)
        return
    if not isinstance(field_path, str):
        field_path, kind = "", field_path
    yield from getattr(kind, "extra_parameters", ())
    if not field_path:
        yield kind.parameter_name
        return
    field = get_fields_from_path(model, field_path)[-1]
    yield from (field_path, *(f"{field_path}__{lookup}" for lookup in ("exact", "isnull", "isempty")))
    if isinstance(field, RelatedField):
        yield f"{field_path}__{field.target_field.name}__exact"
    if isinstance(field, DateField):
        yield from (f"{field_path}__gte", f"{field_path}__lt")
