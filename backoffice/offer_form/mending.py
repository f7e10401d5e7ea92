"""Page in place of the builder while the text of a draft has a shape that no form can show."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from backoffice.rendering import render_page
from campaigns.models import Draft
from definitions.errors import DefinitionError

DraftView = Callable[..., HttpResponse]


def mend_first(view: DraftView) -> DraftView:
    """Make a view of a draft answer with what is to be mended in the text where the text cannot be shown.

    A form that was sent meanwhile is answered with 409, so that the page that sent it keeps what was typed.
    """

    @wraps(view)
    def guarded(request: HttpRequest, pk: int, **kwargs: str) -> HttpResponse:
        try:
            return view(request, pk, **kwargs)
        except DefinitionError as error:
            draft = get_object_or_404(Draft, pk=pk)
            title, status = _("Mend the text of this draft first"), 409 if request.method == "POST" else 200
            return render_page(
                request, "offer_form/mend", title=title, status=status, draft=draft, problems=error.problems
            )

    return guarded
