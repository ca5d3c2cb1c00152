"""One person scored by a small model, for cases that are worked out by hand."""

import numpy as np

from scoring.compile import Touchpoint, compile_model
from scoring.kernel import NEVER, Batch, score_people
from scoring.model import ScoringModel
from scoring.tables import Tables

DAY_US = 86_400_000_000
TODAY = 20_522  # 2026-03-10, a Tuesday
TOUCHPOINTS = {
    "demo": Touchpoint(number=1, kind="form", attributes={"form": ("F1", "Demo")}),
    "news": Touchpoint(number=2, kind="form", attributes={"form": ("F2", "News")}),
    "renamed": Touchpoint(number=3, kind="form", attributes={"form": ("f1 ", "Old demo")}),
    "blank": Touchpoint(number=4, kind="form", attributes={"form": (" ", "")}),
    "click": Touchpoint(number=5, kind="email_clicked", attributes={"mail": ("M1", "May")}),
    "link": Touchpoint(number=6, kind="email_clicked", attributes={"mail": ("m1", ""), "link": ("L2", "")}),
    "june": Touchpoint(number=7, kind="email_clicked", attributes={"mail": ("M2", "June")}),
    "task": Touchpoint(number=8, kind="email_clicked", attributes={"mail": ("M1", "May")}, exact=False),
    "nameless": Touchpoint(number=9, kind="email_clicked", attributes={}),
    "delivered": Touchpoint(number=10, kind="email_delivered", attributes={"mail": ("M1", "May")}),
    "sent": Touchpoint(number=11, kind="email_sent", attributes={"mail": ("M1", "May")}),
    "jobs": Touchpoint(number=12, kind="jobs", attributes={}),
    "opened": Touchpoint(number=13, kind="email_opened", attributes={"mail": ("M1", "May")}),
}


def rule(activity, points, **keys):
    return {"activity": activity, "points": points, "label": f"{activity} {points}", **keys}


def raw_model(rules, bounds=None, **keys):
    """The YAML of a model of engagement alone, with all rules in one group."""
    return {
        "model": "m",
        "weights": {"fit": 0, "engagement": 100},
        "decays": {"month": {"linear": "30d"}},
        "fit": {"size": {"weight": 100, "percent": {"1+": 100}}},
        "engagement": {"web": {"label": "Web", "rules": rules, **(bounds or {})}},
        **keys,
    }


def evaluate(raw, *activities, facts=None, recycled=None, day=TODAY, kept_days=None):
    """The evaluation; activities are (days ago, touchpoint) at noon, or (days ago, touchpoint, seconds after noon)."""
    everybody = None if recycled is None else [recycled]
    return evaluate_all(raw, [activities], facts=[facts or {}], recycled=everybody, day=day, kept_days=kept_days)[0]


def evaluate_all(raw, people, *, facts=None, recycled=None, day=TODAY, kept_days=None):
    """The evaluations of several people, each given by what they did; ``recycled`` is (days ago) of each."""
    rows = [one for activities in people for one in activities]
    days = np.array([TODAY - one[0] for one in rows], dtype=np.int64)
    micros = np.array([round(one[2] * 1_000_000) if len(one) > 2 else 0 for one in rows], dtype=np.int64)
    batch = Batch(
        facts=facts or [{} for _ in people],
        offsets=np.cumsum([0, *(len(activities) for activities in people)]),
        at=days * DAY_US + DAY_US // 2 + micros,
        day=days,
        touchpoint=np.array([TOUCHPOINTS[one[1]].number for one in rows], dtype=np.uint32),
        recycled_at=None if recycled is None else np.array([noon(days_ago) for days_ago in recycled]),
    )
    compiled = compile_model(ScoringModel.model_validate(raw), list(TOUCHPOINTS.values()), Tables())
    scores = score_people(compiled, batch, day, oldest_day=None if kept_days is None else day - kept_days)
    return [scores.person(i) for i in range(len(people))]


def noon(days_ago):
    return NEVER if days_ago == NEVER else (TODAY - days_ago) * DAY_US + DAY_US // 2
