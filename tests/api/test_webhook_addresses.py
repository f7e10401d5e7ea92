"""Webhooks: addresses that are refused or gone, and endpoints at the operators' desk."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhook_delivery, webhook_sender, webhooks
from core.safe_http import AddressError
from merchants.models import Member
from tests.support.members import member
from tests.support.receivers import Receiver
from tests.support.servers import resolve_names_to
from tests.support.webhooks import Clock, endpoint, happen, two_merchants

__all__ = ["two_merchants"]  # a fixture
pytestmark = [pytest.mark.usefixtures("two_merchants"), pytest.mark.once(reason="addresses and names, not SQL")]


def test_410_disables_the_endpoint_and_tells_its_owner(receivers: list[Receiver], root: Client) -> None:
    receiver, _ = receivers
    User.objects.create_user("ana", email="ana@platform.example")
    owner = member("owner@example.com", of="M1")
    Member.objects.update(language="zh-hans")
    member("mate@example.com", of="M1", role="sub")
    there, clock = endpoint(receiver, "granted", of="M1"), Clock()
    happen("F1", "F2")
    receiver.answers = [410, 410]
    webhook_sender.deliver(there, clock=clock)
    there.refresh_from_db()
    assert (there.disabled_at, there.gone_at) == (clock.at, clock.at)
    pending = Delivery.objects.filter(endpoint=there, delivered_at=None, due_at__isnull=False)
    assert pending.count() == 2  # kept
    clock.pass_(timedelta(days=30))
    heard = len(receiver.heard)
    assert webhook_delivery.endpoints_due(at=clock.at) == []
    assert webhook_sender.deliver(there, clock=clock) == 0
    assert len(receiver.heard) == heard
    assert webhooks.tell_owners(at=clock.at) == 1
    assert webhooks.tell_owners(at=clock.at) == 0
    assert sorted(letter.to[0] for letter in mail.outbox) == ["ana@platform.example", owner.user.email]
    english, chinese = sorted(mail.outbox, key=lambda letter: letter.to)
    assert english.subject == "Webhook “r” was disabled"
    assert receiver.url in english.body
    assert "410" in english.body
    assert chinese.subject == "Webhook“r”已停用"
    root.post("/admin/campaigns/endpoint/", {"action": "enable", "_selected_action": [there.pk]})
    assert webhook_sender.deliver(there, clock=clock) == 2


def test_a_name_of_two_lines_stops_neither_the_mail_nor_the_other_owners(receivers: list[Receiver]) -> None:
    User.objects.create_user("ana", email="ana@platform.example")
    member("owner@example.com", of="M1")
    there, clock = endpoint(receivers[0], "granted", of="M1"), Clock()
    Endpoint.objects.filter(pk=there.pk).update(name="two\nlines", gone_at=clock.at, disabled_at=clock.at)
    assert webhooks.tell_owners(at=clock.at) == 1
    assert {letter.subject for letter in mail.outbox} == {"Webhook “two lines” was disabled"}


def test_those_who_manage_webhooks_are_told_of_one_that_a_program_registered(receivers: list[Receiver]) -> None:
    boss = User.objects.create_user("boss", email="boss@platform.example", is_staff=True)
    boss.user_permissions.add(Permission.objects.get(codename="change_endpoint"))
    User.objects.create_user("other", email="other@platform.example", is_staff=True)
    there, clock = endpoint(receivers[0], "granted"), Clock()
    Endpoint.objects.filter(pk=there.pk).update(created_by="abc program", gone_at=clock.at, disabled_at=clock.at)
    assert webhooks.tell_owners(at=clock.at) == 1
    assert [letter.to for letter in mail.outbox] == [["boss@platform.example"]]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "2130706433", "0x7f.1"])
def test_an_endpoint_at_a_private_address_cannot_be_registered(host: str, settings: Settings) -> None:
    with pytest.raises(AddressError):
        webhooks.register("x", f"https://{host}/", merchant=None, kinds=(), at=timezone.now(), by="ana")
    assert not Endpoint.objects.exists()


def test_addresses_are_checked_again_at_delivery(
    monkeypatch: pytest.MonkeyPatch, receivers: list[Receiver], settings: Settings
) -> None:
    """The name resolved to a public address at registration and to a private one at delivery."""
    settings.WEBHOOKS_PRIVATE = False
    resolve_names_to(monkeypatch, "8.8.8.8")
    there = webhooks.register("x", "https://rebound.example/", merchant=None, kinds=(), at=timezone.now(), by="ana")
    webhooks.test(there, at=timezone.now())
    resolve_names_to(monkeypatch, "127.0.0.1")
    assert webhook_sender.deliver(there, clock=Clock()) == 0
    row = Delivery.objects.get()
    assert (row.tries, row.status) == (1, None)
    assert "not public" in row.error


def test_redirects_are_not_followed(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there = endpoint(receiver)
    receiver.answers = [302]
    webhooks.test(there, at=timezone.now())
    assert webhook_sender.deliver(there, clock=Clock()) == 0
    assert Delivery.objects.get().error == "answered 302"


@pytest.fixture
def root(settings: Settings) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(User.objects.create_superuser("root"))
    return browser


def form(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"name": "checkout", "url": receiver.url, "merchant": "", "kinds": ["granted"], **more}


def test_operators_register_test_rotate_disable_and_enable_endpoints(root: Client, receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    page = root.post("/admin/settings/webhooks/new/", form(receiver)).content.decode()
    there = Endpoint.objects.get()
    assert there.secret in page or there.secret.replace("+", "&#x2B;") in page
    assert (there.kinds, there.created_by) == (["granted"], "root")
    assert there.secret not in root.get(f"/admin/settings/webhooks/{there.pk}/").content.decode()
    chosen = {"_selected_action": [there.pk]}
    root.post("/admin/campaigns/endpoint/", {"action": "test", **chosen})
    webhook_sender.deliver(there, clock=timezone.now)
    assert receiver.kinds == ["endpoint.tested"]
    delivery = Delivery.objects.get()
    root.post("/admin/campaigns/delivery/", {"action": "replay", "_selected_action": [delivery.pk]})
    webhook_sender.deliver(there, clock=timezone.now)
    assert receiver.kinds == ["endpoint.tested", "endpoint.tested"]
    root.post("/admin/campaigns/endpoint/", {"action": "disable", **chosen})
    happen("F1")
    assert Delivery.objects.count() == 1
    root.post("/admin/campaigns/endpoint/", {"action": "enable", **chosen})
    root.post(f"/admin/settings/webhooks/{there.pk}/rotate/")
    assert Endpoint.objects.get().old_secret == there.secret


def test_the_form_refuses_private_addresses(root: Client, receivers: list[Receiver], settings: Settings) -> None:
    settings.WEBHOOKS_PRIVATE = False
    page = root.post("/admin/settings/webhooks/new/", form(receivers[0], url="https://169.254.169.254/latest/"))
    assert "not public" in page.content.decode()
    assert not Endpoint.objects.exists()
