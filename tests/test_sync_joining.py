"""Which records are one person: the same whatever the order, and never by a guess."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.joining import Known, persons_of

OBJECTS = (("hubspot", "contact"), ("salesforce", "lead"), ("salesforce", "contact"))


def one(number, connection, id_, *, of="contact", state="live", links=(), emails=()):
    return Known(number=number, key=(connection, of, id_), state=state, links=tuple(links), emails=tuple(emails))


def hub(number, id_, **more):
    return one(number, "hubspot", id_, **more)


def sales(number, id_, of="contact", **more):
    return one(number, "salesforce", id_, of=of, **more)


LEAD, CONTACT, OTHER = ("salesforce", "lead", "L"), ("salesforce", "contact", "C"), ("salesforce", "contact", "D")

#: records, successions, persons, remark
CASES = [
    ([hub(1, "a", emails="x"), sales(2, "C", emails="x")], {}, [[1, 2]], "an address of one record in each CRM"),
    ([hub(1, "a", emails="x"), hub(2, "b", emails="x")], {}, [[1], [2]], "an address twice in one CRM"),
    (
        [hub(1, "a", emails="x"), hub(2, "b", emails="x"), sales(3, "C", emails="x")],
        {},
        [[1], [2], [3]],
        "twice in one CRM, once in the other: nobody knows whose",
    ),
    (
        [hub(1, "a", emails="x"), sales(2, "L", of="lead", emails="x"), sales(3, "C", emails="x")],
        {},
        [[1], [2], [3]],
        "a lead and a contact of one address",
    ),
    (
        [hub(1, "a", links=[LEAD], emails="x"), sales(2, "L", of="lead", emails="x"), sales(3, "C", emails="x")],
        {},
        [[1, 2], [3]],
        "the link decides, the address stays ambiguous",
    ),
    (
        [hub(1, "a", links=[LEAD, CONTACT], emails="x"), sales(2, "L", of="lead", emails="x"), sales(3, "C")],
        {},
        [[1, 2, 3]],
        "a link for each",
    ),
    (
        [sales(1, "L", of="lead", state="converted", emails="x"), sales(2, "C", emails="x"), hub(3, "a", emails="x")],
        {LEAD: CONTACT},
        [[1, 2, 3]],
        "a converted lead is its contact, so the address is unique",
    ),
    (
        [hub(1, "a", links=[LEAD]), sales(2, "C")],
        {LEAD: CONTACT},
        [[1, 2]],
        "a link to what was converted before it was read",
    ),
    (
        [hub(1, "a", links=[CONTACT]), hub(2, "b", links=[CONTACT])],
        {},
        [[1, 2]],
        "two links to one that was never read",
    ),
    (
        [hub(1, "a", links=[LEAD]), hub(2, "b", links=[OTHER])],
        {LEAD: CONTACT, CONTACT: OTHER},
        [[1, 2]],
        "tied through a chain of which nothing was read",
    ),
    (
        [hub(1, "a", links=[CONTACT]), hub(2, "b", links=[CONTACT]), sales(3, "C", state="deleted")],
        {},
        [[1, 2, 3]],
        "two links to a deleted one, as to one that was never read",
    ),
    (
        [hub(1, "a", emails="x"), hub(2, "b", emails="x", state="deleted"), sales(3, "C", emails="x")],
        {},
        [[1, 3], [2]],
        "a deleted one makes no address ambiguous, and would be ambiguous itself",
    ),
    (
        [hub(1, "a", emails=("x",)), sales(2, "C", emails=("x", "y"), state="deleted"), hub(3, "b", emails=("y",))],
        {},
        [[1, 2], [3]],
        "nor does it tie those that share an address with it",
    ),
    (
        [hub(1, "a", emails="x"), hub(2, "b", emails="x"), sales(3, "C", emails="x", state="deleted")],
        {},
        [[1], [2], [3]],
        "a deleted one with an ambiguous address stays by itself",
    ),
    (
        [hub(1, "a", emails=("x", "y")), sales(2, "C", emails="x"), sales(3, "D", emails="y")],
        {},
        [[1, 2, 3]],
        "one that answers to two addresses is both",
    ),
    ([hub(1, "a", emails="x"), sales(2, "C", emails="x", state="deleted")], {}, [[1, 2]], "it waits by its address"),
    (
        [
            sales(1, "C", emails="x"),
            sales(2, "D", emails="x", state="deleted"),
            hub(3, "a", links=[OTHER]),
            hub(4, "b", emails="x"),
        ],
        {},
        [[1, 4], [2, 3]],
        "it waits with who links to it, not with who took its address",
    ),
    ([hub(1, "a"), sales(2, "C")], {}, [[1], [2]], "no address is no tie"),
]


@pytest.mark.parametrize(("records", "successions", "persons", "remark"), CASES, ids=[case[3] for case in CASES])
def test_who_is_one_person(records, successions, persons, remark):
    assert persons_of(records, successions) == persons, remark


IDS = ["a", "b", "c", "d"]
KEYS = [(*of, id_) for of in OBJECTS for id_ in IDS]
keys = st.sampled_from(KEYS)


@st.composite
def worlds(draw, states=("live", "live", "live", "converted", "merged", "deleted")):
    """Records with their ties, and successions that form no circle; some keys are never read."""
    read = draw(st.lists(keys, unique=True, min_size=1, max_size=8))
    numbers = draw(st.permutations(range(1, len(read) + 1)))
    records = [
        Known(
            number=number,
            key=key,
            state=draw(st.sampled_from(states)),
            links=tuple(draw(st.lists(keys.filter(lambda to, key=key: to[0] != key[0]), unique=True, max_size=2))),
            emails=tuple(draw(st.lists(st.sampled_from(["x", "y", "z"]), unique=True, max_size=2))),
        )
        for number, key in zip(numbers, read, strict=True)
    ]
    pairs = draw(st.lists(st.tuples(keys, keys), max_size=4))
    return records, {min(a, b): max(a, b) for a, b in pairs if a != b and a[0] == b[0]}


def living(records, persons):
    """The persons without their deleted records."""
    alive = {record.number for record in records if record.state != "deleted"}
    return sorted(kept for numbers in persons if (kept := [number for number in numbers if number in alive]))


@settings(max_examples=120)
@given(world=worlds(), data=st.data())
def test_the_order_of_records_links_and_successions_does_not_matter(world, data):
    records, successions = world
    shuffled = [
        replace(
            record,
            links=tuple(data.draw(st.permutations(record.links))),
            emails=tuple(data.draw(st.permutations(record.emails))),
        )
        for record in data.draw(st.permutations(records))
    ]
    turned = dict(data.draw(st.permutations(list(successions.items()))))
    assert persons_of(shuffled, turned) == persons_of(records, successions)


@settings(max_examples=80)
@given(world=worlds())
def test_every_record_is_in_one_person_whose_number_is_its_lowest(world):
    records, successions = world
    persons = persons_of(records, successions)
    assert sorted(number for numbers in persons for number in numbers) == sorted(one.number for one in records)
    assert persons == sorted(sorted(numbers) for numbers in persons)


@settings(max_examples=80)
@given(world=worlds())
def test_an_ambiguous_address_joins_nobody(world):
    """Given to two strangers of one CRM, an address is as good as not there."""
    records, successions = world
    ambiguous = [
        *records,
        *(one(100 + nth, "hubspot", f"stranger{nth}", emails=["z"]) for nth in range(2)),
    ]
    without = [replace(record, emails=tuple(set(record.emails) - {"z"})) for record in records]
    found = [numbers for numbers in persons_of(ambiguous, successions) if numbers[0] < 100]
    assert living(records, found) == living(records, persons_of(without, successions))


@settings(max_examples=80)
@given(world=worlds(states=("live", "live", "converted", "deleted")))
def test_a_deleted_record_joins_nobody(world):
    """The others are the same persons as if it had never been read."""
    records, _ = world
    without = [record for record in records if record.state != "deleted"]
    assert living(records, persons_of(records, {})) == persons_of(without, {})


@settings(max_examples=100)
@given(world=worlds(states=("live", "live", "merged", "deleted")), data=st.data())
def test_a_deleted_record_waits_with_those_it_belongs_to(world, data):
    """Where its life makes no difference to the others, it stands with those it is linked to dead or alive."""
    records, successions = world
    place = data.draw(st.integers(0, len(records) - 1))
    number = records[place].number
    alive, gone = (
        persons_of([*records[:place], replace(records[place], state=state), *records[place + 1 :]], successions)
        for state in ("live", "deleted")
    )
    others = [living([record for record in records if record.number != number], persons) for persons in (alive, gone)]
    companions = [
        {one.number for one in records if one.state in ("live", "converted") and one.number in numbers} - {number}
        for persons in (alive, gone)
        for numbers in persons
        if number in numbers
    ]
    if others[0] == others[1] and companions[0]:
        assert companions[0] == companions[1]


@settings(max_examples=80)
@given(world=worlds())
def test_joining_what_is_joined_changes_nothing(world):
    """Ties that say again what the persons already are leave them as they are."""
    records, successions = world
    persons = persons_of(records, successions)
    by_number = {record.number: record for record in records}
    again = dict(successions)
    for numbers in persons:
        alive = [by_number[number].key for number in numbers if by_number[number].state != "deleted"]
        again |= {key: alive[0] for key in alive[1:] if key not in again}
    assert living(records, persons_of(records, again)) == living(records, persons)


@settings(max_examples=80)
@given(world=worlds(states=("live", "converted", "merged")), target=keys)
def test_two_that_link_to_one_are_one_whether_or_not_it_was_read(world, target):
    records, successions = world
    other = "hubspot" if target[0] == "salesforce" else "salesforce"
    pair = [one(50, other, "p", links=[target]), one(51, other, "q", links=[target])]
    persons = persons_of([*records, *pair], successions)
    assert any({50, 51} <= set(numbers) for numbers in persons)
