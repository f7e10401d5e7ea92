"""Pages that create drafts: of a published campaign, of an example, or of a campaign on other dates."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from backoffice.offer_form.offer_templates import MAIN_WINDOW
from backoffice.offer_form.save import block
from backoffice.rendering import actor, render_confirmation, render_page, staff_view
from campaigns.models import Campaign
from campaigns.offers import drafts
from core import clock
from core.formatting import CITIES
from definitions import reschedule, yaml_roundtrip


class TextInput(forms.TextInput):
    """Text input in the style of the design system."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"class": "input", "autocomplete": "off", **(attrs or {})})


class DateInput(forms.DateInput):
    """Date that the browser helps to choose."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "input"}, format="%Y-%m-%d")


class NewCampaignForm(forms.Form):
    """Names, code, time zone and dates of a new campaign."""

    names_en = forms.CharField(
        label=gettext_lazy("Name in English"), max_length=200, widget=TextInput({"lang": "en", "autofocus": True})
    )
    names_zh = forms.CharField(
        label=gettext_lazy("Name in Chinese"), max_length=200, widget=TextInput({"lang": "zh-Hans"})
    )
    code = forms.SlugField(
        label=gettext_lazy("Code"),
        max_length=64,
        required=False,
        widget=TextInput({"class": "input code"}),
        help_text=gettext_lazy("Used in files and the API. Empty: made of the English name."),
    )
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), choices=list(CITIES.items()), widget=forms.Select(attrs={"class": "select"})
    )
    starts = forms.DateField(label=gettext_lazy("First day"), widget=DateInput)
    ends = forms.DateField(label=gettext_lazy("Last day"), widget=DateInput)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        data["code"] = data.get("code") or slugify(data.get("names_en", ""))[:64].strip("-")
        if data.get("names_en") and not data["code"] and "code" not in self.errors:
            self.add_error("code", _("Enter a code."))
        elif Campaign.objects.filter(code=data["code"]).exists():
            self.add_error("code", _("There is already a campaign with this code."))
        if data.get("starts") and data.get("ends") and data["ends"] < data["starts"]:
            self.add_error("ends", _("The end must be after the start."))
        return data

    def source(self) -> str:
        """Return the definition: a campaign without offers, whose dates are a window that offers share."""
        data = self.cleaned_data
        window = {"from": f"{data['starts']} 00:00:00", "to": f"{data['ends']} 23:59:59"}
        words = {
            "campaign": data["code"],
            "names": {"en": data["names_en"], "zh": data["names_zh"]},
            "zone": data["zone"],
            "windows": {MAIN_WINDOW: window},
            "offers": [],
        }
        return yaml_roundtrip.dump(block(words))


class NewDraftForm(forms.Form):
    """Title of a new draft."""

    title = forms.CharField(label=gettext_lazy("Title of the draft"), max_length=200)


class CloneForm(forms.Form):
    """Codes and dates of a cloned campaign."""

    code = forms.SlugField(label=gettext_lazy("Code of the new campaign"), max_length=64)
    ending = forms.RegexField(
        r"^-[a-z0-9-]+$", label=gettext_lazy("Suffix for the codes of its offers, such as -2023"), max_length=20
    )
    way = forms.ChoiceField(
        label=gettext_lazy("Dates"),
        choices=[("weekdays", gettext_lazy("same weekdays")), ("dates", gettext_lazy("same dates"))],
        widget=forms.RadioSelect,
        initial="weekdays",
    )
    years = forms.IntegerField(label=gettext_lazy("Years later"), min_value=1, max_value=10, initial=1)

    def moved(self, source: str) -> tuple[str, list[reschedule.MovedTime]]:
        """Return the text on its new dates, and each moved time. Raises DefinitionError."""
        years = self.cleaned_data["years"]
        if self.cleaned_data["way"] == "dates":
            return reschedule.shift_by_years(source, years)
        return reschedule.shift_by_days(source, round(years * 365.2425 / 7) * 7)


def _campaign(code: str) -> Campaign:
    return get_object_or_404(Campaign, code=code)


@staff_view("add_draft")
def create(request: HttpRequest) -> HttpResponse:
    """Create a draft: of a published campaign, or of a new one, whose first offer is then chosen."""
    if request.GET.get("of"):
        return _change(request, _campaign(request.GET["of"]))
    form = NewCampaignForm(request.POST or None, initial={"zone": "Asia/Shanghai"}, label_suffix="")
    if request.method == "POST" and form.is_valid():
        title = form.cleaned_data["names_zh" if (get_language() or "").startswith("zh") else "names_en"]
        draft = drafts.begin(form.source(), title=title, at=clock.now(), by=actor(request))
        return redirect("backoffice:add-offer", draft.pk)
    return render_page(request, "new_campaign", title=_("New campaign"), form=form)


def _change(request: HttpRequest, of: Campaign) -> HttpResponse:
    """Create a draft that changes a published campaign, after a confirmation."""
    form = NewDraftForm(request.POST or None, initial={"title": _("Change %(name)s") % {"name": of.name}})
    if request.method == "POST" and form.is_valid():
        draft = drafts.begin(of.source, title=form.cleaned_data["title"], at=clock.now(), by=actor(request), of=of)
        return redirect("backoffice:draft", draft.pk)
    effects = [_("It begins with what is in force. Nothing changes until it is approved and launched.")]
    back = reverse("backoffice:campaigns")
    return render_confirmation(
        request, title=_("New draft"), effects=effects, button=_("Create draft"), back=back, form=form
    )


@staff_view("add_draft")
def clone(request: HttpRequest, code: str) -> HttpResponse:
    """Show a campaign's dates moved by years, then create a draft on the new dates."""
    of = _campaign(code)
    form = CloneForm(request.POST or None, initial={"code": f"{of.code}-next", "ending": "-next"})
    moved: list[reschedule.MovedTime] = []
    if request.method == "POST" and form.is_valid():
        source, moved = form.moved(of.source)
        source = reschedule.with_new_codes(source, code=form.cleaned_data["code"], ending=form.cleaned_data["ending"])
        if "make" in request.POST:
            title = _("%(name)s on new dates") % {"name": of.name}
            draft = drafts.begin(source, title=title, at=clock.now(), by=actor(request))
            return redirect("backoffice:draft", draft.pk)
    return render_page(
        request, "clone_campaign", title=_("Clone %(name)s") % {"name": of.name}, form=form, moved=moved, campaign=of
    )
