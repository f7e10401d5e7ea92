"""Lists of decisions, tags and redemptions."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Attachment, Decision, Tag, Version
from campaigns.offers.published_offers import PublishedOffer, terms_of
from campaigns.reporting import refusals
from core.admin import ReadOnlyAdmin
from core.lists.filters import DateRange
from rules.sentences import describe


class FailedConditionFilter(admin.SimpleListFilter):
    """Filter for claims that one condition of one version refused; the pages of offers link to it."""

    title = gettext_lazy("condition not met")
    parameter_name = "missed"
    extra_parameters = ("near",)

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.near = bool(params.pop("near", None))
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        condition = self._condition(request.GET.get(self.parameter_name, ""))
        if condition is None:
            return []
        version, n = condition
        terms = terms_of(version)
        text = describe(terms.asked[n], terms.row)
        return [
            (
                f"{version.pk}-{n}",
                _("%(condition)s (missed by less than 5 %%)") % {"condition": text} if self.near else text,
            )
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        condition = self._condition(self.value() or "")
        if condition is None:
            return queryset
        version, n = condition
        if not self.near:
            return refusals.refused_by(queryset, version.pk, n)
        close = refusals.near_misses(PublishedOffer(version.offer, terms_of(version)), version, n)
        return queryset.filter(pk__in=close.values("pk"))

    @staticmethod
    def _condition(text: str) -> tuple[Version, int] | None:
        pk, _dash, n = text.partition("-")
        if not (pk.isascii() and pk.isdecimal() and n.isascii() and n.isdecimal() and len(pk) < 19 and len(n) < 3):
            return None
        version = Version.objects.select_related("offer").filter(pk=pk).first()
        return (version, int(n)) if version and int(n) < len(terms_of(version).asked) else None


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Claims, granted and refused; a refused one says which conditions failed."""

    list_title = gettext_lazy("Claims")
    list_intro = gettext_lazy("Every claim, granted or refused, with its reason.")
    list_views = (
        (gettext_lazy("All"), ""),
        (gettext_lazy("Granted"), f"outcome__exact={Decision.Outcome.GRANTED}"),
        (gettext_lazy("Condition not met"), f"outcome__exact={Decision.Outcome.REFUSED}"),
        (gettext_lazy("Quota used up"), f"outcome__exact={Decision.Outcome.QUOTA_EXHAUSTED}"),
        (gettext_lazy("Merchant limit reached"), f"outcome__exact={Decision.Outcome.MERCHANT_CAP}"),
        (gettext_lazy("Limit of a holder reached"), f"outcome__exact={Decision.Outcome.HOLDER_CAP}"),
    )
    list_display = ("subject", "merchant", "offer", "claimed_at", "outcome", "reasons")
    more_columns = ("queue_position", "version")
    list_select_related = ("offer", "version")
    list_filter = ("offer", "outcome", ("claimed_at", DateRange), FailedConditionFilter)
    tones = {
        "outcome": {
            Decision.Outcome.GRANTED: "ok",
            Decision.Outcome.REFUSED: "idle",
            Decision.Outcome.SUPERSEDED: "idle",
            Decision.Outcome.MERCHANT_CAP: "warn",
            Decision.Outcome.HOLDER_CAP: "warn",
            Decision.Outcome.QUOTA_EXHAUSTED: "warn",
            Decision.Outcome.STOPPED: "bad",
        }
    }
    search_codes = ("subject",)
    search_related = ("merchant",)
    fields = ("offer", "version", "subject", "merchant_code", "claimed_at", "outcome", "queue_position", "reasons")

    def row_address(self, row: Decision) -> str:
        """Return the eligibility check of the claim."""
        return f"{reverse('backoffice:explanation')}?{urlencode({'q': row.subject})}"

    @admin.display(description=gettext_lazy("conditions not met"))
    def reasons(self, decision: Decision) -> str:
        """Return the failed conditions as sentences."""
        if not decision.failed:
            return ""
        terms = terms_of(decision.version)
        failed = (condition for n, condition in enumerate(terms.asked) if decision.failed & (1 << n))
        return "; ".join(describe(condition, terms.row) for condition in failed)


@admin.register(Tag)
class TagAdmin(ReadOnlyAdmin):
    """Threshold orders and candidates."""

    list_display = ("subject", "offer", "merchant", "kind", "tagged_at", "total")
    list_select_related = ("offer",)
    list_filter = ("offer", "kind")
    search_codes = ("subject",)
    search_related = ("merchant",)
    fields = ("offer", "subject", "merchant_code", "kind", "tagged_at", "judged_at", "total")


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Orders that asked for a coupon."""

    list_display = ("order_no", "merchant", "coupon", "placed_at", "waits")
    list_select_related = ("coupon",)
    list_filter = ("waits",)
    search_codes = ("order_no", "coupon__code")
    search_related = ("merchant",)
    fields = ("order_no", "merchant_code", "coupon", "placed_at", "waits")
