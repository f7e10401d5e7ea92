"""Times of a definition: a local time, its zone, and the time that an announcement gave on another clock."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.forms import ABSENT, FieldRow, SectionForm
from backoffice.offer_form.inputs import Label, LocalTimeField, SelectField
from core.formatting import CITIES, city_name, format_short_instant
from definitions import reschedule
from rules.time_windows import LOCAL, end_of_day

OTHER_CLOCKS = ("Asia/Shanghai", "America/Los_Angeles")
MINUTE = len("2022-09-30 23:59")


class TimeForm(SectionForm):
    """A bound: local time and zone, and optionally its `twin`, which follows when the time is changed."""

    at = forms.CharField()
    zone = SelectField(label=_("Time zone"), required=False)
    twin_zone = SelectField(label=_("Announced also on the clock of"), required=False)
    twin_at = LocalTimeField(label=_("Time announced there (empty: the same instant)"), required=False)
    twin_of = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, label: Label, is_end: bool = False, optional: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_end = is_end
        self.fields["at"] = LocalTimeField(label=label, required=False, is_end=is_end)
        self.empty_texts = {} if optional else {"at": _("Enter a date and a time.")}
        if not self.is_bound:
            self.initial["twin_of"] = self._identity()
        self.set_choices("zone", self.campaign.zones)
        self.set_choices("twin_zone", [("", "–"), *self.campaign.zones])

    def clean_at(self) -> str:
        """Keep the seconds of a time that was not changed: browsers send none that are zero."""
        typed, stored = str(self.cleaned_data["at"]), self.text_of("twin_of").partition("|")[0]
        return stored if stored and typed[:MINUTE] == stored[:MINUTE] else typed

    def add_prefix(self, field_name: str) -> str:
        return f"{self.prefix}_{field_name}"

    def visible_names(self) -> list[str]:
        return ["at", "zone", "twin_zone", *(["twin_at"] if self.text_of("twin_zone") else []), "twin_of"]

    @property
    def at_row(self) -> FieldRow:
        """Return the field of the time itself."""
        return FieldRow(self, "at")

    @property
    def clock_rows(self) -> list[FieldRow]:
        """Return the fields of the clocks."""
        return [FieldRow(self, name) for name in self.visible_names() if name not in ("at", "twin_of")]

    @property
    def twin_of_input(self) -> SafeString:
        return self["twin_of"].as_widget()

    @property
    def clock_hint(self) -> str:
        return elsewhere(self) if self.text_of("at") else ""

    @property
    def zone_name(self) -> str:
        return self.text_of("zone") or self.campaign.zone

    def _identity(self) -> str:
        """Return what the twin was stated for."""
        return "|".join((str(self.initial.get("at") or ""), self.zone_name, self.text_of("twin_zone")))

    @property
    def local(self) -> str:
        """Return the local time to the second, or what was typed in its place."""
        return str((self.written("at") if self.is_bound else self.initial.get("at")) or "")

    def instant(self) -> datetime | None:
        """Return the instant, or None while there is none."""
        try:
            return datetime.strptime(end_of_day(self.local), LOCAL).replace(tzinfo=ZoneInfo(self.zone_name))
        except (ValueError, OSError, KeyError):
            return None

    def bound(self) -> Any:
        """Return the bound for the definition; nothing without a time."""
        if not self.local:
            return ABSENT
        zone, twin_zone = self.zone_name, self.text_of("twin_zone")
        if zone == self.campaign.zone and not twin_zone:
            return self.local
        bound: dict[str, Any] = {"at": self.local}
        if zone != self.campaign.zone:
            bound["zone"] = zone
        if twin_zone:
            bound["twin"] = {"at": self._twin(zone, twin_zone), "zone": twin_zone}
        return bound

    def _twin(self, zone: str, twin_zone: str) -> str:
        typed, stated_for = str(self.written("twin_at") or ""), self.text_of("twin_of")
        changed = stated_for.split("|") != [self.local, zone, twin_zone] and bool(stated_for)
        if typed and not changed:
            return typed
        try:
            return reschedule.shown_on(end_of_day(self.local), zone, twin_zone)
        except ValueError:
            return typed


def elsewhere(*times: TimeForm, own: bool = False) -> str:
    """Return the clock that decides, and the same times on the other clock of Beijing and Los Angeles.

    With `own` the times on the deciding clock are said too, because no input shows them.
    """
    zone = times[0].zone_name
    other = next(name for name in OTHER_CLOCKS if name != zone)
    found = [instant for time in times if (instant := time.instant())]
    if not found or any(time.zone_name != zone for time in times):
        return " · ".join(dict.fromkeys(city_name(time.zone_name) for time in times))
    shown, here = (
        " – ".join(format_short_instant(instant, clock, now=found[0]) for instant in found) for clock in (other, zone)
    )
    note = _("%(city)s, last minute included") if times[-1].is_end else "%(city)s"
    city = str(CITIES.get(zone, zone))
    first = f"{city}: {here}" if own else note % {"city": city}
    return " · ".join([first, f"{city_name(other)}: {shown}"])


def initial_time(value: object, zone: str, *, is_end: bool = False) -> dict[str, str]:
    """Return the initial values of a time."""
    bound: dict[str, Any] = value if isinstance(value, dict) else {"at": value}
    stated = bound.get("twin")
    twin: dict[str, Any] = stated if isinstance(stated, dict) else {}
    at, twin_at = (str(part.get("at") or "") for part in (bound, twin))
    at, twin_at = (end_of_day(at), end_of_day(twin_at)) if is_end else (at, twin_at)
    return {
        "at": at,
        "zone": str(bound.get("zone") or zone),
        "twin_zone": str(twin.get("zone") or ""),
        "twin_at": twin_at,
    }
