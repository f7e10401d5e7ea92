"""Pages about errors: the `type` of each problem is the address of one. `docs/errors.md` has the same texts."""

from collections.abc import Iterator
from textwrap import wrap

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from api.problem_types import CATALOGUE, ProblemType

PARAMETERS = {
    "header": "Idempotency-Key",
    "n": 255,
    "fact": "paid_at",
    "at": "2022-09-02T04:00:00+00:00",
    "scope": "claim",
}
"""Parameters of details, for an example."""
FIELD_CODES = (
    "invalid",
    "required",
    "null",
    "blank",
    "invalid_choice",
    "unknown",
    "repeated",
    "min_value",
    "max_value",
    "min_length",
    "max_length",
    "no_offset",
    "out_of_range",
    "key_or_fact",
    "does_not_exist",
)
"""Usual codes of the entries of `errors`, each about one value."""
HEAD = """# Errors

This page is made by `manage.py write_error_docs` from `api/problem_types.py`; do not edit it.

An error has the media type `application/problem+json` (RFC 9457): `type`, `title`, `status`, `code`, `detail` and
`errors`. Programs depend on `code`, which is stable; `title` and `detail` are for people, in the language of
`Accept-Language`, and may change. `type` is the address of a page about the error on the server. `errors` names each
faulty value by its JSON `pointer` in the body or its `parameter` in the address, with a code of its own: `required`
(a value is missing), `unknown` (no such member, or nothing of that name), `duplicate`, `conflict` (with what is
recorded, or with another member), `invalid`, and those of Django REST framework. A `pointer` is one of RFC 6901: the
body as a whole is the empty text.
"""


@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """Show all kinds of errors."""
    return render(request, "api/errors.html", {"problems": [_shown(kind) for kind in CATALOGUE.values()]})


@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """Show one kind of error."""
    if code not in CATALOGUE:
        raise Http404
    return render(request, "api/error.html", {"problem": _shown(CATALOGUE[code])})


def _shown(kind: ProblemType) -> dict[str, object]:
    return {
        "code": kind.code,
        "status": kind.status,
        "href": kind.href,
        "title": kind.title,
        "detail": _detail(kind),
        "advice": kind.advice,
    }


def _detail(kind: ProblemType) -> str:
    text = str(kind.detail)
    if text == "%(reason)s":
        return _("The reason, such as an order that is paid.")
    return text % PARAMETERS if "%(" in text else text


def document() -> str:
    """Return the catalogue in Markdown, in English."""
    with translation.override("en"):
        return "\n".join(_lines())


def _lines() -> Iterator[str]:
    codes = ", ".join(f"`{code}`" for code in FIELD_CODES)
    yield HEAD + "\n".join(wrap(f"{codes}.", 120)) + "\n"
    yield "| status | `code` | meaning | what to do |"
    yield "| --- | --- | --- | --- |"
    for kind in CATALOGUE.values():
        yield f"| {kind.status} | `{kind.code}` | **{kind.title}.** {_detail(kind)} | {kind.advice} |"
    yield ""
