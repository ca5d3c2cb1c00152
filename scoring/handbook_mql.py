"""The hand-off of a model as a section of its handbook: who becomes an MQL, who stays one, what sales can say."""

from collections.abc import Iterator

from scoring.condition_words import days_in_words, facts_of, one_line, quoted
from scoring.definition import Instant, LeaveBelow, Needs
from scoring.document import Line, Section
from scoring.model import ScoringModel
from scoring.phrases import grade_or_better, points_of
from scoring.qualifying import HYSTERESIS_POINTS, lower_bound

_WHAT_IT_IS = "An MQL, a marketing qualified lead, is one that marketing hands to sales, as one ready for a talk."


def hand_off(model: ScoringModel) -> Section:
    """When a lead becomes an MQL and stops being one, and what the words of sales do."""
    sections = []
    if model.mql.needs:
        intro = "A lead becomes an MQL on the first day on which all of this holds:"
        items = tuple(_needs(model, model.mql.needs))
        sections.append(Section(key="needs", title="How a lead becomes an MQL", text=(intro,), items=items))
    if model.mql.instant:
        intro = "Each of these makes a lead an MQL by itself, whatever else is missing:"
        items = tuple(_instant(model, name, instant) for name, instant in model.mql.instant.items())
        sections.append(Section(key="instant", title="How a lead becomes an MQL at once", text=(intro,), items=items))
    if sections:
        sections.append(_leaving(model))
    return Section(
        key="mql",
        title="When sales takes over (MQL)",
        text=(_WHAT_IT_IS if sections else "By this model nobody becomes an MQL.",),
        sections=(*sections, _sales(model), _statuses()),
    )


def _needs(model: ScoringModel, needs: Needs) -> Iterator[Line]:
    named = facts_of(model)
    for name in ("score", "fit", "engagement"):
        if (minimum := getattr(needs, name)) is not None:
            yield Line(key=name, says=(f"{name} of {minimum} or more",))
    if needs.grade:
        yield Line(key="grade", says=(grade_or_better(needs.grade),))
    for name in needs.facts:
        yield Line(key=f"fact:{name}", says=(f"{named(name)} is known",))
    if needs.rules:
        labels = model.labels()
        count = "all" if needs.rules.any == len(needs.rules.of) else f"at least {needs.rules.any}"
        choice = ", ".join(quoted([labels[name] for name in needs.rules.of]))
        half = "activities count while half a point or more of them is left"
        yield Line(key="rules", says=(f"{count} of: {choice}", half))


def _instant(model: ScoringModel, name: str, instant: Instant) -> Line:
    grade = grade_or_better(instant.grade) if instant.grade else "any grade but F"
    return Line(
        key=name,
        label=one_line(model.labels()[name]),
        says=(f"while it is at most {days_in_words(instant.lasts)} old", f"with {grade}"),
    )


def _leaving(model: ScoringModel) -> Section:
    """When an MQL stops being one, by the bounds of ``scoring.qualifying``."""
    at_once = "none of what makes a lead an MQL at once holds any more"
    needs, items = model.mql.needs, tuple(_bounds(model))
    minimums = needs is not None and any((needs.score, needs.fit, needs.engagement, needs.grade))
    if model.mql.leave_below == "never" or (minimums and not items):
        text, items = "Whoever is an MQL stays one until sales decides.", ()
    elif needs is None:
        text = f"An MQL stops being one when {at_once}."
    else:
        when = "one of these happens" if items else "not all of the conditions hold any more"
        text = f"An MQL stops being one when {when}{f', and {at_once}' if model.mql.instant else ''}"
        text += ":" if items else "."
        if items and (needs.facts or needs.rules):
            text = f"What must be known or done matters only when a lead becomes an MQL. {text}"
    return Section(key="leaving", title="How an MQL stops being one", text=(text,), items=items)


def _bounds(model: ScoringModel) -> Iterator[Line]:
    """Every minimum that still binds an MQL, with its bound; numbers are never below 0."""
    needs, named = model.mql.needs, model.mql.leave_below
    if needs is None or named == "never":
        return
    named = named or LeaveBelow()
    for name in ("score", "fit", "engagement"):
        minimum, bound = getattr(needs, name), getattr(named, name)
        if minimum is None or bound == "never":
            continue
        least = minimum - HYSTERESIS_POINTS if bound is None else bound
        if least > 0:
            yield Line(key=name, says=(f"{name} falls below {least}",))
    if needs.grade is None or named.grade == "never":
        return
    least = lower_bound(model, named.grade or needs.grade) - (0 if named.grade else HYSTERESIS_POINTS)
    if least > 0:
        yield Line(key="grade", says=(f"fit, which makes the grade, falls below {least}",))


def _sales(model: ScoringModel) -> Section:
    lost = model.mql.lost_for
    items = [
        Line(
            key="taken",
            label="Qualifying, accepted or won",
            says=("that is the status, whatever the score", "it ends when sales says something else"),
        ),
        Line(
            key="lost",
            label="Lost",
            says=("the lead stays lost",)
            if lost == "ever"
            else (f"the lead stays lost for {days_in_words(lost)}, then counts as handed back",),
        ),
        Line(
            key="recycled",
            label="Handed back (recycled)",
            says=(
                "the lead stays recycled until something new gives points, and can become an MQL again after that",
                f"of what came before, at most {points_of(model.mql.recycle.keep_at_most, 'engagement')} "
                f"{'counts' if model.mql.recycle.keep_at_most == 1 else 'count'}"
                if model.mql.recycle
                else "all that came before counts on",
            ),
        ),
    ]
    text = "The word of sales in the CRM goes before the score:"
    return Section(key="sales", title="What sales can say", text=(text,), items=tuple(items))


def _statuses() -> Section:
    items = (
        Line(key="suspect", label="Suspect", says=("has done nothing yet that gives points",)),
        Line(key="prospect", label="Prospect", says=("has done something that gives points",)),
        Line(key="mql", label="MQL", says=("is ready for sales",)),
        Line(key="disqualified", label="Disqualified", says=("is never handed over, see above",)),
    )
    text = "Besides the words of sales a lead has one of these:"
    return Section(key="statuses", title="What the other statuses mean", text=(text,), items=items)
