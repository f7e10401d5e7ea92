"""Where each page of the merchants' door is."""

from django.contrib.auth.views import LogoutView, PasswordResetDoneView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from campaigns.dashboard import (
    account,
    browsers,
    home,
    looking,
    news,
    offers,
    orders,
    saved,
    second,
    signing,
    team,
    wallet,
)

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
    path("saved/", saved.page, name="saved"),
    path("saved.csv", saved.table, {"form": "csv"}, name="saved-csv"),
    path("saved.xlsx", saved.table, {"form": "xlsx"}, name="saved-xlsx"),
    path("messages/", news.listed, name="messages"),
    path("messages/read/", news.read, name="messages-read"),
    path("team/", team.page, name="team"),
    path("team/<int:number>/<slug:what>/", team.change, name="team-change"),
    path("account/", account.page, name="account"),
    path("account/calendar/", account.renew_calendar, name="calendar-renew"),
    path("account/password/", signing.ChangePassword.as_view(), name="password-change"),
    path("sign-in/", signing.SignIn.as_view(), name="sign-in"),
    path("sign-in/code/", second.step, name="sign-in-code"),
    path("account/second-step/", second.settings, name="second-step"),
    path("account/sessions/", browsers.page, name="sessions"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("password/", signing.ForgetPassword.as_view(), name="password-forgotten"),
    path(
        "password/sent/",
        PasswordResetDoneView.as_view(template_name="dashboard/password-sent.html"),
        name="password-sent",
    ),
    path("password/<uidb64>/<token>/", signing.ChoosePassword.as_view(), name="password-choose"),
    path("see/<path:code>/", looking.start, name="see"),
    path("see/", looking.leave, name="see-no-more"),
    path("favicon.ico", RedirectView.as_view(url=static("campaigns/favicon.svg"))),
]
