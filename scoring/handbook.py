"""A model in plain language for sales, who never saw one: whom it scores, how, and when a lead is handed over.

Everything is said in labels and words, never in ids or inner names, and follows from the model alone.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from scoring.condition_words import date_in_words, days_in_words, facts_of, in_words, one_line
from scoring.digests import model_digest
from scoring.document import Document, Line, Section
from scoring.handbook_mql import hand_off
from scoring.handbook_rules import what_they_do, who_they_are
from scoring.model import ScoringModel
from scoring.trend import MOMENTUM_DAYS, MOMENTUM_POINTS

_UNKNOWN = "Where it says that something is not so, those of whom it is unknown are meant as well."


def handbook(model: ScoringModel, day: date) -> Document:
    """The whole model in words, as of a day."""
    return Document(
        title=f"How “{one_line(model.model)}” scores people",
        text=(f"As of {date_in_words(day)}, version {model_digest(model)} of the rules.", _UNKNOWN),
        sections=tuple(_sections(model)),
    )


def _sections(model: ScoringModel) -> Iterator[Section]:
    yield _audience(model)
    yield _score(model)
    yield who_they_are(model)
    yield what_they_do(model)
    yield _grades(model)
    yield _trend(model)
    if model.disqualify:
        yield _disqualified(model)
    yield hand_off(model)


def _audience(model: ScoringModel) -> Section:
    if model.audience is None:
        text = ["Everybody."]
    else:
        text = [f"People of whom this holds: {in_words(model.audience, facts_of(model))}."]
        emptied = "are emptied" if model.on_leave == "empty" else "keep what they say"
        text.append(f"When somebody no longer belongs to them, the fields with score and status {emptied}.")
    return Section(key="audience", title="Whom it scores", text=tuple(text))


def _score(model: ScoringModel) -> Section:
    text = "The score goes from 0 to 100. It is made of two numbers, each from 0 to 100 as well:"
    items = (
        Line(key="fit", label="Fit", says=("who they are", f"{model.weights.fit} % of the score")),
        Line(key="engagement", label="Engagement", says=("what they do", f"{model.weights.engagement} % of the score")),
    )
    return Section(key="weights", title="What the score is made of", text=(text,), items=items)


def _grades(model: ScoringModel) -> Section:
    bounds = [(letter, model.grades[letter]) for letter in ("A", "B", "C")]
    grades = (*_bands("fit", _thirds(bounds) if model.thirds else [*bounds, ("D", 0)]),)
    levels = (*_bands("engagement", [*zip("123", model.levels, strict=True), ("4", 0)]),)
    text = "The tier is both together: A1 is the best of both. Whoever is never handed over has grade and tier F."
    begins = ("“B or better” begins at B-.",) if model.thirds else ()
    return Section(
        key="grades",
        title="Grades, levels and tiers",
        text=(text,),
        sections=(
            Section(key="grade", title="Grades, from who they are", text=begins, items=grades),
            Section(key="level", title="Levels, from what they do", items=levels),
        ),
    )


def _thirds(bounds: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The lowest number of each third of each band, best first; one that no number reaches is left out."""
    found: dict[int, str] = {}
    high = 100
    for letter, low in [*bounds, ("D", 0)]:
        for sign, third in (("+", 2), ("", 1), ("-", 0)):
            found.setdefault(low - (low - high) * third // 3, letter + sign)
        high = low
    return [(grade, low) for low, grade in found.items()]


def _bands(name: str, bounds: Sequence[tuple[str, int]]) -> Iterator[Line]:
    """Every band with its lowest and highest number."""
    highest = 100
    for band, low in bounds:
        numbers = str(low) if low == highest else f"{low} or more" if highest == 100 else f"{low} to {highest}"
        yield Line(key=band, label=band, says=(f"{name} of {numbers}",))
        highest = low - 1


def _trend(model: ScoringModel) -> Section:
    before = f"that of {days_in_words(MOMENTUM_DAYS)} before"
    momentum = (
        f"rising or fading when the score is {MOMENTUM_POINTS} points or more above or below {before}, else steady"
    )
    items = [Line(key="momentum", label="Momentum", says=(momentum,))]
    if model.surge:
        rise = f"{model.surge.rise} point{'' if model.surge.rise == 1 else 's'}"
        span = days_in_words(model.surge.within)
        says = (f"the score is {rise} or more above that of {span} before", f"said at most once in {span}")
        items.append(Line(key="surge", label="Sharp rise", says=says))
    return Section(key="trend", title="How the score moves", items=tuple(items))


def _disqualified(model: ScoringModel) -> Section:
    named = facts_of(model)
    text = "Whoever is one of these has score 0, grade F and the status disqualified. The first that holds is named:"
    items = tuple(
        Line(key=key, label=one_line(one.label), says=(f"if {in_words(one.if_, named)}",))
        for key, one in model.disqualify.items()
    )
    return Section(key="disqualify", title="Who is never handed over", text=(text,), items=items, ordered=True)
