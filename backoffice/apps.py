from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = _("Operators' workspace")

    def ready(self) -> None:
        from backoffice import roles  # noqa: PLC0415  models load first

        # The last app with permissions that roles name; an app without models sends no signal of its own.
        post_migrate.connect(roles.establish, sender=apps.get_app_config("campaigns"))
