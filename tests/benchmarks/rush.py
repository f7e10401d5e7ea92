"""Rush for a flash sale over HTTP: 5,000 requests of as many merchants for 300 coupons, all at one instant.

gunicorn with two processes, PostgreSQL and Redis run for real. A bare list by Django REST framework is asked by the
same clients on the same server. Exactly the first 300 by the instants that the server stated must have a coupon.
"""

import json
import subprocess
import sys
from http.client import HTTPConnection
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter

from tests.benchmarks import facts
from tests.benchmarks.databases import execute, options, own, settle, value
from tests.benchmarks.figures import say, verdict
from tests.benchmarks.serving import SERVER, SETTINGS, token
from tests.runner import ROOT
from tests.support.servers import web

PLACES = 300
CONNECTIONS = 64
"""Connections of both clients together: gunicorn answers 32 at a time and queues the rest."""
OFFER = """
campaign: benchmark-rush
names: {{en: Rush, zh: 抢购}}
zone: UTC
offers:
  - code: rush
    names: {{en: Rush, zh: 抢购}}
    subject: claim_request
    where: [{{fact: offer, is: rush}}]
    claim: {{at: requested_at}}
    conditions:
      - {{code: main_account, fact: account.role, is: main}}
      - {{code: member, in_force: membership, of: [export_pass, global_pass, verified_supplier]}}
    benefit:
      coupons:
        count: 1
        for: service_order
        price: 1.00
        currency: CNY
        valid: {{to: 2099-12-31 24:00}}
        where: [{{fact: service, is: photo_tool}}]
    quota: {{limit: {places}, per_merchant: 1}}
"""
MERCHANTS = """
INSERT INTO merchants_merchant (code, name, name_en, country, category_l1, category_l2, logistics_partner, batch_id)
SELECT 'R' || n, '', '', 'CN', '', '', false, %s FROM generate_series(0, %s) n
"""
ACCOUNTS = """
INSERT INTO merchants_account (code, merchant_id, role, batch_id)
SELECT 'R' || n, 'R' || n, 'main', %s FROM generate_series(0, %s) n
"""
MEMBERSHIPS = """
INSERT INTO merchants_membership (merchant_id, plan, starts_at, batch_id)
SELECT 'R' || n, 'global_pass', '2020-01-01', %s FROM generate_series(0, %s) n
"""
IN_ORDER = """
SELECT json_build_array(count(*) FILTER (WHERE rank <= %s AND granted), count(*) FILTER (WHERE granted), count(*))
FROM (
    SELECT rank() OVER (ORDER BY r.requested_at, r.request_no) AS rank, g.id IS NOT NULL AS granted
    FROM services_claimrequest r LEFT JOIN campaigns_grant g ON g.subject = r.request_no
) AS asked
"""


def prepare(clients: int) -> None:
    """Create merchants with an account and a membership each, and publish the offer."""
    from campaigns.offers import publishing
    from definitions import parser

    batch = facts.batch(processed=True)
    for statement in (MERCHANTS, ACCOUNTS, MEMBERSHIPS):
        execute(statement, [batch, clients - 1])
    text = OFFER.format(places=PLACES)
    publishing.publish(parser.read(text), source=text, at=facts.DECIDED, by="benchmark")
    execute("VACUUM ANALYZE")
    settle()


def client(server: str, kind: str, secret: str, *numbered: str) -> None:
    """Send each request of one half once, from so many threads; print status and seconds of each as JSON."""
    port, (threads, clients, first) = int(server), map(int, numbered)
    numbers: SimpleQueue[int] = SimpleQueue()
    for n in range(first, clients, 2):
        numbers.put(n)
    seen: list[tuple[int, float]] = []
    scheme = "Token" if kind == "bare" else "Bearer"
    headers = {"Authorization": f"{scheme} {secret}", "Content-Type": "application/json"}
    begin = perf_counter()  # all arrive at once: what a request waits for its connection counts

    def send(connection: HTTPConnection, n: int) -> None:
        if kind == "bare":
            connection.request("GET", "/bare/", headers=headers)
        else:
            body = json.dumps({"offer": "rush", "account_code": f"R{n}"})
            connection.request("POST", "/api/v1/claim-requests/", body, {**headers, "Idempotency-Key": f"rush-{n}"})

    def work() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            try:
                n = numbers.get_nowait()
            except Empty:
                return
            began = perf_counter()
            send(connection, n)
            response = connection.getresponse()
            response.read()
            seen.append((response.status, perf_counter() - began))

    workers = [Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.stdout.write(json.dumps([perf_counter() - begin, seen]))


def rush(port: int, kind: str, secret: str, clients: int) -> tuple[float, list[int], list[float]]:
    """Return responses per second, the statuses, and the seconds of each."""
    module = [sys.executable, "-m", "tests.benchmarks.rush", "client", str(port), kind, secret]
    each = [
        subprocess.Popen(
            [*module, str(CONNECTIONS // 2), str(clients), str(n)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for n in range(2)
    ]
    found = [json.loads(process.communicate()[0]) for process in each]
    responses = [response for _seconds, several in found for response in several]
    took = max(seconds for seconds, _several in found)
    return len(responses) / took, [status for status, _ in responses], sorted(seconds for _, seconds in responses)


def main() -> None:
    """Ask the bare list, rush, and ask the bare list again."""
    clients = options(__doc__, orders=5_000).orders
    with own("rush"):
        from django.utils import timezone

        from merchants import api_keys

        prepare(clients)
        _, secret = api_keys.issue("benchmark", scopes=["read", "claim"], at=timezone.now(), by="benchmark")
        bare = token()
        with web(SERVER, **SETTINGS) as port:
            before, _, _ = rush(port, "bare", bare, clients)
            rate, statuses, took = rush(port, "request", secret, clients)
            after, _, _ = rush(port, "bare", bare, clients)
        _tell(clients, rate, (before + after) / 2, statuses, took)


def _tell(clients: int, rate: float, bare: float, statuses: list[int], took: list[float]) -> None:
    found = value(IN_ORDER, [PLACES])
    first, granted, asked = json.loads(found) if isinstance(found, str) else found
    p50, p99 = (took[len(took) * part // 100] * 1_000 for part in (50, 99))
    say(f"{clients} requests for {PLACES} places over {CONNECTIONS} connections: {rate:.0f} a second, bare {bare:.0f}")
    say(f"  p50 {p50:.0f} ms, p99 {p99:.0f} ms; {statuses.count(201)} granted, {statuses.count(409)} refused")
    verdict("granted", granted, f"exactly {PLACES}", held=granted == PLACES == statuses.count(201))
    verdict("granted among the first by their instants", first, f"exactly {PLACES}", held=first == PLACES)
    verdict("requests recorded", asked, f"exactly {clients}", held=asked == clients == len(statuses))
    verdict("rate against the bare list", rate / bare, "at least 0.5", held=rate / bare >= 0.5)
    verdict("p99, ms", p99, "at most 1000", held=p99 <= 1_000)


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        client(*sys.argv[2:])
    else:
        main()
