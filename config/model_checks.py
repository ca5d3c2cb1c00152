"""What must hold between the models and the connections: facts mapped, activities delivered, lists there.

Every check reads the documents as written, so it finds its mistakes even where another part is wrong.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.condition_checks import CANARY, MODEL, SCOPE, SEGMENTS, WHERE
from config.parts import UNTIMED
from config.problems import Problem, Spot, error, listed, nearest, unknown, warning
from config.reading import Document, Loc, texts_in
from config.settings import Retention
from scoring.bands import OTHER, parse_bands
from scoring.bots import CLICKED, DELIVERED, MAIL, SENT
from scoring.conditions import NESTING
from scoring.facts import NAMES
from scoring.model import ScoringModel
from scoring.values import parse_days

#: derived fact -> the facts it is made from, of which one is enough; none: it can always be told
DERIVED: Mapping[str, tuple[str, ...]] = {
    "seniority": ("title",),
    "department": ("title",),
    "email_domain": ("email",),
    "email_type": ("email",),
    "looks_like_spam": NAMES,
    "missing": (),
}
#: sales' word; the status reads it, and no rule
HAND_OFF = "hand_off"
#: spans that look back, and what they are called
_SPANS = (
    (("patterns", "*", "all", "*", "within"), "window"),
    (("mql", "instant", "*", "lasts"), "span"),
    (("surge", "within"), "span"),
    (("silence", "after"), "silence"),
)


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What the connections of a folder deliver."""

    facts: frozenset[str]
    #: activity kind -> the attributes its touchpoints keep
    kinds: Mapping[str, frozenset[str]]
    #: those of which the CRM may tell the day alone
    untimed: frozenset[str] = frozenset()


def delivered_by(connections: Collection[Document]) -> Delivered:
    """What the connections deliver together, derived facts included."""
    mapped = {str(loc[-1]) for connection in connections for loc, _ in connection.each("facts", "*")}
    derived = {fact for fact, bases in DERIVED.items() if not bases or mapped.intersection(bases)}
    kinds: dict[str, frozenset[str]] = {}
    untimed = set[str]()
    for connection in connections:
        for loc, source in connection.each("activities", "*"):
            if isinstance(source, dict) and str(source.get("from")) in UNTIMED:
                untimed.add(str(loc[-1]))
            keep = source.get("keep") if isinstance(source, dict) else None
            kinds[str(loc[-1])] = kinds.get(str(loc[-1]), frozenset()) | frozenset(
                keep if isinstance(keep, dict) else ()
            )
    return Delivered(facts=frozenset(mapped | derived) - {HAND_OFF}, kinds=kinds, untimed=frozenset(untimed))


def check_model(model: Document, name: str, delivered: Delivered | None, lists: Collection[str]) -> Iterator[Problem]:
    """Everything in a model that does not fit the folder; ``delivered`` is None while a connection is unreadable."""
    written = model.get(("model",))
    if isinstance(written, str) and written != name:
        yield error(
            model.at(("model",)), f'the model is called "{written}" but its file {name}.yaml; call both the same'
        )
    for pattern in (*MODEL, *WHERE):
        yield from _lists_known(model, pattern, lists)
    if delivered:
        for spot, fact in _facts_read(model):
            yield from _fact_known(spot, fact, delivered.facts)
        yield from _activities_delivered(model, delivered.kinds)
        yield from _patterns_delivered(model, delivered.kinds)
        yield from _silence_and_bots(model, delivered)


def check_conditions(document: Document, delivered: Delivered | None, lists: Collection[str]) -> Iterator[Problem]:
    """Lists that a connection's or the installation's conditions look into and that are not there, and facts."""
    for pattern in (CANARY, SCOPE, SEGMENTS):
        yield from _lists_known(document, pattern, lists)
    if delivered is None:
        return
    for pattern in (CANARY, SEGMENTS):
        for loc, condition in document.each(*pattern):
            for place, fact in names_in(loc, condition):
                yield from _fact_known(document.key(place), fact, delivered.facts)


