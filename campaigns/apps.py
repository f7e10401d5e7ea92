from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from imports import registry


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from campaigns.allowances import entitlements, instant_uses  # noqa: PLC0415
        from campaigns.allowances import rehearsal as rehearsal_of_allowances  # noqa: PLC0415
        from campaigns.engine import rehearsal  # noqa: PLC0415
        from campaigns.models import Document, Offer  # noqa: PLC0415
        from campaigns.notifications import messages, outbox, preferences, webhooks  # noqa: F401, PLC0415  models first; signals
        from campaigns.offers import documents, publishing  # noqa: PLC0415
        from campaigns.scorecards import rehearsal as rehearsal_of_scorecards  # noqa: PLC0415

        codes = Offer.objects.order_by().values("code")
        registry.register_known_values("claim_requests", "offer", _("offer"), codes.all)
        allowances = Document.objects.filter(kind="allowances").order_by().values("code")
        registry.register_known_values("claim_requests", "offer", _("offer"), allowances.all)
        registry.register_checks("usages", instant_uses.checks_of_rows)
        publishing.CHECKS.append(rehearsal.rehearse)
        documents.CHECKS |= {
            "allowances": rehearsal_of_allowances.rehearse,
            "entitlements": entitlements.rehearse,
            "scorecards": rehearsal_of_scorecards.rehearse,
        }
        outbox.LISTENERS += [messages.listening, webhooks.listening]
