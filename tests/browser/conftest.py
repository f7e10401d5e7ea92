"""Pages in Debian's Chromium, served by this process from the test's database."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from playwright.sync_api import Browser, BrowserContext, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.support.browser import Open, Reader
from tests.support.operators import market, staff
from tests.support.servers import PATIENCE

__all__ = ["market", "staff"]  # fixtures of the operators' workspace

# Playwright runs a loop in the thread of the tests, which Django takes for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
expect.set_options(timeout=PATIENCE * 1_000)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    program = shutil.which("chromium")
    if program is None:
        text = "NOT TESTED: needs the program chromium"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    return {"executable_path": program, "args": arguments}


@pytest.fixture
def reader(live_server: LiveServer, settings: Settings, browser: Browser) -> Iterator[Open]:
    """Return a function that opens a new browser: `reader("zh-hans", 390)` in that language and width."""
    settings.SITE_URL = live_server.url
    contexts: list[BrowserContext] = []

    def made(language: str = "en", width: int = 1280, **options: Any) -> Reader:
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url, **options)
        context.set_default_timeout(PATIENCE * 1_000)
        contexts.append(context)
        cookie = {"name": configured.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dictionary is one
        who = Reader(context.new_page())
        who.page.on(
            "console", lambda said: who.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        who.page.on("pageerror", lambda error: who.complaints.append(str(error)))
        return who

    yield made
    for context in contexts:
        context.close()
