"""Settings. Whatever differs between installations comes from environment variables, each explained where it is read.

The variables are listed with their defaults in `docs/operations.md`. An empty environment suits development and the
demonstration; production needs at least SECRET_KEY, ALLOWED_HOSTS, DATABASE_URL, REDIS_URL, FAIRGROUND_HTTPS, SITE_URL
and EMAIL_URL. `manage.py check --deploy` reports what is missing.
"""

import sys
from pathlib import Path
from socket import gethostname
from typing import Any

import environ
from csp.constants import NONE, SELF

from config import logging

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Folder of files that the process writes: the embedded database and collected static files.
VAR = BASE_DIR / "var"
(VAR / "static").mkdir(parents=True, exist_ok=True)

# ---- Security and hosts

# FAIRGROUND_DEMO (0): 1 makes this a demonstration, with generated data, published passwords and a clock that operators
# move forward. `./run` sets it when DATABASE_URL is missing. Never set it in production.
DEMO = env.bool("FAIRGROUND_DEMO", default=False)

# DEBUG (0): 1 shows tracebacks in the browser. For development only.
DEBUG = env.bool("DEBUG", default=False)

# SECRET_KEY (none): at least 50 random characters that sign sessions and links. Required in production: without it the
# web server does not start (config/checks.py). A change signs everyone out and makes links in sent mail useless.
TRIAL_SECRET_KEY = "only-for-trials-and-tests-set-SECRET_KEY-in-production"  # noqa: S105  # published on purpose  # nosec B105
SECRET_KEY = env.str("SECRET_KEY", default="") or TRIAL_SECRET_KEY

# SECRET_KEY_FALLBACKS (none): former keys, separated by commas. What they signed is still accepted, so that a key can
# be replaced without signing anyone out. Remove them after a while.
SECRET_KEY_FALLBACKS = [key for key in env.list("SECRET_KEY_FALLBACKS", default=[]) if key]

# ALLOWED_HOSTS (localhost): host names that people type into the browser, separated by commas.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# CSRF_TRUSTED_ORIGINS (none): origins such as https://fairground.example, separated by commas. Needed if the proxy
# passes another host name than the browser sent.
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "import_export",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "core",
    "declarations",
    "identity",
    "imports",
    "merchants",
    "catalog",
    "buyers",
    "logistics",
    "trade",
    "services",
    "compliance",
    "events",
    "recurring",
    "ratings",
    "rules",
    "definitions",
    "campaigns",
    "backoffice",
    "dashboard",
    "api",
    "standalone",
]

MIDDLEWARE = [
    "config.middleware.request_id",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.known_methods_only",
    "config.middleware.note_route",
    "api.addresses.with_slash",
    "config.body_limits.FormLimit",
    "config.middleware.UnusableInputGuard",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.unauthorized_fragments",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "identity.sessions.enforce_lifetime",
    "dashboard.auth.second_factor.enforce_setup",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.refusal_pages",
    "api.throttling.headers",
]
CSRF_FAILURE_VIEW = "config.error_views.csrf_failure"

# Browsers load scripts, styles and images from this server only, and none that are written inside a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        **{key: [NONE] for key in ("default-src", "object-src", "base-uri", "frame-ancestors")},
        **{key: [SELF] for key in ("script-src", "style-src", "img-src", "font-src", "connect-src", "form-action")},
    }
}

ROOT_URLCONF = "config.urls"
# The application is at the root of its host. A client's header SCRIPT_NAME, which some servers pass on, says nothing.
FORCE_SCRIPT_NAME = ""
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.themes.theme",
            ],
        },
    },
]


