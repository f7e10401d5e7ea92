"""Days on which the clocks of a zone change, and instants around them."""

from datetime import UTC, datetime, timedelta

TICK = timedelta(microseconds=1)

# Days on which clocks change, also at midnight, across the date line and by half an hour.
CHANGES = {
    "Asia/Shanghai": ["2022-09-30", "2022-12-31", "1991-09-15"],
    "America/Los_Angeles": ["2022-11-06", "2022-03-13", "2026-11-01", "2027-03-14"],
    "Europe/Berlin": ["2022-10-30", "2022-03-27"],
    "Australia/Lord_Howe": ["2022-10-02", "2022-04-03"],
    "America/Santiago": ["2022-09-11", "2023-04-02"],  # midnight itself is skipped
    "Africa/Cairo": ["2023-04-28", "2023-10-27"],
    "Asia/Beirut": ["2022-03-27", "2022-10-30"],
    "Pacific/Apia": ["2011-12-30", "2011-12-29"],  # a day that was left out
    "America/Sao_Paulo": ["2018-11-04", "2019-02-17"],
    "UTC": ["2024-02-29", "2022-12-31"],
}


def around(day: str) -> list[datetime]:
    noon = datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=UTC)
    return [noon + timedelta(minutes=30 * n) for n in range(-90, 91)] + [noon.replace(hour=0) - TICK]
