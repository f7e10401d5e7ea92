"""New campaigns and offers without YAML: the guide, templates, copies, and what offers share."""

import pytest
from django.test import Client

from campaigns.models import Draft
from definitions import parser, yaml_roundtrip
from tests.support.html_forms import form_data
from tests.support.members import words
from tests.support.offer_editor import SEPTEMBER, Editor
from tests.support.operators import Staff
from tests.support.world import offer, publish

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the editing of a text, stored as one column")]

NEW = {
    "names_en": "11.11 freight: up to 30 CNY off",
    "names_zh": "双11运费立减",
    "zone": "Asia/Shanghai",
    "starts": "2022-11-01",
    "ends": "2022-11-11",
}
BEGUN = """\
campaign: 1111-freight-up-to-30-cny-off
names: {en: "11.11 freight: up to 30 CNY off", zh: 双11运费立减}
zone: Asia/Shanghai
windows:
  activity: {from: 2022-11-01 00:00:00, to: 2022-11-11 23:59:59}
offers: []
"""


@pytest.fixture
def ana(staff: Staff) -> Client:
    return staff("ana", "operator")


def begin(ana: Client) -> str:
    answer = ana.post("/admin/drafts/new/", NEW)
    draft = Draft.objects.get()
    assert answer.headers["location"] == f"/admin/drafts/{draft.pk}/add-offer/"
    return str(answer.headers["location"])


