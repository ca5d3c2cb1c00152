"""Where a score comes from: the same function evaluated on earlier days, with facts, model and sales' word as of now.

Ages, windows, dates and retention are those of the earlier day. So no score of the past is kept, and a changed model
has a trend from its first day.
"""

from dataclasses import replace
from datetime import date
from typing import Literal

from scoring.compile import CompiledModel
from scoring.kernel import Batch, score_people
from scoring.model import ScoringModel
from scoring.scores import Evaluation, Scores

Momentum = Literal["rising", "steady", "fading"]

#: momentum compares with the score of so many days before
MOMENTUM_DAYS = 7
#: by how much the score must have risen or fallen
MOMENTUM_POINTS = 10


def look_back(model: ScoringModel) -> tuple[int, ...]:
    """How many days before the score day the model is evaluated, too."""
    surge = {model.surge.within} if model.surge else set[int]()
    return tuple(sorted({MOMENTUM_DAYS} | surge))


def score_with_trend(compiled: CompiledModel, batch: Batch, day: int, *, kept_days: int | None = None) -> Scores:
    """As ``score_people``, with the scores of the earlier days beside them.

    ``kept_days``: the retention; on each day what is older than that many days never counts.
    """

    def on(earlier: int) -> Scores:
        return score_people(compiled, batch, earlier, oldest_day=None if kept_days is None else earlier - kept_days)

    return replace(on(day), earlier={days: on(day - days).score for days in look_back(compiled.model)})


def momentum(evaluation: Evaluation) -> Momentum | None:
    """Whether the score rose or fell by at least 10 in 7 days; None for one who is disqualified."""
    before = evaluation.earlier.get(MOMENTUM_DAYS)
    if before is None or evaluation.disqualified_by is not None:
        return None
    if abs(evaluation.score - before) < MOMENTUM_POINTS:
        return "steady"
    return "rising" if evaluation.score > before else "fading"


def surged_on(model: ScoringModel, evaluation: Evaluation, before: date | None, day: date) -> date | None:
    """The day of the last sharp rise: ``day`` when the score rises now and did not within the span, else ``before``."""
    surge = model.surge
    if surge is None or evaluation.disqualified_by is not None:
        return before
    rises = evaluation.score - evaluation.earlier.get(surge.within, evaluation.score) >= surge.rise
    return day if rises and (before is None or (day - before).days > surge.within) else before
