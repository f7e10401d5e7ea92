"""Deprecated operations: headers Deprecation (RFC 9745) and Sunset (RFC 8594), with a link to the replacement."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils.http import http_date

NOTICE = timedelta(days=180)
"""Time that an operation stays available after it is announced to be deprecated, at least."""


@dataclass(frozen=True)
class Deprecation:
    """Announcement that an operation ends: deprecated `since`, gone at `sunset`; `see` is the address of a page."""

    since: date
    sunset: date
    see: str

    def __post_init__(self) -> None:
        if self.sunset - self.since < NOTICE:
            raise ValueError(f"an operation stays for {NOTICE.days} days after its deprecation")

    def headers(self) -> dict[str, str]:
        """Return the headers of a response of the operation."""
        return {
            "Deprecation": f"@{int(_midnight(self.since).timestamp())}",
            "Sunset": http_date(_midnight(self.sunset).timestamp()),
            "Link": f'<{self.see}>; rel="deprecation"',
        }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
