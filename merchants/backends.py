"""Authentication backend that knows members: a disabled one has no session, whichever way it got it."""

from typing import Any

from django.contrib.auth.models import User

from identity.backends import GuardedBackend
from merchants.access import is_disabled


class MemberBackend(GuardedBackend):
    """Backend of every sign-in. It loads the member and its merchant with the user."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session, or None if it is inactive or a disabled member."""
        user = User.objects.select_related("member__merchant").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) and not is_disabled(user) else None
