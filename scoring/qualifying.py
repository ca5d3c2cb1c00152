"""Whether the definition of an MQL holds for an evaluation, whether it keeps an MQL, and which instant rules hold.

All compare the rounded whole numbers that people see. A grade of thirds (``B-``) counts as its letter: ``B or better``
begins at B-. Grade F suffices for nothing.
"""

from datetime import date

from scoring.definition import Instant, LeaveBelow
from scoring.fact_values import day_number
from scoring.model import ScoringModel
from scoring.scores import Evaluation

#: Without a word in ``leave_below`` an MQL leaves when a number is more than this below its minimum; a grade likewise,
#: with fit and the lower bound of its band.
HYSTERESIS_POINTS = 10

_LETTERS = "ABCDF"


def holds(model: ScoringModel, evaluation: Evaluation) -> bool:
    """Whether the definition of an MQL holds; without ``needs`` it never does."""
    needs = model.mql.needs
    if needs is None:
        return False
    return (
        all(value >= minimum for value, minimum in minimums(model, evaluation).values())
        and (needs.grade is None or suffices(evaluation.grade, needs.grade))
        and evaluation.known_facts.issuperset(needs.facts)
        and (needs.rules is None or len(evaluation.met.intersection(needs.rules.of)) >= needs.rules.any)
    )


def still_holds(model: ScoringModel, evaluation: Evaluation) -> bool:
    """Whether no minimum is below its bound for leaving; without minimums, whether the definition holds.

    Facts and rules bind on entry only. ``leave_below: never`` keeps an MQL whatever the definition says.
    """
    if model.mql.leave_below == "never":
        return True
    needs = model.mql.needs
    if needs is None:
        return False
    bounds = _leaving(model, evaluation, model.mql.leave_below or LeaveBelow())
    if not bounds:
        return holds(model, evaluation)
    return all(bound is None or value >= bound for value, bound in bounds)


def instants(model: ScoringModel, evaluation: Evaluation, day: date, after: int | None = None) -> tuple[str, ...]:
    """The ids of the instant rules that hold on ``day``, in the model's order.

    Such a rule holds while its newest counted activity is at most ``lasts`` days old, later than ``after``
    (microseconds) where sales said recycled, and the grade suffices.
    """
    return tuple(
        name
        for name, instant in model.mql.instant.items()
        if reached(instant, evaluation) and lasts(name, instant, evaluation, day, after)
    )


def reached(instant: Instant, evaluation: Evaluation) -> bool:
    """Whether the grade suffices for an instant rule; without a minimum grade any but F does."""
    return suffices(evaluation.grade, instant.grade or "D")


def lasts(name: str, instant: Instant, evaluation: Evaluation, day: date, after: int | None) -> bool:
    """Whether the newest counted activity of an instant rule is young enough, and later than ``after``."""
    newest_at = evaluation.instants.get(name)
    newest_on = next((result.newest for result in evaluation.rules if result.rule.id == name), None)
    if newest_at is None or newest_on is None or (after is not None and newest_at <= after):
        return False
    return day_number(day) - newest_on <= instant.lasts


def suffices(grade: str, minimum: str) -> bool:
    """Whether a grade is the letter of a minimum or better.

    >>> suffices("B-", "B"), suffices("F", "D")
    (True, False)
    """
    return _LETTERS.index(grade[0]) <= _LETTERS.index(minimum)


def minimums(model: ScoringModel, evaluation: Evaluation) -> dict[str, tuple[int, int]]:
    """The numbers of the evaluation that ``needs`` has a minimum for, each with it."""
    needs = model.mql.needs
    if needs is None:
        return {}
    pairs = {
        "score": (evaluation.score, needs.score),
        "fit": (evaluation.fit, needs.fit),
        "engagement": (evaluation.engagement, needs.engagement),
    }
    return {name: (value, minimum) for name, (value, minimum) in pairs.items() if minimum is not None}


def lower_bound(model: ScoringModel, letter: str) -> int:
    """The lowest fit of a grade's band; D has none below it, so 0.

    Bands that ``thirds`` splits keep their lower bound.
    """
    return next((bound for name, bound in model.grades.items() if name == letter), 0)


def _leaving(model: ScoringModel, evaluation: Evaluation, named: LeaveBelow) -> list[tuple[int, int | None]]:
    """Every minimum as (value, bound for leaving); ``None`` where it no longer binds."""
    found: list[tuple[int, int | None]] = []
    for name, (value, minimum) in minimums(model, evaluation).items():
        bound = getattr(named, name)
        found.append((value, minimum - HYSTERESIS_POINTS if bound is None else None if bound == "never" else bound))
    letter = model.mql.needs.grade if model.mql.needs else None
    if letter is not None:
        least: int | None = None
        if named.grade is None:
            least = lower_bound(model, letter) - HYSTERESIS_POINTS
        elif named.grade != "never":
            least = lower_bound(model, named.grade)
        found.append((evaluation.fit, least))
    return found
