"""Paths of version 1 of the REST API."""

from csp.decorators import csp_update
from django.urls import path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from api import error_pages, openapi, problems  # noqa: F401  # openapi registers the authentication scheme
from api.views import (
    claims,
    explanations,
    facts,
    keys,
    merchants,
    offers,
    order_coupons,
    schema,
    statements,
    webhooks,
)

urlpatterns = [
    path("campaigns/", offers.CampaignListView.as_view()),
    path("offers/", offers.OfferListView.as_view()),
    path("offers/<slug:code>/", offers.OfferView.as_view()),
    path("offers/<slug:code>/quota/", offers.QuotaView.as_view()),
    path("offers/<slug:code>/quota/history/", offers.QuotaHistoryView.as_view()),
    path("statements/<str:month>/", statements.StatementView.as_view()),
    path("merchants/", merchants.MerchantsView.as_view()),
    path("merchants/<key:merchant>/benefits/", merchants.BenefitListView.as_view()),
    path("merchants/<key:merchant>/grants/", merchants.GrantListView.as_view()),
    path("merchants/<key:merchant>/coupons/", merchants.CouponListView.as_view()),
    path("merchants/<key:merchant>/decisions/", merchants.DecisionListView.as_view()),
    path("merchants/<key:merchant>/", merchants.MerchantView.as_view()),
    path("grants/<int:id>/", merchants.GrantView.as_view()),
    path("coupons/<key:code>/", merchants.CouponView.as_view()),
    path("subjects/<slug:subject>/<key:key>/", explanations.ExplanationView.as_view()),
    path("quotes/", claims.QuoteView.as_view()),
    path("claims/", claims.ClaimView.as_view()),
    path("claims/<slug:subject>/<key:key>/<slug:step>/", claims.ClaimStepView.as_view()),
    path("claims/<slug:subject>/<key:key>/", claims.ClaimResultView.as_view()),
    path("facts/<slug:kind>/<key:key>/", facts.FactView.as_view()),
    path("facts/<slug:kind>/", facts.FactsView.as_view()),
    *order_coupons.paths(),
    path("keys/", keys.KeysView.as_view()),
    path("keys/<slug:id>/", keys.KeyView.as_view()),
    path("keys/<slug:id>/rotate/", keys.KeyRotationView.as_view()),
    path("webhooks/", webhooks.WebhooksView.as_view()),
    path("webhooks/<int:id>/", webhooks.WebhookView.as_view()),
    path("webhooks/<int:id>/rotate/", webhooks.WebhookRotationView.as_view()),
    path("webhooks/<int:id>/test/", webhooks.WebhookTestView.as_view()),
    path("webhooks/<int:id>/deliveries/", webhooks.DeliveriesView.as_view()),
    path("deliveries/<slug:id>/", webhooks.DeliveryView.as_view()),
    path("deliveries/<slug:id>/resend/", webhooks.ResendView.as_view()),
    path("errors/", error_pages.list_page),
    path("errors/<slug:code>/", error_pages.page),
    path("schema/", schema.SchemaView.as_view(), name="schema"),
    path("docs/", csp_update({"img-src": ["data:"]})(SpectacularSwaggerSplitView.as_view()), name="docs"),
    re_path("", problems.not_found),
]
