"""Webhooks: list, register, change, test, rotate, disable and enable; deliveries with payload and answer."""

import json
from typing import cast

from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from backoffice.rendering import actor, has_permissions, render_confirmation, render_page, staff_view
from backoffice.settings_forms import EndpointChangeForm, EndpointForm, event_choices
from campaigns import tasks
from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhook_events, webhooks
from core import clock

ON_A_PAGE = 25


@staff_view("view_endpoint", methods=("GET", "HEAD"))
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """List the webhooks with what waits and what was given up. Two queries."""
    open_ones = Delivery.objects.filter(delivered_at=None).order_by().values("endpoint")
    counts = open_ones.annotate(waiting=Count("pk", filter=Q(due_at__isnull=False)), all=Count("pk"))
    found = {row["endpoint"]: (row["waiting"], row["all"] - row["waiting"]) for row in counts}
    endpoints = Endpoint.objects.select_related("merchant").order_by("name")
    lines = [(endpoint, *found.get(endpoint.pk, (0, 0))) for endpoint in endpoints]
    return render_page(
        request,
        "endpoints",
        title=_("Webhooks"),
        lines=sorted(lines, key=lambda line: line[0].disabled_at is not None),
        now=clock.real(),
        may_add=has_permissions(request, "add_endpoint"),
    )


@staff_view("view_endpoint", methods=("GET", "HEAD"))
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a webhook, its state and its deliveries, newest first."""
    endpoint = get_object_or_404(Endpoint.objects.select_related("merchant"), pk=pk)
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("event__offer").order_by("-pk")
    deliveries = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    labels = dict(event_choices())
    return render_page(
        request,
        "endpoint",
        title=endpoint.name,
        endpoint=endpoint,
        events=[labels.get(kind, kind) for kind in endpoint.kinds],
        deliveries=deliveries,
        now=clock.real(),
        may_manage=has_permissions(request, "change_endpoint"),
    )


@staff_view("view_endpoint", methods=("GET", "HEAD"))
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one delivery: the payload as it is sent, and the answer to the latest try."""
    row = get_object_or_404(Delivery.objects.select_related("endpoint", "event__offer"), pk=pk)
    body = webhook_events.bodies([row])[row.pk]
    return render_page(
        request,
        "delivery",
        title=_("Delivery %(key)s") % {"key": row.key},
        delivery=row,
        name=body["type"],
        payload=json.dumps(body, ensure_ascii=False, indent=2),
        may_manage=has_permissions(request, "change_endpoint"),
    )


@staff_view("change_endpoint", methods=("POST",))
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a delivery again, under its old webhook-id."""
    row = get_object_or_404(Delivery, pk=pk)
    with transaction.atomic():
        webhooks.replay(row, at=clock.real())
        _log(request, row.endpoint, CHANGE, f"sent {row.key} again")
    transaction.on_commit(lambda: tasks.deliver.delay(row.endpoint_id))
    messages.success(request, _("The delivery is sent again."))
    return redirect("backoffice:delivery", pk)


@staff_view("add_endpoint")
@sensitive_variables("secret")
def create(request: HttpRequest) -> HttpResponse:
    """Register a webhook and show its secret once."""
    form = EndpointForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _form_page(request, form, title=_("New webhook"), button=_("Create webhook"))
    try:
        with transaction.atomic():
            endpoint = webhooks.register(**form.cleaned_data, at=clock.real(), by=actor(request))
            _log(request, endpoint, ADDITION, "registered")
    except webhooks.TooManyError as error:
        form.add_error("merchant", str(error))
        return _form_page(request, form, title=_("New webhook"), button=_("Create webhook"))
    return _shown_once(request, endpoint)


@staff_view("change_endpoint")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change name, address and events of a webhook."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    stored = {"name": endpoint.name, "url": endpoint.url, "kinds": endpoint.kinds}
    form = EndpointChangeForm(request.POST or None, initial=stored)
    if request.method != "POST" or not form.is_valid():
        title = _("Change %(name)s") % {"name": endpoint.name}
        return _form_page(request, form, title=title, button=_("Save"), endpoint=endpoint)
    with transaction.atomic():
        webhooks.change(endpoint, **form.cleaned_data | {"kinds": sorted(form.cleaned_data["kinds"])})
        _log(request, endpoint, CHANGE, f"changed {', '.join(form.changed_data) or 'nothing'}")
    messages.success(request, _("The webhook is saved."))
    return redirect("backoffice:endpoint", pk)


@staff_view("change_endpoint")
@sensitive_variables("secret")
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace the secret of a webhook and show the new one once."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    if request.method != "POST":
        return render_confirmation(
            request,
            title=_("Rotate the secret of %(name)s") % {"name": endpoint.name},
            effects=[
                _("A new secret is created and shown once."),
                _("For 24 hours deliveries are signed with both secrets, so that the receiver can change over."),
            ],
            button=_("Rotate secret"),
            back=reverse("backoffice:endpoint", args=[pk]),
        )
    with transaction.atomic():
        webhooks.rotate(endpoint, at=clock.real())
        _log(request, endpoint, CHANGE, "rotated the secret")
    return _shown_once(request, endpoint)


@staff_view("change_endpoint", methods=("POST",))
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Send a test event, disable or enable a webhook."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    if verb == "test":
        webhooks.test(endpoint, at=clock.real())
        transaction.on_commit(lambda: tasks.deliver.delay(pk))
        messages.success(request, _("A test event is sent. Its delivery is the first in the list."))
    elif verb == "disable":
        webhooks.disable(endpoint, at=clock.real())
        messages.success(request, _("The webhook is disabled. Deliveries that wait are kept."))
    elif verb == "enable":
        try:
            webhooks.enable(endpoint)
        except webhooks.TooManyError as error:
            messages.error(request, str(error))
            return redirect("backoffice:endpoint", pk)
        messages.success(request, _("The webhook is enabled. Deliveries that waited are sent now."))
    else:
        raise Http404
    _log(request, endpoint, CHANGE, {"test": "sent a test event", "disable": "disabled", "enable": "enabled"}[verb])
    return redirect("backoffice:endpoint", pk)


def _form_page(
    request: HttpRequest, form: EndpointForm, *, title: str, button: str, endpoint: Endpoint | None = None
) -> HttpResponse:
    back = reverse("backoffice:endpoint", args=[endpoint.pk]) if endpoint else reverse("backoffice:endpoints")
    parent = endpoint.name if endpoint else _("Webhooks")
    return render_page(request, "settings_form", title=title, form=form, button=button, back=back, parent=parent)


def _shown_once(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Answer with the secret itself: no redirect, so that neither a session nor a later page ever holds it."""
    return render_page(
        request,
        "secret",
        title=_("Secret of %(name)s") % {"name": endpoint.name},
        secret=endpoint.secret,
        intro=_("Copy the secret now: the receiver checks the signatures with it. It is not shown again."),
        back=reverse("backoffice:endpoint", args=[endpoint.pk]),
        parent=endpoint.name,
    )


def _log(request: HttpRequest, endpoint: Endpoint, flag: int, text: str) -> None:
    user = cast(User, request.user)
    LogEntry.objects.log_actions(user.pk, [endpoint], flag, change_message=text, single_object=True)
