"""Removing, renaming and replacing in the builder: the words from before leave the text of the draft."""

from typing import Any

import pytest
from django.urls import reverse

from definitions import yaml_roundtrip
from tests.support.html_forms import form_data
from tests.support.members import words
from tests.support.offer_editor import SIMPLE, Editor
from tests.support.world import HEADING, offer

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the editing of a text, stored as one column")]
SHARED = """\
windows:
  first: {from: 2022-09-01 00:00:00, to: 2022-09-02 23:59:59}  # kept
  second: {from: 2022-09-03 00:00:00, to: 2022-09-04 23:59:59}
lists:
  lines: {values: {a: {en: A, zh: 甲}, b: {en: B, zh: 乙}}}
  plain: [x, y]
  partly: {values: [v, w], labels: {v: {en: V, zh: 五}}}
"""
SOURCE = SIMPLE.replace("offers:\n", f"{SHARED}offers:\n")


def campaign(source: str = SOURCE) -> Editor:
    editor = Editor(source)
    editor.path = reverse("backoffice:draft-campaign", args=[editor.draft.pk])
    return editor


def test_a_campaign_with_short_lists_is_saved_without_a_change_as_it_was() -> None:
    editor = campaign()
    assert editor.save(), words(editor.html)
    assert editor.source == SOURCE


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({}, "2022-09-04 00:00:00"),
        ({"windows-1-to_at": "2022-09-04T00:00"}, "2022-09-04 00:00:00"),  # as a browser sends the same time
        ({"windows-1-to_at": "2022-09-04T00:01"}, "2022-09-04 00:01:59"),
    ],
)
def test_the_seconds_of_an_end_that_is_not_changed_are_kept(typed: dict[str, str], stored: str) -> None:
    editor = campaign(SOURCE.replace("to: 2022-09-04 23:59:59", "to: 2022-09-04 00:00:00"))
    assert editor.save(**typed), words(editor.html)
    assert str(yaml_roundtrip.load(editor.source)["windows"]["second"]["to"]) == stored


@pytest.mark.parametrize(
    ("changes", "where", "left"),
    [
        ({"windows-1-DELETE": "on"}, ("windows",), ["first"]),
        ({"windows-1-key": "third"}, ("windows",), ["first", "third"]),
        ({"lists-1-DELETE": "on"}, ("lists",), ["lines", "partly"]),
        ({"lists-1-key": "named"}, ("lists",), ["lines", "partly", "named"]),
        ({"lists-0-values-0-DELETE": "on"}, ("lists", "lines", "values"), ["b"]),
        ({"lists-0-values-1-value": "c"}, ("lists", "lines", "values"), ["a", "c"]),
        ({"lists-2-values-0-value": "u"}, ("lists", "partly", "labels"), ["u"]),
    ],
)
def test_what_is_removed_or_renamed_leaves_the_text(changes: dict[str, str], where: tuple[str, ...], left: Any) -> None:
    editor = campaign()
    assert editor.save(**changes), words(editor.html)
    found = yaml_roundtrip.load(editor.source)
    for word in where:
        found = found[word]
    assert list(found) == left
    assert "first: {from: 2022-09-01 00:00:00, to: 2022-09-02 23:59:59}  # kept" in editor.source


@pytest.mark.parametrize(
    ("field", "value"),
    [("windows-1-key", "first"), ("lists-1-key", "lines"), ("lists-0-values-1-value", "a")],
)
def test_a_key_that_another_row_has_is_refused_at_its_field(field: str, value: str) -> None:
    editor = campaign()
    assert not editor.save(**{field: value})
    assert "Another row has this already." in words(editor.html)
    assert f'href="#id_{field}"' in editor.html
    assert editor.value(field) == value
    assert editor.source == SOURCE


def test_another_form_of_a_moment_replaces_the_one_before() -> None:
    at = "{at: {latest_of: [paid_at, shipped_at]}}"
    editor = Editor(f"{HEADING}offers:\n{offer('ten', settlement=at)}")
    editor.change(**{"settlement-at-kind": "|day_after"})
    editor.change(**{"settlement-at-day_after": "shipped_at"})
    assert settled(editor) == {"day_after": "shipped_at", "zone": "UTC"}
    editor.change(**{"settlement-at-kind": "|by"})
    editor.change(**{"settlement-at-by": "service"})
    first, second = [name for name in form_data(editor.html) if name.endswith("-kind") and "case-" in name][:2]
    editor.change(**{first: "paid_at", second: "shipped_at"})
    assert set(settled(editor)) == {"by", "cases"}
    assert sorted(settled(editor)["cases"].values()) == ["paid_at", "shipped_at"]
    editor.change(**{first: ""})
    assert list(settled(editor)["cases"].values()) == ["shipped_at"]
    editor.change(**{"settlement-at-kind": "|latest_of"})
    assert settled(editor) == {"latest_of": ["paid_at", "shipped_at"]}


def settled(editor: Editor) -> Any:
    return yaml_roundtrip.load(editor.source)["offers"][0]["settlement"]["at"]
