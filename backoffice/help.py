"""Help: short guides to frequent tasks, and the glossary of the documentation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from backoffice.navigation import ELIGIBILITY
from backoffice.rendering import has_permissions, render_page, staff_view

PAGES = {"en": "glossary.md", "zh": "glossary.zh.md"}
HEADINGS = ("term", "术语", "---")
ROW = re.compile(r"^\| (?P<word>[^|]+) \| (?P<other>[^|]+) \| (?P<meaning>[^|]+) \|$")


@dataclass(frozen=True)
class Guide:
    """Guide to one task, with the page on which it begins and the permissions that this page needs."""

    key: str
    title: Promise
    icon: str
    steps: Sequence[Promise]
    view: str
    link: Promise
    permissions: Sequence[str]


GUIDES = (
    Guide(
        "limit",
        gettext_lazy("Raise a limit"),
        "speakerphone",
        (
            gettext_lazy("Open the offer and choose “Change limit”."),
            gettext_lazy("Enter the new limit and the reason. The page says what the change means before you send it."),
            gettext_lazy("A second person approves it under Approvals. You cannot approve your own change."),
            gettext_lazy("Launch the approved change. The new limit holds from then on."),
        ),
        "backoffice:campaigns",
        gettext_lazy("Campaigns"),
        ("view_offer",),
    ),
    Guide(
        "eligibility",
        gettext_lazy("Find out why a merchant did not get a benefit"),
        "user-search",
        (
            gettext_lazy("Open the eligibility check and enter the order number, coupon code, or the merchant."),
            gettext_lazy("Each offer shows the requirements that were missed first, with what is missing."),
            gettext_lazy("Choose “now” to see whether the same claim would be granted today."),
            gettext_lazy("The merchant reads the same sentences on its dashboard, so you can quote them."),
        ),
        "backoffice:explanation",
        gettext_lazy("Eligibility check"),
        ELIGIBILITY.permissions,
    ),
    Guide(
        "import",
        gettext_lazy("Import a file"),
        "file-import",
        (
            gettext_lazy("Open the kind of data under Data and choose “Import”. A template shows the columns."),
            gettext_lazy("The file is checked first. The preview shows what is new and what changes."),
            gettext_lazy("Confirm within an hour. A file is imported as a whole or not at all."),
            gettext_lazy("If rows are wrong, download them with the error beside each, correct them and upload again."),
        ),
        "admin:imports_upload_changelist",
        gettext_lazy("Imports"),
        ("imports.view_upload",),
    ),
    Guide(
        "approve",
        gettext_lazy("Approve a draft"),
        "checks",
        (
            gettext_lazy("Open the draft under Approvals. What you wrote yourself waits for somebody else."),
            gettext_lazy("Read the changes and the warnings, and look at a simulation on recorded data."),
            gettext_lazy("Approve it, or request changes with a reason that the author reads."),
            gettext_lazy("The approval holds for exactly the text that you saw: any later change needs a new one."),
        ),
        "backoffice:approvals",
        gettext_lazy("Approvals"),
        ("view_draft",),
    ),
)


@dataclass(frozen=True)
class Term:
    """Entry of the glossary: the word in the language of the page and in the other one, and what it means."""

    word: str
    other: str
    meaning: str


@staff_view("view_offer", methods=("GET", "HEAD"))
def guides(request: HttpRequest) -> HttpResponse:
    """Show the guides; links lead only to pages that the reader may open."""
    shown = [(guide, has_permissions(request, *guide.permissions)) for guide in GUIDES]
    return render_page(request, "help", title=_("Help"), guides=shown)


@staff_view("view_offer", methods=("GET", "HEAD"))
def glossary(request: HttpRequest) -> HttpResponse:
    """Show the terms whose word or meaning contains the query, in both languages."""
    query = request.GET.get("q", "").strip()[:64]
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    found = [
        (title, [term for term in terms if query.casefold() in f"{term}".casefold()])
        for title, terms in sections(language)
    ]
    return render_page(
        request, "glossary", title=_("Glossary"), sections=[each for each in found if each[1]], query=query
    )


@lru_cache(maxsize=2)
def sections(language: str) -> list[tuple[str, list[Term]]]:
    """Return the sections of the glossary with their terms, as its page in the language `en` or `zh` has them."""
    found: list[tuple[str, list[Term]]] = []
    for line in Path(settings.BASE_DIR, "docs", PAGES[language]).read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found.append((line.removeprefix("## "), []))
        elif (row := ROW.match(line)) and row["word"] not in HEADINGS:
            found[-1][1].append(Term(row["word"], row["other"], row["meaning"].replace("`", "")))
    return found
