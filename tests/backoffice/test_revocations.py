"""Grants are taken away by one alone, several only by two; unused coupons go with them."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.test import Client

from campaigns.grants import revocations, transitions
from campaigns.grants.revocations import RevocationError
from campaigns.models import AuditEvent, Coupon, Grant, JournalEntry, Offer, Revocation
from tests.support.concurrency import at_once
from tests.support.members import text, words
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="proposals and their approval, single rows")]

AT = t("20")


def proposed() -> Revocation:
    return revocations.propose(Grant.objects.all(), title="all", at=AT, by="ana", reason="embargo")


def states() -> list[str]:
    return sorted(Grant.objects.values_list("status", flat=True))


@pytest.mark.usefixtures("market")
def test_one_proposes_another_approves() -> None:
    revocation = proposed()
    assert (states(), revocation.grants.count(), revocation.revoked) == (["settled"] * 6, 6, 0)
    assert revocations.approve(revocation, shown=6, at=AT, by="bo") == 6
    assert states() == ["revoked"] * 6
    assert (revocation.status, revocation.ended_by, revocation.revoked) == ("done", "bo", 6)
    assert Offer.objects.get().places_taken == 6  # a place that was taken away does not come back
    assert set(JournalEntry.objects.filter(target="revoked").values_list("by", "reason")) == {("bo", "embargo")}
    acts = AuditEvent.objects.filter(offer__code="ten", verb__in=["proposed", "revoked"]).order_by("pk")
    assert [(act.verb, act.by, act.after["grants"]) for act in acts] == [("proposed", "ana", 6), ("revoked", "bo", 6)]


@pytest.mark.usefixtures("market")
def test_proposers_cannot_approve_their_revocation() -> None:
    revocation = proposed()
    with pytest.raises(RevocationError, match="somebody else"):
        revocations.approve(revocation, shown=6, at=AT, by="ana")
    assert states() == ["settled"] * 6
    assert Revocation.objects.get().status == "proposed"


@pytest.mark.usefixtures("market")
def test_a_new_name_does_not_make_another_proposer() -> None:
    ana, _bo = User.objects.create_user("ana"), User.objects.create_user("bo")
    revocation = proposed()
    User.objects.filter(pk=ana.pk).update(username="renamed")
    with pytest.raises(RevocationError, match="somebody else"):
        revocations.approve(revocation, shown=6, at=AT, by="renamed")
    assert states() == ["settled"] * 6
    with pytest.raises(IntegrityError, match="revocation_by_two"), transaction.atomic():
        Revocation.objects.update(status="done", ended_by="renamed", ender_id=ana.pk)
    assert revocations.approve(revocation, shown=6, at=AT, by="bo") == 6


@pytest.mark.usefixtures("market")
def test_a_revocation_that_changed_since_is_shown_again() -> None:
    revocation = proposed()
    revocations.revoke(Grant.objects.all()[0], at=AT, by="ana", reason="first")
    with pytest.raises(RevocationError, match="moved since"):
        revocations.approve(revocation, shown=6, at=AT, by="bo")
    assert states() == ["revoked"] + ["settled"] * 5
    assert revocations.approve(revocation, shown=5, at=AT, by="bo") == 5


@pytest.mark.usefixtures("market")
def test_a_finished_or_withdrawn_revocation_cannot_change() -> None:
    revocation = proposed()
    revocations.withdraw(revocation, at=AT, by="ana")
    for again in (
        lambda: revocations.withdraw(revocation, at=AT, by="ana"),
        lambda: revocations.approve(revocation, shown=6, at=AT, by="bo"),
    ):
        with pytest.raises(RevocationError, match="already"):
            again()
    assert states() == ["settled"] * 6
    with pytest.raises(RevocationError, match="nothing to revoke"):
        revocations.propose(Grant.objects.filter(subject="none"), title="", at=AT, by="ana", reason="x")
    assert Revocation.objects.count() == 1


@pytest.mark.usefixtures("market")
def test_revoked_twice_is_refused_and_leaves_no_entry() -> None:
    grant = Grant.objects.all()[0]
    stale = Grant.objects.get(pk=grant.pk)
    revocations.revoke(grant, at=AT, by="ana", reason="once")
    before = JournalEntry.objects.count()
    for one in (grant, stale):
        with pytest.raises(transitions.NotLiveError):
            revocations.revoke(one, at=AT, by="ana", reason="twice")
    assert JournalEntry.objects.count() == before


def couponed() -> None:
    for n in range(2):
        merchant(f"M{n}")
        freight(f"F{n}", of=f"M{n}", placed_at="01", paid_at="01", shipped_at="02")
    freight("G1", of="M0", placed_at="04", paid_at="05", use_coupon=True)
    freight("G2", of="M1", placed_at="04", use_coupon=True)
    publish(EXPRESS_COUPONS)
    tick("06")
    assert sorted(Coupon.objects.values_list("status", flat=True)) == ["issued", "issued", "locked", "redeemed"]


@pytest.mark.parametrize("bulk", [False, True])
def test_unused_coupons_go_with_it_and_used_ones_stay(bulk: bool) -> None:
    couponed()
    found = revocations.preview(Grant.objects.all())
    assert (found.count, found.merchants, found.coupons) == (2, 2, 3)
    [part] = found.parts
    assert (part.label, part.count, part.amount, part.currency) == ("settled", 2, Decimal(100), "CNY")
    if bulk:
        revocations.approve(proposed(), shown=2, at=AT, by="bo")
    else:
        for grant in Grant.objects.all():
            revocations.revoke(grant, at=AT, by="ana", reason="x")
    assert sorted(Coupon.objects.values_list("status", flat=True)) == ["redeemed", "void", "void", "void"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("market")
def test_two_revocations_at_once_revoke_a_grant_once() -> None:
    for grant in Grant.objects.all():
        several = [Grant.objects.get(pk=grant.pk) for _ in range(4)]
        done: list[int] = []

        def take(one: Grant, done: list[int] = done) -> None:
            with suppress(transitions.NotLiveError):
                revocations.revoke(one, at=AT, by="ana", reason="x")
                done.append(one.pk)

        at_once([lambda one=one: take(one) for one in several])  # type: ignore[misc]
        assert done == [grant.pk]
        assert JournalEntry.objects.filter(grant=grant, target="revoked").count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_settled_and_revoked_at_once_is_one_or_the_other() -> None:
    """The tick settles what is locked while an operator takes it away: whoever is second finds it moved."""
    for n in range(6):
        merchant(f"M{n}")
        freight(f"F{n}", of=f"M{n}", placed_at="01", paid_at="02", departed_at="10")
    publish(offer("ten", claim="{at: placed_at}", settlement="{at: departed_at, locked_at: paid_at}"))
    tick("05")
    assert states() == ["locked"] * 6
    all_grants = list(Grant.objects.order_by("pk"))

    def take() -> None:
        for grant in all_grants:
            with suppress(transitions.NotLiveError):
                revocations.revoke(grant, at=t("11"), by="ana", reason="x")

    at_once([take, lambda: tick("11")])
    for grant in Grant.objects.all():
        moves = list(JournalEntry.objects.filter(grant=grant).order_by("pk").values_list("source", "target"))
        assert moves[-1][1] == grant.status
        assert [source for source, _ in moves[1:]] == [target for _, target in moves[:-1]]


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard of a grant's moves is off: the update does not ask for the state that was read."""
    find = QuerySet.filter

    def found(rows: "QuerySet[Any]", *arguments: Any, **asked: Any) -> "QuerySet[Any]":
        if rows.model is Grant and set(asked) == {"pk", "status"}:
            del asked["status"]
        return find(rows, *arguments, **asked)

    monkeypatch.setattr(QuerySet, "filter", found)


