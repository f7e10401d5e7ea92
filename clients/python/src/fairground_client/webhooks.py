"""Verification of webhooks, by the Standard Webhooks specification."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import cast

from fairground_client.results import WebhookEvent

TOLERANCE = 300.0
"""Seconds that the clocks of sender and receiver may differ."""


class WebhookError(Exception):
    """The request is no webhook that was signed with the secret, or it is too old. The text says why."""


def verify_webhook(
    secret: str, *, headers: Mapping[str, str], body: bytes | str, now: float | None = None
) -> WebhookEvent:
    """Return the event of a webhook. Raises WebhookError unless it was signed with `secret` in the last five minutes.

    `body` are the bytes as they arrived. Names of `headers` may be in any case. `now`: seconds since 1970, for tests.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        key, sent, signatures = (found[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        at = int(sent)
    except (KeyError, ValueError) as error:
        raise WebhookError("a header webhook-id, webhook-timestamp or webhook-signature is missing or wrong") from error
    if abs((time.time() if now is None else now) - at) > TOLERANCE:
        raise WebhookError("the timestamp is more than five minutes away")
    raw = body.encode() if isinstance(body, str) else body
    wanted = _signature(secret, f"{key}.{at}.".encode() + raw)
    given = [each.removeprefix("v1,") for each in signatures.split() if each.startswith("v1,")]
    if not any(hmac.compare_digest(wanted.encode(), each.encode()) for each in given):
        raise WebhookError("no signature is by this secret")
    return cast(WebhookEvent, json.loads(raw))


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
