"""Generated worlds: a model, its touchpoints, and people with facts and timelines; scored by the kernel and the oracle.

An activity is (at in microseconds, day number in the world's zone, touchpoint number). The strategy asks ``zoneinfo``
for the day, the kernel is given what ``sync.days`` says.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from pydantic import ValidationError

from scoring.compile import Touchpoint, compile_model
from scoring.kernel import NEVER, Batch
from scoring.model import ScoringModel
from scoring.tables import Tables
from scoring.trend import look_back, score_with_trend
from sync.days import days_of
from tests import scoring_oracle
from tests.scoring_models import DAY, FACTS, KINDS, LISTS, START, TEXTS, TODAY, models, nearby, percent_points

DAY_US = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: clocks changed on 28 October, 4 November and 7 October 2018, the last by half an hour
ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe")
#: seconds of the day in UTC: ties and neighbours, and both sides of midnight in every zone, before and after its change
SECONDS = (0, 1, 2, 4, 40_000, 40_003, 86_399, 79_199, 79_200, 82_799, 82_800)
SECONDS += (7_199, 7_200, 10_799, 10_800, 46_799, 46_800, 48_599, 48_600)

attribute = st.tuples(st.sampled_from(["F1", "F1", "F1", "F1", "2", "", "Straße"]), st.sampled_from(TEXTS))
touchpoint_lists = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.fixed_dictionaries({"mail": attribute}, optional={"form": attribute})
        | st.dictionaries(st.sampled_from(["form", "mail"]), attribute),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=5,
    max_size=8,
).map(
    lambda rows: [
        Touchpoint(number=3 * i, kind=kind, attributes=attributes, exact=exact)  # numbers have holes
        for i, (kind, attributes, exact) in enumerate(rows)
    ]
)
fact_sets = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.sampled_from(TEXTS), st.integers(-2, 600), st.floats(0, 60), st.booleans(), nearby)
        for name in FACTS
    },
)


def activity(number, days_ago, second, zone="UTC"):
    at = (DAY - days_ago) * DAY_US + second * 1_000_000
    on = (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).date()
    return at, (on - START).days, number


def dense_facts(dice):
    """Most facts known, most of them of their own kind."""
    own = {
        "text": dice.choice(TEXTS),
        "number": dice.choice([50, 1.5, 249.5, dice.randrange(61), dice.randrange(61), dice.randrange(600)]),
        "flag": dice.random() < 0.5,
        "day": TODAY + timedelta(days=dice.choice([25 * dice.randrange(-4, 5), dice.randrange(-100, 101)])),
    }
    return {name: dice.choice([own[name]] * 6 + [own["text"], own["number"]]) for name in FACTS if dice.random() < 0.8}


def dense_timeline(dice, zone):
    """Some dozens of activities, most of them of late, many in pairs or soon after another, some future."""
    found, last = [], dice.choice([-3, -3, 0, 20])
    for _ in range(dice.randrange(5, 25)):
        number, days_ago = 3 * dice.randrange(9), int(dice.triangular(last, 130, last))
        found += [activity(number, days_ago, dice.choice(SECONDS), zone)] * dice.choice([1, 1, 1, 2])
        if dice.random() < 0.3:  # some close together
            found += [activity(3 * dice.randrange(8), days_ago, dice.choice(SECONDS[:4]), zone) for _ in range(6)]
    return found


def dense_person(seed, zone):
    dice = Random(seed)
    return dense_facts(dice), dense_timeline(dice, zone)


def timelines(zone):
    """Short ones, which shrink well, and long ones."""
    one = st.builds(
        activity,
        st.integers(0, 8).map(lambda place: 3 * place),
        st.integers(-3, 130),
        st.sampled_from(SECONDS),
        st.just(zone),
    )
    return st.lists(one, max_size=8) | st.builds(lambda seed: dense_person(seed, zone)[1], st.integers(0, 2**32))


@dataclass(frozen=True, kw_only=True)
class World:
    raw: dict
    touchpoints: list
    people: list  # (facts, activities)
    zone: str = "UTC"

    @cached_property
    def model(self):
        return ScoringModel.model_validate(self.raw)

    @cached_property
    def compiled(self):
        return compile_model(self.model, self.touchpoints, Tables(lists=LISTS))


@st.composite
def worlds(draw, points=percent_points, patterns=("at_least", "at_most"), most=4):
    zone = draw(st.sampled_from(ZONES))
    raw, touchpoints = draw(models(points, patterns)), draw(touchpoint_lists)
    person = st.tuples(fact_sets, timelines(zone))
    many = st.builds(dense_person, st.integers(0, 2**32), st.just(zone))
    people = draw(st.lists(person, max_size=2)) + draw(st.lists(many, min_size=most // 2, max_size=most - 2))
    world = World(raw=raw, touchpoints=touchpoints, people=people, zone=zone)
    try:
        assert world.model
    except ValidationError:  # it contradicts itself somewhere
        reject()
    return world


_FADING = {
    "slow": {"half_life": "40d"},
    "fast": {"linear": "30d"},
    "steps": {"steps": {"5d": "100%", "15d": "60%", "60d": "20%"}},
    "gone": {"linear": "90d", "expires": "20d"},
}
_LIMITS = ("1 per day", "1 per week", "2 per month", "1 per quarter each mail", "2 per year", "3 per ever")


def gaining_world(seed, *, patterns=False, losses=False):
    """A world for laws of more and less: most activities count for little, so that no bound hides what happens."""
    dice = Random(seed)
    kinds = KINDS[:2]

    def rule(points):
        keys = {"decay": dice.choice(list(_FADING)), "limit": dice.choice(_LIMITS)}
        keys = {key: value for key, value in keys.items() if dice.random() < 0.7}
        return {"activity": dice.choice(kinds), "points": points, "label": "L", **keys}

    rules = {name: rule(dice.choice([0.5, 1, 2.5])) for name in "abc"}
    if losses:
        rules["loss"] = rule(-0.5) | {"activity": KINDS[2]}
    group = {"label": "G", "rules": rules, **({"cap": 15} if dice.random() < 0.3 else {})}
    lines = [
        {"at_least": dice.choice([1, 2, 4]), "activity": kind, "within": f"{dice.choice([3, 10, 30])}d"}
        for kind in kinds
    ]
    silence = {"after": f"{dice.choice([2, 10])}d", "take": 0.5, "every": "2d", "at_most": 5, "ignore": [KINDS[0]]}
    raw = {
        "model": "m",
        "weights": {"fit": 0, "engagement": 100},
        "decays": _FADING,
        "fit": {"number": {"weight": 100, "percent": {"1+": 100}}},
        "engagement": {"g": group},
        "patterns": {f"p{i}": {"all": [line], "points": 4, "label": "P"} for i, line in enumerate(lines) if patterns},
        "mql": {"recycle": {"keep_at_most": 5}} if dice.random() < 0.5 else {},
        **({"silence": silence} if dice.random() < 0.5 else {}),
    }
    mails = (("M1", "May"), ("M2", "June"))
    touchpoints = [
        Touchpoint(number=3 * i, kind=(*kinds, *kinds, *KINDS)[i], attributes={"mail": mails[i % 2]}) for i in range(8)
    ]
    zone = dice.choice(ZONES)
    people = [({}, dense_timeline(dice, zone)[: dice.choice([3, 10, 30])]) for _ in range(8)]
    return World(raw=raw, touchpoints=touchpoints, people=people, zone=zone)


seeds = st.integers(0, 2**32)
moments = st.builds(lambda days, second: (DAY - days) * DAY_US + second * 1_000_000, st.integers(-2, 80), st.just(1))
recycles = st.lists(st.just(NEVER) | moments, min_size=8, max_size=8)


def batch(people, recycled=None, zone=None):
    """The people packed; with ``zone`` the days are those of ``sync.days``."""
    rows = [one for _, activities in people for one in activities]
    at = np.array([row[0] for row in rows], dtype=np.int64)
    return Batch(
        facts=[facts for facts, _ in people],
        offsets=np.cumsum([0, *(len(activities) for _, activities in people)]),
        at=at,
        day=days_of(at, zone) if zone else np.array([row[1] for row in rows], dtype=np.int64),
        touchpoint=np.array([row[2] for row in rows], dtype=np.uint32),
        recycled_at=None if recycled is None else np.array(recycled[: len(people)], dtype=np.int64),
    )


def evaluations(compiled, people, day=DAY, kept_days=None, recycled=None, zone=None):
    scores = score_with_trend(compiled, batch(people, recycled, zone), day, kept_days=kept_days)
    return [scores.person(i) for i in range(len(people))]


def flat(evaluation):
    """An evaluation in the oracle's shape."""
    names = ("score", "fit", "engagement", "fit_micro", "engagement_micro", "grade", "level", "tier")
    names += ("disqualified_by", "newest_positive_at", "activity_count", "known_facts")
    names += ("met", "instants", "interest", "silence_micro", "silent_since", "recycle_micro", "earlier")
    return {name: getattr(evaluation, name) for name in names} | {
        "patterns": {one.id: one.points for one in evaluation.patterns},
        "groups": {result.group.id: result.points for result in evaluation.groups},
        "rules": {one.rule.id: (one.points, one.count, one.newest) for one in evaluation.rules},
        "fit_parts": {one.id: one.points for one in evaluation.fit_results if one.points},
    }


def expected(world, facts, activities, day=DAY, kept_days=None, recycled_at=NEVER):
    """What the oracle says of a person, on the day and on the earlier days that the model looks back to."""

    def on(day):
        oldest = None if kept_days is None else day - kept_days
        return scoring_oracle.score(world.model, world.touchpoints, LISTS, facts, activities, day, oldest, recycled_at)

    found = on(day)
    found["fit_parts"] = {name: points for name, points in found["fit_parts"].items() if points}
    return found | {"earlier": {days: on(day - days)["score"] for days in look_back(world.model)}}
