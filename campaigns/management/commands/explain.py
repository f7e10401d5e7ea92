"""`manage.py explain OFFER SUBJECT`: explain why a subject has an offer's benefit, or does not."""

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.eligibility import claims, explanations
from campaigns.management.commands.tick import parse_instant
from campaigns.models import Offer
from campaigns.offers import published_offers
from campaigns.reporting.exports import format_instant
from core import clock
from core.keys import normalize_key


class Command(BaseCommand):
    help = "Explain an offer's decision on a subject (code of an order, draw or merchant): conditions and outcome."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("offer", metavar="OFFER")
        parser.add_argument("subject", metavar="SUBJECT")
        parser.add_argument("--as-of", metavar="INSTANT", help="ISO 8601 with an offset or Z (default: now)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: object, offer: str, subject: str, as_of: str | None, **options: object) -> None:
        at = parse_instant(as_of) if as_of else clock.now()
        try:
            answer = explanations.explain(published_offers.find(offer), normalize_key(subject), at=at)
        except Offer.DoesNotExist as error:
            known = ", ".join(Offer.objects.order_by("code").values_list("code", flat=True)) or "none"
            raise CommandError(f"there is no offer {offer}; published are: {known}") from error
        except claims.UnknownSubjectError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_data(answer), default=_plain, ensure_ascii=False, indent=2))
        else:
            self._print(answer)

    def _print(self, answer: explanations.Explanation) -> None:
        self.stdout.write(f"{answer.name} ({answer.offer}, version {answer.version})")
        state = f", {answer.status}" if answer.status else ""
        self.stdout.write(f"{answer.subject} of {answer.merchant_code}: {answer.outcome}{state}")
        if answer.claimed_at:
            place = f", number {answer.place} of the qualified claims" if answer.place else ""
            self.stdout.write(f"claimed at {format_instant(answer.claimed_at)}{place}")
        if answer.amount is not None:
            whole = f" of {answer.benefit}, all that was left of the budget" if answer.benefit is not None else ""
            self.stdout.write(f"worth {answer.amount} {answer.currency}{whole}")
        if answer.quarantined_since:
            self.stdout.write(f"in quarantine since {format_instant(answer.quarantined_since)}: {answer.error}")
        if answer.review:
            self.stdout.write(f"marked for review: {answer.review}")
        if answer.next_period:
            self.stdout.write(f"the next period begins at {format_instant(answer.next_period)}")
        for condition in answer.conditions:
            mark = "yes" if condition.passed else "NO "
            more = f" ({condition.margin})" if condition.margin else ""
            changed = "" if condition.holds_now is None else f" [now: {'yes' if condition.holds_now else 'no'}]"
            found = _plain(condition.found) if condition.found not in (None, "") else "nothing"
            self.stdout.write(f"  {mark} {condition.required}; found: {found}{more}{changed}")


def _as_data(answer: explanations.Explanation) -> dict[str, Any]:
    """Return the explanation as JSON data; whether a condition passed is called `held` there, as documented."""
    data = asdict(answer)
    for condition in data["conditions"]:
        condition["held"] = condition.pop("passed")
    return data


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    return str(value) if isinstance(value, Decimal) else value
