"""What a model gives points for, as sections of its handbook: who they are, and what they do."""

from collections.abc import Iterator
from decimal import Decimal

from scoring.bands import OTHER, Band
from scoring.condition_words import (
    activity_in_words,
    attribute_name,
    days_in_words,
    facts_of,
    in_words,
    one_line,
    plain,
    quoted,
    span_in_words,
    value_in_words,
)
from scoring.condition_words import date_in_words as on_date
from scoring.document import Line, Section
from scoring.engagement import Bots, Decay, Group, Pattern, PatternLine, Rule, Silence
from scoring.model import ScoringModel, Variable
from scoring.phrases import listed
from scoring.values import Limit

_HOW_TO_READ = (
    "Points fade once a day, as each line says. Where only so many activities count, the newest do; days, weeks, "
    "months, quarters and years are those of the calendar."
)


def who_they_are(model: ScoringModel) -> Section:
    """Fit: every variable with its values, best first, and the adjustments."""
    named = facts_of(model)
    sections = [
        _variable(name, variable, variable.label or _capital(named(name).removeprefix("the ")))
        for name, variable in model.fit.variables.items()
    ]
    adjust = tuple(
        Line(key=name, label=one_line(one.label), says=(points(one.points), f"if {in_words(one.if_, named)}"))
        for name, one in model.fit.adjust.items()
    )
    if adjust:
        sections.append(Section(key="adjust", title="Added or taken off", items=adjust))
    intro = (
        "Fit goes from 0 to 100. It is the sum of the points below; what is unknown gives none, and the sum never goes "
        "below 0 or above 100."
    )
    return Section(key="fit", title="Who they are (fit)", text=(intro,), sections=tuple(sections))


def what_they_do(model: ScoringModel) -> Section:
    """Engagement: every group with its rules, patterns, silence and the clicks of machines."""
    sections = [_group(model, name, group) for name, group in model.engagement.items()]
    if model.patterns:
        items = tuple(_pattern(model, name, pattern) for name, pattern in model.patterns.items())
        intro = "Each of these gives or takes points once, as long as all that it asks for holds."
        sections.append(Section(key="patterns", title="Patterns", text=(intro,), items=items))
    if model.silence:
        sections.append(Section(key="silence", title="Silence", text=_silence(model.silence)))
    if model.bots:
        sections.append(Section(key="bots", title="Clicks of machines", text=(_bots(model.bots),)))
    text: tuple[str, ...] = (
        "Engagement goes from 0 to 100. It is the sum of the points below, and never goes below 0 or above 100.",
        _HOW_TO_READ,
    )
    if any(rule.interest for _, _, rule in model.rules()):
        text += ("Some activities speak of an interest; the one with most points today is the person's interest.",)
    return Section(key="engagement", title="What they do (engagement)", text=text, sections=tuple(sections))


def points(number: Decimal) -> str:
    """Points given or taken.

    >>> points(Decimal(1)), points(Decimal("2.50")), points(Decimal(-10))
    ('1 point', '2.5 points', '10 points off')
    """
    size = f"{abs(number).normalize():f}"
    return f"{size} point{'' if size == '1' else 's'}{' off' if number < 0 else ''}"


def _variable(name: str, variable: Variable, title: str) -> Section:
    shares = [(band.key, _band(name, band), band.percent) for band in variable.percent.bands]
    if variable.percent.other is not None:
        shares.append((OTHER, "Any other value", variable.percent.other))
    items = tuple(
        Line(key=key, label=label, says=(points(Decimal(variable.weight * percent) / 100),))
        for key, label, percent in sorted(shares, key=lambda share: -share[2])
    )
    text = [f"Up to {points(Decimal(variable.weight * variable.percent.best) / 100)} of fit."]
    if variable.percent.kind == "date" and len(variable.percent.bands) > 1:
        text.append("The shortest span that holds counts.")
    return Section(key=f"variable:{name}", title=one_line(title), text=tuple(text), items=items)


def _band(name: str, band: Band) -> str:
    """What falls into a band."""
    if band.kind == "text":
        return _capital(value_in_words(band.key, name))
    if band.kind == "bool":
        return "Yes" if band.text else "No"
    if band.kind == "date":
        op, _, days = band.key.partition(" ")
        return _capital(span_in_words(op, int(days.removesuffix("d"))))
    if band.low == band.high:
        return value_in_words(band.low)
    low = value_in_words(band.low)
    return f"{low} or more" if band.high == float("inf") else f"{low} to {value_in_words(band.high - 1)}"


