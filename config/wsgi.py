"""WSGI application. Refuses to start with a secret key that anyone may know or guess, and in debug mode."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from config.checks import require_safe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("FAIRGROUND_LOCK_SECONDS", "1")
os.environ.setdefault("FAIRGROUND_STATEMENT_SECONDS", "30")
# Seconds. A thread returning from the database would otherwise wait 5 ms for each thread that computes.
sys.setswitchinterval(0.0005)
application = get_wsgi_application()
require_safe_settings()
