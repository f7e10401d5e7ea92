"""File of rejected rows: the rows with errors as they were sent, with the errors beside them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.spreadsheets import to_csv
from imports.columns import CellError
from imports.file_reader import ConversionLimit, ReadOptions, open_file
from imports.schema import RowError

MAX_ROWS = 10_000


class RejectedRows:
    """Collects the errors of an import by line, for at most 10,000 lines."""

    def __init__(self) -> None:
        self.messages: dict[int, list[str]] = {}

    def add(self, error: RowError) -> None:
        if error.line in self.messages or len(self.messages) < MAX_ROWS:
            self.messages.setdefault(error.line, []).append(error.message)

    def as_csv(self, path: Path, *, limit: ConversionLimit, options: ReadOptions) -> bytes:
        """Return the rejected rows of the file at `path` with a further column `error`.

        Errors of the header or of the file as a whole stand in rows of their own.
        """
        return to_csv(self._rows(path, limit, options))

    def _rows(self, path: Path, limit: ConversionLimit, options: ReadOptions) -> Iterator[Sequence[object]]:
        try:
            with open_file(path, limit=limit, options=options) as file:
                yield [*file.header, "error"]
                for message in (*self.messages.get(0, ()), *self.messages.get(file.header_line, ())):
                    yield [*("" for _column in file.header), message]
                for number, cells in file.lines:
                    if number in self.messages:
                        shown = [cell.partition(" ")[2] if cell.startswith("\0") else cell for cell in cells]
                        shown += [""] * (len(file.header) - len(shown))
                        yield [*shown, "; ".join(self.messages[number])]
        except CellError as error:
            yield ["error"]
            yield [str(error)]
