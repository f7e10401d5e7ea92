"""Lists of the admin filter by what they offer, and by nothing else."""

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.filters import FieldListFilter, ListFilter
from django.contrib.auth.models import User
from django.db.models import Field, Model
from django.test import Client, RequestFactory
from django.urls import reverse

from campaigns.models import Decision, Endpoint, Grant
from core import clock
from core.lists.lookups import OfferedLookupsAdmin
from merchants.models import Member
from tests.support.operators import Staff

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="lookups that are refused before a query")]
LOOKUPS = ("regex=^w", "iregex=^w", "startswith=w", "contains=w", "gt=a", "in=a,b", "year=2022", "range=a,b")


def models() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def root(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def offered(model: type[Model]) -> set[str]:
    """Return the parameters that the filters of a list use in their own links."""
    page, request = admin.site._registry[model], RequestFactory().get("/")
    found: set[str] = set()
    for each in page.get_list_filter(request):
        if isinstance(each, str):
            field = admin.utils.get_fields_from_path(model, each)[-1]
            each_filter: ListFilter = FieldListFilter.create(field, request, {}, model, page, field_path=each)
        elif isinstance(each, tuple):
            path, kind = str(each[0]), each[1]
            each_filter = kind(cast("Field[Any, Any]", model._meta.get_field(path)), request, {}, model, page, path)
        else:
            each_filter = each(request, {}, model, page)  # type: ignore[operator]  # a class of filters
        found.update(str(name) for name in each_filter.expected_parameters())
    return found


def hidden_lookups(model: type[Model]) -> Iterator[str]:
    for field in model._meta.get_fields():
        yield from (f"{field.name}__{lookup}" for lookup in LOOKUPS)
        if field.is_relation and field.related_model is not None and field.concrete:
            related = field.related_model._meta.get_fields()
            yield from (f"{field.name}__{each.name}__{lookup}" for each in related for lookup in LOOKUPS)


@pytest.mark.parametrize("model", models(), ids=lambda model: model._meta.label_lower)
def test_a_list_refuses_every_lookup_that_it_does_not_offer(model: type[Model], root: Client) -> None:
    page = admin.site._registry[model]
    assert isinstance(page, OfferedLookupsAdmin)
    request = RequestFactory().get("/")
    lookups = [lookup.split("=", 1) for lookup in hidden_lookups(model)]
    assert [name for name, value in lookups if page.lookup_allowed(name, value, request)] == []
    assert all(page.lookup_allowed(name, "1", request) for name in offered(model))


def test_a_viewer_cannot_read_a_secret_by_filtering(staff: Staff) -> None:
    Endpoint.objects.create(name="shop", url="https://a.example", secret="whsec_abc", created_at=clock.real())
    viewer = staff("vi", "viewer")
    assert "shop" in viewer.get(list_of(Endpoint)).content.decode()
    for query in ("secret__regex=^w", "secret__startswith=w", "old_secret__exact=", "secret=whsec_abc"):
        assert viewer.get(f"{list_of(Endpoint)}?{query}").status_code == 400, query
    assert viewer.get(f"{list_of(Member)}?user__password__startswith=p").status_code == 400


def test_offered_filters_work(staff: Staff, market: None) -> None:
    viewer = staff("vi", "viewer")

    def found(model: type[Model], query: str) -> int:
        page = viewer.get(f"{list_of(model)}?{query}")
        assert (page.status_code, parse_qsl(page.request["QUERY_STRING"])) == (200, parse_qsl(query))
        return int(page.context["cl"].result_count)

    offer = Grant.objects.values_list("offer", flat=True)[0]
    assert found(Grant, urlencode({"offer__id__exact": offer, "status__exact": "settled"})) == 6
    assert found(Grant, "status__exact=revoked") == 0
    assert found(Grant, "review=yes") == 0
    assert found(Decision, "outcome__exact=1&missed=1-0&near=1") == 0
