"""Operators' workspace in a browser: a season from draft to statement in both languages; accessibility of each page."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from campaigns.grants import revocations
from campaigns.models import Delivery, Draft, Endpoint, Grant, Offer, Revocation, Simulation
from campaigns.notifications import operators, webhooks
from campaigns.offers import drafts
from campaigns.simulation import jobs
from imports import upload_jobs
from imports.models import Upload
from merchants import api_keys, blocks
from merchants.import_schemas import MERCHANTS
from merchants.models import Block, Merchant
from tests.support.browser import BY_LOOKS, Open, Reader, sign_in
from tests.support.members import clock
from tests.support.operators import Staff
from tests.support.world import freight, t, tick

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]


@pytest.fixture
def people(staff: Staff) -> Iterator[None]:
    """Ana writes and launches, Bo approves."""
    staff("ana", "operator")
    staff("bo", "approver")
    assert Group.objects.filter(user__username="ana").exists()
    yield


WORDS = {
    "en": {
        "change": "Change in a draft",
        "begin": "Create draft",
        "twelve": "12% off the freight",
        "try": "Simulate…",
        "do": "Run simulation",
        "done": "done",
        "submit": "Submit for approval",
        "approve": "Approve",
        "launch": "Launch",
        "none_left": "0 left of 6",
        "new": "Version 2, published by ana",
        "pause": "Pause ten",
        "paused": "Paused since",
        "granted": "Granted: 100",
        "refused": "Country is China",
        "revoke": "Revoke",
        "is_revoked": "revoked",
        "settled": "Settled",
        "tried": "Another amount",
    },
    "zh-hans": {
        "change": "在草稿中变更",
        "begin": "新建草稿",
        "twelve": "运费减免12%",
        "try": "模拟…",
        "do": "开始模拟",
        "done": "已完成",
        "submit": "提交审批",
        "approve": "批准",
        "launch": "上线",
        "none_left": "0 剩余 / 共6",
        "new": "版本2，由ana发布于",
        "pause": "暂停ten",
        "paused": "暂停：申请等待中",
        "granted": "已获得",
        "refused": "国家为中国",
        "revoke": "撤销",
        "is_revoked": "已撤销",
        "settled": "结算",
        "tried": "金额不同",
    },
}


class Walk:
    """Ana and Bo, each with a browser, going through a season step by step."""

    def __init__(self, reader: Open, language: str, width: int) -> None:
        self.says = WORDS[language]
        self.ana, self.bo = reader(language, width), reader(language, width)
        sign_in(self.ana, "ana")
        sign_in(self.bo, "bo")

    def press(self, who: Reader, word: str) -> None:
        who.page.get_by_role("button", name=self.says[word], exact=True).click()

    def define(self) -> None:
        """Twelve per cent in place of ten."""
        page = self.ana.open("/admin/offers/ten/")
        page.locator("details.menu summary").last.click()
        page.get_by_role("link", name=self.says["change"]).click()
        self.press(self.ana, "begin")
        self.draft = f"/admin/drafts/{Draft.objects.get().pk}/"
        self.ana.open(f"{self.draft}offers/ten/")
        page.fill("[name='benefit-percent']", "12")
        page.press("[name='benefit-percent']", "Tab")
        expect(page.locator("#panel")).to_contain_text(self.says["twelve"])
        page.get_by_role("button", name="YAML").click()
        expect(page.locator("#panel pre")).to_contain_text("percent: 12")
        page.locator("[name=save]").first.click()
        expect(page.locator("ins").first).to_contain_text(self.says["twelve"])

    def try_it(self) -> None:
        """On the facts of the season, against what is in force."""
        page = self.ana.page
        page.get_by_role("link", name=self.says["try"]).click()
        self.press(self.ana, "do")
        page.wait_for_url("**/simulations/*/")
        page.goto("about:blank")  # the worker of this test is this very thread
        trial = Simulation.objects.get()
        jobs.run(trial, clock=lambda: t("20"))
        assert trial.status == "done", trial.error
        self.ana.open(f"/admin/simulations/{trial.pk}/")
        words = self.ana.words()
        assert self.says["done"] in words.lower()
        assert "ten 0 6 0 0" in words
        assert "720.72 CNY" in words

    def publish(self) -> None:
        """Submitted, approved by another, launched."""
        self.ana.open(f"{self.draft}submit/")
        self.press(self.ana, "submit")
        self.bo.open(f"{self.draft}approve/")
        assert self.says["twelve"] in self.bo.words()
        self.press(self.bo, "approve")
        self.ana.open(f"{self.draft}launch/")
        self.press(self.ana, "launch")
        assert Offer.objects.get().versions.count() == 2

    def watch_and_pause(self) -> None:
        """The overview, the offer's page, a pause with a reason."""
        self.ana.open("/admin/")
        assert self.says["none_left"] in self.ana.words()
        self.ana.open("/admin/offers/ten/")
        assert self.says["new"] in self.ana.words()
        self.ana.open("/admin/offers/ten/pause/").fill("[name=reason]", "a fault")
        self.press(self.ana, "pause")
        assert self.says["paused"] in self.ana.words()
        assert Offer.objects.get().paused_at

    def explain_and_revoke(self) -> None:
        """Explain an order, then revoke its grant."""
        self.ana.open("/admin/eligibility/?q=FM30")
        assert self.says["refused"] in self.ana.words()
        self.ana.open("/admin/eligibility/?q=FM10")
        assert self.says["granted"] in self.ana.words()
        grant = Grant.objects.get(subject="FM10")
        self.ana.open(f"/admin/grants/{grant.pk}/revoke/").fill("[name=reason]", "embargo")
        self.press(self.ana, "revoke")
        assert self.says["is_revoked"] in self.ana.words()

    def account(self) -> None:
        """The statement, to the cent: six settled, one taken back."""
        self.ana.open("/admin/statements/2022-09/")
        assert self.says["settled"].lower() in self.ana.words().lower()
        assert "500.60 CNY" in self.ana.words()


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_defined_tried_approved_launched_watched_paused_explained_revoked_accounted(
    people: None, reader: Open, language: str, width: int
) -> None:
    walk = Walk(reader, language, width)
    walk.define()
    walk.try_it()
    walk.publish()
    walk.watch_and_pause()
    walk.explain_and_revoke()
    walk.account()
    assert walk.ana.complaints == walk.bo.complaints == []


