"""Pages of simulations: figures by offer with names, choice of a draft; groups of the page of approvals."""

import pytest

from campaigns.models import Campaign, Draft, Simulation
from campaigns.offers import drafts
from campaigns.simulation import jobs
from tests.support.drafts import AT, begin
from tests.support.members import text
from tests.support.operators import Staff

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("market"),
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]


def simulated(change: tuple[str, str] = ("limit: 6", "limit: 7")) -> tuple[Draft, Simulation]:
    campaign = Campaign.objects.get()
    draft = begin(campaign.source.replace(*change), of=campaign)
    simulation = jobs.request(draft, until=AT, base=campaign.source, at=AT, by="ana")
    jobs.run(simulation, clock=lambda: AT)
    return draft, simulation


def test_the_figures_of_a_simulation(staff: Staff) -> None:
    _draft, simulation = simulated()
    page = text(staff("vi", "viewer"), f"/admin/simulations/{simulation.pk}/")
    assert "Would be granted 7 Cost 700.90 CNY Quotas used up 1 Near misses 0" in page
    assert "ten ten 7 of 7 published: 6 used up" in page
    assert "700.90 CNY 0 Country is China 4 claims" in page
    assert "Unchanged Different amount Only in the draft Only in the published campaign ten ten 6 0 1 0" in page
    assert "Merchant M1 M1" in page


def test_the_workbook_is_offered_and_a_viewer_starts_no_simulation(staff: Staff) -> None:
    _draft, simulation = simulated()
    where = f"/admin/simulations/{simulation.pk}/"
    viewer, ana = staff("vi", "viewer"), staff("ana", "operator")
    assert viewer.get(f"{where}simulation.xlsx").status_code == 200
    assert "Simulate again…" not in text(viewer, where)
    assert "Simulate again…" in text(ana, where)
    assert viewer.get("/admin/simulations/new/").status_code == 403


def test_a_new_simulation_begins_with_a_draft(staff: Staff) -> None:
    ana = staff("ana", "operator")
    new = 'href="/admin/simulations/new/"'
    assert new in ana.get("/admin/campaigns/simulation/").content.decode()
    assert new not in staff("vi", "viewer").get("/admin/campaigns/simulation/").content.decode()
    assert "There is no open draft" in text(ana, "/admin/simulations/new/")
    draft = begin()
    assert "Ten" in text(ana, "/admin/simulations/new/")
    answer = ana.get("/admin/simulations/new/", {"draft": draft.pk})
    assert answer.headers["location"] == f"/admin/drafts/{draft.pk}/simulate/"
    drafts.withdraw(draft, at=AT, by="ana", reason="no")
    assert ana.get("/admin/simulations/new/", {"draft": draft.pk}).status_code == 200


def test_the_builder_shows_the_reach_that_was_simulated(staff: Staff) -> None:
    draft, _simulation = simulated(("limit: 6", "limit: 7"))
    ana, path = staff("ana", "operator"), f"/admin/drafts/{draft.pk}/offers/ten/"
    page = text(ana, path)
    assert "Estimated reach Benefits granted 7 Merchants 2 Cost 700.90 CNY Simulated" in page
    assert "The draft has changed since" not in page
    drafts.write(draft, draft.source.replace("limit: 7", "limit: 8"), was=draft.digest, at=AT, by="ana")
    assert "The draft has changed since. Run it again." in text(ana, path)
    Simulation.objects.all().delete()
    assert "Run a simulation to see how many orders" in text(ana, path)


def test_what_waits_is_grouped(staff: Staff) -> None:
    ana, bo = staff("ana", "operator"), staff("bo", "approver")
    campaign = Campaign.objects.get()
    returned, waiting = (begin(campaign.source.replace("limit: 6", f"limit: {n}"), of=campaign) for n in (7, 8))
    for draft in (returned, waiting):
        drafts.submit(draft, at=AT, by="ana")
    drafts.give_back(returned, at=AT, by="bo", reason="too high")
    groups = ana.get("/admin/approvals/").context
    assert [[task.title for task in groups[name]] for name in ("mine", "returned", "others")] == [
        [],
        ["Returned to you: Ten"],
        ["Approve: Ten"],
    ]
    groups = bo.get("/admin/approvals/").context
    assert [len(groups[name]) for name in ("mine", "returned", "others")] == [1, 0, 0]
