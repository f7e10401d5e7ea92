"""Codes of offers in the builder: an offer is found by its code, so a bad one is never written."""

from typing import Any

import pytest
from django.urls import reverse

from campaigns.models import Draft
from campaigns.offers import drafts
from definitions import yaml_roundtrip
from tests.support.html_forms import form_data
from tests.support.members import words
from tests.support.offer_editor import SIMPLE, Editor
from tests.support.world import offer, t

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the editing of a text, stored as one column")]
TWO = SIMPLE + offer("other", quota="{limit: 7}")


def codes(editor: Editor) -> list[str]:
    return [entry["code"] for entry in yaml_roundtrip.load(editor.source)["offers"]]


@pytest.mark.parametrize(
    ("typed", "message", "button"),
    [
        ("fall sale", "Use letters a to z, digits and hyphens.", ""),
        ("秋季", "Use letters a to z, digits and hyphens.", "save"),
        ("Fall", "Use letters a to z, digits and hyphens.", ""),
        ("other", "Another offer of this draft has this code.", ""),
        ("other", "Another offer of this draft has this code.", "save"),
    ],
)
def test_a_code_that_cannot_be_used_stays_in_the_form_only(typed: str, message: str, button: str) -> None:
    editor = Editor(TWO)
    pressed = {button: "1"} if button else {}
    page = editor.change(**{"basics-code": typed, "quota-limit": "5", **pressed})
    assert message in words(page)
    assert editor.value("basics-code") == typed
    assert editor.source == TWO.replace("{limit: 3}", "{limit: 5}")
    assert editor.change(**{"quota-limit": "6"}) == editor.html
    assert editor.value("basics-code") == typed
    assert editor.source == TWO.replace("{limit: 3}", "{limit: 6}")
    for name in ("draft", "draft-campaign"):
        assert editor.browser.get(reverse(f"backoffice:{name}", args=[editor.draft.pk])).status_code == 200


def test_a_code_that_follows_from_a_name_is_free() -> None:
    editor = Editor(TWO.replace("code: ten", "code: new-1").replace("en: ten", 'en: ""'), "new-1")
    editor.change(**{"basics-names_en": "Other"})
    assert codes(editor) == ["other-1", "other"]
    editor.path = editor.path.replace("new-1", "other-1")
    editor.change(**{"basics-names_en": "Other!"})
    assert codes(editor) == ["other-1", "other"]
    editor.change(**{"basics-names_en": "Another"})
    assert codes(editor) == ["another", "other"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("code: ten", "code: fall sale", "Line 1: Use letters a to z, digits and hyphens."),
        ("code: ten", "code: 秋季", "Line 1: Use letters a to z, digits and hyphens."),
        ("code: ten", "code:", "Line 1: Enter a code."),
        ("code: ten", "subject_: x", "Line 1: Enter a code."),
        ("code: ten", "code: other", "Line 1: Another offer of this draft has this code."),
        ("percent: 10}", "percent: 10}\nquota: [1]", "Line "),
        ("{limit: 3}", "[3]", "Write keys with values here, such as “key: value”."),
    ],
)
def test_a_text_without_a_usable_code_or_shape_is_not_used(old: str, new: str, message: str) -> None:
    editor = Editor(TWO)
    text = str(form_data(editor.change(show="text"))["yaml"]).replace("\r", "").replace(old, new)
    assert new in text
    page = editor.change(apply="1", yaml=text)
    assert message in words(page)
    assert str(form_data(page)["yaml"]).replace("\r", "") == text
    assert editor.source == TWO


