"""Template tags of the frame of the workspace."""

from typing import Any, cast

from django import template
from django.contrib.auth.models import User
from django.http import HttpRequest

from backoffice.navigation import bottom_for, groups_for
from campaigns.notifications import operators

register = template.Library()


@register.simple_tag
def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the groups of the navigation and the links of the bar of small screens."""
    groups = groups_for(request)
    return {"groups": groups, "bottom": bottom_for(groups)}


@register.simple_tag
def unread_notifications(request: HttpRequest) -> int:
    """Return the number of unread notifications of the reader, for the bell, up to 100. One query."""
    return operators.unread(cast(User, request.user))[:100].count()


@register.filter
def initials(name: str) -> str:
    """Return one or two letters that stand for a person: `CL` for Chen Lin, `AN` for ana, `陈` for 陈林."""
    words = name.replace(".", " ").replace("_", " ").split()
    if len(words) > 1:
        return (words[0][0] + words[-1][0]).upper()
    return (name[:2] if name.isascii() else name[:1]).upper()
