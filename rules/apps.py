from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RulesConfig(AppConfig):
    name = "rules"
    verbose_name = _("Rules")

    def ready(self) -> None:
        from rules import calendars, moments, quotients  # noqa: F401, PLC0415  register SQL functions on every SQLite connection
