"""Search of records by a code in any case, or by a name in either language."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet

MOST_RELATED = 1_000
"""Number of named records whose related rows are found at most: more do not fit a list that a person reads."""

MOST_WORDS = 10
"""Words of a search that are looked for; each is compared with every row."""

# Code column and name columns of models whose records people know by name.
_named: dict[type[Model], tuple[str, tuple[str, ...]]] = {}


def register_named(model: type[Model], code: str, *names: str) -> None:
    """Let records of `model` be found by their code or a part of a name."""
    _named[model] = (code, names)


def spellings(text: str) -> list[str]:
    """Return a code as typed, in capitals and in small letters: an index serves these, unlike a comparison of case."""
    return list(dict.fromkeys((text, text.upper(), text.lower())))


def has_code(path: str, text: str) -> Q:
    """Return the condition that the code at `path` is `text` in any case."""
    return Q(**{f"{path}__in": spellings(text)})


def begins_with(path: str, text: str) -> Q:
    """Return the condition that the code at `path` begins with `text` in any case."""
    return Q(*(Q(**{f"{path}__startswith": spelling}) for spelling in spellings(text)), _connector=Q.OR)


def contains_words(paths: Sequence[str], text: str) -> Q:
    """Return the condition that each word of `text` is part of one of the texts at `paths`, in any case."""
    each = (
        Q(*(Q(**{f"{path}__icontains": word}) for path in paths), _connector=Q.OR) for word in text.split()[:MOST_WORDS]
    )
    return Q(*each)


def named(model: type[Model], text: str) -> "QuerySet[Any]":
    """Return the records of a registered model with this code, or with these words in a name."""
    code, names = _named[model]
    return model._default_manager.filter(Q(**{f"{code}__iexact": text}) | contains_words(names, text)).order_by(code)


def matches(
    model: type[Model], text: str, *, codes: Sequence[str] = (), texts: Sequence[str] = (), related: Sequence[str] = ()
) -> Q:
    """Return the condition that a row of `model` fits `text`.

    `codes` are columns with codes, found from their beginning; `texts` are columns with words; `related` are
    references to named records. Those are looked up first, so that the indexes of the rows serve the search.
    """
    found = Q(*(begins_with(path, text) for path in codes), _connector=Q.OR)
    if model in _named:
        found |= Q(pk__in=named(model, text).values("pk"))
    if texts:
        found |= contains_words(texts, text)
    for path in related:
        target = model_at(model, path)
        found |= Q(**{f"{path}__in": list(named(target, text).values_list("pk", flat=True)[:MOST_RELATED])})
    return found


def is_named(model: type[Model]) -> bool:
    """Return whether records of `model` have a name to search by."""
    return model in _named


def model_at(model: type[Model], path: str) -> type[Model]:
    """Return the model that the reference at `path` leads to."""
    for name in path.split("__"):
        target = model._meta.get_field(name).related_model
        assert isinstance(target, type)
        assert issubclass(target, Model)
        model = target
    return model
