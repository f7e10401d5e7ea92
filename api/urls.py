"""Where each part of version 1 is."""

from csp.decorators import csp_update
from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from api import openapi, problems  # noqa: F401  # the schema knows how programs prove themselves
from api.views import claims, facts, order_coupons, reading

urlpatterns = [
    path("campaigns/", reading.Campaigns.as_view()),
    path("offers/", reading.Offers.as_view()),
    path("offers/<slug:code>/", reading.OneOffer.as_view()),
    path("offers/<slug:code>/quota/", reading.OneQuota.as_view()),
    path("offers/<slug:code>/quota/history/", reading.History.as_view()),
    path("statements/<str:month>/", reading.Statement.as_view()),
    path("merchants/<str:merchant>/benefits/", reading.Benefits.as_view()),
    path("merchants/<str:merchant>/grants/", reading.Grants.as_view()),
    path("merchants/<str:merchant>/coupons/", reading.Coupons.as_view()),
    path("merchants/<str:merchant>/decisions/", reading.Decisions.as_view()),
    path("subjects/<slug:subject>/<str:key>/", reading.Explanations.as_view()),
    path("quotes/", claims.Quotes.as_view()),
    path("claims/", claims.Claims.as_view()),
    path("claims/<slug:subject>/<str:key>/<slug:step>/", claims.Steps.as_view()),
    path("facts/<slug:kind>/", facts.Facts.as_view()),
    path("freight-orders/<str:number>/coupon/", order_coupons.OrderCoupon.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", csp_update({"img-src": ["data:"]})(SpectacularSwaggerSplitView.as_view()), name="docs"),
    re_path("", problems.nothing),
]
