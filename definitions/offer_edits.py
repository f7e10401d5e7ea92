"""Edits of one offer in the text of a campaign: its comments and layout stay, and so do all other offers."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from ruamel.yaml.comments import CommentedMap

from definitions import yaml_roundtrip
from definitions.quotas import ALL, is_short
from definitions.reschedule import is_time, shown_on
from rules.time_windows import end_of_day

LISTS, WINDOWS = ("in", "not_in"), ("within", "window")
LOOK_BACK = {"count", "measure"}  # computed from other rows: their windows look back
BOUNDS = ("by", "deadline", "decided_at")

Place = tuple[str | int, ...]


class EditError(ValueError):
    """The text cannot be edited like that. The message says why."""


class ListEntry(NamedTuple):
    """Value to add to a list, with its names; empty names become the value itself."""

    value: str
    en: str = ""
    zh: str = ""


@dataclass(frozen=True)
class EndDate:
    """End of a window of an offer, or another date up to which it waits.

    `window` is the name of a window of the campaign, empty for a date that stands in the offer, and `also_in` are the
    codes of the other offers that use the window. `places` are the paths in the offer, each ending with its field, and
    `facts` the fact that each of them is about, empty if it is about none.
    """

    key: str
    at: str
    zone: str
    places: tuple[Place, ...]
    facts: tuple[str, ...]
    window: str = ""
    also_in: tuple[str, ...] = ()


def with_limit(source: str, code: str, limit: int) -> str:
    """Return the text with another limit of the offer. Raises EditError or DefinitionError."""
    data, offer = _offer(source, code)
    quota = offer.get("quota")
    if isinstance(quota, list):
        band = next((band for band in quota if is_short(band, {ALL})), None)
        if band is None:
            quota.insert(0, _one_line({"of": "grants", "at_most": str(limit)}))
        else:
            band["at_most"] = str(limit)
    elif isinstance(quota, dict):
        quota["limit"] = str(limit)
    else:
        keys = list(offer)
        offer.insert(
            keys.index("settlement") if "settlement" in keys else len(keys), "quota", _one_line({"limit": str(limit)})
        )
    return yaml_roundtrip.dump(data)


def with_names(source: str, code: str, *, en: str, zh: str) -> str:
    """Return the text with other names of the offer. Raises EditError or DefinitionError."""
    data, offer = _offer(source, code)
    offer["names"]["en"], offer["names"]["zh"] = en, zh
    return yaml_roundtrip.dump(data)


def with_copy(source: str, code: str, *, new: str, en: str, zh: str) -> str:
    """Return the text with a copy of the offer after the last one. Raises EditError or DefinitionError."""
    data, offer = _offer(source, code)
    if any(other.get("code") == new for other in data["offers"]):
        raise EditError(_("two offers are called %(code)s") % {"code": new})
    copied = deepcopy(offer)
    copied["code"], copied["names"] = new, _one_line({"en": en, "zh": zh})
    data["offers"].append(copied)
    return yaml_roundtrip.dump(data)


def list_values(source: str, code: str) -> dict[str, list[str]]:
    """Return the values of each list of the campaign that the offer uses, by the name of the list."""
    data, offer = _offer(source, code)
    lists = data.get("lists") or {}
    used = {name for _path, key, name in _walk(offer) if key in LISTS and isinstance(name, str) and name in lists}
    return {name: list(_values(lists[name])) for name in lists if name in used}


def with_list(source: str, name: str, *, added: Sequence[ListEntry], removed: Sequence[str]) -> str:
    """Return the text with values added to a list of the campaign, and others removed.

    Raises EditError for a value to add that is there, one to remove that is not, or a list that would become empty.
    """
    data = yaml_roundtrip.load(source)
    shared = data["lists"][name]
    values = _values(shared)
    for value in removed:
        if value not in values:
            raise EditError(_("not in the list: %(value)s") % {"value": value})
        del values[values.index(value) if isinstance(values, list) else value]
    for entry in added:
        if entry.value in values:
            raise EditError(_("already in the list: %(value)s") % {"value": entry.value})
        if isinstance(values, list):
            values.append(entry.value)
        else:
            names = {"en": entry.en or entry.value, "zh": entry.zh or entry.en or entry.value}
            values[entry.value] = _one_line(names)
    if not values:
        raise EditError(_("the list would be empty"))
    return yaml_roundtrip.dump(data)


def _values(shared: Any) -> Any:
    """Return the values of a list: a mapping where they have names, otherwise a list."""
    return shared["values"] if isinstance(shared, dict) else shared


def end_dates(source: str, code: str) -> list[EndDate]:
    """Return the dates of an offer that can be moved later, each once. Raises EditError or DefinitionError.

    Windows of counted and measured rows are left out: they look back.
    """
    data, offer = _offer(source, code)
    zone, windows = str(data.get("zone", "UTC")), data.get("windows") or {}
    found: dict[str, EndDate] = {}
    for path, key, value in _walk(offer):
        place = (*path, key)
        if key in WINDOWS and isinstance(value, str) and value in windows:
            window, bound, others = value, windows[value]["to"], _others(data, offer, value)
        elif (key in BOUNDS or key == "to") and (is_time(value) or _is_bound(value)):
            window, bound, others = "", value, ()
        else:
            continue
        name = f"windows.{window}" if window else ".".join(map(str, place))
        same, (at, its_zone) = found.get(name), _bound(bound, zone)
        places = (*(same.places if same else ()), place)
        facts = (*(same.facts if same else ()), _fact(offer, place))
        found[name] = EndDate(name, at, its_zone, places, facts, window, others)
    return list(found.values())


def with_ends(source: str, code: str, moved: Mapping[str, str], *, for_all: bool) -> str:
    """Return the text with other end dates, by the keys of `end_dates`, as local times.

    A window that other offers use too is moved `for_all` of them, or else copied for this offer. Raises EditError or
    DefinitionError.
    """
    ends = {end.key: end for end in end_dates(source, code)}
    data, offer = _offer(source, code)
    zone = str(data.get("zone", "UTC"))
    for key, at in moved.items():
        end = ends[key]
        if end.window and (for_all or not end.also_in):
            _set_bound(data["windows"][end.window], "to", at, zone)
            continue
        own = f"{end.window}-{code}"
        if end.window:
            windows = data["windows"]
            windows.insert(list(windows).index(end.window) + 1, own, deepcopy(windows[end.window]))
            _set_bound(windows[own], "to", at, zone)
        for *path, field in end.places:
            if end.window:
                _at(offer, path)[field] = own
            else:
                _set_bound(_at(offer, path), field, at, zone)
    return yaml_roundtrip.dump(data)


def with_definition(source: str, code: str, *, live: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return the text with the offer as in `wanted`; parts that are the same in `live` stay as they are written.

    Both are stored terms; `live` are those of the text. Raises EditError or DefinitionError.
    """
    data, offer = _offer(source, code)
    _replace(offer, live, wanted)
    return yaml_roundtrip.dump(data)