def pages() -> list[str]:
    draft, grant = Draft.objects.order_by("pk"), Grant.objects.order_by("pk")[0]
    return [
        "/admin/",
        "/admin/offers/ten/",
        "/admin/offers/ten/?chart=used",
        "/admin/offers/ten/?tab=terms",
        "/admin/offers/ten/?tab=versions",
        "/admin/offers/ten/?tab=history",
        "/admin/offers/ten/amend/limit/",
        "/admin/offers/ten/amend/extend/",
        "/admin/offers/ten/duplicate/",
        "/admin/campaign/trial/",
        "/admin/campaign/trial/?tab=drafts",
        "/admin/campaign/trial/?tab=versions",
        "/admin/campaign/trial/?tab=shared",
        "/admin/campaign/trial/?tab=history",
        "/admin/offers/ten/stop/",
        "/admin/offers/ten/revoke/",
        "/admin/drafts/new/",
        f"/admin/drafts/{draft[0].pk}/",
        f"/admin/drafts/{draft[0].pk}/offers/ten/",
        f"/admin/drafts/{draft[0].pk}/add-offer/",
        f"/admin/drafts/{draft[0].pk}/campaign/",
        f"/admin/drafts/{draft[1].pk}/",
        f"/admin/drafts/{draft[0].pk}/simulate/",
        f"/admin/drafts/{draft[0].pk}/submit/",
        "/admin/campaign/trial/clone/",
        f"/admin/simulations/{Simulation.objects.get().pk}/",
        "/admin/eligibility/?q=FM30",
        "/admin/merchant/M1/",
        "/admin/merchant/M1/block/",
        f"/admin/blocks/{Block.objects.get().pk}/",
        "/admin/merchants/block/",
        "/admin/eligibility/?q=merchant",
        f"/admin/drafts/{draft[0].pk}/rebase/",
        f"/admin/grants/{grant.pk}/revoke/",
        f"/admin/revocations/{Revocation.objects.get().pk}/",
        "/admin/scorecards/",
        "/admin/statements/",
        "/admin/statements/2022-09/?merchant=M1",
        "/admin/statements/2022-08/close/",
        "/admin/notifications/",
        "/admin/settings/",
        "/admin/settings/notifications/",
        "/admin/settings/roles/",
        "/admin/settings/people/",
        "/admin/settings/api-keys/",
        "/admin/settings/api-keys/new/",
        "/admin/settings/webhooks/",
        "/admin/settings/webhooks/new/",
        f"/admin/settings/webhooks/{Endpoint.objects.get().pk}/",
        f"/admin/settings/deliveries/{Delivery.objects.get().pk}/",
        "/admin/settings/retention/",
        "/admin/help/",
        "/admin/help/glossary/",
        "/admin/design/",
        "/admin/campaigns/draft/",
        "/admin/campaigns/decision/?outcome__exact=2",
        "/admin/campaigns/grant/",
        "/admin/campaigns/offer/",
        "/admin/campaigns/auditevent/",
        "/admin/campaigns/issuance/",
        "/admin/campaigns/tickrun/",
        "/admin/logistics/freightorder/",
        "/admin/merchants/merchant/import/",
        *(f"/admin/imports/upload/{upload.pk}/change/" for upload in Upload.objects.order_by("pk")),
        "/admin/auth/user/",
        "/account/second-step/",
    ]


