"""Random instants that follow Chinese office hours, weekends, holidays and the rush of a campaign.

Facts run from 1 June 2022 to 15 January 2023. Later events are not recorded yet.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from itertools import accumulate
from random import Random

BEIJING = timezone(timedelta(hours=8))  # no daylight saving time: a fixed offset is exact, and faster than the zone
HORIZON = datetime(2023, 1, 16, tzinfo=BEIJING)

# Weight of each hour: less at noon, more in the evening, when buyers in Europe are awake.
HOURS = list(accumulate([1, 0.5, 0.3, 0.2, 0.2, 0.3, 1, 2, 8, 14, 16, 13, 6, 9, 15, 16, 14, 10, 6, 6, 7, 7, 4, 2]))
WEEKDAYS = [1.05, 1.1, 1.05, 1.0, 0.95, 0.45, 0.25]
MID_AUTUMN = {date(2022, 9, day) for day in (10, 11, 12)}
GOLDEN_WEEK = {date(2022, 10, day) for day in range(1, 8)}
CAMPAIGN_OPENING = {date(2022, 9, day) for day in range(1, 7)}
COUPON_WEEK = {date(2022, 10, day) for day in range(15, 22)}


def _weight(day: date) -> float:
    weight = WEEKDAYS[day.weekday()]
    if day in MID_AUTUMN or day in GOLDEN_WEEK:
        weight *= 0.4
    if day in CAMPAIGN_OPENING:
        weight *= 1.7
    if day in COUPON_WEEK:
        weight *= 1.5
    return weight


def _at(rng: Random, day: date) -> datetime:
    hour = rng.choices(range(24), cum_weights=HOURS)[0]
    return datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), BEIJING)


@dataclass(frozen=True)
class Season:
    """Range of days from which instants are drawn."""

    first: date
    last: date

    @cached_property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @cached_property
    def weights(self) -> list[float]:
        return list(accumulate(map(_weight, self.days)))

    def moment(self, rng: Random) -> datetime:
        """Draw one instant, on busy days and hours more often."""
        return _at(rng, rng.choices(self.days, cum_weights=self.weights)[0])

    def moments(self, rng: Random, count: int) -> list[datetime]:
        """Draw `count` instants, in order."""
        return sorted(self.moment(rng) for _ in range(count))


SUMMER = Season(date(2022, 6, 1), date(2022, 8, 31))
SEPTEMBER = Season(date(2022, 9, 1), date(2022, 9, 30))
AUTUMN = Season(date(2022, 10, 1), date(2023, 1, 15))
YEAR_BEFORE = Season(date(2021, 6, 1), date(2022, 5, 31))
YEARS_BEFORE = Season(date(2018, 3, 1), date(2022, 5, 31))
SEASONS = (SUMMER, SEPTEMBER, AUTUMN)


@dataclass(frozen=True)
class Span:
    """Duration of a step in hours; short durations are more frequent than long ones."""

    shortest: float
    longest: float

    def after(self, rng: Random, moment: datetime) -> datetime:
        """Draw the end of a step that starts at `moment`."""
        share = rng.random() ** 1.6
        return moment + timedelta(seconds=round((self.shortest + share * (self.longest - self.shortest)) * 3600))

    def at_work(self, rng: Random, moment: datetime) -> datetime:
        """Draw the end of a step; ends between 23:00 and 7:00 are moved to the next morning."""
        due = self.after(rng, moment)
        if 7 <= due.hour < 23:
            return due
        morning = due.date() + timedelta(days=due.hour >= 23)
        return datetime.combine(morning, time(8 + rng.randrange(3), rng.randrange(60), rng.randrange(60)), BEIJING)


def recorded(moment: datetime | None) -> datetime | None:
    """Return the instant, or None if it lies beyond the recorded period."""
    return moment if moment and moment < HORIZON else None
