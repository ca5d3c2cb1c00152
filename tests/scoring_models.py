"""Generated models: the YAML of every part that scoring knows, with conditions, limits and patterns of every kind."""

import string
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import strategies as st

START = date(1970, 1, 1)
DAY = 17_849  # the score day
TODAY = START + timedelta(days=DAY)  # 2018-11-14: clocks had just changed in Europe, Brazil and Australia
LISTS = {"targets": frozenset({"software", "acme.example"}), "none": frozenset()}
KINDS = ("form", "email_clicked", "email_delivered", "email_sent")
FACTS = ("text", "number", "flag", "day")
TEXTS = ("Software", "software ", "Retail", "demo request", "Acme.example", "Straße", " ")
ONE_KIND = (
    {"Software": 100, "retail": 35, "other": 10},
    {"1-49": 20, "50-249": 100, "500+": 70},
    {50: 33, "51-99": 7, 1.5: 1, "other": 95},
    {True: 100, False: 5},
    {"within 30d": 90, "within 90d": 40, "past 10d": 15, "other": 3},
)
#: the band or the facts in it that a variable of each kind is likely to see
KIND_OF_FACT = {"text": (0,), "number": (1, 2), "flag": (3,), "day": (4,)}

percent_points = st.integers(-60_000_000, 60_000_000).map(lambda micro: micro / 1_000_000)
#: so small that dozens of activities do not reach the hundred points, which would hide what a law is about
small_gains = st.integers(500_000, 5_000_000).map(lambda micro: micro / 1_000_000)
small_points = st.one_of(small_gains, small_gains, small_gains, small_gains.map(lambda points: -points))
spans = st.integers(1, 120).map("{}d".format)
descending = st.lists(st.integers(1, 100), min_size=3, max_size=3, unique=True).map(lambda bounds: sorted(bounds)[::-1])
nearby = st.integers(-4, 4).map(lambda steps: TODAY + timedelta(days=25 * steps))  # few, so that some are equal


@st.composite
def decays(draw):
    shape = draw(st.sampled_from(["half_life", "linear", "steps", "none"]))
    days = draw(st.lists(st.integers(1, 60), min_size=1, max_size=3, unique=True).map(sorted))
    percents = sorted(draw(st.lists(st.integers(0, 100), min_size=len(days), max_size=len(days))), reverse=True)
    steps = {f"{day}d": f"{percent}%" for day, percent in zip(days, percents, strict=True)}
    raw = {shape: {"half_life": draw(spans), "linear": draw(spans), "steps": steps, "none": True}[shape]}
    return raw | ({"expires": draw(st.sampled_from(["3d", "20d", "45d"]))} if draw(st.booleans()) else {})


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


def one_test(operators, operands):
    """One operator with an operand, or the operands side by side where several operators are given with them."""
    return st.builds(lambda op, operand: {op: operand}, st.sampled_from(operators), operands)


