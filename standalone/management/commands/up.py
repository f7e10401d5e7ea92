"""One process that serves everything: web server, Celery worker, beat. The embedded default.

In production the three run apart, see docs/operations.md.
"""

import logging
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import Any

import waitress
from celery import current_app
from celery.beat import Service
from celery.worker import WorkController, state
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import get_internal_wsgi_application
from django.utils.translation import gettext as _

from core import clock
from standalone.demo_data import load

logger = logging.getLogger(__name__)
PATIENCE = 6.0
"""Seconds that a part has to end after it was told to."""


class Part(threading.Thread):
    """A thread of the server. When it ends without having been told to, the whole process ends and says so."""

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self.work = work
        self.expected = False
        self.died = False

    def run(self) -> None:
        try:
            self.work()
        except BaseException:
            if not self.expected:
                logger.exception("The %s failed", self.name)
        finally:
            self.died = not self.expected
            if self.died:
                os.kill(os.getpid(), signal.SIGTERM)


class Command(BaseCommand):
    """`manage.py up`: serve until Ctrl-C or SIGTERM."""

    help = _("Serve: web server, worker and beat in one process.")
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, port: int, host: str, **options: Any) -> None:
        worker, beat = _worker(), _beat()
        parts = [Part("worker", worker.start), Part("beat", beat.start)]

        def leave(_number: int, _frame: FrameType | None) -> None:
            _tell_to_end(parts, beat)
            sys.exit(0)

        for number in (signal.SIGINT, signal.SIGTERM):
            # Also where it came in ignored, as for a process that a script put in the background.
            signal.signal(number, leave)
        server = self._web_server(host, port)
        try:
            self._begin(parts)
            self._greet(host, port)
            server.run()
        except SystemExit:
            pass  # told to leave before the web server ran; once it runs, it catches this itself
        self._end(parts, beat)
        dead = [part.name for part in parts if part.died]
        if dead:
            raise CommandError(_("Ended because the %(part)s died.") % {"part": " + ".join(dead)})
        self.stdout.write(_("Ended."))

    def _web_server(self, host: str, port: int) -> Any:
        try:
            return waitress.create_server(get_internal_wsgi_application(), host=host, port=port, threads=8)
        except OSError as error:
            text = _("Port %(port)s cannot be used: %(reason)s. Choose another with --port.")
            raise CommandError(text % {"port": port, "reason": error.strerror}) from error

    def _begin(self, parts: list[Part]) -> None:
        if settings.DEMO:
            clock.run()
        for part in parts:
            part.start()

    def _greet(self, host: str, port: int) -> None:
        self.stdout.write(_("Fairground serves on http://%(host)s:%(port)s/") % {"host": host, "port": port})
        if settings.DEMO:
            self.stdout.write(_("This is a demonstration; its clock shows %(now)s.") % {"now": clock.now().isoformat()})
            for name, password in load.LOGINS.items():
                self.stdout.write(_("  sign in as %(name)s / %(password)s") % {"name": name, "password": password})
        self.stdout.write(_("Ctrl-C ends it."))
        self.stdout.flush()

    def _end(self, parts: list[Part], beat: Service) -> None:
        _tell_to_end(parts, beat)
        for part in parts:
            if part.ident:
                part.join(PATIENCE)
        if any(part.is_alive() for part in parts):
            self.stderr.write(_("Something was still at work; its transaction is undone and will be repeated."))
        if settings.DEMO:
            clock.stop()


def _tell_to_end(parts: list[Part], beat: Service) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C is meant
    for part in parts:
        part.expected = True
    beat.stop()
    state.should_stop = os.EX_OK  # type: ignore[assignment]  # None until then, say the stubs


def _worker() -> WorkController:
    # "solo": one task at a time, in the thread itself. SQLite has one writer anyhow.
    return current_app.WorkController(pool_cls="solo", concurrency=1, without_mingle=True, without_gossip=True)


def _beat() -> Service:
    # It sleeps for so long between two looks, and so long it takes to end.
    return Service(current_app, max_interval=1, scheduler_cls=current_app.conf.beat_scheduler)
