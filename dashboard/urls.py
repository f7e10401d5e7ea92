"""Where each page of the merchants' door is."""

from django.contrib.auth.views import LogoutView, PasswordResetDoneView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from dashboard import home, impersonation, messages, offers, orders, preferences, savings, team, wallet
from dashboard.auth import second_factor, sessions, sign_in

urlpatterns = [
    path("", home.home, name="home"),
    path("offers/<slug:code>/", offers.one, name="offer"),
    path("calendar/<str:key>.ics", offers.calendar, name="calendar"),
    path("calendar/<str:key>/<slug:code>.ics", offers.calendar, name="offer-calendar"),
    path("orders/", orders.listed, name="orders"),
    path("orders/freight/<path:number>/coupon/", orders.attach, name="attach"),
    path("orders/<slug:sort>/", orders.listed, name="orders"),
    path("orders/<slug:sort>/<path:number>/", orders.one, name="order"),
    path("wallet/", wallet.listed, name="wallet"),
    path("wallet/<str:code>/", wallet.one, name="coupon"),
    path("saved/", savings.page, name="saved"),
    path("saved.csv", savings.table, {"form": "csv"}, name="saved-csv"),
    path("saved.xlsx", savings.table, {"form": "xlsx"}, name="saved-xlsx"),
    path("messages/", messages.listed, name="messages"),
    path("messages/read/", messages.read, name="messages-read"),
    path("team/", team.page, name="team"),
    path("team/<int:number>/<slug:what>/", team.change, name="team-change"),
    path("account/", preferences.page, name="account"),
    path("account/calendar/", preferences.renew_calendar, name="calendar-renew"),
    path("account/password/", sign_in.ChangePassword.as_view(), name="password-change"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/code/", second_factor.step, name="sign-in-code"),
    path("account/second-step/", second_factor.settings, name="second-step"),
    path("account/sessions/", sessions.page, name="sessions"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("password/", sign_in.ForgetPassword.as_view(), name="password-forgotten"),
    path(
        "password/sent/",
        PasswordResetDoneView.as_view(template_name="dashboard/password-sent.html"),
        name="password-sent",
    ),
    path("password/<uidb64>/<token>/", sign_in.ChoosePassword.as_view(), name="password-choose"),
    path("see/<path:code>/", impersonation.start, name="see"),
    path("see/", impersonation.leave, name="see-no-more"),
    path("favicon.ico", RedirectView.as_view(url=static("core/favicon.svg"))),
]
