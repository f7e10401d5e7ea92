"""Export of a list: the rows and columns that its address shows, as CSV or XLSX."""

import tempfile
from collections.abc import Iterator
from typing import Any

from django.http import FileResponse, HttpResponseBase
from django.utils.translation import gettext as _

from core import spreadsheets
from core.lists.cells import Column

MOST_ROWS = 100_000
"""Rows of one export at most: more keep a web process busy for minutes. `manage.py` has the large exports."""
CHUNK = 2_000


class TooManyRowsError(ValueError):
    """The list has more rows than one export may; the text says what to do."""


def check_number(rows: Any) -> None:
    """Raise TooManyRowsError if a query has more rows than one export may."""
    if rows.order_by().values("pk")[: MOST_ROWS + 1].count() > MOST_ROWS:
        text = _("This list has more than %(n)d rows. Filter it, for example by date, and export again.")
        raise TooManyRowsError(text % {"n": MOST_ROWS})


def export(rows: Any, columns: list[Column], *, name: str, form: str) -> HttpResponseBase:
    """Return a file `name` in a `form` of `spreadsheets.CONTENT_TYPES`.

    Rows are read in chunks, and the file is complete before the response begins: an error is a page, not half a file.
    Raises TooManyRowsError.
    """
    check_number(rows)
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed by the response
    try:
        spreadsheets.write_to(file, _table(rows, columns), form=form)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return FileResponse(file, as_attachment=True, filename=name, content_type=spreadsheets.CONTENT_TYPES[form])


def _table(rows: Any, columns: list[Column]) -> Iterator[list[object]]:
    yield [header for column in columns for header in column.headers()]
    for row in rows.iterator(chunk_size=CHUNK):
        yield [value for column in columns for value in column.values(row)]
