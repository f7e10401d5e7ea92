"""Moments of a definition as a form: a fact, or one that is made of several facts."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.forms import ABSENT, SectionForm, instants, or_missing
from backoffice.offer_form.inputs import Choices, Label, SelectField, TokensField
from backoffice.offer_form.known_values import closed
from core.facts import Collection

LATEST, DAY_AFTER, BY_CASE = "|latest_of", "|day_after", "|by"
"""Forms of a moment that are made of several facts; they stand among the facts to choose from."""
COMBINED: Choices = [
    (LATEST, _("the latest of several")),
    (DAY_AFTER, _("the day after")),
    (BY_CASE, _("depends on a field")),
]
DEEPEST = 2


class MomentForm(SectionForm):
    """A moment. `first` are choices before the facts; without `label` it is one of the cases of another moment."""

    kind = SelectField(required=False)
    latest_of = TokensField(label=_("Latest of"), required=False)
    day_after = SelectField(label=_("Day after"), required=False)
    day_zone = SelectField(label=_("Midnight in"), required=False)
    by = SelectField(label=_("Depends on"), required=False)
    empty_texts = {
        "kind": _("Choose when."),
        "latest_of": _("Choose at least two."),
        "day_after": _("Choose when."),
        "by": _("Choose a field."),
    }

    def __init__(
        self,
        *args: Any,
        collection: Collection,
        label: Label,
        first: Choices | None = None,
        optional: bool = False,
        depth: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.collection, self.optional, self.depth = collection, optional, depth
        self.fields["kind"].label = str(label)
        self._set_choices(first or [])
        self._add_cases()

    def _set_choices(self, first: Choices) -> None:
        known = instants(self.collection.facts.values())
        combined = COMBINED if self.depth < DEEPEST else []
        decisive = [(f.name, f.label) for f in self.collection.facts.values() if f.choices or f.kind == "flag"]
        for name, choices in {
            "kind": [*([("", "–")] if self.optional else []), *first, *known, *combined],
            "day_after": [("", "–"), *known],
            "day_zone": self.campaign.zones,
            "by": [("", "–"), *decisive],
        }.items():
            self.set_choices(name, choices)
        self.fields["latest_of"].widget.known = closed(known)

    def _add_cases(self) -> None:
        """Add a moment for each value of the field that the moment depends on, and one for all other values."""
        fact = self.collection.facts.get(self.text_of("by"))
        if self.kind_name != BY_CASE or fact is None or self.depth >= DEEPEST:
            return
        saved = self.initial.get("cases") or {}
        values = dict(fact.choices) or {"yes": _("yes"), "no": _("no")}
        for value, label in {**values, **{value: value for value in saved if value not in values}}.items():
            self.parts[f"case {value}"] = self._case(f"case-{value}", label, saved.get(value))
        self.parts["otherwise"] = self._case("otherwise", _("otherwise"), self.initial.get("otherwise"))

    def _case(self, name: str, label: Label, saved: object) -> "MomentForm":
        return MomentForm(
            self.data if self.is_bound else None,
            prefix=f"{self.prefix}-{name}",
            campaign=self.campaign,
            collection=self.collection,
            label=label,
            optional=True,
            depth=self.depth + 1,
            initial=initial_moment(saved),
        )

    @property
    def cases(self) -> list["MomentForm"]:
        """Return the moments among which a field decides."""
        shown = [part for name, part in self.parts.items() if name.startswith(("case ", "otherwise"))]
        return [part for part in shown if isinstance(part, MomentForm)] if self.kind_name == BY_CASE else []

    @property
    def kind_name(self) -> str:
        """Return the chosen fact or form of the moment; the first choice where the page has none yet."""
        return self.text_of("kind") or str(self.fields["kind"].widget.choices[0][0])

    def visible_names(self) -> list[str]:
        more = {LATEST: ["latest_of"], DAY_AFTER: ["day_after", "day_zone"], BY_CASE: ["by"]}
        return ["kind", *more.get(self.kind_name, [])]

    def may_be_empty(self, name: str) -> bool:
        return super().may_be_empty(name) or (name == "kind" and (self.optional or bool(self.kind_name)))

    def moment(self) -> Any:
        """Return the moment for the definition."""
        match self.kind_name:
            case "|latest_of":
                return {"latest_of": or_missing(self.written("latest_of"))}
            case "|day_after":
                zone = self.written("day_zone") or self.campaign.zone
                return {"day_after": or_missing(self.written("day_after")), "zone": zone}
            case "|by":
                return self._by_case()
            case kind:
                return kind or (ABSENT if self.optional else None)

    def _by_case(self) -> dict[str, Any]:
        moments = {name: part.moment() for name, part in self.parts.items() if isinstance(part, MomentForm)}
        otherwise = moments.pop("otherwise", ABSENT)
        cases = {name.removeprefix("case "): moment for name, moment in moments.items() if moment}
        last = {"otherwise": otherwise} if otherwise else {}
        return {"by": or_missing(self.written("by")), "cases": cases or None, **last}


def initial_moment(value: Any) -> dict[str, Any]:
    """Return the initial values of a moment."""
    if isinstance(value, dict) and "latest_of" in value:
        return {"kind": LATEST, "latest_of": value["latest_of"] or []}
    if isinstance(value, dict) and "day_after" in value:
        return {"kind": DAY_AFTER, "day_after": value["day_after"], "day_zone": value.get("zone")}
    if isinstance(value, dict):
        parts = {"cases": value.get("cases"), "otherwise": value.get("otherwise")}
        return {"kind": BY_CASE, "by": value.get("by"), **parts}
    return {"kind": value or ""}
