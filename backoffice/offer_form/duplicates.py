"""Copies of offers, from the same draft or a published campaign, with what they name of their campaign."""

from copy import deepcopy
from typing import Any

from backoffice.offer_form.document import codes_of, find_offer, free_code
from backoffice.offer_form.save import normal, styled
from definitions import declared, reschedule
from rules.calendars import UNITS

SHARED = {
    **dict.fromkeys(("within", "window", "period"), "windows"),
    **dict.fromkeys(("in", "not_in"), "lists"),
    **dict.fromkeys(("measure", "percent", "of"), "measures"),
}
"""Words whose value can be the name of a shared window, list or measure."""
CALENDARS = {"calendar", "month_from", "weekdays"}
"""Words of periods that have a zone."""
PERIODS = ("period", "in", "within", "each")
"""Words whose value can be a day, week, month or year of the calendar."""
TIMES = ("from", "to", "by", "not_before", "deadline", "decided_at")


def copy_offer(source: Any, code: str, target: Any) -> Any:
    """Return a copy of an offer of `source` for the document `target`, under a free code. Raises Http404.

    Shared windows and lists are added to `target`; where it has another one of that name, the copy holds the values
    itself. Declared facts that the copy names are added too, unless `target` declares that name. Times keep their
    instants if the two campaigns have different zones.
    """
    _number, offer = find_offer(source, code)
    copied = _plain(offer)
    copied["code"] = free_code(codes_of(target), code)
    if source is not target:
        zone, new_zone = str(source.get("zone") or "UTC"), str(target.get("zone") or "UTC")
        _bring_shared(copied, source, target, zone if zone != new_zone else "")
        _bring_declared(copied, source, target)
        if zone != new_zone:
            copied = _with_zone(copied, zone)
    return styled(copied)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _bring_shared(part: Any, source: Any, target: Any, zone: str) -> None:
    """Add the shared windows and lists that a part names to the target, or write them out."""
    for entry in part if isinstance(part, list) else []:
        _bring_shared(entry, source, target, zone)
    if not isinstance(part, dict):
        return
    for word, value in part.items():
        kind = SHARED.get(word)
        known = (source.get(kind) or {}) if kind else {}
        if isinstance(value, str) and value in known:
            content = deepcopy(_plain(known[value]))
            if kind == "measures":  # it names windows and measures itself
                _bring_shared(content, source, target, zone)
            part[word] = _shared(kind or "", value, content, target, zone)
        else:
            _bring_shared(value, source, target, zone)


def _shared(kind: str, name: str, content: Any, target: Any, zone: str) -> Any:
    """Return the name of a shared entry that the target has or gets; its content where the name is taken."""
    content = _with_zone(content, zone) if zone and kind in ("windows", "measures") else content
    entries = target.setdefault(kind, styled({}))
    if name not in entries:
        entries[name] = styled(content)
    if normal(_plain(entries[name]), "") == normal(content, ""):
        return name
    values = content.get("values") if isinstance(content, dict) else None
    return list(values) if values is not None else content


def _bring_declared(copied: Any, source: Any, target: Any) -> None:
    """Add the declarations that a copy may name to the target."""
    used = declared.valid_part(_plain(source)).used_by(copied)
    for kind, entries in (("attributes", used.attributes), ("events", {"": used.events})):
        for row_kind, names in entries.items():
            held: Any = (source.get(kind) or {}).get(row_kind) if row_kind else source.get(kind)
            for name in names:
                place = target.setdefault(kind, styled({}))
                place = place.setdefault(row_kind, styled({})) if row_kind else place
                place.setdefault(name, styled(deepcopy(_plain(held[name]))))


def _with_zone(part: Any, zone: str) -> Any:
    """Return a part whose times name their zone."""
    if isinstance(part, list):
        return [_with_zone(entry, zone) for entry in part]
    if not isinstance(part, dict):
        return part
    if reschedule.is_time(part.get("at")):
        return {"at": part["at"], "zone": zone, **part}
    of_calendar = {"zone": zone} if CALENDARS & part.keys() else {}
    return {**of_calendar, **{word: _value_with_zone(word, value, zone) for word, value in part.items()}}


def _value_with_zone(word: str, value: Any, zone: str) -> Any:
    """Return the value of a word so that its times and calendar name their zone."""
    if word in TIMES and reschedule.is_time(value):
        return {"at": value, "zone": zone}
    if word in PERIODS and value in UNITS:
        return {"calendar": value, "zone": zone}
    return _with_zone(value, zone)
