"""Weight of a first visit: the page and every file that it names, as they are sent."""

import gzip
import re
from pathlib import Path

from django.contrib.staticfiles import finders


def files_named(page: bytes) -> set[str]:
    """Return the static files that a page loads."""
    return {name.decode() for name in re.findall(rb'(?:src|href)="/static/([^"#?]+)', page)}


def first_visit(page: bytes) -> int:
    """Return the bytes of a page and its files, compressed."""
    files = [Path(str(finders.find(name))).read_bytes() for name in files_named(page)]
    return sum(len(gzip.compress(content)) for content in (page, *files))