def check_spans(model: Document, installation: Document | None) -> Iterator[Problem]:
    """Decays that outlast the activities they are for."""
    written = installation.get(("retention", "activities")) if installation else None
    kept = _days(written) or Retention().activities_days
    for loc, decay in model.each("decays", "*"):
        for key in ("half_life", "linear", "expires", "steps"):
            written = decay.get(key) if isinstance(decay, dict) else None
            spans = [_days(span) for span in written] if isinstance(written, dict) else [_days(written)]
            if max((span for span in spans if span), default=0) > kept:
                message = f'decay "{loc[-1]}" is longer than activities are kept (retention: activities: {kept}d)'
                yield warning(model.at((*loc, key)), f"{message}; what is older never counts")
    for pattern, what in _SPANS:
        for loc, span in model.each(*pattern):
            if (_days(span) or 0) > kept:
                message = f"this {what} is longer than activities are kept (retention: activities: {kept}d)"
                yield warning(model.at(loc), f"{message}; what is older never counts")


def check_holes(model: Document) -> Iterator[Problem]:
    """Ranges of a fit variable between which values fall into none."""
    for loc, written in model.each("fit", "*", "percent"):
        try:
            holes = parse_bands(written).holes
        except ValueError:
            continue  # reported where it stands
        fall = "count as other" if isinstance(written, dict) and OTHER in written else "get nothing"
        for below, above in holes:
            yield warning(model.key((*loc, above)), f'values between "{below}" and "{above}" are in no band and {fall}')


def _fact_known(spot: Spot, fact: str, known: Collection[str]) -> Iterator[Problem]:
    if fact in known:
        return
    if fact == HAND_OFF:
        yield error(spot, "hand_off is sales' word: it decides the MQL status by itself, and no condition reads it")
    elif fact in DERIVED:
        bases = " or ".join(DERIVED[fact])
        message = f'fact "{fact}" is derived from {bases}, which no connection maps; map {bases} under facts'
        yield error(spot, message)
    else:
        yield unknown(spot, "no connection maps the fact", fact, known, "map it under facts in a connection")


def _facts_read(model: Document) -> Iterator[tuple[Spot, str]]:
    for loc, _ in model.each("fit", "*"):
        if loc[-1] != "adjust":
            yield model.key(loc), str(loc[-1])
    for pattern in MODEL:
        for loc, condition in model.each(*pattern):
            for place, fact in names_in(loc, condition):
                yield model.key(place), fact
    for loc, facts in model.each("mql", "needs", "facts"):
        for step, fact in texts_in(facts):
            yield model.at((*loc, *step)), fact


def names_in(loc: Loc, condition: Any) -> Iterator[tuple[Loc, str]]:
    """The names a condition tests, as written, with the way to each."""
    if isinstance(condition, list):
        for index, inner in enumerate(condition):
            yield from names_in((*loc, index), inner)
    elif isinstance(condition, dict):
        for name, inner in condition.items():
            if name in NESTING:
                yield from names_in((*loc, name), inner)
            else:
                yield (*loc, name), name


