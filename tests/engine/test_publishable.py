"""Every offer that can be published can be ticked: publishing runs its queries, and refuses one that fails."""

import io
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from campaigns.allowances import collecting, entitlements, holdings, settling
from campaigns.eligibility import audience, claims, explanations
from campaigns.models import AuditEvent, Campaign, Document, Issuance, Offer, Tag, TickStep, Version
from campaigns.offers import published_offers, publishing
from campaigns.scorecards import affected
from core.facts import FEES, SUBJECTS, Collection, Fact, countable
from definitions import parser
from definitions.errors import DefinitionError
from tests.support.allowances import allowance
from tests.support.scenarios import threshold_offer
from tests.support.scorecards import STARS
from tests.support.world import HEADING, PUBLISHED, draw, freight, merchant, offer, publish, receipt, t, tick, trade

pytestmark = pytest.mark.django_db

VALUES = {
    "money": ["at_least: 5.00", "less_than: 999999999999.99"],
    "number": ["at_least: 5", "at_most: 999999999999"],
    "flag": ["is: yes"],
    "text": ["is: x", "not_in: [x, y]", "in_reference: x"],
    "choice": ["in_reference: x"],
    "instant": [
        "within: {from: 1970-01-01 00:00:00, to: 2200-12-31 23:59:59}",
        "by: 2200-12-31 23:59:59",
        "not_before: 1970-01-01 00:00:00",
        "not_before: claim",
        "within_hours: 876000",
        "happened: yes",
        "happened: no",
    ],
}


def facts() -> None:
    """One row of each kind, with its instants at both ends of what is accepted."""
    merchant()
    freight("F", placed_at="1970-01-01", paid_at="2022-09-02", shipped_at="2200-12-31")
    trade("T", drafted_at="1970-01-01", port_data_at="2200-12-31 23:00")
    receipt("R", "T", "1970-01-01")
    draw("D", "2200-12-31")


def samples(collection: Collection) -> list[Fact]:
    """A column of each kind, and the derived facts."""
    columns = {fact.kind: fact for fact in collection.facts.values() if not fact.derived}
    return [*columns.values(), *(fact for fact in collection.facts.values() if fact.derived)]


def comparisons(collection: Collection) -> list[str]:
    return [
        f"{{fact: {fact.name}, {operator}, code: c{n}}}"
        for n, (fact, operator) in enumerate(
            (fact, operator) for fact in samples(collection) for operator in VALUES[fact.kind]
        )
    ]


def instants(collection: Collection) -> list[Fact]:
    return [fact for fact in samples(collection) if fact.kind == "instant"]


def moments(collection: Collection) -> Iterator[str]:
    names = [fact.name for fact in instants(collection)]
    for name in names:
        yield from (name, f"{{day_after: {name}, zone: Asia/Shanghai}}", f"{{latest_of: [{name}, {names[0]}]}}")


PLACES = ("at", "locked_at", "released_by", "revoked_by")
DERIVING = ("freight_order", "trade_order")
"""Subjects that meet every moment in every place: one without derived facts, and one with."""


MEASURED = "of: {measure: {sum: trade_orders.amount_usd, over: {period: own, at: shipped_at}}}, "
EACH = "each: month, during: {from: 2022-09-01 00:00:00, to: 2022-12-31 23:59:59}, "


def claim(collection: Collection, moment: str) -> str:
    return f"{{{EACH if collection.bounds else ''}at: {moment}}}"


