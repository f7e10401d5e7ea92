"""Template tags of the design system: icons, quota bars, and instants with their exact time in a tooltip."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol, cast

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core import clock
from core.formatting import (
    format_deadline,
    format_instant,
    format_instant_twice,
    format_number,
    format_short_date,
    format_short_instant,
)

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Return an icon of `icons.svg`, hidden from screen readers; `extra` adds classes."""
    sheet = static("core/icons.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#i-{}"/></svg>', extra, sheet, name)


@register.simple_tag(takes_context=True)
def when(context: Context, at: datetime | None, form: str = "minute", align: str = "start", zone: str = "") -> str:
    """Return an instant on the reader's clock, with its exact time on both clocks in a tooltip; empty for None.

    `form` is `minute` (1 Oct, 14:59) or `day` (1 Oct). The year is shown when it is not the present one. `align` says
    which edge of the text the tooltip keeps to, `start` or `end`. `zone` is the zone that decides, where one does: the
    tooltip begins with its clock.
    """
    if at is None:
        return ""
    page = cast(dict[str, Any], context.render_context.dicts[0])  # shared by all templates of one page
    page["tooltips"] = page.get("tooltips", 0) + 1
    here = timezone.get_current_timezone_name()
    now = context.get("at") or clock.now()  # pages give the instant as of which they show; the clock costs a query
    text = (format_short_date if form == "day" else format_short_instant)(at, here, now=now)
    return format_html(
        '<span class="tip tip-{align}" tabindex="0" aria-describedby="tip-{n}"><time datetime="{iso}">{text}</time>'
        '<span class="tip-box" role="tooltip" id="tip-{n}">{exact}</span></span>',
        align=align,
        n=page["tooltips"],
        iso=at.isoformat(),
        text=text,
        exact=format_deadline(at, zone) if zone else format_instant_twice(at),
    )


@register.simple_tag(takes_context=True)
def when_text(context: Context, at: datetime) -> str:
    """Return an instant on the reader's clock as plain text, for places such as links that hold no tooltip."""
    now = context.get("at") or clock.now()
    return format_short_instant(at, timezone.get_current_timezone_name(), now=now)


class Dated(Protocol):
    """Instant of a definition and the zone whose clock decides."""

    @property
    def instant(self) -> datetime: ...
    @property
    def zone(self) -> str: ...


@register.simple_tag(takes_context=True)
def dated(context: Context, text: str, bounds: Iterable[Dated]) -> SafeString:
    """Return a sentence in which each of the bounds is shown as `when` does, with the clock that decides on it."""
    here = timezone.get_current_timezone_name()
    page: str = conditional_escape(text)
    for bound in bounds:
        first, *others = page.split(conditional_escape(format_instant(bound.instant, here)))
        page = first + "".join(when(context, bound.instant, zone=bound.zone) + other for other in others)
    return mark_safe(page)  # noqa: S308  # nosec B308, B703  escaped above


@register.inclusion_tag("components/field.html")
def form_field(field: BoundField) -> dict[str, Any]:
    """Draw a field of a form with its label, hint and errors."""
    widget = field.field.widget
    several = isinstance(widget, CheckboxSelectMultiple | RadioSelect)
    kind = "choices" if several else "check" if isinstance(widget, CheckboxInput) else "line"
    style = "" if kind != "line" else "select" if isinstance(widget, Select) else "input"
    return {"field": field, "kind": kind, "widget": field.as_widget(attrs={"class": style} if style else {})}


@register.inclusion_tag("components/quota_bar.html")
def quota_bar(used: int, limit: int, held: int = 0, tone: str = "", size: str = "") -> dict[str, Any]:
    """Draw the use of a quota: the settled part dark, the reserved part `held` lighter, the rest empty.

    `used` includes `held`. `tone` is empty, `warn` or `bad`; `size` is empty or `s`.
    """
    used, settled = min(used, limit), max(0, min(used, limit) - held)
    words = {"used": format_number(used), "limit": format_number(limit)}
    label = _("%(used)s of %(limit)s used") % words
    if held:
        parts = {"settled": format_number(settled), "held": format_number(held)}
        label = _("%(label)s: %(settled)s settled, %(held)s reserved") % {"label": label, **parts}
    return {
        "limit": limit,
        "settled": settled,
        "held": used - settled,
        "used_class": tone or "used",
        "held_class": f"{tone}-held" if tone == "warn" else "held",
        "size": size,
        "label": label,
    }


@register.inclusion_tag("components/quota_bar.html")
def share_bar(n: int, most: int) -> dict[str, Any]:
    """Draw a number as a bar; the longest one stands for `most`."""
    return {"limit": most, "settled": n, "held": 0, "used_class": "used", "size": "s", "label": format_number(n)}
