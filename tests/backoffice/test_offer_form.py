"""An offer as a form and as text: always in step, what was not touched stays as it was written."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client

from backoffice.offer_form.fields import Campaign, Input
from backoffice.offer_form.layout import sheet
from backoffice.offer_form.save import Filled, fill
from campaigns.models import Draft
from campaigns.offers import drafts
from definitions import bundled, parser, yaml_roundtrip
from tests.support.members import words
from tests.support.world import HEADING, offer, t

PATH = bundled.path("september-2022")
assert PATH is not None
SEPTEMBER = PATH.read_text(encoding="utf-8")


def inputs(one: Any, data: Any) -> Iterator[Input]:
    for section in sheet(one, Campaign(data["zone"], list(data.get("windows", ())), list(data.get("lists", ())))):
        yield from section.inputs
        for line in section.lines:
            yield from line.inputs


def sent(one: Any, data: Any, **changes: Any) -> QueryDict:
    """What a browser sends of the form as it is shown, but for some inputs."""
    found = QueryDict(mutable=True)
    for each in inputs(one, data):
        found.setlist(each.name, list(each.value) if each.kind == "checks" else [str(each.value)])
    for name, value in changes.items():
        found.setlist(name, value if isinstance(value, list) else [value])
    return found


def filled(source: str, code: str, **changes: Any) -> str:
    data = yaml_roundtrip.load(source)
    [one] = [one for one in data["offers"] if one["code"] == code]
    fill(one, Filled(sent(one, data, **changes), data["zone"]))
    return yaml_roundtrip.dump(data)


def changed(source: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    old, new = source.splitlines(), after.splitlines()
    return [line.strip() for line in old if line not in new], [line.strip() for line in new if line not in old]


@pytest.mark.parametrize("code", [one.code for one in parser.read(SEPTEMBER).offers])
def test_what_nobody_touches_stays_as_it_was_written(code: str) -> None:
    assert filled(SEPTEMBER, code) == SEPTEMBER


@pytest.mark.parametrize(
    ("code", "changes", "went", "came"),
    [
        ("charter-5-off", {"quota.limit": "8000"}, ["quota: {limit: 10000}"], ["quota: {limit: 8000}"]),
        ("charter-5-off", {"quota.limit": ""}, ["quota: {limit: 10000}"], []),
        (
            "charter-5-off",
            {"benefit.percent": "7.5"},
            ["benefit: {fee: freight, percent: 5}"],
            ["benefit: {fee: freight, percent: 7.5}"],
        ),
    ],
)
def test_one_value_changes_one_line(code: str, changes: dict[str, Any], went: list[str], came: list[str]) -> None:
    after = filled(SEPTEMBER, code, **changes)
    gone, new = changed(SEPTEMBER, after)
    assert [line for line in gone if "quota" in line or "benefit" in line] == went
    assert new == came
    parser.read(after)


SIMPLE = f"{HEADING}offers:\n{offer('ten', conditions='[{fact: merchant.country, is: CN}]  # why', quota='{limit: 3}')}"


def conditions(source: str) -> list[dict[str, Any]]:
    return [dict(one) for one in yaml_roundtrip.load(source)["offers"][0]["conditions"]]


def test_a_condition_is_added_in_two_steps_and_taken_away() -> None:
    chosen = filled(SIMPLE, "ten", **{"conditions.1.fact": "base_freight"})
    assert conditions(chosen)[1] == {"fact": "base_freight", "at_least": ""}
    valued = filled(chosen, "ten", **{"conditions.1.value": "500"})
    assert conditions(valued)[1] == {"fact": "base_freight", "at_least": "500"}
    assert parser.read(valued).offers[0].asked[1].at_least == 500  # type: ignore[union-attr]
    less = filled(valued, "ten", **{"conditions.0.delete": "on"})
    assert conditions(less) == [{"fact": "base_freight", "at_least": "500"}]
    none = filled(less, "ten", **{"conditions.0.delete": "on"})
    assert yaml_roundtrip.load(none)["offers"][0]["conditions"] == "everyone"
    again = filled(none, "ten", **{"conditions.0.fact": "=membership"})
    assert conditions(again)[0]["in_force"] == "membership"


def test_another_operator_asks_for_a_value_of_its_own_kind() -> None:
    start = filled(SIMPLE, "ten", **{"conditions.1.fact": "paid_at"})
    assert conditions(start)[1] == {"fact": "paid_at", "happened": "yes"}
    window = filled(start, "ten", **{"conditions.1.op": "within"})
    assert conditions(window)[1] == {"fact": "paid_at", "within": {"from": "", "to": ""}}
    dated = filled(
        window,
        "ten",
        **{
            "conditions.1.value.from.at": "2022-09-01T00:00",
            "conditions.1.value.to.at": "2022-09-30T23:59:59",
            "conditions.1.value.to.zone": "Asia/Shanghai",
        },
    )
    assert conditions(dated)[1]["within"] == {
        "from": {"at": "2022-09-01 00:00:00"},
        "to": {"at": "2022-09-30 23:59:59", "zone": "Asia/Shanghai"},
    }
    parser.read(dated)


def test_the_twin_of_a_time_that_is_changed_goes_on_telling_the_truth() -> None:
    text = SIMPLE.replace(
        "{fact: merchant.country, is: CN}",
        "{fact: paid_at, by: {at: 2022-09-30 23:59:59, zone: America/Los_Angeles, "
        "twin: {at: 2022-10-01 14:59:59, zone: Asia/Shanghai}}}",
    )
    after = filled(text, "ten", **{"conditions.0.value.at": "2022-11-30T23:59:59"})
    assert conditions(after)[0]["by"] == {
        "at": "2022-11-30 23:59:59",
        "zone": "America/Los_Angeles",
        "twin": {"at": "2022-12-01 15:59:59", "zone": "Asia/Shanghai"},
    }


def test_lists_and_windows_of_the_campaign_can_be_chosen() -> None:
    source = "lists: {near: {names: {en: near, zh: 近}, values: [a, b]}}\n"
    source = SIMPLE.replace("offers:", f"{source}offers:", 1)
    start = filled(source, "ten", **{"conditions.1.fact": "line"})
    several = filled(start, "ten", **{"conditions.1.op": "in"})
    listed = filled(several, "ten", **{"conditions.1.list": "near"})
    assert conditions(listed)[1] == {"fact": "line", "in": "near"}
    own = filled(listed, "ten", **{"conditions.1.list": "·"})
    typed = filled(own, "ten", **{"conditions.1.value": "x, y"})
    assert conditions(typed)[1] == {"fact": "line", "in": ["x", "y"]}
    parser.read(typed)


@pytest.mark.parametrize(
    ("form", "then"),
    [
        ("amount", {"benefit.amount": "50", "benefit.currency": "CNY"}),
        (
            "tiers",
            {
                "benefit.tiers.0.from": "500",
                "benefit.tiers.0.off": "50",
                "benefit.tiers.0.unit": "amount",
                "benefit.tiers.1.from": "800",
                "benefit.tiers.1.off": "100",
                "benefit.tiers.1.unit": "amount",
            },
        ),
        (
            "coupons",
            {
                "benefit.count": "8",
                "benefit.value": "25",
                "benefit.from.at": "2022-10-15T00:00",
                "benefit.to.at": "2022-12-31T00:00",
                "settlement.raw": "",
            },
        ),
    ],
)
def test_another_form_of_benefit(form: str, then: dict[str, str]) -> None:
    start = filled(SIMPLE, "ten", **{"benefit.form": form})
    after = filled(start, "ten", **then)
    found = parser.read(after).offers[0]
    assert (found.bundle is not None) == (form == "coupons")
    if form == "tiers":
        assert [(tier.from_, tier.amount) for tier in found.benefit.tiers] == [(500, 50), (800, 100)]  # type: ignore[union-attr]


@pytest.fixture
def draft(db: None) -> Draft:
    return drafts.begin(SIMPLE, title="Ten", at=t("01"), by="ana")


@pytest.fixture
def ana(db: None) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(User.objects.create_superuser("ana"))
    return browser


def post(browser: Client, draft: Draft, **changes: Any) -> Any:
    data = yaml_roundtrip.load(draft.source)
    body = sent(data["offers"][0], data, was=draft.digest, **changes)
    return browser.post(f"/admin/drafts/{draft.pk}/offers/ten/", body.urlencode(), "application/x-www-form-urlencoded")


def test_looking_writes_nothing_and_saving_does(ana: Client, draft: Draft) -> None:
    shown = words(post(ana, draft, **{"benefit.percent": "12"}).content.decode())
    assert "12% off the freight" in shown
    draft.refresh_from_db()
    assert draft.source == SIMPLE
    assert post(ana, draft, **{"benefit.percent": "12", "save": "1"}).status_code == 302
    draft.refresh_from_db()
    assert parser.read(draft.source).offers[0].benefit.percent == 12  # type: ignore[union-attr]
    assert "# why" in draft.source


def test_what_is_wrong_stands_at_its_place(ana: Client, draft: Draft) -> None:
    page = post(ana, draft, **{"quota.limit": "0"}).content.decode()
    place = page.index('name="quota.limit"')
    assert "greater than or equal to 1" in page[place : place + 400]
    assert "It says nothing yet" in page
    page = post(ana, draft, **{"settlement.raw": "at: [paid"}).content.decode()
    assert "not YAML" in page
    draft.refresh_from_db()
    assert draft.source == SIMPLE


def test_two_who_write_at_once_do_not_undo_each_other(ana: Client, draft: Draft) -> None:
    seen = Draft.objects.get(pk=draft.pk)
    drafts.write(draft, SIMPLE.replace("percent: 10", "percent: 11"), was=draft.digest, at=t("02"), by="bo")
    page = post(ana, seen, **{"quota.limit": "5", "save": "1"}).content.decode()
    assert "Somebody else changed this draft meanwhile" in page
    draft.refresh_from_db()
    assert "limit: 3" in draft.source
