"""Exceptions: errors that the server returns (RFC 9457), and no response at all."""

from typing import Any, cast

from fairground_client.results import Explanation


class Problem(Exception):  # noqa: N818  the term of RFC 9457
    """Error returned by the server.

    `status`: HTTP status. `code`: stable code. `detail`: text for people. `errors`: pointers to faulty values.
    `request_id`: name of the request in the log of the server. `body`: the whole problem object.
    """

    def __init__(self, status: int, body: dict[str, Any], request_id: str = "") -> None:
        self.status, self.body, self.request_id = status, body, request_id
        self.code: str = body.get("code", "")
        self.detail: str = body.get("detail", "")
        self.errors: list[dict[str, str]] = body.get("errors", [])
        fields = "; ".join(
            f"{error.get('pointer') or error.get('parameter')}: {error['detail']}" for error in self.errors
        )
        super().__init__(f"{status} {self.code}: {self.detail}" + (f" ({fields})" if fields else ""))


class Refused(Problem):
    """Claim without a benefit: `code` is the reason, `answers` are the explanations of the offers."""

    @property
    def answers(self) -> list[Explanation]:
        return cast(list[Explanation], self.body["answers"])


class UnavailableError(Exception):
    """No response after all attempts. A write may have been done: repeat it with the same `idempotency_key`."""
