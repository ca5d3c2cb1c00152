"""What another config would change: people before and after, by one model of each, added up chunk by chunk.

Pure. Both sides are decided today from the same store, so the difference is the config's alone. Who is outside the
audience, or has no such model on a side, has no score on that side.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from heapq import nsmallest
from typing import Any

from scoring.journey import Status
from scoring.ledger import UNITS_PER_POINT, Ledger
from scoring.phrases import lower_start
from scoring.scores import GRADES
from sync.decisions import Decision, Verdict

#: a score that changes by this much moves, and so does another tier
MOVES = 5
#: no score on that side
NONE = "none"
TENS = (*(f"{low}-{low + 9}" for low in range(0, 90, 10)), "90-100")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stand:
    """Where somebody stands on one side."""

    score: int
    tier: str
    status: Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """One person whose score, tier or status would be another."""

    person: int
    #: live records as ``connection:object:id``
    records: tuple[str, ...]
    #: None = no score on that side
    before: Stand | None
    after: Stand | None
    #: label of what changes most, and by how many points of the score, in tenths; "" = nothing has a label
    reason: str
    tenths: int

    @property
    def change(self) -> int:
        """Points of score, those of nobody taken as 0."""
        return (self.after.score if self.after else 0) - (self.before.score if self.before else 0)


@dataclass(kw_only=True)
class Part:
    """People of one owner or segment, or all of them."""

    people: int = 0
    up: int = 0
    down: int = 0
    new_mql: int = 0
    lost_mql: int = 0

    @property
    def changed(self) -> bool:
        """Whether anybody in it moves or changes between MQL and not."""
        return bool(self.up or self.down or self.new_mql or self.lost_mql)


@dataclass(kw_only=True)
class Spread:
    """How many people have which score, grade and tier on one side."""

    tens: Counter[str] = field(default_factory=Counter)
    grades: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)

    def add(self, stand: Stand) -> None:
        """One person more."""
        self.tens[TENS[min(stand.score // 10, 9)]] += 1
        self.grades[stand.tier[0]] += 1
        self.tiers[stand.tier] += 1


@dataclass(kw_only=True)
class ModelImpact:
    """What changes in one model."""

    model: str
    #: digest of the rules on each side; None = there is no such model there
    rules: tuple[str | None, str | None]
    #: people with a score on each side
    scored: tuple[int, int] = (0, 0)
    entering: int = 0
    leaving: int = 0
    total: Part = field(default_factory=Part)
    owners: dict[str, Part] = field(default_factory=dict)
    segments: dict[str, Part] = field(default_factory=dict)
    #: (status before, status after) -> people
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: the furthest movers each way
    risen: list[Moved] = field(default_factory=list)
    fallen: list[Moved] = field(default_factory=list)
    new_mql: list[Moved] = field(default_factory=list)
    lost_mql: list[Moved] = field(default_factory=list)
    spread: tuple[Spread, Spread] = field(default_factory=lambda: (Spread(), Spread()))

    @property
    def quiet(self) -> bool:
        """Whether nothing would change that people look at."""
        return not (self.total.changed or self.entering or self.leaving or any(a != b for a, b in self.statuses))

    def add(
        self,
        pairs: Sequence[tuple[Decision, Decision]],
        groups: Callable[[Decision], tuple[str, str]],
        limit: int,
    ) -> None:
        """Adds people, each as decided before and after; ``groups``: somebody's owner and segment, "" = none."""
        moved = []
        for before, after in pairs:
            one, other = verdict_of(before, self.model), verdict_of(after, self.model)
            was, now = stand_of(one), stand_of(other)
            if was is None and now is None:
                continue
            owner, segment = groups(before)
            parts = [self.total, self.segments.setdefault(segment, Part())]
            parts += [self.owners.setdefault(owner, Part())] if owner else []
            self._count(was, now, parts)
            if was != now:
                moved.append(_moved(after, was, now, one, other))
        self._keep(moved, limit)

    def _count(self, was: Stand | None, now: Stand | None, parts: Sequence[Part]) -> None:
        self.scored = (self.scored[0] + (was is not None), self.scored[1] + (now is not None))
        self.entering += was is None
        self.leaving += now is None
        self.statuses[(was.status if was else NONE, now.status if now else NONE)] += 1
        for stand, spread in zip((was, now), self.spread, strict=True):
            if stand is not None:
                spread.add(stand)
        way = _way(was, now)
        for part in parts:
            part.people += 1
            part.up += way > 0
            part.down += way < 0
            part.new_mql += _is_mql(now) and not _is_mql(was)
            part.lost_mql += _is_mql(was) and not _is_mql(now)

    def _keep(self, moved: Sequence[Moved], limit: int) -> None:
        ways = [(one, _way(one.before, one.after)) for one in moved]
        self.risen = _furthest([*self.risen, *(one for one, way in ways if way > 0)], limit)
        self.fallen = _furthest([*self.fallen, *(one for one, way in ways if way < 0)], limit)
        new = [one for one in moved if _is_mql(one.after) and not _is_mql(one.before)]
        lost = [one for one in moved if _is_mql(one.before) and not _is_mql(one.after)]
        self.new_mql = _furthest([*self.new_mql, *new], limit)
        self.lost_mql = _furthest([*self.lost_mql, *lost], limit)

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return {
            "model": self.model,
            "rules": {"before": self.rules[0], "after": self.rules[1]},
            "scored": {"before": self.scored[0], "after": self.scored[1]},
            "entering": self.entering,
            "leaving": self.leaving,
            "total": asdict(self.total),
            "owners": {name: asdict(part) for name, part in self.owners.items()},
            "segments": {name: asdict(part) for name, part in self.segments.items()},
            "statuses": [
                {"from": a, "to": b, "people": number} for (a, b), number in sorted(self.statuses.items()) if a != b
            ],
            "risen": [asdict(one) for one in self.risen],
            "fallen": [asdict(one) for one in self.fallen],
            "new_mql": [asdict(one) for one in self.new_mql],
            "lost_mql": [asdict(one) for one in self.lost_mql],
            "distribution": {
                side: {"score": dict(spread.tens), "grade": dict(spread.grades), "tier": dict(spread.tiers)}
                for side, spread in zip(("before", "after"), self.spread, strict=True)
            },
        }