# ---- Database


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for the database at `url`; an empty URL means SQLite in `var/`."""
    settings: dict[str, Any] = dict(env.db_url_config(url or f"sqlite:///{VAR / 'fairground.sqlite3'}"))
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        # IMMEDIATE takes the write lock when a transaction starts. Otherwise two transactions that both read first
        # and write later would fail with "database is locked".
        settings["OPTIONS"] = {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
    else:
        # FAIRGROUND_CONNECTIONS (0): connections that the threads of one process share. 0 gives each thread its own.
        # Set it when processes × threads exceeds max_connections; a request that gets none in 1.5 s is answered 503.
        pool_size = env.int("FAIRGROUND_CONNECTIONS", default=0)
        settings["CONN_MAX_AGE"] = 0 if pool_size else 60
        settings["CONN_HEALTH_CHECKS"] = True
        options: dict[str, Any] = settings.setdefault("OPTIONS", {})
        if pool_size:
            options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 1.5}
        options.setdefault("application_name", program())
        session = {
            # FAIRGROUND_LOCK_SECONDS (web: 1, else 0): seconds that a statement waits for a lock, such as that of a
            # long tick; then the request is answered 503. 0 waits without limit.
            "lock_timeout": env.int("FAIRGROUND_LOCK_SECONDS", default=0),
            # FAIRGROUND_STATEMENT_SECONDS (web: 30, else 0): seconds that one statement may take; then the request is
            # answered 503. No list or search of a web page may keep the database busy for longer. 0: no limit.
            "statement_timeout": env.int("FAIRGROUND_STATEMENT_SECONDS", default=0),
            # FAIRGROUND_CLIENT_CHECK_SECONDS (10): how often PostgreSQL checks during a statement that its client is
            # still there. Otherwise the statement of a killed process goes on, and keeps its locks. 0: never.
            "client_connection_check_interval": env.int("FAIRGROUND_CLIENT_CHECK_SECONDS", default=10),
        }
        # PgBouncer refuses such options: set all to 0 behind it. Options in DATABASE_URL come last, and win.
        parts = [f"-c {name}={seconds}s" for name, seconds in session.items() if seconds]
        if parts:
            options["options"] = " ".join([*parts, options.get("options", "")]).strip()
    return settings


def program() -> str:
    """Return the name under which PostgreSQL and the workspace show this process, such as `celery on host`."""
    path = Path(sys.argv[0])
    name = path.parent.name if path.stem == "__main__" else path.name  # python -m celery
    return f"{name or 'python'} on {gethostname()}"[:63]


# FAIRGROUND_TICK_STATEMENT_SECONDS (1800): seconds after which PostgreSQL ends a statement of a step of the tick. The
# step counts as failed and is tried again by the next tick. 0: no limit.
TICK_STATEMENT_SECONDS = env.int("FAIRGROUND_TICK_STATEMENT_SECONDS", default=1800)


# FAIRGROUND_PREPARED (1): 0 turns prepared statements and server-side cursors off. Needed behind a pooler that changes
# sessions between transactions (PgBouncer with pool_mode = transaction).
PREPARED = env.bool("FAIRGROUND_PREPARED", default=True)

# DATABASE_URL (SQLite in var/): postgres://user:password@host:5432/name. Set it in production.
DATABASES = {"default": {**database(env.str("DATABASE_URL", default="")), "DISABLE_SERVER_SIDE_CURSORS": not PREPARED}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- Sign-in and sessions

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "identity.password_validators.WordsValidator"}]

AUTHENTICATION_BACKENDS = ["merchants.backends.MemberBackend"]

# FAIRGROUND_PROXIES (0): number of your own proxies in front of the web server. That many addresses at the end of
# X-Forwarded-For are trusted when failed sign-ins are counted by address. Behind one proxy set 1.
PROXIES = env.int("FAIRGROUND_PROXIES", default=0)
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
OTP_TOTP_ISSUER = "Fairground"

# FAIRGROUND_SECOND_STEP (operators; nobody in a demonstration): users who must set up two-factor authentication:
# nobody, operators or everyone. Others may turn it on themselves.
SECOND_STEP = env.str("FAIRGROUND_SECOND_STEP", default="nobody" if DEMO or DEBUG else "operators")
SESSION_ENGINE = "identity.sessions"

# FAIRGROUND_SESSION_IDLE (3600): seconds without a request after which a user is signed out.
SESSION_COOKIE_AGE = env.int("FAIRGROUND_SESSION_IDLE", default=3600)

# FAIRGROUND_SESSION_LIFETIME (86400): seconds after sign-in after which a user is signed out, even if active.
SESSION_LIFETIME = env.int("FAIRGROUND_SESSION_LIFETIME", default=24 * 3600)
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
DEVICE_COOKIE_NAME = "device"
THEME_COOKIE_NAME = "theme"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# PASSWORD_RESET_TIMEOUT (259200, 3 days): seconds for which links in invitations and password resets work.
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_TIMEOUT", default=3 * 24 * 3600)

# ---- Mail and links

# EMAIL_URL (console): mail server, such as smtp+tls://user:password@host:587. Without it mail is printed to the log.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))

# DEFAULT_FROM_EMAIL (Fairground <fairground@localhost>): sender of all mail.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Fairground <fairground@localhost>")
EMAIL_TIMEOUT = 10

# NOTIFICATION_BACKENDS (campaigns.notifications.backends.Mail): classes that take messages to members, dotted paths.
NOTIFICATION_BACKENDS = env.list("NOTIFICATION_BACKENDS", default=["campaigns.notifications.backends.Mail"])

# SUPPORT_EMAIL (empty): address that merchants are told to write to; without it, their account manager.
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default="")

# SITE_URL (http://127.0.0.1:8000): address of this installation, for links in mail that is sent without a request.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")

# ---- What takes two people

# FAIRGROUND_REVOCATIONS_ALONE (10): grants that one person may revoke within a day without a second one.
REVOCATIONS_ALONE = env.int("FAIRGROUND_REVOCATIONS_ALONE", default=10)

# FAIRGROUND_REVOCATION_VALUE_ALONE (10000): sum of their amounts, in each currency.
REVOCATION_VALUE_ALONE = env.int("FAIRGROUND_REVOCATION_VALUE_ALONE", default=10_000)

# ---- Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]  # each in its own name
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"

# ---- Static files

STATIC_URL = "static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
STATIC_ROOT = VAR / "static"

# ---- Message broker

# REDIS_URL (none): redis://host:6379/0, the message broker and the counters of API calls. Without it both live in the
# memory of one process; needed as soon as web and worker are separate processes.
REDIS_URL = env.str("REDIS_URL", default="")

# ---- Programs: metrics, webhooks, REST API

# FAIRGROUND_METRICS_TOKEN (none): bearer token that Prometheus sends to read /metrics. Without it the page is a 404.
METRICS_TOKEN = env.str("FAIRGROUND_METRICS_TOKEN", default="")

# PROMETHEUS_MULTIPROC_DIR (none): an empty folder in which the web processes of one machine collect the durations of
# claims. The metrics library reads it.

# FAIRGROUND_WEBHOOKS_PRIVATE (0): 1 allows webhooks to private addresses, to any port and without TLS. For tests, and
# for receivers in the own network, which administrators who register webhooks then reach.
WEBHOOKS_PRIVATE = env.bool("FAIRGROUND_WEBHOOKS_PRIVATE", default=False)

# FAIRGROUND_API_RATE (600): API calls a minute for each key.
API_RATE = env.int("FAIRGROUND_API_RATE", default=600)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.renderers.Renderer"],
    "DEFAULT_SCHEMA_CLASS": "api.auto_schema.ScopedSchema",
    "EXCEPTION_HANDLER": "api.problems.handle",
    "DEFAULT_TIMEZONE": "UTC",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Fairground",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "api.openapi.complete"],
    "ENUM_NAME_OVERRIDES": {
        "GrantStatus": "campaigns.models.Grant.Status",
        "CouponStatus": "campaigns.models.Coupon.Status",
        "Outcome": "api.serializers.explanations.EXPLAINED",
        "Scope": "api.serializers.keys.SCOPES",
        "EventName": "api.serializers.webhooks.EVENT_NAMES",
        "DeliveryStatus": "api.serializers.webhooks.DELIVERY_STATES",
        "WebhookStatus": "api.serializers.webhooks.WEBHOOK_STATES",
        "ClaimOutcome": "api.serializers.claims.CLAIM_OUTCOMES",
        "ClaimState": "api.serializers.claims.CLAIM_STATES",
        "Subject": "api.serializers.claims.SUBJECT_WORDS",
        "BenefitState": "api.serializers.explanations.BENEFIT_STATES",
        "Operator": "api.serializers.explanations.OPERATORS",
    },
}

# ---- Logs

# FAIRGROUND_LOGS (line): `json` writes one JSON object a line, requests and sign-ins included. For log collectors.
JSON_LOGS = env.str("FAIRGROUND_LOGS", default="line") == "json"

# LOG_LEVEL (WARNING): level of the worker's own lines; INFO names every task.
LOGGING = logging.build_config(as_json=JSON_LOGS, worker_level=env.str("LOG_LEVEL", default="WARNING"))
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# The id that `config.middleware.request_id` gave or accepted.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
if JSON_LOGS:
    INSTALLED_APPS.append("django_structlog")
    MIDDLEWARE.insert(1, "config.logging.RequestLogging")

# ---- HTTPS

# FAIRGROUND_HTTPS (0): 1 redirects to HTTPS, marks cookies secure and sends HSTS. Set it in production, behind a proxy
# that ends TLS, sets X-Forwarded-Proto and removes that header from clients' requests.
if env.bool("FAIRGROUND_HTTPS", default=False) and not (DEMO or DEBUG):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Programs are refused instead of redirected: with a redirect nobody would notice that keys are sent unencrypted.
    SECURE_REDIRECT_EXEMPT = [r"^api/v1/(?!docs/|schema/|errors/)", r"^health/", r"^metrics$"]
    # FAIRGROUND_HSTS_SECONDS (31536000, one year): how long browsers insist on HTTPS. Start with 3600 on a new domain.
    SECURE_HSTS_SECONDS = env.int("FAIRGROUND_HSTS_SECONDS", default=31_536_000)
    # FAIRGROUND_HSTS_SUBDOMAINS (0): 1 extends HSTS to subdomains. Only if all of them serve HTTPS.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("FAIRGROUND_HSTS_SUBDOMAINS", default=False)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # Browsers accept a cookie with this prefix only from this host over HTTPS.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    THEME_COOKIE_NAME = "__Host-theme"
    DEVICE_COOKIE_NAME = "__Host-device"
    # The domain's owner decides on HTTPS for subdomains (W005) and on the browsers' preload list (W021).
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