def test_a_conflict_is_still_found_after_a_typing_error_was_corrected() -> None:
    editor = Editor()
    text = str(form_data(editor.change(show="text"))["yaml"]).replace("percent: 10", "percent: 15")
    draft = Draft.objects.get()
    theirs = draft.source.replace("{limit: 3}", "{limit: 4}")
    drafts.write(draft, theirs, was=draft.digest, at=t("02"), by="bo")
    editor.change(apply="1", yaml=text.replace("percent: 15}", "percent: [15"))
    page = words(editor.change(apply="1", yaml=text))
    assert "Saved by bo" in page
    assert "− quota: {limit: 4} (saved version)" in page
    assert editor.source == theirs
    editor.change(apply="1", yaml=text)
    assert "percent: 15" in editor.source
    assert "{limit: 3}" in editor.source


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("zone: UTC", "zone: UTC\nwindows: [abc]", "windows"),
        ("zone: UTC", "zone: UTC\nwindows: {a: b}", "windows.a"),
        ("zone: UTC", "zone: UTC\nlists: [a]", "lists"),
        ("zone: UTC", "zone: UTC\nlists: {a: b}", "lists.a"),
        ("zone: UTC", "zone: UTC\nlists: {a: {values: {x: y}}}", "lists.a.values.x"),
        ("zone: UTC", "zone: [UTC]", "zone"),
        ("names: {en: Trial, zh: 试}", "names: x", "names"),
        ("campaign: trial", "campaign: {a: b}", "campaign"),
        ("offers:\n", "offers:\n  - abc\n", "offers.0"),
    ],
)
def test_a_campaign_of_another_shape_is_mended_as_text(old: str, new: str, field: str) -> None:
    editor = Editor(SIMPLE.replace(old, new, 1))
    shown(editor, field, ["offer-form", "draft-campaign", "add-offer"])


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"names": "x"}, "names"),
        ({"names": {"en": ["x"]}}, "names.en"),
        ({"benefit": "10"}, "benefit"),
        ({"benefit": {"tiers": "x"}}, "benefit.tiers"),
        ({"benefit": {"tiers": ["x"]}}, "benefit.tiers.0"),
        ({"benefit": {"coupons": ["x"]}}, "benefit.coupons"),
        ({"benefit": {"coupons": {"valid": "x"}}}, "benefit.coupons.valid"),
        ({"claim": "paid_at"}, "claim"),
        ({"claim": {"nth": "1"}}, "claim.nth"),
        ({"claim": {"over_threshold": ["1"]}}, "claim.over_threshold"),
        ({"claim": {"at": {"by": "service", "cases": ["x"]}}}, "claim.at.cases"),
        ({"claim": {"at": {"latest_of": "x"}}}, "claim.at.latest_of"),
        ({"quota": "1"}, "quota"),
        ({"settlement": "claim"}, "settlement"),
        ({"settlement": {"at": ["x"]}}, "settlement.at"),
        ({"carriers": "x"}, "carriers"),
        ({"carriers": ["x"]}, "carriers.0"),
        ({"conditions": {"a": "b"}}, "conditions"),
    ],
)
def test_an_offer_of_another_shape_is_mended_as_text(part: dict[str, Any], field: str) -> None:
    document = yaml_roundtrip.load(TWO)
    document["offers"][0] |= part
    editor = Editor(yaml_roundtrip.dump(document))
    shown(editor, f"offers.0.{field}", ["offer-form"])
    for name in ("draft-campaign", "add-offer"):
        assert editor.browser.get(reverse(f"backoffice:{name}", args=[editor.draft.pk])).status_code == 200
    other = reverse("backoffice:offer-form", args=[editor.draft.pk, "other"])
    assert editor.browser.get(other).status_code == 200


def shown(editor: Editor, field: str, names: list[str]) -> None:
    """Check that the pages say what is to be mended, with the way to the text, and write nothing."""
    before = editor.source
    for name in names:
        args = [editor.draft.pk, "ten"] if name == "offer-form" else [editor.draft.pk]
        path = reverse(f"backoffice:{name}", args=args)
        page = Editor.get(editor.browser.get(path))
        assert "Mend the text of this draft first" in words(page)
        assert f'<span class="code">{field}</span>' in page
        assert f'href="/admin/drafts/{editor.draft.pk}/#definition"' in page
        assert editor.browser.post(path, {"save": "1", "template": "percent"}).status_code == 409
    assert editor.source == before


@pytest.mark.parametrize(
    "row",
    [
        {"in_force": ["x"], "of": ["M1"]},
        {"in_force": "embargo", "of": {"a": "b"}},
        {"any": "x"},
        {"count": "freight_orders", "where": {"a": "b"}},
        {"fact": "merchant.country", "in": {"values": [["CN"]]}},
    ],
)
def test_a_condition_of_another_shape_is_kept_as_yaml(row: dict[str, Any]) -> None:
    document = yaml_roundtrip.load(SIMPLE)
    document["offers"][0]["conditions"] = [row]
    editor = Editor(yaml_roundtrip.dump(document))
    editor.change(**{"quota-limit": "5"})
    assert editor.conditions == [row]


def test_an_offer_whose_code_is_no_address_is_listed_and_can_be_taken_out() -> None:
    editor = Editor(TWO.replace("code: ten", "code: fall sale"))
    editor.path = reverse("backoffice:draft-campaign", args=[editor.draft.pk])
    assert "Correct its code in the text" in words(editor.html)
    sent = form_data(editor.html, remove_offer="fall sale")
    assert editor.browser.post(editor.path, sent.urlencode(), "application/x-www-form-urlencoded").status_code == 302
    assert codes(editor) == ["other"]
