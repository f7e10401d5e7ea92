"""Connection of a client: options, requests and pages. `_async` is made from `_sync`; see `generate_clients`."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from fairground_client._calls import PAGE_SIZE, Call, Options, read
from fairground_client._transport import Transport

T = TypeVar("T")


class Connection:
    """A server and an API key."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        http: httpx.Client | None = None,
        sleep: Callable[[float], object] | None = None,
        **options: Any,
    ) -> None:
        self._transport = Transport(url, key, Options(**options), http, sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.http.close()

    def _send(self, kind: type[T], call: Call) -> T:  # noqa: ARG002  # `kind` is for type checkers
        result: T = self._transport.send(call)
        return result

    def _pages(self, address: str, **query: str | None) -> Iterator[Any]:
        return self._transport.pages(read(address, size=PAGE_SIZE, **query))
