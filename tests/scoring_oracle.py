"""The oracle: one person's score in plain Python, naive on purpose, written from the rules and not from the kernel.

Every sum runs over a list of activities, every age and bin is asked of ``datetime.date``, every number is a Fraction
until it is rounded. It shares nothing with the kernel but the model's classes.
"""

import math
import re
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

START = date(1970, 1, 1)


NEVER = -(2**63)


def score(model, touchpoints, lists, facts, activities, day, oldest_day=None, recycled_at=NEVER):
    """The score of a person; ``activities`` are (at in microseconds, day number, touchpoint number) in any order."""
    facts = {name: value for name, value in facts.items() if not (isinstance(value, str) and not value.strip())}
    today = START + timedelta(days=day)
    by_number = {touchpoint.number: touchpoint for touchpoint in touchpoints}
    seen = [one for one in activities if one[1] <= day and (oldest_day is None or one[1] >= oldest_day)]
    seen = without_bots(model.bots, seen, by_number)

    def read_fact(name):
        return [facts[name]] if name in facts else []

    parts = {}
    for name, variable in model.fit.variables.items():
        percent = percent_of(variable.percent.raw, facts.get(name), today)
        parts[name] = Fraction(variable.weight * percent, 100)
    for name, adjust in model.fit.adjust.items():
        parts[name] = Fraction(adjust.points) if holds(adjust.if_, read_fact, lists, today) else Fraction(0)
    fit = min(max(sum(parts.values()), Fraction(0)), Fraction(100))

    found = points_of(model, by_number, lists, seen, day)
    positive = [
        one for one in seen for rule in rules_of(model) if rule.points > 0 and takes(rule, one, by_number, lists)
    ]
    recycle = 0
    if model.mql.recycle and recycled_at != NEVER:
        old = points_of(model, by_number, lists, [one for one in seen if one[0] <= recycled_at], day)
        recycle = old["total"] - min(old["total"], model.mql.recycle.keep_at_most * 1_000_000)
    silence = 0
    heard = [one[1] for one in positive if not model.silence or by_number[one[2]].kind not in model.silence.ignore]
    if model.silence and heard and day - max(heard) >= model.silence.after:
        times = 1 + math.floor((day - max(heard) - model.silence.after) / model.silence.every)
        silence = int(min(model.silence.at_most, model.silence.take * times) * 1_000_000)
    total = found["total"] - recycle - silence
    engagement = Fraction(min(max(total, 0), 100_000_000), 1_000_000)

    lost = [name for name, part in model.disqualify.items() if holds(part.if_, read_fact, lists, today)]
    exact = (model.weights.fit * fit + model.weights.engagement * engagement) / 100
    letter = next((letter for letter in "ABC" if half_up(fit) >= model.grades[letter]), "D")
    level = next((i for i, bound in enumerate(model.levels, start=1) if half_up(engagement) >= bound), 4)
    return {
        "score": 0 if lost else half_up(exact),
        "fit": half_up(fit),
        "engagement": half_up(engagement),
        "fit_micro": int(fit * 1_000_000),
        "engagement_micro": int(engagement * 1_000_000),
        "grade": "F" if lost else letter + (third_of(model.grades, letter, half_up(fit)) if model.thirds else ""),
        "level": level,
        "tier": "F" if lost else f"{letter}{level}",
        "disqualified_by": lost[0] if lost else None,
        "newest_positive_at": max((one[0] for one in positive), default=None),
        "activity_count": len(seen),
        "fit_parts": {name: int(part * 1_000_000) for name, part in parts.items()},
        "groups": found["groups"],
        "rules": found["rules"],
        "known_facts": set(facts),
        "met": {name for name, (points, _, _) in found["rules"].items() if abs(points) >= 500_000}
        | set(found["patterns"])
        | {name for name, adjust in model.fit.adjust.items() if holds(adjust.if_, read_fact, lists, today)},
        "instants": {name: found["instants"].get(name) for name in model.mql.instant},
        "interest": interest_of(model, found["rules"]),
        "patterns": found["patterns"],
        "silence_micro": silence,
        "silent_since": max(heard) if silence else None,
        "recycle_micro": recycle,
    }


