"""The web application, for any WSGI server."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from config.checks import require_secret_key

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("FAIRGROUND_LOCK_SECONDS", "1")
# Seconds. A thread that often waits for the database must not queue behind those that compute at each return.
sys.setswitchinterval(0.0005)
application = get_wsgi_application()
require_secret_key()
