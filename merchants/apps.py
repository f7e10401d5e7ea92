from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MerchantsConfig(AppConfig):
    name = "merchants"
    verbose_name = _("Merchants")

    def ready(self) -> None:
        """Be told of sign-ins."""
        from merchants import noted, sessions  # noqa: F401, PLC0415  # they listen; their tables are there only now
