"""Which value is the fact: one a fact, the first known in a fixed order, never by modification time.

Our own writes move modification times, so a value chosen by them would change with every write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.base import Value
from sync.mapping import HAND_OFF, ConnectionMap, meaning_of

#: true as soon as any record of the person says so
STRICTEST = frozenset({"opted_out", "bounced", "do_not_profile", "hold"})


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRecord:
    """A record of a person that can be read, with the inputs of the records it points to."""

    number: int
    connection: str
    object: str
    inputs: Mapping[str, Value]
    #: company, account, owner … -> inputs
    parents: Mapping[str, Mapping[str, Value]]
    #: a lead that became a contact
    converted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """The facts of a person, and the record each came from."""

    values: Mapping[str, str | int | float | bool | date]
    sources: Mapping[str, int]


def facts_of(maps: Sequence[ConnectionMap], records: Sequence[PersonRecord], zone: str) -> Facts:
    """One value a fact; an unknown fact is left out.

    It is the first known by the fact's preferred connection, then connection order, contact before lead, lowest record
    number; what a converted lead held counts last. Opt-outs and bounces hold if any record says so. Instants become the
    date in the zone.
    """
    order = {map_.connection: place for place, map_ in enumerate(maps)}
    by_connection = {map_.connection: map_ for map_ in maps}

    def place(record: PersonRecord) -> tuple[bool, int, int, int]:
        map_ = by_connection[record.connection]
        return record.converted, order[record.connection], map_.order.index(record.object), record.number

    ordered = sorted(records, key=place)
    preferring = {name for map_ in maps for name in map_.preferred}
    values: dict[str, str | int | float | bool | date] = {}
    sources: dict[str, int] = {}
    for name in dict.fromkeys(name for map_ in maps for name in map_.facts):
        if name == HAND_OFF:
            continue
        asked = ordered
        if name in preferring:
            # what a converted lead held stays last
            asked = sorted(ordered, key=lambda one: (one.converted, _rank(by_connection[one.connection], name)))
        for record in asked:
            value = _value(by_connection[record.connection], name, record)
            if value is None:
                continue
            if name not in values or value is True:
                values[name] = value.astimezone(ZoneInfo(zone)).date() if isinstance(value, datetime) else value
                sources[name] = record.number
            if name not in STRICTEST or values[name] is not False:
                break
    return Facts(values=values, sources=sources)


def _rank(map_: ConnectionMap, name: str) -> int:
    """How early a connection's value of a fact counts; those not named for it all come after."""
    return map_.preferred.get(name, len(map_.preferred) + 1_000)


def _value(map_: ConnectionMap, name: str, record: PersonRecord) -> Value:
    """The first known value of a fact on one record and those it points to."""
    source = map_.facts.get(name)
    if source is None:
        return None
    for column in source.reads:
        if column.record == record.object:
            inputs = record.inputs if column.of == record.object else record.parents.get(column.of, {})
            value = meaning_of(source, inputs.get(column.field))
            if value is not None:
                return value
    return None
