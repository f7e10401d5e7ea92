from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from campaigns.notifications import messages, outbox, webhooks  # noqa: PLC0415  models load first

        outbox.LISTENERS += [messages.listening, webhooks.listening]
