"""The first start of a demonstration: campaign, facts, decisions and an operator to sign in as."""

import io
import tempfile
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.core.management import call_command

from campaigns import engine
from campaigns.models.clock import DEMO_START, DemoClock

LOGINS = {"operator": "fairground"}
"""Known to everyone: a demonstration only."""


def is_open() -> bool:
    """Whether a first start was completed. Its last step makes the clock, so a broken one is repeated."""
    return DemoClock.objects.exists()


def open_demonstration(say: Callable[[str], object]) -> None:
    """Fill an empty installation. Safe to repeat: each step takes up what is there."""
    say("the September campaign")
    call_command("load_campaign", "september-2022", stdout=io.StringIO())
    with tempfile.TemporaryDirectory(prefix="fairground-") as folder:
        say("a made-up marketplace")
        call_command("demo_world", folder, stdout=io.StringIO())
        call_command("import_facts", folder, stdout=io.StringIO())
    say(f"decisions up to {DEMO_START:%Y-%m-%d %H:%M} UTC")
    engine.tick(at=DEMO_START)
    _make_operators()
    DemoClock.objects.create()


def _make_operators() -> None:
    users = get_user_model().objects
    for name, password in LOGINS.items():
        if not users.filter(username=name).exists():
            users.create_superuser(username=name, password=password)
