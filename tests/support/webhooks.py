"""Endpoints of webhooks, and events for them."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.models import Endpoint
from campaigns.notifications import distribution, webhooks
from merchants.models import Merchant
from tests.support.receivers import Receiver
from tests.support.world import freight, merchant, offer, publish, tick


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.at = timezone.now() + timedelta(minutes=4)  # later than all deliveries; verifiers allow five minutes

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, gap: timedelta) -> None:
        self.at += gap


def endpoint(receiver: Receiver, *kinds: str, of: str | None = None) -> Endpoint:
    whose = Merchant.objects.get(pk=of) if of else None
    return webhooks.register("r", receiver.url, merchant=whose, kinds=kinds, at=timezone.now(), by="ana")


def happen(*orders: str, of: str = "M1") -> None:
    """Grant each order and fan out the events."""
    for order in orders:
        freight(order, of=of, paid_at="02")
    tick("03")
    distribution.fan_out()


@pytest.fixture
def two_merchants(db: None) -> None:
    merchant("M1")
    merchant("M2")
    publish(offer("ten", quota="{limit: 3}"))
