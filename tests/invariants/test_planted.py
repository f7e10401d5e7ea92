"""Each invariant finds the rows that violate it, and the database refuses the violations that it should refuse.

A violation is planted by a write that no function of the code makes. Those marked `refused` must fail as they are; on
a copy of the table without constraints the invariant must find them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Model, Q
from pytest_django import DjangoDbBlocker

from campaigns.coupons import issuing
from campaigns.engine import ticker
from campaigns.grants import transitions
from campaigns.ledger import journal
from campaigns.models import (
    Allowance,
    Attachment,
    BandCounter,
    Coupon,
    Decision,
    Document,
    DocumentVersion,
    Grant,
    Issuance,
    JournalEntry,
    MerchantQuota,
    Message,
    Offer,
    OutboxEvent,
    Tag,
    Version,
)
from campaigns.monitoring import invariants
from campaigns.offers import quota_bands
from catalog.models import Listing
from definitions.offer_terms import OfferTerms
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants import members
from merchants.models import Account, Merchant
from ratings.models import Evaluation, Rating
from services.models import ServiceOrder
from tests.support import season
from tests.support.guards import unguarded
from tests.support.world import tell
from trade.models import OrderItem, TradeOrder

pytestmark = [pytest.mark.django_db, pytest.mark.plants_violation]

CENT = Decimal("0.01")
START = datetime(2022, 9, 1, tzinfo=UTC)
GRANTED, FULL = Decision.Outcome.GRANTED, Decision.Outcome.QUOTA_EXHAUSTED


@pytest.fixture(scope="module", autouse=True)
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A season in which every limit was reached, early in November: coupons are issued, locked and redeemed."""
    case = season.Case(season.CASES / "tiny-quotas")
    with django_db_blocker.unblock(), transaction.atomic():
        season.prepare(case)
        ticker.tick(at=case.steps[2][0])
        connection.check_constraints()  # nothing is pending that would keep a table from being altered
        with unguarded():  # else the database would refuse every breach of the journal
            yield
        transaction.set_rollback(True)


@dataclass(frozen=True)
class Plant:
    """Write that violates the invariant `breaks`, and `also`; on copies of `bare` tables if the database refuses it."""

    breaks: str
    act: Callable[[], object]
    bare: tuple[type[Model], ...]
    also: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.breaks}-{self.act.__name__}"


PLANTS: list[Plant] = []
Act = Callable[[], object]


def plant(breaks: str, *, refused: tuple[type[Model], ...] = (), also: str = "") -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        PLANTS.append(Plant(breaks, act, refused, frozenset(also.split())))
        return act

    return register


