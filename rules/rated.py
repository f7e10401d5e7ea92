"""Condition on an official rating: its level, its score or a number on which it rests."""

from typing import Annotated, Any, Self

from django.db.models import DecimalField, F, Func, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, ValidationInfo, model_validator
from pydantic.json_schema import SkipJsonSchema

from core.facts import MERCHANT
from ratings.models import Rating, Series
from rules import operators
from rules.base import DefinitionModel, NamedList, Names
from rules.comparisons import Amount, Code
from rules.errors import ErrorCollector, UnknownWordError
from rules.measures import check_holders
from rules.query_row import QueryRow

LEVEL, SCORE = "level", "score"
NUMERIC = ("at_least", "more_than", "at_most", "less_than")
WORDS = ("is_", "in_")
ScorecardCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


class MetricOfRating(Func):
    """SQL function: a number on which a rating rests, NULL if it has none of that name."""

    output_field = DecimalField(max_digits=26, decimal_places=2)
    template = "CAST((%(expressions)s ->> '%(name)s') AS numeric)"

    def __init__(self, name: str) -> None:
        super().__init__(F("metrics"), name=name)


class Rated(DefinitionModel):
    """Condition on the official rating in force: `{rating: customization-stars, at_least: 3}`.

    `of` names what is compared: the level unless said, the score, or a metric of the scorecard. A subject without a
    rating in force meets no condition on it. `names` are those of the scorecard, from the definition that has both.
    """

    rating: ScorecardCode
    of: Code = LEVEL
    by: str = MERCHANT
    at_least: Amount | None = None
    more_than: Amount | None = None
    at_most: Amount | None = None
    less_than: Amount | None = None
    is_: str | None = Field(None, alias="is")
    in_: NamedList | None = Field(None, alias="in")
    code: Code | None = None
    names: SkipJsonSchema[Names | None] = None

    @model_validator(mode="before")
    @classmethod
    def _with_names(cls, value: object, info: ValidationInfo) -> Any:
        known = (info.context or {}).get("scorecards", {})
        code = value.get("rating") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(code, str) or known.get(code) is None:
            return value
        return {"names": known[code], **value}

    @model_validator(mode="after")
    def _of_the_campaign(self, info: ValidationInfo) -> Self:
        """Check the scorecard while a campaign is read; stored terms were checked then."""
        known = (info.context or {}).get("scorecards")
        errors = ErrorCollector()
        with errors.at("rating"):
            if known is not None and self.rating not in known:
                message = _("%(word)r is not among the campaign's %(kind)s")
                words = {"word": self.rating, "kind": "scorecards"}
                raise UnknownWordError(message % words, word=self.rating, known=known)
        errors.raise_collected("Rated")
        return self

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        given = self._given()
        if len(given) != 1:
            words = {"fact": self.name, "given": ", ".join(name.rstrip("_") for name in given) or _("none")}
            raise ValueError(_("say exactly one operator about %(fact)s; given: %(given)s") % words)
        errors = ErrorCollector()
        with errors.at(given[0].rstrip("_")):
            self._check_operand()
        errors.raise_collected("Rated")
        return self

    def _check_operand(self) -> None:
        """Raise ValueError unless what is compared takes the operator and the value."""
        is_number = self.operator.name in NUMERIC
        if not is_number and self.of != LEVEL:
            raise ValueError(_("%(fact)s is a number: write at_least, for example") % {"fact": self.of})
        if is_number and self.of == LEVEL and self.operand != int(self.operand):
            raise ValueError(_("%(fact)s is a whole number, not %(found)s") % {"fact": LEVEL, "found": self.operand})

    @classmethod
    def field_words(cls) -> list[str]:
        """Return the fields as a definition writes them; `names` are added when a campaign is read."""
        return [word for word in super().field_words() if word != "names"]

    def _given(self) -> list[str]:
        return [name for name in (*NUMERIC, *WORDS) if getattr(self, name) is not None]

    @property
    def operator(self) -> operators.Operator:
        """Return the operator between what is compared and the value."""
        return operators.OPERATORS[self._given()[0]]

    @property
    def operand(self) -> Any:
        """Return the value that is compared with."""
        return getattr(self, self._given()[0])

    @property
    def name(self) -> str:
        of = "" if self.of == LEVEL else f"_{self.of}"
        return self.code or f"{self.rating.replace('-', '_')}{of}"[:40]

    def check(self, row: QueryRow) -> None:
        """Raise ValidationError unless a row has such a holder, as the merchant or the listing."""
        errors = ErrorCollector()
        with errors.at("by"):
            check_holders((self.by,), row.collection)
        errors.raise_collected("Rated")

    def q(self, row: QueryRow) -> Q:
        """Return the filter of the rows whose holder has such a rating in force."""
        return self.operator.q(self.observed(row), self.operand)

    def observed(self, row: QueryRow) -> Any:
        """Return the expression of what is compared, NULL without a rating in force."""
        rows = self._rows(row).annotate(compared=self._compared).order_by("-starts_at")
        return Subquery(rows.values("compared")[:1])

    @property
    def _compared(self) -> Any:
        if self.of == LEVEL:
            return F("level_number" if self.operator.name in NUMERIC else "level")
        return F("score") if self.of == SCORE else MetricOfRating(self.of)

    def _rows(self, row: QueryRow) -> "QuerySet[Rating]":
        at = row.inside(row.collection).at
        return Rating.objects.filter(
            subject=OuterRef(row.collection.holder_path(self.by)),
            scorecard=self.rating,
            series=Series.OFFICIAL,
            starts_at__lte=at,
            ends_at__gt=at,
        )
