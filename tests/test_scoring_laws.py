"""Laws of scoring, over generated models, touchpoints, facts and timelines."""

import string
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import numpy as np
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.compile import Touchpoint, compile_model
from scoring.digests import model_digest
from scoring.kernel import NEVER, Batch, score_people
from scoring.model import ScoringModel
from scoring.tables import Tables
from tests import scoring_oracle

START = date(1970, 1, 1)
DAY = 20_000  # the score day, a date in 2024
TODAY = START + timedelta(days=DAY)
DAY_US = 86_400_000_000
LISTS = {"targets": frozenset({"software", "acme.example"}), "none": frozenset()}
KINDS = ("form", "email_clicked", "email_delivered", "email_sent")
TEXTS = ("Software", "software ", "Retail", "demo request", "Acme.example", "Straße", " ")
ONE_KIND = (
    {"Software": 80, "retail": 35, "other": 10},
    {"1-49": 20, "50-249": 100, "500+": 70},
    {50: 33, "51-99": 7, 1.5: 1, "other": 1},
    {True: 100, False: 5},
    {"within 30d": 90, "within 90d": 40, "past 10d": 15, "other": 3},
)

percent_points = st.integers(-60_000_000, 60_000_000).map(lambda micro: micro / 1_000_000)
spans = st.integers(1, 120).map("{}d".format)
whole_percents = st.integers(0, 100).map("{}%".format)
descending = st.lists(st.integers(1, 100), min_size=3, max_size=3, unique=True).map(lambda bounds: sorted(bounds)[::-1])


@st.composite
def decays(draw):
    shape = draw(st.sampled_from(["half_life", "linear", "steps", "none"]))
    days = draw(st.lists(st.integers(1, 60), min_size=1, max_size=3, unique=True).map(sorted))
    percents = sorted(draw(st.lists(st.integers(0, 100), min_size=len(days), max_size=len(days))), reverse=True)
    steps = {f"{day}d": f"{percent}%" for day, percent in zip(days, percents, strict=True)}
    raw = {shape: {"half_life": draw(spans), "linear": draw(spans), "steps": steps, "none": True}[shape]}
    return raw | ({"expires": draw(spans)} if draw(st.booleans()) else {})


def nested(leaf):
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda part: {"not": part}, inner),
        ),
        max_leaves=4,
    )


words = st.sampled_from([text for text in TEXTS if text.strip()])
text_tests = st.one_of(
    words,
    st.lists(words, min_size=1, max_size=3),
    st.builds(lambda several: {"not_in": several}, st.lists(words, min_size=1, max_size=3)),
    st.builds(lambda op, word: {op: word}, st.sampled_from(["is", "contains", "starts_with", "ends_with"]), words),
    st.sampled_from([{"matches": "^s.*e"}, {"matches": ["retail$", "Q"]}, {"in_list": "targets"}]),
    st.sampled_from([{"in_list": ["none", "targets"]}, {"missing": True}, {"present": True}, {"missing": False}]),
)
number_tests = st.one_of(
    st.integers(0, 60),
    st.builds(
        lambda op, bound: {op: bound}, st.sampled_from(["above", "at_least", "at_most", "below"]), st.integers(0, 60)
    ),
    st.builds(lambda low, size: {"between": [low, low + size]}, st.integers(0, 60), st.integers(0, 30)),
)
nearby = st.integers(-100, 100).map(lambda days: START + timedelta(days=DAY + days))
date_tests = st.one_of(
    st.builds(lambda op, day: {op: day}, st.sampled_from(["before", "after", "is"]), nearby),
    nearby.map(str),
    st.builds(lambda op, span: {op: span}, st.sampled_from(["within", "past"]), spans),
)
fact_conditions = nested(
    st.dictionaries(
        st.sampled_from(["text", "number", "flag", "day"]),
        st.one_of(text_tests, number_tests, date_tests, st.booleans()),
        min_size=1,
        max_size=2,
    )
)
attribute_conditions = nested(
    st.dictionaries(st.sampled_from(["form", "mail"]), st.one_of(text_tests, st.integers(0, 3)), min_size=1, max_size=2)
)
limits = st.builds(
    lambda count, per, each: f"{count} per {per}{each}",
    st.integers(1, 3),
    st.sampled_from(["day", "week", "month", "quarter", "year", "ever"]),
    st.sampled_from(["", " each mail", " each form"]),
)