words = st.sampled_from([text for text in TEXTS if text.strip()])
several_words = st.lists(words, min_size=1, max_size=3)
known_or_not = one_test(["missing", "present"], st.booleans())
text_tests = st.one_of(
    words,
    several_words,
    one_test(["in", "not_in"], several_words),
    one_test(["is"], words),
    one_test(["contains"], st.sampled_from(["ware", "e", "x", ["demo", "ACME"]])),
    one_test(["starts_with"], st.sampled_from(["s", "Retail", "request", ["demo", "ACME"]])),
    one_test(["ends_with"], st.sampled_from(["e", "Retail", "request", ["demo", "asse"]])),
    one_test(["matches"], st.sampled_from(["^s.*e", ["retail$", "Q"], "."])),
    one_test(["in_list"], st.sampled_from(["targets", "none", ["none", "targets"]])),
    known_or_not,
)
bounds = st.integers(0, 60)
number_tests = st.one_of(
    st.sampled_from([50, [1.5, 50]]),
    one_test(["above"], bounds),
    one_test(["at_least"], bounds),
    one_test(["at_most"], bounds),
    one_test(["below"], bounds),
    st.builds(lambda low, size: {"between": [low, low + size]}, bounds, st.integers(0, 30)),
    st.just({"above": 5, "below": 55}),
    st.just({"not_in": [0, 50]}),
    known_or_not,
)
date_tests = st.one_of(
    nearby | nearby.map(str) | st.lists(nearby | nearby.map(str), min_size=1, max_size=3),
    one_test(["before"], nearby),
    one_test(["after"], nearby),
    one_test(["within"], spans),
    one_test(["past"], spans),
    st.builds(lambda low, more: {"between": [low, low + timedelta(days=more)]}, nearby, st.integers(0, 60)),
    known_or_not,
)
fact_conditions = nested(
    st.one_of(  # mostly of the fact's own kind, at times of another
        st.fixed_dictionaries({}, optional={"text": text_tests, "number": number_tests}).filter(bool),
        st.fixed_dictionaries({}, optional={"day": date_tests, "flag": st.booleans()}).filter(bool),
        st.dictionaries(st.sampled_from(FACTS), text_tests | number_tests | date_tests, min_size=1, max_size=2),
    )
)
attribute_conditions = nested(
    st.dictionaries(st.sampled_from(["form", "mail"]), st.one_of(text_tests, st.integers(0, 3)), min_size=1, max_size=2)
)
limits = st.builds(
    lambda count, per, each: f"{count} per {per}{each}",
    st.integers(1, 2),
    st.sampled_from(["day", "day", "week", "month", "quarter", "year", "ever"]),
    st.sampled_from(["", " each mail", " each form"]),
)
begins = st.integers(1, 60).map(lambda days: TODAY - timedelta(days=days))
ends = st.integers(-20, 20).map(lambda days: TODAY + timedelta(days=days))
silences = st.builds(
    lambda after, take, more, every, ignore: {
        "after": after,
        "take": take,
        "every": every,
        "at_most": take + more,
        "ignore": ignore,
    },
    st.integers(1, 20).map("{}d".format),
    st.sampled_from([0.25, 1, 4, 20]),
    st.integers(0, 10),
    st.integers(1, 20).map("{}d".format),
    st.lists(st.sampled_from(KINDS), unique=True, max_size=2),
)
seconds = st.sampled_from(["1s", "3s", "60s", "3600s"])
bots = st.one_of(
    st.fixed_dictionaries({"clicks_closer_than": seconds}),
    st.fixed_dictionaries({"after_delivery": seconds}),
    st.fixed_dictionaries({"after_delivery": st.just("60s")}),
    st.fixed_dictionaries({"clicks_closer_than": seconds, "after_delivery": seconds}),
)


def optional(draw, **keys):
    return {key: draw(strategy) for key, strategy in keys.items() if draw(st.booleans())}


@st.composite
def rules(draw, ids, named, points, kinds):
    keys = optional(draw, decay=st.sampled_from(sorted(named)), limit=limits, interest=st.sampled_from(["a", "b"]))
    seldom = draw(st.integers(0, 5))  # what leaves most activities out
    if seldom < 2:
        keys["where"] = draw(attribute_conditions)
    dates = optional(draw, **{"from": begins, "until": ends}) if seldom in (1, 2) else {}
    if len(dates) == 2 and dates["from"] > dates["until"]:
        del dates["until"]
    return next(ids), {"activity": draw(st.sampled_from(kinds)), "points": draw(points), "label": "L", **keys, **dates}


