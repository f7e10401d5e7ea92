"""Several processes at once, and processes that are killed (L7, L10, F1, F6, F10 in docs/reliability.md).

Each guard has a control: with it off, what it guards against is seen to happen.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from campaigns.models import Coupon, Decision, Grant, Issuance, JournalEntry, Offer
from tests.support.guards import unguarded
from tests.support.processes import Child, children, wait_for_a_lock, without
from tests.support.scenarios import coupon_offer, small_world, wipe
from tests.support.world import everything, freight, grants, merchant, offer, outcomes, publish, tick, used

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

TICK = "tick('2022-09-09T00:00:00+00:00')\n"
WRITING = "stopping(claim_decisions, '_write', 'writing')\n"
NOBODY_HOLDS = """
from contextlib import nullcontext
from campaigns.engine import quarantine
quarantine.alone = nullcontext
def unheld(group):
    rows = Offer.objects.select_related('version', 'campaign').filter(pk__in=[one.id for one in group]).order_by('pk')
    return [published_offers.PublishedOffer(row, published_offers.terms_of(row.version)) for row in rows]
published_offers.hold = unheld
"""
NOBODY_LOCKS = "QuerySet.select_for_update = lambda self, **options: self\n"


def five_places(quota: str = "{limit: 5}") -> None:
    """Eight claims of one merchant, for five places."""
    merchant()
    publish(offer("o", benefit="{fee: freight, currency: CNY, percent: 10}", quota=quota))
    for n in range(8):
        freight(f"F{n}", paid_at=f"01 1{n}:00")


def undisturbed() -> dict[str, list[tuple[object, ...]]]:
    """Return the rows that one tick alone writes, then delete them."""
    tick("09")
    found = everything()
    wipe()
    return found


def test_two_ticks_at_once_are_one() -> None:
    small_world()
    alone = undisturbed()
    with children(*[f"stop('ready')\n{TICK}"] * 2) as both:
        assert [child.says() for child in both] == ["ready", "ready"]
        for child in both:
            child.go_on()
        for child in both:
            child.ends_well()
    assert everything() == alone


def test_the_second_waits_for_the_first() -> None:
    five_places()
    alone = undisturbed()
    with children(WRITING + TICK, f"stop('ready')\n{TICK}") as (first, second):
        assert first.says() == "writing"
        assert second.says() == "ready"
        second.go_on()
        wait_for_a_lock()
        first.go_on()
        first.ends_well()
        second.ends_well()
    assert everything() == alone
    assert used("o") == 5


def race_unheld() -> tuple[list[int], str]:
    """Two ticks that do not lock their offers, both of which have decided before either writes: exit codes, errors."""
    with children(*[NOBODY_HOLDS + WRITING + TICK] * 2) as both:
        assert [child.says() for child in both] == ["writing", "writing"]
        for child in both:
            child.go_on()
        ends = [child.ends() for child in both]
    return sorted(code for code, _ in ends), "".join(errors for _, errors in ends)


@contextmanager
def nothing_unique() -> Iterator[None]:
    """Claims can be decided twice: only the counters of places are left to stop it."""
    with (
        without("campaigns_decision", "decision_once"),
        without("campaigns_grant", "grant_one_per_subject"),
    ):
        yield


QUOTAS = [
    ("{limit: 5}", "campaigns_offer", "offer_places_within_limit"),
    ("{per_merchant: 5}", "campaigns_merchantquota", "merchant_places_within_limit"),
    ("[{of: grants, at_most: 5, per: merchant, in: month}]", "campaigns_bandcounter", "band_within_limit"),
    ("[{of: amount, at_most: 500.00, currency: CNY}]", "campaigns_bandcounter", "band_within_limit"),
]


def test_control_without_the_lock_the_database_refuses() -> None:
    """Without the lock both decide the same claims, and only the constraints are left to stop one."""
    five_places()
    codes, _ = race_unheld()
    assert codes == [0, 1]
    assert Grant.objects.count() == 5


@pytest.mark.plants_violation
@pytest.mark.parametrize(("quota", "table", "check"), QUOTAS)
def test_the_counters_alone_refuse_a_place_too_many(quota: str, table: str, check: str) -> None:
    """Each tick has counted five free places; the second to write waits for the first, then finds none."""
    five_places(quota)
    with nothing_unique():
        codes, errors = race_unheld()
        assert codes == [0, 1]
        assert check in errors
        assert Grant.objects.count() == used("o") == 5


@pytest.mark.plants_violation
@pytest.mark.parametrize(("quota", "table", "check"), QUOTAS)
def test_control_without_lock_and_counters_it_oversells(quota: str, table: str, check: str) -> None:
    five_places(quota)
    with nothing_unique(), without(table, check):
        codes, errors = race_unheld()
        assert codes == [0, 0], errors
        assert Grant.objects.count() == 10, "ten places of five"
        assert Decision.objects.count() == 16


ISSUING = """
issuing.GRANTS_AT_ONCE = 4
stopping(journal, 'send_ids', 'read')
print('issued', issuing.issue(published_offers.find('c')), flush=True)
"""


def not_issued(count: int) -> None:
    """Create grants whose coupons are not issued, as after a kill between the two."""
    publish(coupon_offer())
    for n in range(count):
        merchant(f"M{n}")
        freight(f"F{n}", f"M{n}", shipped_at="01")
    tick("02")
    with unguarded():
        JournalEntry.objects.filter(coupon__isnull=False).delete()
    Coupon.objects.all().delete()
    Issuance.objects.update(issued=0)


def test_two_workers_share_the_issuing() -> None:
    """Both have read what is owed before either writes: they have different grants in hand."""
    not_issued(20)
    with children(ISSUING, ISSUING) as both:
        assert [child.says() for child in both] == ["read", "read"]
        for child in both:
            child.go_on(20)
        for child in both:
            child.ends_well()
    assert Coupon.objects.count() == Coupon.objects.values("grant").distinct().count() == 20
    mark = Issuance.objects.get()
    assert (mark.planned, mark.issued) == (20, 20)


def test_control_without_the_lock_the_database_refuses_a_coupon() -> None:
    not_issued(4)
    with children(*[NOBODY_LOCKS + ISSUING] * 2) as both:
        assert [child.says() for child in both] == ["read", "read"]
        for child in both:
            child.go_on(20)
        ends = [child.ends() for child in both]
    assert sorted(code for code, _ in ends) == [0, 1]
    assert "coupon_once" in "".join(complaint for _, complaint in ends)
    assert Coupon.objects.count() == 4


@pytest.mark.plants_violation
def test_control_without_lock_and_constraint_coupons_are_doubled() -> None:
    not_issued(4)
    # `issued` must be able to pass what was planned, for the doubling to be seen.
    Issuance.objects.update(planned=100)
    with without("campaigns_coupon", "coupon_once"), children(*[NOBODY_LOCKS + ISSUING] * 2) as both:
        assert [child.says() for child in both] == ["read", "read"]
        for child in both:
            child.go_on(20)
        for child in both:
            child.ends_well()
        assert Coupon.objects.count() == 8


def test_a_tick_waits_for_coupons_that_another_has_in_hand() -> None:
    """An order of the merchant must find its coupon, whichever of two ticks issues it."""
    merchant()
    publish(coupon_offer() + offer("o"))
    freight("A", shipped_at="01")
    freight("B", placed_at="03", paid_at="04", use_coupon=True)
    alone = undisturbed()
    with children("stopping(journal, 'send_ids', 'read')\n" + TICK, f"stop('ready')\n{TICK}") as (first, second):
        assert [first.says(), second.says()] == ["read", "ready"]  # the grant's own key
        first.go_on()
        assert first.says() == "read"  # the coupon's
        second.go_on()
        wait_for_a_lock()
        first.go_on(20)
        first.ends_well()
        second.ends_well()
    assert everything() == alone
    assert outcomes("o") == {"B": "superseded"}


def test_a_tick_sees_committed_facts_only() -> None:
    merchant()
    publish(offer("o"))
    tick("01")
    importing = """