def test_a_campaign_is_named_and_dated_and_its_code_follows_from_its_name(ana: Client) -> None:
    begin(ana)
    draft = Draft.objects.get()
    assert yaml_roundtrip.load(draft.source) == yaml_roundtrip.load(BEGUN)
    assert draft.title == "11.11 freight: up to 30 CNY off"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names_zh": ""}, "This field is required."),
        ({"ends": "2022-10-31"}, "The end must be after the start."),
        ({"code": "trial"}, "There is already a campaign with this code."),
        ({"names_en": "双十一"}, "Enter a code."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_begins(
    ana: Client, changes: dict[str, str], message: str
) -> None:
    publish(offer("ten"))
    answer = ana.post("/admin/drafts/new/", {**NEW, **changes})
    assert message in words(answer.content.decode())
    assert not Draft.objects.exists()


@pytest.mark.parametrize("template", ["percent", "amount", "tiers", "waiver", "coupons"])
def test_each_template_opens_as_a_form_with_the_dates_of_the_campaign(ana: Client, template: str) -> None:
    answer = ana.post(begin(ana), {"template": template})
    where = str(answer.headers["location"])
    page = ana.get(where).content.decode()
    assert 'class="error"' not in page
    added = yaml_roundtrip.load(Draft.objects.get().source)["offers"][0]
    assert added["code"] == "new-1"
    assert "activity" in yaml_roundtrip.dump(added)
    sent = form_data(page, **{"basics-names_en": "Waived", "basics-names_zh": "全免", "save": "1"})
    answer = ana.post(where, sent.urlencode(), "application/x-www-form-urlencoded")
    assert (answer.status_code == 302) == (template == "waiver")
    if template == "waiver":
        assert parser.read(Draft.objects.get().source).offers[0].code == "waived"


def test_an_offer_is_copied_within_the_draft_under_a_free_code(ana: Client) -> None:
    where = begin(ana)
    ana.post(where, {"template": "percent"})
    answer = ana.post(where, {"copy": "/new-1"})
    assert str(answer.headers["location"]).endswith("/offers/new-2/")
    first, second = yaml_roundtrip.load(Draft.objects.get().source)["offers"]
    assert {**second, "code": "new-1"} == first


def test_an_offer_of_another_campaign_brings_what_it_shares_and_keeps_its_instants(ana: Client) -> None:
    publish(SEPTEMBER.partition("offers:\n")[2], heading=SEPTEMBER.partition("offers:\n")[0])
    ana.post(begin(ana), {"copy": "september-2022/charter-5-off"})
    copied = yaml_roundtrip.load(Draft.objects.get().source)
    start = {"at": "2022-09-01 00:00:00", "zone": "America/Los_Angeles"}
    assert copied["windows"]["freight-payment"]["from"]["at"] == start["at"]
    assert copied["windows"]["freight-payment"]["from"]["zone"] == start["zone"]
    assert list(copied["lists"]) == ["charter-lines"]
    read = parser.read(Draft.objects.get().source).offers[0]
    original = parser.read(SEPTEMBER).offers
    assert read.conditions == next(entry for entry in original if entry.code == "charter-5-off").conditions


def test_a_copied_offer_brings_its_measures_and_what_they_name(ana: Client) -> None:
    heading = """campaign: spring
names: {en: Spring, zh: 春}
zone: America/Los_Angeles
windows: {base: {from: 2022-03-01 00:00:00, to: 2022-03-31 23:59:59}}
measures:
  now: {count: freight_orders, over: {period: month, at: paid_at}}
  before: {count: freight_orders, over: {period: base, at: paid_at}}
  growth: {percent: now, of: before, otherwise: 0.00}
  unused: {count: freight_orders}
"""
    text = offer("grown", conditions="[{measure: growth, at_least: 110.00}]")
    publish(text, heading=heading)
    ana.post(begin(ana), {"copy": "spring/grown"})
    source = Draft.objects.get().source
    copied = yaml_roundtrip.load(source)
    assert sorted(copied["measures"]) == ["before", "growth", "now"]
    assert copied["zone"] != "America/Los_Angeles"
    read = parser.read(source).offers[0]
    assert read.conditions == parser.read(f"{heading}offers:\n{text}").offers[0].conditions


def test_an_offer_that_does_not_exist_is_not_copied(ana: Client) -> None:
    where = begin(ana)
    before = Draft.objects.get().source
    assert ana.post(where, {"copy": "/none"}).status_code == 404
    assert ana.post(where, {"copy": "none/none"}).status_code == 404
    assert Draft.objects.get().source == before


def test_the_campaign_of_a_draft_is_saved_without_a_change_as_it_was() -> None:
    editor = Editor(SEPTEMBER, "charter-5-off")
    editor.path = f"/admin/drafts/{editor.draft.pk}/campaign/"
    assert editor.save(), words(editor.html)
    assert editor.source == SEPTEMBER


def test_measures_are_shared_by_offers() -> None:
    editor = Editor()
    offer_path, editor.path = editor.path, f"/admin/drafts/{editor.draft.pk}/campaign/"
    names = {"measures-0-key": "paid", "measures-0-names_en": "Orders paid", "measures-0-names_zh": "已付订单"}
    text = "count: freight_orders\nover: {last_days: 90, at: paid_at}"
    assert not editor.save(**names, **{"measures-0-text": "count"})
    assert editor.save(**{"measures-0-text": text})
    assert editor.save(**{"measures-0-text": text.replace("last_days: 90", "period: month")})
    saved = yaml_roundtrip.load(editor.source)
    over = {"period": "month", "at": "paid_at"}
    assert saved["measures"] == {
        "paid": {"names": {"en": "Orders paid", "zh": "已付订单"}, "count": "freight_orders", "over": over}
    }
    editor.path, editor.html = offer_path, ""
    editor.change(**{"conditions-1-fact": "~paid"})
    assert editor.save(**{"conditions-1-op": "more_than", "conditions-1-number": "3"})
    assert editor.conditions[1] == {"measure": "paid", "more_than": "3"}
    page = editor.browser.get(f"/admin/drafts/{editor.draft.pk}/").content.decode()
    assert "Orders paid (number of freight orders; paid in the same calendar month (UTC time)) is more than 3" in page


def test_windows_and_lists_are_shared_by_offers() -> None:
    editor = Editor()
    editor.path = f"/admin/drafts/{editor.draft.pk}/campaign/"
    dates = {"windows-0-from_at": "2022-11-01T00:00", "windows-0-to_at": "2022-11-11T23:59"}
    values = {"lists-0-values-0-value": "eu-1", "lists-0-values-0-en": "Europe", "lists-0-values-0-zh": "欧洲"}
    names = {"lists-0-names_en": "lines to Europe", "lists-0-names_zh": "欧洲线路"}
    assert editor.save(**{"windows-0-key": "days", "lists-0-key": "europe"}, **dates, **values, **names)
    saved = yaml_roundtrip.load(editor.source)
    assert saved["windows"] == {"days": {"from": "2022-11-01 00:00:00", "to": "2022-11-11 23:59:59"}}
    assert saved["lists"]["europe"] == {
        "names": {"en": "lines to Europe", "zh": "欧洲线路"},
        "values": {"eu-1": {"en": "Europe", "zh": "欧洲"}},
    }
    assert parser.read(editor.source).lists["europe"].values == ("eu-1",)


@pytest.mark.parametrize("given", ["en", "zh"])
def test_a_name_in_one_language_alone_is_refused(given: str) -> None:
    editor = Editor()
    editor.path = f"/admin/drafts/{editor.draft.pk}/campaign/"
    before = editor.source
    typed = {"lists-0-key": "europe", "lists-0-values-0-value": "eu-1"}
    typed |= {f"lists-0-names_{given}": "Lines", f"lists-0-values-0-{given}": "Europe"}
    assert not editor.save(**typed)
    assert words(editor.html).count("Enter a name.") >= 2
    sent = form_data(editor.html)
    assert {name: sent[name] for name in typed} == typed  # nothing that was typed is lost
    assert editor.source == before


def test_an_offer_is_taken_out_of_the_draft() -> None:
    editor = Editor(SEPTEMBER, "charter-5-off")
    editor.path = f"/admin/drafts/{editor.draft.pk}/campaign/"
    assert editor.get(editor.browser.get(editor.path))
    data = form_data(editor.html, remove_offer="charter-5-off")
    assert editor.browser.post(editor.path, data.urlencode(), "application/x-www-form-urlencoded").status_code == 302
    left = [entry["code"] for entry in yaml_roundtrip.load(editor.source)["offers"]]
    assert "charter-5-off" not in left
    assert len(left) == 8
