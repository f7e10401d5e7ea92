"""Pages that renew themselves, after the session ended or the connection was lost; forms keep what was typed."""

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Draft, Offer
from campaigns.offers import drafts
from identity.models import Session
from tests.support.browser import Open, answer_sign_in, sign_in
from tests.support.members import member
from tests.support.operators import Staff
from tests.support.world import t

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]

NOTICES = {"en": ("You are signed out.", "Connection lost."), "zh-hans": ("您已退出登录。", "连接已断开。")}


@pytest.fixture
def draft(staff: Staff) -> Draft:
    staff("ana", "operator")
    return drafts.begin(Offer.objects.get().campaign.source, title="Ten", at=t("20"), by="ana")


def renew(page: Page, part: str = "overview") -> None:
    """Renew a part of the page now, as its timer would."""
    expect(page.locator(f"#{part}")).to_be_visible()
    page.wait_for_load_state("load")  # deferred scripts have run; a condition in the page would need eval
    page.evaluate(
        f"htmx.ajax('GET', location.pathname, {{source: '#{part}', target: '#{part}', select: '#{part}', "
        "swap: 'outerHTML'}).catch(() => null)"
    )


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_the_overview_says_signed_out(draft: Draft, reader: Open, language: str, width: int) -> None:
    who = reader(language, width)
    sign_in(who, "ana")
    notice = who.page.locator("#connection")
    expect(who.page.locator("#overview")).to_be_visible()
    expect(notice).to_be_hidden()
    Session.objects.all().delete()
    renew(who.page)
    expect(notice).to_contain_text(NOTICES[language][0])
    expect(who.page.locator("#overview .figure")).to_contain_text("6")  # what was known stays
    assert all("401" in complaint for complaint in who.complaints)
    who.complaints.clear()
    who.check()
    notice.get_by_role("link").click()
    answer_sign_in(who, "ana")
    who.page.wait_for_url("**/admin/")
    expect(who.page.locator("#connection")).to_be_hidden()


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_the_overview_says_that_the_connection_is_lost(draft: Draft, reader: Open, language: str, width: int) -> None:
    who = reader(language, width)
    sign_in(who, "ana")
    updated = who.page.locator("#overview .live").inner_text()
    who.page.context.set_offline(True)
    renew(who.page)
    notice = who.page.locator("#connection")
    expect(notice).to_contain_text(NOTICES[language][1])
    expect(notice).to_contain_text(updated)
    expect(who.page.locator("#health")).to_be_hidden()
    who.page.context.set_offline(False)
    renew(who.page)
    expect(notice).to_be_hidden()
    expect(who.page.locator("#health")).to_be_visible()


def test_a_sign_in_returns_to_the_unsaved_offer_form(draft: Draft, reader: Open) -> None:
    who = reader()
    sign_in(who, "ana")
    page = who.open(f"/admin/drafts/{draft.pk}/offers/ten/")
    Session.objects.all().delete()
    page.fill("[name='benefit-percent']", "12")
    page.press("[name='benefit-percent']", "Tab")
    expect(page.locator("#connection")).to_contain_text("You are signed out.")
    expect(page.locator("[name='benefit-percent']")).to_have_value("12")
    page.locator("#connection").get_by_role("link").click()
    answer_sign_in(who, "ana")
    expect(page.locator("[name='benefit-percent']")).to_have_value("12")
    expect(page.locator(".restored")).to_contain_text("Your unsaved changes are back")
    assert Draft.objects.get().source == draft.source  # a restored form is not saved by itself
    page.get_by_role("button", name="Save and continue").first.click()
    expect(page.locator(".messagelist")).to_contain_text("The draft is saved.")
    assert "percent: 12" in Draft.objects.get().source
    drafts.write(
        draft, draft.source.replace("percent: 10", "percent: 13"), was=Draft.objects.get().digest, at=t("21"), by="bo"
    )
    who.open(f"/admin/drafts/{draft.pk}/offers/ten/")
    expect(page.locator("[name='benefit-percent']")).to_have_value("13")  # what was saved is not put back again
    expect(page.locator(".restored")).to_have_count(0)


def test_what_is_typed_after_a_save_and_previewed_is_kept(draft: Draft, reader: Open) -> None:
    who = reader()
    sign_in(who, "ana")
    page = who.open(f"/admin/drafts/{draft.pk}/offers/ten/")
    field = page.locator("[name='benefit-percent']")
    field.fill("12")
    field.press("Tab")
    expect(page.locator("#builder[data-saved]")).to_be_visible()
    with page.expect_response(lambda answer: "peek=1" in (answer.request.post_data or "")):
        field.fill("14")
    expect(page.locator("#panel")).to_contain_text("14")
    Session.objects.all().delete()
    page.on("dialog", lambda dialog: dialog.accept())  # the page asks whether to leave it
    sign_in(who, "ana")
    page.goto(f"/admin/drafts/{draft.pk}/offers/ten/")
    expect(page.locator(".restored")).to_be_visible()
    expect(field).to_have_value("14")
    assert "percent: 12" in Draft.objects.get().source


@pytest.mark.parametrize(("form", "button"), [("", "Save"), ("offers/ten/", "Save and continue")])
def test_saving_after_the_session_ended_loses_nothing(draft: Draft, reader: Open, form: str, button: str) -> None:
    who = reader()
    sign_in(who, "ana")
    page = who.open(f"/admin/drafts/{draft.pk}/{form}")
    field = "[name='benefit-percent']" if form else "[name=source]"
    typed = "12" if form else draft.source.replace("percent: 10", "percent: 12")
    page.fill(field, typed)
    Session.objects.all().delete()
    page.get_by_role("button", name=button, exact=True).first.click()
    answer_sign_in(who, "ana")
    expect(page.locator(".restored")).to_be_visible()
    expect(page.locator(field)).to_have_value(typed)
    assert Draft.objects.get().source == draft.source  # a restored form is not saved by itself
    page.get_by_role("link", name="Discard my changes").click()
    expect(page.locator(field)).to_have_value("10" if form else draft.source)


def test_what_one_person_typed_is_not_shown_to_another(draft: Draft, staff: Staff, reader: Open) -> None:
    staff("bo", "operator")
    who = reader()
    sign_in(who, "ana")
    who.open(f"/admin/drafts/{draft.pk}/").fill("[name=source]", "campaign: secret")
    Session.objects.all().delete()
    sign_in(who, "bo")
    page = who.open(f"/admin/drafts/{draft.pk}/")
    expect(page.locator("[name=source]")).to_have_value(draft.source)


def test_the_merchants_page_says_signed_out(reader: Open) -> None:
    member("m@example.com")
    who = reader()
    who.open("/sign-in/")
    answer_sign_in(who, "m@example.com")
    expect(who.page.locator("#home")).to_be_visible()  # the page has loaded, with the session
    Session.objects.all().delete()
    renew(who.page, "home")
    expect(who.page.locator("#connection")).to_contain_text("You are signed out.")
    expect(who.page.locator("#home")).to_be_visible()
