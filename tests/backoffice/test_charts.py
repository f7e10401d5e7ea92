"""Burn-down chart of a quota: points worked out by hand, in hours from the first use and places used."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import translation

from backoffice.charts import Chart, burn_down_chart
from campaigns.reporting.forecast import Forecast
from campaigns.reporting.quota_history import Point
from tests.support.world import t

DAY = timedelta(days=1)
POINTS = [Point(t("01"), t("02"), 2, 2), Point(t("03"), t("04"), 3, 5)]


def chart_of(
    points: list[Point] = POINTS, *, limit: int = 10, closes: datetime | None, forecast: Forecast | None
) -> Chart:
    with translation.override("en"):
        chart = burn_down_chart(
            points, limit=limit, at=t("05"), closes=closes, forecast=forecast, zone=ZoneInfo("Asia/Shanghai")
        )
    assert chart is not None
    return chart


def test_the_curve_goes_through_the_end_of_every_day() -> None:
    chart = chart_of(closes=t("09"), forecast=None)
    assert chart.line == "M0.0 0L24.0 2L48.0 2L72.0 5L96.0 5"  # 1 to 5 September, with nothing used on the 2nd and 4th
    assert chart.area == f"{chart.line}V10H0Z"
    assert (chart.hours, chart.limit, chart.now, chart.left) == (192.0, 10, "50.00%", "50.00%")
    assert (chart.band, chart.likely) == ("", "")
    assert [spot.value for spot in chart.spots] == ["10 left", "8 left", "8 left", "5 left", "5 left"]
    assert chart.closes == "100.00%"
    assert chart.closes_label == "Closes 9 Sep"
    assert chart.summary == "Quota of 10; first use on 1 Sep, 5 left now."


def test_axes_have_round_steps() -> None:
    chart = chart_of(closes=t("09"), forecast=None)
    assert [(tick.at, tick.text) for tick in chart.y_ticks] == [
        ("100.00%", "0"),
        ("50.00%", "5"),
        ("0.00%", "10"),
    ]
    assert [(tick.at, tick.text, tick.minor) for tick in chart.x_ticks] == [
        ("0.00%", "1 Sep", False),
        ("25.00%", "3 Sep", True),
        ("50.00%", "5 Sep", False),
        ("75.00%", "7 Sep", True),
        ("100.00%", "9 Sep", False),
    ]
    assert [tick.text for tick in chart_of(limit=3000, closes=None, forecast=None).y_ticks] == [
        "0",
        "1,000",
        "2,000",
        "3,000",
    ]


def test_the_band_reaches_the_end_of_the_quota() -> None:
    ahead = Forecast(t("06"), t("07"), t("09"), 5, t("02"))
    chart = chart_of(closes=t("09"), forecast=ahead)
    assert chart.likely == "M96.0 5L144.0 10.0"
    assert chart.band == "M96.0 5L120.0 10.0L192.0 10L192.0 10.0Z"
    assert chart.summary.endswith("Likely range: 6 Sep to 9 Sep.")


def test_a_forecast_without_end_stays_level_until_the_close() -> None:
    ahead = Forecast(t("13"), t("21"), None, 5, t("02"))
    chart = chart_of(closes=t("09"), forecast=ahead)
    assert chart.likely == "M96.0 5L192.0 6.25"  # a quarter of the way
    assert chart.band == "M96.0 5L192.0 7.5L192.0 5Z"
    assert chart.summary.endswith("Likely range: from 13 Sep, possibly never.")


def test_a_close_far_away_does_not_press_the_curve_together() -> None:
    assert chart_of(closes=t("17"), forecast=None).hours == 16 * 24
    far = chart_of(
        closes=t("17") + timedelta(seconds=1), forecast=None
    )  # more than three times as far as the first use
    assert (far.hours, far.closes) == (96.0, "")


def test_many_days_are_thinned_out_and_the_last_one_stays() -> None:
    points = [Point(t("01") - n * DAY, t("01") - (n - 1) * DAY, 1, 200 - n) for n in range(199, -1, -1)]
    chart = chart_of(points, limit=250, closes=None, forecast=None)
    assert len(chart.spots) == 52
    assert chart.spots[-1].value == "50 left"


def test_nothing_is_drawn_of_nothing() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert burn_down_chart([], limit=10, at=t("05"), closes=None, forecast=None, zone=zone) is None
