"""Contacts, companies and owners, and what any stream must survive."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import pytest

from connectors.base import Deletion, FieldUpdate
from connectors.errors import ConnectorError, Fatal
from tests.connector_conformance import Mirror
from tests.connector_stages import DAY_MS, FORM, HubSpotStage, hubspot_settings, hubspot_stage

MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage() -> Iterator[HubSpotStage]:
    with hubspot_stage() as opened:
        yield opened


def _pull_all(stage: HubSpotStage, mirror: Mirror, connector: Any = None) -> dict[str, int]:
    """Calls by stream."""
    connector = connector or stage.connect()
    calls = {}
    for stream in connector.streams():
        before = connector.calls()
        mirror.pull(connector, stream.name)
        calls[stream.name] = connector.calls() - before
    return calls


def _change_all(stage: HubSpotStage, ids: list[str], *, apart_ms: int) -> None:
    for id_ in ids:
        stage.change(id_, "changed")
        stage.world.clock.advance(apart_ms / 1000)


@pytest.mark.parametrize(
    ("count", "apart_ms", "remark"),
    [
        (10_001, 1, "one past the limit of a search"),
        (25_000, 1, "several times the limit"),
        (10_001, 0, "all in one millisecond"),
        (12_000, 0, "all in one millisecond"),
    ],
)
def test_all_changes_arrive_however_many(stage: HubSpotStage, count: int, apart_ms: int, remark: str):
    ids = stage.add(count)
    stage.wait(timedelta(hours=3))
    mirror = Mirror()
    mirror.pull(stage.connect(), "contacts")
    stage.wait(timedelta(hours=2))
    _change_all(stage, ids, apart_ms=apart_ms)
    connector = stage.connect()
    mirror.pull(connector, "contacts")
    assert {record.values["jobtitle"] for record in mirror.records.values()} == {"changed"}, remark
    if apart_ms:
        # each search but the first repeats one row; each chunk of 10,000 ends a page early
        assert connector.calls() - 1 <= ceil(count / 199) + ceil(count / 9_950)
    else:
        assert connector.calls() - 1 <= 2 * ceil(count / 199) + 2


def test_a_first_load_costs_a_call_per_hundred(stage: HubSpotStage):
    stage.add(1_000)
    connector = stage.connect()
    connector.describe()
    before = connector.calls()
    list(connector.pull("contacts", None))
    assert connector.calls() - before == 10


@pytest.mark.parametrize(("changed", "calls"), [(0, 1), (1, 1), (199, 1), (200, 1), (201, 2), (399, 2)])
def test_a_delta_costs_a_call_per_two_hundred_changes(stage: HubSpotStage, changed: int, calls: int):
    ids = stage.add(400)
    stage.wait(timedelta(hours=3))
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    stage.wait(timedelta(hours=2))
    _change_all(stage, ids[:changed], apart_ms=3)
    connector.describe()
    before = connector.calls()
    mirror.pull(connector, "contacts")
    assert connector.calls() - before == calls


def test_an_idle_pass_costs_one_call_per_stream_even_in_the_hour_of_the_sweep(stage: HubSpotStage):
    ids = stage.add(300)
    stage.act(stage.email(ids[0]))
    stage.wait(timedelta(hours=3))
    mirror, connector = Mirror(), stage.connect()
    _pull_all(stage, mirror, connector)
    stage.wait(20 * MINUTE)
    for _ in range(9):
        stage.wait(10 * MINUTE)
        calls = _pull_all(stage, mirror, connector)
        # the definitions are asked for again once an hour, when a page has records
        assert calls == dict.fromkeys(calls, 1)
        assert len(calls) == 10


def test_our_own_writes_are_read_again_for_a_while_only(stage: HubSpotStage):
    ids = stage.add(1_000)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    stage.wait(timedelta(hours=2))
    _change_all(stage, ids, apart_ms=1)
    calls = []
    for _ in range(8):
        before = connector.calls()
        mirror.pull(connector, "contacts")
        calls.append(connector.calls() - before)
        stage.wait(5 * MINUTE)
    assert calls[0] <= 7
    assert calls[-3:] == [1, 1, 1]


@pytest.mark.parametrize("lag", [30, 120, 300, 420])
def test_nothing_is_lost_to_an_index_that_lags(stage: HubSpotStage, lag: int):
    """Somebody changes a contact every 20 seconds; a pass a minute; each change arrives within the lag and one pass."""
    ids = stage.add(100)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    stage.world.index_lag_s = lag
    changed: dict[str, datetime] = {}
    for step in range(90):
        stage.change(ids[step], "changed")
        changed[ids[step]] = stage.now()
        stage.wait(timedelta(seconds=20))
        if step % 3 == 2:
            mirror.pull(connector, "contacts")
            due = [id_ for id_, at in changed.items() if at <= stage.now() - timedelta(seconds=lag)]
            assert {mirror.records[id_].values["jobtitle"] for id_ in due} <= {"changed"}


def test_a_change_shown_ten_minutes_late_arrives_when_it_is_the_only_one(stage: HubSpotStage):
    ids = stage.add(10, stamps_ms=DAY_MS)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    stage.wait(timedelta(hours=1))
    mirror.pull(connector, "contacts")
    stage.world.index_lag_s = 600
    stage.change(ids[3], "changed")
    for _ in range(11):
        stage.wait(MINUTE)
        mirror.pull(connector, "contacts")
    assert mirror.records[ids[3]].values["jobtitle"] == "changed"


def test_the_hourly_sweep_finds_what_was_shown_later_still(stage: HubSpotStage):
    ids = stage.add(100)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    stage.world.index_lag_s = 40 * 60
    stage.change(ids[0], "late")
    stage.world._index_lag_ms = 0  # what comes after is shown at once
    for step in range(1, 100):
        stage.change(ids[step], "changed")
        stage.wait(MINUTE)
        mirror.pull(connector, "contacts")
    assert mirror.records[ids[0]].values["jobtitle"] == "late"


def test_rows_that_move_while_pages_are_read_are_not_skipped(stage: HubSpotStage):
    ids = stage.add(1_000)
    mirror = Mirror()
    mirror.pull(stage.connect(), "contacts")
    stage.wait(timedelta(hours=3))
    _change_all(stage, ids, apart_ms=1)
    stage.wait(timedelta(hours=3))
    connector = stage.connect()
    for number, page in enumerate(connector.pull("contacts", mirror.cursors["contacts"])):
        mirror.apply(page)
        if number < 3:
            for id_ in ids[number * 50 : number * 50 + 20]:
                stage.change(id_, "again")
    stage.wait(10 * MINUTE)
    mirror.pull(stage.connect(), "contacts")
    held = stage.world.tables["contacts"]
    assert {id_: record.values["jobtitle"] for id_, record in mirror.records.items()} == {
        str(row.id): row.now.properties["jobtitle"] for row in held.live()
    }


@pytest.mark.parametrize("off", [timedelta(minutes=-10), timedelta(minutes=10)])
def test_a_clock_ten_minutes_off_loses_nothing(stage: HubSpotStage, off: timedelta, monkeypatch: pytest.MonkeyPatch):
    ids = stage.add(50)
    true_now = stage.now
    monkeypatch.setattr(stage, "now", lambda: true_now() + off)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts", pages=None)
    for step in range(50):
        stage.wait(timedelta(seconds=50))
        stage.change(ids[step], "changed")
        mirror.pull(connector, "contacts")
    mirror.pull(connector, "contacts")
    assert {record.values["jobtitle"] for record in mirror.records.values()} == {"changed"}


def test_archived_contacts_are_listed_once_a_day(stage: HubSpotStage):
    ids = stage.add(150)
    stage.wait(timedelta(hours=3))
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    for id_ in ids[:120]:
        stage.delete(id_)
    archived = []
    for _ in range(50):
        stage.wait(timedelta(hours=1))
        before = connector.calls()
        mirror.pull(connector, "contacts")
        archived.append(connector.calls() - before - 1)
    assert mirror.living() == set(ids[120:])
    assert sorted(archived) == [0] * 48 + [2, 2]


def test_only_what_is_mapped_and_what_says_who_it_is_is_asked_for(stage: HubSpotStage):
    stage.add(1)
    mirror = Mirror()
    mirror.pull(stage.connect(), "contacts")
    target = next(entry.target for entry in stage.emulator.traffic.since(0) if "objects" in entry.target)
    assert target.count("properties=") == 8 + 5
    assert set(next(iter(mirror.records.values())).values) == {
        "jobtitle",
        "trial_started",
        "leadmark_score",
        "leadmark_tier",
        "leadmark_mql_since",
    }


def test_a_record_is_read_canonically(stage: HubSpotStage):
    company = stage.world.create("companies", {"industry": "COMPUTER_SOFTWARE"})
    row = stage.world.create(
        "contacts",
        {
            "email": " Ann@X.Example ",
            "hs_additional_emails": "b@x.example;ANN@x.example",
            "jobtitle": " Head\r\nof Sales ",
            "leadmark_score": "55.0",
            "leadmark_mql_since": "2026-11-03",
            "trial_started": "some day",
            "associatedcompanyid": str(company.id),
            "hubspot_owner_id": "301",
        },
    )
    page = next(stage.connect().pull("contacts", None))
    record = page.records[0]
    assert record.values == {
        "jobtitle": "Head\nof Sales",
        "trial_started": None,
        "leadmark_score": 55,
        "leadmark_tier": None,
        "leadmark_mql_since": datetime(2026, 11, 3, tzinfo=UTC).date(),
    }
    assert record.unreadable == ("trial_started",)
    assert record.emails == ("ann@x.example", "b@x.example")
    assert record.parents == {"company": str(company.id), "owner": "301"}
    assert (record.id, record.stamp_at, record.created_at) == (str(row.id), stage.now(), stage.now())


@pytest.mark.parametrize(
    ("one", "other"), [("2001;2002", ""), ("", "2001:1700000000000;2002:1700000000001"), ("2001", "2002:17")]
)
def test_either_merge_property_may_lack_ids(stage: HubSpotStage, one: str, other: str):
    values = {"hs_merged_object_ids": one, "hs_calculated_merged_vids": other}
    stage.world.create("contacts", {name: value for name, value in values.items() if value})
    page = next(stage.connect().pull("contacts", None))
    assert page.records[0].aliases == ("2001", "2002")


def test_each_new_value_of_a_mapped_date_is_an_activity(stage: HubSpotStage):
    ids = stage.add(2)
    mirror, connector = Mirror(), stage.connect()
    values = ["2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z", "", "2026-11-03T10:00:00.500Z"]
    for value in values:
        stage.world.edit("contacts", ids[0], {"trial_started": value})
        stage.wait(20 * MINUTE)
        mirror.pull(connector, "contacts")
    found = sorted(mirror.activities.values(), key=lambda activity: activity.at)
    assert [activity.at.isoformat() for activity in found] == [
        "2026-11-01T09:00:00+00:00",
        "2026-11-03T10:00:00.500000+00:00",
    ]
    assert {(activity.source, activity.records) for activity in found} == {("date_property", (ids[0],))}
    assert found[0].attributes["property"].id == "trial_started"


def test_a_merge_does_not_double_a_date(stage: HubSpotStage):
    ids = stage.add(2)
    for id_ in ids:
        stage.world.edit("contacts", id_, {"trial_started": "2026-11-01T09:00:00Z"})
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    assert len(mirror.activities) == 2
    survivor = stage.merge(*ids)
    stage.wait(20 * MINUTE)
    mirror.pull(connector, "contacts")
    assert [activity.records for activity in mirror.activities.values()] == [(survivor,)]


def test_companies_follow_their_own_stamp(stage: HubSpotStage):
    rows = [stage.world.create("companies", {"industry": "COMPUTER_SOFTWARE"}) for _ in range(150)]
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "companies")
    stage.wait(timedelta(hours=2))
    stage.world.edit("companies", rows[3].id, {"industry": "INSURANCE"})
    before = connector.calls()
    mirror.pull(connector, "companies")
    assert connector.calls() - before <= 2
    assert mirror.records[str(rows[3].id)].values == {"industry": "INSURANCE"}
    assert mirror.records[str(rows[3].id)].object == "company"


def test_owners_are_read_whole_each_time(stage: HubSpotStage):
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "owners")
    assert set(mirror.records) == set(stage.world.owners)
    assert all(set(record.values) == {"email"} and not record.emails for record in mirror.records.values())
    number = max(stage.world.owners)
    stage.world.owners["399"] = stage.world.owners[number]
    mirror.pull(connector, "owners")
    assert "399" in mirror.records


def test_a_mapped_property_that_is_gone_stops_the_pull(stage: HubSpotStage):
    """HubSpot leaves it out without a word; read so, it would be empty for everybody."""
    ids = stage.add(3)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    stage.wait(10 * MINUTE)
    for id_ in ids:
        stage.change(id_, "changed")
    definition = stage.world.definitions["contacts"].pop("jobtitle")
    with pytest.raises(Fatal, match="jobtitle"):
        mirror.pull(connector, "contacts")
    assert "jobtitle" not in connector.describe()["contact"]
    stage.world.definitions["contacts"]["jobtitle"] = definition
    stage.wait(2 * MINUTE)
    mirror.pull(connector, "contacts")
    assert {record.values["jobtitle"] for record in mirror.records.values()} == {"changed"}


def test_an_optional_property_that_is_not_there_stops_nothing(stage: HubSpotStage):
    """And costs no call: definitions are asked for once."""
    stage.add(250)
    facts = {"title": {"columns": {"contact": "jobtitle"}}, "need": {"columns": {"contact": "need"}, "optional": True}}
    mirror, connector = Mirror(), stage.connect(facts=facts, activities={})
    mirror.pull(connector, "contacts")
    assert len(mirror.records) == 250
    assert connector.hidden() == {"contact": ["need"]}
    asked = [entry.target for entry in stage.emulator.traffic.since(0) if "/properties/" in entry.target]
    assert len(asked) == 1


def test_an_output_not_created_yet_does_not_stop_the_pull(stage: HubSpotStage):
    stage.add(250)
    del stage.world.definitions["contacts"]["leadmark_tier"]
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    assert len(mirror.records) == 250
    assert "leadmark_tier" not in next(iter(mirror.records.values())).values
    assert connector.calls() == 3 + 1


def test_a_stream_nobody_asked_for_is_a_mistake(stage: HubSpotStage):
    with pytest.raises(KeyError):
        stage.connect().pull("tickets", None)


def test_definitions_are_remembered_for_an_hour(stage: HubSpotStage):
    connector = stage.connect()
    for minutes, calls in ((0, 3), (59, 3), (2, 6)):
        stage.wait(minutes * MINUTE)
        connector.describe()
        assert connector.calls() == calls


@pytest.mark.parametrize(("kind", "production"), [("STANDARD", True), ("SANDBOX", False), ("DEVELOPER_TEST", False)])
def test_the_account_tells_production_from_the_rest(stage: HubSpotStage, *, kind: str, production: bool):
    stage.world.account_type = kind
    stage.world.time_zone = "US/Eastern"
    account = stage.connect().account()
    assert (account.id, account.production, account.time_zone) == ("4242", production, "US/Eastern")


def _fill(stage: HubSpotStage) -> None:
    ids = stage.add(120)
    for number, id_ in enumerate(ids[:60]):
        stage.act(stage.email(id_))
        stage.world.mail.add("CLICK", stage.email(id_), 9001, stage.world.clock.now_ms() - number * DAY_MS * 5)
        stage.world.lists.join(101, int(id_), stage.world.clock.now_ms() - number)
        stage.world.log_engagement("calls", [int(id_)], {}, at_ms=stage.world.clock.now_ms())
    stage.world.create("companies", {"industry": "COMPUTER_SOFTWARE"}, row_id=900_001)


FAULTS: tuple[dict[str, Any], ...] = (
    {"html": 500},
    {"drop": "after_apply"},
    {"status": 200, "body": '{"results": [{"id"'},
    {"status": 401, "body": {"category": "EXPIRED_AUTHENTICATION"}},
    {"status": 400, "body": {"category": "VALIDATION_ERROR"}},
)


@pytest.mark.parametrize("do", FAULTS, ids=str)
def test_whichever_call_fails_the_next_pass_ends_the_same(do: dict[str, Any]):
    """Call k goes wrong, for every k; where a pass ends with an error, the next one goes on from the stored cursors."""
    with hubspot_stage() as stage:
        _fill(stage)
        whole = Mirror()
        calls = sum(_pull_all(stage, whole).values())
        assert calls > 15
        for k in range(calls):
            stage.emulator.traffic.faults.clear()
            stage.fault(do, skip=k)
            mirror = Mirror()
            try:
                _pull_all(stage, mirror)
            except ConnectorError:
                _pull_all(stage, mirror)
            assert mirror.records == whole.records
            assert mirror.activities.keys() == whole.activities.keys()


def test_a_kill_after_any_page_of_any_stream_loses_nothing(stage: HubSpotStage):
    _fill(stage)
    whole = Mirror()
    _pull_all(stage, whole)
    connector = stage.connect()
    for stream in connector.streams():
        for pages in range(12):
            mirror = Mirror()
            mirror.pull(connector, stream.name, pages=pages)
            mirror.pull(connector, stream.name)
            records = {record.id for record in whole.records.values() if record.object == stream.object}
            assert mirror.records.keys() == (records if stream.object else set())
            if not stream.object:
                source = {f"form:{FORM}": "form_submissions", "list:Visited pricing": "lists"}.get(
                    stream.name, stream.name
                )
                assert mirror.activities.keys() == {
                    activity.id for activity in whole.activities.values() if activity.source == source
                }


def test_both_versions_read_the_same():
    mirrors = []
    for version in ("2026-09", "legacy"):
        with hubspot_stage(version) as stage:
            _fill(stage)
            mirror = Mirror()
            _pull_all(stage, mirror)
            mirrors.append(mirror)
    assert mirrors[0].records == mirrors[1].records
    assert mirrors[0].activities == mirrors[1].activities


def test_deletions_name_their_object(stage: HubSpotStage):
    ids = stage.add(2)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "contacts")
    stage.delete(ids[0])
    stage.wait(timedelta(hours=25))
    pages = list(connector.pull("contacts", mirror.cursors["contacts"]))
    assert [deletion for page in pages for deletion in page.deletions] == [Deletion(object="contact", id=ids[0])]


def test_without_company_facts_no_company_is_read(stage: HubSpotStage):
    settings = hubspot_settings(stage.emulator.url, facts={"title": "jobtitle"})
    connector = stage.connect(facts=settings.facts, outcomes=None)
    assert "companies" not in [stream.name for stream in connector.streams()]
    assert list(connector.describe()) == ["contact"]


def test_more_properties_than_an_address_holds_are_read_by_a_second_call(stage: HubSpotStage):
    names = [f"fact_number_{number:03d}_with_a_long_name" for number in range(200)]
    definition = stage.world.definitions["contacts"]["jobtitle"]
    stage.world.definitions["contacts"].update({name: replace(definition, name=name) for name in names})
    ids = [str(stage.world.create("contacts", {names[150]: f"value {number}"}).id) for number in range(130)]
    connector = stage.connect(facts={name: {"columns": {"contact": name}} for name in names}, activities={})
    mirror = Mirror()
    mirror.pull(connector, "contacts")
    assert [mirror.records[id_].values[names[150]] for id_ in ids] == [f"value {number}" for number in range(130)]
    assert max(len(entry.target) for entry in stage.emulator.traffic.since(0)) < 7_000


def test_owners_are_not_read_by_id(stage: HubSpotStage):
    with pytest.raises(ValueError, match="owner"):
        stage.connect().read("owner", ["301"])


@pytest.mark.parametrize("results", [[{}], [{"id": "1"}], [None], [{"id": "1", "properties": {}}], {"a": 1}], ids=str)
def test_an_answer_of_another_form_is_an_error_of_the_connector(stage: HubSpotStage, results: Any):
    connector = stage.connect()
    for stream in connector.streams():
        stage.emulator.traffic.faults.clear()
        body = dict.fromkeys(("results", "events", "lists"), results)
        stage.fault({"status": 200, "body": body}, times=None)
        with suppress(ConnectorError):
            list(connector.pull(stream.name, None))
    with suppress(ConnectorError):
        connector.read("contact", ["1"])
    with suppress(ConnectorError):
        stage.connect().describe()
    stage.emulator.traffic.faults.clear()
    connector.describe()
    stage.fault({"status": 200, "body": {"results": results, "errors": results}}, times=None)
    with suppress(ConnectorError):
        connector.push([FieldUpdate(object="contact", record_id="1", values={"leadmark_score": 1})])
