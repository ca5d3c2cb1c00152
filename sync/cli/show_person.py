"""One person, as people read them: the ledger with a total, facts, status, our fields, and the timeline."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from rich.console import Console

from scoring.ledger import Ledger, Line
from scoring.wording import STATUS_WORDS
from sync.cli.show import line, pairs, table, value_text
from sync.explain import Explained, OurField
from sync.happenings import Happening

HIDDEN = "(hidden; --reveal shows it)"
CENT = Decimal("0.01")
PARTS = {"fit": "Fit: who they are", "engagement": "Engagement: what they do"}
HOW = {
    "counted": "",
    "faded": "faded to 0",
    "limit": "limit reached",
    "bot": "a machine's click, by the model's signs of bots",
    "no rule": "no rule takes it",
    "future": "dated after today: counts from its day on",
    "too old": "older than what is kept",
}


def person(out: Console, found: Explained, *, reveal: bool) -> None:
    """Everything ``explain`` knows."""
    for record in found.records:
        line(out, (f"{record.connection}:{record.object}:{record.crm_id}", "bold"))
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
        ledger(out, found.ledger)
        out.print()
        _status(out, found)
    if found.held:
        out.print("Held by sales: scored as ever, and nothing is written to the CRM")
    out.print()
    _facts(out, found, reveal=reveal)
    for record in found.records:
        out.print()
        line(out, (f"Our fields on {record.connection}:{record.object}:{record.crm_id}", "bold"))
        pairs(out, [(name, _three(field)) for name, field in record.fields.items()])


def _three(field: OurField) -> str:
    """What should stand there; with what does when that is something else."""
    if field.desired == field.observed:
        return value_text(field.desired)
    return f"{value_text(field.observed)} -> {value_text(field.desired)} (not written yet)"


def ledger(out: Console, found: Ledger) -> None:
    """The lines in points of the score, and the total they add up to.

    Points are shown in hundredths; what that rounding changes goes into the rounding line, so the lines shown add up.
    """
    line(
        out,
        (f"Why {found.score}", "bold"),
        f"  (tier {found.tier}, fit {found.fit}, engagement {found.engagement})",
    )
    rows: list[tuple[str, str, str]] = []
    part = ""
    shown = Decimal(0)
    for one in found.lines:
        if one.kind == "rounding":
            continue
        if one.part != part and one.part in PARTS:
            rows.append((PARTS[one.part], "", ""))
        part = one.part
        points = one.points.quantize(CENT, ROUND_HALF_UP)
        shown += points
        indent = "  " if part in PARTS else ""
        rows.append((f"{indent}{one.label}", _detail(one), f"{points:+}" if points else "0"))
    if shown != found.score:
        rows.append(("Rounding", "", f"{found.score - shown:+}"))
    rows.append(("Score", "", f"{found.score}.00"))
    table(out, ("", "", "points"), rows, right=(2,), flexible=(0, 1))


def _detail(one: Line) -> str:
    if one.kind == "variable":
        return f"{value_text(one.value)}: {one.percent} %" if one.value is not None else "not known"
    if one.count:
        return f"{one.count} x, latest {one.newest}" if one.count > 1 else str(one.newest)
    return ""


def _status(out: Console, found: Explained) -> None:
    if found.journey is None:
        line(out, ("Status", "bold"), "  not scored by a pass yet")
        return
    journey = found.journey
    line(out, ("Status", "bold"), f"  {STATUS_WORDS[journey.status]} since {journey.since} (cause: {journey.cause})")
    rows = [
        ("MQL since", str(journey.mql_since or "")),
        ("first MQL on", str(journey.first_mql_on or "")),
        ("times MQL", str(journey.mql_count or "")),
        ("recycled on", str(journey.recycled_on or "")),
        ("sales said", journey.sales or ""),
        ("scored on", str(found.scored_on or "")),
    ]
    pairs(out, [(name, held) for name, held in rows if held])
    if len(found.steps) > 1:
        steps = [(str(step.on), STATUS_WORDS[step.to], step.cause, str(step.score)) for step in found.steps]
        table(out, ("on", "became", "cause", "score"), steps, right=(3,))


def _facts(out: Console, found: Explained, *, reveal: bool) -> None:
    line(out, ("Facts", "bold"))
    rows = [
        (
            fact.name,
            HIDDEN if fact.personal and not reveal else value_text(fact.value),
            ":".join(fact.source) if fact.source else "derived",
        )
        for fact in found.facts
    ]
    table(out, ("fact", "value", "from"), rows, flexible=(1,))


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
