"""What a person still lacks to be an MQL: in words for sales, and as points of the score.

Both read the definition as it stands on the day, so they follow the model and change with the score. People see labels,
never ids; nothing is said of those for whom sales or a disqualifier has decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scoring import qualifying
from scoring.journey import Journey
from scoring.model import Needs, ScoringModel
from scoring.phrases import grade_or_better, listed, lower_start, points_of
from scoring.scores import Evaluation
from scoring.values import MICRO

#: Facts as one asks for them; others are named by the model's label, or by their own name.
FACT_WORDS: Mapping[str, str] = {
    "budget": "a budget",
    "company": "a company",
    "country": "a country",
    "department": "a department",
    "email": "an e-mail address",
    "employees": "the number of employees",
    "first_name": "a first name",
    "industry": "an industry",
    "last_name": "a last name",
    "mobile": "a mobile number",
    "name": "a name",
    "need_date": "a buying timeline",
    "owner": "an owner",
    "phone": "a phone number",
    "seniority": "a job title that tells the seniority",
    "title": "a job title",
    "website": "a website",
}

_OPEN = frozenset({"suspect", "prospect", "recycled"})


@dataclass(frozen=True, kw_only=True)
class _Case:
    model: ScoringModel
    journey: Journey
    evaluation: Evaluation
    day: date

    @property
    def handed_back(self) -> bool:
        """Whether sales handed the person back; the journey's word is then a recycle or a loss that lapsed."""
        return self.journey.status == "recycled"

    @property
    def after(self) -> int | None:
        """What must be later, in microseconds."""
        return self.journey.sales_at if self.handed_back else None


def missing(model: ScoringModel, journey: Journey, evaluation: Evaluation, day: date) -> str:
    """What is missing in words, one way to qualify after another; "" for an MQL, and when something else has decided.

    Such as ``7 points of engagement and a phone number; or “Asked for a demo”``.
    """
    if journey.status not in _OPEN:
        return ""
    case = _Case(model=model, journey=journey, evaluation=evaluation, day=day)
    ways = [_by_definition(case, model.mql.needs)] if model.mql.needs is not None else []
    ways += [_by_instant(case, name) for name in model.mql.instant]
    return "; or ".join(dict.fromkeys(listed(parts) for parts in ways if parts))


def points_to_mql(model: ScoringModel, journey: Journey, evaluation: Evaluation) -> int | None:
    """The fewest whole points of the score by which the minimums are missed; 0 for an MQL, and when only facts, rules
    or something new are missing. ``None`` when sales or a disqualifier has decided, or there are no ``needs``.
    """
    if journey.status == "mql":
        return 0
    if journey.status not in _OPEN or model.mql.needs is None:
        return None
    fit, engagement = _raised(model, evaluation)
    short = model.weights.fit * (fit - evaluation.fit_micro)
    short += model.weights.engagement * (engagement - evaluation.engagement_micro)
    points = -(-short // (100 * MICRO))
    score, minimum = qualifying.minimums(model, evaluation).get("score", (0, 0))
    return max(points, minimum - score)


def _by_definition(case: _Case, needs: Needs) -> list[str]:
    """What ``needs`` lacks; where sales handed the person back something new comes first."""
    model, evaluation = case.model, case.evaluation
    short = {
        name: minimum - value
        for name, (value, minimum) in qualifying.minimums(model, evaluation).items()
        if value < minimum
    }
    if needs.score is not None and _score(model, *_raised(model, evaluation)) >= needs.score:
        short.pop("score", None)  # the other points bring it
    parts = [points_of(short[name], name) for name in ("fit", "engagement", "score") if name in short]
    if needs.grade is not None and not qualifying.suffices(evaluation.grade, needs.grade):
        parts.append(grade_or_better(needs.grade))
    parts += [_fact(model, name) for name in needs.facts if name not in evaluation.known_facts]
    if needs.rules is not None:
        parts += _rules(model, evaluation, needs.rules.any, needs.rules.of)
    newest = evaluation.newest_positive_at
    if case.after is not None and (newest is None or newest <= case.after):
        parts.insert(0, "something new")
    return parts


def _by_instant(case: _Case, name: str) -> list[str]:
    """What one instant rule lacks: a grade, and an activity when there is none that still counts."""
    instant = case.model.mql.instant[name]
    parts = []
    if not qualifying.reached(instant, case.evaluation):
        parts.append(grade_or_better(instant.grade or "D"))
    if not qualifying.lasts(name, instant, case.evaluation, case.day, case.after):
        again = " again" if case.evaluation.instants.get(name) is not None else ""
        parts.append(f"“{case.model.labels()[name]}”{again}")
    return parts


def _rules(model: ScoringModel, evaluation: Evaluation, count: int, ids: Sequence[str]) -> list[str]:
    """How many more of which rules: all by their names when none can be left out, else the number and a choice."""
    unmet = [name for name in ids if name not in evaluation.met]
    more = count - (len(ids) - len(unmet))
    if more < 1:
        return []
    quoted = [f"“{model.labels()[name]}”" for name in unmet]
    return quoted if more == len(quoted) else [f"{more} of {listed(quoted, 'or')}"]


def _fact(model: ScoringModel, name: str) -> str:
    if name in FACT_WORDS:
        return FACT_WORDS[name]
    variable = model.fit.variables.get(name)
    label = variable.label if variable is not None else ""
    return f"the {lower_start(label) if label else name.replace('_', ' ')}"


def _raised(model: ScoringModel, evaluation: Evaluation) -> tuple[int, int]:
    """Fit and engagement in micro-points with every minimum on them just reached, the grade's among them."""
    least = {name: minimum for name, (_, minimum) in qualifying.minimums(model, evaluation).items()}
    grade = model.mql.needs.grade if model.mql.needs else None
    fit = max(least.get("fit", 0), qualifying.lower_bound(model, grade) if grade else 0)
    return (
        max(evaluation.fit_micro, _shows(fit)),
        max(evaluation.engagement_micro, _shows(least.get("engagement", 0))),
    )


def _shows(points: int) -> int:
    """The fewest micro-points that people see as these points."""
    return points * MICRO - MICRO // 2


def _score(model: ScoringModel, fit: int, engagement: int) -> int:
    exact = model.weights.fit * fit + model.weights.engagement * engagement
    return (exact + 50 * MICRO) // (100 * MICRO)
