"""Errors of a definition, each with its place in the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _

from core.similar_words import nearest_word

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One error of a definition.

    `line` and `column` count from 1. `field` is the path, such as `offers.0.quota.limit`. `word` is the unknown word
    that was written, if that is the error, and `nearest` the known word most like it, if one is.
    """

    line: int
    field: str
    message: str
    column: int = 1
    word: str = ""
    nearest: str = ""

    def __str__(self) -> str:
        place = _("line %(line)d, column %(column)d") % {"line": self.line, "column": self.column}
        return f"{place}, {self.field}: {self.message}" if self.field else f"{place}: {self.message}"

    @classmethod
    def of_unknown_word(
        cls, message: str, *, line: int, column: int, field: str, word: str, known: Sequence[str], nearest: str = ""
    ) -> Self:
        """Return the problem of an unknown word, with the nearest known one as a suggestion, or with `nearest`."""
        nearest = nearest or nearest_word(word, known)
        words = {"message": message, "nearest": nearest}
        text = _("%(message)s; did you mean %(nearest)r?") % words if nearest else message
        return cls(line, field, text, column, word, nearest)


class DefinitionError(Exception):
    """A definition with errors; `problems` are all of them. Nothing of it is stored."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))
