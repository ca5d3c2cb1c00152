"""One pass over two connections: each is somebody's alone, gets its share of the time, and stops where it is told."""

from datetime import timedelta

import pytest

from connectors.base import Allowance
from connectors.errors import Retriable
from sync import evaluating
from sync.differences import approve
from sync.lease import TTL, acquire
from sync.paused import pause
from sync.store import tables
from sync.store.values import micros
from tests.desk_of_two import OTHER, Desk
from tests.two_crms import NOW, contact_id, form, record

C1 = contact_id(1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(tmp_path):
    opened = Desk(tmp_path)
    opened.hub.put(record("contact", "1", jobtitle="Director", emails="x"))
    opened.org.put(record("contact", C1, Title="Buyer", emails="x"))
    yield opened
    opened.close()


def states(reports):
    return {name: report.state for name, report in reports.items()}


def test_both_crms_show_the_score_of_their_one_person(desk):
    desk.hub.act("forms", form("f", "1"))
    assert states(desk.run()) == {"hubspot": "ok", "salesforce": "ok"}
    score = desk.shown(desk.hub, "contact", "1")
    assert score is not None
    assert desk.shown(desk.org, "contact", C1) == score
    assert [(row.written, row.planned) for row in desk.run().values()] == [(0, 0), (0, 0)]


def test_a_connection_that_another_process_holds_is_left_to_it(desk):
    with desk.store.begin() as tx:
        held = acquire(tx, "hubspot", OTHER, NOW)
    reports = desk.run()
    assert states(reports) == {"hubspot": "elsewhere", "salesforce": "ok"}
    assert desk.hub.calls() == 0
    assert desk.shown(desk.org, "contact", C1) is not None
    with desk.store.begin() as tx:
        held.release(tx, NOW)
    assert states(desk.run()) == {"hubspot": "ok", "salesforce": "ok"}
    assert desk.shown(desk.hub, "contact", "1") is not None


def test_one_that_is_taken_over_in_its_pull_keeps_nothing_more_and_the_other_goes_on(desk):
    pull = desk.hub.pull

    def taken_over(stream, cursor):
        desk.now += TTL
        with desk.store.begin() as tx:
            assert acquire(tx, "hubspot", OTHER, desk.now)
        yield from pull(stream, cursor)

    desk.hub.pull = taken_over
    assert states(desk.run()) == {"hubspot": "elsewhere", "salesforce": "ok"}
    assert not [row for row in desk.rows(tables.record) if row.connection == "hubspot"]


def test_leases_are_given_back_at_the_end_of_a_pass_and_after_its_failure(desk):
    desk.hub.close()
    assert states(desk.run()) == {"hubspot": "parked", "salesforce": "ok"}
    with desk.store.begin() as tx:
        assert all(acquire(tx, name, OTHER, desk.now) for name in ("hubspot", "salesforce", "score"))


def slow(crm, desk, span):
    """Every page of this CRM takes so long."""
    pull = crm.pull

    def slowly(stream, cursor):
        for page in pull(stream, cursor):
            desk.now += span
            yield page

    crm.pull = slowly


def test_a_read_that_uses_up_its_share_leaves_the_other_its_time(desk):
    slow(desk.hub, desk, 20 * MINUTE)
    reports = desk.run(until=NOW + 30 * MINUTE)
    assert states(reports) == {"hubspot": "interrupted", "salesforce": "ok"}
    assert desk.shown(desk.org, "contact", C1) is not None
    assert desk.shown(desk.hub, "contact", "1") is None


def test_what_was_read_before_its_share_was_over_is_kept_and_the_next_passes_go_on(desk):
    for number in range(2, 500):
        desk.hub.put(record("contact", str(number)))
    slow(desk.hub, desk, 3 * MINUTE)  # seven pages; a share is 10 minutes
    reports = []
    while not reports or (reports[-1].state == "interrupted" and len(reports) < 9):
        reports.append(desk.run(until=desk.now + 30 * MINUTE, push=False)["hubspot"])
    assert len(reports) > 1
    assert reports[-1].state == "planned"
    assert sum(report.pulled for report in reports) == 499


def test_each_connection_and_what_follows_the_reads_has_its_share_of_the_time(desk):
    slow(desk.hub, desk, 3 * MINUTE)  # three pages in 10 minutes
    slow(desk.org, desk, MINUTE)  # six pages in half of the rest
    assert states(desk.run(until=NOW + 30 * MINUTE)) == {"hubspot": "ok", "salesforce": "ok"}


def test_a_long_read_of_the_last_connection_leaves_time_to_score_and_write(desk):
    slow(desk.org, desk, 10 * MINUTE)
    reports = desk.run(until=NOW + 30 * MINUTE)
    assert states(reports) == {"hubspot": "ok", "salesforce": "interrupted"}
    assert desk.shown(desk.hub, "contact", "1") is not None


def test_a_connection_counts_in_scores_once_all_of_it_was_read(desk):
    """What the store knows of the other by then, here all its contacts, waits: nobody is scored on a part."""
    pull = desk.org.pull

    def half(stream, cursor):
        if stream == "Task":
            raise Retriable("The org does not answer.")
        return pull(stream, cursor)

    desk.org.pull = half
    assert states(desk.run()) == {"hubspot": "ok", "salesforce": "parked"}
    assert {map_.connection for map_ in evaluating.scorings_for(desk.runtime())[0].maps} == {"hubspot"}
    assert desk.fields(C1).desired == {}
    desk.org.pull = pull
    assert states(desk.run()) == {"hubspot": "ok", "salesforce": "ok"}
    assert desk.shown(desk.org, "contact", C1) == desk.shown(desk.hub, "contact", "1")


def test_an_unreachable_crm_is_parked_and_the_other_goes_on_and_it_recovers(desk):
    pull = desk.hub.pull

    def unreachable(stream, cursor):
        raise Retriable("The portal does not answer.")

    desk.hub.pull = unreachable
    reports = desk.run()
    assert states(reports) == {"hubspot": "parked", "salesforce": "ok"}
    assert reports["hubspot"].reason == "The portal does not answer."
    desk.hub.pull = pull
    assert states(desk.run()) == {"hubspot": "ok", "salesforce": "ok"}
    assert desk.shown(desk.hub, "contact", "1") == desk.shown(desk.org, "contact", C1)


@pytest.fixture
def crowd(tmp_path):
    """250 contacts in the portal that all are to be written, in batches of 100."""
    opened = Desk(tmp_path, hubspot={"write": {"mode": "live", "fields": {"b2b": {"outputs": ["score"]}}}})
    for number in range(250):
        opened.hub.put(record("contact", str(number), jobtitle="Buyer"))
    yield opened
    opened.close()


def interfere(desk, at_batch, how):
    """Does something while this batch is sent."""
    push, batches = desk.hub.push, []

    def sending(updates):
        batches.append(len(updates))
        if len(batches) == at_batch:
            how()
        return push(updates)

    desk.hub.push = sending
    return batches


def pause_now(desk):
    with desk.store.begin() as tx:
        pause(tx, now=desk.now, why="stop it")


def approved(desk):
    """Lets the crowd's plan through the guard."""
    code = desk.run()["hubspot"].code
    assert code
    with desk.store.begin() as tx:
        assert approve(tx, code, micros(desk.now))


def test_a_pause_in_the_middle_of_a_push_holds_at_the_next_batch(crowd):
    approved(crowd)
    batches = interfere(crowd, 2, lambda: pause_now(crowd))
    report = crowd.run()["hubspot"]
    assert (report.state, report.written, batches) == ("paused", 200, [100, 100])
    assert "stop it" in report.reason


def test_told_to_stop_in_the_middle_of_a_push_it_ends_with_the_batch(crowd):
    approved(crowd)

    def stop():
        crowd.asked = True

    batches = interfere(crowd, 1, stop)
    report = crowd.run()["hubspot"]
    assert (report.state, report.written, batches) == ("interrupted", 100, [100])
    crowd.asked = False
    batches = interfere(crowd, 0, stop)
    assert crowd.run()["hubspot"].written == 150


def test_one_that_is_taken_over_in_its_push_sends_nothing_more(crowd):
    approved(crowd)

    def taken_over():
        crowd.now += TTL
        with crowd.store.begin() as tx:
            assert acquire(tx, "hubspot", OTHER, crowd.now)

    batches = interfere(crowd, 1, taken_over)
    report = crowd.run()["hubspot"]
    assert (report.state, batches) == ("elsewhere", [100])


def test_a_share_that_is_used_up_ends_the_push_and_says_when_it_goes_on(crowd):
    approved(crowd)

    def use_it_up():
        crowd.hub.allow(Allowance(used=900, allowed=1000, at=crowd.now))

    interfere(crowd, 2, use_it_up)
    report = crowd.run()["hubspot"]
    assert (report.state, report.written) == ("deferred_quota", 200)
    assert "calls.stop_when_org_used" in report.reason
    crowd.later(hours=2)
    assert crowd.run()["hubspot"].written == 50


def test_calls_of_a_pass_count_in_the_next_one(desk):
    desk.run()
    made = desk.hub.calls()
    counted = {row.connection: row.calls for row in desk.rows(tables.called)}
    assert counted == {"hubspot": made, "salesforce": desk.org.calls()}
    desk.hub.allow(Allowance(used=0, allowed=15 * made, at=NOW))
    assert states(desk.run()) == {"hubspot": "deferred_quota", "salesforce": "ok"}
    assert made < desk.hub.calls() < 2 * made
    desk.later(hours=25)
    assert states(desk.run()) == {"hubspot": "ok", "salesforce": "ok"}


def test_an_offline_pass_takes_no_lease_and_makes_no_call(desk):
    desk.run()
    made = desk.hub.calls()
    with desk.store.begin() as tx:
        acquire(tx, "hubspot", OTHER, desk.now)
    assert states(desk.run(pull=False, push=False)) == {"hubspot": "planned", "salesforce": "planned"}
    assert desk.hub.calls() == made
