"""Which records are one person. Pure, and the same whatever the order in which records became known.

Records are joined by successions (merged away, converted) and by links, but for those of a record that is deleted,
itself or by what stands for it. Then by an address when it is unique: no connection has two of the persons so far that
answer to it. An ambiguous address joins nobody. A deleted record's own ties join nobody either; it stays with whom it
would belong to, so that it finds its place again when it is restored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: connection, object, CRM id; of a record that was read or of one that is only named
Key = tuple[str, str, str]


#: states of records that are there: a converted lead still holds its address
LIVING = ("live", "converted")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """One record, and what ties it to others."""

    number: int
    key: Key
    #: live | converted | merged | deleted
    state: str
    links: tuple[Key, ...] = ()
    emails: tuple[str, ...] = ()


def persons_of(records: Sequence[Known], successions: Mapping[Key, Key]) -> list[list[int]]:
    """The records of each person by number, ascending, and persons by their lowest number.

    ``successions`` may name records that were never read: what is tied to one is tied to what stands for it.

    >>> a = Known(number=1, key=("hubspot", "contact", "7"), state="live", emails=("ann@x.example",))
    >>> b = Known(number=2, key=("salesforce", "lead", "00Q1"), state="live", emails=("ann@x.example",))
    >>> persons_of([a, b], {})
    [[1, 2]]
    """
    groups = _Groups()
    for key, into in successions.items():
        groups.join(key, into)
    states = {record.key: record.state for record in records}
    for record in records:
        groups.join(record.key, record.key)
        if states.get(_heir(record.key, successions), "live") != "deleted":
            for target in record.links:
                groups.join(record.key, target)
    _join_by_address(records, groups)
    _attach(records, groups)
    persons: dict[Key, list[int]] = {}
    for record in records:
        persons.setdefault(groups.of(record.key), []).append(record.number)
    return sorted(sorted(numbers) for numbers in persons.values())


def _heir(key: Key, successions: Mapping[Key, Key]) -> Key:
    """What stands for a record in the end: itself, unless it was merged away or converted."""
    seen = {key}
    while (into := successions.get(key, key)) not in seen:
        seen.add(into)
        key = into
    return key


def _join_by_address(records: Iterable[Known], groups: "_Groups") -> None:
    """All addresses are looked at before any joins, so that their order does not matter."""
    answering: dict[str, dict[str, set[Key]]] = {}
    for record in records:
        if record.state in LIVING:
            for email in record.emails:
                answering.setdefault(email, {}).setdefault(record.key[0], set()).add(groups.of(record.key))
    unique = [
        sorted(set().union(*by_connection.values()))
        for by_connection in answering.values()
        if all(len(group) == 1 for group in by_connection.values())
    ]
    for group in unique:
        for other in group[1:]:
            groups.join(group[0], other)


def _attach(records: Sequence[Known], groups: "_Groups") -> None:
    """Groups without a living record go to one they link to, else to the only one with an address of theirs.

    Of several linked to it is the one of the lowest record number. An address does not count where another record of
    the same connection answers to it: were the deleted one alive, it would be ambiguous.
    """
    living: dict[Key, int] = {}
    answering: dict[str, set[tuple[Key, str]]] = {}
    for record in records:
        if record.state in LIVING:
            group = groups.of(record.key)
            living[group] = min(record.number, living.get(group, record.number))
            for email in record.emails:
                answering.setdefault(email, set()).add((group, record.key[0]))
    linked: dict[Key, set[Key]] = {}
    addressed: dict[Key, set[Key]] = {}
    for record in records:
        group = groups.of(record.key)
        if group in living:
            continue
        linked.setdefault(group, set()).update({groups.of(target) for target in record.links} & living.keys())
        for email in record.emails:
            there = answering.get(email, set())
            if len({one for one, _ in there}) == 1 and record.key[0] not in {connection for _, connection in there}:
                addressed.setdefault(group, set()).update(one for one, _ in there)
    for group, named in linked.items():
        to = named or addressed.get(group)
        if to:
            groups.join(min(to, key=lambda key: living[key]), group)


class _Groups:
    """Disjoint sets of keys."""

    def __init__(self) -> None:
        self._above: dict[Key, Key] = {}

    def of(self, key: Key) -> Key:
        """The key that stands for the group of this one."""
        path = []
        while (above := self._above.get(key, key)) != key:
            path.append(key)
            key = above
        for step in path:
            self._above[step] = key
        return key

    def join(self, one: Key, other: Key) -> None:
        """Makes one group of the two; the lower key stands for it."""
        low, high = sorted((self.of(one), self.of(other)))
        self._above[high] = low
        self._above.setdefault(low, low)
