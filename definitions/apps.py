from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DefinitionsConfig(AppConfig):
    name = "definitions"
    verbose_name = _("Definitions")

    def ready(self) -> None:
        from definitions.benefits import amounts  # noqa: F401, PLC0415  registers a SQL function on SQLite connections
