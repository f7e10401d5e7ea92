"""Small amendments: a draft that waits for a second person, exact effects, and refusals that store nothing."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from campaigns.models import AuditEvent, Campaign, Draft, Offer
from campaigns.offers import drafts, pausing, published_offers
from definitions import parser
from definitions.offer_terms import OfferTerms
from rules.time_windows import Window
from tests.support.members import text, words
from tests.support.operators import Staff
from tests.support.world import HEADING, freight, merchant, offer, publish, t, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="texts compared and merged, stored as one column")]
PAGE = "/admin/offers/ten/"
HEAD = (
    HEADING
    + """\
# The window of the season.
windows:
  season:
    from: 2022-09-01 00:00:00
    to: {at: 2022-09-30 23:59:59, twin: {at: 2022-10-01 07:59:59, zone: Asia/Shanghai}}
lists:
  lines:
    names: {en: the lines, zh: 线路}
    values:
      us-charter-select: {en: Charter, zh: 包机}
      eu-rail: {en: Rail, zh: 铁路}
"""
)
CONDITIONS = "[{fact: line, in: lines}, {fact: paid_at, within: season}]"


@pytest.fixture
def operator(staff: Staff, market: None) -> Client:
    """Publish two offers that share a window and a list; six of `ten` are used."""
    five = offer("five", conditions=CONDITIONS, benefit="{fee: freight, percent: 5}")
    publish(offer("ten", conditions=CONDITIONS, quota="{limit: 6}  # agreed") + five, heading=HEAD)
    return staff("ana", "operator")


def send(browser: Client, kind: str, **fields: object) -> str:
    """Send the form of an amendment with the version that is in force, and return the words of the answer."""
    version = published_offers.find("ten").row.version
    assert version is not None
    answer = browser.post(f"{PAGE}amend/{kind}/", {"shown": version.number, **fields}, follow=True)
    assert answer.status_code == 200
    return words(answer.content.decode())


def proposed(code: str = "ten") -> OfferTerms:
    return next(terms for terms in parser.read(Draft.objects.get().source).offers if terms.code == code)


def launch(draft: Draft) -> None:
    drafts.approve(draft, shown=draft.digest, at=t("20"), by="bo")
    drafts.launch(draft, at=t("20"), by="ana")


def test_a_higher_limit_waits_for_a_second_person(operator: Client) -> None:
    said = send(operator, "limit", limit=9, reason="more demand")
    draft = Draft.objects.get()
    assert (draft.title, draft.status, draft.submitted_by) == ("ten: limit 6 → 9", "submitted", "ana")
    assert "Submitted. A second person must approve this change" in said
    assert Offer.objects.get(code="ten").limit == 6
    assert [(act.verb, act.reason) for act in draft.acts.order_by("pk")] == [
        ("written", "more demand"),
        ("submitted", ""),
    ]
    assert "limit: 9}  # agreed" in draft.source
    assert "# The window of the season." in draft.source
    with pytest.raises(drafts.DraftError, match="somebody else"):
        drafts.approve(draft, shown=draft.digest, at=t("20"), by="ana")
    launch(draft)
    assert (Offer.objects.get(code="ten").limit, Offer.objects.get(code="five").versions.count()) == (9, 1)


def test_the_effect_is_shown_before_it_is_sent(operator: Client) -> None:
    said = send(operator, "limit", limit=9, preview="1")
    assert "0 left → 3 left." in said
    assert "2 claims that were refused because the quota was used up stay refused." in said
    assert Draft.objects.count() == 0


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("5", "6 are used already: the limit cannot be lower than that."),
        ("6", "Nothing would change."),
        ("0", "greater than or equal to 1"),
        ("100000001", "less than or equal to 100000000"),
        ("many", "whole number"),
        ("", "required"),
    ],
)
def test_a_refused_limit_creates_nothing(limit: str, said: str, operator: Client) -> None:
    acts = AuditEvent.objects.count()
    assert said in send(operator, "limit", limit=limit)
    assert (Draft.objects.count(), AuditEvent.objects.count()) == (0, acts)


def test_a_limit_can_be_lowered_to_what_is_used(staff: Staff) -> None:
    merchant()
    freight("F1", paid_at="05", base_freight=1000)
    publish(offer("ten", quota="{limit: 3}"))
    tick("06")
    send(staff("ana", "operator"), "limit", limit=1)
    launch(Draft.objects.get())
    assert Offer.objects.get().limit == 1


def test_an_offer_without_a_limit_gets_one(operator: Client) -> None:
    said = words(
        operator.post("/admin/offers/five/amend/limit/", {"shown": 1, "limit": 7}, follow=True).content.decode()
    )
    assert "five: limit none → 7" in said
    assert proposed("five").limits.total == 7


def test_an_outdated_page_is_refused(operator: Client) -> None:
    answer = operator.post(f"{PAGE}amend/limit/", {"shown": 1, "limit": 9})
    assert "The offer has changed since you opened this page." in words(answer.content.decode())
    assert Draft.objects.count() == 0


def test_two_amendments_can_wait_and_the_second_is_rebased(operator: Client) -> None:
    send(operator, "limit", limit=9)
    send(operator, "rename", en="Ten", zh="十")
    first, second = Draft.objects.order_by("pk")
    assert second.title == "ten: name “ten” → “Ten”; name “ten” → “十”"
    launch(first)
    with pytest.raises(drafts.DraftError, match="out of date"):
        launch(second)
    source, conflicts = drafts.rebased(second)
    drafts.rebase(second, shown=drafts.digest(source), at=t("20"), by="ana")
    drafts.submit(second, at=t("20"), by="ana")
    launch(second)
    row = Offer.objects.get(code="ten")
    assert (row.limit, row.name_en, row.name_zh, conflicts) == (9, "Ten", "十", [])


def test_a_name_that_stays_is_no_amendment(operator: Client) -> None:
    assert "Nothing would change." in send(operator, "rename", en="ten", zh="ten")
    assert "required" in send(operator, "rename", en="", zh="x")
    assert Draft.objects.count() == 0


def test_the_window_of_one_offer_is_extended(operator: Client) -> None:
    form = text(operator, f"{PAGE}amend/extend/")
    assert "Paid until UTC time; now 30 September 2022 23:59. The window is also used by: five." in form
    assert "ten: closes 1 Oct → 8 Oct" in send(operator, "extend", end_0="2022-10-07T23:59", scope="one")
    assert "season-ten:" in Draft.objects.get().source
    launch(Draft.objects.get())
    assert Campaign.objects.get().source.count("2022-10-08 07:59:59") == 1  # the twin moves along
    assert (proposed().code, Offer.objects.get(code="five").versions.count()) == ("ten", 1)


def test_the_window_of_all_offers_is_extended(operator: Client) -> None:
    said = send(operator, "extend", end_0="2022-10-07T23:59", scope="all", preview="1")
    assert "Closes 1 Oct → 8 Oct. Also five: closes 1 Oct → 8 Oct. Open for 7 more days." in said
    send(operator, "extend", end_0="2022-10-07T23:59", scope="all")
    assert Draft.objects.get().title == "ten: closes 1 Oct → 8 Oct (and 1 other offer)"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2022-09-30T23:58", "Choose 2022-09-30 23:59 or later. An earlier end needs a draft."),
        ("2022-09-30T23:59", "Nothing would change."),
        ("2022-10-32T23:59", "Enter a date and a time"),
        ("tomorrow", "Enter a date and a time"),
    ],
)
def test_a_refused_date_creates_nothing(at: str, said: str, operator: Client) -> None:
    assert said in send(operator, "extend", end_0=at, scope="one")
    assert Draft.objects.count() == 0


def test_a_minute_later_is_later(operator: Client) -> None:
    send(operator, "extend", end_0="2022-10-01T00:00", scope="one")
    window = next(c for c in proposed().own_conditions if c.name == "paid_at").within  # type: ignore[union-attr]
    assert isinstance(window, Window)
    assert window.to.at == "2022-10-01 00:00:59"


def test_codes_are_pasted_and_read_from_a_file(operator: Client) -> None:
    file = SimpleUploadedFile("lines.csv", "\ufeffjp-sea,Japan sea,日本海运\r\nkr-sea\r\n".encode())
    said = send(operator, "list", list_name="lines", added="\nuk-air, UK air\n", file=file, removed="eu-rail")
    assert "ten: list “the lines”: 3 added, 1 removed (and 1 other offer)" in said
    [condition] = [c for c in proposed().own_conditions if c.name == "line"]
    assert condition.in_.values == ("us-charter-select", "uk-air", "jp-sea", "kr-sea")  # type: ignore[union-attr]
    labels = condition.in_.labels  # type: ignore[union-attr]
    assert {code: (names.en, names.zh) for code, names in labels.items()} == {
        "us-charter-select": ("Charter", "包机"),
        "uk-air": ("UK air", "UK air"),
        "jp-sea": ("Japan sea", "日本海运"),
        "kr-sea": ("kr-sea", "kr-sea"),
    }


REFUSED_LISTS: dict[str, tuple[dict[str, object], str]] = {
    "there already": ({"added": "eu-rail"}, "already in the list: eu-rail"),
    "not there": ({"removed": "x"}, "not in the list: x"),
    "all of them": ({"removed": "eu-rail\nus-charter-select"}, "the list would be empty"),
    "nothing": ({}, "Nothing would change."),
    "another list": ({"list_name": "others", "added": "x"}, "Select a valid choice"),
    "too many": ({"added": "\n".join(f"c{n}" for n in range(2001))}, "At most 2,000 codes at a time."),
    "one endless line": ({"added": "a" * 131_073}, "A line is too long: write one code a line."),
    "no text": ({"file": SimpleUploadedFile("x.csv", b"\xff\xfe\x00")}, "not text in UTF-8"),
    "too large": ({"file": SimpleUploadedFile("x.csv", b"a" * 200_001)}, "larger than 200 KB"),
}


@pytest.mark.parametrize(("fields", "said"), REFUSED_LISTS.values(), ids=REFUSED_LISTS.keys())
def test_a_refused_list_creates_nothing(fields: dict[str, object], said: str, operator: Client) -> None:
    assert said in send(operator, "list", **{"list_name": "lines", **fields})
    assert Draft.objects.count() == 0


def test_the_menu_has_a_list_only_where_the_offer_uses_one(operator: Client) -> None:
    assert "Change a list" in text(operator, PAGE)
    publish(offer("plain", benefit="{fee: freight, percent: 3}"), heading=HEADING.replace("trial", "other"))
    assert "Change a list" not in text(operator, "/admin/offers/plain/")


def test_an_offer_that_the_text_of_the_campaign_lacks_has_no_list_to_change(operator: Client) -> None:
    campaign = Campaign.objects.get()
    campaign.source = campaign.source.replace("code: ten", "code: renamed")
    campaign.save()
    assert operator.get(f"{PAGE}amend/list/").status_code == 200
    assert "Select a valid choice" in send(operator, "list", list_name="lines", added="uk-air")
    assert Draft.objects.count() == 0


def test_an_offer_that_is_over_has_no_amendment(operator: Client) -> None:
    pausing.stop(Offer.objects.get(code="ten"), at=t("20"), by="ana", reason="x")
    assert "The offer is stopped" in text(operator, f"{PAGE}amend/limit/")
    for kind, field, value in (("limit", "limit", "9"), ("extend", "end_0", "2022-10-07T23:59")):
        assert operator.post(f"{PAGE}amend/{kind}/", {"shown": 2, field: value}).status_code == 403
    assert Draft.objects.count() == 0


@pytest.mark.parametrize("role", ["viewer", "approver"])
@pytest.mark.parametrize("path", ["amend/limit/", "amend/extend/", "versions/1/restore/", "duplicate/"])
def test_only_operators_amend(path: str, role: str, staff: Staff, operator: Client) -> None:
    browser = staff("vi", role)
    assert browser.get(f"{PAGE}{path}").status_code == 403
    assert browser.post(f"{PAGE}{path}", {"shown": 2, "limit": 9}).status_code == 403
    assert Draft.objects.count() == 0


@pytest.mark.parametrize("path", ["amend/nothing/", "versions/9/restore/"])
def test_what_is_not_there_is_not_found(path: str, operator: Client) -> None:
    assert operator.get(f"{PAGE}{path}").status_code == 404


def test_a_roll_back_restores_one_offer_on_top_of_what_is_live(operator: Client) -> None:
    first = published_offers.find("ten").under(Offer.objects.get(code="ten").versions.get(number=1)).terms
    asked = text(operator, f"{PAGE}versions/1/restore/")
    assert "country is China" in asked
    operator.post(f"{PAGE}versions/1/restore/", {"shown": 2, "reason": "back"})
    assert Draft.objects.get().status == "submitted"
    assert proposed() == first
    assert proposed("five") == published_offers.find("five").terms
    launch(Draft.objects.get())
    row = Offer.objects.get(code="ten")
    assert (row.versions.count(), published_offers.find("ten").terms == first) == (3, True)


def test_the_version_in_force_cannot_be_restored(operator: Client) -> None:
    assert "Version 2 has the terms in force." in text(operator, f"{PAGE}versions/2/restore/")
    assert operator.post(f"{PAGE}versions/2/restore/", {"shown": 2}).status_code == 403
    assert Draft.objects.count() == 0


def test_a_version_whose_limit_is_below_what_is_used_is_refused(operator: Client, staff: Staff) -> None:
    send(operator, "limit", limit=20)
    launch(Draft.objects.get())
    for n in range(7):
        freight(f"G{n}", of="M1", paid_at="20 01:00", base_freight=1000)
    tick("20 02:00")
    assert Offer.objects.get(code="ten").places_taken > 6
    assert "the limit cannot be 6" in text(operator, f"{PAGE}versions/2/restore/")
    assert operator.post(f"{PAGE}versions/2/restore/", {"shown": 3}).status_code == 403
    assert Draft.objects.count() == 1


def test_a_copy_goes_into_a_new_draft(operator: Client) -> None:
    sent = {"code": "ten-more", "en": "Ten more", "zh": "再十", "draft": ""}
    answer = operator.post(f"{PAGE}duplicate/", sent)
    draft = Draft.objects.get()
    assert answer.headers["location"] == f"/admin/drafts/{draft.pk}/offers/ten-more/"
    assert (draft.status, draft.title) == ("draft", "New offer: Ten more")
    copied, original = proposed("ten-more"), proposed("ten")
    assert copied.model_copy(update={"code": "ten", "names": original.names}) == original
    assert [terms.code for terms in parser.read(draft.source).offers] == ["ten", "five", "ten-more"]


def test_a_copy_goes_into_an_open_draft(operator: Client) -> None:
    send(operator, "limit", limit=9)
    draft = Draft.objects.get()
    other = drafts.begin(HEADING.replace("trial", "other"), title="other", at=t("20"), by="ana")
    form = operator.get(f"{PAGE}duplicate/").content.decode()
    assert f'value="{draft.pk}"' in form
    assert f'value="{other.pk}"' not in form
    operator.post(f"{PAGE}duplicate/", {"code": "x", "en": "X", "zh": "某", "draft": draft.pk})
    draft.refresh_from_db()
    found = {terms.code: terms.limits.total for terms in parser.read(draft.source).offers}
    assert (found, draft.status) == ({"ten": 9, "five": None, "x": 9}, "draft")


@pytest.mark.parametrize(
    ("code", "said"), [("five", "There is an offer with this code already: five"), ("Up", "Use small letters")]
)
def test_a_refused_copy_creates_nothing(code: str, said: str, operator: Client) -> None:
    answer = operator.post(f"{PAGE}duplicate/", {"code": code, "en": "X", "zh": "某", "draft": ""})
    assert said in words(answer.content.decode())
    assert Draft.objects.count() == 0
