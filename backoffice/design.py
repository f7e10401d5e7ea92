"""Every component of the design system on one page, for people who change it."""

import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backoffice.rendering import render_page, staff_view

ICONS = Path(settings.BASE_DIR, "core", "static", "core", "icons.svg")
COLOURS = ("bg", "surface", "surface-2", "surface-3", "text", "text-2", "text-3", "brand", "brand-soft", "accent")
TONES = ("ok", "info", "plan", "warn", "bad", "idle")


@staff_view("view_offer", methods=("GET", "HEAD"))
def page(request: HttpRequest) -> HttpResponse:
    """Show all components in the colours that the reader has chosen; the page switches between light and dark."""
    return render_page(
        request,
        "design",
        title=_("Design system"),
        icons=icon_names(),
        colours=COLOURS,
        tones=TONES,
        sizes=("s", "", "l"),
    )


@lru_cache(maxsize=1)
def icon_names() -> list[str]:
    """Return the names of all icons, in the order of the file."""
    return re.findall(r'id="i-([\w-]+)"', ICONS.read_text(encoding="utf-8"))