@st.composite
def groups(draw, ids, named, points):
    """A group; ids are drawn from an iterator, so that they are unique in the model."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2))
    found = dict(draw(st.lists(rules(ids, named, points, kinds), min_size=1, max_size=3)))
    most = max(0, *(rule["points"] for rule in found.values()))
    least = 0 if most else min(rule["points"] for rule in found.values())
    more, floor = st.integers(0, 40_000_000), st.integers(-50, 0).map(lambda low: min(low, least))
    bounds = optional(draw, cap=more.map(lambda micro: round(most + micro / 1_000_000, 6)), floor=floor)
    first = draw(st.booleans()) and not hides_a_rule(found)
    return {"label": "G", "rules": found, **({"match": "first"} if first else {}), **bounds}


@st.composite
def models(draw, points=percent_points, patterns=("at_least", "at_most")):
    """The YAML of a model; ``patterns`` are the bounds of its patterns, and without them it has no bots either."""
    named = draw(st.dictionaries(st.sampled_from(["slow", "fast", "once"]), decays(), min_size=1))
    ids = iter(string.ascii_lowercase)
    engagement = {
        group: draw(groups(ids, named, points))
        for group in draw(st.lists(st.sampled_from(["web", "mail", "talk"]), min_size=1, unique=True))
    }
    facts = draw(st.lists(st.sampled_from(FACTS), min_size=1, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(facts) - 1, max_size=len(facts) - 1)))
    fit = {
        fact: {"weight": high - low, "percent": ONE_KIND[draw(st.sampled_from([*KIND_OF_FACT[fact] * 4, *range(5)]))]}
        for fact, (low, high) in zip(facts, pairwise([0, *cuts, 100]), strict=True)
    }
    adjust = {
        f"adjust_{i}": {"if": condition, "points": draw(points), "label": "A"}
        for i, condition in enumerate(draw(st.lists(fact_conditions, max_size=3)))
    }
    share = draw(st.integers(0, 100))
    some_rules = st.lists(st.sampled_from(ids_of(engagement)), min_size=1, max_size=2, unique=True)
    return {
        "model": "m",
        "weights": {"fit": share, "engagement": 100 - share},
        "decays": named,
        "fit": fit | ({"adjust": adjust} if adjust else {}),
        "engagement": engagement,
        "disqualify": {
            f"lost_{i}": {"if": condition, "label": "D"}
            for i, condition in enumerate(draw(st.lists(fact_conditions, max_size=1)))
        },
        "patterns": {
            f"pattern_{i}": {"all": lines, "points": draw(points), "label": "P"}
            for i, lines in enumerate(
                draw(st.lists(pattern_lines(engagement, patterns), max_size=3)) if patterns else []
            )
        },
        "mql": optional(
            draw,
            needs=st.just({"facts": ["text"]}) | some_rules.map(lambda of: {"rules": {"any": 1, "of": of}}),
            recycle=st.sampled_from([0, 10, 25, 60]).map(lambda most: {"keep_at_most": most}),
            instant=some_rules.map(lambda of: {name: {} for name in of}),
            lost_for=st.sampled_from(["30d", "ever"]),
        ),
        **optional(
            draw,
            audience=fact_conditions,
            on_leave=st.just("keep"),
            grades=descending.map(lambda bounds: dict(zip("ABC", bounds, strict=True))),
            levels=descending,
            thirds=st.just(True),
            silence=silences,
            surge=st.builds(lambda rise, span: {"rise": rise, "within": f"{span}d"}, st.just(5), st.integers(1, 20)),
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
    bound = bound | st.just({"at_most": 0}) if "at_most" in bounds else bound
    kind = st.sampled_from(KINDS).map(lambda name: {"activity": name})
    rule = st.sampled_from(ids_of(engagement)).map(lambda name: {"rule": name})
    window = st.integers(1, 40).map("{}d".format)
    rest = {"where": attribute_conditions, "distinct": st.sampled_from([True, "mail", "form"])}
    more = st.fixed_dictionaries({"within": window}, optional=rest) | st.fixed_dictionaries({}, optional=rest)
    line = st.builds(lambda *parts: {k: v for part in parts for k, v in part.items()}, bound, kind | rule, more)
    return st.lists(line, min_size=1, max_size=2)
