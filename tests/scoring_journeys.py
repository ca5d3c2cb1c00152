"""What tests of the journey build: a small model, evaluations of chosen numbers, journeys, and a step of one day."""

from datetime import date, timedelta
from types import SimpleNamespace

from scoring.journey import Change, Journey, Sales, advance
from scoring.model import ScoringModel
from scoring.scores import Evaluation, RuleResult

DAY = date(2026, 11, 14)
US_PER_DAY = 86_400_000_000
START = date(1970, 1, 1)
RULES = {
    "demo": {"activity": "form_submitted", "points": 100, "label": "Asked for a demo"},
    "call": {"activity": "call_received", "points": 100, "label": "Called us"},
    "prices": {"activity": "list_joined", "points": 10, "label": "Looked at prices"},
}


def model(needs=None, *, mql=None, **fields):
    raw = {
        "model": "b2b",
        "weights": {"fit": 40, "engagement": 60},
        "fit": {
            "seniority": {"weight": 100, "percent": {"director": 100}},
            "adjust": {"target": {"if": {"country": "DE"}, "points": 10, "label": "Target country"}},
        },
        "engagement": {"hand": {"label": "Raised a hand", "rules": RULES}},
        "mql": ({} if needs is None else {"needs": needs}) | (mql or {}),
    }
    return ScoringModel.model_validate(raw | fields)


SCORE_60 = model({"score": 60})
NO_NEEDS = model()


def at(day):
    """Noon of the day, in microseconds since 1970."""
    return (day - START).days * US_PER_DAY + US_PER_DAY // 2


def ago(days):
    return DAY - timedelta(days=days)


def person(*, newest=None, known=(), activities=0, met=(), asked=None, **fields):
    """An evaluation of which only what the journey reads is chosen; ``asked`` is rule -> its newest counted instant."""
    plain = {
        "score": 0,
        "fit": 0,
        "engagement": 0,
        "fit_micro": 0,
        "engagement_micro": 0,
        "grade": "D",
        "level": 4,
        "tier": "D4",
        "disqualified_by": None,
        "fit_results": (),
        "groups": (),
    }
    asked = asked or {}
    rules = tuple(
        RuleResult(rule=SimpleNamespace(id=name), points=0, count=1, newest=instant // US_PER_DAY)
        for name, instant in asked.items()
    )
    return Evaluation(
        **(plain | fields),
        newest_positive_at=newest,
        known_facts=frozenset(known),
        activity_count=activities,
        met=frozenset(met),
        rules=rules,
        instants={name: asked.get(name) for name in RULES},
    )


def said(word, day=DAY, offset=0):
    return Sales(word=word, at=at(day) + offset, on=day)


def was(status, **fields):
    """A journey with that status, of ten days ago, evaluated like ``step`` does by default."""
    plain = {
        "status": status,
        "since": DAY - timedelta(days=10),
        "cause": "sales",
        "furthest": "suspect" if status == "disqualified" else status,
        "run_digest": "run",
        "fact_hash": "facts",
        "timeline_digest": "timeline",
    }
    return Journey(**(plain | fields))


def was_mql(**fields):
    entered = DAY - timedelta(days=10)
    return was("mql", **({"mql_since": entered, "first_mql_on": entered, "mql_count": 1, "cause": "activity"} | fields))


def step(previous, evaluation, sales=None, *, model=SCORE_60, day=DAY, change=None, **digests):
    plain = {"run_digest": "run", "fact_hash": "facts", "timeline_digest": "timeline"}
    return advance(model, previous, evaluation, sales, day, change=change or Change(), **(plain | digests))


def status_of(*args, **kwargs):
    return step(*args, **kwargs)[0].status
