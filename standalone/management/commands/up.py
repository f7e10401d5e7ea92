"""`manage.py up`: web server, Celery worker and beat in one process. The default for trials and small installations.

In production the three run as separate processes, see docs/operations.md.
"""

import logging
import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import Any

import waitress
from celery import Celery, current_app
from celery.beat import Service
from celery.worker import WorkController, state
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import get_internal_wsgi_application
from django.utils.translation import gettext as _

from core import clock
from merchants import api_keys
from standalone.demo_data import load
from standalone.terminal import terminal_language

logger = logging.getLogger(__name__)
STOP_TIMEOUT = 6.0
"""Seconds that each part has to end after a request to stop."""


MOST_BYTES = 110_000_000
"""Bytes of one request that the web server reads: an upload. The application limits all others."""


class Part(threading.Thread):
    """Thread of the server. If it ends without a request to stop, it stops the whole process."""

    def __init__(self, name: str, run: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self.work = run
        self.is_stopping = False
        self.died = False

    def run(self) -> None:
        try:
            self.work()
        except BaseException:
            if not self.is_stopping:
                logger.exception("The %s failed", self.name)
        finally:
            self.died = not self.is_stopping
            if self.died:
                os.kill(os.getpid(), signal.SIGTERM)


class Command(BaseCommand):
    """Serve until Ctrl-C or SIGTERM. Exit status 1 if a part died, for a supervisor to restart the process."""

    help = _("Serve: web server, worker and beat in one process.")
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: object, port: int, host: str, **options: object) -> None:
        with terminal_language():
            self._serve(host, port)

    def _serve(self, host: str, port: int) -> None:
        if "SITE_URL" not in os.environ:
            settings.SITE_URL = f"http://{host}:{port}"  # links in mail lead to this server
        beat = _create_beat()
        parts = [
            Part("worker", _create_worker(current_app, "celery").start),
            # Receivers of webhooks may be slow, and a worker does one thing at a time.
            Part("webhook worker", _create_worker(_second_application(), "webhooks").start),
            Part("beat", beat.start),
        ]
        _stop_on_signals(parts, beat)
        server = self._create_web_server(host, port)
        try:
            self._start(parts)
            self._greet(host, port)
            server.run()
        except SystemExit:
            pass  # a signal before the web server ran; while it runs, it handles SystemExit itself
        self._stop(parts, beat)
        dead = [part.name for part in parts if part.died]
        if dead:
            raise CommandError(_("Stopped because the %(part)s died.") % {"part": " + ".join(dead)})
        self.stdout.write(_("Stopped."))

    def _create_web_server(self, host: str, port: int) -> Any:
        try:
            return waitress.create_server(
                get_internal_wsgi_application(), host=host, port=port, threads=8, max_request_body_size=MOST_BYTES
            )
        except OSError as error:
            text = _("Port %(port)s cannot be used: %(reason)s. Choose another with --port.")
            raise CommandError(text % {"port": port, "reason": error.strerror}) from error

    def _start(self, parts: list[Part]) -> None:
        if settings.DEMO:
            clock.run()
        for part in parts:
            part.start()

    def _greet(self, host: str, port: int) -> None:
        self.stdout.write(_("Fairground runs at http://%(host)s:%(port)s/") % {"host": host, "port": port})
        if settings.DEMO:
            self.stdout.write(_("This is a demonstration. Its clock shows %(now)s.") % {"now": clock.now().isoformat()})
            for name, password in load.LOGINS.items():
                self.stdout.write(_("  sign in as %(name)s / %(password)s") % {"name": name, "password": password})
            self.stdout.write(_("  call the REST API with the key %(key)s") % {"key": api_keys.SANDBOX})
        self.stdout.write(_("Press Ctrl-C to stop."))
        self.stdout.flush()

    def _stop(self, parts: list[Part], beat: Service) -> None:
        _request_stop(parts, beat)
        for part in parts:
            if part.ident:
                part.join(STOP_TIMEOUT)
        if any(part.is_alive() for part in parts):
            self.stderr.write(_("A task was interrupted. Its transaction is rolled back and will be repeated."))
        if settings.DEMO:
            clock.stop()


def _stop_on_signals(parts: list[Part], beat: Service) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        _request_stop(parts, beat)
        sys.exit(0)

    # A shell script that starts a process in the background makes it ignore SIGINT; handle it all the same.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _request_stop(parts: list[Part], beat: Service) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C ends the process at once
    for part in parts:
        part.is_stopping = True
    beat.stop()
    state.should_stop = os.EX_OK  # type: ignore[assignment]  # the stubs allow None only


def _second_application() -> Celery:
    """Return an application with the settings and tasks of the current one."""
    second = Celery("fairground-webhooks", task_cls=current_app.task_cls, set_as_current=False)
    second.config_from_object("config.celery_settings")
    return second


def _create_worker(app: Celery, queue: str) -> WorkController:
    # The "solo" pool runs one task at a time in the worker's thread; SQLite has one writer in any case. An application
    # remembers which queues its worker reads, so each worker has its own. An event loop belongs to a process: of two
    # workers with one loop, one dies when the other connects to Redis again.
    return app.WorkController(
        hostname=f"{queue}@{socket.gethostname()}",
        queues=[queue],
        pool_cls="solo",
        concurrency=1,
        use_eventloop=False,
        without_mingle=True,
        without_gossip=True,
    )


def _create_beat() -> Service:
    # Beat sleeps up to max_interval seconds, and cannot stop while it sleeps.
    return Service(current_app, max_interval=1, scheduler_cls=current_app.conf.beat_scheduler)
