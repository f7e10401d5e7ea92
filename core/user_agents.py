"""Names of browsers and systems, from the text by which a browser introduces itself."""

from django.utils.translation import gettext as _

BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Marks of browsers, the most particular first: nearly all of them also claim to be Safari."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe_agent(agent: str) -> str:
    """Return `Chrome on Windows`; the text as it is where the browser is not known."""
    browser, system = _find(BROWSERS, agent), _find(SYSTEMS, agent)
    if not browser:
        return agent
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser


def _find(marks: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for mark, name in marks if mark in agent), "")
