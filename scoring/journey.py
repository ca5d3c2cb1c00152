"""The hand-off of one person in one model: the status, since when, and why it changed.

The status is the first row of a table that holds (``ROWS``): it follows from the day's evaluation, sales' word and the
journey so far. Thresholds compare the rounded whole numbers that people see. A journey is never edited, only replaced
by what ``advance`` or ``join`` returns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, Self

from scoring import qualifying
from scoring.model import ScoringModel
from scoring.sales import WORD_RANK, Sales, Word, latest_word, recycled_at, ruling
from scoring.scores import Evaluation
from scoring.trend import surged_on

__all__ = [
    "RANK",
    "ROWS",
    "Cause",
    "Change",
    "Journey",
    "Sales",
    "Status",
    "Transition",
    "Word",
    "advance",
    "join",
    "latest_word",
]

Status = Literal["suspect", "prospect", "mql", "qualifying", "accepted", "recycled", "won", "lost", "disqualified"]
Cause = Literal["backfill", "first", "activity", "model", "sales", "facts", "decay"]

#: How far each status is. Disqualified is no step forward, so it ranks below all.
RANK: Mapping[Status, int] = {
    "disqualified": 0,
    "suspect": 1,
    "prospect": 2,
    "recycled": 3,
    "mql": 4,
    "qualifying": 5,
    "accepted": 6,
    "lost": 7,
    "won": 8,
}

_DATES = ("since", "mql_since", "first_mql_on", "recycled_on", "surged_on")


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Where a person stands in a model, and what the last evaluation saw."""

    status: Status
    since: date  #: day of the last transition
    cause: Cause  #: of the last transition
    furthest: Status = "suspect"
    mql_since: date | None = None  #: day of the last entry as MQL; stays when the status leaves
    first_mql_on: date | None = None
    mql_count: int = 0
    recycled_on: date | None = None  #: day of the last change to recycled; stays when the status leaves
    surged_on: date | None = None  #: day of the last sharp rise of the score
    sales: Word | None = None  #: as said: lost, not what it lapses to
    sales_at: int | None = None
    run_digest: str = ""
    fact_hash: str = ""
    timeline_digest: str = ""

    def to_dict(self) -> dict[str, str | int | None]:
        """The journey as a flat mapping for one JSON column; dates as ISO text."""
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, flat: Mapping[str, Any]) -> Self:
        """The journey that ``to_dict`` wrote."""
        dates = {name: date.fromisoformat(flat[name]) for name in _DATES if flat.get(name) is not None}
        return cls(**{**flat, **dates})


@dataclass(frozen=True, kw_only=True)
class Change:
    """What the store saw since the person's last evaluation."""

    restored: bool = False  #: the store was restored
    first_pull: bool = False  #: the oldest record was created before the connection's first complete pull
    maps_changed: bool = False  #: a field or activity map reads differently
    recent_activity: bool = False  #: something new or changed is dated, or was changed in the CRM, within 2 days
    fresh: frozenset[int] = frozenset()
    #: ^ microseconds of the activities that are new since the last evaluation and dated at most 2 days before the day


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One change of status, or a new entry of one who already was MQL."""

    on: date
    from_: Status | None  #: ``None`` at the first evaluation
    to: Status
    cause: Cause


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that the rows of the table look at."""

    model: ScoringModel
    evaluation: Evaluation
    previous: Journey | None
    sales: Sales | None
    ruling: Word | None  #: sales' word as it reads on the day
    instants: tuple[str, ...]  #: the instant rules that hold


def advance(
    model: ScoringModel,
    previous: Journey | None,
    evaluation: Evaluation,
    sales: Sales | None,
    day: date,
    *,
    run_digest: str,
    fact_hash: str,
    timeline_digest: str,
    change: Change,
) -> tuple[Journey, Transition | None]:
    """The journey on ``day``, and the transition when the status changed.

    A person without a journey gets one, with a transition from ``None``. Advancing the result again with the same
    input changes nothing.
    """
    case = Case(
        model=model,
        evaluation=evaluation,
        previous=previous,
        sales=sales,
        ruling=ruling(model, sales, day),
        instants=qualifying.instants(model, evaluation, day, recycled_at(model, sales, day)),
    )
    row, status = next((row, status) for row in ROWS if (status := row(case)) is not None)
    before = previous or Journey(status="suspect", since=day, cause="first")
    furthest = max(before.furthest, status, key=lambda each: RANK[each])
    word, said_at = _said(sales)
    now = replace(
        before,
        status=status,
        furthest=furthest,
        surged_on=surged_on(model, evaluation, before.surged_on, day),
        sales=word,
        sales_at=said_at,
        run_digest=run_digest,
        fact_hash=fact_hash,
        timeline_digest=timeline_digest,
    )
    entered = row is _qualifies
    if previous is not None and status == previous.status and not entered:
        return now, None
    now = replace(
        now,
        since=day,
        cause=_cause(case, now, change),
        mql_since=day if entered else before.mql_since,
        first_mql_on=before.first_mql_on or (day if entered else None),
        mql_count=before.mql_count + entered,
        recycled_on=day if status == "recycled" else before.recycled_on,
    )
    return now, Transition(on=day, from_=previous.status if previous else None, to=status, cause=now.cause)


