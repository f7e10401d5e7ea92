from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StandaloneConfig(AppConfig):
    name = "standalone"
    verbose_name = _("Demonstration")