def _group(model: ScoringModel, name: str, group: Group) -> Section:
    text = []
    if group.cap is not None:
        text.append(f"Together never above {points(group.cap)}.")
    if group.floor is not None:
        text.append(f"Together never more than {points(abs(group.floor))} off.")
    if group.match == "first":
        text.append("Of these lines only the first that fits an activity counts for it.")
    items = tuple(
        Line(key=key, label=one_line(rule.label), says=tuple(_rule(model, rule))) for key, rule in group.rules.items()
    )
    return Section(
        key=f"group:{name}",
        title=one_line(group.label),
        text=tuple(text),
        items=items,
        ordered=group.match == "first",
    )


def _rule(model: ScoringModel, rule: Rule) -> Iterator[str]:
    when = f"when {activity_in_words(rule.activity)}"
    yield points(rule.points)
    yield when if rule.where is None else in_words(rule.where, attribute_name, after=when)
    yield from _fading(model.decays[rule.decay] if rule.decay else Decay(none=True))
    if rule.limit:
        yield _limit(rule.limit)
    if rule.from_ and rule.until:
        yield f"only from {on_date(rule.from_)} to {on_date(rule.until)}"
    elif rule.from_:
        yield f"only from {on_date(rule.from_)} on"
    elif rule.until:
        yield f"only until {on_date(rule.until)}"
    if rule.interest:
        yield f"speaks of an interest in “{plain(rule.interest)}”"


def _fading(decay: Decay) -> Iterator[str]:
    if decay.half_life:
        yield f"half is left after {days_in_words(decay.half_life)}"
    elif decay.linear:
        yield f"fades evenly to nothing in {days_in_words(decay.linear)}"
    elif decay.steps:
        steps = [f"{percent} % up to {days_in_words(day)}" for day, percent in decay.steps.items()]
        yield f"{', '.join(steps)}, then nothing"
    elif not decay.expires:
        yield "does not fade"
    if decay.expires:
        yield f"counts for {days_in_words(decay.expires)}, then no more"


def _limit(limit: Limit) -> str:
    each = f" for each {plain(limit.each)}" if limit.each else ""
    period = f" a {limit.per}" if limit.per != "ever" else "" if each else " in all"
    return f"at most {_times(limit.count)}{period}{each}"


def _pattern(model: ScoringModel, name: str, pattern: Pattern) -> Line:
    lines = [_line(model, line) for line in pattern.all]
    return Line(key=name, label=one_line(pattern.label), says=(points(pattern.points), f"while {'; and '.join(lines)}"))


def _line(model: ScoringModel, line: PatternLine) -> str:
    labels = {name: rule.label for _, name, rule in model.rules()}
    what = quoted([labels[line.rule]])[0] if line.rule else activity_in_words(line.activity or "")
    if line.where is not None:
        what = f"{in_words(line.where, attribute_name, after=what)}:"
    if line.at_least is not None:
        count = f"at least {_times(line.at_least)}"
    else:
        count = f"at most {_times(line.at_most)}" if line.at_most else "not once"
    window = span_in_words("past", line.within) if line.within else "so far"
    each = "form, page or mail" if line.distinct is True else plain(line.distinct or "")
    return f"{what} {count} {window}{f', each {each} counted once' if each else ''}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _silence(silence: Silence) -> tuple[str, ...]:
    goes = "goes" if silence.take == 1 else "go"
    intro = (
        f"After {days_in_words(silence.after)} without anything that gives points, {points(silence.take)} of "
        f"engagement {goes}, and as many again every {days_in_words(silence.every)}, together at most "
        f"{points(silence.at_most)}. Whoever never did anything is not silent."
    )
    if not silence.ignore:
        return (intro,)
    kinds = listed([activity_in_words(kind) for kind in silence.ignore], "or")
    return (intro, f"A silence goes on even when {kinds}.")


def _bots(bots: Bots) -> str:
    signs = []
    if bots.clicks_closer_than:
        signs.append(f"come less than {_seconds(bots.clicks_closer_than)} apart in the same mail")
    if bots.after_delivery:
        signs.append(f"come less than {_seconds(bots.after_delivery)} after the mail")
    return f"Left out are clicks that no person makes: those that {listed(signs, 'or')}."


def _seconds(count: int) -> str:
    return "1 second" if count == 1 else f"{count} seconds"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