def strip(model: type[Model]) -> None:
    """Replace a table by a copy without constraints."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO guarded_{table}")
        cursor.execute(f"CREATE TABLE {table} AS SELECT * FROM guarded_{table}")


def copy(thing: Model, **changes: object) -> None:
    """Insert a second row with the values of `thing`, apart from `changes`."""
    names = {field.attname: getattr(thing, field.attname) for field in thing._meta.concrete_fields}
    type(thing)(**{**names, "pk": 10_000_000, "id": 10_000_000, **changes}).save(force_insert=True)


def change(thing: Model, **changes: object) -> None:
    assert type(thing)._default_manager.filter(pk=thing.pk).update(**changes) == 1


def a_grant(offer: str = "service-fee-half", **where: object) -> Grant:
    return Grant.objects.filter(offer__code=offer, **where).order_by("id")[0]


def a_coupon(status: str) -> Coupon:
    return Coupon.objects.filter(status=status).order_by("id")[0]


def another_merchant(code: str) -> Merchant:
    return Merchant.objects.exclude(code=code).order_by("code")[0]


def enter(grant: Grant | None, coupon: Coupon | None, target: str, **changes: Any) -> None:
    """Record a journal entry that moves a grant or coupon from its present state."""
    last = JournalEntry.objects.filter(grant=grant, coupon=coupon).latest("id")
    values = {name: getattr(last, name) for name in journal.COLUMNS}
    journal.record([journal.NewEntry(**values | {"source": last.target, "target": target} | changes)])


def swap_entries(entries: list[JournalEntry]) -> None:
    first, second = entries[0], entries[-1]
    change(first, id=-1)
    change(second, id=first.pk)
    JournalEntry.objects.filter(pk=-1).update(id=second.pk)


# --- I01 ---


@plant("I01")
def a_place_too_few_is_counted() -> None:
    Offer.objects.filter(code="charter-5-off").update(places_taken=F("places_taken") - 1)


@plant("I01", refused=(Offer,), also="I02")
def less_than_no_places_are_counted() -> None:
    Offer.objects.filter(code="charter-5-off").update(places_taken=-1)


@plant("I01")
def the_line_is_shorter_than_a_place_in_it() -> None:
    Offer.objects.filter(code="charter-5-off").update(qualified_claims=1)


def banded(band: str) -> BandCounter:
    """Give an offer a band of its quota, with the counters of its grants; return one that counts some."""
    row = Offer.objects.select_related("version").get(code="service-fee-half")
    assert row.version is not None
    quota_bands.replace(row, OfferTerms.model_validate({**row.version.definition, "quota": [json.loads(band)]}))
    return BandCounter.objects.filter(taken__gt=1).order_by("pk")[0]


MONTHLY = '{"of": "grants", "at_most": "9000", "per": "merchant", "in": {"calendar": "month", "zone": "UTC"}}'
BUDGET = '{"of": "amount", "at_most": "900000.00", "currency": "USD"}'


@plant("I01")
def less_than_the_grants_of_a_month_are_counted() -> None:
    change(banded(MONTHLY), taken=F("taken") - 1)


@plant("I01")
def a_grant_takes_less_of_a_budget_than_its_amount() -> None:
    counter = banded(BUDGET)
    grant = a_grant(amount__gt=1, status="settled")
    units = quota_bands.units_in(grant)[counter.name]
    change(grant, band_units=json.dumps({counter.name: units - 100}))
    change(counter, taken=F("taken") - 100)


@plant("I02", refused=(BandCounter,))
def more_of_a_budget_taken_than_there_is() -> None:
    change(banded(BUDGET), limit=F("taken") - 1)


# --- I02, I03 ---


@plant("I01")
def less_than_a_merchants_places_are_counted() -> None:
    quota = MerchantQuota.objects.filter(offer__code="parcel-11-off", places_taken__gt=0)[0]
    change(quota, places_taken=F("places_taken") - 1)


@plant("I02", refused=(Offer,))
def more_places_taken_than_there_are() -> None:
    Offer.objects.filter(code="charter-5-off").update(limit=F("places_taken") - 1)


@plant("I02")
def a_place_given_under_a_lower_limit() -> None:
    grant = Grant.objects.filter(offer__code="oa-fee-waiver").exclude(status="released").latest("id")
    lower_limits(grant, limit=1)


@plant("I03", refused=(MerchantQuota,))
def more_places_of_a_merchant_than_it_may_have() -> None:
    quota = MerchantQuota.objects.filter(offer__code="parcel-11-off", places_taken__gt=0)[0]
    change(quota, limit=F("places_taken") - 1)


@plant("I03")
def a_place_given_under_a_lower_limit_per_merchant() -> None:
    for grant in Grant.objects.filter(offer__code="parcel-11-off").exclude(status="released").order_by("-id"):
        if (
            Grant.objects.filter(offer=grant.offer_id, merchant=grant.merchant_id).exclude(status="released").count()
            > 1
        ):
            lower_limits(grant, per_merchant=1)
            return
    raise AssertionError("no merchant has two")


def lower_limits(grant: Grant, **quota: int) -> None:
    """Have a version of its own, with lower limits, decide the grant and its claim."""
    version = Version.objects.get(pk=grant.version_id)
    version.pk, version.number = None, version.number + 1
    version.definition = {**version.definition, "quota": {**version.definition["quota"], **quota}}
    version.save()
    change(grant, version=version)
    Decision.objects.filter(offer=grant.offer_id, subject=grant.subject).update(version=version)
    JournalEntry.objects.filter(grant=grant).update(version=version)


# --- I04 ---


@plant("I04")
def decided_before_its_time() -> None:
    decision = Decision.objects.filter(outcome=Decision.Outcome.REFUSED).select_related("offer")[0]
    assert decision.offer.claims_decided_until is not None
    change(decision, claimed_at=decision.offer.claims_decided_until + timedelta(microseconds=1))


@plant("I04")
def redeemed_after_the_end() -> None:
    redeemed = JournalEntry.objects.filter(target="redeemed", coupon__isnull=False).select_related("coupon")[0]
    assert redeemed.coupon is not None
    change(redeemed.coupon, valid_until=redeemed.at)


@plant("I04")
def expired_before_the_end() -> None:
    coupon = a_coupon("issued")
    enter(None, coupon, "expired", at=coupon.valid_until - timedelta(microseconds=1))
    change(coupon, status="expired")


# --- I05, I06 ---


@plant("I04")
def a_coupon_left_unspent_after_its_end() -> None:
    coupon = a_coupon("issued")
    change(Issuance.objects.get(offer=coupon.offer), spent_until=coupon.valid_until)


@plant("I05")
def entries_out_of_order() -> None:
    grant = a_grant(status="settled")
    swap_entries(list(JournalEntry.objects.filter(grant=grant).order_by("id")))


@plant("I06")
def a_state_without_an_entry() -> None:
    change(a_grant(status="settled"), status="locked")


@plant("I06")
def a_cent_more_than_was_journalled() -> None:
    change(a_grant(status="settled"), amount=F("amount") + CENT)


@plant("I06")
def a_cent_lost_in_the_journal() -> None:
    change(JournalEntry.objects.filter(grant=a_grant(status="settled")).latest("id"), amount=F("amount") + CENT)


@plant("I06")
def another_currency() -> None:
    change(a_grant(status="settled"), currency="EUR")


# --- I07, I08 ---


@plant("I07")
def a_coupon_moved_without_an_entry() -> None:
    change(a_coupon("issued"), status="void")


@plant("I07")
def an_entry_of_another_value() -> None:
    change(JournalEntry.objects.filter(coupon=a_coupon("redeemed")).latest("id"), amount=CENT)


@plant("I07")
def a_transition_not_permitted_for_coupons() -> None:
    coupon = a_coupon("issued")
    change(coupon, status="expired")
    enter(None, coupon, "expired", at=coupon.valid_until)
    enter(None, coupon, "issued", at=coupon.valid_until)
    change(coupon, status="issued")


@plant("I07", also="I11")
def a_coupons_entries_out_of_order() -> None:
    swap_entries(list(JournalEntry.objects.filter(coupon=a_coupon("redeemed")).order_by("id")))


@plant("I08")
def a_coupon_planned_without_a_grant() -> None:
    Issuance.objects.update(planned=F("planned") + 1)


@plant("I08", refused=(Issuance,))
def more_issued_than_planned() -> None:
    Issuance.objects.update(issued=F("planned") + 1)


@plant("I08", refused=(Coupon,))
def a_number_twice_in_a_bundle() -> None:
    Coupon.objects.filter(grant=a_coupon("issued").grant, number=8).update(number=7)


@plant("I08")
def a_coupon_that_is_worth_more() -> None:
    change(a_coupon("issued"), face_value=F("face_value") + CENT)


@plant("I08")
def a_grant_that_is_owed_more() -> None:
    change(a_grant("express-coupons"), coupons=9)
    Issuance.objects.update(planned=F("planned") + 1)


# --- I09 ---


@plant("I09")
def a_decision_about_another_merchant() -> None:
    grant = a_grant(status="locked")
    Decision.objects.filter(offer=grant.offer, subject=grant.subject).update(
        merchant=another_merchant(grant.merchant_id)
    )


@plant("I09")
def a_coupon_of_another_merchant() -> None:
    coupon = a_coupon("issued")
    change(coupon, merchant=another_merchant(coupon.merchant_id))


@plant("I09")
def a_coupon_used_by_another_merchant() -> None:
    use = Attachment.objects.exclude(coupon=None)[0]
    change(use, merchant=another_merchant(use.merchant_id))


@plant("I09")
def a_version_of_another_offer() -> None:
    grant = a_grant("multimodal-reduction")
    change(JournalEntry.objects.filter(grant=grant).latest("id"), version=a_grant("charter-5-off").version_id)


@plant("I09")
def an_entry_of_another_offer() -> None:
    change(JournalEntry.objects.filter(coupon=a_coupon("issued"))[0], offer=a_grant("charter-5-off").offer_id)


@plant("I09")
def a_decision_about_no_merchant() -> None:
    change(Decision.objects.filter(outcome=Decision.Outcome.REFUSED)[0], merchant="nobody")


@plant("I09", also="I19")
def a_tag_of_no_merchant() -> None:
    change(Tag.objects.all()[0], merchant="nobody")


@plant("I09")
def a_tag_of_no_offer() -> None:
    change(Tag.objects.filter(kind=Tag.Kind.THRESHOLD)[0], offer=10_000_000)


@plant("I09", also="I05 I06")
def an_entry_of_nothing() -> None:
    change(JournalEntry.objects.filter(grant=a_grant(status="settled")).latest("id"), grant=10_000_000)


# --- I10, I11 ---


@plant("I10")
def forfeited_after_settlement() -> None:
    grant = a_grant("oa-fee-waiver", status="settled")
    at = grant.claimed_at + timedelta(days=1)
    enter(grant, None, "forfeited", at=at)
    change(grant, status="forfeited", ended_at=at)


@plant("I10")
def ended_at_another_time() -> None:
    change(a_grant("charter-5-off", status="released"), ended_at=F("claimed_at"))


@plant("I10", refused=(Grant,))
def ended_and_does_not_say_when() -> None:
    change(a_grant("charter-5-off", status="released"), ended_at=None)


@plant("I10")
def the_engine_kept_a_grant() -> None:
    enter(a_grant("oa-fee-waiver", status="settled"), None, "settled")


@plant("I11")
def redeemed_on_another_order() -> None:
    change(a_coupon("redeemed"), order_no="F-none")


@plant("I11", refused=(Coupon,))
def redeemed_on_no_order() -> None:
    change(a_coupon("redeemed"), order_no=None)


@plant("I11", refused=(Coupon,))
def two_coupons_on_one_order() -> None:
    one, other = Coupon.objects.filter(status__in=["redeemed", "locked"]).order_by("id")[:2]
    change(other, order_no=one.order_no)


@plant("I11")
def an_order_that_never_got_the_coupon() -> None:
    Attachment.objects.filter(coupon=a_coupon("redeemed")).update(coupon=None)


# --- I12 ---


@plant("I12", refused=(Decision,))
def decided_twice() -> None:
    copy(Decision.objects.filter(outcome=Decision.Outcome.REFUSED)[0])


@plant("I12", refused=(Grant,), also="I01 I06 I17")
def granted_twice() -> None:
    copy(a_grant(status="settled"))


@plant("I12", refused=(Decision,))
def granted_although_a_condition_failed() -> None:
    grant = a_grant(status="locked")
    Decision.objects.filter(offer=grant.offer, subject=grant.subject).update(failed=1)


@plant("I12")
def a_grant_that_was_decided_otherwise() -> None:
    grant = a_grant(status="locked")
    Decision.objects.filter(offer=grant.offer, subject=grant.subject).update(outcome=Decision.Outcome.SUPERSEDED)


@plant("I12")
def a_grant_without_a_decision() -> None:
    grant = a_grant(status="locked")
    Decision.objects.filter(offer=grant.offer, subject=grant.subject).delete()


@plant("I12")
def decided_and_never_granted() -> None:
    change(Decision.objects.filter(outcome=FULL).latest("offer", "queue_position"), outcome=GRANTED)


# --- I13 ---


def swap_positions(one: Decision, other: Decision) -> None:
    change(one, queue_position=other.queue_position)
    change(other, queue_position=one.queue_position)


@plant("I13")
def refused_while_a_place_was_left() -> None:
    queue = Decision.objects.filter(offer__code="oa-fee-waiver", queue_position__isnull=False).order_by(
        "queue_position"
    )
    swap_positions(
        queue.filter(outcome=GRANTED).latest("queue_position"), queue.filter(outcome=FULL).latest("queue_position")
    )


@plant("I13")
def refused_while_a_place_had_come_back() -> None:
    """A place that was given back, as was known by then, goes to a claim behind one that was refused."""
    queue = Decision.objects.filter(offer__code="service-fee-half", queue_position__isnull=False)
    winner = queue.filter(outcome=GRANTED).latest("queue_position")
    released = Grant.objects.filter(offer__code="service-fee-half", status="released")
    assert released.filter(ended_at__lt=winner.claimed_at).exists()
    swap_positions(
        winner, queue.filter(outcome=FULL, queue_position__gt=winner.queue_position).earliest("queue_position")
    )


@plant("I13")
def a_queue_position_given_twice() -> None:
    one, other = Decision.objects.filter(offer__code="oa-fee-waiver", outcome=FULL).order_by("queue_position")[:2]
    change(other, queue_position=one.queue_position)


# --- I14 ---


def an_event(**fields: Any) -> OutboxEvent:
    """Create an event of a settled grant, correct unless `fields` differ."""
    grant = a_grant(status="settled")
    entry = JournalEntry.objects.filter(grant=grant).latest("id")
    true = {"grant_id": grant.pk, "merchant_id": grant.merchant_id, "at": entry.at, "fanned_out": True}
    return OutboxEvent.objects.create(**{"kind": "settled", "offer_id": grant.offer_id, **true, **fields})


def a_message(event: OutboxEvent, to: str) -> None:
    person = members.add(f"{to}@example.com", to=Merchant.objects.get(pk=to), at=event.at, by="test")
    Message.objects.create(event=event, member=person, topic="progress", matter="m", shown=True, mail=False)


@plant("I14")
def a_settlement_that_never_was() -> None:
    an_event(at=a_grant(status="settled").claimed_at - timedelta(seconds=1))


@plant("I14")
def a_review_of_no_grant() -> None:
    an_event(kind="review_started", grant_id=0)


@plant("I14")
def a_message_to_another_merchants_member() -> None:
    event = an_event()
    a_message(event, Merchant.objects.exclude(pk=event.merchant_id)[0].pk)


@plant("I14")
def a_message_before_its_event_is_fanned_out() -> None:
    event = an_event(fanned_out=False)
    a_message(event, str(event.merchant_id))


# --- I15 ---


@plant("I15", refused=(ImportBatch,))
def fewer_rows_than_changes() -> None:
    ImportBatch.objects.filter(source="merchants.csv").update(rows=F("added") - 1)


@plant("I15")
def imported_records_not_counted() -> None:
    ImportBatch.objects.filter(source="merchants.csv").update(added=F("added") - 1)


@plant("I15", refused=(FreightOrder,))
def a_record_without_its_import() -> None:
    change(FreightOrder.objects.filter(use_coupon=False).latest("pk"), batch=10_000_000)
    connection.check_constraints([FreightOrder._meta.db_table])


@plant("I15")
def a_candidate_below_the_threshold() -> None:
    change(Tag.objects.filter(kind="candidate")[0], total=Decimal("39999.99"))


@plant("I15")
def a_threshold_order_above_it() -> None:
    change(Tag.objects.filter(kind="threshold")[0], total=Decimal("40000.00"))


# --- I16 to I20 ---


@plant("I16", refused=(Grant,), also="I06")
def a_negative_grant() -> None:
    change(a_grant(status="settled"), amount=-CENT)


@plant("I16", also="I06")
def a_negative_entry() -> None:
    change(JournalEntry.objects.filter(grant=a_grant(status="settled")).latest("id"), amount=-CENT)


@plant("I16", refused=(Coupon,), also="I07")
def a_coupon_above_its_face() -> None:
    change(a_coupon("issued"), value=F("face_value") + CENT)


@plant("I16")
def nothing_left_to_pay() -> None:
    grant = a_grant("charter-5-off", status="settled")
    change(FreightOrder.objects.get(pk=grant.subject), base_freight=grant.amount)


@plant("I17", also="I16 I19")
def two_discounts_of_one_fee() -> None:
    one, other = a_grant("service-fee-half", status="settled"), a_grant("oa-fee-waiver", status="settled")
    decided = Decision.objects.filter(offer=other.offer)
    decided.filter(subject=one.subject).delete()
    decided.filter(subject=other.subject).update(subject=one.subject)
    change(other, subject=one.subject, fee=one.fee)


@plant("I17")
def a_coupon_beside_a_discount() -> None:
    grant, coupon = a_grant("charter-5-off", status="settled"), a_coupon("issued")
    order = {"order_kind": "freight_order", "order_no": grant.subject}
    Attachment.objects.create(merchant=coupon.merchant, coupon=coupon, placed_at=grant.claimed_at, **order)


@plant("I17", also="I19")
def a_coupon_on_an_order_with_an_earlier_discount() -> None:
    grant, coupon = a_grant("charter-5-off", status="settled"), a_coupon("redeemed")
    earlier = Attachment.objects.get(coupon=coupon, order_no=coupon.order_no).placed_at - timedelta(seconds=1)
    decided = Decision.objects.filter(offer=grant.offer)
    decided.filter(subject=coupon.order_no).delete()
    decided.filter(subject=grant.subject).update(subject=coupon.order_no, claimed_at=earlier)
    change(grant, subject=coupon.order_no, claimed_at=earlier)


@plant("I18")
def coupons_left_after_a_revocation() -> None:
    grant = a_coupon("issued").grant
    transitions.revoke(grant, at=season.END, by="somebody", reason="found abnormal")


@plant("I19")
def a_grant_of_an_order_of_another_merchant() -> None:
    grant = a_grant("charter-5-off", status="settled")
    FreightOrder.objects.filter(pk=grant.subject).update(merchant=another_merchant(grant.merchant_id))


@plant("I19")
def a_coupon_on_an_order_of_another_merchant() -> None:
    coupon = a_coupon("redeemed")
    FreightOrder.objects.filter(pk=coupon.order_no).update(merchant=another_merchant(coupon.merchant_id))


@plant("I19")
def a_tag_left_with_the_former_merchant() -> None:
    tag = Tag.objects.filter(kind="threshold").order_by("id")[0]
    TradeOrder.objects.filter(pk=tag.subject).update(merchant=another_merchant(tag.merchant_id))


@plant("I20")
def a_place_of_a_cancelled_order() -> None:
    grant = a_grant("charter-5-off", status="settled")
    FreightOrder.objects.filter(pk=grant.subject).update(cancelled_at=grant.claimed_at + timedelta(days=1))


# --- I16 to I20, of other kinds of subjects than those of the season ---


def a_grant_for(kind: str, row: Model, **changes: object) -> Grant:
    """Let a settled grant be one of a row of another kind."""
    ImportBatch.objects.filter(source="test").update(processed=True)
    grant = a_grant("charter-5-off", status="settled")
    Offer.objects.filter(pk=grant.offer_id).update(subject=kind)
    for rows in (Decision.objects, Grant.objects):
        rows.filter(offer=grant.offer, subject=grant.subject).update(subject=row.pk)
    change(grant, **{"subject": row.pk, **changes})
    grant.refresh_from_db()
    return grant


def merchant_of_grants() -> str:
    return str(a_grant("charter-5-off", status="settled").merchant_id)


def a_service_order(merchant: str, price: Decimal) -> Model:
    account = tell(Account, code="A-planted", merchant_id=merchant, role="main")
    return tell(
        ServiceOrder,
        order_no="S-planted",
        merchant_id=merchant,
        account=account,
        service="photo_tool",
        list_price=price,
        currency="CNY",
        placed_at=START,
    )


def an_order_item(merchant: str, **order: object) -> Model:
    amount = {"amount_usd": Decimal(9), "service_fee_usd": Decimal(9)}
    tell(TradeOrder, order_no="T-planted", merchant_id=merchant, product="trade_assurance", **amount, **order)
    listing = tell(Listing, listing_no="L-planted", merchant_id=merchant, title="a chair", published_at=START)
    whole = {"order_id": "T-planted", "listing": listing, "quantity": 1}
    return tell(OrderItem, item_no="T-planted/L-planted", amount_usd=Decimal(9), **whole)


@plant("I16")
def more_than_the_price_of_a_service() -> None:
    amount = a_grant("charter-5-off", status="settled").amount
    a_grant_for("service_order", a_service_order(merchant_of_grants(), amount - CENT), fee="service_price")


@plant("I17")
def a_coupon_and_a_discount_of_a_service() -> None:
    order = a_service_order(merchant_of_grants(), Decimal(1_000_000))
    grant = a_grant_for("service_order", order, fee="service_price")
    coupon, of_order = a_coupon("issued"), {"order_kind": "service_order", "order_no": grant.subject}
    Attachment.objects.create(merchant=coupon.merchant, coupon=coupon, placed_at=grant.claimed_at, **of_order)


@plant("I19")
def a_grant_of_an_item_of_another_merchants_order() -> None:
    a_grant_for("order_item", an_order_item(another_merchant(merchant_of_grants()).pk))


@plant("I20")
def a_place_of_an_item_of_a_cancelled_order() -> None:
    claimed_at = a_grant("charter-5-off", status="settled").claimed_at
    item = an_order_item(merchant_of_grants(), cancelled_at=claimed_at + timedelta(days=1))
    version = a_grant_for("order_item", item).version
    settlement = {**version.definition["settlement"], "released_by": "order.cancelled_at"}
    change(version, definition={**version.definition, "settlement": settlement})


def a_document(kind: str, **definition: object) -> DocumentVersion:
    campaign = Offer.objects.order_by("id")[0].campaign
    document = Document.objects.create(campaign=campaign, kind=kind, code="stars")
    return DocumentVersion.objects.create(document=document, number=1, definition=definition, published_at=START)


def an_allowance(version: DocumentVersion, **fields: object) -> None:
    Allowance.objects.create(
        document=version.document,
        version=version,
        merchant=Merchant.objects.order_by("code")[0],
        period="2022-09",
        starts_at=START,
        ends_at=season.END,
        **fields,
    )


# --- I21 ---


@plant("I21")
def units_that_no_use_took() -> None:
    an_allowance(a_document("allowances"), units=5, used=5)


@plant("I21", refused=(Allowance,))
def more_units_used_than_there_are() -> None:
    an_allowance(a_document("allowances"), units=5, used=6, pk=1)


# --- I22 ---


@plant("I22")
def an_allowance_collected_without_the_rating() -> None:
    version = a_document("allowances", conditions=[{"rating": "stars", "at_least": 2}])
    an_allowance(version, units=0, request_no="R", collected_at=START)


# --- I23 ---


def an_evaluation(period: str, starts_at: datetime, ends_at: datetime) -> Evaluation:
    return Evaluation.objects.create(
        scorecard="stars",
        series="official",
        period=period,
        evaluated_at=starts_at,
        starts_at=starts_at,
        ends_at=ends_at,
        version=1,
        finished=True,
    )


def a_rating(of: Evaluation, **changes: object) -> None:
    merchant = Merchant.objects.order_by("code")[0]
    named = {
        name: getattr(of, name) for name in "scorecard series period evaluated_at starts_at ends_at version".split()
    }
    points = {"level": "1", "level_number": 1, "score": 45, "parts": {"trade": "45.00"}, "metrics": {}, "inputs": {}}
    batch = ImportBatch.objects.create(source="ratings", rows=1, added=1, processed=True)
    of_merchant = {"batch": batch, "subject_kind": "merchant", "subject": merchant.pk, "merchant": merchant}
    Rating.objects.create(**{**named, **points, **of_merchant, **changes})


@plant("I23")
def two_ratings_in_force_at_once() -> None:
    middle = START + timedelta(days=15)
    a_rating(an_evaluation("2022-09", START, middle + timedelta(seconds=1)))
    a_rating(an_evaluation("2022-10", middle, season.END))


@plant("I23")
def a_rating_of_no_evaluation() -> None:
    a_rating(an_evaluation("2022-09", START, season.END), period="2022-10")


@plant("I23")
def a_rating_of_another_version() -> None:
    a_rating(an_evaluation("2022-09", START, season.END), version=2)


@plant("I23")
def a_level_that_the_lowest_part_does_not_reach() -> None:
    levels = [{"level": "0", "from": None}, {"level": "1", "from": "40.00"}, {"level": "2", "from": "60.00"}]
    a_document("scorecards", level="lowest", levels=levels)
    a_rating(an_evaluation("2022-09", START, season.END), parts={"trade": "70.00", "service": "39.99"})


def test_ratings_side_by_side_with_the_level_of_their_points_hold() -> None:
    levels = [{"level": "0", "from": None}, {"level": "1", "from": "40.00"}, {"level": "2", "from": "60.00"}]
    with transaction.atomic():
        a_document("scorecards", level="lowest", levels=levels)
        middle = START + timedelta(days=15)
        a_rating(an_evaluation("2022-09", START, middle), parts={"trade": "70.00", "service": "40.00"})
        a_rating(an_evaluation("2022-10", middle, season.END), parts={"trade": "59.99"})
        assert invariants.check() == []
        transaction.set_rollback(True)


def violated_by(planted: Plant, *, bare: bool) -> set[str]:
    """Return the names of the invariants that a plant violates, and roll it back."""
    with transaction.atomic():
        for model in planted.bare if bare else ():
            strip(model)
        planted.act()
        violated = {violation.invariant.name for violation in invariants.check()}
        transaction.set_rollback(True)
    return violated


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: planted.name)
def test_the_invariant_finds_the_violation(planted: Plant) -> None:
    assert violated_by(planted, bare=True) == {planted.breaks} | planted.also


@pytest.mark.parametrize("planted", [p for p in PLANTS if p.bare], ids=lambda planted: planted.name)
def test_the_database_refuses_the_violation(planted: Plant) -> None:
    with pytest.raises(IntegrityError):
        violated_by(planted, bare=False)


def test_every_invariant_has_a_violation() -> None:
    assert {planted.breaks for planted in PLANTS} == {invariant.name for invariant in invariants.INVARIANTS}


def test_all_invariants_hold_without_a_violation() -> None:
    assert invariants.check() == []


def test_all_invariants_hold_after_a_revocation_with_its_coupons() -> None:
    grant = a_coupon("issued").grant
    transitions.revoke(grant, at=season.END, by="somebody", reason="found abnormal")
    assert issuing.void([grant], at=season.END, by="somebody", reason="found abnormal")
    spent = Coupon.objects.filter(grant=grant).filter(Q(status="redeemed") | Q(status="void")).count()
    assert spent == grant.coupons
    assert invariants.check() == []
