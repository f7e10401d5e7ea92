"""Values that definitions and facts of a world share: few, so that they meet, and at the bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from core.facts import Choices

START = datetime(2022, 9, 1, tzinfo=UTC)
END = datetime(2022, 9, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ZONES = ("Asia/Shanghai", "America/Los_Angeles")
AMOUNTS = ("0.00", "0.01", "60.00", "99.99", "100.00", "500.00", "1000.00")
NUMBERS = ("0", "1", "2", "20")
TEXTS = {
    "country": ("CN", "US", "GB"),
    "destination": ("CN", "US", "GB"),
    "currency": ("CNY", "USD"),
    "line": ("line-a", "line-b"),
    "list_code": ("covered", "barred"),
    "value": ("toys", "tools"),
}
WORDS = ("toys", "tools", "shoes")
WINDOWS = ("activity", "earlier")
LISTS = {"some-lines": TEXTS["line"], "one-line": ("line-a",), "some-words": WORDS[:2], "one-word": WORDS[:1]}
"""Lists of every campaign, by name."""


@dataclass
class Values:
    """Source of the values of one world. Instants are drawn from a few marks, and from the second around them."""

    rng: Random

    def __post_init__(self) -> None:
        hours = self.rng.sample(range(12, 24 * 10), 8)
        self.marks = sorted(START + timedelta(hours=hour) for hour in hours)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def mark(self) -> datetime:
        return self.rng.choice(self.marks)

    def instant(self) -> datetime:
        """Return an instant at, just before or after a mark, or anywhere between."""
        if self.chance(0.6):
            return self.mark() + self.rng.choice((-SECOND, timedelta(0), timedelta(0), SECOND))
        return START + timedelta(hours=self.rng.randrange(24 * 10))

    def bound(self) -> object:
        """Return an instant as a definition writes it, in UTC or with a zone of its own."""
        at = self.mark()
        if self.chance(0.7):
            return f"{at:%Y-%m-%d %H:%M:%S}"
        zone = self.rng.choice(ZONES)
        return {"at": f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}", "zone": zone}

    def named_window(self) -> Any:
        """Return a window as a definition writes it: mostly written out, else the name of one of the campaign's."""
        return self.rng.choice(WINDOWS) if self.chance(0.3) else self.window()

    def shared_windows(self) -> dict[str, dict[str, str]]:
        """Return the windows of a campaign, by name."""
        return {name: self.window() for name in WINDOWS}

    def window(self) -> dict[str, str]:
        first, last = sorted(self.rng.sample(self.marks, 2))
        return {"from": f"{first:%Y-%m-%d %H:%M:%S}", "to": f"{last:%Y-%m-%d %H:%M:%S}"}

    def value(self, name: str, kind: str, choices: Choices = ()) -> str:
        """Return a value of a fact that is no instant, as a file or a definition writes it."""
        if choices:
            return self._usual([value for value, _label in choices])
        if kind == "flag":
            return self.rng.choice(("yes", "no"))
        pool = {"money": AMOUNTS, "number": NUMBERS}.get(kind) or TEXTS.get(name.rpartition(".")[2], WORDS)
        return self.rng.choice(pool) if kind in ("money", "number") else self._usual(pool)

    def _usual(self, pool: Sequence[str]) -> str:
        """Return one of the pool, mostly the first: what a condition asks for is often what a fact says."""
        return pool[0] if self.chance(0.6) else self.rng.choice(pool)
