"""Builder of one offer of a draft: a form beside what merchants read and the YAML that it produces.

Every change posts the form. What was typed is written into the draft at once, complete or not, while the draft has not
been submitted; the button `save` writes it in any state. Two people, or two tabs, never overwrite each other unseen.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backoffice.conflicts import Conflict, find_conflict, was_shown
from backoffice.drafts import check_definition, draft_warnings
from backoffice.estimated_reach import reach_of
from backoffice.offer_form import shapes
from backoffice.offer_form.actions import apply_actions
from backoffice.offer_form.document import CODE, campaign_context, codes_of, find_offer, load
from backoffice.offer_form.mending import mend_first
from backoffice.offer_form.offer import OfferForm
from backoffice.offer_form.preview import MerchantView, YamlLine, merchant_view, yaml_lines
from backoffice.offer_form.save import write_offer
from backoffice.rendering import actor, has_permissions, render_page, staff_view
from campaigns.models import Draft, Offer
from campaigns.offers import drafts
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import yaml_roundtrip
from definitions.errors import DefinitionError, Problem
from definitions.yaml_text import YamlText

WRITTEN = "builder_written"
"""Key of the session: the page that wrote last, the version that it wrote, its draft, and the code of the offer."""
COMPLETE = "complete"
"""Last input of the form: a request without it was cut short, and is not written."""
TABS = ("merchant", "yaml", "warnings")


class Builder:
    """One offer of a draft, as it is saved and as the request changes it."""

    def __init__(self, draft: Draft, code: str, sent: QueryDict | None) -> None:
        self.draft, self.sent = draft, sent or QueryDict()
        self.document = load(draft.source)
        self.number, self.offer = find_offer(self.document, code)
        self.saved, self.saved_version = yaml_roundtrip.dump(self.offer), version_of(self.offer)
        self.saved_code = code
        self.page = self.sent.get("page") or secrets.token_hex(8)
        self.text_problems: list[Problem] = []
        data = apply_actions(self.sent) if COMPLETE in self.sent else None
        if "apply" in self.sent:
            self._apply_text(self.sent.get("yaml", ""))
            data = None
        checked = bool(self.sent.get("checked") or "save" in self.sent)
        published = Offer.objects.filter(code=code).exists()
        others = codes_of(self.document, but=self.number)
        self.context = campaign_context(self.document, checked=checked, is_published=published, other_codes=others)
        self.form = OfferForm(self.offer, self.context, data)
        self.is_bound = data is not None
        if data is not None:
            write_offer(self.offer, self.form.to_offer(), self.context.zone)
            if not self.form.basics.errors.get("code"):
                data["basics-code"] = self.code  # the page shows the code that follows from the name
        is_changed = data is not None or "apply" in self.sent
        self.source = yaml_roundtrip.dump(self.document) if is_changed else draft.source
        self.text, self.problems = check_definition(self.source)
        self.own_problems = self._report()

    def _apply_text(self, text: str) -> None:
        """Take the text of the YAML tab for the offer; a text that no form can show is shown again with its errors."""
        text = text.replace("\r\n", "\n")
        try:
            offer = yaml_roundtrip.load(text)
        except DefinitionError as error:
            self.text_problems = list(error.problems)
            return
        self.text_problems = shapes.problems(lambda: text, offer, shapes.OFFER) or self._code_problems(text, offer)
        if not self.text_problems:
            self.document["offers"][self.number] = self.offer = offer

    def _code_problems(self, text: str, offer: Any) -> list[Problem]:
        """Return why the code of the text cannot be that of the offer, by which its page is found."""
        code, line = str(offer.get("code") or ""), YamlText(text).place(("code",))[1].line
        if not code:
            return [Problem(line, "code", _("Enter a code."))]
        if not CODE.fullmatch(code):
            return [Problem(line, "code", _("Use letters a to z, digits and hyphens."))]
        if code in codes_of(self.document, but=self.number):
            return [Problem(line, "code", _("Another offer of this draft has this code."))]
        return []

    def _report(self) -> list[Problem]:
        """Show the problems of the offer at its fields; return them."""
        path = f"offers.{self.number}"
        own = [problem for problem in self.problems if f"{problem.field}.".startswith(f"{path}.")]
        for problem in own:
            self.form.report(problem.field.removeprefix(path).removeprefix("."), problem.message)
        return own

    @property
    def code(self) -> str:
        return str(self.offer.get("code") or "")

    @property
    def mine(self) -> str:
        """Return the text of the offer with the changes of the request."""
        return yaml_roundtrip.dump(self.offer)

    @property
    def is_complete(self) -> bool:
        """Return whether the offer can be submitted."""
        return not self.own_problems and (not self.is_bound or self.form.is_right)

    @property
    def open_fields(self) -> int:
        """Return the number of fields to fill in or to correct."""
        return max(self.form.missing + len(list(self.form.problems())), int(not self.is_complete))

    @cached_property
    def lines(self) -> list[YamlLine]:
        return yaml_lines(self.mine, self.problems, f"offers.{self.number}")

    def view(self, language: str) -> MerchantView:
        terms = next((offer for offer in self.text.offers if offer.code == self.code), None) if self.text else None
        return merchant_view(self.document, self.number, self.form, language, terms)


@dataclass
class Outcome:
    """Result of a request: whether its values are saved, why not, and the version that is in the way."""

    saved: bool = False
    refusal: str = ""
    conflict: Conflict | None = None


@staff_view("view_draft", "change_draft")
@mend_first
def edit_offer(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Show the builder; write what was sent, unless another version was saved meanwhile that was not shown yet."""
    draft = get_object_or_404(Draft, pk=pk)
    if draft.status not in Draft.OPEN or not has_permissions(request, "change_draft"):
        raise PermissionDenied
    code = _code_now(request, pk, code)
    builder = Builder(draft, code, request.POST if request.method == "POST" else None)
    outcome = _write(request, builder) if _is_sent(request, builder) else Outcome()
    if "save" in request.POST and outcome.saved and builder.is_complete:
        messages.success(request, _("The draft is saved."), extra_tags="saved")
        return redirect("backoffice:draft", pk)
    response = _render(request, builder, outcome)
    if outcome.saved and builder.code != code:
        response["HX-Replace-Url"] = reverse("backoffice:offer-form", args=[pk, builder.code])
    return response


