"""Chinese pages of the workspace contain no English: neither labels of the admin nor messages."""

import re

import pytest
from django.test import Client

from campaigns.offers import drafts
from tests.support.members import words
from tests.support.operators import Staff
from tests.support.world import HEADING, offer, t

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("market"),
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
# Names of the test's records, codes, currencies and terms of definitions, which are alike in both languages.
KNOWN = set(
    "fairground english merchant m1 m2 m3 ten trial test api webhook beat worker celery config cny csv xlsx yaml sha "
    "utc root vi url id ip json".split()
)
PAGES = (
    "/admin/",
    "/admin/merchant/M1/",
    "/admin/eligibility/?q=FM30",
    "/admin/scorecards/",
    "/admin/statements/2022-09/",
    "/admin/campaigns/decision/",
    "/admin/campaigns/grant/",
    "/admin/campaigns/coupon/",
    "/admin/campaigns/auditevent/",
    "/admin/campaigns/tickrun/",
    "/admin/campaigns/draft/",
    "/admin/merchants/block/",
    "/admin/merchants/merchant/",
    "/admin/imports/upload/",
)


def content(browser: Client, path: str) -> str:
    """Return the text of a page below its header and sidebar."""
    page = browser.get(path).content.decode()
    page = re.sub(r'<(div|span|button|p|td)\b[^>]* lang="en".*?</\1>', "", page, flags=re.S)  # marked as English
    return words(page[page.index('<div id="content"') : page.index('<footer class="page-foot"')])


def english(page: str) -> list[str]:
    """Return the English words of a text, without codes."""
    page = re.sub(r"<!--.*?-->", "", page)
    found = re.findall(r"(?<![\w@./-])[A-Za-z]{3,}(?![\w@./-])", page)
    return sorted({word for word in found if word.lower() not in KNOWN})


@pytest.mark.parametrize("path", PAGES)
def test_a_chinese_page_has_no_english_words(path: str, staff: Staff) -> None:
    assert english(content(staff("vi", "viewer", language="zh-hans"), path)) == []


def test_the_warnings_of_a_draft_are_chinese(staff: Staff) -> None:
    nowhere = offer("more", conditions="[{fact: merchant.country, is: JP}]")
    both = offer("ten", quota="{limit: 1, per_merchant: 2}") + nowhere
    draft = drafts.begin(f"{HEADING}offers:\n{both}", title="T", at=t("20"), by="eve")
    page = content(staff("vi", "viewer", language="zh-hans"), f"/admin/drafts/{draft.pk}/")
    warnings = page[page.index("检查") : page.index("提交后")]
    assert "每商家名额2个，多于总名额1个" in warnings
    assert "名额已用6，总名额不能改为1" in warnings
    assert "没有商家符合" in warnings
