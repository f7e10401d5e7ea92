"""Notifications of operators: each matter once, to those who may act, on the channels that each has chosen."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from campaigns import tasks
from campaigns.engine import quarantine
from campaigns.grants import revocations
from campaigns.models import (
    Campaign,
    Draft,
    Grant,
    Heartbeat,
    Notice,
    Notification,
    NotificationPreference,
    Offer,
    TickStep,
)
from campaigns.monitoring import alarms
from campaigns.monitoring.health import Check
from campaigns.notifications import distribution, notice_texts, operator_mail, operators, preferences
from campaigns.notifications.preferences import Topic
from campaigns.offers import drafts
from core import clock as host
from identity import role_requests
from imports.models import Upload
from merchants import blocks
from merchants.models import Merchant
from tests.support.members import clock, text
from tests.support.operators import WINDOW, Staff
from tests.support.world import freight, offer, publish, t, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="who is told; single rows")]


@pytest.fixture
def team(staff: Staff, market: None) -> dict[str, Client]:
    """Return browsers of Ana and Bo, operators; Cy, an approver; Dee, an administrator; Eve, a viewer."""
    roles = {"ana": "operator", "bo": "operator", "cy": "approver", "dee": "administrator", "eve": "viewer"}
    browsers = {name: staff(name, role) for name, role in roles.items()}
    for name in roles:
        User.objects.filter(username=name).update(email=f"{name}@example.com")
    return browsers


def told() -> list[tuple[str, str]]:
    """Return each notification as its reader and its sentence, in the order of both."""
    rows = Notification.objects.select_related("user", "notice__offer").order_by("notice", "user__username")
    return [(row.user.username, notice_texts.describe(row.notice)) for row in rows]


def tell() -> int:
    return operators.tell_all(quarantine.set_aside(), at=t("20"), now=host.real())


def draft(by: str = "ana") -> Draft:
    campaign = Campaign.objects.get()
    return drafts.begin(campaign.source, title="October", of=campaign, at=t("20"), by=by)


def test_a_quota_that_fills_up_is_told_once_to_those_who_may_change_offers(team: dict[str, Client]) -> None:
    distribution.fan_out()
    assert told() == [(name, "The quota is used up: ten (6 of 6)") for name in ("ana", "bo", "dee")]
    distribution.fan_out()
    assert Notice.objects.count() == 1
    assert list(Notice.objects.values_list("event", "matter", "path")) == [
        ("quota_100", f"quota_100 {Offer.objects.get().pk} 6", "/admin/offers/ten/")
    ]


def test_each_mark_is_told_when_it_is_reached_and_once_for_one_limit(team: dict[str, Client]) -> None:
    distribution.fan_out()
    Notice.objects.all().delete()
    publish(offer("more", conditions=f"[{{fact: merchant.country, is: CN}}, {WINDOW}]", quota="{limit: 5}"))
    tick("21")
    distribution.fan_out()
    assert (Offer.objects.get(code="more").places_taken, told()) == (2, [])
    for n in range(3):
        freight(f"N{n}", of="M1", paid_at=f"21 1{n}:00")
        tick(f"21 1{n}:30")
        distribution.fan_out()
    assert [sentence for name, sentence in told() if name == "ana"] == [
        "80% of the quota is used: more (4 of 5)",
        "The quota is used up: more (5 of 5)",
    ]


def test_a_submitted_draft_is_told_to_approvers_who_had_no_hand_in_it(team: dict[str, Client]) -> None:
    waiting = draft(by="dee")
    drafts.submit(waiting, at=t("20"), by="ana")
    assert tell() == 1
    assert told() == [("cy", "Waits for your approval: draft “October”")]
    assert Notice.objects.get().path == f"/admin/drafts/{waiting.pk}/"
    assert tell() == 0


def test_a_submission_that_waits_no_more_is_not_told(team: dict[str, Client]) -> None:
    waiting = draft()
    drafts.submit(waiting, at=t("20"), by="ana")
    drafts.withdraw(waiting, at=t("20"), by="ana", reason="a mistake")
    assert tell() == 0


def test_returned_and_approved_drafts_are_told_to_their_authors(team: dict[str, Client]) -> None:
    waiting = draft(by="ana")
    drafts.submit(waiting, at=t("20"), by="bo")
    tell()
    drafts.give_back(waiting, at=t("20"), by="cy", reason="limit too high")
    drafts.submit(waiting, at=t("20"), by="ana")
    drafts.approve(waiting, shown=waiting.digest, at=t("20"), by="cy")
    assert tell() == 2  # the second submission waits no more
    returned, approved = "Returned to you: draft “October”. Reason: limit too high", "Approved: your draft “October”"
    assert told()[2:] == [("ana", returned), ("ana", approved)]


def test_nobody_is_told_of_their_own_act(team: dict[str, Client]) -> None:
    waiting = draft(by="dee")
    drafts.submit(waiting, at=t("20"), by="dee")
    drafts.give_back(waiting, at=t("20"), by="dee", reason="I saw a mistake")
    assert tell() == 1
    assert told() == []


def test_proposals_are_told_to_those_who_may_approve_them(team: dict[str, Client]) -> None:
    revocations.propose(Grant.objects.all(), title="all of ten", at=t("20"), by="ana", reason="fraud")
    blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=None, reason="fraud", at=t("20"), by="dee")
    approver = Group.objects.get(name="approver")
    asked_by, gets = User.objects.get(username="dee"), User.objects.get(username="bo")
    role_requests.hold_back(gets, [approver], by=asked_by, at=host.real())
    other = User.objects.create_user("fay", is_staff=True)
    other.groups.set(Group.objects.filter(name="administrator"))
    assert tell() == 3
    assert told() == [
        ("cy", "Waits for your approval: revocation “all of ten”"),
        ("dee", "Waits for your approval: revocation “all of ten”"),
        ("fay", "Waits for your approval: revocation “all of ten”"),
        ("cy", "Waits for your approval: block of M1 Merchant M1"),
        ("fay", "Waits for your approval: block of M1 Merchant M1"),
        ("fay", "Waits for your confirmation: role “approver” for bo"),
    ]
    assert tell() == 0


def test_a_paused_job_is_told_and_told_again_after_a_retry_that_failed(team: dict[str, Client]) -> None:
    step = TickStep.objects.create(name="offer: ten", tries=quarantine.TRIES, tried_at=t("20"))
    assert tell() == 1
    assert tell() == 0
    quarantine.try_again(TickStep.objects.all())
    assert tell() == 0
    TickStep.objects.filter(pk=step.pk).update(tries=quarantine.TRIES, tried_at=t("21"))
    assert tell() == 1
    sentence = "A background job is paused after failed attempts: offer: ten"
    assert told() == [(name, sentence) for _again in range(2) for name in ("ana", "bo", "dee")]


def test_a_health_check_that_fails_is_told_once_until_it_holds_again(team: dict[str, Client]) -> None:
    failing = [("mail", "mail")]
    assert operators.tell_of_health(failing, at=t("20 10:00")) == 1
    assert operators.tell_of_health(failing, at=t("20 12:00")) == 0
    assert operators.tell_of_health([], at=t("20 13:00")) == 0
    assert operators.tell_of_health(failing, at=t("20 14:00")) == 1
    assert operators.tell_of_health([], at=t("20 14:30")) == 0  # within the hour the matter stays
    assert operators.tell_of_health(failing, at=t("20 14:31")) == 0
    assert {sentence for _name, sentence in told()} == {"A health check fails: mail"}
    assert len(told()) == 6
    with translation.override("zh-hans"):
        assert notice_texts.describe(Notice.objects.latest("pk")) == "健康检查未通过：邮件"


def test_a_check_alarms_after_it_has_failed_for_five_minutes_without_a_break(db: None) -> None:
    bad, good = Check("mail", False, "", key="mail"), Check("mail", True, "", key="mail")
    start = t("20")

    def due(check: Check, minutes: int) -> list[str]:
        return [found.key for found in alarms.due([check], now=start + timedelta(minutes=minutes))]

    assert [due(bad, minute) for minute in (0, 2, 4)] == [[], [], []]
    assert due(good, 5) == []
    assert [due(bad, minute) for minute in (6, 8, 10)] == [[], [], []]
    assert due(bad, 11) == ["mail"]
    assert due(bad, 30) == []  # nobody looked for longer: that was a restart
    assert Heartbeat.objects.get(pk=alarms.NAME).message == f'{{"mail":{int(start.timestamp()) + 1800}}}'


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("checked", "File checked, waits for your confirmation: orders.csv"),
        ("imported", "File imported: orders.csv (1,200 rows)"),
        ("rejected", "The import failed, nothing was stored: orders.csv"),
        ("failed", "The import failed, nothing was stored: orders.csv"),
        ("checking", None),
    ],
)
@pytest.mark.parametrize("in_background", [True, False])
def test_an_import_is_told_to_its_uploader_if_a_worker_did_it(
    team: dict[str, Client], status: str, sentence: str | None, in_background: bool
) -> None:
    Upload.objects.create(
        kind="freight_orders",
        name="orders.csv",
        content=b"",
        size=1,
        rows=1200,
        status=status,
        in_background=in_background,
        uploader=User.objects.get(username="bo"),
        uploaded_by="bo",
        uploaded_at=host.real(),
        seen_at=host.real(),
    )
    tell()
    assert told() == ([("bo", sentence)] if sentence and in_background else [])


def test_the_choice_of_each_person_is_kept(team: dict[str, Client]) -> None:
    page = team["ana"].get("/admin/settings/notifications/")
    assert [line.topic.value for line in page.context["lines"]] == [
        "quota_80",
        "quota_95",
        "quota_100",
        "draft",
        "run",
        "import",
    ]
    answer = team["ana"].post("/admin/settings/notifications/", {"quota_100-mail": "on", "language": "zh-hans"})
    assert answer.status_code == 302
    assert "Your choice is saved." in text(team["ana"], "/admin/settings/notifications/")
    team["bo"].post("/admin/settings/notifications/", {"language": "en"})
    distribution.fan_out()
    chosen = Notification.objects.order_by("user__username").values_list("user__username", "shown", "mail")
    assert list(chosen) == [("ana", False, True), ("dee", True, True)]
    assert operator_mail.send(at=t("20")) == 2
    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert letters["ana@example.com"].subject == "名额已用完：ten（已用 6 / 6）"
    assert letters["dee@example.com"].subject == "The quota is used up: ten (6 of 6)"
    assert "http://127.0.0.1:8000/admin/offers/ten/" in letters["dee@example.com"].body
    assert "http://127.0.0.1:8000/admin/settings/notifications/" in letters["dee@example.com"].body


def test_one_letter_lists_all_that_waits_and_is_sent_once(team: dict[str, Client]) -> None:
    distribution.fan_out()
    waiting = draft(by="ana")
    drafts.submit(waiting, at=t("20"), by="ana")
    drafts.give_back(waiting, at=t("20"), by="cy", reason="no")
    tell()
    assert operator_mail.send(at=t("20")) == 3
    [letter] = [letter for letter in mail.outbox if letter.to == ["ana@example.com"]]
    assert letter.subject == "2 notifications"
    assert "The quota is used up: ten (6 of 6)" in letter.body
    assert "Returned to you: draft “October”. Reason: no" in letter.body
    assert operator_mail.send(at=t("20")) == 0


def test_a_failed_mail_is_tried_again_later(team: dict[str, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    distribution.fan_out()
    User.objects.exclude(username="ana").update(is_active=False)

    def refuse(*_arguments: object) -> int:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        assert operator_mail.send(at=t("20 10:00")) == 0
    assert Notification.objects.filter(mailed_at=None, user__username="ana").count() == 1
    assert operator_mail.send(at=t("20 10:00")) == 0
    assert operator_mail.send(at=t("20 10:01")) == 1
    preference = NotificationPreference.objects.get(user__username="ana")
    assert (preference.mail_failures, preference.mail_after) == (0, None)


def test_a_person_without_an_address_gets_no_mail_and_is_told_so(team: dict[str, Client]) -> None:
    User.objects.filter(username="ana").update(email="")
    distribution.fan_out()
    operator_mail.send(at=t("20"))
    assert sorted(letter.to[0] for letter in mail.outbox) == ["bo@example.com", "dee@example.com"]
    assert "Your account has no e-mail address" in text(team["ana"], "/admin/settings/notifications/")


def test_the_bell_counts_and_following_a_notification_reads_it(team: dict[str, Client]) -> None:
    distribution.fan_out()
    browser = team["ana"]
    assert 'aria-label="Notifications, 1 unread"' in browser.get("/admin/campaigns/").content.decode()
    row = Notification.objects.get(user__username="ana")
    address = f"/admin/notifications/{row.pk}/"
    for seen in (browser.get(address), browser.head(address)):  # a link that is fetched ahead marks nothing
        assert seen.headers["location"] == "/admin/offers/ten/"
    assert not Notification.objects.exclude(read_at=None).exists()
    assert f'action="{address}"' in browser.get("/admin/notifications/").content.decode()
    assert browser.post(address).headers["location"] == "/admin/offers/ten/"
    row.refresh_from_db()
    assert row.read_at is not None
    assert 'aria-label="Notifications"' in browser.get("/admin/campaigns/").content.decode()
    assert Notification.objects.exclude(read_at=None).count() == 1  # of others nothing is read


def test_nobody_reads_or_marks_the_notifications_of_others(team: dict[str, Client]) -> None:
    distribution.fan_out()
    row = Notification.objects.get(user__username="ana")
    assert team["bo"].get(f"/admin/notifications/{row.pk}/").status_code == 404
    assert team["bo"].post(f"/admin/notifications/{row.pk}/").status_code == 404
    team["bo"].post("/admin/notifications/read/", {"pk": row.pk})
    for odd in ("", "x", "-1", "1.5", "²"):
        assert team["ana"].post("/admin/notifications/read/", {"pk": odd}).status_code == 404
    team["eve"].post("/admin/notifications/read/")
    assert not Notification.objects.exclude(read_at=None).exists()
    team["bo"].post("/admin/notifications/read/")
    assert list(Notification.objects.exclude(read_at=None).values_list("user__username", flat=True)) == ["bo"]


def test_the_page_costs_the_same_for_one_and_many(team: dict[str, Client]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            text(team["ana"], "/admin/notifications/")
        return len(found)

    distribution.fan_out()
    few = queries()
    notice, ana = Notice.objects.get(), User.objects.get(username="ana")
    for n in range(30):
        again = Notice.objects.create(event=notice.event, matter=str(n), at=t("20"), offer=notice.offer, path="/admin/")
        Notification.objects.create(notice=again, user=ana, shown=True, mail=False)
    Notice.objects.update(words={"used": 6, "limit": 6})
    assert queries() == few


def test_a_viewer_is_told_nothing_and_that_it_has_nothing_to_choose(team: dict[str, Client]) -> None:
    assert preferences.open_to(User.objects.get(username="eve")) == []
    assert "nothing waits for you to act" in text(team["eve"], "/admin/settings/notifications/")
    assert "No notifications yet" in text(team["eve"], "/admin/notifications/")
    team["eve"].post("/admin/settings/notifications/", {"run-mail": "on", "language": "en"})
    assert preferences.of(User.objects.get(username="eve")).choices == {}


def test_the_language_of_mail_is_the_one_chosen_last(team: dict[str, Client]) -> None:
    browser = team["ana"]
    assert preferences.of(User.objects.get(username="ana")).language == "en"
    browser.post("/i18n/setlang/", {"language": "zh-hans", "next": "/admin/"})
    assert preferences.of(User.objects.get(username="ana")).language == "zh-hans"
    browser.post("/i18n/setlang/", {"language": "klingon", "next": "/admin/"})
    assert preferences.of(User.objects.get(username="ana")).language == "zh-hans"


def test_notices_are_deleted_after_a_year(team: dict[str, Client]) -> None:
    distribution.fan_out()
    operators.tell_all(quarantine.set_aside(), at=t("20") + timedelta(days=364), now=host.real())
    assert Notice.objects.count() == 1
    operators.tell_all(quarantine.set_aside(), at=t("20") + timedelta(days=366), now=host.real())
    assert (Notice.objects.count(), Notification.objects.count()) == (0, 0)


def test_the_sweep_tells_and_mails(team: dict[str, Client]) -> None:
    clock("20")
    drafts.submit(draft(), at=t("20"), by="ana")
    tasks.sweep()
    assert ("cy", "Waits for your approval: draft “October”") in told()
    assert "cy@example.com" in {letter.to[0] for letter in mail.outbox}


def test_a_topic_that_is_switched_off_makes_no_row(team: dict[str, Client]) -> None:
    for name in ("ana", "bo", "dee"):
        user = User.objects.get(username=name)
        preferences.choose(user, {Topic.QUOTA_100: (False, False)}, language="en")
    distribution.fan_out()
    assert Notice.objects.count() == 1
    assert told() == []
