"""Touchpoints, and which of them each rule takes: matched once per model, never per activity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.conditions import Attributes, Condition, matcher
from scoring.fact_values import fold
from scoring.tables import Tables

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Touchpoint:
    """One distinct kind of contact: an activity kind with the attributes that are kept, each an id and a label."""

    number: int  #: what its activities carry; numbers may have holes
    kind: str
    attributes: Attributes
    exact: bool = True  #: its activities have a time of day; false where the CRM keeps dates alone


@dataclass(frozen=True, kw_only=True, eq=False)
class Entries:
    """E pairs of a touchpoint and an owner (a rule, or a line of a pattern); T touchpoints that have an owner.

    The owners of touchpoint ``numbers[t]`` are the entries ``starts[t]`` to before ``starts[t + 1]``, ascending.
    """

    numbers: Ints  #: [T] ascending
    starts: Ints  #: [T + 1]
    owner: Ints  #: [E]
    value: Ints  #: [E] what the owner tells touchpoints apart by, as a number

    def places(self, touchpoint: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """For each touchpoint number its index t, and whether it has one; T may be 0."""
        place = np.searchsorted(self.numbers, touchpoint)
        return place, np.append(self.numbers, -1)[place] == touchpoint

    def pairs(self, place: Ints) -> tuple[Ints, Ints]:
        """One row for each pair of an activity, given by its t, and an owner: the activity's row, and the entry."""
        matches = self.starts[place + 1] - self.starts[place]
        source = np.repeat(np.arange(len(place)), matches)
        nth = np.arange(len(source)) - np.repeat(np.cumsum(matches) - matches, matches)
        return source, self.starts[place[source]] + nth


def entries_of(rows: Sequence[tuple[int, int, int]]) -> Entries:
    """The entries of rows (touchpoint number, owner, value), in any order."""
    ordered = np.array(sorted(rows), dtype=np.int64).reshape(len(rows), 3)
    numbers, starts = np.unique(ordered[:, 0], return_index=True)
    return Entries(
        numbers=numbers,
        starts=np.append(starts, len(rows)).astype(np.int64),
        owner=ordered[:, 1].copy(),
        value=ordered[:, 2].copy(),
    )


def matching(
    kind: str | None, where: Condition | None, touchpoints: Sequence[Touchpoint], tables: Tables
) -> list[Touchpoint]:
    """The touchpoints of a kind, or of any, that satisfy ``where``."""
    matches = matcher(where, tables) if where else None
    return [
        point for point in touchpoints if kind in (None, point.kind) and (matches is None or matches(point.attributes))
    ]


def value_of(touchpoint: Touchpoint, attribute: str) -> str:
    """The folded value of an attribute: its id, or its label where it has none; "" when missing or blank."""
    identity, label = touchpoint.attributes.get(attribute, ("", ""))
    return fold(identity) or fold(label)
