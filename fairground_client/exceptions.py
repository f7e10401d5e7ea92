"""What goes wrong, as the server says it (RFC 9457), or because it does not answer."""

from typing import Any


class Problem(Exception):  # noqa: N818  RFC 9457 calls it so
    """The server said no: `status`, a stable `code`, a text for people, pointers to what is wrong, the whole answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, body
        self.code: str = body.get("code", "")
        self.detail: str = body.get("detail", "")
        self.errors: list[dict[str, str]] = body.get("errors", [])
        where = "; ".join(f"{one['pointer']}: {one['detail']}" for one in self.errors)
        super().__init__(f"{status} {self.code}: {self.detail}" + (f" ({where})" if where else ""))


class Refused(Problem):
    """A claim that got nothing: `code` is the reason, `body["answers"]` what each offer said and why."""


class UnavailableError(Exception):
    """No answer, however often it was asked. A write may or may not be done: ask again with the same `once`."""
