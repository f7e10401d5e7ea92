"""Names of requests in logs: routes, because an address may hold the secret of a link or of a calendar feed."""

from typing import Protocol


class AnyRequest(Protocol):
    """A request of Django, or of the REST framework, which wraps one."""

    method: str | None


def described(request: AnyRequest) -> str:
    """Return `GET api/v1/merchants/<str:merchant>/grants/`, or the method alone before the address is resolved."""
    match = getattr(request, "resolver_match", None)
    return f"{request.method} {match.route}" if match else str(request.method)
