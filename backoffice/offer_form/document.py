"""Draft as a document whose offers are edited one by one."""

import re
from collections.abc import Collection
from typing import Any

from django.http import Http404
from django.utils.text import slugify
from django.utils.translation import get_language

from backoffice.offer_form import shapes
from backoffice.offer_form.context import CampaignContext
from definitions import declared, yaml_roundtrip
from definitions.errors import DefinitionError

CODE = re.compile(r"\A[a-z0-9][a-z0-9-]{0,63}\Z")
"""Code of an offer: it stands in addresses too."""


def load(source: str) -> Any:
    """Return the text as a document. Raises DefinitionError where a form cannot show it: it is edited as text then."""
    data = yaml_roundtrip.load(source)
    if problems := shapes.problems(lambda: source, data, shapes.CAMPAIGN):
        raise DefinitionError(problems)
    return data


def find_offer(data: Any, code: str) -> tuple[int, Any]:
    """Return the position of the offer in the text, and the offer. Raises Http404; DefinitionError as `load` does."""
    for number, offer in enumerate(offers_of(data)):
        if isinstance(offer, dict) and offer.get("code") == code:
            if problems := shapes.problems(lambda: yaml_roundtrip.dump(data), offer, shapes.OFFER, ("offers", number)):
                raise DefinitionError(problems)
            return number, offer
    raise Http404


def offers_of(data: Any) -> list[Any]:
    """Return the offers of a document, which may be none yet."""
    offers = data.get("offers")
    return offers if isinstance(offers, list) else []


def codes_of(data: Any, *, but: int | None = None) -> list[str]:
    """Return the codes of the offers of a document; without the one at the position `but`."""
    offers = [offer for n, offer in enumerate(offers_of(data)) if n != but and isinstance(offer, dict)]
    return [str(offer["code"]) for offer in offers if offer.get("code")]


def free_code(taken: Collection[str], wanted: str) -> str:
    """Return a code that is not taken: the wanted one, or one with the next free number."""
    stem = slugify(wanted.rstrip("0123456789"))[:58].strip("-") or "offer"
    numbered = (f"{stem}-{n}" for n in range(1, len(taken) + 2))
    return wanted if wanted not in taken else next(code for code in numbered if code not in taken)


def campaign_context(
    data: Any, *, checked: bool, is_published: bool, other_codes: Collection[str] = ()
) -> CampaignContext:
    """Return the properties of the campaign that the form of an offer depends on."""
    return CampaignContext(
        zone=str(data.get("zone") or "UTC"),
        windows=dict(data.get("windows") or {}),
        lists={name: _names_by_value(entry) for name, entry in (data.get("lists") or {}).items()},
        list_names={name: _name(entry) or name for name, entry in (data.get("lists") or {}).items()},
        measures={name: _name(entry) or name for name, entry in (data.get("measures") or {}).items()},
        declared=declared.valid_part(data).facts,
        checked=checked,
        is_published=is_published,
        other_codes=frozenset(other_codes),
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
