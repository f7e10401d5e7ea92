from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = _("Operators' workspace")

    def ready(self) -> None:
        from backoffice import record_pages, roles  # noqa: PLC0415  models load first

        record_pages.register()
        # An app without models sends no signal; when the last one with models sends it, all permissions exist.
        *_others, last = [config for config in apps.get_app_configs() if config.models_module]
        post_migrate.connect(roles.sync_groups, sender=last)
