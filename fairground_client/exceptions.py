"""Exceptions: errors that the server returns (RFC 9457), and no response at all."""

from typing import Any


class Problem(Exception):  # noqa: N818  the term of RFC 9457
    """Error returned by the server.

    `status`: HTTP status. `code`: stable code. `detail`: text for people. `errors`: pointers to faulty fields.
    `body`: the whole problem object.
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, body
        self.code: str = body.get("code", "")
        self.detail: str = body.get("detail", "")
        self.errors: list[dict[str, str]] = body.get("errors", [])
        fields = "; ".join(
            f"{error.get('pointer') or error.get('parameter')}: {error['detail']}" for error in self.errors
        )
        super().__init__(f"{status} {self.code}: {self.detail}" + (f" ({fields})" if fields else ""))


class Refused(Problem):
    """Claim without a benefit: `code` is the reason, `body["answers"]` the explanation of each offer."""


class UnavailableError(Exception):
    """No response after all attempts. A write may have been done: repeat it with the same `idempotency_key`."""
