"""What there is to score, as people read it: a table an attribute, a table a fact."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from scoring.phrases import listed
from sync.answers.catalog import OF_ONE, AttributeValue, Catalog, Takers
from sync.answers.fact_counts import FactCount, ValueCount
from sync.cli.opening import count
from sync.cli.show import line, table, value_text, width_of

#: values of an attribute shown unless its kind is asked for
SHOWN = 10
#: columns from which ids fit beside labels
IDS = 120
NOTHING = "nothing"
NO_BAND = "no band"


def catalog(out: Console, found: Catalog, *, every: bool) -> None:
    """Kinds with their values, then facts; of each attribute the commonest values, or all."""
    if not found.kinds:
        out.print("no activity is kept of anybody yet")
    for kind in found.kinds:
        line(
            out,
            (kind.kind.replace("_", " "), "bold"),
            f"  {count(kind.tally.activities, 'time')} by {people(kind.tally.people)}, latest {kind.tally.latest}",
        )
        if not kind.values:
            line(out, f"  taken by: {_takers(kind.takers, found.labels)}")
        for attribute, values in kind.values.items():
            _values(out, attribute, values if every else values[:SHOWN], found)
            if not every and len(values) > SHOWN:
                out.print(f"  and {len(values) - SHOWN} more: leadmark catalog --kind {kind.kind}")
        out.print()
    for fact in found.facts:
        _fact(out, fact, several=len(found.labels) > 1)


def people(number: int) -> str:
    """So many people.

    >>> people(1), people(2)
    ('1 person', '2 people')
    """
    return "1 person" if number == 1 else f"{number} people"


def _values(out: Console, attribute: str, values: Sequence[AttributeValue], found: Catalog) -> None:
    with_ids = width_of(out) >= IDS and any(value.label for value in values)
    rows = [
        (
            value_text(value.label or value.id or OF_ONE),
            *([value.id] if with_ids else []),
            str(value.tally.activities),
            str(value.tally.people),
            str(value.tally.latest),
            _takers(value.takers, found.labels),
        )
        for value in values
    ]
    head = (attribute, *(["id"] if with_ids else []), "times", "people", "latest", "taken by")
    first = 2 if with_ids else 1
    table(out, head, rows, right=(first, first + 1), flexible=(0, len(head) - 1))


def _takers(takers: Takers, labels: Mapping[str, Mapping[str, str]]) -> str:
    """The rules and patterns by label, with the model where there are several."""
    said = [
        (f"{model}: " if len(labels) > 1 else "") + ", ".join(labels[model][id_] for id_ in ids)
        for model, ids in takers.items()
    ]
    return "; ".join(said) or NOTHING


def _fact(out: Console, fact: FactCount, *, several: bool) -> None:
    different = "" if fact.distinct is None else f", {count(fact.distinct, 'value')}"
    unread = "" if fact.models else "; no model reads it"
    line(out, (fact.fact, "bold"), f"  known of {people(fact.known)}{different}{unread}")
    if fact.values:
        banded = bool(fact.bands)
        rows = [
            (
                value_text(one.value),
                str(one.people),
                *([_bands(one, several=several)] if banded else []),
            )
            for one in fact.values
        ]
        table(out, ("value", "people", *(["band"] if banded else [])), rows, right=(1,), flexible=(0,))
        shown = sum(one.people for one in fact.values)
        if shown < fact.known:
            out.print(f"  and {people(fact.known - shown)} with other values")
    for model, bands in fact.bands.items():
        if not fact.values:
            said = listed([f"{band or NO_BAND}: {number}" for band, number in bands.items()])
            line(out, f"  by band{f' of {model}' if several else ''}: {said}")
    out.print()


def _bands(one: ValueCount, *, several: bool) -> str:
    """The band of each model with its percent; the percent alone where the band is the value."""
    said = []
    for model, taken in one.bands.items():
        named = "" if taken.band == one.value else f"{taken.band or NO_BAND}: "
        said.append(f"{f'{model} ' if several else ''}{named}{taken.percent} %")
    return "; ".join(said)
