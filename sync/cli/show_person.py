"""One person, as people read them: the ledger with a total, facts, status, our fields, and the timeline."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rich.console import Console

from scoring.condition_words import heading, plain, value_in_words
from scoring.dates import day_in_words
from scoring.journey import Journey, Word
from scoring.ledger import Ledger, Line
from scoring.wording import STATUS_WORDS
from sync.answers.explain import Explained, Fact, HeldRecord, OurField
from sync.answers.happenings import Happening
from sync.cli.show import line, pairs, table, value_text

HIDDEN = "(hidden)"
#: the fact that names those which are unknown
MISSING = "missing"
CENT = Decimal("0.01")
#: the parts of a ledger, and what their lines tell besides the points
PARTS = {"fit": ("Fit: who they are", "how well it fits"), "engagement": ("Engagement: what they do", "when")}
HOW = {
    "counted": "",
    "faded": "faded to 0",
    "limit": "limit reached",
    "bot": "a machine's click, by the model's signs of bots",
    "no rule": "no rule takes it",
    "future": "dated after today: counts from its day on",
    "too old": "older than what is kept",
}
#: why a status changed
CAUSES: Mapping[str, str] = {
    "activity": "they did something",
    "backfill": "something of the past came to light",
    "decay": "points faded",
    "facts": "what is known of them changed",
    "first": "scored for the first time",
    "model": "the rules changed",
    "sales": "sales said so",
}
#: what sales said
SAID: Mapping[Word, str] = {word: STATUS_WORDS[word].lower() for word in ("qualifying", "accepted", "won", "lost")} | {
    "recycled": "handed back"
}


def person(out: Console, found: Explained, *, reveal: bool) -> None:
    """Everything ``explain`` knows."""
    for record in found.records:
        line(out, (_name(record), "bold"))
    if found.outputs.get("summary"):
        line(out, str(found.outputs["summary"]))
    out.print()
    if not found.profiled:
        out.print("Not to be profiled: not scored, no activities are kept, and our fields are emptied")
    elif found.ledger is None:
        out.print(f"Outside the audience of model {found.model}: not scored by it; what follows is from before")
        out.print()
        _status(out, found)
    else:
        ledger(out, found.ledger, found.day)
        out.print()
        _status(out, found)
    if found.held:
        out.print("Held by sales: scored as ever, and nothing is written to the CRM")
    out.print()
    _facts(out, found, reveal=reveal)
    _our_fields(out, found)


def _name(record: HeldRecord) -> str:
    return f"{record.connection}:{record.object}:{record.crm_id}"


def _our_fields(out: Console, found: Explained) -> None:
    """What the CRMs hold, once where several records hold the same."""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for record in found.records:
        held = tuple((_words(field.output), _three(field, found.day)) for field in record.fields.values())
        alike.setdefault(held, []).append(_name(record))
    for held, names in alike.items():
        out.print()
        for nth, name in enumerate(names):
            line(out, (f"{'           and' if nth else 'Our fields on'} {name}", "bold"))
        empty = [name for name, value in held if not value]
        shown = [(name, value) for name, value in held if value]
        pairs(out, [*shown, *([("empty", ", ".join(empty))] if empty else [])], whole=True)


def _words(output: str) -> str:
    return plain(output).replace("mql", "MQL")


def _three(field: OurField, day: date) -> str:
    """What should stand there, with what does when that is something else; "" when it is empty and should be."""
    desired, observed = (
        value_text(None if value is None else _shown(value, field.output, day))
        for value in (field.desired, field.observed)
    )
    if field.desired == field.observed:
        return "" if field.desired is None else desired
    return f"{observed} -> {desired} (not written yet)"


def _shown(value: Any, name: str, day: date) -> str:
    """The value of a fact or field on one line."""
    if isinstance(value, datetime):
        return value_text(value)
    return value_text(value_in_words(value, name, day))


def ledger(out: Console, found: Ledger, day: date) -> None:
    """The lines in points of the score of a day, and the total they add up to.

    Points are shown in hundredths; what that rounding changes goes into the rounding line, so the lines shown add up.
    """
    line(
        out,
        (f"Why {found.score}", "bold"),
        f"  (tier {found.tier}, fit {found.fit}, engagement {found.engagement})",
    )
    rows: list[tuple[str, str, str]] = []
    last: list[tuple[str, str, str]] = []
    part = ""
    shown = Decimal(0)
    for one in found.lines:
        if one.kind == "rounding":
            continue
        if one.part != part and one.part in PARTS:
            rows.append((*PARTS[one.part], ""))
        part = one.part
        points = one.points.quantize(CENT, ROUND_HALF_UP)
        shown += points
        indent = "  " if part in PARTS else ""
        row = (f"{indent}{one.label}", _detail(one, day), f"{points:+}" if points else "0")
        (last if one.kind == "disqualified" else rows).append(row)
    if shown != found.score:
        rows.append(("Rounding", "", f"{found.score - shown:+}"))
    rows += [*last, ("Score", "", f"{found.score}.00")]
    table(out, ("", "", "points"), rows, right=(2,), flexible=(0, 1))


def _detail(one: Line, day: date) -> str:
    if one.kind == "variable":
        return f"{_shown(one.value, one.key, day)}: {one.percent} %" if one.value is not None else "not known"
    if one.kind in ("cap", "floor"):
        return "points of engagement"
    if one.newest is None:
        return ""
    newest = day_in_words(one.newest, day)
    return f"{one.count} times, last {newest}" if one.count > 1 else newest


def _status(out: Console, found: Explained) -> None:
    journey, day = found.journey, found.day
    if journey is None:
        line(out, ("Status", "bold"), "  not scored by a pass yet")
        return
    since = day_in_words(journey.since, day)
    line(out, ("Status", "bold"), f"  {STATUS_WORDS[journey.status]} since {since}: {CAUSES[journey.cause]}")
    pairs(out, _standing(journey, found.scored_on, day))
    if len(found.steps) > 1:
        steps = [
            (day_in_words(step.on, day), STATUS_WORDS[step.to], CAUSES[step.cause], str(step.score))
            for step in found.steps
        ]
        table(out, ("on", "became", "because", "score"), steps, right=(3,))


def _standing(journey: Journey, scored_on: date | None, day: date) -> list[tuple[str, str]]:
    """What the status and its day do not say already."""
    days = [
        ("MQL last since", journey.mql_since if journey.status != "mql" else None),
        ("first MQL on", journey.first_mql_on if journey.mql_count > 1 else None),
        ("handed back on", journey.recycled_on if journey.status != "recycled" else None),
    ]
    rows = [(name, day_in_words(on, day)) for name, on in days if on]
    if journey.mql_count > 1:
        rows.append(("times MQL", str(journey.mql_count)))
    if journey.sales:
        rows.append(("sales said", SAID[journey.sales]))
    if scored_on:
        rows.append(("last scored on", day_in_words(scored_on, day)))
    return rows


def _facts(out: Console, found: Explained, *, reveal: bool) -> None:
    line(out, ("Facts", "bold"))
    kinds = Counter((record.connection, record.object) for record in found.records)
    rows = [
        (
            heading(fact.name),
            HIDDEN if fact.personal and not reveal else _shown(fact.value, fact.name, found.day),
            _source(fact, kinds),
        )
        for fact in found.facts
        if fact.name != MISSING
    ]
    table(out, ("fact", "value", "from"), rows, flexible=(1,))
    unknown = [heading(name) for fact in found.facts if fact.name == MISSING for name in _missing(fact)]
    if unknown:
        pairs(out, [("not known:", ", ".join(unknown))], whole=True)
    if any(HIDDEN in row for row in rows):
        out.print("  --reveal shows what is hidden")


def _source(fact: Fact, kinds: Mapping[tuple[str, str], int]) -> str:
    """The record it is from, with its id where there are several of the kind."""
    if fact.source is None:
        return "worked out"
    connection, object_, crm_id = fact.source
    return f"{connection} {object_}{f' {crm_id}' if kinds[connection, object_] > 1 else ''}"


def _missing(fact: Fact) -> list[str]:
    """The facts that are not known, as ``scoring.facts.derive`` lists them."""
    return str(fact.value).split(", ")


def timeline(out: Console, records: Sequence[str], found: Sequence[Happening], *, more: bool) -> None:
    """Activities, newest first, with the points of engagement each brings today."""
    for record in records:
        line(out, (record, "bold"))
    rows = []
    for one in found:
        what = " · ".join([one.kind.replace("_", " "), *one.attributes.values()])
        if not one.rules:
            rows.append((str(one.on), what, HOW[one.how], ""))
        for nth, rule in enumerate(one.rules):
            said = rule.label if rule.how == "counted" else f"{HOW[rule.how]}: {rule.label}"
            start = ("", "") if nth else (str(one.on), what)
            rows.append((*start, said, f"{rule.points:+.2f}" if rule.points else ""))
    if not rows:
        out.print("no activities")
        return
    table(out, ("date", "activity", "how it counted", "points"), rows, right=(3,), flexible=(1, 2))
    out.print(
        "  Points of engagement today, before a group's cap. Of a limit the newest count."
        + (" --all shows older ones." if more else "")
    )
