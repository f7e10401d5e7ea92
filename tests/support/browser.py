"""Person with a browser, for the tests of pages in Chromium."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types
from playwright.sync_api import Page

from tests.support.members import PASSWORD


@dataclass
class Reader:
    """Person with a browser. `complaints` collects messages of the console."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> Page:
        response = self.page.goto(path)
        assert response is not None
        assert response.status == status, path
        return self.page

    def words(self) -> str:
        """Return the visible text of the page as one line."""
        return " ".join(self.page.locator("body").inner_text().split())

    def check(self, rules: Sequence[str] = ()) -> None:
        """Check that the page fits its window, and that axe (by all rules or these) and the console find nothing."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), self.page.url
        self.page.evaluate("scrollTo(0, 0)")  # else a bar at the edge may cover a field, as it does while one scrolls
        # A request that a newer one replaces is no fault: htmx says that it was aborted.
        replaced = ("htmx:sendAbort", "htmx:afterRequest")
        assert [one for one in self.complaints if not one.startswith(replaced)] == [], self.page.url
        every = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
        run_only = {"type": "rule", "values": list(rules)} if rules else every
        # Without preload: axe would load style sheets again and write them into the page, which its policy forbids.
        # Without the details of what passed, which take longer than the rules.
        options = {"runOnly": run_only, "preload": False, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options)
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
        self.complaints.clear()  # axe itself sets styles that the page's policy forbids


def sign_in(who: Reader, name: str) -> None:
    """Sign an operator in, from the overview."""
    who.open("/sign-in/?next=/admin/")
    answer_sign_in(who, name)


def answer_sign_in(who: Reader, name: str) -> None:
    """Fill in the sign-in page."""
    who.page.fill("[name=username]", name)
    who.page.fill("[name=password]", PASSWORD)
    who.page.click("main form button")


# Rules whose result depends on colours and sizes: enough for a dark or narrow page that passed all rules before.
BY_LOOKS = ("color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable")
Open = Callable[..., Reader]