@pytest.mark.parametrize("how", [("en", 1280, "light"), ("zh-hans", 390, "dark")])
def test_every_page_is_accessible_and_fits(people: None, staff: Staff, reader: Open, how: tuple[str, int, str]) -> None:
    language, width, scheme = how
    staff("root", "administrator")
    User.objects.filter(username="root").update(is_superuser=True)
    columns = {"url": "https://w.example", "secret": "s", "created_by": "ana", "created_at": t("20")}
    webhooks.test(Endpoint.objects.create(name="w", **columns), at=t("20"))
    api_keys.issue("checkout", scopes=["read"], at=t("20"), by="ana")
    operators.tell_of_health([("mail", "mail")], at=t("20"))
    source = Offer.objects.get().campaign.source
    draft = drafts.begin(source.replace("percent: 10", "percent: 12"), title="More", at=t("20"), by="ana")
    drafts.begin("campaign: x", title="Not right", at=t("20"), by="ana")
    jobs.run(jobs.request(draft, until=t("20"), base=source, at=t("20"), by="ana"), clock=lambda: t("20"))
    revocations.propose(Grant.objects.filter(merchant="M1"), title="M1", at=t("20"), by="ana", reason="embargo")
    blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=None, reason="ring", at=t("20"), by="ana")
    for content in (b"merchant_code,name\nM1,new name\n", b"merchant_code,country\nM1,china\n"):
        upload = upload_jobs.create(
            MERCHANTS, "merchants.csv", content, at=t("20"), by=User.objects.get(username="root")
        )
        upload_jobs.run(upload, now=t("20"), clock=lambda: t("20"))
    who = reader(language, width, color_scheme=scheme)
    sign_in(who, "root")
    # Each page meets all rules once: every second one wide and light, the others narrow and dark.
    for n, path in enumerate(pages()):
        if n % 2 == 0 or scheme == "dark":
            who.open(path)
            who.check(BY_LOOKS if n % 2 == 0 and scheme == "dark" else ())


def test_the_overview_renews_itself(people: None, reader: Open) -> None:
    who = reader()
    sign_in(who, "ana")
    assert "left of 6" in who.words()
    clock("21")
    freight("FX", of="M1", paid_at="20 12:00", base_freight=1000)
    tick("21")
    timer = "document.querySelector('#overview').getAttribute('hx-trigger')"
    assert who.page.evaluate(timer) == "every 10s"
    part = "source: '#overview', target: '#overview', select: '#overview', swap: 'outerHTML'"
    renew = f"htmx.ajax('GET', '/admin/', {{{part}}})"
    who.page.evaluate(renew)
    expect(who.page.locator("#overview .live")).to_contain_text("21 September 2022")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_both_versions_of_a_draft_are_shown_while_the_form_is_edited(
    people: None, reader: Open, language: str, width: int
) -> None:
    who = reader(language, width)
    sign_in(who, "ana")
    draft = drafts.begin(Offer.objects.get().campaign.source, title="Ten", at=t("20"), by="ana")
    page = who.open(f"/admin/drafts/{draft.pk}/offers/ten/")
    theirs = draft.source.replace("percent: 10", "percent: 13")
    drafts.write(draft, theirs, was=draft.digest, at=t("20"), by="bo")
    page.fill("[name='quota-limit']", "9")
    page.press("[name='quota-limit']", "Tab")
    expect(page.locator(".conflict")).to_contain_text("percent: 13")
    who.check()
    page.locator("button[name=save]").first.click()
    expect(page.locator(".messagelist .saved")).to_be_visible()
    assert "percent: 10" in Draft.objects.get().source
    assert "limit: 9" in Draft.objects.get().source
