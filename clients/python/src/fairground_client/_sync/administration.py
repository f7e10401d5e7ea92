"""API keys and webhooks."""

from collections.abc import Iterator, Sequence
from typing import Literal

from fairground_client import results
from fairground_client._calls import given, path, read, write
from fairground_client._sync.connection import Connection


class Administration(Connection):
    """Operations on API keys and webhooks."""

    # ---- API keys

    def list_keys(self) -> Iterator[results.ApiKey]:
        """Yield API keys, newest first."""
        return self._pages("keys/")

    def issue_key(
        self,
        name: str,
        scopes: Sequence[results.Scope],
        *,
        merchant: str | None = None,
        expires_at: str | None = None,
        idempotency_key: str | None = None,
    ) -> results.NewApiKey:
        """Issue an API key, with no more than this one has. Its `secret` is shown once."""
        body = given(name=name, scopes=list(scopes), merchant=merchant, expires_at=expires_at)
        return self._send(results.NewApiKey, write("POST", "keys/", body, idempotency_key=idempotency_key))

    def get_key(self, id: str) -> results.ApiKey:
        """Return an API key, without its secret."""
        return self._send(results.ApiKey, read(path("keys", id)))

    def rotate_key(
        self, id: str, *, overlap_hours: int | None = None, idempotency_key: str | None = None
    ) -> results.NewApiKey:
        """Issue the successor of an API key. The old one works for `overlap_hours` longer, a day by default."""
        body = given(overlap_hours=overlap_hours)
        call = write("POST", path("keys", id, "rotate"), body, idempotency_key=idempotency_key)
        return self._send(results.NewApiKey, call)

    def revoke_key(
        self, id: str, *, made: Literal["end", "keep"] | None = None, idempotency_key: str | None = None
    ) -> results.RevokedApiKey:
        """Revoke an API key: it stops working at once. `made` says what happens to keys and webhooks that it made.

        Without `made` the server refuses it if some of those still work, and names them: then nothing is revoked.
        """
        call = write("DELETE", path("keys", id), idempotency_key=idempotency_key, made=made)
        return self._send(results.RevokedApiKey, call)

    # ---- Webhooks

    def list_webhooks(self) -> Iterator[results.Webhook]:
        """Yield webhooks, newest first."""
        return self._pages("webhooks/")

    def register_webhook(
        self,
        name: str,
        url: str,
        *,
        events: Sequence[results.EventName] = (),
        merchant: str | None = None,
        idempotency_key: str | None = None,
    ) -> results.NewWebhook:
        """Register a webhook, for the usual events if none are named. Its `secret` is shown once."""
        body = given(name=name, url=url, events=list(events), merchant=merchant)
        return self._send(results.NewWebhook, write("POST", "webhooks/", body, idempotency_key=idempotency_key))

    def get_webhook(self, id: int) -> results.Webhook:
        """Return a webhook, without its secret."""
        return self._send(results.Webhook, read(path("webhooks", id)))

    def change_webhook(
        self,
        id: int,
        *,
        name: str | None = None,
        url: str | None = None,
        events: Sequence[results.EventName] | None = None,
        enabled: bool | None = None,
        idempotency_key: str | None = None,
    ) -> results.Webhook:
        """Change name, address or events of a webhook; disable or enable it."""
        body = given(name=name, url=url, events=None if events is None else list(events), enabled=enabled)
        call = write("PATCH", path("webhooks", id), body, idempotency_key=idempotency_key)
        return self._send(results.Webhook, call)

    def rotate_webhook_secret(self, id: int, *, idempotency_key: str | None = None) -> results.NewWebhook:
        """Replace the secret. Deliveries are signed with the old one too for a day."""
        call = write("POST", path("webhooks", id, "rotate"), idempotency_key=idempotency_key)
        return self._send(results.NewWebhook, call)

    def test_webhook(self, id: int, *, idempotency_key: str | None = None) -> results.Delivery:
        """Send the event `endpoint.tested`, and return its delivery."""
        call = write("POST", path("webhooks", id, "test"), idempotency_key=idempotency_key)
        return self._send(results.Delivery, call)

    def list_deliveries(self, id: int, *, status: results.DeliveryStatus | None = None) -> Iterator[results.Delivery]:
        """Yield the deliveries of a webhook, newest first."""
        return self._pages(path("webhooks", id, "deliveries"), status=status)

    def get_delivery(self, id: str) -> results.Delivery:
        """Return a delivery as it is now."""
        return self._send(results.Delivery, read(path("deliveries", id)))

    def resend_delivery(self, id: str, *, idempotency_key: str | None = None) -> results.Delivery:
        """Send a delivery again, with the same `webhook-id`."""
        call = write("POST", path("deliveries", id, "resend"), idempotency_key=idempotency_key)
        return self._send(results.Delivery, call)
