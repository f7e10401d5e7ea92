"""Three-way merge of definitions: the changes from a base to one text, applied to another text."""

from collections.abc import Iterator
from typing import Any

from definitions import yaml_roundtrip

MISSING = object()


def merge(base: str, live: str, draft: str) -> tuple[str, list[str]]:
    """Apply what a draft changed since `base` to the live text; return that text, and the conflicts.

    A conflict is the dotted path of a value that both changed, differently: it gets the draft's value. Offers are
    matched by their codes. Raises DefinitionError if one of the texts is not a mapping in YAML.
    """
    base_data = yaml_roundtrip.load(base) if base else {}
    live_data, draft_data = yaml_roundtrip.load(live), yaml_roundtrip.load(draft)
    offers = [data.pop("offers", None) for data in (base_data, live_data, draft_data)]
    conflicts = list(_merge_mappings(base_data, live_data, draft_data, ""))
    base_offers, live_offers, draft_offers = map(_by_code, offers)
    merged = dict(live_offers)
    conflicts += _merge_mappings(base_offers, merged, draft_offers, "offers.")
    rows = offers[1] if isinstance(offers[1], list) else []
    rows[:] = merged.values()
    live_data["offers"] = rows
    return yaml_roundtrip.dump(live_data), conflicts


def _by_code(offers: object) -> dict[str, Any]:
    rows = offers if isinstance(offers, list) else []
    return {str(offer.get("code", n)): offer for n, offer in enumerate(rows) if isinstance(offer, dict)}


def _merge_mappings(base: Any, live: Any, draft: Any, path: str) -> Iterator[str]:
    """Change `live` in place; yield the paths of conflicts."""
    for key in dict.fromkeys((*live, *draft)):
        old, theirs, mine = (values.get(key, MISSING) for values in (base, live, draft))
        if mine in (old, theirs):
            continue
        if isinstance(theirs, dict) and isinstance(mine, dict):
            yield from _merge_mappings(old if isinstance(old, dict) else {}, theirs, mine, f"{path}{key}.")
            continue
        if theirs != old:
            yield f"{path}{key}"
        if mine is MISSING:
            del live[key]
        else:
            live[key] = mine