def definitions(subject: str) -> Iterator[str]:
    """Each operator in each place of an offer where it can stand, on a fact of each kind; and each derived fact.

    Freight orders count the rows of every collection, the other subjects those of a few each.
    """
    position, collection = list(SUBJECTS).index(subject), SUBJECTS[subject]
    fee = next((fee for fee in FEES.values() if fee.subject == subject and not fee.rated), None)
    if fee is None:
        yield from of_merchants() if subject == "merchant" else ()
        return
    usual = {
        "subject": subject,
        "claim": claim(collection, instants(collection)[0].name),
        "conditions": "everyone",
        "benefit": f"{{fee: {fee.name}, {MEASURED if fee.measured else ''}percent: 10}}",
        "settlement": "",
    }
    conditions = ", ".join(comparisons(collection))
    yield offer("o", **usual | {"where": f"[{conditions}]"}).replace("not_before: claim", "happened: yes")
    yield offer("o", **usual | {"conditions": f"[{conditions}]"})
    for n, moment in enumerate(moments(collection)):
        yield offer("o", **usual | {"claim": claim(collection, moment)})
        for place in PLACES if subject in DERIVING else (PLACES[(n + position) % len(PLACES)],):
            course = f"{{at: {instants(collection)[0].name}, {place}: {moment}}}"
            yield offer(
                "o", **usual | {"settlement": course.replace(f"at: {instants(collection)[0].name}, at:", "at:")}
            )
    for state in ("membership", "penalty"):
        for fact in instants(collection):
            kind = {"membership": "global_pass", "penalty": "embargo"}[state]
            yield offer("o", **usual | {"conditions": f"[{{in_force: {state}, of: [{kind}], at: {fact.name}}}]"})
    first, step = (0, 1) if subject == "freight_order" else (position, len(SUBJECTS))
    for name, counted in [*countable().items()][first::step]:
        conditions = ", ".join(comparison for comparison in comparisons(counted) if "claim" not in comparison)
        count = f"[{{count: {name}, where: [{conditions}], at_least: 2}}]"
        yield offer("o", **usual | {"conditions": count})


def of_merchants() -> Iterator[str]:
    coupons = (
        "{coupons: {count: 1, value: 5.00, currency: CNY, valid: {from: 2022-09-01 00:00:00, to: 2200-12-31 23:59:59},"
        " where: [%s]}}"
    )
    express = "{fact: service, is: express}"
    usual = {"subject": "merchant", "conditions": "everyone", "settlement": ""}
    for name, counted in countable().items():
        for fact in instants(counted):
            nth = f"{{nth: {{number: 1, of: {name}, at: {fact.name}, where: [{{fact: {fact.name}, happened: yes}}]}}}}"
            yield offer("o", **usual | {"claim": nth, "benefit": coupons % express})
        for fact in instants(counted)[:1]:
            conditions = ", ".join(comparison for comparison in comparisons(counted) if "claim" not in comparison)
            nth = f"{{nth: {{number: 1, of: {name}, at: {fact.name}, where: [{conditions}]}}}}"
            yield offer("o", **usual | {"claim": nth, "benefit": coupons % express})
            # Conditions as of a claim that is itself found in a subquery: three queries inside each other.
            asked = f"[{{count: {name}, where: [{conditions}], at_least: 2}}, {{in_force: penalty, of: [embargo]}}]"
            yield offer("o", **usual | {"claim": nth, "benefit": coupons % express, "conditions": asked})


FEES_OF = {subject: [fee for fee in FEES.values() if fee.subject == subject] for subject in SUBJECTS}
ON_BOTH = ("freight_order", "trade_order", "merchant")
ONCE = pytest.mark.once(reason="subjects of the same parts as those that are tried on both databases")


@pytest.mark.parametrize(
    "subject", [pytest.param(name, marks=[] if name in ON_BOTH else [ONCE]) for name in sorted(SUBJECTS)]
)
def test_every_published_offer_can_be_ticked(subject: str) -> None:
    facts()
    published = 0
    for text in definitions(subject):
        try:
            publish(text)
        except DefinitionError:
            continue
        published += 1
        tick("2200-12-31 23:30")
        explained = published_offers.find("o")
        subjects = list(claims.all_rows(explained).values_list("pk", flat=True))
        explanations.explain_all(explained, subjects, at=t("2200-12-31 23:30"))
    assert published > (5 if FEES_OF[subject] or subject == "merchant" else -1)
    assert not TickStep.objects.exclude(tries=0).exists()


def stored() -> list[int]:
    return [model._default_manager.count() for model in (Campaign, Offer, Version, Issuance, AuditEvent)]


