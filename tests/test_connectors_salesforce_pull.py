"""People and whom they point to, walks by stamp and id, and what any stream must survive."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Deletion, FieldUpdate, Page, Succession
from connectors.emulator.clock import to_ms
from connectors.emulator.salesforce.fields import Field
from connectors.emulator.server import Emulator
from connectors.errors import ConnectorError, Fatal
from connectors.salesforce.keyset import EARLIEST_MS
from tests.connector_conformance import Mirror
from tests.connector_stages import DAY_MS, SalesforceStage, salesforce_emulator, salesforce_stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PEOPLE = {"facts": {"title": "Title"}, "activities": {}, "outcomes": None}
DATED = PEOPLE | {"activities": {"trial": {"from": "date_field", "field": "Trial_Started__c"}}}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with salesforce_emulator() as started:
        yield started


@pytest.fixture
def stage(emulator: Emulator) -> Iterator[SalesforceStage]:
    with salesforce_stage(emulator) as opened:
        yield opened


@pytest.fixture(scope="module")
def empty() -> Iterator[SalesforceStage]:
    """One org for many examples, each of which clears its contacts."""
    with salesforce_stage() as opened:
        yield opened


def _cleared(stage: SalesforceStage) -> SalesforceStage:
    stage.org.rows["Contact"].clear()
    stage.org.cursors.clear()
    stage.org.page_rows = 0
    stage.emulator.traffic.faults.clear()
    return stage


def _pull_all(stage: SalesforceStage, mirror: Mirror, connector: Any = None) -> dict[str, int]:
    """Calls by stream."""
    connector = connector or stage.connect()
    calls = {}
    for stream in connector.streams():
        before = connector.calls()
        mirror.pull(connector, stream.name)
        calls[stream.name] = connector.calls() - before
    return calls


def _pages(stage: SalesforceStage, mirror: Mirror, stream: str, connector: Any) -> list[Page]:
    pages = list(connector.pull(stream, mirror.cursors.get(stream)))
    for page in pages:
        mirror.apply(page)
    return pages


def _add_at(stage: SalesforceStage, at_ms: int) -> str:
    row = stage.org.create("Contact", {"LastName": "Roe", "Email": "p@x.example"}, stamp_ms=at_ms, created_ms=at_ms)
    return row.id


# walks


@settings(max_examples=25)
@given(
    stamps=st.lists(st.integers(0, 4), min_size=1, max_size=30),
    page_rows=st.integers(1, 9),
    kills=st.lists(st.integers(1, 4), max_size=4),
    forgotten=st.booleans(),
)
def test_any_pages_ties_and_kills_bring_every_row(
    empty: SalesforceStage, stamps: list[int], page_rows: int, kills: list[int], *, forgotten: bool
):
    """A walk goes on from its cursor exactly, also within one stamp: no row is lost, and none comes twice."""
    stage = _cleared(empty)
    stage.org.page_rows = page_rows
    begin = stage.org.clock.now_ms() - DAY_MS
    ids = {_add_at(stage, begin + 1000 * stamp) for stamp in stamps}
    mirror, seen, connector = Mirror(), [], stage.connect(**PEOPLE)
    for stop_after in [*kills, None]:
        for nth, page in enumerate(connector.pull("contacts", mirror.cursors.get("contacts")), 1):
            mirror.apply(page)
            seen += [record.id for record in page.records]
            if forgotten:
                stage.org.cursors.clear()
            if nth == stop_after:
                break
        if "at" not in mirror.cursors["contacts"]:
            break
    assert sorted(seen) == sorted(ids)


@settings(max_examples=20)
@given(
    days=st.lists(st.integers(0, 400), min_size=1, max_size=25),
    page_rows=st.integers(2, 9),
    timeouts=st.lists(st.integers(0, 3), min_size=1, max_size=5),
)
def test_a_walk_that_takes_too_long_is_halved_and_the_parts_make_the_whole(
    empty: SalesforceStage, days: list[int], page_rows: int, timeouts: list[int]
):
    stage = _cleared(empty)
    stage.org.page_rows = page_rows
    ids = {_add_at(stage, stage.org.clock.now_ms() - DAY_MS * days_ago) for days_ago in days}
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    connector.describe()
    for skip in timeouts:
        body = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
        stage.fault({"status": 400, "body": body}, path="/query", skip=skip)
    seen = [record.id for page in _pages(stage, mirror, "contacts", connector) for record in page.records]
    assert sorted(seen) == sorted(ids)
    assert mirror.cursors["contacts"].keys() == {"v", "mark", "newest", "swept"}


def test_rows_on_either_side_of_a_seam_are_read_once(empty: SalesforceStage):
    """The first walk shows where the parts meet; the second has rows there."""
    body = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
    seams: list[int] = []
    for _ in range(2):
        stage = _cleared(empty)
        ids = {_add_at(stage, at_ms + off_ms) for at_ms in seams for off_ms in (-1, 0, 1)}
        connector = stage.connect(**PEOPLE)
        connector.describe()
        stage.fault({"status": 400, "body": body}, path="/query", times=3)
        before = len(stage.emulator.traffic.since(0))
        pages = list(connector.pull("contacts", None))
        assert sorted(record.id for page in pages for record in page.records) == sorted(ids)
        asked = [unquote_plus(entry.target) for entry in stage.emulator.traffic.since(0)[before:]]
        seams = sorted({to_ms(datetime.fromisoformat(at)) for text in asked for at in re.findall(r" < (\S+)", text)})
    assert len(seams) > 3


def test_a_locator_that_is_never_known_ends_the_pull(stage: SalesforceStage):
    connector = stage.connect(**PEOPLE)
    connector.describe()
    body = {"records": [], "done": False, "nextRecordsUrl": "/services/data/v66.0/query/0r8x-2000"}
    stage.fault({"status": 200, "body": body}, path="queryAll", times=None)
    with pytest.raises(ConnectorError, match="INVALID_QUERY_LOCATOR"):
        list(connector.pull("contacts", None))


def test_a_walk_that_always_takes_too_long_ends_with_the_error(stage: SalesforceStage):
    stage.add(3)
    connector = stage.connect(**PEOPLE)
    connector.describe()
    stage.fault({"status": 400, "body": [{"errorCode": "QUERY_TIMEOUT", "message": "no"}]}, path="query", times=None)
    with pytest.raises(ConnectorError, match="QUERY_TIMEOUT"):
        list(connector.pull("contacts", None))
    assert connector.calls() < 60


@settings(max_examples=20)
@given(
    lag_s=st.integers(0, 20 * 60),
    steps_s=st.lists(st.integers(30, 15 * 60), min_size=2, max_size=10),
    shared_stamps=st.booleans(),
)
def test_rows_that_turn_visible_late_arrive(
    empty: SalesforceStage, lag_s: int, steps_s: list[int], *, shared_stamps: bool
):
    """Within the overlap by the next pull; later ones by the slow sweep, within an hour."""
    stage = _cleared(empty)
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    mirror.pull(connector, "contacts")
    ids = set()
    for step_s in steps_s:
        ids.update(stage.add(1))
        stage.org.commit_lag_s = float(lag_s)
        ids.update(stage.add(2, stamps_ms=0 if shared_stamps else 1_000))
        stage.org.commit_lag_s = 0.0
        stage.wait(timedelta(seconds=step_s))
        mirror.pull(connector, "contacts")
    stage.wait(timedelta(seconds=lag_s))
    if lag_s > 10 * 60:
        stage.wait(HOUR - timedelta(seconds=lag_s))
    mirror.pull(connector, "contacts")
    assert mirror.living() == ids


def test_the_slow_sweep_is_no_call_more_and_comes_once_an_hour(stage: SalesforceStage):
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    mirror.pull(connector, "contacts")
    begun = []
    for _ in range(14):
        stage.wait(10 * MINUTE)
        before = stage.queries("Contact")
        mirror.pull(connector, "contacts")
        assert stage.queries("Contact") == before + 1
        target = [entry.target for entry in stage.emulator.traffic.since(0) if "FROM+Contact+" in entry.target][-1]
        at = datetime.fromisoformat(target.partition("%3E%3D+")[2].partition("+")[0].replace("%3A", ":"))
        begun.append((stage.now() - at) // MINUTE)
    # the mark of an idle stream stays 15 minutes behind, so a pull looks back 35 minutes, and a sweep an hour more
    assert begun == [35, 35, 35, 35, 35, 155, 35, 35, 35, 35, 35, 155, 35, 35]


def test_a_row_from_the_future_does_not_carry_the_mark_away(stage: SalesforceStage):
    _add_at(stage, stage.org.clock.now_ms() + DAY_MS)
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    mirror.pull(connector, "contacts")
    assert EARLIEST_MS < mirror.cursors["contacts"]["mark"] <= stage.org.clock.now_ms()
    (new,) = stage.add(1)
    mirror.pull(connector, "contacts")
    assert new in mirror.living()


def test_a_clock_of_ours_that_is_wrong_moves_no_mark(stage: SalesforceStage):
    ids = stage.add(2)
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    honest = stage.now
    stage.now = lambda: honest() + 3 * HOUR
    connector = stage.connect(**PEOPLE)
    mirror.pull(connector, "contacts")
    stage.wait(MINUTE)
    stage.change(ids[0], "changed")
    mirror.pull(connector, "contacts")
    assert mirror.records[ids[0]].values["Title"] == "changed"
    assert mirror.cursors["contacts"]["mark"] <= stage.org.clock.now_ms()


def test_an_idle_stream_costs_one_query(stage: SalesforceStage):
    _fill(stage)
    connector, mirror = stage.connect(), Mirror()
    _pull_all(stage, mirror, connector)
    stage.wait(30 * MINUTE)
    _pull_all(stage, mirror, connector)
    stage.wait(MINUTE)
    assert set(_pull_all(stage, mirror, connector).values()) == {1}
    allowance = connector.allowance()
    assert allowance is not None
    assert (allowance.used, allowance.allowed) == (stage.org.allowance.used_today, 100_000)


# records


def test_a_record_as_it_is_read(stage: SalesforceStage):
    org = stage.org
    account = org.create("Account", {"Name": "Acme", "Industry": "Energy"}).id
    individual = org.create("Individual", {"LastName": "Roe", "HasOptedOutProfiling": True}).id
    row = org.create(
        "Contact",
        {
            "LastName": "Roe",
            "Email": " Ann@X.example ",
            "Title": " Chief \r\nOfficer ",
            "AccountId": account,
            "IndividualId": individual,
            "Leadmark_Score__c": 81.456,
            "Leadmark_Mql_Since__c": "2026-11-02",
        },
        created_ms=org.clock.now_ms() - DAY_MS,
    )
    mirror = Mirror()
    _pull_all(stage, mirror)
    record = mirror.records[row.id]
    assert record.values == {
        "Title": "Chief \nOfficer",
        "Leadmark_Score__c": 81.46,
        "Leadmark_Tier__c": None,
        "Leadmark_Mql_Since__c": date(2026, 11, 2),
    }
    assert record.parents == {"account": account, "user": org.person_id, "individual": individual}
    assert record.emails == ("ann@x.example",)
    assert (record.stamp_at, record.created_at) == (stage.now(), stage.now() - timedelta(days=1))
    assert mirror.records[account].values == {"Industry": "Energy"}
    assert mirror.records[individual].values == {"HasOptedOutProfiling": True}
    assert mirror.records[org.person_id].values == {"Email": "ada.sands@seller.example.invalid"}
    assert {mirror.records[id_].object for id_ in (row.id, account, individual)} == {
        "contact",
        "account",
        "individual",
    }


def test_an_owner_that_is_a_queue_is_no_user(stage: SalesforceStage):
    row = stage.org.create("Lead", {"LastName": "Roe", "OwnerId": "00G5g000000AAAAEAA"})
    mirror = Mirror()
    mirror.pull(stage.connect(), "leads")
    assert mirror.records[row.id].parents == {}


def test_an_account_follows_its_own_stamp(stage: SalesforceStage):
    account = stage.org.create("Account", {"Name": "Acme", "Industry": "Energy"}).id
    connector, mirror = stage.connect(), Mirror()
    mirror.pull(connector, "accounts")
    stage.wait(2 * HOUR)
    stage.org.edit("Account", account, {"Industry": "Banking"})
    mirror.pull(connector, "accounts")
    assert mirror.records[account].values == {"Industry": "Banking"}


def test_scope_fields_come_under_their_paths(stage: SalesforceStage):
    kind = stage.org.create("RecordType", {"Name": "Sales", "DeveloperName": "Sales", "SobjectType": "Lead"}).id
    with_kind = stage.org.create("Lead", {"LastName": "Roe", "Company": "Acme", "RecordTypeId": kind}).id
    without = stage.org.create("Lead", {"LastName": "Poe", "Company": "Acme"}).id
    scope = {"lead": {"all": [{"recordtype.developername": "Sales"}, {"company": {"contains": "c"}}]}}
    mirror = Mirror()
    mirror.pull(stage.connect(**PEOPLE, scope=scope), "leads")
    values = mirror.records[with_kind].values
    assert (values["recordtype.developername"], values["company"]) == ("Sales", "Acme")
    assert mirror.records[without].values["recordtype.developername"] is None


def test_fields_are_found_whatever_their_capitals(stage: SalesforceStage):
    stage.org.create("Contact", {"LastName": "Roe", "Title": "Chief"})
    connector = stage.connect(facts={"title": "TITLE", "again": "title"}, activities={}, outcomes=None)
    mirror = Mirror()
    mirror.pull(connector, "contacts")
    (record,) = mirror.records.values()
    assert (record.values["TITLE"], record.values["title"]) == ("Chief", "Chief")
    assert connector.describe()["contact"]["TITLE"].type == "text"


def test_more_fields_than_an_address_holds_are_joined(stage: SalesforceStage):
    names = [f"Fact_number_{number:03d}_with_a_long_name__c" for number in range(300)]
    for name in names:
        stage.org.objects["Contact"].fields[name] = Field(name=name, length=80, custom=True)
    ids = [stage.org.create("Contact", {"LastName": "R", names[299]: f"v{number}"}).id for number in range(130)]
    gone = stage.org.create("Contact", {"LastName": "R"}).id
    stage.org.delete("Contact", gone)
    facts = {f"f{number}": {"contact": name} for number, name in enumerate(names)}
    mirror = Mirror()
    mirror.pull(stage.connect(facts=facts, activities={}, outcomes=None), "contacts")
    assert [mirror.records[id_].values[names[299]] for id_ in ids] == [f"v{number}" for number in range(130)]
    assert gone not in mirror.records
    assert max(len(entry.target) for entry in stage.emulator.traffic.since(0)) < 13_000


# what becomes of records


def test_deleted_and_taken_back(stage: SalesforceStage):
    ids = stage.add(3)
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    mirror.pull(connector, "contacts")
    stage.wait(MINUTE)
    stage.delete(ids[1])
    (page,) = _pages(stage, mirror, "contacts", connector)
    assert Deletion(object="contact", id=ids[1]) in page.deletions
    assert ids[1] not in mirror.living()
    stage.wait(MINUTE)
    stage.org.undelete("Contact", ids[1])
    mirror.pull(connector, "contacts")
    assert mirror.living() == set(ids)


@pytest.mark.parametrize("object_", ["Lead", "Contact"])
def test_a_merge_says_who_stands_for_whom(stage: SalesforceStage, object_: str):
    ids = stage.add(3, object_=object_)
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    stream = f"{object_.lower()}s"
    mirror.pull(connector, stream)
    stage.wait(MINUTE)
    stage.merge(ids[0], ids[2])
    (page,) = _pages(stage, mirror, stream, connector)
    of = object_.lower()
    assert list(page.successions) == [Succession(object=of, id=ids[2], into_object=of, into_id=ids[0])]
    assert not page.deletions
    assert ids[2] not in {record.id for record in page.records}


def test_accounts_merged_say_so_too(stage: SalesforceStage):
    first, second = (stage.org.create("Account", {"Name": name, "Industry": "Energy"}).id for name in ("A", "B"))
    stage.org.merge("Account", first, second)
    (page,) = stage.connect().pull("accounts", None)
    assert [record.id for record in page.records] == [first]
    assert [(one.object, one.id, one.into_id) for one in page.successions] == [("account", second, first)]


def test_a_converted_lead_is_still_read_and_names_its_contact(stage: SalesforceStage):
    (lead,) = stage.add(1, object_="Lead")
    contact = stage.org.convert(lead).id
    connector = stage.connect(**PEOPLE)
    (page,) = connector.pull("leads", None)
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    expected = Succession(object="lead", id=lead, into_object="contact", into_id=contact, converted=True, at=noon)
    assert (list(page.successions), [record.id for record in page.records]) == ([expected], [lead])
    by_id = connector.read("lead", [lead])
    assert (list(by_id.successions), [record.id for record in by_id.records]) == ([expected], [lead])


def test_ids_are_read_in_portions_and_those_unknown_are_gone(stage: SalesforceStage):
    ids = stage.add(230)
    stage.delete(ids[200])
    stage.merge(ids[0], ids[1])
    unknown = "0035g0000000000AAA"
    connector = stage.connect(**PEOPLE)
    page = connector.read("contact", [*ids, unknown, ids[5]])
    assert {record.id for record in page.records} == set(ids) - {ids[1], ids[200]}
    assert {deletion.id for deletion in page.deletions} == {ids[200], unknown}
    assert [(one.id, one.into_id) for one in page.successions] == [(ids[1], ids[0])]
    assert not connector.read("contact", []).records


def test_only_records_are_read_by_id(stage: SalesforceStage):
    with pytest.raises(ValueError, match="outcome"):
        stage.connect().read("outcome", ["00K5g0000000000AAA"])


# dates


def test_each_new_value_of_a_mapped_date_is_an_activity(stage: SalesforceStage):
    ids = stage.add(2)
    connector, mirror = stage.connect(**DATED), Mirror()
    for value in ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z", None, "2026-11-03T10:00:00Z"):
        stage.org.edit("Contact", ids[0], {"Trial_Started__c": value})
        stage.wait(20 * MINUTE)
        mirror.pull(connector, "contacts")
    found = sorted(mirror.activities.values(), key=lambda activity: activity.at)
    assert [activity.at.isoformat() for activity in found] == ["2026-11-01T09:00:00+00:00", "2026-11-03T10:00:00+00:00"]
    assert {(one.source, one.records, one.attributes["field"].id) for one in found} == {
        ("date_field", (ids[0],), "Trial_Started__c")
    }


def test_a_date_without_an_hour_is_at_noon(stage: SalesforceStage):
    stage.org.create("Lead", {"LastName": "Roe", "Need_Date__c": "2026-12-24"})
    activities = {"need": {"from": "date_field", "field": "Need_Date__c"}}
    (page,) = stage.connect(**PEOPLE | {"activities": activities}).pull("leads", None)
    assert [one.at for one in page.activities] == [datetime(2026, 12, 24, 12, tzinfo=UTC)]


@pytest.mark.parametrize("pulled_before", [False, True])
def test_neither_merge_nor_conversion_doubles_a_date(stage: SalesforceStage, *, pulled_before: bool):
    """The winner and the contact hold the date too; a date that only the lead holds stays with it."""
    trial = {"Trial_Started__c": "2026-11-01T09:00:00Z"}
    contacts, leads = stage.add(2), stage.add(2, object_="Lead")
    for id_ in (*contacts, *leads):
        stage.org.edit(stage.org.object_of(id_), id_, trial)
    connector, mirror = stage.connect(**DATED), Mirror()
    if pulled_before:
        _pull_all(stage, mirror, connector)
        assert len(mirror.activities) == 4
    stage.wait(20 * MINUTE)
    winner = stage.merge(*contacts)
    contact = stage.org.convert(leads[0]).id
    stage.org.conversion_mapping = False
    stage.org.convert(leads[1])
    _pull_all(stage, mirror, connector)
    assert {activity.records for activity in mirror.activities.values()} == {(winner,), (contact,), (leads[1],)}


def test_a_date_that_is_no_date_is_named(stage: SalesforceStage):
    activities = {"trial": {"from": "date_field", "field": "Title"}}
    with pytest.raises(Fatal, match="Title of Contact is no date"):
        list(stage.connect(**PEOPLE | {"activities": activities}).pull("contacts", None))


# fields that are not shown


def _hide(stage: SalesforceStage, object_: str, name: str) -> Field:
    field = stage.org.objects[object_].fields[name]
    field.readable = False
    return field


@pytest.mark.parametrize("when", ["before", "within the hour", "between two pages"])
def test_a_needed_field_that_is_hidden_stops_the_pull(stage: SalesforceStage, when: str):
    """Read on, it would be empty for everybody."""
    stage.add(250)
    connector, mirror = stage.connect(**PEOPLE), Mirror()
    if when == "within the hour":
        mirror.pull(connector, "contacts")
        stage.wait(10 * MINUTE)
    pages = connector.pull("contacts", None)
    if when == "between two pages":
        next(pages)
        stage.wait(10 * MINUTE)
        stage.org.cursors.clear()
    field = _hide(stage, "Contact", "Title")
    with pytest.raises(Fatal, match="no field Title of Contact"):
        list(pages)
    field.readable = True
    stage.wait(2 * MINUTE)
    mirror.pull(connector, "contacts")
    assert len(mirror.records) == 250


@pytest.mark.parametrize("hidden", ["Email", "AccountId"])
def test_what_says_who_somebody_is_is_needed(stage: SalesforceStage, hidden: str):
    _hide(stage, "Contact", hidden)
    with pytest.raises(Fatal, match=hidden):
        list(stage.connect().pull("contacts", None))


@pytest.mark.parametrize("when", ["before", "within the hour"])
def test_an_optional_field_that_is_hidden_is_told_and_left_out(stage: SalesforceStage, when: str):
    (id_,) = stage.add(1)
    stage.org.edit("Contact", id_, {"Budget__c": 5})
    facts = {"title": "Title", "budget": {"contact": "Budget__c", "optional": True}}
    connector, mirror = stage.connect(facts=facts, activities={}, outcomes=None), Mirror()
    if when == "within the hour":
        mirror.pull(connector, "contacts")
        assert (mirror.records[id_].values["Budget__c"], connector.hidden()) == (5, {})
        stage.wait(10 * MINUTE)
    _hide(stage, "Contact", "Budget__c")
    stage.change(id_, "changed")
    mirror.pull(connector, "contacts")
    assert mirror.records[id_].values["Title"] == "changed"
    assert "Budget__c" not in mirror.records[id_].values
    assert connector.hidden() == {"contact": ["Budget__c"]}


def test_an_optional_object_that_is_not_there_is_told(stage: SalesforceStage):
    kept = stage.org.objects.pop("Individual")
    pointers = {of: stage.org.objects[of].fields.pop("IndividualId") for of in ("Lead", "Contact")}
    stage.add(1)
    connector, mirror = stage.connect(), Mirror()
    mirror.pull(connector, "individuals")
    mirror.pull(connector, "contacts")
    assert connector.describe()["individual"] == {}
    assert connector.hidden() == {"individual": ["HasOptedOutProfiling"]}
    stage.org.objects["Individual"] = kept
    for of, pointer in pointers.items():
        stage.org.objects[of].fields["IndividualId"] = pointer
    stage.wait(2 * HOUR)
    old = stage.org.create("Individual", {"LastName": "Roe"}, stamp_ms=stage.org.clock.now_ms() - 100 * DAY_MS).id
    mirror.pull(connector, "individuals")
    assert mirror.records[old].values == {"HasOptedOutProfiling": False}
    assert connector.hidden() == {}


def test_a_needed_object_that_is_not_there_stops(stage: SalesforceStage):
    del stage.org.objects["Account"]
    with pytest.raises(Fatal, match="no Account"):
        stage.connect().describe()


def test_an_output_not_created_yet_does_not_stop_the_pull(stage: SalesforceStage):
    (id_,) = stage.add(1)
    del stage.org.objects["Contact"].fields["Leadmark_Tier__c"]
    mirror = Mirror()
    mirror.pull(stage.connect(), "contacts")
    assert "Leadmark_Tier__c" not in mirror.records[id_].values


def test_a_date_needs_to_be_on_one_of_lead_and_contact(stage: SalesforceStage):
    del stage.org.objects["Lead"].fields["Trial_Started__c"]
    (lead,) = stage.add(1, object_="Lead")
    mirror = Mirror()
    _pull_all(stage, mirror, stage.connect(**DATED))
    assert lead in mirror.records
    del stage.org.objects["Contact"].fields["Trial_Started__c"]
    with pytest.raises(Fatal, match="Trial_Started__c"):
        list(stage.connect(**DATED).pull("leads", None))


# the connection


def test_definitions_are_remembered_for_an_hour(stage: SalesforceStage):
    connector = stage.connect(**PEOPLE)
    connector.account()
    before = connector.calls()
    for minutes, calls in ((0, 2), (59, 2), (2, 4)):
        stage.wait(minutes * MINUTE)
        connector.describe()
        assert connector.calls() - before == calls


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_account_tells_production_from_a_sandbox(stage: SalesforceStage, *, sandbox: bool):
    stage.org.is_sandbox = sandbox
    account = stage.connect().account()
    assert (account.id, account.production, account.time_zone) == ("00D5g000004XyzAEAS", not sandbox, "Europe/Berlin")


def test_a_stream_nobody_knows_is_a_mistake(stage: SalesforceStage):
    with pytest.raises(KeyError):
        stage.connect().pull("cases", None)


def test_before_any_call_nothing_is_known_of_the_allowance(stage: SalesforceStage):
    connector = stage.connect()
    assert connector.allowance() is None
    assert connector.hidden() == {}
    assert connector.calls() == 0


# failures


def _fill(stage: SalesforceStage) -> None:
    org = stage.org
    org.page_rows = 20
    contacts, leads = stage.add(30), stage.add(25, object_="Lead")
    campaign = org.create("Campaign", {"Name": "Expo", "Type": "Webinar"}).id
    for nth, id_ in enumerate(contacts):
        stage.close_task(id_)
        org.create("CampaignMember", {"CampaignId": campaign, "ContactId": id_, "Status": "Responded"})
        if nth % 2:
            org.create("Event", {"WhoId": id_, "StartDateTime": "2026-11-02T09:00:00Z"})
    account = org.create("Account", {"Name": "Acme", "Industry": "Energy"}).id
    deal = org.create("Opportunity", {"Name": "D", "AccountId": account, "CloseDate": "2026-12-01"}).id
    org.create("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contacts[3]})
    org.convert(leads[4])
    stage.merge(leads[0], leads[1])
    stage.delete(contacts[9])
    stage.wait(MINUTE)


#: one of those a call outlives by itself, and those that end a pass or a walk
FAULTS: tuple[dict[str, Any], ...] = (
    {"drop": "after_apply"},
    {"status": 400, "body": [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]},
    {"status": 403, "body": [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]},
)


@pytest.mark.parametrize("do", FAULTS, ids=str)
def test_whichever_call_fails_the_next_pass_ends_the_same(stage: SalesforceStage, do: dict[str, Any]):
    """Call k goes wrong, for every k; where a pass ends with an error, the next one goes on from the stored cursors."""
    _fill(stage)
    whole = Mirror()
    calls = sum(_pull_all(stage, whole).values())
    assert calls >= 20
    for k in range(calls):
        stage.emulator.traffic.faults.clear()
        stage.fault(do, skip=k)
        mirror = Mirror()
        try:
            _pull_all(stage, mirror)
        except ConnectorError:
            stage.emulator.traffic.faults.clear()
            _pull_all(stage, mirror)
        assert mirror.records == whole.records
        assert mirror.activities.keys() == whole.activities.keys()
        assert mirror.aliases == whole.aliases


def test_a_kill_after_any_page_of_any_stream_loses_nothing(stage: SalesforceStage):
    _fill(stage)
    whole = Mirror()
    connector = stage.connect()
    _pull_all(stage, whole, connector)
    for stream in connector.streams():
        complete = Mirror()
        for pages in range(complete.pull(connector, stream.name)):
            mirror = Mirror()
            mirror.pull(connector, stream.name, pages=pages)
            mirror.pull(connector, stream.name)
            assert mirror.records == complete.records
            assert mirror.activities.keys() == complete.activities.keys()


@pytest.mark.parametrize(
    "rows", [[{}], [None], [{"Id": "1"}], {"a": 1}, [{"Id": "1", "SystemModstamp": "soon"}]], ids=str
)
def test_an_answer_of_another_form_is_an_error_of_the_connector(stage: SalesforceStage, rows: Any):
    connector = stage.connect()
    connector.describe()
    stage.fault({"status": 200, "body": {"records": rows, "fields": rows, "done": True}}, times=None)
    for stream in connector.streams():
        cursor = {"v": 1, "mark": 10**12, "newest": 10**12, "swept": 10**12, "last": {}}
        for begin in (None, cursor):
            with suppress(ConnectorError):
                list(connector.pull(stream.name, begin))
    for act in (connector.account, connector.describe, lambda: connector.read("contact", ["1"])):
        with suppress(ConnectorError):
            act()
    with suppress(ConnectorError):
        connector.push([FieldUpdate(object="contact", record_id="1", values={"Leadmark_Score__c": 1})])
