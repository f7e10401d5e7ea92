"""Settings. Everything that varies between installations comes from the environment."""

from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF

from config import logging

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Everything the process writes goes here: the embedded database, static files.
VAR = BASE_DIR / "var"
(VAR / "static").mkdir(parents=True, exist_ok=True)

# A demonstration has a movable clock and known logins; production must say so by switching it off.
DEMO = env.bool("FAIRGROUND_DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
# Good for trials and tests only: config/checks.py keeps a production server from starting on it.
TRIAL_SECRET_KEY = "only-for-trials-and-tests-set-SECRET_KEY-in-production"  # noqa: S105  # not secret at all  # nosec B105
SECRET_KEY = env.str("SECRET_KEY", default="") or TRIAL_SECRET_KEY
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
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
    "identity",
    "imports",
    "merchants",
    "logistics",
    "trade",
    "rules",
    "definitions",
    "campaigns",
    "backoffice",
    "dashboard",
    "api",
    "standalone",
]

MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.known",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "identity.sessions.limited",
    "dashboard.auth.second_factor.enforce_setup",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "api.throttling.headers",
]

# Nothing but what this server sends, and no script or style inside a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

ROOT_URLCONF = "config.urls"
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
            ],
        },
    },
]


def database(url: str) -> dict[str, Any]:
    """The connection for `url`: SQLite in a file by default, PostgreSQL where one is named."""
    settings: dict[str, Any] = dict(env.db_url_config(url or f"sqlite:///{VAR / 'fairground.sqlite3'}"))
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        # IMMEDIATE: a transaction that means to write takes the write lock first, so none fails half way.
        settings["OPTIONS"] = {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
    else:
        # Of `most` each process holds no more, which its threads share; who gets none in time is answered 503.
        most = env.int("FAIRGROUND_CONNECTIONS", default=0)
        settings["CONN_MAX_AGE"] = 0 if most else 60
        settings["CONN_HEALTH_CHECKS"] = True
        options: dict[str, Any] = settings.setdefault("OPTIONS", {})
        if most:
            options["pool"] = {"min_size": 1, "max_size": most, "timeout": 1.5}
        # Set by the web processes: a request does not wait for ever for what a long tick has in hand.
        if patience := env.int("FAIRGROUND_LOCK_SECONDS", default=0):
            options.setdefault("options", f"-c lock_timeout={patience}s")
    return settings


# Whether PostgreSQL keeps statements and cursors beyond a transaction: not behind a pooler that changes sessions.
PREPARED = env.bool("FAIRGROUND_PREPARED", default=True)
DATABASES = {"default": {**database(env.str("DATABASE_URL", default="")), "DISABLE_SERVER_SIDE_CURSORS": not PREPARED}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "identity.password_validators.WordsValidator"}]

AUTHENTICATION_BACKENDS = ["identity.backends.GuardedBackend"]
# How many proxies of ours a request passes: so many addresses at the end of X-Forwarded-For are true.
PROXIES = env.int("FAIRGROUND_PROXIES", default=0)
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
OTP_TOTP_ISSUER = "Fairground"
# Of whom a second step at sign-in is asked whether they want it or not: nobody, operators, everyone.
SECOND_STEP = env.str("FAIRGROUND_SECOND_STEP", default="nobody" if DEMO or DEBUG else "operators")
SESSION_ENGINE = "identity.sessions"
# Seconds without a request, and seconds since signing in, after which one must sign in anew.
SESSION_COOKIE_AGE = env.int("FAIRGROUND_SESSION_IDLE", default=3600)
SESSION_LIFETIME = env.int("FAIRGROUND_SESSION_LIFETIME", default=24 * 3600)
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
DEVICE_COOKIE_NAME = "device"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_TIMEOUT", default=3 * 24 * 3600)

# Mail goes to the console until a server is named: smtp://user:password@host:587/?tls=True
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Fairground <fairground@localhost>")
EMAIL_TIMEOUT = 10
# Where this installation is reached, for links in mail that no request asked for.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")

LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]  # each in its own name
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
BUSINESS_CLOCK = "core.clock.now"  # for rooms below campaigns
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
STATIC_ROOT = VAR / "static"

REDIS_URL = env.str("REDIS_URL", default="")

# Celery. The broker is a bell: it may lose what it holds, the database does not. No results are kept.
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
# A Redis that is down or hangs must not hold up a request: fail within a second, the sweep repeats.
REDIS_OPTIONS: dict[str, Any] = {
    "socket_timeout": 1.0,
    "socket_connect_timeout": 1.0,
    "max_retries": 0,
    "visibility_timeout": 600,
    "unacked_restore_interval": 1,
}
CELERY_BROKER_TRANSPORT_OPTIONS = REDIS_OPTIONS if REDIS_URL else {"polling_interval": 0.05}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.celery_beat:Scheduler"
# A beat message not taken by the time of the next one is dropped: the next one does its work too.
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "campaigns.tasks.tick", "schedule": crontab(), "options": {"expires": 60}},
    "sweep": {"task": "campaigns.tasks.sweep", "schedule": 30.0, "options": {"expires": 30}},
    "delete-expired-idempotency-records": {
        "task": "api.tasks.delete_expired_idempotency_records",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 60},
    },
    "check": {"task": "campaigns.tasks.check", "schedule": crontab(minute="17"), "options": {"expires": 60}},
}

# Who may read the metrics: Authorization: Bearer …; nobody while it is empty.
METRICS_TOKEN = env.str("FAIRGROUND_METRICS_TOKEN", default="")
# Whether webhooks may go to machines of one's own, and without TLS: for trials and tests only.
WEBHOOKS_PRIVATE = env.bool("FAIRGROUND_WEBHOOKS_PRIVATE", default=False)
# How many calls a minute a program may make with one key.
API_RATE = env.int("FAIRGROUND_API_RATE", default=600)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.renderers.Renderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
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
    "POSTPROCESSING_HOOKS": ["api.openapi.complete"],
}

# `line` for people, `json` for machines: one object a line, with its request, program and run.
JSON_LOGS = env.str("FAIRGROUND_LOGS", default="line") == "json"
LOGGING = logging.configured(as_json=JSON_LOGS, level=env.str("LOG_LEVEL", default="WARNING"))
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
if JSON_LOGS:
    INSTALLED_APPS.append("django_structlog")
    MIDDLEWARE.insert(0, "config.logging.Requests")

if env.bool("FAIRGROUND_HTTPS", default=False) and not (DEMO or DEBUG):
    # TLS ends at a proxy that sets this header and removes what a client sent under its name.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # People are led to HTTPS; programs are refused, or they would never learn that they send their keys in the clear.
    SECURE_REDIRECT_EXEMPT = [r"^api/v1/(?!docs/|schema/)", r"^health/", r"^metrics$"]
    SECURE_HSTS_SECONDS = env.int("FAIRGROUND_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("FAIRGROUND_HSTS_SUBDOMAINS", default=False)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # A browser takes a cookie of such a name from this host alone, with HTTPS.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    DEVICE_COOKIE_NAME = "__Host-device"
    # Whether sister domains speak HTTPS, and the browsers' preload list, are the domain owner's to decide.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
