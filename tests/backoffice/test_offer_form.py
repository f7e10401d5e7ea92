"""Offer form: what it shows, what it writes into the YAML text, and what it refuses."""

from typing import Any

import pytest
from django.http import QueryDict

from campaigns.models import AuditEvent, Draft
from campaigns.offers import drafts
from definitions import parser, yaml_roundtrip
from tests.support.html_forms import form_data
from tests.support.members import words
from tests.support.offer_editor import SEPTEMBER, SIMPLE, Editor
from tests.support.world import t

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the editing of a text, stored as one column")]


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


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"conditions-0-text": ""}, "conditions-0-text", "Enter a value."),
        ({"conditions-1-fact": "base_freight"}, "conditions-1-number", "Enter a number, for example 500.00."),
        (
            {"conditions-1-fact": "base_freight", "conditions-1-number": "1,000"},
            "conditions-1-number",
            "Enter a number without separators",
        ),
        ({"quota-limit": "0"}, "quota-limit", "Enter a number of at least 1."),
        ({"quota-limit": "1.5"}, "quota-limit", "Enter a whole number without separators"),
        ({"basics-names_zh": ""}, "basics-names_zh", "Enter a name."),
        ({"benefit-percent": ""}, "benefit-percent", "Enter a number."),
        ({"benefit-percent": "110"}, "benefit-percent", "100"),
    ],
)
def test_errors_are_shown_at_their_fields_and_what_was_typed_is_stored(
    changes: dict[str, str], field: str, message: str
) -> None:
    editor = Editor()
    typed = {"basics-names_en": "A new name", **changes}
    assert not editor.save(**typed)
    shown = words(editor.html)
    assert message in shown
    assert f'href="#id_{field}"' in editor.html.split('id="summary"')[1].split("</div>")[0]
    assert {name: editor.value(name) for name in typed} == typed
    stored = yaml_roundtrip.load(editor.source)["offers"][0]
    assert stored["names"]["en"] == "A new name"
    assert editor.draft.status == Draft.Status.DRAFT


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("amount", {"benefit-amount": "50", "benefit-currency": "CNY"}),
        (
            "tiers",
            {"tiers-0-start": "500", "tiers-0-off": "50", "tiers-0-unit": "amount", "benefit-currency": "CNY"},
        ),
        ("price", {"benefit-price": "0", "benefit-currency": "CNY", "benefit-at_most": "30"}),
        ("slices", {"slices-0-start": "0", "slices-0-percent": "10"}),
        ("percent", {"benefit-fact": "base_freight"}),
        ("amount", {"benefit-fact": "base_freight", "benefit-at_most": "9.50", "benefit-currency": "CNY"}),
        (
            "coupons",
            {
                "benefit-count": "8",
                "benefit-value": "25",
                "benefit-currency": "CNY",
                "benefit-from_at": "2022-10-15T00:00",
                "benefit-to_at": "2022-12-31T00:00",
                "coupons-0-fact": "service",
                "coupons-0-text": "express",
                "settlement-released_by": "",
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
    written = yaml_roundtrip.load(editor.source)["offers"][0]["benefit"]
    assert {"percent", "amount", "price", "tiers", "slices", "coupons"} & set(written) == {form}
    if "benefit-at_most" in values:
        assert str(found.benefit.at_most) == values["benefit-at_most"]  # type: ignore[union-attr]
    if "benefit-fact" in values:
        assert written[form] == {"fact": "base_freight"}
    if form == "tiers":
        assert [(tier.from_, tier.amount) for tier in found.benefit.tiers] == [(500, 50)]  # type: ignore[union-attr]


def test_coupons_for_another_kind_of_order_set_its_price() -> None:
    editor = Editor()
    editor.change(**{"benefit-form": "coupons"})
    editor.change(**{"benefit-orders": "service_order", "benefit-sets": "price"})
    values = {"benefit-count": "1", "benefit-price": "1.00", "benefit-currency": "CNY", "settlement-released_by": ""}
    values |= {"benefit-to_at": "2022-12-31T00:00", "coupons-0-fact": "service", "coupons-0-text": "photo_tool"}
    assert editor.save(**values), words(editor.html)
    bundle = parser.read(editor.source).offers[0].bundle
    assert bundle is not None
    assert (bundle.for_, bundle.value, str(bundle.price), bundle.valid.from_) == ("service_order", None, "1.00", None)


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
    values = {"benefit-count": "8", "benefit-value": "25", "benefit-currency": "CNY", "settlement-released_by": ""}
    assert not editor.save(**values, **{"benefit-from_at": "2022-10-15T00:00", "benefit-to_at": "2022-12-31T00:00"})
    assert "Add at least one condition for the orders" in editor.html


def test_what_is_typed_is_stored_while_nobody_has_to_approve_it() -> None:
    editor = Editor()
    assert "12% off the freight" in words(editor.change(**{"benefit-percent": "12"}))
    assert "Saved" in words(editor.html)
    assert parser.read(editor.source).offers[0].benefit.percent == 12  # type: ignore[union-attr]
    assert "# why" in editor.source
    editor.change(**{"benefit-percent": "13", "peek": "1"})  # a look at the preview stores nothing
    assert "percent: 12" in editor.source


def test_changes_in_one_sitting_are_one_act_of_the_audit_log() -> None:
    editor = Editor()
    for percent in ("11", "12", "13"):
        editor.change(**{"benefit-percent": percent})
    assert "percent: 13" in editor.source
    assert [act.verb for act in editor.draft.acts.order_by("pk")] == [AuditEvent.Verb.WRITTEN] * 2  # begun in 2022
    assert editor.save()
    assert editor.draft.acts.count() == 2


def test_a_page_does_not_conflict_with_what_it_wrote_in_a_request_that_it_gave_up() -> None:
    editor = Editor()
    opened = editor.html
    editor.change(**{"benefit-percent": "11"})  # the answer does not arrive
    editor.html = opened
    editor.change(**{"benefit-percent": "12"})
    assert "percent: 12" in editor.source
    other = Editor.again(editor)
    other.change(**{"quota-limit": "5"})
    editor.html = opened
    assert "Saved by ana" in words(editor.change(**{"benefit-percent": "13"}))
    assert "percent: 12" in editor.source


def test_an_incomplete_offer_is_stored_with_its_gaps() -> None:
    editor = Editor()
    page = editor.change(**{"conditions-1-fact": "base_freight"})
    assert editor.conditions[1] == {"fact": "base_freight", "at_least": None}
    assert "1 field to fill in or correct" in words(page)
    assert 'class="error"' not in page
    assert editor.value("conditions-1-op") == "at_least"


def test_a_submitted_draft_is_changed_by_saving_only() -> None:
    editor = Editor()
    drafts.submit(editor.draft, at=t("02"), by="ana")
    editor.change(**{"benefit-percent": "12"})
    assert "percent: 10" in editor.source
    assert Draft.objects.get().status == Draft.Status.SUBMITTED
    assert editor.save()
    assert "percent: 12" in editor.source
    assert Draft.objects.get().status == Draft.Status.DRAFT


def test_the_code_follows_the_english_name_until_it_is_written_or_launched() -> None:
    editor = Editor(SIMPLE.replace("code: ten", "code: new-1").replace("en: ten", 'en: ""'), "new-1")
    editor.change(**{"basics-names_en": "30 CNY off freight"})
    assert "code: 30-cny-off-freight" in editor.source
    editor.change(**{"basics-code": "thirty"})
    editor.path = editor.path.replace("30-cny-off-freight", "thirty")
    editor.change(**{"basics-names_en": "Another name"})
    assert "code: thirty" in editor.source


def test_the_yaml_of_the_offer_is_edited_beside_the_form() -> None:
    editor = Editor()
    page = editor.change(show="text")
    text = str(form_data(page)["yaml"])
    editor.change(apply="1", yaml=text.replace("percent: 10", "percent: 15"))
    assert editor.value("benefit-percent") == "15"
    assert "percent: 15" in editor.source
    page = editor.change(show="text")
    page = editor.change(apply="1", yaml=str(form_data(page)["yaml"]).replace("percent: 15}", "percent: [16"))
    assert "Line " in words(page)
    assert "percent: [16" in str(form_data(page)["yaml"])
    assert "percent: 15" in editor.source


def test_an_error_stands_at_its_line_of_the_yaml() -> None:
    editor = Editor()
    editor.change(**{"benefit-percent": "110"})
    page = words(editor.change(show="yaml"))
    assert "percent: 110} # line 7" in page
    assert "Line 7: '110' is more than 100" in page


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
    for data in (QueryDict("save=1"), QueryDict("conditions-TOTAL_FORMS=x&save=1"), sent):
        answer = editor.browser.post(editor.path, data.urlencode(), "application/x-www-form-urlencoded")
        assert answer.status_code in (200, 302)
        assert editor.source == SIMPLE


def test_payers_are_written_in_the_order_of_their_rows() -> None:
    editor = Editor()
    editor.change(**{"funding-0-by": "merchant", "funding-0-number": "5"})
    editor.change(**{"funding-1-by": "platform", "funding-1-number": "25"})
    assert editor.save()
    assert "funded_by: {merchant: 5, platform: 25}" in editor.source
    assert "Paid for in parts" in words(editor.html) or "paid for in parts" in words(editor.html)
    editor.change(**{"funding-0-by": "platform", "funding-1-by": "carrier"})
    assert editor.save(**{"funding-0-number": "1"})
    assert "funded_by: {platform: 1, carrier: 25}" in editor.source
    assert not editor.save(**{"funding-1-by": "platform"})
    assert "Another row has this already." in editor.html
    assert editor.save(**{"funding-0-number": "", "funding-1-number": ""})
    assert "funded_by" not in editor.source
