import gc

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("System")

    def ready(self) -> None:
        """Load the facts of every app, then freeze all objects: collecting them again took a tenth of a cold tick."""
        autodiscover_modules("facts")
        gc.freeze()
