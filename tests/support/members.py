"""Members who sign in, their browsers, and the text of pages."""

from datetime import datetime
from html import unescape
from re import sub

from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from core.models import DemoClock
from merchants import members
from merchants.models import Member, Merchant
from tests.support.world import t

PASSWORD = "one-and-only-fair"


def member(email: str, of: str = "M1", role: str = "main", *, may_attach: bool = True) -> Member:
    """Create a member with a password who reads English in Beijing time."""
    found = members.add(
        email, to=Merchant.objects.get(pk=of), role=role, may_attach=may_attach, language="en", at=t("01"), by="test"
    )
    found.user.set_password(PASSWORD)
    found.user.save()
    return found


def signed_in(member: Member) -> Member:
    """Mark a member as having signed in once: mail goes only to those."""
    member.user.last_login = t("01")
    member.user.save()
    return member


def client(who: Member, **options: bool) -> Client:
    """Return a test client signed in as the member."""
    browser = Client(headers={"accept-language": "en"}, **options)  # type: ignore[arg-type]  # options of the client
    browser.force_login(who.user)
    return browser


def totp_code(device: TOTPDevice, at: datetime) -> str:
    """Return the code that the authenticator app shows at an instant."""
    totp = TOTP(device.bin_key)
    totp.time = at.timestamp()
    return f"{totp.token():06}"


def begin_second_step(browser: Client) -> TOTPDevice:
    """Give the password on the page of two-factor authentication. Return the device that it shows."""
    page = browser.post("/account/second-step/", {"password": PASSWORD})
    assert b"otpauth://totp/Fairground" in page.content
    return TOTPDevice.objects.latest("pk")


def clock(at: str) -> None:
    """Set the demonstration clock and stop it."""
    DemoClock.objects.update_or_create(id=1, defaults={"instant": t(at), "running_since": None})


def text(browser: Client, path: str, status: int = 200) -> str:
    """Fetch a page and return its text as one line."""
    response = browser.get(path)
    assert response.status_code == status, (path, response.status_code, response.headers.get("location"))
    return words(response.content.decode())


def visible(browser: Client, path: str) -> str:
    """Fetch a page and return its text as one line, without the tooltips of dates."""
    response = browser.get(path)
    assert response.status_code == 200, (path, response.status_code, response.headers.get("location"))
    return without_tooltips(response.content.decode())


def without_tooltips(page: str) -> str:
    """Return the text of HTML as one line, without the tooltips of dates."""
    return words(sub(r'(?s)<span class="tip-box".*?</span>', "", page))


def words(page: str) -> str:
    """Return the text of HTML as one line."""
    body = sub(r"(?s)<(style|script|head)\b.*?</\1>", " ", page)
    return " ".join(unescape(sub(r"<[^>]+>", " ", body)).split()).replace(" .", ".").replace(" ,", ",")
