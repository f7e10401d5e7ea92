"""Lists of a million rows: a page is shown without counting them all."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

MOST_COUNTED = 5_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Counts no further than MOST_COUNTED rows: who looks for more filters or searches."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:MOST_COUNTED].count())