def _code_now(request: HttpRequest, pk: int, code: str) -> str:
    """Return the code of the offer that a page edits: the page may have changed it in a request that it gave up."""
    page, _version, draft, written = request.session.get(WRITTEN) or ("", "", 0, "")
    return str(written) if page and (page, draft) == (request.POST.get("page"), pk) else code


def _is_sent(request: HttpRequest, builder: Builder) -> bool:
    return request.method == "POST" and not builder.text_problems and (builder.is_bound or "apply" in request.POST)


def _write(request: HttpRequest, builder: Builder) -> Outcome:
    """Write the draft where that is asked for, or by itself while nobody has to approve it.

    What a page restores after a sign-in is only shown: the person may still discard it.
    """
    draft, asked = builder.draft, "save" in request.POST or "apply" in request.POST
    conflict = _conflict(request, builder)
    if not was_shown(request, conflict) or (conflict and not asked):
        return Outcome(conflict=conflict)
    automatic = draft.status == Draft.Status.DRAFT and not {"peek", "restored"} & set(request.POST)
    if not asked and not automatic:
        return Outcome()
    try:
        drafts.write(draft, builder.source, was=draft.digest, at=clock.now(), by=actor(request), automatic=not asked)
    except DraftError as error:
        return Outcome(refusal=str(error))
    request.session[WRITTEN] = [builder.page, version_of(builder.offer), draft.pk, builder.code]
    return Outcome(saved=True)


def _conflict(request: HttpRequest, builder: Builder) -> Conflict | None:
    """Return the conflict with another version; one that this very page wrote, in a request that it gave up, is none.

    A page gives a request up when the next change follows before the answer, so it still names the version before.
    """
    if (request.session.get(WRITTEN) or [])[:2] == [builder.page, builder.saved_version]:
        return None
    version = builder.saved_version
    return find_conflict(request, builder.draft, saved=builder.saved, mine=builder.mine, version=version)


def _render(request: HttpRequest, builder: Builder, outcome: Outcome) -> HttpResponse:
    sent, draft = builder.sent, builder.draft
    language = sent.get("preview") or ("zh" if (get_language() or "").startswith("zh") else "en")
    tab = sent.get("show") or sent.get("tab") or "merchant"
    unsaved = (builder.is_bound or "apply" in sent) and not outcome.saved
    base = sent.get("was") if unsaved and sent.get("was") else version_of(builder.offer)
    code = builder.code if outcome.saved or not builder.is_bound else builder.saved_code
    return render_page(
        request,
        "offer_form",
        title=builder.form.basics.text_of(f"names_{language}") or _("New offer"),
        draft=draft,
        builder=builder,
        form=builder.form,
        path=reverse("backoffice:offer-form", args=[draft.pk, code]),
        base_digest=base,
        outcome=outcome,
        restored="restored" in request.POST,
        problems=list(builder.form.problems()) if builder.context.checked or builder.is_bound else [],
        tab=tab if tab in TABS else "merchant",
        language=language,
        view=builder.view(language),
        warnings=draft_warnings(builder.text) if builder.text else [],
        other_problems=_elsewhere(builder),
        text=sent.get("yaml", "") if builder.text_problems else builder.mine,
        edits_text=sent.get("show") == "text" or bool(builder.text_problems),
        shows_reach=has_permissions(request, "view_simulation"),
        reach=reach_of(draft, code) if has_permissions(request, "view_simulation") else None,
    )


def version_of(offer: Any) -> str:
    """Return the digest of what an offer says, whatever its layout."""
    return drafts.digest(json.dumps(offer))


def _elsewhere(builder: Builder) -> Sequence[Problem]:
    """Return the problems of other parts of the draft."""
    return [problem for problem in builder.problems if problem not in builder.own_problems]
