"""How many people a second the kernel scores, and how many times faster it is than the naive oracle on this machine.

Run it with ``make bench``; the numbers are of one process on one core.
"""

import time
from dataclasses import replace

import numpy as np

from scoring.compile import Touchpoint, compile_model
from scoring.fact_values import FactValue
from scoring.kernel import NEVER, Batch, score_people
from scoring.model import ScoringModel
from scoring.tables import Tables
from tests import scoring_oracle

PEOPLE = 20_000
ACTIVITIES_EACH = 50
TOUCHPOINTS = 2_000
ORACLE_PEOPLE = 200
DAY = 20_000
DAY_US = 86_400_000_000
KINDS = ("form_submitted", "list_joined", "email_clicked", "email_sent")


def _rule(number: int) -> dict[str, object]:
    """One of the rules: every fourth of an activity kind, half of them with a limit."""
    limit = {"limit": ("3 per week", "1 per day each mail")[number // 2 % 2]} if number % 2 else {}
    where = {"where": {"mail": {"contains": str(number)}}} if number % 3 else {}
    points = -5 if number % 7 == 6 else 10
    return {
        "activity": KINDS[number % 3],
        "points": points,
        "decay": "fading",
        "label": f"Rule {number}",
        **limit,
        **where,
    }


RAW = {
    "model": "bench",
    "weights": {"fit": 40, "engagement": 60},
    "decays": {"fading": {"half_life": "30d"}},
    "fit": {
        "seniority": {"weight": 40, "percent": {"c_level": 100, "director": 75, "manager": 50}},
        "employees": {"weight": 30, "percent": {"1-49": 20, "50-249": 100, "250-999": 80, "1000+": 50}},
        "industry": {"weight": 30, "percent": {"Software": 100, "other": 30}},
        "adjust": {"private": {"if": {"email_type": "free"}, "points": -10, "label": "Private address"}},
    },
    "engagement": {
        f"group_{g}": {"label": "Group", "cap": 60, "rules": {f"rule_{i}": _rule(i) for i in range(g * 8, g * 8 + 8)}}
        for g in range(3)
    },
    "disqualify": {"competitor": {"if": {"industry": "Competitor"}, "label": "Competitor"}},
}

#: what a model pays for only when it has it
MORE = {
    "patterns": {
        f"pattern_{i}": {
            "all": [{"at_least": 3, "activity": KINDS[i], "within": "30d"}, {"at_most": 0, "rule": f"rule_{i}"}],
            "points": 5,
            "label": "Pattern",
        }
        for i in range(3)
    },
    "silence": {"after": "30d", "take": 5, "every": "7d", "at_most": 30},
    "bots": {"clicks_closer_than": "2s", "after_delivery": "5s"},
    "mql": {"recycle": {"keep_at_most": 25}, "instant": {"rule_0": {}}},
}


def main() -> None:
    """Prints people and activities a second, and the ratios against the oracle and a model with everything."""
    dice = np.random.default_rng(7)
    model = ScoringModel.model_validate(RAW)
    touchpoints = [
        Touchpoint(number=i, kind=KINDS[i % 4], attributes={"mail": (f"M{i}", f"Mail {i}")}) for i in range(TOUCHPOINTS)
    ]
    facts: list[dict[str, FactValue]] = [
        {"seniority": "director", "employees": int(size), "industry": "Software", "email_type": "business"}
        for size in dice.integers(1, 2_000, PEOPLE)
    ]
    days = np.sort(dice.integers(DAY - 400, DAY + 1, (PEOPLE, ACTIVITIES_EACH)), axis=1).ravel()
    batch = Batch(
        facts=facts,
        offsets=np.arange(PEOPLE + 1) * ACTIVITIES_EACH,
        at=days * DAY_US,
        day=days,
        touchpoint=dice.integers(0, TOUCHPOINTS, len(days)).astype(np.uint32),
    )
    started = time.perf_counter()
    compiled = compile_model(model, touchpoints, Tables())
    compiling_s = time.perf_counter() - started
    kernel_s = min(_timed(lambda: score_people(compiled, batch, DAY)) for _ in range(3))
    full = compile_model(ScoringModel.model_validate(RAW | MORE), touchpoints, Tables())
    recycled = np.where(np.arange(PEOPLE) % 10, NEVER, (DAY - 60) * DAY_US)
    full_s = min(_timed(lambda: score_people(full, replace(batch, recycled_at=recycled), DAY)) for _ in range(3))

    scores = score_people(compiled, batch, DAY)
    rows = list(zip(batch.at.tolist(), batch.day.tolist(), batch.touchpoint.tolist(), strict=True))

    def ask_oracle() -> None:
        for i in range(ORACLE_PEOPLE):
            own = rows[i * ACTIVITIES_EACH : (i + 1) * ACTIVITIES_EACH]
            found = scoring_oracle.score(model, touchpoints, {}, facts[i], own, DAY)
            assert found["engagement_micro"] == int(scores.engagement_micro[i]), "the oracle disagrees"

    oracle_each_s = _timed(ask_oracle) / ORACLE_PEOPLE
    lines = (
        f"compile   {compiling_s:.2f} s for {len(compiled.rules)} rules and {TOUCHPOINTS} touchpoints",
        f"kernel    {PEOPLE / kernel_s:,.0f} people/s, {len(days) / kernel_s:,.0f} activities/s",
        f"full      {full_s / kernel_s:.1f} times as long with patterns, silence, bots and a tenth recycled",
        f"oracle    {1 / oracle_each_s:,.0f} people/s (a sample of {ORACLE_PEOPLE})",
        f"ratio     {oracle_each_s * PEOPLE / kernel_s:,.0f} times as fast as the oracle",
    )
    print("\n".join(lines))  # noqa: T201  # a benchmark is there to print


def _timed(run) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
