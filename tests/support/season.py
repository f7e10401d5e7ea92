"""The season of September 2022 in this process: case folders, published and imported without commands."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.engine import ticker
from campaigns.offers import publishing
from definitions import bundled, parser
from imports.folder_import import import_folder
from imports.importer import ImportOptions
from imports.schema import RowError

CASES = Path(__file__).parents[1] / "cases"
PUBLISHED = datetime(2022, 8, 1, tzinfo=UTC)
END = datetime(2023, 2, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """Case folder: facts, quotas, and the expected results at some instants."""

    folder: Path

    @cached_property
    def setting(self) -> dict[str, Any]:
        setting: dict[str, Any] = json.loads((self.folder / "case.json").read_text(encoding="utf-8"))
        return setting

    @property
    def quotas(self) -> dict[str, dict[str, int]]:
        words = {"limit": "limit", "cap": "per_merchant"}
        overrides = self.setting["overrides"].items()
        return {offer: {words[word]: number for word, number in quota.items()} for offer, quota in overrides}

    @property
    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.setting["as_of"])

    @property
    def steps(self) -> list[tuple[datetime, Path]]:
        """Return each instant with the folder of its expected results, the end last."""
        points = self.setting.get("checkpoints", [])
        stops = [(datetime.fromisoformat(point["as_of"]), self.folder / point["expected"]) for point in points]
        return [*stops, (self.as_of, self.folder / "expected")]


def cases() -> list[Case]:
    return [Case(path.parent) for path in sorted(CASES.glob("*/case.json"))]


def publish(quotas: Mapping[str, Mapping[str, int]] | None = None, *, at: datetime = PUBLISHED) -> None:
    path = bundled.path("september-2022")
    assert path is not None
    source = path.read_text(encoding="utf-8")
    publishing.publish(parser.read(source, quotas), source=source, at=at, by="test")


def import_case_facts(facts: Path, *, now: datetime = END) -> None:
    complaints: list[RowError] = []
    options = ImportOptions(zone=ZoneInfo("Asia/Shanghai"), now=now)
    assert import_folder(facts, options, on_error=complaints.append), complaints[:5]


def prepare(case: Case) -> None:
    """Publish with the case's quotas and import its facts; nothing is decided yet."""
    publish(case.quotas)
    import_case_facts(case.folder / "facts", now=case.as_of)


class Season:
    """Function that ticks a case through its season in this process."""

    def __call__(self, case: str = "tiny-quotas", *, as_of: Sequence[datetime] = (END,)) -> Case:
        """Prepare the case of that name and tick at each instant of `as_of`."""
        found = Case(CASES / case)
        prepare(found)
        for at in as_of:
            ticker.tick(at=at)
        return found
