"""Offer form: what it shows, what it writes into the YAML text, and what it refuses."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse, QueryDict
from django.test import Client

from campaigns.models import Draft
from campaigns.offers import drafts
from definitions import bundled, parser, yaml_roundtrip
from tests.support.html_forms import form_data
from tests.support.members import words
from tests.support.world import HEADING, offer, t

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the editing of a text, stored as one column")]

PATH = bundled.path("september-2022")
assert PATH is not None
SEPTEMBER = PATH.read_text(encoding="utf-8")
SIMPLE = f"{HEADING}offers:\n{offer('ten', conditions='[{fact: merchant.country, is: CN}]  # why', quota='{limit: 3}')}"


class Editor:
    """A browser on the form of one offer of a draft."""

    def __init__(self, source: str = SIMPLE, code: str = "ten") -> None:
        self.draft = drafts.begin(source, title="Draft", at=t("01"), by="ana")
        self.path = f"/admin/drafts/{self.draft.pk}/offers/{code}/"
        self.browser = Client(headers={"accept-language": "en"})
        user = User.objects.filter(username="ana").first() or User.objects.create_superuser("ana")
        self.browser.force_login(user)
        self._html = ""

    @property
    def html(self) -> str:
        """The page as it stands; fetched anew after a save."""
        self._html = self._html or self.get(self.browser.get(self.path))
        return self._html

    @html.setter
    def html(self, page: str) -> None:
        self._html = page

    @staticmethod
    def get(answer: Any) -> str:
        assert isinstance(answer, HttpResponse)
        assert answer.status_code == 200
        return answer.content.decode()

    def _post(self, data: QueryDict) -> Any:
        return self.browser.post(self.path, data.urlencode(), "application/x-www-form-urlencoded")

    def change(self, **changes: Any) -> str:
        """Change inputs, as the page does without saving; return the new page."""
        self._html = self.get(self._post(form_data(self.html, **changes)))
        return self._html

    def save(self, **changes: Any) -> bool:
        """Change inputs and press Save; return whether it was saved."""
        answer = self._post(form_data(self.html, save="1", **changes))
        saved: bool = answer.status_code == 302
        self._html = "" if saved else self.get(answer)
        return saved

    @property
    def source(self) -> str:
        return Draft.objects.get(pk=self.draft.pk).source

    @property
    def conditions(self) -> list[Any]:
        return [dict(entry) for entry in yaml_roundtrip.load(self.source)["offers"][0]["conditions"]]

    def value(self, name: str) -> str:
        return str(form_data(self.html).get(name, ""))

    def errors_at(self, name: str) -> str:
        """Return the page from an input on, up to the next label."""
        start = self.html.index(f'name="{name}"')
        return words(self.html[start - 200 : start + 700].split("<label", 2)[-1])


@pytest.mark.parametrize("code", [entry.code for entry in parser.read(SEPTEMBER).offers])
def test_saving_without_a_change_keeps_the_text(code: str) -> None:
    editor = Editor(SEPTEMBER, code)
    assert editor.save()
    assert editor.source == SEPTEMBER


@pytest.mark.parametrize(
    ("changes", "removed", "added"),
    [
        ({"quota-limit": "8000"}, ["quota: {limit: 10000}"], ["quota: {limit: 8000}"]),
        ({"quota-limit": ""}, ["quota: {limit: 10000}"], []),
        (
            {"benefit-percent": "7.5"},
            ["benefit: {fee: freight, percent: 5}"],
            ["benefit: {fee: freight, percent: 7.5}"],
        ),
    ],
)
def test_one_value_changes_one_line(changes: dict[str, Any], removed: list[str], added: list[str]) -> None:
    editor = Editor(SEPTEMBER, "charter-5-off")
    assert editor.save(**changes)
    old, new = SEPTEMBER.splitlines(), editor.source.splitlines()
    gone = [line.strip() for line in old if line not in new]
    assert [line for line in gone if "quota" in line or "benefit" in line] == removed
    assert [line.strip() for line in new if line not in old] == added


def test_conditions_are_added_and_removed() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "base_freight"})
    assert editor.value("conditions-1-op") == "at_least"
    assert editor.save(**{"conditions-1-number": "500"})
    assert editor.conditions[1] == {"fact": "base_freight", "at_least": "500"}
    assert "# why" in editor.source
    assert editor.save(**{"conditions-0-DELETE": "on"})
    assert editor.conditions == [{"fact": "base_freight", "at_least": "500"}]
    assert editor.save(**{"conditions-0-DELETE": "on"})
    assert yaml_roundtrip.load(editor.source)["offers"][0]["conditions"] == "everyone"


def test_the_benefit_can_be_asked_about() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "benefit", "where-0-fact": "benefit"})
    assert 'name="coupons-0-fact"' not in editor.html or "benefit" not in editor.value("coupons-0-fact")
    changes = {"op": "more_than", "number": "0.00"}
    given = {f"{row}-{name}": value for row in ("conditions-1", "where-0") for name, value in changes.items()}
    assert editor.save(**given)
    assert editor.conditions[1] == {"fact": "benefit", "more_than": "0.00"}
    assert parser.read(editor.source).offers[0].asked[1].name == "nothing_to_discount"
    assert "benefit is more than 0.00" in editor.browser.get(f"/admin/drafts/{editor.draft.pk}/").content.decode()


@pytest.mark.parametrize(("flag", "sentence"), [("yes", "line is empty"), ("no", "line is not empty")])
def test_whether_a_field_is_empty_can_be_asked(flag: str, sentence: str) -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "line"})
    page = editor.change(**{"conditions-1-op": "empty"})
    assert 'name="conditions-1-flag"' in page
    assert editor.save(**{"conditions-1-flag": flag})
    assert editor.conditions[1] == {"fact": "line", "empty": flag}
    assert editor.value("conditions-1-flag") == flag
    assert sentence in editor.browser.get(f"/admin/drafts/{editor.draft.pk}/").content.decode()
    editor.change(**{"conditions-2-fact": "paid_at"})
    assert '<option value="empty"' not in editor.html.split('name="conditions-2-op"')[1].split("</select>")[0]


def test_another_empty_row_follows_a_row_that_is_filled_in() -> None:
    editor = Editor()
    assert "conditions-2-fact" not in editor.html
    editor.change(**{"conditions-1-fact": "base_freight", "conditions-1-number": "1"})
    assert "conditions-2-fact" in editor.html
    editor.change(**{"conditions-2-fact": "use_coupon"})
    assert editor.save(**{"conditions-2-flag": "no"})
    assert editor.conditions[1:] == [{"fact": "base_freight", "at_least": "1"}, {"fact": "use_coupon", "is": "no"}]


@pytest.mark.parametrize("state", ["membership", "service_package", "penalty"])
def test_a_condition_on_a_state_of_the_merchant_is_added(state: str) -> None:
    editor = Editor()
    page = editor.change(**{"conditions-1-fact": f"={state}"})
    assert 'name="conditions-1-of"' in page
    assert not editor.save()
    assert "Choose at least one value." in editor.html
    value = page.split('name="conditions-1-of" value="')[1].split('"')[0]
    assert editor.save(**{"conditions-1-of": [value], "conditions-1-force": "not_in_force"})
    assert editor.conditions[1] == {"not_in_force": state, "of": [value]}


def test_a_saved_condition_becomes_one_on_a_state() -> None:
    editor = Editor()
    editor.change(**{"conditions-0-fact": "=membership"})
    assert editor.save(**{"conditions-0-of": ["global_pass"]})
    assert editor.conditions == [{"in_force": "membership", "of": ["global_pass"]}]


def test_another_operator_keeps_the_value() -> None:
    editor = Editor()
    editor.change(**{"conditions-0-op": "in"})
    assert (editor.value("conditions-0-op"), editor.value("conditions-0-values")) == ("in", "CN")
    assert editor.save(**{"conditions-0-values": "CN, US"})
    assert editor.conditions == [{"fact": "merchant.country", "in": ["CN", "US"]}]
    editor.change(**{"conditions-0-op": "is_not"})
    assert editor.value("conditions-0-text") == "CN"


def test_in_a_new_row_the_operator_is_kept() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "line"})
    editor.change(**{"conditions-1-op": "in"})
    editor.change(**{"conditions-1-values": "x, y"})
    assert (editor.value("conditions-1-op"), editor.value("conditions-1-values")) == ("in", "x, y")
    assert editor.save()
    assert editor.conditions[1] == {"fact": "line", "in": ["x", "y"]}


def test_another_field_keeps_dates_and_names_values_that_do_not_apply() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "paid_at"})
    editor.change(**{"conditions-1-op": "within"})
    dates = {"conditions-1-start_at": "2022-09-01T00:00", "conditions-1-end_at": "2022-09-30T23:59:59"}
    editor.change(**dates)
    editor.change(**{"conditions-1-fact": "placed_at"})
    assert editor.value("conditions-1-op") == "within"
    assert editor.value("conditions-1-end_at") == "2022-09-30T23:59:59"
    page = words(editor.change(**{"conditions-1-fact": "base_freight"}))
    assert "will not be saved: 2022-09-01" in page
    editor.change(**{"conditions-1-fact": "placed_at", "conditions-1-op": "within"})
    assert editor.save()
    assert editor.conditions[1] == {
        "fact": "placed_at",
        "within": {"from": {"at": "2022-09-01 00:00:00"}, "to": {"at": "2022-09-30 23:59:59"}},
    }


def test_a_window_has_a_time_zone_for_each_end() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "paid_at"})
    editor.change(**{"conditions-1-op": "within"})
    dates = {"conditions-1-start_at": "2022-09-01T00:00", "conditions-1-end_at": "2022-09-30T23:59:59"}
    assert editor.save(**dates, **{"conditions-1-end_zone": "Asia/Shanghai"})
    assert editor.conditions[1]["within"] == {
        "from": {"at": "2022-09-01 00:00:00"},
        "to": {"at": "2022-09-30 23:59:59", "zone": "Asia/Shanghai"},
    }
    parser.read(editor.source)


def test_the_twin_of_a_changed_time_is_recalculated() -> None:
    text = SIMPLE.replace(
        "{fact: merchant.country, is: CN}",
        "{fact: paid_at, by: {at: 2022-09-30 23:59:59, zone: America/Los_Angeles, "
        "twin: {at: 2022-10-01 14:59:59, zone: Asia/Shanghai}}}",
    )
    editor = Editor(text)
    assert editor.save(**{"conditions-0-at": "2022-11-30T23:59:59"})
    assert editor.conditions[0]["by"] == {
        "at": "2022-11-30 23:59:59",
        "zone": "America/Los_Angeles",
        "twin": {"at": "2022-12-01 15:59:59", "zone": "Asia/Shanghai"},
    }


LISTS = SIMPLE.replace(
    "offers:", "lists: {near: {names: {en: near, zh: 近}, values: [eu-standard, us-west]}}\noffers:", 1
)


def test_a_list_of_the_campaign_can_be_chosen() -> None:
    editor = Editor(LISTS)
    editor.change(**{"conditions-1-fact": "line"})
    editor.change(**{"conditions-1-op": "in"})
    assert editor.save(**{"conditions-1-named_list": "near"})
    assert editor.conditions[1] == {"fact": "line", "in": "near"}
    editor.change(**{"conditions-1-named_list": "·"})
    assert editor.save(**{"conditions-1-values": "x, y"})
    assert editor.conditions[1] == {"fact": "line", "in": ["x", "y"]}


def test_a_value_nearly_like_a_known_one_is_pointed_out() -> None:
    editor = Editor(LISTS)
    page = editor.change(**{"conditions-1-fact": "line", "conditions-1-text": "eu-standrad"})
    assert "Did you mean “eu-standard”?" in page


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"conditions-0-text": ""}, "conditions-0-text", "Enter a value."),
        ({"conditions-1-fact": "base_freight"}, "conditions-1-number", "Enter a value."),
        (
            {"conditions-1-fact": "base_freight", "conditions-1-number": "1,000"},
            "conditions-1-number",
            "Enter a number without separators",
        ),
        ({"conditions-0-fact": ""}, "conditions-0-fact", "Choose a field, or remove this condition."),
        ({"quota-limit": "0"}, "quota-limit", "Enter a number of at least 1."),
        ({"quota-limit": "1.5"}, "quota-limit", "Enter a whole number without separators"),
        ({"basics-names_zh": ""}, "basics-names_zh", "Enter a name."),
        ({"benefit-percent": ""}, "benefit-percent", "Enter a number."),
        ({"benefit-percent": "110"}, "benefit-percent", "100"),
        ({"settlement-raw": "at: [paid"}, "settlement-raw", "not YAML"),
    ],
)
def test_errors_are_shown_at_their_fields_and_input_is_kept(changes: dict[str, str], field: str, message: str) -> None:
    editor = Editor()
    typed = {"basics-names_en": "A new name", **changes}
    assert not editor.save(**typed)
    start = editor.html.index(f'name="{field}"')
    assert message in editor.html[start : editor.html.index("</div>", start) + 400]
    assert "Not saved. Correct the marked fields." in editor.html
    assert {name: editor.value(name) for name in typed} == typed
    assert editor.source == SIMPLE


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("amount", {"benefit-amount": "50", "benefit-currency": "CNY"}),
        (
            "tiers",
            {"tiers-0-start": "500", "tiers-0-off": "50", "tiers-0-unit": "amount", "benefit-currency": "CNY"},
        ),
        (
            "coupons",
            {
                "benefit-count": "8",
                "benefit-value": "25",
                "benefit-currency": "CNY",
                "benefit-from_at": "2022-10-15T00:00",
                "benefit-to_at": "2022-12-31T00:00",
                "coupons-0-fact": "service",
                "coupons-0-choice": "express",
                "settlement-raw": "",
            },
        ),
    ],
)
def test_another_kind_of_benefit(form: str, values: dict[str, str]) -> None:
    editor = Editor()
    editor.change(**{"benefit-form": form})
    assert editor.save(**values), words(editor.html)
    found = parser.read(editor.source).offers[0]
    assert (found.bundle is not None) == (form == "coupons")
    if form == "tiers":
        assert [(tier.from_, tier.amount) for tier in found.benefit.tiers] == [(500, 50)]  # type: ignore[union-attr]


def test_the_kind_of_benefit_can_be_changed_back() -> None:
    editor = Editor()
    editor.change(**{"benefit-form": "coupons"})
    editor.change(**{"benefit-form": "percent"})
    assert editor.value("benefit-percent") == "10"
    assert editor.save()
    assert editor.source == SIMPLE


def test_coupons_need_a_condition_for_their_orders() -> None:
    editor = Editor()
    editor.change(**{"benefit-form": "coupons"})
    values = {"benefit-count": "8", "benefit-value": "25", "benefit-currency": "CNY", "settlement-raw": ""}
    assert not editor.save(**values, **{"benefit-from_at": "2022-10-15T00:00", "benefit-to_at": "2022-12-31T00:00"})
    assert "Add at least one condition for the orders" in editor.html


def test_the_preview_writes_nothing_and_saving_does() -> None:
    editor = Editor()
    assert "12% off the freight" in words(editor.change(**{"benefit-percent": "12"}))
    assert editor.source == SIMPLE
    assert editor.save()
    assert parser.read(editor.source).offers[0].benefit.percent == 12  # type: ignore[union-attr]
    assert "# why" in editor.source


def change_meanwhile(old: str, new: str) -> None:
    """Let Bo save a change of the draft."""
    draft = Draft.objects.get()
    drafts.write(draft, draft.source.replace(old, new), was=draft.digest, at=t("02"), by="bo")


def test_both_versions_are_shown_and_neither_is_overwritten_unseen() -> None:
    editor = Editor()
    opened = editor.html
    change_meanwhile("percent: 10", "percent: 11")
    for _press in range(2):
        editor.html = opened
        assert not editor.save(**{"quota-limit": "5"})
        page = words(editor.html)
        assert "Saved by bo" in page
        assert "− benefit: {fee: freight, percent: 11} (saved version)" in page
        assert "+ benefit: {fee: freight, percent: 10} (your version)" in page
        assert editor.value("quota-limit") == "5"
        assert "limit: 3" in editor.source
    editor.change(**{"benefit-percent": "11"})  # merged by hand; the versions stay on the page
    assert "− quota: {limit: 3} (saved version)" in words(editor.html)
    assert editor.save()
    assert "percent: 11" in editor.source
    assert "limit: 5" in editor.source


def test_a_version_saved_after_the_comparison_is_shown_too() -> None:
    editor = Editor()
    assert 'value="10"' in editor.html  # opened before the others save
    change_meanwhile("percent: 10", "percent: 11")
    assert not editor.save(**{"quota-limit": "5"})
    change_meanwhile("percent: 11", "percent: 12")
    assert not editor.save()
    assert "percent: 12} (saved version)" in words(editor.html)
    assert "percent: 12" in editor.source


def test_changes_of_other_parts_of_the_draft_are_kept() -> None:
    editor = Editor()
    assert 'value="10"' in editor.html
    change_meanwhile("campaign: trial", "campaign: other")
    assert editor.save(**{"quota-limit": "5"})
    assert "campaign: other" in editor.source
    assert "limit: 5" in editor.source


def test_a_form_with_missing_or_forged_parts_is_no_fault() -> None:
    editor = Editor()
    sent = form_data(editor.html, save="1", **{"conditions-INITIAL_FORMS": "7", "conditions-TOTAL_FORMS": "9"})
    for data in (sent, QueryDict("save=1"), QueryDict("conditions-TOTAL_FORMS=x&save=1")):
        answer = editor.browser.post(editor.path, data.urlencode(), "application/x-www-form-urlencoded")
        assert answer.status_code == 200
    assert editor.source == SIMPLE
