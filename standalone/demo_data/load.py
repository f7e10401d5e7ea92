"""First start of a demonstration: campaign, generated facts, decisions, and users to sign in as."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.utils.translation import gettext as _

from campaigns.engine import ticker
from campaigns.notifications import distribution
from core.models import DEMO_START, DemoClock
from merchants import members
from merchants.models import Member, Merchant
from standalone.demo_data import tool_sale

CAMPAIGNS = ("september-2022", "marketplace-2022", str(tool_sale.DEFINITION))
MERCHANTS, SEED = 300, 2022
PASSWORD = "fairground"  # noqa: S105  # published, for demonstrations only  # nosec B105
MEMBERS = {"merchant@example.com": Member.Role.MAIN, "colleague@example.com": Member.Role.SUB}
STAFF = ("operator", "approver")
LOGINS = {**dict.fromkeys(STAFF, PASSWORD), **dict.fromkeys(MEMBERS, PASSWORD)}
MERCHANT = "M00003"
"""Merchant of the demo members: it has some benefits, can get others and misses the rest."""


def is_loaded() -> bool:
    """Return True after a complete first start. The clock is created last, so an interrupted start is repeated."""
    return DemoClock.objects.exists()


def load_demonstration(report: Callable[[str], object]) -> None:
    """Fill an empty installation and call `report` before each step. Safe to repeat after an interruption."""
    report(_("September 2022 campaign and the programmes of the marketplace"))
    for campaign in CAMPAIGNS:
        call_command("load_campaign", campaign, stdout=io.StringIO(), stderr=io.StringIO())
    with tempfile.TemporaryDirectory(prefix="fairground-") as folder:
        report(_("generated marketplace"))
        call_command("demo_world", folder, merchants=MERCHANTS, seed=SEED, stdout=io.StringIO())
        call_command("import_facts", folder, stdout=io.StringIO())
    with tempfile.TemporaryDirectory(prefix="fairground-") as folder:
        tool_sale.write_requests(Path(folder), MERCHANTS, SEED)
        call_command("import_facts", folder, stdout=io.StringIO())
    _create_members()  # before the first decisions, so that members receive messages about them
    report(_("decisions up to %(time)s UTC") % {"time": f"{DEMO_START:%Y-%m-%d %H:%M}"})
    ticker.tick(at=DEMO_START)
    distribution.fan_out()
    _create_operators()
    DemoClock.objects.create()


def _create_operators() -> None:
    """Create a superuser, and an approver for what the first one drafts: nobody approves their own work."""
    operator, approver = STAFF
    if not User.objects.filter(username=operator).exists():
        User.objects.create_superuser(username=operator, password=PASSWORD)
    if not User.objects.filter(username=approver).exists():
        user = User.objects.create_user(username=approver, password=PASSWORD, is_staff=True)
        user.groups.set(Group.objects.filter(name="approver"))


def _create_members() -> None:
    merchant = Merchant.objects.get(pk=MERCHANT)
    for email, role in MEMBERS.items():
        if not Member.objects.filter(user__username=email).exists():
            member = members.add(email, to=merchant, role=role, may_attach=False, at=DEMO_START, by="demonstration")
            member.user.set_password(PASSWORD)
            member.user.save()
