"""A drill on the embedded default, seen there alone."""

import pytest
from django.core.management import CommandError, call_command

from tests.support.world import everything, freight, merchant, offer, publish, tick


@pytest.mark.django_db
@pytest.mark.once
def test_one_writer_has_nothing_to_rehearse() -> None:
    merchant()
    publish(offer("o", quota="{limit: 5}"))
    freight("F", paid_at="02")
    tick("03")
    before = everything()
    with pytest.raises(CommandError, match="needs PostgreSQL"):
        call_command("drill", "o")
    assert everything() == before
