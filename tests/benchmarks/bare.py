"""The project's settings with one more page, a bare list by Django REST framework, as a yardstick."""

from config.settings import *  # noqa: F403  # all of them, and one changed

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework.authtoken"]  # noqa: F405  # those of the project
ROOT_URLCONF = "tests.benchmarks.bare_urls"
