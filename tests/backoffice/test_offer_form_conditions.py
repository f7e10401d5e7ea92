"""Conditions in the offer form: rows that read as sentences, their pick lists, groups and counts."""

import pytest

from definitions import parser, yaml_roundtrip
from tests.support.members import words
from tests.support.offer_editor import SIMPLE, Editor
from tests.support.world import freight, merchant

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the editing of a text, stored as one column")]


def test_conditions_are_added_and_removed() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "base_freight"})
    assert editor.value("conditions-1-op") == "at_least"
    assert editor.save(**{"conditions-1-number": "500"})
    assert editor.conditions[1] == {"fact": "base_freight", "at_least": "500"}
    assert "# why" in editor.source
    assert editor.save(drop_row="conditions-0")
    assert editor.conditions == [{"fact": "base_freight", "at_least": "500"}]
    assert editor.save(drop_row="conditions-0")
    assert yaml_roundtrip.load(editor.source)["offers"][0]["conditions"] == "everyone"


def test_the_benefit_can_be_asked_about() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "benefit", "where-0-fact": "benefit"})
    changes = {"op": "more_than", "number": "0.00"}
    given = {f"{row}-{name}": value for row in ("conditions-1", "where-0") for name, value in changes.items()}
    assert editor.save(**given)
    assert editor.conditions[1] == {"fact": "benefit", "more_than": "0.00"}
    assert parser.read(editor.source).offers[0].asked[1].name == "nothing_to_discount"
    assert "benefit is more than 0.00" in editor.browser.get(f"/admin/drafts/{editor.draft.pk}/").content.decode()


def test_an_instant_can_be_compared_with_another_one_of_the_row() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "shipped_at"})
    page = editor.change(**{"conditions-1-op": "by"})
    assert 'name="conditions-1-time_at"' in page
    page = editor.change(**{"conditions-1-other": "departed_at"})
    assert 'name="conditions-1-time_at"' not in page
    assert editor.save()
    assert editor.conditions[1] == {"fact": "shipped_at", "by": "departed_at"}
    assert editor.value("conditions-1-other") == "departed_at"
    assert "shipped no later than departed" in editor.browser.get(f"/admin/drafts/{editor.draft.pk}/").content.decode()


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
    value = page.split('name="conditions-1-of"')[1].split('<option value="')[2].split('"')[0]
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
    assert editor.value("conditions-0-op") == "in"
    assert editor.conditions == [{"fact": "merchant.country", "in": ["CN"]}]
    assert editor.save(**{"conditions-0-values": "CN, US"})
    assert editor.conditions == [{"fact": "merchant.country", "in": ["CN", "US"]}]
    editor.change(**{"conditions-0-op": "is_not"})
    assert editor.value("conditions-0-text") == "CN"
    assert editor.conditions == [{"fact": "merchant.country", "is_not": "CN"}]


def test_in_a_new_row_the_operator_is_kept() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "line"})
    editor.change(**{"conditions-1-op": "in"})
    editor.change(**{"conditions-1-values": "x, y"})
    assert editor.value("conditions-1-op") == "in"
    assert editor.save()
    assert editor.conditions[1] == {"fact": "line", "in": ["x", "y"]}


def test_another_field_keeps_dates_and_names_values_that_do_not_apply() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "paid_at"})
    editor.change(**{"conditions-1-op": "within"})
    dates = {"conditions-1-start_at": "2022-09-01T00:00", "conditions-1-end_at": "2022-09-30T23:59"}
    editor.change(**dates)
    editor.change(**{"conditions-1-fact": "placed_at"})
    assert editor.value("conditions-1-op") == "within"
    assert editor.value("conditions-1-end_at") == "2022-09-30T23:59"
    page = words(editor.change(**{"conditions-1-fact": "base_freight"}))
    assert "will not be saved: 2022-09-01" in page
    editor.change(**{"conditions-1-fact": "placed_at", "conditions-1-op": "within"})
    assert editor.save()
    assert editor.conditions[1] == {
        "fact": "placed_at",
        "within": {"from": "2022-09-01 00:00:00", "to": "2022-09-30 23:59:59"},
    }


def test_a_window_has_a_time_zone_for_each_end() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "paid_at"})
    editor.change(**{"conditions-1-op": "within"})
    dates = {"conditions-1-start_at": "2022-09-01T00:00", "conditions-1-end_at": "2022-09-30T23:59"}
    assert editor.save(**dates, **{"conditions-1-end_zone": "Asia/Shanghai"})
    assert editor.conditions[1]["within"] == {
        "from": "2022-09-01 00:00:00",
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
    assert editor.save(**{"conditions-0-time_at": "2022-11-30T23:59"})
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


def test_a_value_nearly_like_a_known_one_is_pointed_out_and_can_be_used() -> None:
    merchant("M1")
    freight("F1", of="M1", paid_at="10", line="eu-standard")
    editor = Editor()
    editor.change(**{"conditions-1-fact": "line"})
    page = editor.change(**{"conditions-1-values": ["eu-standrad"]})
    assert "No known line “eu-standrad”. Did you mean eu-standard" in words(page)
    editor.change(use="conditions-1-values|eu-standrad|eu-standard")
    assert editor.conditions[1] == {"fact": "line", "in": ["eu-standard"]}
    assert "Did you mean" not in editor.html


def test_values_are_picked_by_name_and_removed_one_by_one() -> None:
    editor = Editor()
    editor.change(**{"conditions-0-op": "in"})
    page = editor.change(**{"conditions-0-values": ["CN", "Germany", "fr"]})
    assert [page.count(f'aria-label="Remove {name}"') for name in ("China", "Germany", "France")] == [1, 1, 0]
    assert editor.conditions == [{"fact": "merchant.country", "in": ["CN", "DE", "fr"]}]
    editor.change(drop="conditions-0-values=fr")
    assert editor.conditions == [{"fact": "merchant.country", "in": ["CN", "DE"]}]


def test_a_group_of_conditions_is_written_with_a_code_of_its_own() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "|any"})
    editor.change(**{"conditions-1-rows-0-fact": "service", "conditions-1-rows-1-fact": ""})
    editor.change(**{"conditions-1-rows-0-text": "express"})
    editor.change(**{"conditions-1-rows-1-fact": "base_freight"})
    assert editor.save(**{"conditions-1-rows-1-number": "500"}), words(editor.html)
    assert editor.conditions[1] == {
        "code": "service_or_base_freight",
        "any": [{"fact": "service", "is": "express"}, {"fact": "base_freight", "at_least": "500"}],
    }
    saved = editor.source
    assert editor.save()
    assert editor.source == saved


def test_orders_of_the_merchant_are_counted() -> None:
    editor = Editor()
    editor.change(**{"conditions-1-fact": "#freight_orders"})
    editor.change(**{"conditions-1-bound": "none"})
    editor.change(**{"conditions-1-rows-0-fact": "shipped_at"})
    editor.change(**{"conditions-1-rows-0-op": "within_hours"})
    assert editor.save(**{"conditions-1-rows-0-number": "2160"}), words(editor.html)
    counted = {"count": "freight_orders", "where": [{"fact": "shipped_at", "within_hours": "2160"}], "at_most": "0"}
    assert editor.conditions[1] == counted
    assert editor.value("conditions-1-bound") == "none"
