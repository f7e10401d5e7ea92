"""Decisions and tags: what was decided of each claim."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from campaigns.admin.looking import LookingAdmin
from campaigns.models import Attachment, Decision, Tag
from campaigns.offers import terms_of
from campaigns.rules.wording import says


@admin.register(Decision)
class DecisionAdmin(LookingAdmin):
    """Claims, granted and refused; a refused one says which conditions failed."""

    list_display = ("subject", "offer", "merchant_id", "claimed_at", "outcome", "place", "reasons")
    list_select_related = ("offer", "version")
    list_filter = ("offer", "outcome")
    search_fields = ("subject__exact", "merchant__code__exact")
    search_help_text = gettext_lazy("A subject or a merchant, whole.")
    fields = ("offer", "version", "subject", "merchant_id", "claimed_at", "outcome", "place", "reasons")

    @admin.display(description=gettext_lazy("conditions not met"))
    def reasons(self, decision: Decision) -> str:
        """Each condition whose bit is set, in words."""
        if not decision.failed:
            return ""
        terms = terms_of(decision.version)
        failed = (condition for n, condition in enumerate(terms.asked) if decision.failed & (1 << n))
        return "; ".join(says(condition, terms.row) for condition in failed)


@admin.register(Tag)
class TagAdmin(LookingAdmin):
    """Threshold orders and candidates."""

    list_display = ("subject", "offer", "merchant_id", "kind", "tagged_at", "total")
    list_select_related = ("offer",)
    list_filter = ("offer", "kind")
    search_fields = ("subject__exact", "merchant__code__exact")
    fields = ("offer", "subject", "merchant_id", "kind", "tagged_at", "judged_at", "total")


@admin.register(Attachment)
class AttachmentAdmin(LookingAdmin):
    """Orders that asked for a coupon."""

    list_display = ("order_no", "merchant_id", "coupon", "placed_at")
    list_select_related = ("coupon",)
    search_fields = ("order_no__exact", "merchant__code__exact")
    fields = ("order_no", "merchant_id", "coupon", "placed_at")
