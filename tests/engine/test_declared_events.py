"""Kinds of event: declared in a definition, imported, counted, and the subjects of offers."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import translation

from campaigns.eligibility.explanations import explain
from campaigns.offers import published_offers
from definitions import parser
from definitions.errors import DefinitionError
from definitions.offer_sentences import describe_terms
from events.models import Event
from tests.support.importing import import_text
from tests.support.world import HEADING, coupons, freight, grants, merchant, offer, publish, review, states, t, tick

pytestmark = pytest.mark.django_db

DECLARED = """events:
  webinar_attended:
    names: {en: Webinar attended, zh: 参加线上课程}
    attributes:
      minutes: {type: number, names: {en: Minutes, zh: 时长（分钟）}}
  store_visited:
    names: {en: Store visited, zh: 到访店铺}
    attributes:
      minutes: {type: number, names: {en: Minutes, zh: 时长（分钟）}}
      source: {type: choice, names: {en: Source, zh: 来源}, values: {ad: {en: Advertisement, zh: 广告}}}
"""
LONG = "{fact: kind, is: webinar_attended}, {fact: attributes.minutes, at_least: 30}"
COUNTED = f"[{{code: webinars, count: events, where: [{LONG}, {{fact: at, within: activity}}], at_least: 2}}]"
WINDOWS = "windows: {activity: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}}\n"
FILE = "event_no,kind,merchant_code,at,attributes.minutes,attributes.source\n"
COUPONS = (
    "{coupons: {count: 1, value: 5.00, currency: CNY, valid: {from: 2022-09-01 00:00:00, to: 2022-12-31 23:59:59},"
    " where: [{fact: service, is: express}]}}"
)


def event(number: str, minutes: str, at: str = "2022-09-03T10:00:00Z", *, kind: str = "webinar_attended") -> str:
    return f"{number},{kind},M1,{at},{minutes},\n"


def record(folder: Path, *rows: str) -> None:
    assert not import_text("events", FILE + "".join(rows), folder).errors


def test_events_are_counted_on_both_sides_of_every_bound(tmp_path: Path) -> None:
    publish(offer("o", conditions=COUNTED), heading=HEADING + WINDOWS + DECLARED)
    merchant()
    late = "2022-09-05T00:00:01Z"  # the claim is at 00:00:00
    rows = [event("1", "30"), event("2", "29.9999"), event("3", "90", kind="store_visited"), event("4", "60", late)]
    record(tmp_path, *rows, event("5", "45", "2022-08-31T23:59:59Z"))
    freight("A", paid_at="05")
    tick("06")
    assert states("o") == {}
    [refused] = [one for one in explain(published_offers.find("o"), "A", at=t("06")).conditions if not one.passed]
    assert (refused.name, refused.found, refused.shortfall) == ("webinars", 1, 1)
    freight("B", paid_at="06")
    tick("07")
    assert states("o") == {"B": "settled"}
    record(tmp_path, event("4", "29", late))
    tick("08")
    assert review("B")
    [found] = [one for one in explain(published_offers.find("o"), "B", at=t("08")).conditions if one.name == "webinars"]
    assert (found.passed, found.found, found.holds_now) == (True, 1, False)


def test_an_event_is_a_subject(tmp_path: Path) -> None:
    text = offer("o", subject="event", where=f"[{LONG}]", claim="{at: at}", benefit=COUPONS, settlement="")
    publish(text.replace("[{fact: merchant.country, is: CN}]", "everyone"), heading=HEADING + DECLARED)
    merchant()
    record(tmp_path, event("1", "30"), event("2", "29"))
    tick("06")
    assert grants() == {("o", "1"): "settled 5.00 CNY"}
    assert coupons() == {"issued": 1}
    assert explain(published_offers.find("o"), "1", at=t("06")).claimed_at == t("03 10:00")
    [minutes] = [
        one for one in explain(published_offers.find("o"), "2", at=t("06")).conditions if "minutes" in one.name
    ]
    assert (minutes.passed, minutes.found, minutes.shortfall) == (False, Decimal(29), Decimal(1))


def test_sentences_name_kinds_and_attributes() -> None:
    [version] = publish(offer("o", conditions=COUNTED), heading=HEADING + WINDOWS + DECLARED)
    terms = published_offers.terms_of(version)
    assert (
        describe_terms(terms)
        .conditions[0]
        .startswith("at least 2 events with: kind of event is Webinar attended, Minutes is at least 30 and ")
    )
    with translation.override("zh-hans"):
        assert "参加线上课程" in describe_terms(terms).conditions[0]


def test_kinds_and_their_attributes_are_checked(tmp_path: Path) -> None:
    merchant()
    unknown = import_text(
        "events", "event_no,kind,merchant_code,at\n1,webinar_attended,M1,2022-09-01T00:00Z\n", tmp_path
    )
    assert [error[1:] for error in unknown.errors] == [
        ("kind", "webinar_attended", "is not a declared kind of event: publish the definition that declares it")
    ]
    publish(offer("o"), heading=HEADING + DECLARED)
    rows = [
        event("1", "30", kind="webinar_atended"),
        "2,webinar_attended,M1,2022-09-01T00:00Z,30,ad\n",
        "3,store_visited,M1,2022-09-01T00:00Z,30,ad\n",
        "4,store_visited,M1,,soon,mail\n",
    ]
    assert import_text("events", FILE + "".join(rows), tmp_path).errors == [
        (
            2,
            "kind",
            "webinar_atended",
            "is not a declared kind of event: publish the definition that declares it; is it “webinar_attended”?",
        ),
        (3, "attributes.source", "ad", "is no attribute of webinar_attended; leave the cell empty"),
        (5, "at", "", "is empty"),
        (5, "attributes.minutes", "soon", "is not a number such as 12.5"),
        (5, "attributes.source", "mail", "is none of ad"),
    ]
    assert not Event.objects.exists()
    record(tmp_path, rows[2])
    assert Event.objects.get().attributes == {"minutes": "30.0000", "source": "ad"}


MISTAKES = {
    "{fact: kind, is: webinar}": "kind is never 'webinar'; known are: webinar_attended, store_visited",
    "{fact: attributes.minute, at_least: 1}": "did you mean 'attributes.minutes'?",
    "{fact: merchant.attributes.minutes, at_least: 1}": "events have no fact 'merchant.attributes.minutes'",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_name_what_is_known(mistake: str) -> None:
    counted = f"[{{count: events, where: [{mistake}], at_least: 1}}]"
    with pytest.raises(DefinitionError) as raised:
        parser.read(f"{HEADING}{DECLARED}offers:\n{offer('o', conditions=counted)}")
    [problem] = raised.value.problems
    assert MISTAKES[mistake] in problem.message
    assert problem.field.startswith("offers.0.conditions.0.where.0.")


def test_kinds_that_share_an_attribute_agree_on_it() -> None:
    two = DECLARED.replace("minutes: {type: number", "minutes: {type: text", 1)
    with pytest.raises(DefinitionError) as raised:
        parser.read(f"{HEADING}{two}offers:\n{offer('o')}")
    [problem] = raised.value.problems
    assert problem.field == "events.store_visited.attributes.minutes"
    assert problem.message == "minutes of webinar_attended has another type or other choices"
