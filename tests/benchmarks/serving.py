"""Claims and quota status over HTTP, against a bare list by Django REST framework on the same server.

gunicorn, PostgreSQL and Redis run for real, in turns, with 8 and 32 clients that keep their connections. Each claim has
a key, an idempotency key of its own, a decision of its own and its explanation.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import count
from statistics import median
from threading import Thread
from time import perf_counter

from tests.benchmarks import claiming
from tests.benchmarks.databases import options, own
from tests.benchmarks.figures import say, verdict
from tests.runner import ROOT
from tests.support.servers import web

SECONDS = 6
SERVER = "--workers 2 --threads 16 --keep-alive 60"
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "tests.benchmarks.bare",
    "REDIS_URL": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9"),
}
Ask = Callable[[HTTPConnection], None]


def token() -> str:
    """Create a token of Django REST framework for the bare list."""
    made = (
        "from django.contrib.auth import get_user_model; from rest_framework.authtoken.models import Token;"
        "print(Token.objects.create(user=get_user_model().objects.create(username='bare')).key)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.bare"}
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "authtoken"], cwd=ROOT, env=environment, check=True, capture_output=True)
    shell = [*manage, "shell", "--no-imports", "-c", made]
    chosen = subprocess.run(shell, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return chosen.stdout.split()[-1]


def client(server: str, kind: str, secret: str, *numbered: str) -> None:
    """Send requests from so many threads for some seconds; print the seconds of each response as JSON."""
    port = int(server)
    threads, start, step = map(int, numbered)
    numbers = count(start, step)
    took: list[float] = []
    begin = perf_counter()
    scheme = "Token" if kind == "bare" else "Bearer"
    headers = {"Authorization": f"{scheme} {secret}", "Content-Type": "application/json"}

    def request(connection: HTTPConnection) -> int:
        if kind != "claim":
            connection.request("GET", {"bare": "/bare/", "quota": "/api/v1/offers/hot/quota/"}[kind], headers=headers)
            return 200
        n = next(numbers)
        body = json.dumps({"subject": "freight_order", "key": f"H{n}"})
        connection.request("POST", "/api/v1/claims/", body, {**headers, "Idempotency-Key": f"claim-{n}"})
        return 201

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        while perf_counter() - begin < SECONDS:
            began = perf_counter()
            wanted = request(connection)
            response = connection.getresponse()
            text = response.read()
            assert response.status == wanted, text
            took.append(perf_counter() - began)

    workers = [Thread(target=ask) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.stdout.write(json.dumps(took))


def asked(port: int, kind: str, secret: str, clients: int, start: int) -> tuple[float, list[float]]:
    """Return responses per second, and the seconds of each."""
    arguments = [(str(clients // 2), str(start + n), "2") for n in range(2)]
    each = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.serving", "client", str(port), kind, secret, *some],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for some in arguments
    ]
    took = [seconds for process in each for seconds in json.loads(process.communicate()[0])]
    return len(took) / SECONDS, took


def main() -> None:
    """Measure with 8 and 32 clients, the three kinds in turns."""
    chosen = options(__doc__, orders=150_000)
    with own("serving"):
        from django.utils import timezone

        from merchants import api_keys

        claiming.prepare(chosen.orders)
        _, secret = api_keys.issue("benchmark", scopes=["read", "claim"], at=timezone.now(), by="benchmark")
        secrets = {"bare": token(), "claim": secret, "quota": secret}
        start = 0
        with web(SERVER, **SETTINGS) as port:
            for clients in (8, 32):
                rates: dict[str, list[float]] = {}
                slowest: dict[str, list[float]] = {}
                for _ in range(chosen.rounds):
                    for kind in ("bare", "claim", "quota"):
                        rate, took = asked(port, kind, secrets[kind], clients, start)
                        start += 2 * (len(took) + 64) if kind == "claim" else 0
                        rates.setdefault(kind, []).append(rate)
                        slowest.setdefault(kind, []).extend(took)
                _tell(clients, rates, slowest)


def _tell(clients: int, rates: dict[str, list[float]], took: dict[str, list[float]]) -> None:
    say(f"{clients} clients, {SECONDS} s, {len(rates['bare'])} rounds")
    for kind, each in rates.items():
        ordered = sorted(took[kind])
        p50, p99 = (ordered[len(ordered) * part // 100] * 1_000 for part in (50, 99))
        say(f"  {kind:<8} a second {[round(seconds) for seconds in each]}   p50 {p50:.0f} ms, p99 {p99:.0f} ms")
        if kind == "claim" and clients == 32:
            verdict("p99 of claims, ms", p99, "at most 300", held=p99 <= 300)
    for kind, reach in (("claim", 0.5), ("quota", 0.8)):
        found = median(ours / bare for ours, bare in zip(rates[kind], rates["bare"], strict=True))
        verdict(f"{kind} against the bare list", found, f"at least {reach}", held=found >= reach)


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        client(*sys.argv[2:])
    else:
        main()
