"""What a generated person exercises: a name for each feature of scoring that has an effect on the person.

So a test can count that the strategy really reaches every feature, instead of believing it.
"""

from datetime import timedelta
from itertools import product
from zoneinfo import ZoneInfo

from scoring.kernel import NEVER
from scoring.operands import ATTRIBUTE_OPERANDS, OPERANDS
from tests import scoring_oracle as oracle
from tests.scoring_models import DAY, LISTS, START, TODAY
from tests.scoring_worlds import EPOCH, ZONES

PERIODS = ("day", "week", "month", "quarter", "year", "ever")
SHAPES = ("half_life", "linear", "steps", "none")

#: every feature that ``reached`` knows
FEATURES = frozenset(
    [f"fact {op} {answer}" for op, answer in product(OPERANDS, ("holds", "fails"))]
    + [f"fact {op} of a kind of its own" for op in ("between number", "between date", "is bool", "is date", "in date")]
    + [f"where {op} {answer}" for op, answer in product(ATTRIBUTE_OPERANDS, ("holds", "fails"))]
    + [f"{what} {op}" for what, op in product(("fact", "where"), ("all", "any", "not"))]
    + [f"{outer} around {inner}" for outer, inner in product(("all", "any", "not"), ("all", "any", "not"))]
    + [f"limit per {per}" for per in PERIODS]
    + [f"limit per {per} each" for per in PERIODS]
    + [f"decay {shape}" for shape in SHAPES]
    + [f"{shape} expires" for shape in SHAPES]
    + [f"band {kind} {hit}" for kind, hit in product(("text", "number", "bool", "date"), ("found", "other kind"))]
    + [f"band {kind} of other" for kind in ("text", "number", "date")]
    + [
        f"line {bound} of {source} {answer}"
        for bound, source, answer in product(("at_least", "at_most", "none"), ("activity", "rule"), ("holds", "fails"))
    ]
    + [f"line with {key}" for key in ("where", "within", "distinct touchpoints", "distinct values")]
    + ["pattern holds", "pattern fails", "cap", "floor", "match first", "from", "until", "two rules of one touchpoint"]
    + ["bots", "bots by another click", "bots by delivery", "bots by sending"]
    + ["silence", "silence at most", "silence ignores", "recycle", "recycle and silence"]
    + ["third +", "third -", "third in the middle"]
    + ["interest", "instant newest", "instant none", "met rule", "met adjust", "met pattern", "not met for its size"]
    + ["disqualified", "fit at 0", "fit at 100", "engagement at 0", "engagement at 100"]
    + ["future activity", "two at one instant", "the same twice", "no activity", "retention", "unknown touchpoint"]
    + [f"clocks changed in {zone}" for zone in ZONES if zone != "UTC"]
    + ["another score a week before", "another score a surge before"]
)


def reached(world, facts, activities, found, kept_days, recycled_at):
    """The features; ``found`` is the evaluation in the oracle's shape."""
    names = {*_conditions(world, facts), *_fit(world, facts, found), *_timeline(world, activities, kept_days)}
    names.update(_engagement(world, activities, found, kept_days, recycled_at))
    model = world.model
    names |= {
        name
        for name, holds in {
            "disqualified": found["disqualified_by"],
            "interest": found["interest"],
            "instant newest": any(at is not None for at in found["instants"].values()),
            "instant none": None in found["instants"].values(),
            "met rule": found["met"] & found["rules"].keys(),
            "met pattern": found["met"] & found["patterns"].keys(),
            "met adjust": found["met"] & model.fit.adjust.keys(),
            "not met for its size": any(
                points and name not in found["met"] for name, (points, _, _) in found["rules"].items()
            ),
            f"third {found['grade'][1:] or 'in the middle'}": model.thirds and found["grade"] != "F",
            "another score a week before": found["earlier"][7] != found["score"],
            "another score a surge before": model.surge and found["earlier"][model.surge.within] != found["score"],
        }.items()
        if holds
    }
    return names


def _tests(condition):
    yield condition
    for part in condition.parts:
        yield from _tests(part)


def _nesting(what, condition):
    for node in _tests(condition):
        if node.parts:
            yield f"{what} {node.op}"
            yield from (f"{node.op} around {part.op}" for part in node.parts if part.parts)


def _conditions(world, facts):
    known = {name: value for name, value in facts.items() if not (isinstance(value, str) and not value.strip())}
    for place, condition in world.model.conditions():
        what = "where" if "where" in place else "fact"
        yield from _nesting(what, condition)
        reads = [lambda name: [known[name]] if name in known else []]
        if what == "where":
            reads = [
                lambda name, own=point.attributes: [text for text in own.get(name, ()) if text.strip()]
                for point in world.touchpoints
            ]
        for test, read in product(condition.tests(), reads):
            hit = oracle.holds(test, read, LISTS, TODAY)
            yield f"{what} {test.op} {'holds' if hit else 'fails'}"
            if what == "fact" and hit and read(test.name):
                yield f"fact {test.op} {type(read(test.name)[0]).__name__} of a kind of its own"
                if test.op == "between":
                    kind = oracle.kind(read(test.name)[0])
                    yield f"fact between {kind} of a kind of its own"


def _fit(world, facts, found):
    for name, variable in world.model.fit.variables.items():
        kind, value = variable.percent.kind, facts.get(name)
        if value is None:
            continue
        key, percent = variable.percent.band(value, DAY)
        if key == "other":
            yield f"band {kind} of other"
        elif key and percent:
            yield f"band {kind} found"
        elif not key:
            yield f"band {kind} other kind"
    total = sum(found["fit_parts"].values())
    if total < 0:
        yield "fit at 0"
    if total > 100_000_000:
        yield "fit at 100"


