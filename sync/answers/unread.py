"""What another config asks for that the store has not, or has only as this config read it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.mapping import HAND_OFF, ConnectionMap


@dataclass(frozen=True, kw_only=True)
class Unread:
    """By connection and name, ``hubspot: budget``."""

    #: connections of the other config that were never read as a whole
    connections: Sequence[str] = ()
    #: facts some of whose fields were never read, so unknown or older than they would be
    facts: Sequence[str] = ()
    #: kinds of activities that were never read
    kinds: Sequence[str] = ()
    #: kinds, and sales' word, that are understood as they are read, and would be understood otherwise
    otherwise: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.connections or self.facts or self.kinds or self.otherwise)


def unread(here: Sequence[ConnectionMap], there: Sequence[ConnectionMap], complete: Mapping[str, bool]) -> Unread:
    """What ``there`` asks for beyond ``here``; ``complete``: connections that were read as a whole."""
    known = {map_.connection: map_ for map_ in here}
    pairs = [(known[map_.connection], map_) for map_ in there if map_.connection in known]
    return Unread(
        connections=[
            map_.connection for map_ in there if map_.connection not in known or not complete.get(map_.connection)
        ],
        facts=[f"{map_.connection}: {fact}" for ours, map_ in pairs for fact in _facts(ours, map_)],
        kinds=[
            f"{map_.connection}: {kind}"
            for ours, map_ in pairs
            for kind in sorted(map_.activities.keys() - ours.activities.keys())
        ],
        otherwise=[f"{map_.connection}: {name}" for ours, map_ in pairs for name in _otherwise(ours, map_)],
    )


def _facts(here: ConnectionMap, there: ConnectionMap) -> list[str]:
    return [
        fact
        for fact, source in sorted(there.facts.items())
        if any(column.field not in here.inputs.get(column.of, ()) for column in source.reads)
    ]


def _otherwise(here: ConnectionMap, there: ConnectionMap) -> list[str]:
    shared = sorted(here.activities.keys() & there.activities.keys())
    kinds = [kind for kind in shared if here.activities[kind] != there.activities[kind]]
    word = here.facts.get(HAND_OFF) != there.facts.get(HAND_OFF) and here.facts.get(HAND_OFF) is not None
    return [*kinds, *([HAND_OFF] if word else [])]
