"""Timelines: an id once, the later version, on the records it hangs on; and what waits for a record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from sync.store import tables
from sync.store.store import open_store
from sync.store.timelines import (
    ACTIVITY,
    NOTHING,
    activity_id,
    add,
    apply_displaced,
    claim,
    displace,
    distinct,
    merge,
    pack,
    unpack,
    wait,
)
from tests.postgresql_server import new_database

ids = st.integers(0, 5) | st.integers(2**64 - 5, 2**64 - 1)
rows = st.tuples(st.integers(-(2**40), 2**62), st.integers(0, 2**32 - 1), ids)
timelines = st.lists(rows, max_size=8).map(pack)


def by_id(activities):
    return {row[2]: row for row in activities.tolist()}


def whole(activities):
    """Holds each id once, sorted by time and id."""
    order = [(row[0], row[2]) for row in activities.tolist()]
    return order == sorted(order) and len({id_ for _, id_ in order}) == len(order)


@given(st.lists(rows, max_size=8))
def test_packing_keeps_the_last_version_of_an_id(given_rows):
    packed = pack(given_rows)
    assert whole(packed)
    assert by_id(packed) == {row[2]: row for row in given_rows}


@given(timelines)
def test_what_is_stored_comes_back(activities):
    assert unpack(activities.tobytes()).tolist() == activities.tolist()


@given(timelines, timelines)
def test_merging_takes_every_id_and_of_two_versions_the_new_one(old, new):
    both = merge(old, new)
    assert whole(both)
    assert by_id(both) == by_id(old) | by_id(new)


@given(timelines, timelines)
def test_merging_again_changes_nothing(old, new):
    once = merge(old, new)
    assert merge(once, new).tolist() == once.tolist()
    assert merge(once, once).tolist() == once.tolist()


@given(timelines, timelines)
def test_the_order_of_merging_matters_for_versions_only(one, other):
    known = by_id(one)
    agreed = pack([known.get(row[2], row) for row in other.tolist()])
    assert merge(one, agreed).tolist() == merge(agreed, one).tolist()


@given(timelines, timelines, timelines)
def test_merging_is_associative(one, two, three):
    assert merge(merge(one, two), three).tolist() == merge(one, merge(two, three)).tolist()


@given(st.lists(timelines, max_size=4))
def test_several_records_together_hold_each_activity_once(parts):
    """Once by id, and once by touchpoint and instant: a merge tells some activities again under another id."""
    together = np.concatenate([NOTHING, *parts])
    kept = distinct(together)
    assert whole(kept)
    assert len({row[:2] for row in kept.tolist()}) == len(kept)
    assert set(kept.tolist()) <= set(together.tolist())
    assert distinct(kept).tolist() == kept.tolist()
    assert distinct(np.concatenate([together, together])).tolist() == kept.tolist()


def test_records_that_share_nothing_keep_all_of_it():
    parts = [pack([(10, 1, 100), (20, 1, 200)]), pack([(10, 2, 300)])]
    assert distinct(np.concatenate(parts)).tolist() == [(10, 1, 100), (10, 2, 300), (20, 1, 200)]


def test_an_activity_id_tells_connections_sources_and_ids_apart():
    named = {("a", "b", "c"), ("a", "bc", ""), ("ab", "", "c"), ("a", "b", "d"), ("", "a", "bc")}
    assert len({activity_id(*one) for one in named}) == len(named)
    assert all(0 <= activity_id(*one) < 2**64 for one in named)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request, tmp_path_factory):
    store = open_store(str(tmp_path_factory.mktemp("store")) if request.param == "sqlite" else new_database())
    with store.begin() as tx:
        tx.execute(
            insert(tables.record),
            [
                {
                    "number": n,
                    "connection": "c",
                    "object": "contact",
                    "crm_id": str(n),
                    "inputs": "{}",
                    "stamp_at": 0,
                    "state": "live",
                }
                for n in (1, 2, 3)
            ],
        )
    yield store
    store.close()


@pytest.fixture
def tx(store):
    """A transaction whose changes are given up."""
    with store.engine.connect() as tx, tx.begin() as whole:
        yield tx
        whole.rollback()


def held(tx):
    table = tables.timeline
    return {record: by_id(unpack(blob)) for record, blob in tx.execute(select(table.c.record, table.c.activities))}


def test_adding_says_what_was_new_or_changed(tx):
    first = pack([(10, 1, 100), (20, 1, 200)])
    said = add(tx, {1: first, 2: pack([(30, 1, 300)])})
    assert [(one.record, one.new, one.changed) for one in said] == [(1, {100, 200}, set()), (2, {300}, set())]
    later = pack([(10, 1, 100), (21, 1, 200), (40, 2, 400)])
    said = add(tx, {1: later, 2: pack([(30, 1, 300)])})
    assert [(one.record, one.new, one.changed) for one in said] == [(1, {400}, {200})], "record 2 knew it"
    assert held(tx)[1] == {100: (10, 1, 100), 200: (21, 1, 200), 400: (40, 2, 400)}


@given(timelines.filter(len), timelines)
def test_adding_again_adds_nothing(store, one, other):
    with store.engine.connect() as tx, tx.begin() as whole_tx:
        add(tx, {1: one})
        add(tx, {1: other})
        before = held(tx)
        assert add(tx, {1: other}) == []
        assert held(tx) == before
        whole_tx.rollback()


operations = st.lists(
    st.tuples(st.just("add"), st.sampled_from([1, 2, 3]), timelines)
    | st.tuples(st.just("displace"), ids, st.frozensets(st.sampled_from([1, 2, 3])))
    | st.tuples(st.just("apply"), st.none(), st.none()),
    max_size=12,
)


@given(operations)
def test_timelines_follow_the_records_their_activities_hang_on(store, done):
    """Against the plainest model there is: record -> id -> row, and the notes of what moved."""
    model, notes = {1: {}, 2: {}, 3: {}}, {}
    with store.engine.connect() as tx, tx.begin() as whole_tx:
        for what, on, how in done:
            if what == "add":
                add(tx, {on: how})
                model[on] |= by_id(how)
            elif what == "displace":
                displace(tx, {on: sorted(how)})
                notes[on] = how
            else:
                hit = {n for n, of in model.items() if any(n not in keep and id_ in of for id_, keep in notes.items())}
                assert set(apply_displaced(tx)) == hit
                for id_, keep in notes.items():
                    for number in {1, 2, 3} - keep:
                        model[number].pop(id_, None)
                notes = {}
            assert {number: of for number, of in held(tx).items() if of} == {n: of for n, of in model.items() if of}
        whole_tx.rollback()


def test_notes_of_what_moved_are_used_up(tx):
    add(tx, {1: pack([(10, 1, 100)])})
    displace(tx, {100: []})
    assert apply_displaced(tx) == [1]
    add(tx, {1: pack([(10, 1, 100)])})
    assert apply_displaced(tx) == []
    assert held(tx)[1] == {100: (10, 1, 100)}


def test_activities_wait_for_their_address_and_are_claimed_once(tx):
    wait(tx, "c", {"a@x.example": pack([(10, 1, 100)]), "b@x.example": pack([(20, 1, 200)])})
    wait(tx, "c", {"a@x.example": pack([(11, 1, 100), (30, 1, 300)])})
    wait(tx, "other", {"a@x.example": pack([(40, 1, 400)])})
    claimed = claim(tx, "c", ["a@x.example", "nobody@x.example"])
    assert {name: by_id(of) for name, of in claimed.items()} == {
        "a@x.example": {100: (11, 1, 100), 300: (30, 1, 300)},
    }
    assert claim(tx, "c", ["a@x.example"]) == {}
    assert set(claim(tx, "other", ["a@x.example"])) == {"a@x.example"}, "another connection's wait is its own"
    assert set(claim(tx, "c", ["b@x.example"])) == {"b@x.example"}


def test_more_records_than_a_statement_binds(tx):
    wait(tx, "c", {f"p{n}@x.example": pack([(n, 1, n)]) for n in range(1201)})
    assert len(claim(tx, "c", [f"p{n}@x.example" for n in range(1201)])) == 1201


def test_the_packed_form_is_the_one_on_disk():
    """20 bytes an activity, little-endian: a store moves between machines."""
    assert ACTIVITY.itemsize == 20
    assert pack([(1, 2, 3)]).tobytes() == bytes([1, *[0] * 7, 2, *[0] * 3, 3, *[0] * 7])
