"""Campaigns that are shipped with the project."""

from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of the shipped campaigns."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def path(name: str) -> Path | None:
    """Return the file of a shipped campaign, None if there is none of that name."""
    return FOLDER / f"{name}.yaml" if name in names() else None
