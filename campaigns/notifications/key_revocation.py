"""Revocation of an API key, with the keys and webhooks that programs made with it, or without them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from campaigns.models import Endpoint
from campaigns.notifications import webhooks
from merchants import api_keys, made_by_keys
from merchants.models import ApiKey

Noted = Callable[[ApiKey | Endpoint], None]
"""Called for each key and webhook that is about to end: whoever revokes records it."""


@dataclass(frozen=True)
class MadeWithKey:
    """Keys and webhooks that work and were made with a key, and webhooks of others that it changed."""

    keys: list[ApiKey]
    webhooks: list[Endpoint]
    changed: list[Endpoint]

    @property
    def can_end(self) -> bool:
        """Return whether there is anything to end with the key."""
        return bool(self.keys or self.webhooks)


def made_with(key: ApiKey, *, at: datetime, among: "QuerySet[Endpoint] | None" = None) -> MadeWithKey:
    """Return what works and was made with a key, or with the keys that it made; of webhooks those `among` some."""
    made = made_by_keys.made_by(key, at=at)
    working = (Endpoint.objects.all() if among is None else among).filter(disabled_at=None).order_by("pk")
    return MadeWithKey(
        made.keys, list(working.filter(pk__in=made.registered)), list(working.filter(pk__in=made.changed))
    )


def revoke(
    key: ApiKey, *, at: datetime, noted: Noted, ends_made: bool, among: "QuerySet[Endpoint] | None" = None
) -> MadeWithKey:
    """Revoke a key, and what was made with it if `ends_made`. Return what ended with it, and what it changed.

    Call it in a transaction. Of webhooks, those `among` some end.
    """
    noted(key)
    api_keys.revoke(key, at=at)  # first: from here on it makes nothing more
    changed = made_with(key, at=at, among=among).changed
    ended = list(_end_made(key, at, noted, among)) if ends_made else []
    keys, hooks = [one for one in ended if isinstance(one, ApiKey)], [one for one in ended if isinstance(one, Endpoint)]
    return MadeWithKey(keys, hooks, changed)


def _end_made(
    key: ApiKey, at: datetime, noted: Noted, among: "QuerySet[Endpoint] | None"
) -> Iterator[ApiKey | Endpoint]:
    """End what was made with a key, until nothing is left: a key that ends may just have made another one."""
    while (found := made_with(key, at=at, among=among)).can_end:
        both: list[ApiKey | Endpoint] = [*found.keys, *found.webhooks]
        for one in both:
            noted(one)
            if isinstance(one, ApiKey):
                api_keys.revoke(one, at=at)
            else:
                webhooks.disable(one, at=at)
            yield one
