"""Users by name: names are fixed after creation and unique, keys never change hands."""

from django.contrib.auth.models import User


def user_key(name: str) -> int | None:
    """Return the primary key of the user with that name; None for the name of a command."""
    return User.objects.filter(username=name).values_list("pk", flat=True).first()
