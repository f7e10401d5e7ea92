"""Fixtures of the operators' workspace: a small marketplace on 20 September 2022, and its staff."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from tests.support.members import PASSWORD, clock
from tests.support.world import freight, merchant, offer, publish, tick

Staff = Callable[..., Client]
WINDOW = "{fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}}"
BUNDLES = (
    "{coupons: {count: 2, value: 25, currency: CNY, valid: {from: 2022-09-01 00:00:00, to: 2022-12-31 00:00:00}, "
    "where: [{fact: service, is: express}]}}"
)
EXPRESS_COUPONS = offer(
    "eight", conditions="[{fact: shipped_at, happened: yes}]", claim="{at: shipped_at}", benefit=BUNDLES, settlement=""
)


@pytest.fixture
def staff(db: None, settings: Settings) -> Staff:
    """Return a function: `staff("ana", "operator")` is a browser in which Ana, an operator, has signed in."""
    settings.DEMO = True

    def made(name: str, *roles: str, language: str = "en") -> Client:
        user = User.objects.filter(username=name).first() or User.objects.create_user(name, is_staff=True)
        user.set_password(PASSWORD)
        user.save()
        user.groups.set(Group.objects.filter(name__in=roles))
        browser = Client(headers={"accept-language": language})
        browser.force_login(user)
        return browser

    return made


@pytest.fixture
def market(db: None, settings: Settings) -> None:
    """Record three merchants with four orders each, one of them abroad, and grant ten per cent to the first six."""
    settings.DEMO = True
    clock("20")
    for code, country in (("M1", "CN"), ("M2", "CN"), ("M3", "US")):
        merchant(code, name=f"Merchant {code}", country=country)
        for n in range(4):
            freight(f"F{code}{n}", of=code, paid_at=f"{n + 11}", base_freight=1000 + n)
    publish(offer("ten", conditions=f"[{{fact: merchant.country, is: CN}}, {WINDOW}]", quota="{limit: 6}"))
    tick("20")
