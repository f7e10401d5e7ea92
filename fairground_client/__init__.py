"""Python client of Fairground's REST API.

    from fairground_client import Fairground, Refused

    fairground = Fairground("https://benefits.example.com", key="fg_…")
    try:
        claim = fairground.claim("freight_order", key="F0001")
    except Refused as refusal:
        print(refusal.code, refusal.body["answers"])

There is one method for each operation, with the name that it has in the OpenAPI schema (`/api/v1/schema/`). Responses
are plain dictionaries, typed in `fairground_client.responses`. Instants are ISO 8601 text in UTC, money is text with
two decimals.

The client repeats requests that got no response, with growing waits. Writes carry an Idempotency-Key, so that a
repeated write is done once. To repeat a write yourself, for example after a restart, pass the same `idempotency_key`.

It depends on urllib3 and on nothing of the server's code.
"""

from fairground_client.client import Fairground
from fairground_client.exceptions import Problem, Refused, UnavailableError

__all__ = ["Fairground", "Problem", "Refused", "UnavailableError"]
