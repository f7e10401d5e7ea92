"""A client for Fairground's REST interface: one method an operation, plain dictionaries typed as the schema has them.

    fairground = Fairground("https://benefits.example.com", key="fg_…")
    answer = fairground.claim("freight_order", key="F0001")

Writes name themselves by an Idempotency-Key, so what got no answer is asked again and still done once. It needs urllib3
and nothing of the server's code.
"""

from fairground_client.client import Fairground
from fairground_client.exceptions import Problem, Refused, UnavailableError

__all__ = ["Fairground", "Problem", "Refused", "UnavailableError"]
