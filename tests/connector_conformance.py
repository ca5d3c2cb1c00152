"""What every connector must do, over stages: a CRM in which things can be made to happen.

Each behaviour is a function of a fresh stage. ``Mirror`` is what a store would hold: pages applied in order, each with
its cursor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, Protocol

import orjson
import pytest

from connectors.base import Activity, Connector, Cursor, FieldUpdate, Page, Receipt, Record
from connectors.errors import ConnectorError


class Stage(Protocol):
    """A CRM, reached by connectors that map the text field ``note`` and write the number field ``output``."""

    people: str  # the stream of people
    person: str  # their object
    note: str  # a text field that is mapped
    output: str  # a number field that is ours
    once: str  # a stream of activities that people did
    deals: tuple[str, ...]  # the streams of what became of deals
    keeps_addresses: bool  # a merged record answers to the addresses of both

    def connect(self) -> Connector: ...

    def add(self, count: int) -> list[str]: ...

    def change(self, id_: str, note: str) -> None: ...

    def delete(self, id_: str) -> None: ...

    def merge(self, first: str, second: str) -> str: ...

    def refuse(self, id_: str) -> None: ...

    def act(self, email: str) -> None: ...

    def deal(self, *people: str) -> str: ...  # opens one; they take part in it

    def win(self, deal: str) -> None: ...

    def drop(self, deal: str) -> None: ...  # deletes it

    def who(self, activity: Activity) -> str: ...  # the address of the person who did it

    def email(self, id_: str) -> str: ...

    def held(self, id_: str) -> Mapping[str, Any]: ...

    def ids(self) -> set[str]: ...

    def wait(self, by: timedelta) -> None: ...

    def in_the_future(self, cursor: Cursor) -> Cursor: ...


@dataclass
class Mirror:
    """What a store holds after the pages so far."""

    cursors: dict[str, Cursor] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def apply(self, page: Page) -> None:
        for record in page.records:
            self.records[record.id] = record
            self.aliases.update(dict.fromkeys(record.aliases, record.id))
        for activity in page.activities:
            self.activities[activity.id] = activity
        for succession in page.successions:
            if not succession.converted:
                self.aliases[succession.id] = succession.into_id
        for deletion in page.deletions:
            (self.records if deletion.object else self.activities).pop(deletion.id, None)
        # a store keeps cursors as JSON
        self.cursors[page.stream] = orjson.loads(orjson.dumps(page.next_cursor))

    def pull(self, connector: Connector, stream: str, *, pages: int | None = None) -> int:
        """Pages applied, at most ``pages`` of them."""
        applied = 0
        for page in islice(connector.pull(stream, self.cursors.get(stream)), pages):
            self.apply(page)
            applied += 1
        return applied

    def living(self) -> set[str]:
        """Ids of the people it holds that were not merged away."""
        return set(self.records) - set(self.aliases)

    def became(self, stage: Stage) -> list[tuple[str, Any, Any]]:
        """(person, won, closed) of each deal somebody takes part in, after another pull."""
        for stream in stage.deals:
            self.pull(stage.connect(), stream)
        told = [record for record in self.records.values() if record.object == "outcome"]
        return sorted(
            (id_, record.values["won"], record.values["closed"]) for record in told for id_ in record.parents.values()
        )


def one_pull_brings_everything(stage: Stage) -> None:
    stage.add(350)
    mirror = Mirror()
    mirror.pull(stage.connect(), stage.people)
    assert mirror.living() == stage.ids()


def the_next_pulls_bring_what_changed_and_settle(stage: Stage) -> None:
    ids = stage.add(120)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, stage.people)
    stage.wait(timedelta(minutes=30))
    stage.change(ids[7], "changed")
    new = stage.add(1)
    stage.wait(timedelta(minutes=5))
    mirror.pull(connector, stage.people)
    assert mirror.records[ids[7]].values[stage.note] == "changed"
    assert set(new) <= mirror.living()
    stage.wait(timedelta(minutes=30))
    mirror.pull(connector, stage.people)
    before = connector.calls()
    again = list(connector.pull(stage.people, mirror.cursors[stage.people]))
    assert connector.calls() - before == len(again) == 1
    assert not again[0].records


def a_kill_between_any_two_pages_loses_nothing(stage: Stage) -> None:
    ids = stage.add(420)
    for id_ in ids[:130]:
        stage.act(stage.email(id_))
    whole = Mirror()
    total = sum(whole.pull(stage.connect(), stream) for stream in (stage.people, stage.once))
    for killed_after in range(total):
        mirror = Mirror()
        left = killed_after
        for stream in (stage.people, stage.once):
            left -= mirror.pull(stage.connect(), stream, pages=max(0, left))
        for stream in (stage.people, stage.once):
            mirror.pull(stage.connect(), stream)
        assert mirror.living() == stage.ids()
        assert mirror.activities.keys() == whole.activities.keys()


def a_pull_may_be_repeated_from_any_of_its_cursors(stage: Stage) -> None:
    ids = stage.add(250)
    mirror = Mirror()
    mirror.pull(stage.connect(), stage.people)
    stage.wait(timedelta(minutes=30))
    for id_ in ids[::2]:
        stage.change(id_, "later")
    pages = list(stage.connect().pull(stage.people, mirror.cursors[stage.people]))
    for page in [*pages, *pages]:
        mirror.apply(page)
    assert {mirror.records[id_].values[stage.note] for id_ in ids[::2]} == {"later"}
    assert mirror.living() == stage.ids()


def a_cursor_in_the_future_brings_nothing_and_never_moves_back(stage: Stage) -> None:
    stage.add(3)
    mirror = Mirror()
    mirror.pull(stage.connect(), stage.people)
    cursor = stage.in_the_future(mirror.cursors[stage.people])
    pages = list(stage.connect().pull(stage.people, cursor))
    assert [list(page.records) for page in pages] == [[]]
    assert pages[-1].next_cursor == cursor


def a_deleted_record_comes_as_a_deletion_within_a_day(stage: Stage) -> None:
    ids = stage.add(5)
    mirror = Mirror()
    mirror.pull(stage.connect(), stage.people)
    stage.delete(ids[2])
    stage.wait(timedelta(hours=25))
    mirror.pull(stage.connect(), stage.people)
    assert mirror.living() == stage.ids()
    assert ids[2] not in mirror.living()


def a_merged_record_comes_with_the_ids_it_replaces(stage: Stage) -> None:
    ids = stage.add(6)
    mirror = Mirror()
    mirror.pull(stage.connect(), stage.people)
    stage.wait(timedelta(minutes=30))
    emails = {stage.email(ids[1]), stage.email(ids[4])}
    survivor = stage.merge(ids[1], ids[4])
    mirror.pull(stage.connect(), stage.people)
    standing_in = {id_ for id_, into in mirror.aliases.items() if into == survivor}
    assert {survivor, *standing_in} >= {ids[1], ids[4]}
    assert survivor not in standing_in
    assert set(mirror.records[survivor].emails) == (emails if stage.keeps_addresses else {stage.email(survivor)})
    assert mirror.living() == stage.ids()


def an_activity_tells_who_did_it_and_keeps_its_id(stage: Stage) -> None:
    ids = stage.add(2)
    stage.act(stage.email(ids[0]).upper())
    seen = [
        activity for _ in range(2) for page in stage.connect().pull(stage.once, None) for activity in page.activities
    ]
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert stage.who(seen[0]) == stage.email(ids[0])
    assert seen[0].at.utcoffset() == timedelta(0)


def an_activity_after_the_pull_comes_with_the_next(stage: Stage) -> None:
    ids = stage.add(2)
    stage.act(stage.email(ids[0]))
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, stage.once)
    stage.wait(timedelta(hours=3))
    stage.act(stage.email(ids[1]))
    mirror.pull(connector, stage.once)
    assert {stage.who(activity) for activity in mirror.activities.values()} == {stage.email(id_) for id_ in ids[:2]}


def a_deal_is_told_of_all_who_take_part_in_it(stage: Stage) -> None:
    ids = sorted(stage.add(3))
    mirror = Mirror()
    both = stage.deal(ids[0], ids[1])
    assert mirror.became(stage) == [(ids[0], False, False), (ids[1], False, False)]
    stage.wait(timedelta(minutes=30))
    stage.deal(ids[2])
    stage.win(both)
    assert mirror.became(stage) == [(ids[0], True, True), (ids[1], True, True), (ids[2], False, False)]


def a_deleted_deal_is_told_of_nobody_within_a_day(stage: Stage) -> None:
    ids = sorted(stage.add(2))
    mirror = Mirror()
    deals = [stage.deal(id_) for id_ in ids]
    assert len(mirror.became(stage)) == 2
    stage.drop(deals[0])
    stage.wait(timedelta(hours=25))
    assert mirror.became(stage) == [(ids[1], False, False)]


def a_push_is_confirmed_by_what_the_crm_holds(stage: Stage) -> None:
    ids = stage.add(100)
    receipts = _push(stage, {id_: number for number, id_ in enumerate(ids)})
    assert {id_: receipt.values for id_, receipt in receipts.items()} == {
        id_: {stage.output: number} for number, id_ in enumerate(ids)
    }
    assert all(receipt.refusal is None and receipt.stamp_at is not None for receipt in receipts.values())
    assert stage.held(ids[42])[stage.output] == 42


def none_empties_a_field(stage: Stage) -> None:
    ids = stage.add(1)
    _push(stage, {ids[0]: 5})
    receipts = _push(stage, {ids[0]: None})
    assert receipts[ids[0]].values == {stage.output: None}
    assert stage.held(ids[0])[stage.output] is None


def a_push_comes_back_with_the_next_pull(stage: Stage) -> None:
    ids = stage.add(3)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, stage.people)
    stage.wait(timedelta(minutes=30))
    receipts = connector.push([_update(stage, ids[0], 77)])
    mirror.pull(connector, stage.people)
    assert mirror.records[ids[0]].values[stage.output] == 77
    stamp_at = receipts[0].stamp_at
    assert stamp_at is not None
    assert timedelta(0) <= mirror.records[ids[0]].stamp_at - stamp_at < timedelta(seconds=5)


def one_refused_record_does_not_stop_the_others(stage: Stage) -> None:
    ids = stage.add(100)
    stage.refuse(ids[37])
    receipts = _push(stage, dict.fromkeys(ids, 9))
    refused = [id_ for id_, receipt in receipts.items() if receipt.refusal is not None]
    assert refused == [ids[37]]
    refusal = receipts[ids[37]].refusal
    assert refusal is not None
    assert refusal.code
    assert refusal.message
    assert not refusal.gone
    assert all(receipt.values == {stage.output: 9} for id_, receipt in receipts.items() if id_ != ids[37])


def a_write_to_a_deleted_record_says_it_is_gone(stage: Stage) -> None:
    ids = stage.add(4)
    stage.delete(ids[1])
    receipts = _push(stage, dict.fromkeys(ids, 3))
    refusal = receipts[ids[1]].refusal
    assert refusal is not None
    assert refusal.gone
    assert all(receipts[id_].values == {stage.output: 3} for id_ in (ids[0], ids[2], ids[3]))


def nothing_but_output_fields_can_be_written(stage: Stage) -> None:
    ids = stage.add(1)
    connector = stage.connect()
    with pytest.raises(ValueError):
        connector.push([FieldUpdate(object=stage.person, record_id=ids[0], values={stage.note: "x"})])
    with pytest.raises(ValueError):
        connector.push([_update(stage, ids[0], 1), _update(stage, ids[0], 2)])
    with pytest.raises(ValueError):
        connector.push([_update(stage, str(number), 1) for number in range(connector.push_size + 1)])
    assert stage.held(ids[0])[stage.output] is None


def records_are_read_by_id(stage: Stage) -> None:
    ids = stage.add(230)
    stage.delete(ids[200])
    page = stage.connect().read(stage.person, ids)
    assert {record.id for record in page.records} == set(ids) - {ids[200]}
    assert [deletion.id for deletion in page.deletions] == [ids[200]]


def a_merged_away_id_reads_as_its_survivor(stage: Stage) -> None:
    ids = stage.add(3)
    survivor = stage.merge(ids[0], ids[1])
    page = stage.connect().read(stage.person, [ids[0], ids[1]])
    assert {record.id for record in page.records} == {survivor}
    assert not page.deletions
    told = {alias for record in page.records for alias in record.aliases} | {one.id for one in page.successions}
    assert {survivor, *told} >= {ids[0], ids[1]}


def streams_cost_no_call_and_records_come_first(stage: Stage) -> None:
    connector = stage.connect()
    streams = connector.streams()
    assert connector.calls() == 0
    kinds = [bool(stream.object) for stream in streams]
    assert kinds == sorted(kinds, reverse=True)
    assert len({stream.name for stream in streams}) == len(streams)


def every_stream_gives_a_page_even_of_an_empty_crm(stage: Stage) -> None:
    connector = stage.connect()
    for stream in connector.streams():
        assert list(connector.pull(stream.name, None))


def fields_are_described_by_type(stage: Stage) -> None:
    described = stage.connect().describe()[stage.person]
    assert described[stage.output].type == "number"
    assert described[stage.output].writable
    assert described[stage.note].type == "text"


def an_observation_is_dated_before_its_request(stage: Stage) -> None:
    stage.add(120)
    connector = stage.connect()
    last = None
    for page in connector.pull(stage.people, None):
        assert last is None or page.requested_at >= last
        last = page.requested_at


def a_closed_connection_says_so(stage: Stage) -> None:
    ids = stage.add(1)
    connector = stage.connect()
    connector.close()
    with pytest.raises(ConnectorError):
        connector.account()
    with pytest.raises(ConnectorError):
        connector.push([_update(stage, ids[0], 1)])
    connector.close()


BEHAVIOURS: tuple[Callable[[Stage], None], ...] = (
    one_pull_brings_everything,
    the_next_pulls_bring_what_changed_and_settle,
    a_kill_between_any_two_pages_loses_nothing,
    a_pull_may_be_repeated_from_any_of_its_cursors,
    a_cursor_in_the_future_brings_nothing_and_never_moves_back,
    a_deleted_record_comes_as_a_deletion_within_a_day,
    a_merged_record_comes_with_the_ids_it_replaces,
    an_activity_tells_who_did_it_and_keeps_its_id,
    an_activity_after_the_pull_comes_with_the_next,
    a_deal_is_told_of_all_who_take_part_in_it,
    a_deleted_deal_is_told_of_nobody_within_a_day,
    a_push_is_confirmed_by_what_the_crm_holds,
    none_empties_a_field,
    a_push_comes_back_with_the_next_pull,
    one_refused_record_does_not_stop_the_others,
    a_write_to_a_deleted_record_says_it_is_gone,
    nothing_but_output_fields_can_be_written,
    records_are_read_by_id,
    a_merged_away_id_reads_as_its_survivor,
    streams_cost_no_call_and_records_come_first,
    every_stream_gives_a_page_even_of_an_empty_crm,
    fields_are_described_by_type,
    an_observation_is_dated_before_its_request,
    a_closed_connection_says_so,
)


def _update(stage: Stage, id_: str, value: float | None) -> FieldUpdate:
    return FieldUpdate(object=stage.person, record_id=id_, values={stage.output: value})


def _push(stage: Stage, values: Mapping[str, float | None]) -> dict[str, Receipt]:
    receipts = stage.connect().push([_update(stage, id_, value) for id_, value in values.items()])
    assert len(receipts) == len(values)
    return {receipt.record_id: receipt for receipt in receipts}
