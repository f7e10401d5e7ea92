"""Where the desk's own pages are; lists and facts are the admin's."""

from django.urls import path

from campaigns.admin import accounting, asking, drafting, editing, merchandising, offering, taking, trying

app_name = "desk"
urlpatterns = [
    path("offers/<slug:code>/", offering.one, name="offer"),
    path("offers/<slug:code>/revoke/", taking.of_offer, name="revoke-offer"),
    path("offers/<slug:code>/<slug:verb>/", offering.act, name="act"),
    path("drafts/new/", drafting.new, name="draft-new"),
    path("drafts/<int:pk>/", drafting.one, name="draft"),
    path("drafts/<int:pk>/try/", trying.ask, name="try"),
    path("drafts/<int:pk>/offers/<slug:code>/", editing.offer, name="draft-offer"),
    path("drafts/<int:pk>/<slug:verb>/", drafting.act, name="draft-act"),
    path("seasons/<slug:code>/clone/", drafting.clone, name="clone"),
    path("trials/<int:pk>/", trying.one, name="trial"),
    path("trials/<int:pk>/cancel/", trying.cancel, name="trial-cancel"),
    path("trials/<int:pk>/trial.xlsx", trying.workbook, name="trial-workbook"),
    path("why/", asking.why, name="why"),
    path("merchant/<str:code>/", merchandising.one, name="merchant"),
    path("merchant/<str:code>/revoke/", taking.of_merchant, name="revoke-merchant"),
    path("grants/revoke/", taking.chosen, name="revoke-chosen"),
    path("grants/<int:pk>/revoke/", taking.single, name="revoke-grant"),
    path("revocations/<int:pk>/", taking.one, name="revocation"),
    path("statements/", accounting.months, name="statements"),
    path("statements/<str:month>/", accounting.one, name="statement"),
    path("statements/<str:month>/close/", accounting.close, name="close"),
    path("statements/<str:month>/statement.<str:form>", accounting.table, name="statement-file"),
]
