"""What is wrong with facts: bands nobody falls into, facts too empty, of another kind, in dispute or unreadable."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from scoring.conditions import ORDER_TESTS, Condition
from scoring.fact_values import Kind, iso_date, kind_of
from scoring.mistakes import Place
from sync.answers.explain import records_of
from sync.answers.survey import Survey
from sync.score import Scoring
from sync.store import tables
from sync.store.values import load

#: a fact known of a smaller share of people tells few of them apart
ENOUGH = 0.5
#: titles fewer people have may tell who it is
SHARED = 2
#: a column of a finding -> its value: text, a number, or a list of ids
Row = Mapping[str, Any]


def bands_empty(found: Survey) -> Iterator[Row]:
    """Bands of fit variables that nobody falls into."""
    for name, one in found.models.items():
        for variable in one.scoring.compiled.variables if one.people else ():
            keys = [band.key for band in variable.bands.bands] + ["other"] * (variable.bands.other is not None)
            for key in keys:
                if not one.bands[variable.name, key]:
                    yield {"model": name, "fact": variable.name, "label": variable.label, "band": key}


def facts_empty(found: Survey) -> Iterator[Row]:
    """Facts a model reads and that are known of less than half of its people, the emptiest first."""
    for name, one in found.models.items():
        uses = _uses(one.scoring)
        for fact in sorted(one.scoring.facts_read - {"missing"}, key=lambda fact: (one.known[fact], fact)):
            if one.known[fact] < ENOUGH * one.people:
                share = round(one.known[fact] / one.people, 3)
                yield {"model": name, "fact": fact, "share": share, "people": one.known[fact], "read by": uses[fact]}


def other_kinds(found: Survey) -> Iterator[Row]:
    """Values of a kind that a variable or a test does not expect: there they count as unknown."""
    for name, one in found.models.items():
        compiled, model = one.scoring.compiled, one.scoring.model
        readers = [(variable.name, {variable.bands.kind}) for variable in compiled.variables]
        readers += [
            (test.name, kinds)
            for place, condition in model.conditions()
            if place[-1] != "where"
            for test in condition.tests()
            if (kinds := _expected(test))
        ]
        wrong: dict[tuple[str, Kind], set[Kind]] = {}
        for fact, kinds in readers:
            for (of, kind), people in one.kinds.items():
                if of == fact and people and kind not in kinds:
                    wrong.setdefault((fact, kind), set()).update(kinds)
        for (fact, kind), kinds in sorted(wrong.items(), key=lambda item: (-one.kinds[item[0]], item[0])):
            yield {
                "model": name,
                "fact": fact,
                "expected": " or ".join(sorted(kinds)),
                "found": kind,
                "people": one.kinds[fact, kind],
            }


def _expected(test: Condition) -> set[Kind]:
    """The kinds of value that a test can hold for; none where any will do."""
    if test.op in {"missing", "present"}:
        return set()
    if test.op in {"within", "past"}:
        return {"date"}
    if test.op in ORDER_TESTS or test.op in {"is", "in", "not_in"}:
        dates = {kind_of(day) for value in test.operand if isinstance(value, str) and (day := iso_date(value))}
        return {kind_of(value) for value in test.operand} | dates
    return {"text"}  # what is left are tests of text


def _uses(scoring: Scoring) -> dict[str, str]:
    """Fact -> what reads it, by label."""
    model, read = scoring.model, dict[str, dict[str, None]]()
    labels: dict[Place, str] = {("fit", "adjust", name): part.label for name, part in model.fit.adjust.items()}
    labels.update({("disqualify", name): part.label for name, part in model.disqualify.items()})
    for name, variable in model.fit.variables.items():
        read.setdefault(name, {})[variable.label or name] = None
    for place, condition in model.conditions():
        if place[-1] != "where":
            label = labels.get(place[:-1], "the audience")
            for name in condition.names():
                read.setdefault(name, {})[label] = None
    for name in model.mql.needs.facts if model.mql.needs else ():
        read.setdefault(name, {})["the MQL definition"] = None
    return {name: ", ".join(labels) for name, labels in read.items()}


def disagreeing(tx: Connection, found: Survey, limit: int) -> list[Row]:
    """Facts that live records of one person say differently, with the records of the first ``limit`` persons."""
    shown = {fact: persons[:limit] for fact, persons in found.disagreeing.items()}
    records = records_of(tx, sorted({person for persons in shown.values() for person in persons}))
    return [
        {
            "fact": fact,
            "people": len(found.disagreeing[fact]),
            "records": [records[person] for person in persons],
        }
        for fact, persons in sorted(shown.items(), key=lambda item: (-len(found.disagreeing[item[0]]), item[0]))
    ]


def unreadable(tx: Connection, connections: Sequence[str], limit: int) -> list[Row]:
    """Fields that hold what their type cannot, with the first ``limit`` records."""
    record = tables.record
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in tx.execute(
        select(record.c.connection, record.c.object, record.c.crm_id, record.c.unreadable)
        .where(record.c.unreadable != "[]", record.c.state == "live", record.c.connection.in_(connections))
        .order_by(record.c.number)
    ):
        for name in load(row.unreadable):
            found.setdefault((row.connection, row.object, name), []).append(row.crm_id)
    return [
        {"connection": connection, "object": object_, "field": name, "count": len(ids), "records": ids[:limit]}
        for (connection, object_, name), ids in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def titles_without(found: Survey, name: str) -> list[Row]:
    """The titles whose words say nothing; only where some model reads what they should say."""
    if not any(name in one.scoring.facts_read for one in found.models.values()):
        return []
    return [
        {"title": title, "people": people} for title, people in found.untold[name].most_common() if people >= SHARED
    ]
