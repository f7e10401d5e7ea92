"""Two merchants and their members."""

import pytest
from pytest_django import Settings

from merchants.models import Member
from tests.support.members import clock, member
from tests.support.world import merchant


@pytest.fixture
def demo(settings: Settings) -> None:
    """Use the demonstration clock, which stands where a test sets it."""
    settings.DEMO = True


@pytest.fixture
def owner(db: None, demo: None) -> Member:
    """Main account of merchant M1, on 3 September 2022, 00:00 UTC."""
    clock("03")
    merchant("M1", name="Own")
    return member("owner@example.com")


@pytest.fixture
def mate(owner: Member) -> Member:
    """View-only sub-account of M1."""
    return member("mate@example.com", role="sub", may_attach=False)


@pytest.fixture
def stranger(owner: Member) -> Member:
    """Main account of another merchant, M2."""
    merchant("M2", name="Strange")
    return member("stranger@example.com", of="M2")
