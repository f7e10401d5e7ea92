"""`manage.py grant_serving_role NAME`: rights of the PostgreSQL role of web processes and workers."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from core.db import roles
from standalone.terminal import terminal_language


class Command(BaseCommand):
    """Run as the owner of the tables, after `migrate`. Safe to repeat."""

    help = _("Give a PostgreSQL role the rights to serve: rows of all tables, and no change of tables or records.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role")
        parser.add_argument(
            "--password-variable",
            metavar="NAME",
            help=_("environment variable with the role's password; the role is created, or gets that password"),
        )

    def handle(self, *args: Any, role: str, password_variable: str | None, **options: Any) -> None:
        with terminal_language():
            self._grant(role, password_variable)

    def _grant(self, role: str, variable: str | None) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(_("Roles need PostgreSQL; DATABASE_URL names none."))
        password = os.environ.get(variable, "") if variable else ""
        if variable and not password:
            raise CommandError(_("The environment variable %(name)s is empty.") % {"name": variable})
        if role == connection.settings_dict["USER"]:
            raise CommandError(_("%(role)s owns the tables: serve with another role.") % {"role": role})
        try:
            roles.grant_serving_rights(role, password=password)
        except DatabaseError as error:
            text = _("The rights of %(role)s were not changed: %(reason)s")
            raise CommandError(text % {"role": role, "reason": str(error).strip()}) from error
        self.stdout.write(_("%(role)s may serve.") % {"role": role})
