"""Draft as a document whose offers are edited one by one."""

from typing import Any

from django.http import Http404
from django.utils.translation import get_language

from backoffice.offer_form.context import CampaignContext
from definitions import yaml_roundtrip
from definitions.errors import DefinitionError


def load(source: str) -> Any:
    """Return the text as a document. Raises Http404 where it is no YAML: it is edited as text then."""
    try:
        return yaml_roundtrip.load(source)
    except DefinitionError as error:
        raise Http404 from error


def find_offer(data: Any, code: str) -> tuple[int, Any]:
    """Return the position of the offer in the text, and the offer. Raises Http404."""
    for number, offer in enumerate(offers_of(data)):
        if isinstance(offer, dict) and offer.get("code") == code:
            return number, offer
    raise Http404


def offers_of(data: Any) -> list[Any]:
    """Return the offers of a document, which may be none yet."""
    offers = data.get("offers")
    return offers if isinstance(offers, list) else []


def campaign_context(data: Any, *, checked: bool, is_published: bool) -> CampaignContext:
    """Return the properties of the campaign that the form of an offer depends on."""
    return CampaignContext(
        zone=str(data.get("zone") or "UTC"),
        windows=dict(data.get("windows") or {}),
        lists={name: _names_by_value(entry) for name, entry in (data.get("lists") or {}).items()},
        list_names={name: _name(entry) or name for name, entry in (data.get("lists") or {}).items()},
        checked=checked,
        is_published=is_published,
    )


def _name(entry: Any) -> str:
    """Return the name of a shared list in the reader's language; empty if it has none."""
    names = entry.get("names") if isinstance(entry, dict) else None
    return str(names.get("zh" if (get_language() or "").startswith("zh") else "en") or "") if names else ""


def _names_by_value(entry: Any) -> dict[str, Any]:
    """Return the values of a shared list with their names; the names stand at the values, beside them, or nowhere."""
    values = entry.get("values") if isinstance(entry, dict) else entry
    labels = entry.get("labels") or {} if isinstance(entry, dict) else {}
    if isinstance(values, dict):
        return {str(value): names for value, names in values.items()}
    return {str(value): labels.get(value) for value in values or ()}
