"""A limit is raised end to end in a browser: one person asks on one page, another one approves, in both languages."""

import pytest
from playwright.sync_api import expect

from campaigns.models import Draft, Offer
from tests.support.browser import Open, sign_in
from tests.support.operators import Staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]

WORDS = {
    "en": {
        "change": "Change limit",
        "effect": "0 left → 3 left.",
        "refused": "6 are used already: the limit cannot be lower than that.",
        "ask": "Ask for approval",
        "submitted": "Submitted. A second person must approve this change",
        "waits": "A change waits for approval: limit 6 → 9, by ana",
        "approve": "Approve",
        "launch": "Launch",
        "left": "3 of 9",
    },
    "zh-hans": {
        "change": "调整名额",
        "effect": "剩余0 → 剩余3。",
        "refused": "已用6，名额不能低于此数。",
        "ask": "提交审批",
        "submitted": "已提交。须由另一人批准后才能上线。",
        "waits": "有变更待审批： 总名额 6 → 9，由ana提交",
        "approve": "批准",
        "launch": "上线",
        "left": "3 / 共9",
    },
}


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_a_limit_is_raised_by_two_people(staff: Staff, reader: Open, language: str, width: int) -> None:
    says = WORDS[language]
    staff("ana", "operator")
    staff("bo", "approver")
    ana, bo = reader(language, width), reader(language, width)
    sign_in(ana, "ana")
    sign_in(bo, "bo")

    page = ana.open("/admin/offers/ten/")
    page.get_by_role("link", name=says["change"], exact=True).click()
    page.fill("[name=limit]", "5")
    page.get_by_role("button", name=says["ask"], exact=True).click()
    expect(page.locator("#id_limit_error")).to_contain_text(says["refused"])
    assert Draft.objects.count() == 0
    page.fill("[name=limit]", "9")
    expect(page.locator("#effects")).to_contain_text(says["effect"])  # shown while typing
    ana.check()
    page.get_by_role("button", name=says["ask"], exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text(says["submitted"])

    draft = Draft.objects.get()
    bo.open("/admin/offers/ten/")
    assert says["waits"] in bo.words()
    bo.open(f"/admin/drafts/{draft.pk}/approve/")
    bo.page.get_by_role("button", name=says["approve"], exact=True).click()
    bo.page.wait_for_url(f"**/admin/drafts/{draft.pk}/")
    ana.open(f"/admin/drafts/{draft.pk}/launch/")
    page.get_by_role("button", name=says["launch"], exact=True).click()
    page.wait_for_url(f"**/admin/drafts/{draft.pk}/")
    assert Offer.objects.get().limit == 9
    ana.open("/admin/offers/ten/")
    assert says["left"] in ana.words()
    assert ana.complaints == bo.complaints == []