def join(a: Journey, b: Journey) -> Journey:
    """The journey of two persons who turn out to be one; the order and grouping of joins do not matter.

    The furthest status with its earliest ``since``, the earliest first and the latest last dates, the larger count, the
    latest word of sales. A digest the two do not share becomes empty, which differs from any.
    """
    word = max(a, b, key=_word_order)
    return replace(
        max(a, b, key=_standing),
        furthest=max(a.furthest, b.furthest, key=lambda each: RANK[each]),
        mql_since=max(_known(a.mql_since, b.mql_since), default=None),
        first_mql_on=min(_known(a.first_mql_on, b.first_mql_on), default=None),
        mql_count=max(a.mql_count, b.mql_count),
        recycled_on=max(_known(a.recycled_on, b.recycled_on), default=None),
        surged_on=max(_known(a.surged_on, b.surged_on), default=None),
        sales=word.sales,
        sales_at=word.sales_at,
        run_digest=_shared(a.run_digest, b.run_digest),
        fact_hash=_shared(a.fact_hash, b.fact_hash),
        timeline_digest=_shared(a.timeline_digest, b.timeline_digest),
    )


def _disqualified(case: Case) -> Status | None:
    """Row 1: a disqualifier holds."""
    return "disqualified" if case.evaluation.disqualified_by is not None else None


def _sales_rules(case: Case) -> Status | None:
    """Row 2: sales says won, lost, accepted, qualifying."""
    return case.ruling if case.ruling != "recycled" else None


def _recycled(case: Case) -> Status | None:
    """Row 3: sales says recycled, and no positive activity is later."""
    newest = case.evaluation.newest_positive_at
    if case.sales is None or case.ruling != "recycled" or (newest is not None and newest > case.sales.at):
        return None
    return "recycled"


def _stays(case: Case) -> Status | None:
    """Row 4: was MQL, a recycle is the one the journey knows, and an instant rule or the definition still holds."""
    if case.previous is None or case.previous.status != "mql":
        return None
    if case.ruling == "recycled" and (case.previous.sales, case.previous.sales_at) != _said(case.sales):
        return None
    return "mql" if case.instants or qualifying.still_holds(case.model, case.evaluation) else None


def _qualifies(case: Case) -> Status | None:
    """Row 5: the definition holds, or an instant rule."""
    return "mql" if case.instants or qualifying.holds(case.model, case.evaluation) else None


def _otherwise(case: Case) -> Status | None:
    """Row 6: recycled if sales said so, else prospect if anything positive ever happened, else suspect."""
    if case.ruling == "recycled":
        return "recycled"
    furthest = case.previous.furthest if case.previous else "suspect"
    if case.evaluation.newest_positive_at is not None or RANK[furthest] >= RANK["prospect"]:
        return "prospect"
    return "suspect"


#: The transition table: the first row that gives a status decides.
ROWS: tuple[Callable[[Case], Status | None], ...] = (
    _disqualified,
    _sales_rules,
    _recycled,
    _stays,
    _qualifies,
    _otherwise,
)


def _said(sales: Sales | None) -> tuple[Word | None, int | None]:
    return (None, None) if sales is None else (sales.word, sales.at)


def _cause(case: Case, now: Journey, change: Change) -> Cause:
    """Why the status changed: the first that holds."""
    previous, active = case.previous, case.evaluation.activity_count > 0
    before = previous or now
    asked = any(case.evaluation.instants[name] in change.fresh for name in case.instants)
    causes: tuple[tuple[bool, Cause], ...] = (
        (change.restored, "backfill"),
        (previous is None and change.first_pull, "first"),
        (asked, "activity"),
        (previous is None, "activity" if active else "facts"),
        (before.run_digest != now.run_digest or change.maps_changed, "model"),
        ((before.sales, before.sales_at) != (now.sales, now.sales_at), "sales"),
        (before.fact_hash != now.fact_hash, "facts"),
        (before.timeline_digest != now.timeline_digest, "activity" if change.recent_activity else "backfill"),
    )
    return next((cause for holds, cause in causes if holds), "decay")


def _standing(journey: Journey) -> tuple[int, int, Cause]:
    """The further status first, then the earlier day; the cause only so that equals agree in all."""
    return RANK[journey.status], -journey.since.toordinal(), journey.cause


def _word_order(journey: Journey) -> tuple[float, int]:
    """As ``latest_word``; no word is before any."""
    if journey.sales is None or journey.sales_at is None:
        return float("-inf"), 0
    return journey.sales_at, WORD_RANK[journey.sales]


def _known(*days: date | None) -> list[date]:
    return [day for day in days if day is not None]


def _shared(a: str, b: str) -> str:
    return a if a == b else ""
