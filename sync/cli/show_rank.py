"""Whom to call, as people read it: a line a person with the strongest reason, and one with the ids; and as CSV."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TextIO

from rich.console import Console

from scoring.dates import day_in_words
from scoring.phrases import lower_start
from scoring.wording import STATUS_WORDS
from sync.answers.ranking import Lead
from sync.cli.show import line, short_id, value_text

#: what a spreadsheet takes for a formula when a cell begins with it
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rank(out: Console, leads: Sequence[Lead], day: date, names: Mapping[int, str]) -> None:
    """The people in their order; ``names`` by person where somebody asked for them."""
    if not leads:
        out.print("nobody waits for a call")
        return
    head = _row("score", "tier", "status", "since", "trend", "to MQL", "why")
    line(out, (head, "dim"))
    for lead in leads:
        line(
            out,
            _row(
                str(lead.score),
                lead.tier,
                STATUS_WORDS[lead.status],
                day_in_words(lead.since, day),
                lead.momentum or "",
                "" if lead.points_to_mql is None else str(lead.points_to_mql),
                lower_start(value_text(lead.reason)) if lead.reason else "",
            ),
        )
        who = [*(short_id(record) for record in lead.records), *([f"owner {lead.owner}"] if lead.owner else [])]
        if lead.surged_on:
            who.append(f"sharp rise {day_in_words(lead.surged_on, day)}")
        if lead.person in names:
            who.insert(0, value_text(names[lead.person]))
        out.print(f"{'':9}{'  '.join(who)}", style="dim")


def _row(score: str, tier: str, status: str, since: str, trend: str, to_mql: str, why: str) -> str:
    cells = f"{score:>7}  {tier:<4}  {status:<12}  {since:<11}  {trend:<6}  {to_mql:>6}  {why}"
    return cells.rstrip()


def as_csv(out: TextIO, leads: Sequence[Lead], connections: Sequence[str], names: Mapping[int, str]) -> None:
    """A header and a row a person; of each connection the ids of the person's records, with blanks between them."""
    rows = csv.writer(out, lineterminator="\n")
    told = ("score", "tier", "status", "since", "momentum", "surged_on", "points_to_mql", "reason", "owner")
    rows.writerow([*(cell(name) for name in connections), *told, *(["name"] if names else [])])
    for lead in leads:
        ids = [record.split(":", 2) for record in lead.records]
        values = lead.to_json()
        rows.writerow(
            [
                *(cell(" ".join(crm_id for of, _, crm_id in ids if of == name)) for name in connections),
                *(cell(values[name]) for name in told),
                *([cell(names.get(lead.person))] if names else []),
            ]
        )


def cell(value: object) -> str:
    """A value that no spreadsheet takes for a formula; nothing for None.

    >>> cell("=1+1"), cell(7), cell(None)
    ("'=1+1", '7', '')
    """
    if value is None:
        return ""
    text = value_text(value)
    return f"'{text}" if text.startswith(FORMULA) else text