@pytest.mark.plants_violation
@pytest.mark.usefixtures("market", "unasked")
def test_control_without_the_guard_one_grant_is_taken_away_twice() -> None:
    several = [Grant.objects.order_by("pk")[0] for _ in range(2)]
    for one in several:
        revocations.revoke(one, at=AT, by="ana", reason="x")
    assert JournalEntry.objects.filter(grant=several[0], target="revoked").count() == 2


@pytest.mark.plants_violation
@pytest.mark.usefixtures("unasked")
def test_control_without_the_guard_it_is_settled_and_revoked() -> None:
    merchant()
    freight("F", placed_at="01", paid_at="02", departed_at="10")
    publish(offer("ten", claim="{at: placed_at}", settlement="{at: departed_at, locked_at: paid_at}"))
    tick("05")
    read = Grant.objects.get()
    tick("11")
    revocations.revoke(read, at=t("11"), by="ana", reason="x")
    moves = list(JournalEntry.objects.filter(grant=read).order_by("pk").values_list("source", "target"))
    assert moves[-2:] == [("locked", "settled"), ("locked", "revoked")]


@pytest.fixture
def ana(staff: Staff, market: None) -> Client:
    return staff("ana", "operator")


def test_one_at_the_desk(ana: Client) -> None:
    grant = Grant.objects.order_by("pk")[0]
    where = f"/admin/grants/{grant.pk}/revoke/"
    asked = text(ana, where)
    assert f"Revoke the grant of {grant.subject}" in asked
    assert "Active grants: 1. Merchants: 1. Unused coupons: 0." in asked
    page = ana.post(where, {"reason": "embargo"}, follow=True)
    assert "is revoked" in words(page.content.decode())
    grant.refresh_from_db()
    assert grant.status == "revoked"


