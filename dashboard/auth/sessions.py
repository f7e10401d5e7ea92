"""Signed-in devices of a user, with buttons to sign them out."""

from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from core.user_agents import describe_agent
from dashboard.auth.reauthentication import PasswordConfirmationForm
from identity import sessions


class EndSessionForm(PasswordConfirmationForm):
    """Session to end, by its number; without a number all other sessions end."""

    number = forms.RegexField(r"^[0-9a-f]{16}$", required=False, widget=forms.HiddenInput)


@never_cache
@login_required
@sensitive_post_parameters("password")
def index(request: HttpRequest) -> HttpResponse:
    """List the user's sessions; with the password, end one or all others."""
    user, here = cast(User, request.user), request.session.session_key
    form = EndSessionForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        ended = sessions.end(user, keep=here, public_id=form.cleaned_data["number"])
        messages.success(
            request, ngettext("Signed out on %(n)d device.", "Signed out on %(n)d devices.", ended) % {"n": ended}
        )
        return redirect("sessions")
    rows = [
        {
            "number": sessions.public_id_of(session),
            "is_here": session.session_key == sessions.hashed(str(here)),
            "agent": describe_agent(session.agent),
            "begun_at": session.begun_at,
            "seen_at": sessions.last_used_at(session),
        }
        for session in sessions.active_sessions(user, at=timezone.now())
    ]
    limits = {"idle": settings.SESSION_COOKIE_AGE // 60, "lifetime": settings.SESSION_LIFETIME // 3600}
    return render(request, "dashboard/sessions.html", {"rows": rows, "form": form, **limits})
