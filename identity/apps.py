from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityConfig(AppConfig):
    name = "identity"
    verbose_name = _("Sign-in")

    def ready(self) -> None:
        from identity import security_log, sessions  # noqa: F401, PLC0415  they connect signals; models load first