def _counting(activities, kept_days):
    return [one for one in activities if one[1] <= DAY and (kept_days is None or one[1] >= DAY - kept_days)]


def _timeline(world, activities, kept_days):
    seen = _counting(activities, kept_days)
    numbers = {point.number for point in world.touchpoints}
    place = ZoneInfo(world.zone)

    def offset(at):
        return (EPOCH + timedelta(microseconds=at)).astimezone(place).utcoffset()

    if any(one[1] > DAY for one in activities):
        yield "future activity"
    if any(one[1] < DAY - (kept_days or 10_000) for one in activities):
        yield "retention"
    if not activities:
        yield "no activity"
    if any(one[2] not in numbers for one in seen):
        yield "unknown touchpoint"
    if len({one[0] for one in seen}) < len({(one[0], one[2]) for one in seen}):
        yield "two at one instant"
    if len(set(seen)) < len(seen):
        yield "the same twice"
    if len({offset(one[0]) for one in seen}) > 1:
        yield f"clocks changed in {world.zone}"


def _engagement(world, activities, found, kept_days, recycled_at):
    model, by_number = world.model, {point.number: point for point in world.touchpoints}
    whole = _counting(activities, kept_days)
    seen = oracle.without_bots(model.bots, whole, by_number)
    if len(seen) < len(whole):
        yield "bots"
        yield from _signs_of_bots(model.bots, set(whole) - set(seen), whole, by_number)
    took = {}
    for name, group in model.engagement.items():
        net = sum(found["rules"].get(rule, (0,))[0] for rule in group.rules)
        if found["groups"][name] < net:
            yield "cap"
        if found["groups"][name] > net:
            yield "floor"
        yield from _group(model, group, by_number, seen, took)
    for name, pattern in model.patterns.items():
        yield f"pattern {'holds' if name in found['patterns'] else 'fails'}"
        for line in pattern.all:
            yield from _line(line, oracle.line_holds(line, seen, took, by_number, LISTS, DAY), seen, took)
    before = sum(found["groups"].values()) + sum(found["patterns"].values())
    if before < 0:
        yield "engagement at 0"
    if before > 100_000_000:
        yield "engagement at 100"
    yield from _taken(model, by_number, seen, found, recycled_at)


def _group(model, group, by_number, seen, took):
    """The rules of a group; what each takes is added to ``took``."""
    gone = set()
    for name, rule in group.rules.items():
        matched = [one for one in seen if oracle.takes(rule, one, by_number, LISTS)]
        if any(one[2] in gone for one in matched):
            yield "match first" if group.match == "first" else "two rules of one touchpoint"
        own = [one for one in matched if group.match == "all" or one[2] not in gone]
        gone |= {one[2] for one in matched}
        took[name] = [one for one in own if oracle.in_dates(rule, START + timedelta(days=one[1]))]
        if rule.from_ and any(START + timedelta(days=one[1]) < rule.from_ for one in own):
            yield "from"
        if rule.until and any(START + timedelta(days=one[1]) > rule.until for one in own):
            yield "until"
        counted = oracle.newest_per_bin(rule, took[name], by_number)
        if len(counted) < len(took[name]):
            yield f"limit per {rule.limit.per}{' each' if rule.limit.each else ''}"
        yield from _decay(model.decays.get(rule.decay), counted)


def _signs_of_bots(bots, gone, whole, by_number):
    """By which sign the clicks that are gone were found where the model has one sign only."""
    if bots.after_delivery is None:
        yield "bots by another click"
    if bots.clicks_closer_than is None:
        for click in gone:
            mail = oracle.value_of(by_number[click[2]], "mail")
            points = ((one[0], by_number[one[2]]) for one in whole if one[2] in by_number)
            before = {point.kind for at, point in points if at <= click[0] and oracle.value_of(point, "mail") == mail}
            yield "bots by delivery" if "email_delivered" in before else "bots by sending"


def _decay(decay, counted):
    if decay is None or not counted:
        return
    shape = next(name for name in SHAPES if getattr(decay, name))
    if any(one[1] < DAY for one in counted):
        yield f"decay {shape}"
    if decay.expires and any(one[1] < DAY - decay.expires for one in counted):
        yield f"{shape} expires"


def _line(line, holds, seen, took):
    bound = "at_least" if line.at_least is not None else "none" if line.at_most == 0 else "at_most"
    yield f"line {bound} of {'rule' if line.rule else 'activity'} {'holds' if holds else 'fails'}"
    if seen:
        if line.where:
            yield "line with where"
        if line.within and any(one[1] <= DAY - line.within for one in (took[line.rule] if line.rule else seen)):
            yield "line with within"
        if line.distinct:
            yield f"line with distinct {'touchpoints' if line.distinct is True else 'values'}"


def _taken(model, by_number, seen, found, recycled_at):
    if found["silence_micro"]:
        yield "silence"
        if found["silence_micro"] == model.silence.at_most * 1_000_000:
            yield "silence at most"
    if model.silence and any(one[2] in by_number and by_number[one[2]].kind in model.silence.ignore for one in seen):
        yield "silence ignores"
    if recycled_at != NEVER and found["recycle_micro"]:
        yield "recycle"
        if found["silence_micro"]:
            yield "recycle and silence"
