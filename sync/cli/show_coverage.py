"""What the models do not see, as people read it: a finding, what to do about it, and its rows."""

from collections.abc import Mapping, Sequence
from datetime import date
from textwrap import wrap
from typing import Any

from rich.console import Console

from sync.answers.coverage import Coverage
from sync.cli.show import line, short_id, table, value_text, width_of
from sync.cli.show_catalog import people

#: the widest line of advice
READABLE = 100
#: key of a finding -> what it is called
TITLES: Mapping[str, str] = {
    "people_not_scored": "People no model scores",
    "activities_not_scored": "Activities no rule scores",
    "touchpoints_many": "Connections with very many kinds of contact",
    "rules_silent": "Rules and patterns that speak of nobody",
    "bands_empty": "Fit bands nobody falls into",
    "facts_empty": "Facts known of less than half of the people",
    "facts_other_kind": "Facts of another kind than the model expects",
    "facts_disagreeing": "Facts on which the records of one person disagree",
    "values_unreadable": "Values that cannot be read as the type of their field",
    "titles_without_seniority": "Job titles that tell no seniority",
    "titles_without_department": "Job titles that tell no department",
}
#: what to do about it
ADVICE: Mapping[str, str] = {
    "people_not_scored": ("Widen the audience of a model, or write one for them. Who is not to be profiled stays out."),
    "activities_not_scored": (
        "Write a rule or a pattern for what matters. Leave the rest, or take it out of the activity map."
    ),
    "touchpoints_many": (
        "An attribute with a value of its own for nearly every activity is of no use to a rule and slows every pass. "
        "Take it out of keep in the connection, or class its text with classes."
    ),
    "rules_silent": (
        "Never: nothing that is kept can meet it; compare its names with leadmark catalog, and the activity map with "
        "its kind. Not today: what it takes has faded or its time is over, or its condition holds for nobody."
    ),
    "bands_empty": "Compare with the values in leadmark catalog, and mend spelling or bounds.",
    "facts_empty": (
        "Fill them in the CRM or map a better field, else give them little weight. A fact that is only ever set, such "
        "as an opt-out, is fine as it is."
    ),
    "facts_other_kind": (
        "Such values count as unknown. Map another field, translate it with values, or write what is there."
    ),
    "facts_disagreeing": (
        "leadmark explain ID says which record counts. Mend it in the CRM, or name the connection that is right under "
        "prefer in leadmark.yaml."
    ),
    "values_unreadable": "They count as unknown. Mend them in the CRM, or map another field.",
    "titles_without_seniority": "Map a field that holds it, or add their words to the table of titles.",
    "titles_without_department": "Map a field that holds it, or add their words to the table of titles.",
}
#: column of a finding -> its head, in the order shown; others are for machines
HEADS: Mapping[str, str] = {
    "model": "model",
    "why": "why",
    "activity": "activity",
    "with": "with",
    "label": "label",
    "connection": "connection",
    "touchpoints": "kinds of contact",
    "attribute": "attribute",
    "values": "values",
    "object": "object",
    "field": "field",
    "fact": "fact",
    "title": "title",
    "band": "band",
    "expected": "expected",
    "found": "found",
    "share": "known",
    "times": "times",
    "activities": "activities kept",
    "people": "people",
    "count": "records",
    "latest": "latest",
    "when": "met",
    "read by": "read by",
    "records": "for example",
}
WHEN = {"today": "not today", "ever": "never"}
FLEXIBLE = ("with", "label", "title", "read by", "why", "field")


def coverage(out: Console, found: Coverage, day: date) -> None:
    """Every finding; one line where there is none."""
    named = "model" if len(found.models) == 1 else "models"
    line(out, (f"{people(found.people)} by the {named} {', '.join(found.models)}, {day}", "bold"))
    if not found.findings:
        out.print("everybody is scored, every activity, rule, band and fact is put to use")
    for finding in found.findings:
        title = TITLES[finding.key]
        out.print()
        line(out, (f"{title}: {finding.total}" if finding.total > 1 else title, "bold"))
        for each in wrap(ADVICE[finding.key], min(width_of(out), READABLE) - 2, break_on_hyphens=False):
            out.print(f"  {each}")
        _rows(out, finding.rows, several=len(found.models) > 1)
        if finding.total > len(finding.rows):
            out.print(f"  and {finding.total - len(finding.rows)} more: --limit {finding.total}")


def _rows(out: Console, rows: Sequence[Mapping[str, Any]], *, several: bool) -> None:
    columns = [name for name in HEADS if name in rows[0] and (several or name != "model")]
    shown = [[_cell(name, row[name]) for name in columns] for row in rows]
    table(
        out,
        [HEADS[name] for name in columns],
        shown,
        right=[place for place, name in enumerate(columns) if isinstance(rows[0][name], int | float)],
        flexible=[place for place, name in enumerate(columns) if name in FLEXIBLE],
    )


def _cell(name: str, value: Any) -> str:
    if name == "records":  # the first is enough to look at one; machines get all
        return short_id(value[0] if isinstance(value[0], str) else value[0][0])
    if name == "share":
        return f"{value:.0%}".replace("%", " %")
    if value is None:
        return ""
    if name == "when":
        return WHEN[value]
    return value_text(value.replace("_", " ") if name == "activity" else value)
