"""One person revokes only so many grants, and so much value, within a day; more takes two."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from campaigns.grants import revocations, transitions
from campaigns.grants.revocations import LimitError
from campaigns.models import Grant, Revocation
from tests.support.concurrency import Race
from tests.support.guards import without_row_locks
from tests.support.members import text, words
from tests.support.operators import Staff
from tests.support.world import t

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market")]
AT = t("20")


def live() -> list[Grant]:
    """The six grants of the market, of 100.00 to 100.20 each."""
    return list(Grant.objects.filter(status__in=Grant.LIVE).order_by("amount", "pk"))


def revoke(grant: Grant, *, by: str = "ana", after: timedelta = timedelta()) -> None:
    revocations.revoke(grant, at=AT + after, by=by, reason="x")


def test_a_number_of_grants_a_day_for_each_person(settings: Settings) -> None:
    settings.REVOCATIONS_ALONE = 2
    one, two, three, *_others = live()
    revoke(one)
    revoke(two, after=timedelta(hours=1))
    with pytest.raises(LimitError, match="propose the revocation"):
        revoke(three, after=timedelta(hours=2))
    assert len(live()) == 4
    revoke(three, by="bo", after=timedelta(hours=2))
    four, five, *_others = live()
    with pytest.raises(LimitError):
        revoke(four, after=timedelta(days=1) - timedelta(seconds=1))
    revoke(four, after=timedelta(days=1))  # the first was a day ago
    with pytest.raises(LimitError):
        revoke(five, after=timedelta(days=1))


@pytest.mark.plants_violation  # the currency of a grant is changed without its journal
def test_a_value_a_day_in_each_currency(settings: Settings) -> None:
    one, two, three, *_others = live()
    settings.REVOCATION_VALUE_ALONE = one.amount + two.amount
    Grant.objects.filter(pk=three.pk).update(currency="USD")
    three.refresh_from_db()
    revoke(one)
    revoke(three)  # another currency
    revoke(two)  # exactly the limit
    with pytest.raises(LimitError):
        revoke(live()[0])
    assert len(live()) == 3


def test_what_two_people_revoked_does_not_count(settings: Settings) -> None:
    settings.REVOCATIONS_ALONE = 1
    chosen = Grant.objects.filter(merchant="M1")
    revocation = revocations.propose(chosen, title="x", at=AT, by="bo", reason="x")
    revocations.approve(revocation, shown=3, at=AT, by="ana")
    revoke(live()[0])
    with pytest.raises(LimitError):
        revoke(live()[0])


def test_the_page_proposes_what_one_person_may_not_do(staff: Staff, settings: Settings) -> None:
    settings.REVOCATIONS_ALONE = 1
    ana = staff("ana", "operator")
    one, two, *_others = live()
    path = "/admin/grants/{}/revoke/"
    assert "is revoked permanently" in text(ana, path.format(one.pk))
    ana.post(path.format(one.pk), {"reason": "fraud"})
    assert len(live()) == 5
    assert "A second person must approve the revocation" in text(ana, path.format(two.pk))
    page = ana.post(path.format(two.pk), {"reason": "fraud"}, follow=True)
    assert "Nothing is revoked until a second person approves it" in words(page.content.decode())
    assert len(live()) == 5
    staff("bo", "approver").post(f"/admin/revocations/{Revocation.objects.get().pk}/", {"verb": "approve", "shown": 1})
    assert len(live()) == 4


def revoked_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> int:
    """Revoke six grants at the same time, where one is allowed. Return how many were revoked."""
    User.objects.create_user("ana")
    settings.REVOCATIONS_ALONE = 1
    race = Race()
    monkeypatch.setattr(transitions, "revoke", race.stop_before(transitions.revoke))

    def work(grant: Grant) -> None:
        with suppress(LimitError):
            revoke(grant)

    race.run([partial(work, grant) for grant in live()])
    return 6 - len(live())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_concurrent_revocations_do_not_exceed_the_limit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert revoked_at_once(settings, monkeypatch) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_they_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    without_row_locks(monkeypatch)
    assert revoked_at_once(settings, monkeypatch) == 6
