"""Made from `_sync/connection.py` by `python -m tests.generate_clients`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from fairground_client._calls import PAGE_SIZE, Call, Options, read
from fairground_client._transport import AsyncTransport

T = TypeVar("T")


class AsyncConnection:
    """A server and an API key."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        **options: Any,
    ) -> None:
        self._transport = AsyncTransport(url, key, Options(**options), http, sleep)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.http.aclose()

    async def _send(self, kind: type[T], call: Call) -> T:  # noqa: ARG002  # `kind` is for type checkers
        result: T = await self._transport.send(call)
        return result

    def _pages(self, address: str, **query: str | None) -> AsyncIterator[Any]:
        return self._transport.pages(read(address, size=PAGE_SIZE, **query))
