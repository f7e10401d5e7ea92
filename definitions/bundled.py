"""The campaigns that come with the project."""

from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """What can be named without a path."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def path(name: str) -> Path | None:
    """The file of a shipped campaign, or None."""
    return FOLDER / f"{name}.yaml" if name in names() else None
