"""Connections: requests are repeated with growing waits where that is safe and may help."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx

from fairground_client import _calls
from fairground_client._calls import Call, Options
from fairground_client.errors import UnavailableError


class Transport:
    """Connection to a server that blocks."""

    def __init__(
        self, url: str, key: str, options: Options, http: httpx.Client | None, sleep: Callable[[float], object] | None
    ) -> None:
        self.key, self.options, self.sleep = key, options, sleep or time.sleep
        self.http = http or httpx.Client()
        self.http.base_url, self.http.timeout = httpx.URL(url), httpx.Timeout(options.timeout)

    def send(self, call: Call) -> Any:
        """Send a call and return the body of its response. Raises Problem and UnavailableError."""
        reason = ""
        for attempt in range(self.options.attempts):
            response = None
            try:
                response = self.http.request(**call.arguments(self.key, self.options))
                data = _calls.parse(response)
                if response.is_success:
                    return data
                if not _calls.should_repeat(response, data):
                    raise _calls.problem(response, data)
                reason = f"{response.status_code} {data.get('code', '')}"
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            if attempt + 1 < self.options.attempts:
                self.sleep(self.options.wait(attempt, response))
        raise UnavailableError(f"{call.method} {call.path}: {reason}, {self.options.attempts} attempts")

    def pages(self, call: Call) -> Iterator[Any]:
        """Yield the rows of a list; further pages are fetched as they are needed."""
        while True:
            page = self.send(call)
            yield from page["results"]
            if not page["next"]:
                return
            call = _calls.read(page["next"])


class AsyncTransport:
    """Connection to a server that does not block."""

    def __init__(
        self,
        url: str,
        key: str,
        options: Options,
        http: httpx.AsyncClient | None,
        sleep: Callable[[float], Awaitable[object]] | None,
    ) -> None:
        self.key, self.options, self.sleep = key, options, sleep or asyncio.sleep
        self.http = http or httpx.AsyncClient()
        self.http.base_url, self.http.timeout = httpx.URL(url), httpx.Timeout(options.timeout)

    async def send(self, call: Call) -> Any:
        """Send a call and return the body of its response. Raises Problem and UnavailableError."""
        reason = ""
        for attempt in range(self.options.attempts):
            response = None
            try:
                response = await self.http.request(**call.arguments(self.key, self.options))
                data = _calls.parse(response)
                if response.is_success:
                    return data
                if not _calls.should_repeat(response, data):
                    raise _calls.problem(response, data)
                reason = f"{response.status_code} {data.get('code', '')}"
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            if attempt + 1 < self.options.attempts:
                await self.sleep(self.options.wait(attempt, response))
        raise UnavailableError(f"{call.method} {call.path}: {reason}, {self.options.attempts} attempts")

    async def pages(self, call: Call) -> AsyncIterator[Any]:
        """Yield the rows of a list; further pages are fetched as they are needed."""
        while True:
            page = await self.send(call)
            for row in page["results"]:
                yield row
            if not page["next"]:
                return
            call = _calls.read(page["next"])
