"""The first start of a demonstration: campaign, facts, decisions, and an operator and merchants to sign in as."""

import io
import tempfile
from collections.abc import Callable

from django.contrib.auth.models import Group, User
from django.core.management import call_command

from campaigns.engine import ticker
from campaigns.notifications import messages
from core.models import DEMO_START, DemoClock
from merchants import members
from merchants.models import Member, Merchant

PASSWORD = "fairground"  # noqa: S105  # known to everyone: a demonstration only  # nosec B105
MEMBERS = {"merchant@example.com": Member.Role.MAIN, "colleague@example.com": Member.Role.SUB}
STAFF = ("operator", "approver")
LOGINS = {**dict.fromkeys(STAFF, PASSWORD), **dict.fromkeys(MEMBERS, PASSWORD)}
MERCHANT = "M00003"
"""Whose members they are: one that has some benefits, can get others, and misses the rest."""


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
    _make_members()  # before anything is decided, so that they are told of it
    say(f"decisions up to {DEMO_START:%Y-%m-%d %H:%M} UTC")
    ticker.tick(at=DEMO_START)
    messages.fan_out()
    _make_operators()
    DemoClock.objects.create()


def _make_operators() -> None:
    """One who may do everything, and one who approves what the first has drafted: nobody approves alone."""
    operator, approver = STAFF
    if not User.objects.filter(username=operator).exists():
        User.objects.create_superuser(username=operator, password=PASSWORD)
    if not User.objects.filter(username=approver).exists():
        made = User.objects.create_user(username=approver, password=PASSWORD, is_staff=True)
        made.groups.set(Group.objects.filter(name="approver"))


def _make_members() -> None:
    merchant = Merchant.objects.get(pk=MERCHANT)
    for email, role in MEMBERS.items():
        if not Member.objects.filter(user__username=email).exists():
            member = members.add(email, to=merchant, role=role, may_attach=False, at=DEMO_START, by="demonstration")
            member.user.set_password(PASSWORD)
            member.user.save()
