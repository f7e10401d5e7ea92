"""Keys and webhooks that programs made with an API key, or with keys that it made: revoked keys leave them working."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from merchants.models import AccessChange, ApiKey

Verb, Kind = AccessChange.Verb, AccessChange.Kind


@dataclass(frozen=True)
class Made:
    """Keys that still work, and the numbers of webhooks: those registered, and others that were changed."""

    keys: list[ApiKey]
    registered: frozenset[int]
    changed: frozenset[int]


def made_by(key: ApiKey, *, at: datetime) -> Made:
    """Return what programs made with the key, and with the keys that it issued or whose successor it got."""
    numbers = _issued(key.pk)
    working = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=at), pk__in=numbers, revoked_at=None)
    changes = AccessChange.objects.filter(kind=Kind.WEBHOOK, by__in=[key.pk, *numbers])
    registered = frozenset(_webhooks(changes.filter(verb=Verb.REGISTERED).values_list("target", flat=True)))
    changed = _webhooks(changes.filter(verb__in=[Verb.CHANGED, Verb.ROTATED]).values_list("target", flat=True))
    return Made(list(working.order_by("pk")), registered, frozenset(changed) - registered)


def _issued(number: int) -> set[int]:
    """Return the numbers of the keys that one made, directly or by way of others. Two queries, however long the way."""
    numbers = dict(ApiKey.objects.values_list("prefix", "pk"))
    made: dict[int, list[int]] = {}
    changes = AccessChange.objects.filter(kind=Kind.KEY, verb__in=[Verb.ISSUED, Verb.ROTATED]).order_by()
    for by, verb, target, details in changes.values_list("by", "verb", "target", "details"):
        prefix = target if verb == Verb.ISSUED else details.get("successor")
        if prefix in numbers:
            made.setdefault(by, []).append(numbers[prefix])
    found: set[int] = set()
    todo = [number]
    while todo:
        new = set(made.get(todo.pop(), ())) - found - {number}
        found |= new
        todo += new
    return found


def _webhooks(targets: Iterable[str]) -> Iterable[int]:
    return map(int, targets)