def fail(*_args: object, **_named: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM merchants_merchant")
    return 0


@pytest.mark.parametrize("query", [(claims, "with_failed_conditions"), (claims, "read"), (audience, "size")])
def test_an_offer_with_a_query_that_fails_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch, query: tuple[ModuleType, str]
) -> None:
    merchant()
    publish(offer("a"))
    before = stored()
    monkeypatch.setattr(*query, fail)
    with pytest.raises(ValueError, match=r"offer b cannot be evaluated: .*no_such_column"):
        publish(offer("b"))
    assert stored() == before
    monkeypatch.undo()
    tick("05")
    assert [row.code for row in Offer.objects.exclude(version=None)] == ["a"]


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ((settling, "with_allowances"), allowance("d", "mail")),
        ((collecting, "passing"), allowance("d", "mail", collected="yes")),
        ((holdings, "evaluate"), allowance("d", "mail")),
        ((entitlements, "_rows"), "  - {code: d, names: {en: d, zh: d}, holder: buyer, conditions: everyone}\n"),
        ((affected, "affected"), STARS.replace("code: stars", "code: d")),
    ],
)
def test_a_document_with_a_query_that_fails_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch, query: tuple[ModuleType, str], document: str
) -> None:
    kind = "entitlements" if "holder" in document else "allowances"
    text = HEADING + (document if "scorecards:" in document else f"{kind}:\n{document}")
    monkeypatch.setattr(*query, fail)
    with pytest.raises(ValueError, match=r"document d cannot be evaluated: .*no_such_column"):
        publishing.publish(parser.read(text), source=text, at=PUBLISHED, by="test")
    assert not Document.objects.exists()
    monkeypatch.undo()
    publishing.publish(parser.read(text), source=text, at=PUBLISHED, by="test")


def test_a_scorecard_does_not_make_the_tick_catch_up_for_years() -> None:
    daily = STARS.replace(
        "{every: month, from: 2022-08-01 00:00:00, in_force: {month_from: 5}}",
        "{every: day, from: 2019-11-05 00:00:00}",
    )
    text = HEADING + daily
    with pytest.raises(ValueError, match="more than 1000 official evaluations"):
        publishing.publish(parser.read(text), source=text, at=PUBLISHED, by="test")
    text = text.replace("2019-11-05", "2019-11-06")
    publishing.publish(parser.read(text), source=text, at=PUBLISHED, by="test")


def test_the_rehearsal_leaves_nothing_behind() -> None:
    facts()
    publish(threshold_offer())
    assert not Tag.objects.exists()


def load(text: str, folder: Path) -> str:
    path, err = folder / "trial.yaml", io.StringIO()
    path.write_text(f"{HEADING}offers:\n{text}", encoding="utf-8")
    call_command("load_campaign", str(path), stdout=io.StringIO(), stderr=err)
    return err.getvalue()


def test_a_campaign_whose_warnings_fail_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    merchant()
    before = stored()
    monkeypatch.setattr(audience, "warnings", fail)
    with pytest.raises(CommandError, match=r"cannot be counted: .*no_such_column"):
        load(offer("o"), tmp_path)
    assert stored() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{fact: paid_at, within_hours: 20000000}]", "within_hours: .*876000"),
        ("[{count: freight_orders, where: [{fact: paid_at, within_hours: 876001}], at_least: 1}]", "876000"),
        ("[{count: freight_orders, where: [{fact: line, is: a}], at_least: 99999999999999999999}]", "100000000"),
        ("[{fact: paid_at, by: 9999-12-31 23:59:59}]", "9999-12-31 23:59:59 is not between the years 1970 and 2200"),
        ("[{fact: paid_at, from: 0001-01-01 00:00:00}]", "0001-01-01 00:00:00 is not between the years 1970 and 2200"),
        ("[{fact: paid_at, from: 1969-12-31 23:59:59}]", "1969-12-31 23:59:59 is not between"),
        ("[{fact: paid_at, by: 2201-01-01 00:00:00}]", "2201-01-01 00:00:00 is not between"),
    ],
)
def test_hours_counts_and_instants_have_bounds(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=message):
        load(offer("o", conditions=text), tmp_path)
    assert not any(stored())
