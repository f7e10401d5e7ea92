"""Rows of a folder of fact files."""

import csv
from pathlib import Path

World = dict[str, list[dict[str, str]]]


def read(folder: Path) -> World:
    """Return the rows of each CSV file in `folder`, by the file's name without its suffix."""
    return {
        path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in folder.glob("*.csv")
    }