@pytest.mark.parametrize("path", ["/admin/offers/ten/revoke/", "/admin/merchant/M1/revoke/", "chosen"])
def test_several_at_the_desk(path: str, ana: Client, staff: Staff) -> None:
    if path == "chosen":
        keys = list(Grant.objects.filter(merchant="M1").values_list("pk", flat=True))
        answer = ana.post("/admin/campaigns/grant/", {"action": "revoke", "_selected_action": keys})
        path = answer.headers["location"]
    number = 6 if "offers" in path else 3
    assert f"Settled {number} benefits" in text(ana, path)
    page = ana.post(path, {"reason": "embargo"}, follow=True)
    assert "Nothing is revoked until a second person approves it" in words(page.content.decode())
    revocation = Revocation.objects.get()
    where = f"/admin/revocations/{revocation.pk}/"
    assert ana.post(where, {"verb": "approve", "shown": number}).status_code == 403  # no approver
    assert states() == ["settled"] * 6
    both = staff("ana", "operator", "approver")
    assert "Waits for a second person: you proposed this revocation." in text(both, where)
    both.post(where, {"verb": "approve", "shown": number})
    assert states() == ["settled"] * 6
    bo = staff("bo", "approver")
    assert f"Approve: revoke {number} grants" in text(bo, where)
    assert "Waiting for you 1 of 1 task" in text(bo, "/admin/")
    assert "Waiting for you 1 Revocation:" in text(bo, "/admin/approvals/")
    assert "Waiting for others 1 Revocation:" in text(both, "/admin/approvals/")
    bo.post(where, {"verb": "approve", "shown": number})
    assert states().count("revoked") == number


@pytest.mark.parametrize("ids", ["", "x", "1,x;", ",".join(map(str, range(1, 203)))])
def test_unknown_selections_are_not_found(ids: str, ana: Client) -> None:
    assert ana.get("/admin/grants/revoke/", {"ids": ids}).status_code in (302, 404)
    assert ana.get("/admin/grants/revoke/", {"ids": ids}, follow=True).status_code in (200, 404)
    assert not Revocation.objects.exists()
