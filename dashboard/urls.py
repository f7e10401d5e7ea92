"""Addresses of the merchants' dashboard."""

from django.contrib.auth.views import LogoutView, PasswordResetDoneView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from dashboard import (
    allowances,
    calendars,
    coupon_use,
    home,
    impersonation,
    messages,
    offers,
    orders,
    pages,
    preferences,
    ratings,
    requests,
    savings,
    team,
    wallet,
)
from dashboard.auth import second_factor, sessions, sign_in

urlpatterns = [
    path("", home.home, name="home"),
    path("more/", pages.more, name="more"),
    path("help/", pages.help_page, name="help"),
    path("offers/<slug:code>/", offers.detail, name="offer"),
    path("offers/<slug:code>/request/", requests.request_offer, name="request-offer"),
    path("offers/<slug:code>/dates.ics", calendars.download_dates, name="offer-dates"),
    path("calendar/<str:key>.ics", calendars.calendar, name="calendar"),
    path("orders/", orders.index, name="orders"),
    path("orders/<slug:order_type>/", orders.index, name="orders"),
    path("orders/<slug:order_type>/<key:number>/attach/", coupon_use.attach, name="attach"),
    path("orders/<slug:order_type>/<key:number>/detach/", coupon_use.detach, name="detach"),
    path("orders/<slug:order_type>/<key:number>/", orders.detail, name="order"),
    path("wallet/", wallet.index, name="wallet"),
    path("wallet/use/", coupon_use.use, name="use-coupon"),
    path("wallet/<str:code>/", wallet.detail, name="coupon"),
    path("rating/", ratings.index, name="rating"),
    path("savings/", savings.index, name="savings"),
    path("savings.csv", savings.export, {"file_format": "csv"}, name="savings-csv"),
    path("savings.xlsx", savings.export, {"file_format": "xlsx"}, name="savings-xlsx"),
    path("allowances/", allowances.index, name="allowances"),
    path("allowances/<slug:code>/collect/", allowances.collect, name="allowance-collect"),
    path("messages/", messages.index, name="messages"),
    path("messages/read/", messages.mark_all_read, name="messages-read"),
    path("messages/<int:number>/", messages.read, name="message"),
    path("team/", team.index, name="team"),
    path("team/<int:number>/<slug:action>/", team.change, name="team-change"),
    path("account/", preferences.edit, name="account"),
    path("account/calendar/", preferences.renew_calendar, name="calendar-renew"),
    path("account/password/", sign_in.ChangePassword.as_view(), name="password-change"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/code/", second_factor.enter_code, name="sign-in-code"),
    path("account/second-step/", second_factor.settings, name="second-step"),
    path("account/sessions/", sessions.index, name="sessions"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("password/", sign_in.ResetPassword.as_view(), name="password-reset"),
    path(
        "password/sent/",
        PasswordResetDoneView.as_view(template_name="dashboard/password_reset_sent.html"),
        name="password-sent",
    ),
    path("password/<uidb64>/<token>/", sign_in.ChoosePassword.as_view(), name="password-choose"),
    path("impersonate/<key:code>/", impersonation.start, name="impersonate"),
    path("impersonate/", impersonation.stop, name="impersonate-stop"),
    path("favicon.ico", RedirectView.as_view(url=static("core/favicon.svg"))),
]