def verdict_of(decision: Decision, model: str) -> Verdict | None:
    """Where the person stands in a model; None where there is no such model, or nobody may profile the person."""
    return next((one for one in decision.verdicts if one.scoring.model.model == model), None)


def stand_of(verdict: Verdict | None) -> Stand | None:
    """The numbers people see; None without a score."""
    if verdict is None or verdict.scored is None or verdict.journey is None:
        return None
    ledger = verdict.scored.ledger
    return Stand(score=ledger.score, tier=ledger.tier, status=verdict.journey.status)


def main_change(before: Ledger, after: Ledger, up: bool) -> tuple[str, int]:  # noqa: FBT001 - which way is the question
    """What changed most in the direction of the move: its label and the change in tenths of a point of the score.

    As reasons count: under caps and other bounds. ("", 0) when no reason changed that way.
    """
    if after.disqualified_by != before.disqualified_by:
        by = after.disqualified_by
        return f"Disqualified: {lower_start(by)}" if by else "No longer disqualified", (after.score - before.score) * 10
    labels: dict[tuple[str, str], str] = {}
    units: Counter[tuple[str, str]] = Counter()
    for ledger, sign in ((before, -1), (after, 1)):
        for line, effect in ledger.effects:
            labels[(line.kind, line.key)] = line.label
            units[(line.kind, line.key)] += sign * effect
    tenth = UNITS_PER_POINT // 10
    best = max(labels, key=lambda key: units[key] if up else -units[key], default=None)
    size = round(units[best] / tenth) if best is not None else 0
    return (labels[best], size) if best is not None and (size > 0) == up and size else ("", 0)


def _moved(
    decision: Decision, was: Stand | None, now: Stand | None, before: Verdict | None, after: Verdict | None
) -> Moved:
    reason, tenths = "", 0
    if before is not None and after is not None and before.scored is not None and after.scored is not None:
        reason, tenths = main_change(before.scored.ledger, after.scored.ledger, _direction(was, now) > 0)
    return Moved(
        person=decision.person.number,
        records=tuple(f"{row.connection}:{row.object}:{row.crm_id}" for row in decision.person.records),
        before=was,
        after=now,
        reason=reason,
        tenths=tenths,
    )


def _direction(was: Stand | None, now: Stand | None) -> int:
    """Above 0 when better, below when worse: by score, else by grade and level."""
    if was is None or now is None:
        return 0
    if was.score != now.score:
        return now.score - was.score
    a, b = ((GRADES.index(stand.tier[0]), stand.tier[1:]) for stand in (was, now))
    return (a > b) - (a < b)


def _way(was: Stand | None, now: Stand | None) -> int:
    """As ``_direction`` of who moves; 0 for who does not."""
    if was is None or now is None or (abs(now.score - was.score) < MOVES and was.tier == now.tier):
        return 0
    return _direction(was, now)


def _is_mql(stand: Stand | None) -> bool:
    return stand is not None and stand.status == "mql"


def _furthest(moved: Sequence[Moved], limit: int) -> list[Moved]:
    return nsmallest(limit, moved, key=lambda one: (-abs(one.change), one.person))


def shares(parts: Mapping[str, Part]) -> list[tuple[str, Part]]:
    """The parts in which something changes, those with most people first."""
    return sorted(
        ((name, part) for name, part in parts.items() if part.changed), key=lambda pair: (-pair[1].people, pair[0])
    )
