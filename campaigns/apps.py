import gc

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from campaigns import messages, outbox, roles, webhooks  # noqa: PLC0415  models are there from here on
        from campaigns.rules import moments  # noqa: F401, PLC0415  every SQLite connection learns its function

        outbox.LISTENERS += [messages.listening, webhooks.listening]
        post_migrate.connect(roles.establish, sender=self)
        # What is loaded by now stays: looking through it for garbage again and again took a tenth of a cold tick.
        gc.freeze()
