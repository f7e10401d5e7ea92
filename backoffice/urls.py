"""Where the desk's own pages are; lists and facts are the admin's."""

from django.urls import path

from backoffice import drafts, explanations, merchants, offers, revocations, simulations, statements
from backoffice.offer_form import views

app_name = "backoffice"
urlpatterns = [
    path("offers/<slug:code>/", offers.one, name="offer"),
    path("offers/<slug:code>/revoke/", revocations.of_offer, name="revoke-offer"),
    path("offers/<slug:code>/<slug:verb>/", offers.act, name="act"),
    path("drafts/new/", drafts.new, name="draft-new"),
    path("drafts/<int:pk>/", drafts.one, name="draft"),
    path("drafts/<int:pk>/try/", simulations.ask, name="try"),
    path("drafts/<int:pk>/offers/<slug:code>/", views.offer, name="draft-offer"),
    path("drafts/<int:pk>/<slug:verb>/", drafts.act, name="draft-act"),
    path("seasons/<slug:code>/clone/", drafts.clone, name="clone"),
    path("trials/<int:pk>/", simulations.one, name="trial"),
    path("trials/<int:pk>/cancel/", simulations.cancel, name="trial-cancel"),
    path("trials/<int:pk>/trial.xlsx", simulations.workbook, name="trial-workbook"),
    path("why/", explanations.why, name="why"),
    path("merchant/<str:code>/", merchants.one, name="merchant"),
    path("merchant/<str:code>/revoke/", revocations.of_merchant, name="revoke-merchant"),
    path("grants/revoke/", revocations.chosen, name="revoke-chosen"),
    path("grants/<int:pk>/revoke/", revocations.single, name="revoke-grant"),
    path("revocations/<int:pk>/", revocations.one, name="revocation"),
    path("statements/", statements.months, name="statements"),
    path("statements/<str:month>/", statements.one, name="statement"),
    path("statements/<str:month>/close/", statements.close, name="close"),
    path("statements/<str:month>/statement.<str:form>", statements.table, name="statement-file"),
]
