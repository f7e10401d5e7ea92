"""Drafts: written by one, approved by another for exactly one text, launched as approved."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.contrib.auth.models import User

from campaigns.models import AuditEvent, Campaign, Draft, Grant, Offer, Version
from campaigns.offers import drafts
from campaigns.offers.drafts import DraftError
from definitions import parser
from definitions.errors import DefinitionError
from tests.support.concurrency import Race
from tests.support.drafts import AT, SOURCE, approved, begin, two_approved
from tests.support.guards import without_row_locks
from tests.support.world import offer, publish, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="texts compared and merged, stored as one column")]


def test_written_submitted_approved_launched() -> None:
    draft = approved()
    assert Offer.objects.count() == 0
    [version] = drafts.launch(draft, at=AT, by="cy")
    assert (version.offer.code, version.number, version.published_by) == ("ten", 1, "cy")
    assert draft.status == "launched"
    history = list(AuditEvent.objects.order_by("pk").values_list("verb", "by"))
    assert history == [
        ("written", "ana"),
        ("submitted", "ana"),
        ("approved", "bo"),
        ("published", "cy"),
        ("launched", "cy"),
    ]
    assert AuditEvent.objects.get(verb="published").draft == draft


@pytest.mark.parametrize("who", ["ana", "eve", "sue"])
def test_authors_and_submitters_cannot_approve(who: str) -> None:
    draft = begin()
    drafts.write(draft, SOURCE.replace("percent: 10", "percent: 9"), was=draft.digest, at=AT, by="eve")
    drafts.submit(draft, at=AT, by="sue")
    with pytest.raises(DraftError, match="somebody else must approve"):
        drafts.approve(draft, shown=draft.digest, at=AT, by=who)
    draft.refresh_from_db()
    assert (draft.status, draft.approved_by) == ("submitted", "")
    drafts.approve(draft, shown=draft.digest, at=AT, by="bo")


@pytest.mark.parametrize("who", ["ana", "eve", "sue"])
def test_a_new_name_does_not_make_another_person(who: str) -> None:
    users = {name: User.objects.create_user(name) for name in ("ana", "eve", "sue", "bo")}
    draft = begin()
    drafts.write(draft, SOURCE.replace("percent: 10", "percent: 9"), was=draft.digest, at=AT, by="eve")
    drafts.submit(draft, at=AT, by="sue")
    User.objects.filter(pk=users[who].pk).update(username="renamed")
    with pytest.raises(DraftError, match="somebody else must approve"):
        drafts.approve(draft, shown=draft.digest, at=AT, by="renamed")
    draft.refresh_from_db()
    assert (draft.status, draft.approved_by) == ("submitted", "")
    drafts.approve(draft, shown=draft.digest, at=AT, by="bo")


def test_an_approval_covers_the_text_that_was_shown() -> None:
    draft = begin()
    shown = draft.digest
    drafts.write(draft, SOURCE.replace("percent: 10", "percent: 90"), was=shown, at=AT, by="ana")
    drafts.submit(draft, at=AT, by="ana")
    with pytest.raises(DraftError, match="not the one that you were shown"):
        drafts.approve(draft, shown=shown, at=AT, by="bo")
    assert Draft.objects.get().status == "submitted"


def test_any_edit_voids_the_approval() -> None:
    draft = approved()
    drafts.write(draft, SOURCE + "# a word\n", was=draft.digest, at=AT, by="ana")
    assert (draft.status, draft.approved_by, draft.approved_digest) == ("draft", "", "")
    with pytest.raises(DraftError):
        drafts.launch(draft, at=AT, by="cy")
    assert Version.objects.count() == 0


def test_an_approved_text_cannot_be_replaced() -> None:
    draft = approved()
    other = SOURCE.replace("percent: 10", "percent: 90")
    Draft.objects.filter(pk=draft.pk).update(source=other)
    with pytest.raises(DraftError, match="not what stands there"):
        drafts.launch(draft, at=AT, by="cy")
    assert Offer.objects.count() == 0


def test_a_draft_with_errors_cannot_be_submitted() -> None:
    draft = begin(SOURCE.replace("percent: 10", "percent: 110"))
    with pytest.raises(DefinitionError):
        drafts.submit(draft, at=AT, by="ana")
    assert Draft.objects.get().status == "draft"


def test_two_drafts_of_one_campaign_do_not_undo_each_other() -> None:
    publish(offer("ten"))
    campaign = Campaign.objects.get()
    one, other = (approved(campaign.source.replace("10", n), of=campaign) for n in ("11", "12"))
    drafts.launch(one, at=AT, by="cy")
    with pytest.raises(DraftError, match="out of date"):
        drafts.launch(other, at=AT, by="cy")
    assert "percent: 11" in Campaign.objects.get().source
    assert Offer.objects.get().versions.count() == 2


def test_a_new_draft_does_not_take_the_place_of_a_campaign_that_is_there() -> None:
    publish(offer("ten"))
    draft = approved(SOURCE.replace("percent: 10", "percent: 50"))
    with pytest.raises(DraftError, match="out of date"):
        drafts.launch(draft, at=AT, by="cy")


def test_an_overtaken_draft_is_out_of_date_until_it_is_rebased_and_approved_anew() -> None:
    draft, other = two_approved()
    assert drafts.out_of_date([draft, other]) == {draft.pk}
    text, conflicts = drafts.rebased(draft)
    assert conflicts == []
    drafts.rebase(draft, shown=drafts.digest(text), at=AT, by="eve")
    assert "percent: 12" in draft.source
    assert "limit: 60" in draft.source
    assert (draft.status, draft.approved_by, draft.authors) == ("draft", "", ["ana", "eve"])
    assert drafts.out_of_date([draft]) == set()
    act = draft.acts.latest("pk")
    assert (act.verb, act.by, act.after["digest"]) == ("rebased", "eve", draft.digest)
    with pytest.raises(DraftError):
        drafts.launch(draft, at=AT, by="cy")
    drafts.submit(draft, at=AT, by="eve")
    with pytest.raises(DraftError, match="somebody else must approve"):
        drafts.approve(draft, shown=draft.digest, at=AT, by="eve")
    drafts.approve(draft, shown=draft.digest, at=AT, by="bo")
    drafts.launch(draft, at=AT, by="cy")
    assert "percent: 12" in Campaign.objects.get().source
    assert Offer.objects.get().limit == 60  # the draft that overtook it is not undone


def test_a_rebase_of_something_else_than_was_shown_is_refused() -> None:
    draft, _other = two_approved()
    with pytest.raises(DraftError, match="changed since you were shown"):
        drafts.rebase(draft, shown="0" * 64, at=AT, by="ana")
    row = Draft.objects.get(pk=draft.pk)
    assert (row.status, row.source) == ("approved", draft.source)


def test_a_draft_that_is_not_out_of_date_is_not_rebased() -> None:
    publish(offer("ten"))
    draft = begin(Campaign.objects.get().source, of=Campaign.objects.get())
    with pytest.raises(DraftError, match="what is published now"):
        drafts.rebase(draft, shown=draft.digest, at=AT, by="ana")


@pytest.mark.parametrize("change", ["launched", "withdrawn"])
def test_a_closed_draft_is_never_out_of_date(change: str) -> None:
    draft, _other = two_approved()
    Draft.objects.filter(pk=draft.pk).update(status=change)
    assert drafts.out_of_date(Draft.objects.all()) == set()


def test_a_new_draft_of_a_campaign_that_is_there_by_now_is_out_of_date() -> None:
    draft = approved()
    publish(offer("nine"))
    assert drafts.out_of_date([draft]) == {draft.pk}
    text, conflicts = drafts.rebased(draft)
    assert conflicts == []
    assert [one.code for one in parser.read(text).offers] == ["nine", "ten"]


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize(("limit", "accepted"), [(5, False), (6, True), (7, True)])
def test_a_limit_below_the_places_taken_is_refused(limit: int, accepted: bool) -> None:
    campaign = Campaign.objects.get()
    draft = approved(
        campaign.source.replace("limit: 6", f"limit: {limit}") + ("# same\n" if limit == 6 else ""), of=campaign
    )
    if accepted:
        drafts.launch(draft, at=AT, by="cy")
    else:
        with pytest.raises(DraftError, match="6 of the quota are used"):
            drafts.launch(draft, at=AT, by="cy")
    row = Offer.objects.get()
    assert (row.limit, Draft.objects.get().status) == ((limit, "launched") if accepted else (6, "approved"))


@pytest.mark.usefixtures("market")
def test_a_higher_limit_does_not_reopen_refusals() -> None:
    campaign = Campaign.objects.get()
    drafts.launch(approved(campaign.source.replace("limit: 6", "limit: 7"), of=campaign), at=AT, by="cy")
    tick("21")
    assert Grant.objects.count() == 6  # who was refused stays refused


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        (lambda draft: drafts.submit(draft, at=AT, by="ana"), "submitted"),
        (lambda draft: drafts.submit(draft, at=AT, by="ana"), "approved"),
        (lambda draft: drafts.approve(draft, shown=draft.digest, at=AT, by="bo"), "draft"),
        (lambda draft: drafts.approve(draft, shown=draft.digest, at=AT, by="bo"), "launched"),
        (lambda draft: drafts.launch(draft, at=AT, by="cy"), "draft"),
        (lambda draft: drafts.launch(draft, at=AT, by="cy"), "submitted"),
        (lambda draft: drafts.launch(draft, at=AT, by="cy"), "launched"),
        (lambda draft: drafts.give_back(draft, at=AT, by="bo", reason="no"), "draft"),
        (lambda draft: drafts.write(draft, "x", was=draft.digest, at=AT, by="ana"), "launched"),
        (lambda draft: drafts.withdraw(draft, at=AT, by="ana", reason="no"), "launched"),
        (lambda draft: drafts.submit(draft, at=AT, by="ana"), "withdrawn"),
    ],
)
def test_a_transition_that_is_not_allowed_is_refused(verb: Callable[[Draft], None], state: str) -> None:
    draft = begin()
    if state in ("submitted", "approved", "launched"):
        drafts.submit(draft, at=AT, by="ana")
    if state in ("approved", "launched"):
        drafts.approve(draft, shown=draft.digest, at=AT, by="bo")
    if state == "launched":
        drafts.launch(draft, at=AT, by="cy")
    if state == "withdrawn":
        drafts.withdraw(draft, at=AT, by="ana", reason="no")
    before = (Draft.objects.values().get(), AuditEvent.objects.count(), Version.objects.count())
    with pytest.raises(DraftError):
        verb(draft)
    assert (Draft.objects.values().get(), AuditEvent.objects.count(), Version.objects.count()) == before


def edited_and_approved(first: str, monkeypatch: pytest.MonkeyPatch) -> Draft:
    """A submitted draft that one edits and another approves. `first` has read it and is about to write it.

    The approval is of the text that was shown before the edit.
    """
    draft = begin()
    drafts.submit(draft, at=AT, by="ana")
    shown, race = draft.digest, Race()

    def edit() -> None:
        drafts.write(Draft.objects.get(), SOURCE + "# more\n", was=shown, at=AT, by="ana")

    def approve() -> None:
        with suppress(DraftError):
            drafts.approve(Draft.objects.get(), shown=shown, at=AT, by="bo")

    works = {"edit": edit, "approve": approve}
    begins = works.pop(first)
    [other] = works.values()

    def stopped() -> None:
        with race.stop_before_statement('UPDATE "campaigns_draft"'):
            begins()

    race.run([stopped, race.after_first(other)])
    return Draft.objects.get()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["edit", "approve"])
def test_an_edit_during_an_approval_is_never_approved_unseen(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = edited_and_approved(first, monkeypatch)
    assert (row.status, row.approved_digest) == ("draft", "")
    assert row.source.endswith("# more\n")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_an_unseen_text_is_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    without_row_locks(monkeypatch)
    assert edited_and_approved("approve", monkeypatch).status == "approved"


def test_a_refusal_names_the_status_in_a_sentence() -> None:
    with pytest.raises(DraftError, match="the status of the draft is “draft”"):
        drafts.approve(begin(), shown="", at=AT, by="bo")
