"""Pages of a draft: changes in both languages, checks, simulation, comments, and the steps to publication."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import AuditEvent, Campaign, Draft, DraftComment, Offer
from campaigns.offers import drafts
from campaigns.simulation import jobs
from tests.support.drafts import AT, SOURCE, begin, two_approved
from tests.support.html_forms import form_data
from tests.support.members import clock, text, words
from tests.support.operators import WINDOW, Staff
from tests.support.world import HEADING, offer, publish

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]


def changed() -> Draft:
    """Return a draft that raises a published limit of 6 to 60."""
    publish(offer("ten", quota="{limit: 6}"))
    campaign = Campaign.objects.get()
    return begin(campaign.source.replace("limit: 6", "limit: 60"), of=campaign)


def test_pages_say_out_of_date_and_offer_to_rebase(staff: Staff) -> None:
    ana = staff("ana", "operator")
    draft, _other = two_approved()
    where = f"/admin/drafts/{draft.pk}/"
    page = text(ana, where)
    assert "Approved Out of date" in page
    assert "Launch (out of date: rebase it first)" in page
    assert "approved, out of date" in text(ana, "/admin/campaigns/draft/")
    overview = text(ana, "/admin/")
    assert f"Rebase, because the campaign was published anew: {draft.title}" in overview
    assert "Launch:" not in overview
    asked = ana.get(f"{where}rebase/").content.decode()
    assert "A second person must approve the result" in words(asked)
    assert "limit" not in words(asked)  # against what is published now only the draft's own change is left
    ana.post(f"{where}rebase/", form_data(asked))
    draft.refresh_from_db()
    assert (draft.status, "limit: 60" in draft.source) == ("draft", True)
    assert "Rebase on the published campaign…" not in text(ana, where)


def test_a_rebase_names_what_both_changed(staff: Staff) -> None:
    ana = staff("ana", "operator")
    publish(offer("ten", quota="{limit: 6}"))
    campaign = Campaign.objects.get()
    draft = begin(campaign.source.replace("limit: 6", "limit: 7"), of=campaign)
    publish(offer("ten", quota="{limit: 8}"))
    asked = text(ana, f"/admin/drafts/{draft.pk}/rebase/")
    assert "the value of this draft stays: offers.ten.quota.limit" in asked


def test_a_draft_goes_through_its_pages(staff: Staff) -> None:
    ana, bo = staff("ana", "operator"), staff("bo", "approver")
    publish(offer("ten", quota="{limit: 6}"))
    page = ana.post("/admin/drafts/new/?of=trial", {"title": "More"}, follow=True)
    draft = Draft.objects.get()
    where = f"/admin/drafts/{draft.pk}/"
    assert "No changes: the draft matches the published campaign." in words(page.content.decode())
    text = draft.source.replace("limit: 6", "limit: 60")
    page = ana.post(where, {"source": text, "was": draft.digest}, follow=True)
    said = words(page.content.decode())
    assert "the first 6 freight orders" in said
    assert "the first 60 freight orders" in said
    assert ana.post(f"{where}approve/", {"shown": "x"}).status_code == 403
    ana.post(f"{where}submit/")
    draft.refresh_from_db()
    assert "New offers: 0. Changed offers: 1." in words(bo.get(f"{where}approve/").content.decode())
    bo.post(f"{where}approve/", {"shown": draft.digest})
    assert bo.post(f"{where}launch/").status_code == 403
    ana.post(f"{where}launch/")
    assert Offer.objects.get().limit == 60
    said = words(ana.get("/admin/offers/ten/").content.decode())
    assert "Version 2, published by ana" in said
    assert "Published · version 2 ana · " in said


def test_an_edit_by_another_user_is_shown_and_not_overwritten_unseen(staff: Staff) -> None:
    ana, draft = staff("ana", "operator"), begin()
    where = f"/admin/drafts/{draft.pk}/"
    drafts.write(draft, SOURCE + "# theirs\n", was=draft.digest, at=AT, by="bo")
    sent = {"source": SOURCE + "# mine\n", "was": drafts.digest(SOURCE)}
    for _press in range(2):  # the same form again has not seen the other version either
        page = ana.post(where, sent).content.decode()
        assert "Saved by bo at 20 September 2022" in words(page)
        assert "− # theirs (saved version)" in words(page)
        assert "+ # mine (your version)" in words(page)
        assert "Save my version" in words(page)
        assert Draft.objects.get().source.endswith("# theirs\n")
    shown = form_data(page)
    assert str(shown["source"]).replace("\r\n", "\n").rstrip() == SOURCE + "# mine"  # what was typed is still there
    drafts.write(draft, SOURCE + "# later\n", was=draft.digest, at=AT, by="bo")
    page = ana.post(where, shown).content.decode()
    assert "− # later (saved version)" in words(page)
    assert Draft.objects.get().source.endswith("# later\n")
    assert ana.post(where, form_data(page)).status_code == 302
    assert Draft.objects.get().source.rstrip().endswith("# mine")


def test_the_same_edit_by_another_user_is_no_conflict(staff: Staff) -> None:
    ana, draft = staff("ana", "operator"), begin()
    drafts.write(draft, SOURCE + "# both\n", was=draft.digest, at=AT, by="bo")
    sent = {"source": SOURCE + "# both\n", "was": drafts.digest(SOURCE)}
    assert ana.post(f"/admin/drafts/{draft.pk}/", sent).status_code == 302
    assert AuditEvent.objects.filter(verb="written").count() == 2


def test_the_author_of_a_returned_draft_is_told_why(staff: Staff) -> None:
    ana, eve = staff("ana", "operator"), staff("eve", "operator")
    draft = begin()
    drafts.submit(draft, at=AT, by="ana")
    assert "returned" not in text(ana, "/admin/")
    drafts.give_back(draft, at=AT, by="bo", reason="the limit is too high")
    page = f"/admin/drafts/{draft.pk}/"
    assert "Returned to you: Ten" in text(ana, "/admin/")
    assert "Returned" not in text(eve, "/admin/")  # not an author
    shown = text(ana, page)
    assert "Changes requested bo returned this draft 20 Sep, 08:00" in shown
    assert shown.index("the limit is too high") < shown.index("Checks")
    drafts.write(draft, SOURCE + "# less\n", was=draft.digest, at=AT, by="ana")
    assert "Changes requested" in text(ana, page)  # until it is submitted again
    drafts.submit(draft, at=AT, by="ana")
    assert "Changes requested" not in text(ana, page)
    assert "Returned" not in text(ana, "/admin/")


def test_changes_are_shown_in_both_languages_or_as_text(staff: Staff) -> None:
    draft, ana = changed(), staff("ana", "operator")
    page = ana.get(f"/admin/drafts/{draft.pk}/").content.decode()
    said = words(page[page.index('id="changes"') : page.index('id="h-simulation"')])
    assert said.count("60") == 2
    assert "the first 60 freight orders" in said.lower()
    assert "前60" in said.replace(" ", "")
    page = ana.get(f"/admin/drafts/{draft.pk}/?view=yaml").content.decode()
    assert "<del>-" in page
    assert "limit: 60" in words(page[page.index("<ins>+") :])


def test_the_page_says_what_comes_next_and_from_whom(staff: Staff) -> None:
    draft, ana, bo = changed(), staff("ana", "operator"), staff("bo", "approver")
    where = f"/admin/drafts/{draft.pk}/"
    assert "Next: ana submits it for approval." in text(ana, where)
    drafts.submit(draft, at=AT, by="ana")
    assert "Waits for a second person: you wrote or submitted this draft." in text(ana, where)
    assert "Next: a second person, who has not written in it, approves it or requests changes." in text(bo, where)
    assert "When you approve The draft can be launched exactly as shown here." in text(bo, where)
    assert "New offers: 0. Changed offers: 1. Not in this draft, unchanged: 0." in text(bo, where)
    drafts.approve(draft, shown=draft.digest, at=AT, by="bo")
    assert "Next: an operator launches it. bo approved it." in text(ana, where)
    drafts.launch(draft, at=AT, by="ana")
    assert "Next:" not in text(ana, where)


def test_checks_put_errors_first(staff: Staff) -> None:
    bo = staff("bo", "approver")
    page = text(bo, f"/admin/drafts/{changed().pk}/")
    assert "Warning: Not simulated as it is Passed: Based on what is published Passed: The definition is valid" in page
    assert "Passed: You are not an author" in page
    wrong = begin(SOURCE.replace("percent: 10", "percent: 110"))
    page = text(bo, f"/admin/drafts/{wrong.pk}/")
    assert "Checks Error: line 11" in page
    assert "The definition is valid" not in page


@pytest.mark.usefixtures("market")
def test_a_simulation_stands_beside_the_changes(staff: Staff) -> None:
    ana, campaign = staff("ana", "operator"), Campaign.objects.get()
    draft = begin(campaign.source.replace("limit: 6", "limit: 7"), of=campaign)
    where = f"/admin/drafts/{draft.pk}/"
    page = ana.get(where).content.decode()
    assert "Simulate on the data up to now" in page
    sent = {"until": "2022-09-20T00:00", "weeks": "0", "compare": "on"}
    assert ana.post(f"{where}simulate/", sent).status_code == 302
    jobs.run(draft.trials.get(), clock=lambda: AT)
    page = text(ana, where)
    assert "ten ten Benefits granted 6 7 +1 Merchants reached 2 2 0 Cost 600.60 CNY 700.90 CNY +100.30 CNY" in page
    assert "Passed: Simulated as it is" in page
    drafts.write(draft, draft.source + "# more\n", was=draft.digest, at=AT, by="ana")
    page = text(ana, where)
    assert "The draft has changed since. Run it again." in page
    assert "Warning: Not simulated as it is" in page


def test_a_season_to_come_is_simulated_on_that_of_last_year(staff: Staff) -> None:
    clock("20")
    draft = begin(f"{HEADING}offers:\n{offer('ten', conditions=f'[{WINDOW}]')}".replace("2022-09", "2023-09"))
    page = staff("ana", "operator").get(f"/admin/drafts/{draft.pk}/").content.decode()
    assert "Simulate on the season of last year" in page
    assert 'name="weeks" value="-52"' in page


def test_a_comment_quotes_a_line_and_keeps_the_approval(staff: Staff) -> None:
    clock("20")
    draft, ana, bo = changed(), staff("ana", "operator"), staff("bo", "approver")
    drafts.submit(draft, at=AT, by="ana")
    drafts.approve(draft, shown=draft.digest, at=AT, by="bo")
    where = f"/admin/drafts/{draft.pk}/"
    line = bo.get(where).context["comment_form"].fields["quote"].choices[-1][0]
    assert "60" in line
    bo.post(f"{where}comment/", {"text": "Does the budget cover it?", "quote": line})
    ana.post(f"{where}comment/", {"text": "Yes.", "quote": ""})
    assert list(DraftComment.objects.values_list("by", "text", "quote", "at")) == [
        ("bo", "Does the budget cover it?", line, AT),
        ("ana", "Yes.", "", AT),
    ]
    draft.refresh_from_db()
    assert (draft.status, draft.approved_by) == ("approved", "bo")
    page = text(ana, where)
    assert "Comments 2" in page
    assert page.index("Does the budget cover it?") < page.index("Yes.")


@pytest.mark.parametrize("sent", [{"text": ""}, {"text": "x" * 2001}, {"text": "Why?", "quote": "no such line"}])
def test_a_comment_that_is_wrong_is_not_saved(sent: dict[str, str], staff: Staff) -> None:
    draft, ana = changed(), staff("ana", "operator")
    page = ana.post(f"/admin/drafts/{draft.pk}/comment/", sent, follow=True)
    assert "The comment is not saved" in page.content.decode()
    assert not DraftComment.objects.exists()


def test_a_viewer_reads_comments_and_writes_none(staff: Staff) -> None:
    draft, viewer = changed(), staff("vi", "viewer")
    assert viewer.post(f"/admin/drafts/{draft.pk}/comment/", {"text": "Why?"}).status_code == 403
    assert not DraftComment.objects.exists()
    assert "Add a comment" not in text(viewer, f"/admin/drafts/{draft.pk}/")


def test_the_page_costs_the_same_with_many_comments(staff: Staff) -> None:
    draft, ana = changed(), staff("ana", "operator")
    where = f"/admin/drafts/{draft.pk}/"
    ana.get(where)
    for n in (0, 3):
        for _each in range(n):
            ana.post(f"{where}comment/", {"text": "Why?"})
        with CaptureQueriesContext(connection) as found:
            ana.get(where)
        assert len(found) == 22
