"""A golden case made of a person: what the model sees of them today, without personal data, and run to see it pass.

Only what the model reads is carried over, as values that it cannot tell from the person's own (``anonymous``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from config.golden import Did, GoldenCase, GoldenFile
from config.golden_checks import SCORED
from config.reading import read
from config.settings import Settings
from config.validating import validate
from scoring.compile import CompiledModel, Touchpoint
from scoring.fact_values import FactValue
from scoring.journey import Journey
from scoring.wording import outputs
from sync.answers.anonymous import Attributes, like_facts
from sync.answers.golden import Miss, run_cases
from sync.answers.golden_text import flow
from sync.days import days_of
from sync.decisions import Verdict, decide, journeys_of
from sync.people import Person, touchpoints
from sync.score import Scoring
from sync.store.values import at as instant
from sync.store.values import day_number, load

EXPECTED = ("score", "grade", "mql_status")
#: how often one line of `did` may be
_MOST_TIMES = 600


@dataclass(frozen=True, kw_only=True)
class Made:
    """A case made of a person."""

    #: what the case is called in its file
    case: str
    #: what the file could be called
    file: str
    #: the file
    text: str
    #: what the case gives otherwise than the person
    misses: Sequence[Miss]
    #: facts for which nothing alike was found
    unlike: Sequence[str]


def made_of(tx: Connection, number: int, scoring: Scoring, settings: Settings) -> Made | None:
    """The case of the person of a number, who must have a live record; None for who is not to be profiled.

    Where they stood before is part of it only where the case would not pass without.
    """
    (decision,) = decide(tx, [number], [scoring])
    if not decision.verdicts:
        return None
    (verdict,) = decision.verdicts
    row = journeys_of(tx, [number], scoring.model.model).get(number)
    before = Journey.from_dict(load(row.journey)) if row is not None else None
    facts, unlike = like_facts(scoring.facts_of(decision.person), scoring.model, scoring.tables, scoring.day)
    did = _did(tx, decision.person, scoring)
    expect = _expected(verdict)
    name = f"as-of-{scoring.day}"
    for was in [None, before] if before is not None else [None]:
        body = _body(decision.person, verdict, settings.primary, facts=facts, did=did, was=was, expect=expect)
        text = f"# Made of a person, without personal data.\n{name}:\n{body}"
        misses = _misses(text, settings)
        if not misses:
            break
    return Made(case=name, file=_file(verdict), text=text, misses=misses, unlike=unlike)


def _misses(text: str, settings: Settings) -> Sequence[Miss]:
    """What the case of a file misses, read and run as `leadmark test` does."""
    document, wrong = read("golden", text)
    assert document is not None, wrong
    file, wrong = validate(document, GoldenFile)
    assert file is not None, wrong
    cases: Mapping[str, GoldenCase] = file.cases
    return [miss for tested in run_cases(settings, cases) for miss in tested.misses]


def _expected(verdict: Verdict) -> dict[str, Any]:
    """What the outputs say today."""
    if verdict.scored is None or verdict.journey is None:
        return {SCORED: False}
    scoring, scored = verdict.scoring, verdict.scored
    said = outputs(scoring.model, verdict.journey, scored.ledger, scoring.day, evaluation=scored.evaluation)
    return {name: said[name] for name in EXPECTED}


def _file(verdict: Verdict) -> str:
    """The tier and the status; no name of a person."""
    if verdict.scored is None or verdict.journey is None:
        return "not-scored"
    return f"{verdict.scored.ledger.tier}-{verdict.journey.status}".lower()


def _body(
    person: Person,
    verdict: Verdict,
    primary: str,
    *,
    facts: Mapping[str, FactValue],
    did: Sequence[Mapping[str, Any]],
    was: Journey | None,
    expect: Mapping[str, Any],
) -> str:
    """The keys of the case, each on its line, activities one a line."""
    scoring = verdict.scoring
    today = scoring.day
    keys: dict[str, Any] = {"model": scoring.model.model} if scoring.model.model != primary else {}
    keys["on"] = today
    lines = [f"  {key}: {flow(value)}\n" for key, value in keys.items()]
    if facts:
        lines += ["  facts:\n", *(f"    {name}: {flow(_written(value, today))}\n" for name, value in facts.items())]
    if did:
        lines += ["  did:\n", *(f"    - {flow(one)}\n" for one in did)]
    if person.sales is not None:
        exact = any("at" in one for one in did)
        when = {"at": _local(person.sales.at, scoring.zone)} if exact else _relative(person.sales.on, today)
        lines.append(f"  said: {flow({'word': person.sales.word, **when})}\n")
    if was is not None:
        lines.append(f"  was: {flow(_was(was, today))}\n")
    return "".join([*lines, f"  expect: {flow(expect)}\n"])


def _was(journey: Journey, today: date) -> dict[str, Any]:
    further = {"furthest": journey.furthest} if journey.furthest != journey.status else {}
    return {"status": journey.status, **_relative(journey.since, today), **further}


def _written(value: FactValue, today: date) -> Any:
    """A date as so many days from today, all else as it is."""
    return _relative(value, today) if isinstance(value, date) else value


def _relative(day: date, today: date) -> dict[str, int]:
    days = (today - day).days
    return {"days_ago": days} if days >= 0 else {"in_days": -days}


def _local(at: int, zone: str) -> str:
    """The instant as a case writes it."""
    moment = instant(at).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return moment.isoformat(sep=" ").removesuffix("000") if moment.microsecond else moment.isoformat(sep=" ")


def _did(tx: Connection, person: Person, scoring: Scoring) -> list[dict[str, Any]]:
    """The activities that the model looks at, oldest first; with times where the order within a day may matter."""
    found = person.activities
    days = days_of(np.ascontiguousarray(found["at"]), scoring.zone)
    today = day_number(scoring.day)
    looked_at, timed = _looked_at(scoring.compiled)
    counts = (days <= today) & (days >= today - scoring.retention.days)
    counts &= np.isin(found["touchpoint"], np.array(sorted(looked_at | timed)))
    known = {point.number: point for point in touchpoints(tx)}
    attributes = Attributes(model=scoring.model, tables=scoring.tables)
    like = {
        number: {
            name: text for name, text in attributes.like(known[number]).items() if name in _kept(known[number], scoring)
        }
        for number in dict.fromkeys(found["touchpoint"][counts].tolist())
    }
    word_day = day_number(person.sales.on) if person.sales is not None else None
    lines: list[dict[str, Any]] = []
    plain: dict[str, dict[str, Any]] = {}
    for row, day in zip(found[counts], days[counts].tolist(), strict=True):
        number = int(row["touchpoint"])
        one = {"activity": known[number].kind, **like[number]}
        if number in timed or day == word_day:
            lines.append({**one, "at": _local(int(row["at"]), scoring.zone)})
            continue
        one["days_ago"] = today - day
        same = plain.get(flow(one))
        if same is not None and same.get("times", 1) < _MOST_TIMES:
            same["times"] = same.get("times", 1) + 1
        else:
            plain[flow(one)] = one
            lines.append(one)
    return lines


def _kept(point: Touchpoint, scoring: Scoring) -> set[str]:
    """The attributes that a case may give: those an activity map keeps, unless a key of the case has the name."""
    maps = [map_.activities[point.kind].keep for map_ in scoring.maps if point.kind in map_.activities]
    return {name for keep in maps for name in keep} - Did.model_fields.keys()


def _looked_at(compiled: CompiledModel) -> tuple[set[int], set[int]]:
    """The touchpoints that a rule or a pattern takes, and those whose times show bots."""
    taken = set(compiled.entries.numbers.tolist())
    if compiled.patterns is not None:
        taken |= set(compiled.patterns.entries.numbers.tolist())
    return taken, set(compiled.bots.entries.numbers.tolist()) if compiled.bots is not None else set()
