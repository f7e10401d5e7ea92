"""Blocks of merchants: proposed by one, approved by another; every offer refuses claims while one is in force."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from campaigns.eligibility import explanations
from campaigns.models import Coupon, Grant, Offer
from campaigns.offers import published_offers
from merchants import blocks
from merchants.blocks import BlockError
from merchants.models import Block, Merchant
from tests.support.members import client as signed_in
from tests.support.members import clock, member, text, words
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import freight, grants, merchant, offer, outcomes, publish, t, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="proposals and their approval, single rows")]


def blocked(*, until: str | None = "20", at: str = "10") -> Block:
    """Block M1 until an instant, or until the block is lifted."""
    of, end = Merchant.objects.get(pk="M1"), t(until) if until else None
    block = blocks.propose(of, kind="fraud", until=end, reason="ring", at=t("09"), by="ana")
    blocks.approve(block, at=t(at), by="bo")
    block.refresh_from_db()
    return block


@pytest.fixture
def world(db: None, settings: Settings) -> None:
    settings.DEMO = True
    clock("09")
    for code in ("M1", "M2"):
        merchant(code, name=f"Merchant {code}")
    publish(offer("ten", quota="{limit: 6}") + EXPRESS_COUPONS)
    tick("09")


def orders(*instants: str, of: str = "M1") -> None:
    """Record an order paid at each instant, named after it."""
    for at in instants:
        freight(f"{of} {at}", of=of, placed_at="01", paid_at=at, base_freight=1000)


@pytest.mark.usefixtures("world")
def test_claims_are_refused_from_the_approval_until_the_end() -> None:
    blocked()
    instants = ("09 23:59:59", "10", "15", "19 23:59:59", "20")
    orders(*instants)
    orders("15", of="M2")
    tick("25")
    assert [outcomes("ten")[f"M1 {at}"] for at in instants] == ["granted", "refused", "refused", "refused", "granted"]
    assert outcomes("ten")["M2 15"] == "granted"
    assert Offer.objects.get(code="ten").places_taken == 3  # a refused claim takes no place


@pytest.mark.usefixtures("world")
def test_it_takes_effect_in_the_next_tick_for_claims_that_wait() -> None:
    orders("12")
    block = blocked()
    assert block.batch is not None
    assert not block.batch.processed
    tick("12")
    assert outcomes("ten")["M1 12"] == "refused"


@pytest.mark.usefixtures("world")
def test_a_proposal_a_withdrawn_one_and_another_merchants_block_change_nothing() -> None:
    block = blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=None, reason="x", at=t("09"), by="ana")
    orders("10")
    tick("10")
    blocks.withdraw(block, at=t("11"), by="ana")
    orders("12")
    tick("12")
    blocks.approve(
        blocks.propose(Merchant.objects.get(pk="M2"), kind="other", until=None, reason="x", at=t("12"), by="ana"),
        at=t("13"),
        by="bo",
    )
    orders("14")
    tick("14")
    assert set(outcomes("ten").values()) == {"granted"}


@pytest.mark.usefixtures("world")
def test_what_the_merchant_holds_stays() -> None:
    freight("S", placed_at="05", paid_at="05", shipped_at="06", base_freight=1000)
    tick("09 12:00")
    held = grants()
    assert len(held) == 2
    blocked()
    freight("G", placed_at="12", use_coupon=True)
    tick("15")
    assert grants() == held
    assert Coupon.objects.filter(status="locked", order_no="G").exists()


@pytest.mark.usefixtures("world")
def test_a_lifted_block_refuses_no_later_claim_and_keeps_its_refusals() -> None:
    block = blocked(until=None)
    orders("11")
    tick("12")
    blocks.lift(block, at=t("13"), by="bo")
    orders("12 12:00", "13")
    tick("14")
    assert outcomes("ten") == {"M1 11": "refused", "M1 12 12:00": "refused", "M1 13": "granted"}


def test_the_explanation_says_blocked_and_says_nothing_without_a_block(world: None) -> None:
    offer_ = published_offers.find("ten")
    orders("09 12:00", "11")
    tick("09 12:00")
    blocked()
    tick("12")
    before, after = explanations.explain_all(offer_, ["M1 09 12:00", "M1 11"], at=t("12"))
    assert [result.name for result in before.conditions] == ["merchant_country"]
    assert (before.outcome, after.outcome) == ("granted", "refused")
    last = after.conditions[-1]
    assert (last.name, last.passed, last.required, last.shown) == (
        "no_block",
        False,
        "no block by the platform",
        "fraud",
    )


def test_the_merchant_sees_it_on_its_dashboard(world: None) -> None:
    owner = member("m@example.com")
    browser = signed_in(owner)
    assert "block" not in text(browser, "/offers/ten/")
    clock("12")
    blocked()
    tick("12")
    assert "No block by the platform" in text(browser, "/offers/ten/")


def test_the_terms_of_an_offer_do_not_mention_blocks(world: None, staff: Staff) -> None:
    assert "block" not in text(staff("vi", "viewer"), "/admin/offers/ten/").replace("Blocks", "")


REFUSED: dict[str, tuple[Callable[[Block], None], str, str]] = {
    "by the proposer": (lambda block: blocks.approve(block, at=t("10"), by="ana"), "proposed", "somebody else"),
    "after its end": (lambda block: blocks.approve(block, at=t("20"), by="bo"), "proposed", "in the past"),
    "twice": (lambda block: blocks.approve(block, at=t("11"), by="cy"), "approved", "approved already"),
    "withdrawn": (lambda block: blocks.withdraw(block, at=t("11"), by="ana"), "approved", "approved already"),
    "lifted before": (lambda block: blocks.lift(block, at=t("11"), by="bo"), "proposed", "proposed already"),
    "lifted after": (lambda block: blocks.lift(block, at=t("20"), by="bo"), "approved", "not in force"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_step_that_is_not_allowed_changes_nothing(case: str, world: None) -> None:
    step, status, reason = REFUSED[case]
    block = blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=t("20"), reason="x", at=t("09"), by="ana")
    if status == "approved":
        blocks.approve(block, at=t("10"), by="bo")
    before = Block.objects.values().get()
    with pytest.raises(BlockError, match=reason):
        step(block)
    assert Block.objects.values().get() == before


@pytest.mark.parametrize("until", ["09", "08 23:59:59"])
def test_an_end_in_the_past_is_refused(until: str, world: None) -> None:
    with pytest.raises(BlockError, match="in the past"):
        blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=t(until), reason="x", at=t("09"), by="ana")
    assert Block.objects.count() == 0


def test_the_database_refuses_a_block_by_one_person(world: None) -> None:
    block = blocked()
    with pytest.raises(IntegrityError), transaction.atomic():
        Block.objects.filter(pk=block.pk).update(ended_by="ana")


def test_a_proposer_cannot_approve_under_another_name(world: None, staff: Staff) -> None:
    staff("ana", "operator")
    block = blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=None, reason="x", at=t("09"), by="ana")
    User.objects.filter(username="ana").update(username="renamed")
    with pytest.raises(BlockError, match="somebody else"):
        blocks.approve(block, at=t("10"), by="renamed")
    assert Block.objects.get().status == "proposed"


def test_two_operators_block_a_merchant_on_the_pages(world: None, staff: Staff) -> None:
    ana, bo, vi = staff("ana", "operator"), staff("bo", "approver"), staff("vi", "viewer")
    assert "Block…" in text(ana, "/admin/merchant/M1/")
    assert "Block…" not in text(vi, "/admin/merchant/M1/")
    assert vi.get("/admin/merchant/M1/block/").status_code == 403
    asked = text(ana, "/admin/merchant/M1/block/")
    assert "Grants and coupons that the merchant holds stay valid" in asked
    assert "Active grants: 0." in asked
    sent = {"kind": "fraud", "reason": "ring", "until": "2022-09-08T12:00"}
    assert "in the past" in words(ana.post("/admin/merchant/M1/block/", sent).content.decode())
    ana.post("/admin/merchant/M1/block/", {**sent, "until": "2022-09-20T12:00"})
    block = Block.objects.get()
    page = f"/admin/blocks/{block.pk}/"
    assert (block.status, block.ends_at, block.proposed_by) == ("proposed", t("20 04:00"), "ana")
    assert "Block: M1 Merchant M1" in text(bo, "/admin/")
    assert "A block is proposed" in text(vi, "/admin/merchant/M1/")
    assert ana.post(page, {"verb": "approve"}).status_code == 403
    assert vi.post(page, {"verb": "withdraw"}).status_code == 403
    assert bo.post(page, {"verb": "explode"}).status_code == 404
    bo.post(page, {"verb": "approve"})
    assert "Fraud: ring" in text(vi, "/admin/merchant/M1/")
    assert "Blocked until 20 Sep, 12:00" in text(vi, "/admin/merchant/M1/")
    assert "Block…" not in text(ana, "/admin/merchant/M1/")
    listed = text(vi, "/admin/merchants/block/").lower()
    row = listed[listed.index("merchant m1") :]
    assert "fraud" in row
    assert "approved" in row
    clock("11")
    bo.post(page, {"verb": "lift"})
    block.refresh_from_db()
    assert (block.status, block.ends_at, block.lifted_by) == ("lifted", t("11"), "bo")


def test_a_proposer_with_both_roles_cannot_approve(world: None, staff: Staff) -> None:
    both: Client = staff("both", "administrator")
    both.post("/admin/merchant/M1/block/", {"kind": "fraud", "reason": "ring"})
    page = f"/admin/blocks/{Block.objects.get().pk}/"
    assert "you proposed this block" in text(both, page)
    both.post(page, {"verb": "approve"})
    assert Block.objects.get().status == "proposed"
    assert Grant.objects.count() == 0