def _activities_delivered(model: Document, kinds: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    for loc, rule in model.each("engagement", "*", "rules", "*"):
        kind = rule.get("activity") if isinstance(rule, dict) else None
        if not isinstance(kind, str):
            continue
        if kind in kinds:
            yield from _attributes_kept(model, loc, rule, kinds[kind])
        else:
            advice = f"kinds delivered: {listed(sorted(kinds)) or 'none'}"
            yield unknown(model.at((*loc, "activity")), "no connection delivers the activity", kind, kinds, advice)


def _patterns_delivered(model: Document, kinds: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    """Kinds and attributes that a line of a pattern reads; a line on a rule counts that rule's kind."""
    rules = {loc[-1]: rule for loc, rule in model.each("engagement", "*", "rules", "*")}
    for loc, line in model.each("patterns", "*", "all", "*"):
        written = line if isinstance(line, dict) else {}
        rule = rules.get(str(written.get("rule")))
        kind = written.get("activity", rule.get("activity") if isinstance(rule, dict) else None)
        if isinstance(kind, str) and kind in kinds:
            yield from _attributes_kept(model, loc, {**written, "activity": kind}, kinds[kind])
        elif isinstance(written.get("activity"), str):
            advice = f"kinds delivered: {listed(sorted(kinds)) or 'none'}"
            yield unknown(model.at((*loc, "activity")), "no connection delivers the activity", str(kind), kinds, advice)


def _silence_and_bots(model: Document, delivered: Delivered) -> Iterator[Problem]:
    """Kinds to ignore that nothing delivers, and streams in which no bot can be told from a person."""
    kinds = delivered.kinds
    for loc, ignored in model.each("silence", "ignore"):
        for step, kind in texts_in(ignored):
            if kind not in kinds:
                close = nearest(kind, kinds)
                yield warning(model.at((*loc, *step)), f'no connection delivers the activity "{kind}" to ignore{close}')
    bots = model.get(("bots",))
    if not isinstance(bots, dict):
        return
    if MAIL not in kinds.get(CLICKED, ()):
        found = (
            f'"{CLICKED}" keeps no attribute "{MAIL}"' if CLICKED in kinds else f'no connection delivers "{CLICKED}"'
        )
        yield warning(model.key(("bots",)), f"{found}, so no click is ever known to be a bot's")
    elif CLICKED in delivered.untimed:
        message = f'of "{CLICKED}" the CRM may tell the day alone'
        yield warning(model.key(("bots",)), f"{message}, so no click is ever known to be a bot's")
    elif "after_delivery" in bots and not any(
        MAIL in kinds.get(kind, ()) and kind not in delivered.untimed for kind in (DELIVERED, SENT)
    ):
        message = f'neither "{DELIVERED}" nor "{SENT}" is delivered with an attribute "{MAIL}" and times'
        yield warning(model.key(("bots", "after_delivery")), f"{message}, so no click is ever soon after its mail")


def check_recycle(model: Document, whole: ScoringModel) -> Iterator[Problem]:
    """A limit after a recycle that lets the best fit qualify again by what sales has already seen."""
    needs, recycle = whole.mql.needs, whole.mql.recycle
    if recycle is None or needs is None or not (needs.score or needs.engagement):
        return
    keep = recycle.keep_at_most
    score = (whole.weights.fit * 100 + whole.weights.engagement * keep + 50) // 100
    if score >= (needs.score or 0) and keep >= (needs.engagement or 0):
        message = f"with fit 100 the {keep} points kept qualify again at once, before anything new happens"
        yield warning(model.at(("mql", "recycle", "keep_at_most")), f"{message}; lower keep_at_most")


def _attributes_kept(model: Document, loc: Loc, rule: Mapping[str, Any], kept: Collection[str]) -> Iterator[Problem]:
    kind = rule["activity"]
    advice = f'"{kind}" keeps {listed(sorted(kept)) or "nothing"}; add it to keep in the connection'
    for place, name in names_in((*loc, "where"), rule.get("where")):
        if name not in kept:
            yield unknown(model.key(place), "the activity map does not keep the attribute", name, kept, advice)
    distinct = rule.get("distinct")
    if isinstance(distinct, str) and distinct not in kept:
        spot = model.at((*loc, "distinct"))
        yield unknown(spot, "the activity map does not keep the attribute", distinct, kept, advice)
    each = re.search(r"\beach (\S+)", str(rule.get("limit")))
    if each and each[1] not in kept:
        spot = model.at((*loc, "limit"))
        yield unknown(spot, "the activity map does not keep the attribute", each[1], kept, advice)


def _lists_known(model: Document, pattern: tuple[str, ...], lists: Collection[str]) -> Iterator[Problem]:
    for loc, condition in model.each(*pattern):
        for place, _ in names_in(loc, condition):
            for step, name in texts_in(model.get((*place, "in_list"))):
                if name not in lists:
                    spot = model.at((*place, "in_list", *step))
                    yield unknown(spot, "there is no list", name, lists, f"write its entries into lists/{name}.txt")


def _days(span: Any) -> int | None:
    try:
        return parse_days(span)
    except ValueError:
        return None