def points_of(model, by_number, lists, seen, day):
    """What activities give by rule, group and pattern, and all together within 0 to 100 points, in micro-points."""
    rules, groups, instants, took = {}, {}, {}, {}
    for group_name, group in model.engagement.items():
        total, gone = 0, set()
        for name, rule in group.rules.items():
            matched = [one for one in seen if takes(rule, one, by_number, lists) and one[2] not in gone]
            if group.match == "first":
                gone.update(one[2] for one in matched)
            inside = [one for one in matched if in_dates(rule, START + timedelta(days=one[1]))]
            took[name] = inside
            counted = newest_per_bin(rule, inside, by_number)
            points = sum(points_at(rule.points, model.decays.get(rule.decay), day - one[1]) for one in counted)
            if counted:
                rules[name] = (points, len(counted), max(one[1] for one in counted))
                instants[name] = max(one[0] for one in counted)
            total += points
        if group.cap is not None:
            total = min(total, int(group.cap * 1_000_000))
        if group.floor is not None:
            total = max(total, int(group.floor * 1_000_000))
        groups[group_name] = total
    patterns = {
        name: int(pattern.points * 1_000_000)
        for name, pattern in model.patterns.items()
        if all(line_holds(line, seen, took, by_number, lists, day) for line in pattern.all)
    }
    total = min(max(sum(groups.values()) + sum(patterns.values()), 0), 100_000_000)
    return {"rules": rules, "groups": groups, "instants": instants, "patterns": patterns, "total": total}


def rules_of(model):
    return [rule for group in model.engagement.values() for rule in group.rules.values()]


def takes(rule, one, by_number, lists):
    return one[2] in by_number and matches(rule.activity, rule.where, by_number[one[2]], lists)


def in_dates(rule, on):
    return (rule.from_ is None or on >= rule.from_) and (rule.until is None or on <= rule.until)


def line_holds(line, seen, took, by_number, lists, day):
    """Whether one line of a pattern holds."""
    found = [one for one in (took[line.rule] if line.rule else seen) if one[2] in by_number]
    found = [one for one in found if line.within is None or day - one[1] < line.within]
    found = [one for one in found if matches(line.activity, line.where, by_number[one[2]], lists)]
    count = len(found)
    if line.distinct is True:
        count = len({one[2] for one in found})
    elif line.distinct:
        count = len({value_of(by_number[one[2]], line.distinct) for one in found} - {""})
    return count >= line.at_least if line.at_least is not None else count <= line.at_most


def without_bots(bots, seen, by_number):
    """The activities without the clicks that a machine made."""
    if bots is None:
        return seen

    streams = {}
    for one in seen:
        point = by_number.get(one[2])
        if point is not None and point.exact and value_of(point, "mail"):
            streams.setdefault((point.kind, value_of(point, "mail")), []).append(one[0])
    people = []
    for one in seen:
        point = by_number.get(one[2])
        mail = value_of(point, "mail") if point is not None and point.exact else ""
        if not mail or point.kind != "email_clicked":
            people.append(one)
            continue
        apart = sorted(abs(at - one[0]) for at in streams["email_clicked", mail])[1:]  # without itself
        came = [at for at in streams.get(("email_delivered", mail), []) if at <= one[0]]
        came = came or [at for at in streams.get(("email_sent", mail), []) if at <= one[0]]
        near = apart and apart[0] < (bots.clicks_closer_than or 0) * 1_000_000
        soon = came and one[0] - max(came) < (bots.after_delivery or 0) * 1_000_000
        if not near and not soon:
            people.append(one)
    return people


def interest_of(model, rules):
    """The interest with most points, the first written of equals."""
    points = {}
    for group in model.engagement.values():
        for name, rule in group.rules.items():
            if rule.interest:
                points[rule.interest] = points.get(rule.interest, 0) + rules.get(name, (0,))[0]
    most = max(points.values(), default=0)
    return next(name for name, own in points.items() if own == most) if most > 0 else ""


def third_of(grades, letter, fit):
    """The sign of the third of its band in which a shown fit lies."""
    bounds = [100, grades["A"], grades["B"], grades["C"], 0]
    high, low = bounds["ABCD".index(letter)], bounds["ABCD".index(letter) + 1]
    if fit >= low + Fraction(2 * (high - low), 3):
        return "+"
    return "" if fit >= low + Fraction(high - low, 3) else "-"


def value_of(touchpoint, attribute):
    """The folded value by which touchpoints are told apart."""
    identity, label = touchpoint.attributes.get(attribute, ("", ""))
    return identity.strip().casefold() or label.strip().casefold()


