"""Writing the offer form into the YAML text of an offer: only what was changed is written anew."""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from backoffice.offer_form.forms import ABSENT
from rules.time_windows import END_OF_DAY, end_of_day

OPEN = {"windows", "lists", "measures", "values", "labels", "cases", "over", "period", "of"}
"""Words whose mapping a form has as a whole, such as those whose keys people choose: other keys were removed."""
WHOLE = {"attributes", "events"}
"""Words of the campaign that a person writes as a whole, as YAML."""
MOMENTS = {"latest_of", "day_after", "by"}
"""Words of which a moment has one."""
ORDERED = {"funded_by"}
"""Words whose mapping has an order that counts."""
SHORT = 100
"""Longest text of a mapping that is written on one line."""


def write_offer(offer: Any, words: Mapping[str, Any], zone: str) -> None:
    """Write the words of a form into the offer of a `yaml_roundtrip` document, in place.

    Words that the form does not have stay as they are. A part that means the same is not touched, so that its layout
    and comments are kept. `zone` is that of the campaign.
    """
    for word, value in words.items():
        if word not in WHOLE or value == ABSENT:
            _put(offer, word, value, zone)
        elif offer.get(word) != value:
            offer[word] = value


def _put(target: Any, key: str, value: Any, zone: str) -> None:
    saved = target.get(key)
    if key in ORDERED and isinstance(value, dict):
        if not isinstance(saved, dict) or [*saved.items()] != [*value.items()]:
            target[key] = styled(value)
        return
    if key in target and value != ABSENT and normal(saved, zone) == normal(value, zone):
        return
    if value == ABSENT and not isinstance(value, list):
        target.pop(key, None)
    elif isinstance(value, dict) and isinstance(saved, dict) and not _is_bound(value) and not _is_bound(saved):
        if key in OPEN or MOMENTS & set(value):
            for word in [word for word in saved if word not in value]:
                del saved[word]
        for word, part in value.items():
            _put(saved, word, part, zone)
        if not saved:
            del target[key]
    elif isinstance(value, dict) and not _is_bound(value):
        given = {word: part for word, part in value.items() if part != ABSENT}
        if given:
            target[key] = styled(given)
    else:
        _replace(target, key, value, zone)


def _replace(target: Any, key: str, value: Any, zone: str) -> None:
    saved = target.get(key)
    if not (isinstance(value, list) and isinstance(saved, list) and _has_mappings(value)):
        target[key] = styled(value)
        return
    # In place, and with the saved rows that mean the same: comments at rows that stay are kept.
    unused = [(normal(row, zone), row) for row in saved]
    rows = [_same(row, unused, zone) for row in value]
    for n, row in enumerate(rows[: len(saved)]):
        if saved[n] is not row:
            saved[n] = row
    del saved[len(rows) :]
    saved.extend(rows[len(saved) :])


def _same(row: Any, unused: list[tuple[Any, Any]], zone: str) -> Any:
    """Return the saved row that means the same as a new one, each once; else the new one."""
    meaning = normal(row, zone)
    for n, (known, saved) in enumerate(unused):
        if known == meaning:
            del unused[n]
            return saved
    return styled(row)


def normal(value: Any, zone: str) -> Any:
    """Return a value without differences that mean nothing: how a time, a zone or a list of values is written."""
    if isinstance(value, dict):
        parts = {key: normal(part, zone) for key, part in value.items() if part != ABSENT}
        if _is_bound(parts) and parts.get("zone") == zone:
            del parts["zone"]
        if set(parts) in ({"at"}, {"values"}) and (_is_bound(parts) or isinstance(parts.get("values"), list)):
            return next(iter(parts.values()))
        return parts
    if isinstance(value, list):
        return [normal(part, zone) for part in value]
    return end_of_day(str(value)) if isinstance(value, str) and END_OF_DAY.fullmatch(value) else value


def _is_bound(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("at"), str) and value["at"][:1].isdigit()


def _has_mappings(value: list[Any]) -> bool:
    return any(isinstance(part, dict) for part in value)


def block(words: Mapping[str, Any]) -> CommentedMap:
    """Return the mapping of a whole document, with a line for each word."""
    return CommentedMap({word: styled(value) for word, value in words.items()})


def styled(value: Any) -> Any:
    """Return plain values as they are written: on one line where they are short and hold no rows."""
    if isinstance(value, dict):
        mapping = CommentedMap({key: styled(part) for key, part in value.items() if part != ABSENT})
        if len(str(value)) < SHORT and not any(
            isinstance(part, list) and _has_mappings(part) for part in value.values()
        ):
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list):
        sequence = CommentedSeq([styled(part) for part in value])
        if not _has_mappings(value):
            sequence.fa.set_flow_style()
        return sequence
    return value