def _replace(text: Any, live: Any, wanted: Any) -> None:
    """Change a mapping of the text in place, only where the stored terms differ."""
    for key in [key for key in live if key not in wanted and key in text]:
        del text[key]
    for key, value in wanted.items():
        if key in live and live[key] == value:
            continue
        if _matches(text.get(key), live.get(key), value):
            _replace(text[key], live[key], value)
        elif _matches_rows(text.get(key), live.get(key), value):
            for n, row in enumerate(value):
                if live[key][n] != row:
                    text[key][n] = _as_text(row)
        else:
            text[key] = _as_text(value)


def _matches(*parts: object) -> bool:
    return all(isinstance(part, dict) for part in parts)


def _matches_rows(*parts: object) -> bool:
    lists = [part for part in parts if isinstance(part, list)]
    return len(lists) == len(parts) and len(set(map(len, lists))) == 1


def _as_text(value: Any) -> Any:
    """Return stored terms as a definition writes them: numbers and switches as text."""
    if isinstance(value, dict):
        return {key: _as_text(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_as_text(part) for part in value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _offer(source: str, code: str) -> tuple[Any, Any]:
    """Return the loaded text and the mapping of the offer in it."""
    data = yaml_roundtrip.load(source)
    for offer in data.get("offers") or ():
        if isinstance(offer, dict) and offer.get("code") == code:
            return data, offer
    raise EditError(_("the published text of the campaign does not contain the offer %(code)s") % {"code": code})


def _walk(node: Any, path: Place = (), *, counts: bool = False) -> Iterator[tuple[Place, str, Any]]:
    """Yield each key of the mappings in a node with path and value; of what looks back only with `counts`."""
    if isinstance(node, list):
        for n, value in enumerate(node):
            yield from _walk(value, (*path, n), counts=counts)
    elif isinstance(node, dict) and (counts or not LOOK_BACK & node.keys() or path[-1:] == ("coupons",)):
        for key, value in node.items():
            yield path, key, value
            if not _is_bound(value):
                yield from _walk(value, (*path, key), counts=counts)


def _others(data: Any, offer: Any, window: str) -> tuple[str, ...]:
    """Return the codes of the other offers that use a window of the campaign."""
    return tuple(other["code"] for other in data["offers"] if other is not offer and _uses(other, window))


def _fact(offer: Any, place: Place) -> str:
    """Return the fact that a condition at a place of the offer is about."""
    fact, node = "", offer
    for key in place:
        if isinstance(node, dict):
            fact = str(node.get("fact", fact))
        node = node[key]
    return fact


def _uses(offer: Any, window: str) -> bool:
    return any(key in WINDOWS and value == window for _path, key, value in _walk(offer, counts=True))


def _is_bound(value: object) -> bool:
    return isinstance(value, dict) and is_time(value.get("at"))


def _bound(value: Any, zone: str) -> tuple[str, str]:
    """Return the local time of a bound, with 24:00 as the last second of the day, and its zone."""
    if isinstance(value, dict):
        return end_of_day(str(value["at"])), str(value.get("zone", zone))
    return end_of_day(str(value)), zone


def _set_bound(parent: Any, key: str | int, at: str, zone: str) -> None:
    """Set a bound to a local time; its twin shows the same instant."""
    bound = parent[key]
    if not isinstance(bound, dict):
        parent[key] = at
        return
    bound["at"] = at
    twin = bound.get("twin")
    if isinstance(twin, dict) and "zone" in twin:
        twin["at"] = shown_on(at, str(bound.get("zone", zone)), str(twin["zone"]))


def _at(node: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        node = node[key]
    return node


def _one_line(values: Mapping[str, str]) -> CommentedMap:
    """Return a mapping that is written on one line."""
    mapping = CommentedMap(values)
    mapping.fa.set_flow_style()
    return mapping
