"""WSGI application. Refuses to start on the published secret key."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from config.checks import require_secret_key

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("FAIRGROUND_LOCK_SECONDS", "1")
# Seconds. A thread returning from the database would otherwise wait 5 ms for each thread that computes.
sys.setswitchinterval(0.0005)
application = get_wsgi_application()
require_secret_key()