def half_up(value):
    """A whole number, half away from zero."""
    size = math.floor(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def points_at(points, decay, age):
    """Micro-points left at an age."""
    exact = Fraction(points) * 1_000_000
    if decay is None:
        return half_up(exact)
    if decay.expires is not None and age > decay.expires:
        return 0
    if decay.half_life is not None:
        with localcontext() as context:
            context.prec = 90
            return half_up(Fraction(Decimal(int(exact)) / Decimal(2) ** (Decimal(age) / Decimal(decay.half_life))))
    if decay.linear is not None:
        return half_up(exact * Fraction(max(decay.linear - age, 0), decay.linear))
    if decay.steps is not None:
        left = [percent for last_day, percent in sorted(decay.steps.items()) if last_day >= age]
        return half_up(exact * Fraction(left[0], 100)) if left else 0
    return half_up(exact)


def newest_per_bin(rule, matched, by_number):
    """The activities that a rule's limit lets count."""
    if rule.limit is None:
        return matched
    bins = {}
    for one in sorted(matched):
        on = START + timedelta(days=one[1])
        bin_of = {
            "day": on,
            "week": on.isocalendar()[:2],
            "month": (on.year, on.month),
            "quarter": (on.year, (on.month + 2) // 3),
            "year": on.year,
            "ever": "ever",
        }[rule.limit.per]
        value = None
        if rule.limit.each:
            value = value_of(by_number[one[2]], rule.limit.each)
        bins.setdefault((bin_of, value), []).append(one)
    return [one for several in bins.values() for one in several[-rule.limit.count :]]


def matches(kind, where, touchpoint, lists):
    """Whether a touchpoint is of the kind, or of any, and satisfies ``where``."""

    def texts(name):
        return [text for text in touchpoint.attributes.get(name, ()) if text.strip()]

    return kind in (None, touchpoint.kind) and (where is None or holds(where, texts, lists, START))


def percent_of(percents, value, today):
    """The percent that a fact's value gets by the keys as written."""
    keys = {str(key).lower() if isinstance(key, bool) else str(key).strip(): key for key in percents}
    named = [key for key in keys if key != "other"]
    if all(key in ("true", "false") for key in named):
        fitting, hit = isinstance(value, bool), [key for key in named if key == str(value).lower()]
    elif all(re.fullmatch(r"(within|past) \d+d", key) for key in named):
        fitting = isinstance(value, date)
        hit = sorted((key for key in named if fitting and in_span(*key.split(), value, today)), key=span_days)
    elif all(re.fullmatch(r"-?[\d.]+|\d+-\d+|\d+\+", key) for key in named):
        fitting = isinstance(value, int | float) and not isinstance(value, bool)
        hit = [key for key in named if fitting and in_band(key, value)]
    else:
        fitting = isinstance(value, str)
        hit = [key for key in named if fitting and key.casefold() == value.strip().casefold()]
    if not fitting:
        return 0
    return percents[keys[hit[0]]] if hit else percents.get("other", 0)


def span_days(key):
    return int(key.split()[1][:-1])


def in_span(word, days, value, today):
    ahead = (value - today).days
    return 0 <= ahead <= int(days[:-1]) if word == "within" else 1 <= -ahead <= int(days[:-1])


def in_band(key, value):
    if key.endswith("+"):
        return value >= int(key[:-1])
    if found := re.fullmatch(r"(\d+)-(\d+)", key):
        return int(found[1]) <= value < int(found[2]) + 1
    return value == float(key)


def holds(condition, read, lists, today):
    """Whether a condition holds; ``read`` gives the values of a name, none when it is unknown."""
    inner = [holds(part, read, lists, today) for part in condition.parts]
    if condition.op in ("all", "any", "not"):
        return {"all": all(inner), "any": any(inner), "not": not (inner and inner[0])}[condition.op]
    values = read(condition.name)
    if condition.op in ("missing", "present"):
        return (len(values) > 0) == ((condition.op == "present") == condition.operand[0])
    hit = any(satisfies(condition.op, value, condition.operand, lists, today) for value in values)
    return not hit if condition.op == "not_in" else hit


def kind(value):
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def fold(value):
    return value.strip().casefold() if isinstance(value, str) else value


def satisfies(op, value, operand, lists, today):
    """One operator on one known value."""
    value = fold(value)
    if op in ("is", "in", "not_in"):
        text = str(value) if isinstance(value, date) else None  # a text may write a date
        return any((kind(value) == kind(one) and value == fold(one)) or text == one for one in operand)
    if op in ("in_list", "contains", "starts_with", "ends_with", "matches"):
        if not isinstance(value, str):
            return False
        return any(
            {
                "in_list": lambda one: value in lists[one],
                "contains": lambda one: fold(one) in value,
                "starts_with": lambda one: value.startswith(fold(one)),
                "ends_with": lambda one: value.endswith(fold(one)),
                "matches": lambda one: re.search(one, value, re.IGNORECASE) is not None,
            }[op](one)
            for one in operand
        )
    if op in ("within", "past"):
        return isinstance(value, date) and in_span(op, f"{operand[0]}d", value, today)
    if kind(value) != kind(operand[0]):
        return False
    low, high = operand[0], operand[-1]
    return {
        "above": value > low,
        "at_least": value >= low,
        "at_most": value <= low,
        "below": value < low,
        "between": low <= value <= high,
        "before": value < low,
        "after": value > low,
    }[op]
