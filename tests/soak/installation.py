"""Processes of an installation on one machine, and faults injected into them."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import psutil
import psycopg
import redis

from tests.runner import ROOT
from tests.support.servers import PrivateRedis, free_port

WEB = "gunicorn config.wsgi --config python:config.gunicorn --log-level critical"
WORKER = "celery --app config worker --concurrency 1 --without-gossip --without-mingle --loglevel critical"
BEAT = "celery --app config beat --schedule {folder}/beat --loglevel critical"
FAULTS = ("kill a web process", "kill the worker", "end a connection", "flush Redis", "freeze Redis")


class Installation:
    """gunicorn, a Celery worker and beat, on a private database and Redis."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.redis = PrivateRedis(folder)
        self.port = free_port()
        self.faults = dict.fromkeys(FAULTS, 0)
        self.environment = {
            **os.environ,
            "DATABASE_URL": database,
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": "a key for one soak test, which nothing else uses 0123456789 0123456789",
            "FAIRGROUND_API_RATE": "1000000000",
        }
        self.web = self._start(f"{WEB} --bind 127.0.0.1:{self.port}")
        self.worker = self._start(WORKER)
        self.beat = self._start(BEAT.format(folder=folder))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _start(self, command: str) -> "subprocess.Popen[bytes]":
        quiet = (self.folder / "log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", *command.split()],
            cwd=ROOT,
            env=self.environment,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )

    def inject_fault(self, chance: random.Random) -> None:
        """Inject one random fault."""
        fault = chance.choice(FAULTS)
        if fault == "kill a web process":
            workers = psutil.Process(self.web.pid).children()
            if workers:
                chance.choice(workers).kill()
        elif fault == "kill the worker":
            os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()
            self.worker = self._start(WORKER)
        elif fault == "end a connection":
            self._end_a_connection()
        elif fault == "flush Redis":
            with redis.Redis.from_url(self.redis.url) as server:
                server.flushall()
        else:
            self.redis.freeze()
            sleep(chance.uniform(0.1, 1.5))
            os.kill(self.redis.process.pid, signal.SIGCONT)
        self.faults[fault] += 1

    def _end_a_connection(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND application_name <> 'soak' ORDER BY random() LIMIT 1"
            )

    def stop(self) -> None:
        """Kill all processes."""
        for process in (self.web, self.worker, self.beat):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.redis.kill()
