"""Settlement of an offer as a form: at once, or followed through lock, deadline and requirements."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.conditions import condition_formset
from backoffice.offer_form.forms import ABSENT, SectionForm, instants
from backoffice.offer_form.inputs import Choices, NumberField, SelectField
from backoffice.offer_form.moments import MomentForm, initial_moment
from backoffice.offer_form.times import TimeForm, initial_time
from core.facts import Collection

AT_CLAIM = "claim"


class SettlementForm(SectionForm):
    """Course of a claim that was granted."""

    released_by = SelectField(label=_("Quota comes back when it was"), required=False)
    released_after_settlement = forms.BooleanField(label=_("Also after it was settled"), required=False)
    locked_at = SelectField(label=_("Reserved until it was"), required=False)
    lock_within_hours = NumberField(label=_("Within, of the claim (optional)"), required=False, whole=True, least=1)
    revoked_by = SelectField(label=_("Taken away when it was"), required=False)
    units = {"lock_within_hours": _("hours")}

    def __init__(self, *args: Any, collection: Collection, **options: Any) -> None:
        super().__init__(*args, **options)
        facts: Choices = [("", _("never")), *instants(collection.facts.values())]
        for name, choices in {
            "released_by": facts,
            "revoked_by": facts,
            "locked_at": [("", _("claimed")), *facts[1:]],
        }.items():
            self.set_choices(name, choices)
        data = self.data if self.is_bound else None
        shared: dict[str, Any] = {"campaign": self.campaign, "collection": collection}
        at = self.initial.get("at") or AT_CLAIM
        at_once: Choices = [(AT_CLAIM, _("claimed, at once"))]
        self.at = MomentForm(
            data,
            prefix=f"{self.prefix}-at",
            label=_("Settled when it was"),
            first=at_once,
            initial=initial_moment(at),
            **shared,
        )
        self.fulfilled = MomentForm(
            data,
            prefix=f"{self.prefix}-fulfilled",
            label=_("Fulfilled when it was (empty: with settlement)"),
            optional=True,
            initial=initial_moment(self.initial.get("fulfilled_at")),
            **shared,
        )
        self.deadline = TimeForm(
            data,
            prefix=f"{self.prefix}-deadline",
            campaign=self.campaign,
            label=_("Forfeited unless fulfilled by (optional)"),
            is_end=True,
            optional=True,
            initial=initial_time(self.initial.get("deadline"), self.campaign.zone, is_end=True),
        )
        self.requires = condition_formset(f"{self.prefix}-requires", data, self.initial.get("requires"), **shared)
        self.parts = {"at": self.at, "deadline": self.deadline, "fulfilled": self.fulfilled, "requires": self.requires}

    @property
    def at_claim(self) -> bool:
        """Return whether a claim is settled at once."""
        return self.at.kind_name == AT_CLAIM

    @property
    def shows_fulfilled(self) -> bool:
        return "fulfilled" in self.visible_parts()

    def visible_names(self) -> list[str]:
        if self.at_claim:
            return ["released_by"]
        after = ["released_after_settlement"] if self.text_of("released_by") else []
        locked = ["lock_within_hours"] if self.text_of("locked_at") else []
        return ["locked_at", *locked, "released_by", *after, "revoked_by"]

    def visible_parts(self) -> list[str]:
        if self.at_claim:
            return ["at"]
        deadline = self.deadline.text_of("at")
        return ["at", "deadline", *(["fulfilled"] if deadline else []), "requires"]

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section; settled at once without a release is left out."""
        words = dict.fromkeys(
            ("at", "locked_at", "lock_within_hours", "fulfilled_at", "deadline", "requires", "released_by"), ABSENT
        )
        visible = self.visible_names()
        own: dict[str, Any] = {name: self.written(name) for name in visible if name != "released_after_settlement"}
        after = self.at_claim or bool(self.written("released_after_settlement"))
        own["released_after_settlement"] = "yes" if after and own["released_by"] else ABSENT
        own.setdefault("revoked_by", ABSENT)
        if not self.at_claim:
            own["at"], own["deadline"] = self.at.moment(), self.deadline.bound()
            own["requires"] = self.requires.write() or ABSENT
            own["fulfilled_at"] = self.fulfilled.moment() if own["deadline"] else ABSENT
        return {"settlement": {**words, **own}}


def initial_settlement(settlement: Any) -> dict[str, Any]:
    """Return the initial values of the settlement."""
    after = settlement.get("released_after_settlement") == "yes"
    return {**settlement, "released_after_settlement": after, "requires": list(settlement.get("requires") or ())}
