"""A quota burning down, drawn: points worked out by hand on a ground of 320 by 80."""

from backoffice.charts import burn_down_chart
from campaigns.reporting.forecast import Forecast
from campaigns.reporting.quota_history import Point
from tests.support.world import t

POINTS = [Point(t("01"), 2, 2), Point(t("03"), 3, 5)]


def test_steps_down_to_now() -> None:
    chart = burn_down_chart(POINTS, limit=10, at=t("05"), closes=t("09"), forecast=None)
    assert chart is not None
    assert chart.line == "M0 0.0H0.0V16.0H160.0V40.0H320.0"
    assert (chart.now, chart.band, chart.starts, chart.ends) == (320.0, "", t("01"), t("05"))


def test_the_band_reaches_the_end_of_the_places() -> None:
    ahead = Forecast(t("06"), t("07"), t("09"), 5, t("02"))
    chart = burn_down_chart(POINTS, limit=10, at=t("05"), closes=t("09"), forecast=ahead)
    assert chart is not None
    assert (chart.now, chart.likely) == (160.0, "M160.0 40.0L240.0 80.0")
    assert chart.band == "M160.0 40.0L200.0 80.0L320.0 80L320.0 80.0Z"


def test_a_forecast_without_end_stays_level_until_the_close() -> None:
    ahead = Forecast(t("13"), t("21"), None, 5, t("02"))
    chart = burn_down_chart(POINTS, limit=10, at=t("05"), closes=t("09"), forecast=ahead)
    assert chart is not None
    assert chart.ends == t("09")
    assert chart.likely == "M160.0 40.0L320.0 50.0"  # a quarter of the way
    assert chart.band == "M160.0 40.0L320.0 60.0L320.0 40.0Z"


def test_nothing_is_drawn_of_nothing() -> None:
    assert burn_down_chart([], limit=10, at=t("05"), closes=None, forecast=None) is None
