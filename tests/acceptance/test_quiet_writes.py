"""Writes end: our own come back as no change, and a value the portal will not keep is not sent for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from sync.push import DOES_NOT_STICK
from sync.store import tables
from sync.store.values import dump, load

BUYER = {"email": "ann@firm.example", "jobtitle": "VP Sales", "company": "Firm", "country": "Norway"}


def in_quarantine(portal):
    return {(row.record, row.field): row for row in portal.rows(tables.quarantine)}


def is_quarantined(portal, contact, field):
    """Whether the value we would send is one that is not sent any more."""
    return (portal.row(contact).number, field) in in_quarantine(portal)


def minute_by_minute(portal, minutes):
    """A pass a minute: the reports, and every record sent."""
    reports = []
    with portal.writes() as writes:
        for _ in range(minutes):
            portal.advance(minutes=1)
            reports.append(portal.run())
    return reports, writes


def test_one_change_under_ten_minutes_of_index_lag_is_written_once(portals):
    portal = portals(30)
    portal.world.index_lag_s = 600
    portal.settle()
    contact = portal.add(**BUYER)

    reports, writes = minute_by_minute(portal, 30)

    assert [written for written, _ in writes] == [contact]
    assert sum(report.scored for report in reports) == 1
    assert {report.state for report in reports} == {"ok"}


def test_a_change_of_a_known_person_under_lag_is_written_once(portals):
    portal = portals(30)
    portal.world.index_lag_s = 600
    portal.settle()
    contact = next(iter(portal.contacts()))
    portal.edit(contact, jobtitle="Student")

    reports, writes = minute_by_minute(portal, 30)

    assert [written for written, _ in writes] == [contact]
    assert portal.contact(contact)["leadmark_tier"] == "F"
    assert sum(report.scored for report in reports) == 1


@pytest.mark.parametrize("lag_s", [0, 600, 4000])
def test_our_own_writes_cause_no_scoring_and_no_writes(portals, lag_s):
    portal = portals(60)
    portal.world.index_lag_s = lag_s
    assert portal.live().written == 60

    with portal.writes() as writes:
        for _ in range(12):
            portal.advance(minutes=7)
            report = portal.run()
            assert (report.state, report.scored, report.planned) == ("ok", 0, 0)

    assert writes == []


def test_a_row_written_and_never_found_by_search_is_read_by_id_once_the_lag_window_closed(portals):
    portal = portals(120)
    portal.world.index_lag_s = 9_000
    portal.live()
    contacts = sorted(portal.contacts(), key=int)
    for contact in contacts[::3]:
        portal.edit(contact, leadmark_tier="Z9")
    assert all(portal.row(contact).echo for contact in contacts)

    def by_id():
        with portal.requests() as seen:
            report = portal.run()
        return report, [entry for entry in seen if entry.target.endswith("/contacts/batch/read")]

    portal.advance(minutes=14)
    _, early = by_id()
    portal.advance(minutes=2)
    report, late = by_id()
    assert early == []
    assert len(late) == 2  # ceil(120 / 100)
    # somebody had changed the tier meanwhile: the read by id shows it, and it is put right
    assert report.written == 40
    assert all(fields["leadmark_tier"] != "Z9" for fields in portal.contacts().values())


def test_an_echo_that_was_found_by_search_is_not_read_by_id(portals):
    portal = portals(30)
    portal.live()
    portal.advance(minutes=2)
    portal.run()
    portal.advance(minutes=14)
    with portal.requests() as seen:
        portal.run()
    assert not any(entry.target.endswith("/batch/read") and "/contacts/" in entry.target for entry in seen)


REFUSED_SILENTLY = [
    ({"object": "contacts", "id": "*", "action": "ignore", "property": "leadmark_tier"}, "None"),  # the value stays
    ({"object": "contacts", "id": "*", "action": "rewrite", "property": "leadmark_tier", "value": "Z9"}, "'Z9'"),
]


@pytest.mark.parametrize(("rule", "stands"), REFUSED_SILENTLY, ids=["ignored", "rewritten by a Flow"])
def test_a_value_that_does_not_stick_is_sent_three_times_then_quarantined_with_both_values(portal, rule, stands):
    contact = portal.add(**BUYER)
    portal.faults(rule)

    reports, writes = minute_by_minute(portal, 20)

    tiers = [values["leadmark_tier"] for _, values in writes if "leadmark_tier" in values]
    assert len(tiers) == 3
    assert len(set(tiers)) == 1
    assert all(len(values) == 1 for _, values in writes[1:])  # what stuck the first time is not sent again
    (entry,) = in_quarantine(portal).values()
    assert (entry.code, entry.field) == (DOES_NOT_STICK, "leadmark_tier")
    assert entry.record == portal.row(contact).number
    assert repr(tiers[0]) in entry.message
    assert stands in entry.message
    assert [report.written for report in reports[:4]] == [1, 1, 1, 0]
    assert reports[-1].left_out == 1


@pytest.mark.parametrize(("rule", "stands"), REFUSED_SILENTLY, ids=["ignored", "rewritten by a Flow"])
def test_a_value_that_did_not_stick_goes_out_again_once_another_is_desired(portal, rule, stands):
    contact = portal.add(**BUYER)
    portal.faults(rule)
    minute_by_minute(portal, 10)
    assert is_quarantined(portal, contact, "leadmark_tier")

    portal.edit(contact, jobtitle="Student")
    _, refused_again = minute_by_minute(portal, 10)
    assert [values["leadmark_tier"] for _, values in refused_again if "leadmark_tier" in values] == ["F", "F", "F"]

    portal.no_faults()
    portal.edit(contact, jobtitle="VP Sales")
    _, writes = minute_by_minute(portal, 10)
    assert len([values for _, values in writes if "leadmark_tier" in values]) == 1
    assert not is_quarantined(portal, contact, "leadmark_tier")


def test_a_field_that_sticks_late_leaves_the_others_of_its_record_alone(portal):
    """Only the field that does not stick is held back: a later change of the others is still written."""
    contact = portal.add(**BUYER)
    portal.faults(REFUSED_SILENTLY[0][0])
    minute_by_minute(portal, 10)

    portal.edit(contact, lifecyclestage="customer")
    minute_by_minute(portal, 2)

    assert portal.contact(contact)["leadmark_mql_status"] == "Disqualified"


def test_the_three_sends_of_the_brake_are_counted_over_seven_days(portal):
    """A Flow that undoes a write once a day for three days is braked on the fourth."""
    contact = portal.add(**BUYER)
    portal.live()
    sends = 1
    for _ in range(5):
        portal.advance(days=1)
        portal.run()
        portal.edit(contact, leadmark_tier="Z9")
        portal.advance(minutes=20)
        with portal.writes() as writes:
            portal.run()
        sends += sum("leadmark_tier" in values for _, values in writes)
    assert sends == 3
    assert is_quarantined(portal, contact, "leadmark_tier")


@pytest.mark.parametrize("ahead", [-10, 10])
def test_a_clock_ten_minutes_off_changes_nothing(portals, ahead):
    portal = portals(30)
    portal.world.index_lag_s = 120
    portal.ahead = timedelta(minutes=ahead)
    portal.settle()
    contact = next(iter(portal.contacts()))
    portal.edit(contact, jobtitle="Student")

    reports, writes = minute_by_minute(portal, 20)

    assert [written for written, _ in writes] == [contact]
    assert portal.contact(contact)["leadmark_tier"] == "F"
    assert sum(report.scored for report in reports) == 1


@pytest.mark.parametrize(
    ("evening", "midnights"),
    [
        (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), [22, 47]),  # summer time ends: that day has 25 hours
        (datetime(2027, 3, 27, 20, 0, tzinfo=UTC), [23, 46]),  # summer time begins: that day has 23
    ],
)
def test_everybody_is_scored_once_a_day_also_when_the_clocks_change(portals, evening, midnights):
    portal = portals(20, now=evening)
    portal.configure(installation={"time_zone": "Europe/Berlin"})
    portal.live()
    scored = []
    for hour in range(21, 50):
        portal.advance(hours=1)
        report = portal.run()
        if report.scored:
            scored.append((hour, report.scored))
    assert scored == [(midnight, 20) for midnight in midnights]


# The second pass


@pytest.mark.parametrize("version", ["2026-09", "legacy"])
@pytest.mark.parametrize("seed", range(5))
def test_a_second_pass_over_an_unchanged_world_writes_nothing_and_scores_nobody(portals, version, seed):
    portal = portals(45, seed=seed, connection={"api_version": version})
    assert portal.live().written == 45

    with portal.writes() as writes:
        for minutes in (0, 1, 16, 61):
            portal.advance(minutes=minutes)
            report = portal.run()
            assert (report.state, report.scored, report.planned, report.suppressed) == ("ok", 0, 0, 0)

    assert writes == []


def test_a_second_pass_after_a_restart_writes_nothing_and_scores_nobody(portals):
    portal = portals(45)
    portal.live()
    portal.reopen()
    report = portal.run(full=True)
    assert (report.pulled >= 45, report.scored, report.planned) == (True, 0, 0)


def test_a_new_day_scores_everybody_and_writes_only_what_moved(portals):
    portal = portals(200)
    portal.settle()
    portal.advance(days=1)
    report = portal.run()
    assert report.scored == 200
    assert report.suppressed > 0
    assert report.written + report.suppressed <= 200
    assert report.written < 100


def test_marks_for_scoring_without_a_change_cost_work_and_change_nothing(portals):
    portal = portals(40)
    portal.settle()
    portal.execute(update(tables.person).values(stale=True))
    report = portal.run()
    assert (report.scored, report.planned) == (40, 0)


def test_a_change_whose_mark_was_lost_before_it_was_scored_is_found_by_the_next_full_pass(portals):
    portal = portals(40)
    portal.settle()
    portal.advance(hours=3)
    portal.run()  # later ones do not read the contacts again, so that what is spoilt stays so
    contact = next(one for one in sorted(portal.contacts(), key=int) if '"jobtitle"' in portal.row(one).inputs)
    number = portal.row(contact).number
    inputs = dump({**load(portal.row(contact).inputs), "jobtitle": "Student"})
    portal.execute(update(tables.record).where(tables.record.c.number == number).values(inputs=inputs))
    assert portal.run().scored == 0
    portal.advance(days=1)
    portal.live()
    assert portal.contact(contact)["leadmark_tier"] == "F"


@pytest.mark.parametrize("differs", [0, 1, 2])
def test_a_spoilt_mark_of_difference_is_mended_by_the_next_full_pass(portals, differs):
    portal = portals(40)
    portal.settle()
    contact = sorted(portal.contacts(), key=int)[3]
    portal.edit(contact, leadmark_tier="Z9")
    portal.advance(minutes=1)
    portal.run(push=False)
    portal.execute(update(tables.record).values(differs=differs))

    today = portal.run()
    assert today.written == (1 if differs == 2 else 0)
    portal.advance(days=1)
    portal.live()

    assert portal.contact(contact)["leadmark_tier"] != "Z9"
    for row in portal.rows(tables.record, tables.record.c.object == "contact", tables.record.c.state == "live"):
        observed, desired = load(row.observed), load(row.desired)
        assert (row.differs == 0) == all(value == observed.get(name) for name, value in desired.items())