ends = st.integers(0, 20).map(lambda days: TODAY + timedelta(days=days))
silences = st.builds(
    lambda after, take, more, every, ignore: {
        "after": after,
        "take": take,
        "every": every,
        "at_most": take + more,
        "ignore": ignore,
    },
    spans,
    st.integers(1, 20),
    st.integers(0, 30),
    st.integers(1, 20).map("{}d".format),
    st.lists(st.sampled_from(KINDS), unique=True, max_size=2),
)
seconds = st.integers(1, 5).map("{}s".format)
bots = st.fixed_dictionaries({"clicks_closer_than": seconds}, optional={"after_delivery": seconds}) | st.builds(
    lambda span: {"after_delivery": span}, seconds
)


def optional(draw, **keys):
    return {key: draw(strategy) for key, strategy in keys.items() if draw(st.booleans())}


@st.composite
def models(draw, points=percent_points, patterns=("at_least", "at_most")):
    """The YAML of a model; ``patterns`` are the bounds of its patterns, and without them it has no bots either."""
    named = draw(st.dictionaries(st.sampled_from(["slow", "fast", "once"]), decays(), min_size=1))
    rule_ids = iter(string.ascii_lowercase)
    engagement = {}
    for group in draw(st.lists(st.sampled_from(["web", "mail", "talk"]), min_size=1, unique=True)):
        rules = {}
        match = draw(st.sampled_from(["all", "all", "first"]))
        for _ in range(draw(st.integers(1, 3))):
            keys = optional(draw, where=attribute_conditions, decay=st.sampled_from(sorted(named)), limit=limits)
            keys |= optional(draw, interest=st.sampled_from(["a", "b"]))
            keys |= optional(draw, **{"from": nearby.filter(lambda on: on < TODAY), "until": ends})
            rules[next(rule_ids)] = {
                "activity": draw(st.sampled_from(KINDS)),
                "points": draw(points),
                "label": "L",
                **keys,
            }
        most = max(0, *(rule["points"] for rule in rules.values()))
        more = st.integers(0, 40_000_000)
        bounds = optional(
            draw, cap=more.map(lambda micro, most=most: round(most + micro / 1_000_000, 6)), floor=st.integers(-50, 0)
        )
        match = {"match": match} if match == "first" and not hides_a_rule(rules) else {}
        engagement[group] = {"label": "G", "rules": rules, **match, **bounds}
    facts = draw(st.lists(st.sampled_from(["text", "number", "flag", "day"]), min_size=1, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(facts) - 1, max_size=len(facts) - 1)))
    fit = {
        fact: {"weight": high - low, "percent": draw(st.sampled_from(ONE_KIND))}
        for fact, (low, high) in zip(facts, pairwise([0, *cuts, 100]), strict=True)
    }
    adjust = {
        f"adjust_{i}": {"if": condition, "points": draw(points), "label": "A"}
        for i, condition in enumerate(draw(st.lists(fact_conditions, max_size=3)))
    }
    share = draw(st.integers(0, 100))
    return {
        "model": "m",
        "weights": {"fit": share, "engagement": 100 - share},
        "decays": named,
        "fit": fit | ({"adjust": adjust} if adjust else {}),
        "engagement": engagement,
        "disqualify": {
            f"lost_{i}": {"if": condition, "label": "D"}
            for i, condition in enumerate(draw(st.lists(fact_conditions, max_size=2)))
        },
        "patterns": {
            f"pattern_{i}": {"all": lines, "points": draw(points), "label": "P"}
            for i, lines in enumerate(
                draw(st.lists(pattern_lines(engagement, patterns), max_size=3)) if patterns else []
            )
        },
        "mql": optional(
            draw,
            recycle=st.integers(0, 100).map(lambda most: {"keep_at_most": most}),
            instant=st.lists(st.sampled_from(ids_of(engagement)), unique=True).map(
                lambda ids: {id_: {} for id_ in ids}
            ),
        ),
        **optional(
            draw,
            grades=descending.map(lambda bounds: dict(zip("ABC", bounds, strict=True))),
            levels=descending,
            thirds=st.just(True),
            silence=silences,
            **({"bots": bots} if patterns else {}),
        ),
    }


