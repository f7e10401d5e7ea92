"""Addresses of the pages of the workspace; lists and source data are pages of the admin."""

from django.urls import path

from backoffice import (
    approvals,
    blocks,
    campaigns,
    drafts,
    explanations,
    index_pages,
    merchants,
    new_drafts,
    notifications,
    offers,
    revocations,
    simulations,
    statements,
)
from backoffice.amendments import views as amendments
from backoffice.offer_form.add_offer import add_offer
from backoffice.offer_form.campaign_page import edit_campaign
from backoffice.offer_form.views import edit_offer

app_name = "backoffice"
urlpatterns = [
    path("approvals/", approvals.approvals_page, name="approvals"),
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("settings/", index_pages.settings_page, name="settings"),
    path("settings/notifications/", notifications.choose, name="notification-settings"),
    path("notifications/", notifications.page, name="notifications"),
    path("notifications/read/", notifications.read_all, name="notifications-read"),
    path("notifications/<int:pk>/", notifications.follow, name="notification"),
    path("data/", index_pages.data_page, name="data"),
    path("more/", index_pages.more_page, name="more"),
    path("offers/<slug:code>/", offers.detail, name="offer"),
    path("offers/<slug:code>/amend/<slug:kind>/", amendments.amend, name="amend-offer"),
    path("offers/<slug:code>/versions/<int:number>/restore/", amendments.restore, name="restore-version"),
    path("offers/<slug:code>/duplicate/", amendments.duplicate, name="duplicate-offer"),
    path("offers/<slug:code>/revoke/", revocations.propose_for_offer, name="revoke-offer"),
    path("offers/<slug:code>/<slug:verb>/", offers.change_state, name="offer-state"),
    path("drafts/new/", new_drafts.create, name="new-draft"),
    path("drafts/<int:pk>/", drafts.detail, name="draft"),
    path("drafts/<int:pk>/simulate/", simulations.create, name="new-simulation"),
    path("drafts/<int:pk>/offers/<slug:code>/", edit_offer, name="offer-form"),
    path("drafts/<int:pk>/add-offer/", add_offer, name="add-offer"),
    path("drafts/<int:pk>/campaign/", edit_campaign, name="draft-campaign"),
    path("drafts/<int:pk>/<slug:verb>/", drafts.transition, name="draft-transition"),
    path("campaign/<slug:code>/clone/", new_drafts.clone, name="clone-campaign"),
    path("simulations/<int:pk>/", simulations.detail, name="simulation"),
    path("simulations/<int:pk>/cancel/", simulations.cancel, name="cancel-simulation"),
    path("simulations/<int:pk>/simulation.xlsx", simulations.workbook, name="simulation-workbook"),
    path("eligibility/", explanations.explanation, name="explanation"),
    path("merchant/<key:code>/revoke/", revocations.propose_for_merchant, name="revoke-merchant"),
    path("merchant/<key:code>/block/", blocks.propose, name="block-merchant"),
    path("merchant/<key:code>/", merchants.detail, name="merchant"),  # last: a key may contain slashes
    path("blocks/<int:pk>/", blocks.detail, name="block"),
    path("grants/revoke/", revocations.propose_for_selection, name="revoke-selection"),
    path("grants/<int:pk>/revoke/", revocations.revoke_grant, name="revoke-grant"),
    path("revocations/<int:pk>/", revocations.detail, name="revocation"),
    path("statements/", statements.month_list, name="statements"),
    path("statements/<str:month>/", statements.detail, name="statement"),
    path("statements/<str:month>/close/", statements.close_month, name="close-month"),
    path("statements/<str:month>/statement.<str:form>", statements.download, name="statement-file"),
]
