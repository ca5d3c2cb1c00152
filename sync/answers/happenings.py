"""One person's activities, and how each counted or why not, as the kernel itself scores them.

Nothing of scoring is done again here: the person is scored with more and more of their activities, and what an activity
changes is what it counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from scoring.bots import clicks_of_bots
from scoring.kernel import Batch, Scores, score_people
from scoring.values import MICRO
from sync.days import all_days, days_of
from sync.people import Person, gather
from sync.score import Scoring
from sync.store import tables, timelines
from sync.store.values import at, day_number, load

#: activities of variants evaluated at once; keeps memory flat
VARIANT_ROWS = 500_000

How = Literal["counted", "faded", "limit", "bot", "no rule", "future", "too old"]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What one rule made of one activity."""

    rule: str
    label: str
    #: counted; faded: counted, and nothing is left of its points; limit: newer ones used the rule's limit up
    how: How
    #: points of engagement on the score day, before the group's cap
    points: float


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One activity, and how it counted."""

    at: datetime
    #: in the installation's time zone
    on: date
    kind: str
    #: attribute -> label, or id where it has none
    attributes: Mapping[str, str]
    #: counted or not, over all rules
    how: How
    rules: Sequence[Counted]

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return {
            "at": self.at.isoformat(),
            "on": self.on.isoformat(),
            "kind": self.kind,
            "attributes": dict(self.attributes),
            "how": self.how,
            "rules": [
                {"rule": one.rule, "label": one.label, "how": one.how, "points": one.points} for one in self.rules
            ],
        }


def happenings(tx: Connection, number: int, scoring: Scoring, newest: int | None = None) -> list[Happening]:
    """The person's activities, newest first, at most ``newest`` of them."""
    (person,) = gather(tx, [number], scoring.maps, scoring.zone)
    labels = _labels(tx)
    rows = person.activities[::-1][:newest]
    at_ = np.ascontiguousarray(rows["at"])
    days = days_of(at_, scoring.zone)
    today = day_number(scoring.day)
    bots = _of_bots(person, scoring)
    people = person.activities[~bots]
    shown = bots[::-1][:newest]
    told = iter(_verdicts(people, int((~shown).sum()), scoring))
    verdicts = [[] if bot else next(told) for bot in shown.tolist()]
    return [
        Happening(
            at=at(int(at_[place])),
            on=on,
            kind=labels[int(rows["touchpoint"][place])][0],
            attributes=labels[int(rows["touchpoint"][place])][1],
            how="bot" if shown[place] else _how(int(days[place]), today, scoring.retention.days, verdicts[place]),
            rules=verdicts[place],
        )
        for place, on in enumerate(all_days(days.tolist()))
    ]


def _labels(tx: Connection) -> dict[int, tuple[str, dict[str, str]]]:
    found = {}
    for row in tx.execute(select(tables.touchpoint)):
        labels = load(row.labels)
        found[row.number] = (row.kind, {name: labels.get(name) or id_ for name, id_ in load(row.ids).items()})
    return found


def _how(day: int, today: int, retention_days: int, rules: Sequence[Counted]) -> How:
    if day > today:
        return "future"
    if day < today - retention_days:
        return "too old"
    for how in ("counted", "faded", "limit"):
        if any(one.how == how for one in rules):
            return how
    return "no rule"


def _of_bots(person: Person, scoring: Scoring) -> npt.NDArray[np.bool_]:
    """Which of the person's activities no person made, by the model's ``bots``; of those that count today."""
    rows = person.activities
    if scoring.compiled.bots is None or not len(rows):
        return np.zeros(len(rows), dtype=np.bool_)
    alone = np.zeros(len(rows), dtype=np.int64)
    at_, touchpoint = np.ascontiguousarray(rows["at"]), rows["touchpoint"].astype(np.int64)
    return clicks_of_bots(scoring.compiled.bots, alone, at_, touchpoint)


def _verdicts(activities: timelines.Activities, newest: int, scoring: Scoring) -> list[list[Counted]]:
    """What each rule made of the newest activities, newest first, as the kernel itself scores them.

    Alone, an activity shows which rules match it. Of a limit the newest count, so an activity counts exactly when
    adding it to the newer ones raises the rule's count; what it raises the rule's points by is what it brings.
    """
    rows, rules = activities[::-1], scoring.compiled.rules
    alone = _variants(rows, [(place, place + 1) for place in range(newest)], scoring)
    wanted = [place for place in range(newest) if alone.rule_count[place].any()]
    matching = rows[np.array(wanted, dtype=np.int64)] if wanted else rows[:0]
    before_count = np.zeros(len(rules), dtype=np.int64)
    before_points = np.zeros(len(rules), dtype=np.int64)
    found: list[list[Counted]] = [[] for _ in range(newest)]
    for first, end in _portions(len(wanted)):
        grown = _variants(matching, [(0, place + 1) for place in range(first, end)], scoring)
        for nth, place in enumerate(wanted[first:end]):
            for rule in np.flatnonzero(alone.rule_count[place]):
                counts = bool(grown.rule_count[nth, rule] > before_count[rule])
                points = int(grown.rule_points[nth, rule] - before_points[rule]) if counts else 0
                found[place].append(
                    Counted(
                        rule=rules[rule].id,
                        label=rules[rule].label,
                        how="limit" if not counts else "counted" if points else "faded",
                        points=points / MICRO,
                    )
                )
            before_count, before_points = grown.rule_count[nth], grown.rule_points[nth]
    return found


def _portions(total: int) -> list[tuple[int, int]]:
    """Ranges of variant lengths whose rows together stay near ``VARIANT_ROWS``."""
    ranges, first, rows = [], 0, 0
    for place in range(total):
        rows += place + 1
        if rows >= VARIANT_ROWS:
            ranges.append((first, place + 1))
            first, rows = place + 1, 0
    return [*ranges, (first, total)] if first < total else ranges


def _variants(rows: Any, ranges: Sequence[tuple[int, int]], scoring: Scoring) -> Scores:
    """The scores of as many persons as ranges, each with that range of the activities and no facts."""
    lengths = [end - first for first, end in ranges]
    picked = np.concatenate([rows[:0], *(rows[first:end] for first, end in ranges)])
    at_ = np.ascontiguousarray(picked["at"])
    batch = Batch(
        facts=[{}] * len(ranges),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        at=at_,
        day=days_of(at_, scoring.zone),
        touchpoint=np.ascontiguousarray(picked["touchpoint"]),
    )
    day = day_number(scoring.day)
    return score_people(scoring.compiled, batch, day, oldest_day=day - scoring.retention.days)
