"""Why a score is another than on an earlier day: lines in points of the score that add up to the difference exactly.

Three ledgers tell it: the earlier day's, that of the later day with nothing done in between, and the later day's. From
the first to the second only time went by; from the second to the third people did something.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from scoring.ledger import Ledger, Line

Place = tuple[str, str, str | None, str]
Why = Literal["activity", "time", "decay", "silence", "recycle", "bound", "rounding", "disqualified"]

#: the lines that are not a rule's: what they change by, however it came
_BY_KIND: dict[str, Why] = {
    "cap": "bound",
    "floor": "bound",
    "clamp": "bound",
    "silence": "silence",
    "recycle": "recycle",
    "rounding": "rounding",
    "disqualified": "disqualified",
}


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One line of the difference."""

    why: Why  #: activity: done in between; decay: faded; time: a date or a window; the others as the ledger's lines
    key: str  #: the fact, or the id in the model
    label: str
    units: int  #: points of the score in 1e-8

    @property
    def points(self) -> Decimal:
        """Points of the score, exact."""
        return Decimal(self.units).scaleb(-8).normalize()


def shifts(before: Ledger, aged: Ledger, now: Ledger) -> tuple[Shift, ...]:
    """What the score changed by from ``before`` to ``now``, in the order of the ledger's lines, without equal parts.

    ``aged``: the later day without what was done after the earlier one.
    """
    return tuple(
        Shift(why=why, key=line.key, label=line.label, units=units)
        for line, by_time, by_deeds in _lines(before, aged, now)
        for why, units in _whys(line, by_time, by_deeds)
        if units
    )


def _whys(line: Line, by_time: int, by_deeds: int) -> list[tuple[Why, int]]:
    why = _BY_KIND.get(line.kind)
    if why is not None:
        return [(why, by_time + by_deeds)]
    return [("decay" if line.kind == "rule" else "time", by_time), ("activity", by_deeds)]


def _lines(before: Ledger, aged: Ledger, now: Ledger) -> Iterator[tuple[Line, int, int]]:
    """Every line of the three with what it changes by as time goes by, and by what is done."""
    latest: dict[Place, Line] = {}
    units: dict[Place, list[int]] = {}
    for nth, ledger in enumerate((before, aged, now)):
        for line in ledger.lines:
            place: Place = (line.part, line.kind, line.group, line.key)
            latest[place] = line
            units.setdefault(place, [0, 0, 0])[nth] += line.units  # engagement may be clamped twice
    for place, (was, aged_, is_) in units.items():
        yield latest[place], aged_ - was, is_ - aged_
