"""The load drill on SQLite."""

import pytest
from django.core.management import CommandError, call_command

from tests.support.world import everything, freight, merchant, offer, publish, tick


@pytest.mark.django_db
@pytest.mark.once(reason="the refusal of a drill on SQLite")
def test_a_drill_needs_postgresql() -> None:
    merchant()
    publish(offer("o", quota="{limit: 5}"))
    freight("F", paid_at="02")
    tick("03")
    before = everything()
    with pytest.raises(CommandError, match="needs PostgreSQL"):
        call_command("drill", "o")
    assert everything() == before