def ids_of(engagement):
    return [name for group in engagement.values() for name in group["rules"]]


def hides_a_rule(rules):
    """Whether a rule would be refused in a group where the first match counts."""
    seen = []
    for rule in rules.values():
        if any(kind == rule["activity"] and where in (None, rule.get("where")) for kind, where in seen):
            return True
        seen.append((rule["activity"], rule.get("where")))
    return False


def pattern_lines(engagement, bounds):
    bound = st.builds(lambda name, count: {name: count}, st.sampled_from(bounds), st.integers(1, 3))
    none = {"at_most": 0}
    bound = bound | st.just(none) if "at_most" in bounds else bound
    kind = st.sampled_from(KINDS).map(lambda name: {"activity": name})
    rule = st.sampled_from(ids_of(engagement)).map(lambda name: {"rule": name})
    more = st.fixed_dictionaries(
        {},
        optional={
            "where": attribute_conditions,
            "within": st.integers(1, 40).map("{}d".format),
            "distinct": st.sampled_from([True, "mail", "form"]),
        },
    )
    line = st.builds(lambda *parts: {k: v for part in parts for k, v in part.items()}, bound, kind | rule, more)
    return st.lists(line, min_size=1, max_size=3)


attribute = st.tuples(st.sampled_from(["F1", "2", "", "Straße"]), st.sampled_from(TEXTS))
touchpoint_lists = st.lists(
    st.builds(
        lambda number, kind, attributes, exact: Touchpoint(
            number=number, kind=kind, attributes=attributes, exact=exact
        ),
        st.integers(0, 12),
        st.sampled_from(KINDS),
        st.dictionaries(st.sampled_from(["form", "mail"]), attribute),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=8,
    unique_by=lambda touchpoint: touchpoint.number,
)
fact_sets = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.sampled_from(TEXTS), st.integers(-2, 600), st.floats(0, 60), st.booleans(), nearby)
        for name in ("text", "number", "flag", "day")
    },
)


def activity(number, days_ago, second, zone_hours):
    """(at, day number in the zone, touchpoint); few distinct seconds, so that ties happen."""
    at = (DAY - days_ago) * DAY_US + second * 1_000_000
    return at, (at + zone_hours * 3_600_000_000) // DAY_US, number


@st.composite
def timelines(draw, latest=-3):
    return draw(
        st.lists(
            st.builds(
                activity,
                st.integers(0, 12),
                st.integers(latest, 130),
                st.sampled_from([0, 1, 2, 4, 40_000, 40_003, 86_399]),
                st.just(draw(st.sampled_from([-8, 0, 2]))),
            ),
            max_size=25,
        )
    )


@dataclass(frozen=True, kw_only=True)
class World:
    raw: dict
    touchpoints: list
    people: list  # (facts, activities)

    @property
    def model(self):
        return ScoringModel.model_validate(self.raw)

    def compiled(self):
        return compile_model(self.model, self.touchpoints, Tables(lists=LISTS))


def worlds(points=percent_points, latest=-3, patterns=("at_least", "at_most")):
    return st.builds(
        lambda raw, touchpoints, people: World(raw=raw, touchpoints=touchpoints, people=people),
        models(points, patterns),
        touchpoint_lists,
        st.lists(st.tuples(fact_sets, timelines(latest)), max_size=5),
    )


def unsilenced(world):
    """Without silence: who was never active is not silent, so that a first activity of long ago may begin one."""
    return World(
        raw={key: value for key, value in world.raw.items() if key != "silence"},
        touchpoints=world.touchpoints,
        people=world.people,
    )


