"""Stored declarations: publishing adds to them; imports, exports and templates read them."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.facts import ATTRIBUTES, COLLECTIONS
from declarations.attributes import EVENT, Attribute, EventKind
from declarations.models import DeclaredAttribute, DeclaredEvent
from declarations.stored_values import StoredValue


def attributes_of(row_kind: str) -> list[Attribute]:
    """Return the stored attributes of a row_kind, in the order of their declaration."""
    return [_attribute(row) for row in DeclaredAttribute.objects.filter(row_kind=row_kind).order_by("pk")]


def event_kinds() -> dict[str, EventKind]:
    """Return the stored kinds of event, by kind."""
    rows = DeclaredEvent.objects.order_by("pk")
    return {row.kind: EventKind(row.kind, row.name_en, row.name_zh, tuple(row.attributes)) for row in rows}


def _attribute(row: DeclaredAttribute) -> Attribute:
    values = {value: (names["en"], names["zh"]) for value, names in row.values.items()}
    return Attribute(row.row_kind, row.name, row.type, row.name_en, row.name_zh, values)


def conflicts(campaign: str, attributes: Sequence[Attribute]) -> Iterator[tuple[Attribute, str]]:
    """Yield the attributes that contradict what is stored, each with the reason.

    The type of an attribute never changes. The campaign that declared it first may add choices, and leave out those
    that no row holds; another one declares the same.
    """
    stored = {(row.row_kind, row.name): row for row in DeclaredAttribute.objects.all()} if attributes else {}
    for attribute in attributes:
        row = stored.get((attribute.row_kind, attribute.name))
        if row and (reason := _conflict(campaign, attribute, row)):
            yield attribute, reason


def _conflict(campaign: str, attribute: Attribute, row: DeclaredAttribute) -> str:
    words = {"row_kind": row.row_kind, "name": row.name, "campaign": row.campaign, "type": row.type}
    if row.type != attribute.type:
        if row.campaign == campaign:
            return _("%(row_kind)s %(name)s is a %(type)s: a type never changes, declare another name") % words
        return _("campaign %(campaign)s declares %(row_kind)s %(name)s as %(type)s: declare the same") % words
    left_out = [value for value in row.values if value not in attribute.values]
    if row.campaign != campaign and (left_out or len(row.values) != len(attribute.values)):
        words["values"] = ", ".join(row.values)
        text = _("campaign %(campaign)s declares %(row_kind)s %(name)s with the choices %(values)s: declare the same")
        return text % words
    if held := [value for value in left_out if _is_held(attribute, value)]:
        words["values"] = ", ".join(held)
        return _("rows hold these choices of %(row_kind)s %(name)s, so they cannot be left out: %(values)s") % words
    return ""


def _is_held(attribute: Attribute, value: str) -> bool:
    collection = next(one for one in COLLECTIONS.values() if one.row_kind == attribute.row_kind)
    # Not as a lookup of the JSON column: an attribute may have the name of one, such as `contains`.
    held = StoredValue(attribute.name, attribute.type)(ATTRIBUTES)
    return collection.model._default_manager.alias(x_held=held).filter(x_held=value).exists()


def store(campaign: str, attributes: Sequence[Attribute], kinds: Sequence[EventKind]) -> None:
    """Store what a published campaign declares; call it in the transaction of publishing.

    What an earlier version declared stays: files and rows may use it. Raises ValueError with every conflict.
    """
    rows = {attribute: _stored_row(campaign, attribute) for attribute in attributes}
    if reasons := [reason for _attribute, reason in conflicts(campaign, attributes)]:
        raise ValueError("\n".join(reasons))
    for attribute, row in rows.items():
        _update(row, name_en=attribute.en, name_zh=attribute.zh, values=_values(attribute))
    for kind in kinds:
        defaults = {"campaign": campaign, "name_en": kind.en, "name_zh": kind.zh, "attributes": list(kind.attributes)}
        event, _new = DeclaredEvent.objects.select_for_update().get_or_create(kind=kind.kind, defaults=defaults)
        both = list(dict.fromkeys([*event.attributes, *kind.attributes]))
        _update(event, name_en=kind.en, name_zh=kind.zh, attributes=both)


def _stored_row(campaign: str, attribute: Attribute) -> DeclaredAttribute:
    """Return the locked row of an attribute; a new one if nobody declared it before."""
    defaults = {"campaign": campaign, "type": attribute.type, "values": _values(attribute)}
    defaults |= {"name_en": attribute.en, "name_zh": attribute.zh}
    rows = DeclaredAttribute.objects.select_for_update()
    row, _new = rows.get_or_create(row_kind=attribute.row_kind, name=attribute.name, defaults=defaults)
    return row


def _values(attribute: Attribute) -> dict[str, dict[str, str]]:
    return {value: {"en": en, "zh": zh} for value, (en, zh) in attribute.values.items()}


def _update(row: DeclaredAttribute | DeclaredEvent, **values: Any) -> None:
    if any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))


def event_attributes() -> list[Attribute]:
    """Return the stored attributes of events, of all kinds."""
    return attributes_of(EVENT)
