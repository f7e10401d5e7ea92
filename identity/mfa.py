"""A second step at sign-in: codes of a program on one's telephone (TOTP, RFC 6238).

Whoever wants it has it; of whom `settings.SECOND_STEP` asks it must: nobody, operators (the default), or everyone.
"""

import segno
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_totp.models import TOTPDevice


def device_of(user: User) -> TOTPDevice | None:
    """The device whose codes the user is asked for; None where no second step was chosen."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def are_needed_by(user: User) -> bool:
    """Whether the user must have a second step."""
    return settings.SECOND_STEP == "everyone" or (settings.SECOND_STEP == "operators" and user.is_staff)


def begin(user: User) -> TOTPDevice:
    """The device that is being set up: the same until it is confirmed, so that a page can be looked at again."""
    return TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": "telephone"})[0]


@transaction.atomic
def confirm(user: User, code: str) -> bool:
    """Turn the second step on, where the code is that of the device being set up."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token(code):
        return False
    TOTPDevice.objects.filter(user=user, confirmed=True).delete()
    device.confirmed = True
    device.save()
    return True


@transaction.atomic
def verify(user: User, code: str) -> bool:
    """Whether the code is right. One code is right once; after a wrong one the next must wait, each time longer.

    The row is held meanwhile, so that no burst gets past that.
    """
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is None:
        return False
    allowed, _why_not = device.verify_is_allowed()
    return bool(allowed and device.verify_token(code))


def remove(user: User) -> None:
    """Turn the second step off."""
    TOTPDevice.objects.filter(user=user).delete()


def picture(device: TOTPDevice) -> SafeString:
    """What the telephone's camera reads, as SVG without a style of its own."""
    drawn = segno.make(device.config_url).svg_inline(scale=5, svgclass="code", lineclass=None, omitsize=False)
    return mark_safe(drawn)  # noqa: S308  made here from a secret of ours  # nosec B308, B703