from imports.models import ImportBatch
from logistics.models import FreightOrder
with transaction.atomic():
    FreightOrder.objects.create(batch=ImportBatch.objects.create(source='x', rows=1, added=1), order_no='A', line='x',
        merchant_id='M1', service='express', base_freight=100, currency='CNY', paid_at=datetime(2022, 9, 2, tzinfo=utc))
    stop('written')
"""
    with children("from datetime import timezone\nutc = timezone.utc\n" + importing) as (importer,):
        assert importer.says() == "written"
        tick("03")
        assert outcomes("o") == {}
        importer.go_on()
        importer.ends_well()
    tick("03")
    assert grants() == {("o", "A"): "settled 10.00 CNY"}


KILLED = """
from django.core.management import execute_from_command_line
from django.db.backends.base.base import BaseDatabaseWrapper
issuing.GRANTS_AT_ONCE = 1

def tick_until_killed(left, when):
    commit = BaseDatabaseWrapper.commit
    def counted(self):
        nonlocal left
        left -= 1
        if left == 0 and when == 'before':
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    BaseDatabaseWrapper.commit = counted
    sys.stdout = sys.stderr
    execute_from_command_line(['manage.py', 'tick', '--as-of', '2022-09-09T00:00:00Z'])

# One process for each line, forked from this one, which has no connection: a start of Python takes a second.
for line in sys.stdin:
    left, when = line.split()
    life = os.fork()
    if not life:
        try:
            tick_until_killed(int(left), when)
        finally:
            os._exit(sys.exc_info()[0] is not None)
    print(os.waitstatus_to_exitcode(os.waitpid(life, 0)[1]), flush=True)
"""


def is_killed(lives: Child, n: int, when: str) -> bool:
    """Run `manage.py tick` in a new process and kill it before or after its n-th commit, if it comes to that."""
    code = lives.answer(f"{n} {when}")
    assert code in ("0", "-9")
    return code == "-9"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_tick_killed_at_every_commit(when: str) -> None:
    """kill -9 just before, or just after, the n-th commit of `manage.py tick`; the next one completes the work."""
    small_world()
    alone = undisturbed()
    n = 0
    killed = True
    with children(KILLED) as (lives,):
        while killed:
            n += 1
            killed = is_killed(lives, n, when)
            tick("09")
            assert everything() == alone, f"killed {when} commit {n}"
            wipe()
    assert n > 6, "there were commits to be killed at"


def test_killed_again_and_again() -> None:
    """Never more than six commits a life, at least one of them new: it comes to the same end all the same."""
    small_world()
    alone = undisturbed()
    count = 0
    with children(KILLED) as (lives,):
        while Offer.objects.filter(claims_decided_until=None).exists() or everything() != alone:
            count += 1
            assert count < 30, "it makes no headway"
            is_killed(lives, 6, "after")
    assert everything() == alone


def test_a_file_that_was_imported_but_not_looked_at_is_not_lost() -> None:
    """Killed before the imports are marked as looked at: the next tick looks again, and nothing is done twice."""
    small_world()
    tick("05")
    before = Decision.objects.count()
    freight("LATE", "M1", paid_at="02")
    with children(KILLED) as (lives,):
        assert is_killed(lives, 2, "after")
    tick("09")
    assert "LATE" in outcomes("o")
    assert Decision.objects.count() > before
    assert Decision.objects.filter(subject="LATE").count() == 1