def batch(people, recycled=None):
    rows = [one for _, activities in people for one in activities]
    return Batch(
        facts=[facts for facts, _ in people],
        offsets=np.cumsum([0, *(len(activities) for _, activities in people)]),
        at=np.array([row[0] for row in rows], dtype=np.int64),
        day=np.array([row[1] for row in rows], dtype=np.int64),
        touchpoint=np.array([row[2] for row in rows], dtype=np.uint32),
        recycled_at=None if recycled is None else np.array(recycled[: len(people)], dtype=np.int64),
    )


def evaluations(compiled, people, day=DAY, oldest_day=None, recycled=None):
    scores = score_people(compiled, batch(people, recycled), day, oldest_day=oldest_day)
    return [scores.person(i) for i in range(len(people))]


def flat(evaluation):
    """An evaluation in the oracle's shape."""
    names = ("score", "fit", "engagement", "fit_micro", "engagement_micro", "grade", "level", "tier")
    names += ("disqualified_by", "newest_positive_at", "activity_count", "known_facts")
    names += ("met", "instants", "interest", "silence_micro", "silent_since", "recycle_micro")
    return {name: getattr(evaluation, name) for name in names} | {
        "patterns": {one.id: one.points for one in evaluation.patterns},
        "groups": {result.group.id: result.points for result in evaluation.groups},
        "rules": {one.rule.id: (one.points, one.count, one.newest) for one in evaluation.rules},
    }


def expected(world, facts, activities, day=DAY, oldest_day=None, recycled_at=NEVER):
    found = scoring_oracle.score(world.model, world.touchpoints, LISTS, facts, activities, day, oldest_day, recycled_at)
    parts = found.pop("fit_parts")
    return found, {name: points for name, points in parts.items() if points}


moments = st.builds(lambda days, second: (DAY - days) * DAY_US + second * 1_000_000, st.integers(-2, 130), st.just(1))
recycles = st.lists(st.just(NEVER) | moments, min_size=5, max_size=5)


@settings(deadline=None, max_examples=200)
@given(worlds(), st.none() | st.integers(DAY - 100, DAY), recycles)
def test_the_kernel_gives_what_the_oracle_gives(world, oldest_day, recycled):
    results = evaluations(world.compiled(), world.people, oldest_day=oldest_day, recycled=recycled)
    for (facts, activities), recycled_at, evaluation in zip(world.people, recycled, results, strict=False):
        whole, parts = expected(world, facts, activities, oldest_day=oldest_day, recycled_at=recycled_at)
        assert flat(evaluation) == whole
        assert {one.id: one.points for one in evaluation.fit_results if one.points} == parts


@settings(deadline=None, max_examples=10)
@given(worlds(), st.integers(0, 1_000))
def test_the_kernel_gives_what_the_oracle_gives_on_thousands_of_activities(world, seed):
    dice = Random(seed)
    activities = [
        activity(dice.randrange(13), dice.randrange(-3, 900), dice.randrange(86_400), 0) for _ in range(2_000)
    ]
    (evaluation,) = evaluations(world.compiled(), [({}, activities)])
    assert flat(evaluation) == expected(world, {}, activities)[0]


@settings(deadline=None, max_examples=50)
@given(worlds(), st.randoms(use_true_random=False), st.integers(0, 5))
def test_a_person_scores_the_same_alone_in_any_part_of_a_batch_and_in_any_order(world, random, cut):
    compiled = world.compiled()
    together = evaluations(compiled, world.people)
    assert [evaluations(compiled, [person])[0] for person in world.people] == together
    assert evaluations(compiled, world.people[:cut]) + evaluations(compiled, world.people[cut:]) == together
    order = random.sample(range(len(world.people)), len(world.people))
    assert evaluations(compiled, [world.people[i] for i in order]) == [together[i] for i in order]


@settings(deadline=None, max_examples=50)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_activities_does_not_matter(world, random):
    shuffled = [(facts, random.sample(activities, len(activities))) for facts, activities in world.people]
    assert evaluations(world.compiled(), shuffled) == evaluations(world.compiled(), world.people)


