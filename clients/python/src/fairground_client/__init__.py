"""Python client of Fairground's REST API. See the README for examples.

There is one method for each operation, with the name that it has in the OpenAPI schema (`/api/v1/schema/`).
"""

from fairground_client._async.client import AsyncFairground
from fairground_client._calls import Options
from fairground_client._sync.client import Fairground
from fairground_client.errors import Problem, Refused, UnavailableError
from fairground_client.webhooks import WebhookError, verify_webhook

__all__ = [
    "AsyncFairground",
    "Fairground",
    "Options",
    "Problem",
    "Refused",
    "UnavailableError",
    "WebhookError",
    "verify_webhook",
]
