"""Errors of a definition: unknown words with the words that are known, and several errors collected at once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails

MOST_LISTED = 100
"""Number of known words in a message. The vocabulary fits; the names that a text defines may be thousands."""


class UnknownWordError(ValueError):
    """A word that a definition cannot use here: `word` is the one written, `known` are those it can use.

    The message lists the first of these, unless `listed` is False. `nearest` is the one that was
    meant, where that is not simply the one spelt most alike.
    """

    def __init__(
        self, message: str, *, word: str, known: Iterable[str], listed: bool = True, nearest: str = ""
    ) -> None:
        self.word = word
        self.known = tuple(known)
        self.nearest = nearest
        if listed:
            message = _("%(message)s; known are: %(words)s") % {"message": message, "words": _listed(self.known)}
        super().__init__(message)


def _listed(known: tuple[str, ...]) -> str:
    if len(known) <= MOST_LISTED:
        return ", ".join(known) or _("none")
    words = {"words": ", ".join(known[:MOST_LISTED]), "n": len(known) - MOST_LISTED}
    return _("%(words)s and %(n)d more") % words


class ErrorCollector:
    """Errors found while a model checks its parts, each at its place below the model."""

    def __init__(self) -> None:
        self.errors: list[InitErrorDetails] = []

    @contextmanager
    def at(self, *place: str | int) -> Iterator[None]:
        """Collect a ValueError, or every error of a ValidationError, raised in the block at `place`."""
        try:
            yield
        except ValidationError as error:
            self.errors += [moved(detail, place) for detail in details_of(error)]
        except ValueError as error:
            self.errors.append(as_detail(error, place))

    def raise_collected(self, title: str) -> None:
        """Raise ValidationError if there was an error. A model above adds its own place to each."""
        if self.errors:
            raise ValidationError.from_exception_data(title, self.errors)

    def details(self, title: str) -> list[ErrorDetails]:
        """Return the collected errors as a ValidationError lists them."""
        try:
            self.raise_collected(title)
        except ValidationError as error:
            return error.errors(include_url=False)
        return []


def as_detail(error: ValueError, place: tuple[str | int, ...]) -> InitErrorDetails:
    """Return an error of our own in the form that pydantic collects."""
    return InitErrorDetails(type="value_error", loc=place, input=None, ctx={"error": error})


def details_of(error: ValidationError) -> list[InitErrorDetails]:
    """Return the details of an error in the form in which they can be raised again."""
    return [
        InitErrorDetails(type=detail["type"], loc=detail["loc"], input=detail["input"], ctx=detail.get("ctx", {}))
        for detail in error.errors(include_url=False)
    ]


def moved(detail: InitErrorDetails, place: tuple[str | int, ...]) -> InitErrorDetails:
    """Return the same error with `place` in front of its own."""
    return {**detail, "loc": (*place, *detail.get("loc", ()))}