@settings(deadline=None, max_examples=50)
@given(worlds(), st.integers(DAY - 100, DAY))
def test_what_is_future_dated_or_beyond_retention_is_as_if_it_were_not_there(world, oldest_day):
    cut = [(facts, [one for one in rows if oldest_day <= one[1] <= DAY]) for facts, rows in world.people]
    assert evaluations(world.compiled(), cut) == evaluations(world.compiled(), world.people, oldest_day=oldest_day)


gains = st.integers(0, 60_000_000).map(lambda micro: micro / 1_000_000)


@settings(deadline=None, max_examples=50)
@given(worlds(points=gains, latest=1, patterns=["at_least"]), st.integers(0, 60))
def test_without_negative_rules_and_at_most_engagement_never_rises_from_day_to_day(world, days):
    today = evaluations(world.compiled(), world.people, day=DAY + days)
    tomorrow = evaluations(world.compiled(), world.people, day=DAY + days + 1)
    assert all(after.engagement_micro <= before.engagement_micro for before, after in zip(today, tomorrow, strict=True))


@settings(deadline=None, max_examples=50)
@given(worlds(points=gains, patterns=()), timelines())
def test_without_negative_rules_more_activities_never_lower_engagement(world, more):
    world = unsilenced(world)
    richer = [(facts, activities + more) for facts, activities in world.people]
    before, after = evaluations(world.compiled(), world.people), evaluations(world.compiled(), richer)
    assert all(one.engagement_micro <= two.engagement_micro for one, two in zip(before, after, strict=True))


@settings(deadline=None, max_examples=50)
@given(worlds(patterns=()), timelines())
def test_more_activities_that_match_positive_rules_only_never_lower_engagement(world, more):
    world = unsilenced(world)
    compiled = world.compiled()
    loss = np.array([rule.points < 0 for rule in compiled.rules])[compiled.entries.owner]
    losing = set(np.repeat(compiled.entries.numbers, np.diff(compiled.entries.starts))[loss].tolist())
    richer = [(facts, rows + [one for one in more if one[2] not in losing]) for facts, rows in world.people]
    before, after = evaluations(compiled, world.people), evaluations(compiled, richer)
    assert all(one.engagement_micro <= two.engagement_micro for one, two in zip(before, after, strict=True))


@settings(deadline=None, max_examples=50)
@given(worlds())
def test_caps_and_floors_and_the_hundred_points_are_never_exceeded(world):
    for evaluation in evaluations(world.compiled(), world.people):
        assert all(result.group.floor <= result.points <= result.group.cap for result in evaluation.groups)
        shown = (evaluation.score, evaluation.fit, evaluation.engagement)
        assert all(0 <= number <= 100 for number in shown)
        assert all(0 <= micro <= 100_000_000 for micro in (evaluation.fit_micro, evaluation.engagement_micro))


@settings(deadline=None, max_examples=50)
@given(models())
def test_a_model_survives_the_way_to_yaml_and_back(raw):
    model = ScoringModel.model_validate(raw)
    assert model.written() == raw
    again = ScoringModel.model_validate(yaml.safe_load(yaml.safe_dump(model.written(), sort_keys=False)))
    assert again == model
    assert model_digest(again) == model_digest(model)


def test_more_people_than_a_chunk_holds_are_scored_each_as_alone():
    raw = {
        "model": "m",
        "weights": {"fit": 50, "engagement": 50},
        "fit": {"number": {"weight": 100, "percent": {"0-99": 50, "100+": 100}}},
        "engagement": {"web": {"label": "G", "rules": {"a": {"activity": "visit", "points": 7, "label": "L"}}}},
    }
    world = World(raw=raw, touchpoints=[Touchpoint(number=3, kind="visit", attributes={})], people=[])
    people = [({"number": i % 200}, [activity(3, 1, 0, 0)] * (i % 3)) for i in range(10_001)]
    scores = score_people(world.compiled(), batch(people), DAY)
    assert scores.fit.tolist() == [50 if i % 200 < 100 else 100 for i in range(10_001)]
    assert scores.engagement.tolist() == [7 * (i % 3) for i in range(10_001)]
