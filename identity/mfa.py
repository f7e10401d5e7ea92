"""Second factor at sign-in: codes of an authenticator app (TOTP, RFC 6238).

Each user may turn it on. `settings.SECOND_STEP` says who must: nobody, operators (the default) or everyone.
"""

import segno
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_totp.models import TOTPDevice


def device_of(user: User) -> TOTPDevice | None:
    """Return the user's confirmed device, or None if the second factor is off."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def is_required_for(user: User) -> bool:
    """Return true if the user must have a second factor."""
    return settings.SECOND_STEP == "everyone" or (settings.SECOND_STEP == "operators" and user.is_staff)


@transaction.atomic
def begin_setup(user: User) -> TOTPDevice:
    """Return a new device with a secret of its own to set up. One that an earlier setup left behind is deleted."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()
    return TOTPDevice.objects.create(user=user, confirmed=False, name="telephone")


def device_in_setup(user: User, pk: int) -> TOTPDevice | None:
    """Return the user's device with that primary key while it is being set up."""
    return TOTPDevice.objects.filter(user=user, pk=pk, confirmed=False).first()


@transaction.atomic
def confirm_setup(new: TOTPDevice, code: str) -> bool:
    """Turn the second factor on if the code is one of the device being set up. Return true if it was."""
    device = TOTPDevice.objects.select_for_update().filter(pk=new.pk, confirmed=False).first()
    if device is None or not device.verify_token(code):
        return False
    TOTPDevice.objects.filter(user=device.user, confirmed=True).delete()
    device.confirmed = True
    device.save()
    return True


@transaction.atomic
def verify(user: User, code: str) -> bool:
    """Return true if the code is right. Each code works once; each wrong code doubles the wait before the next.

    The row is locked, so that codes sent at the same time cannot avoid the wait.
    """
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is None:
        return False
    allowed, _reason = device.verify_is_allowed()
    return bool(allowed and device.verify_token(code))


def disable(user: User) -> None:
    """Turn the second factor off."""
    TOTPDevice.objects.filter(user=user).delete()


def qr_code(device: TOTPDevice) -> SafeString:
    """Return the QR code that the authenticator app scans, as SVG without inline style."""
    svg = segno.make(device.config_url).svg_inline(scale=5, svgclass="code", lineclass=None, omitsize=False)
    return mark_safe(svg)  # noqa: S308  built from our own secret, nothing of it is typed by users  # nosec B308, B703
