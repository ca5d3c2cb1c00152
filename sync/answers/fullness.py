"""How often each fact is known, over a sample of the people in the store.

Whoever must not be profiled is left out, as nobody scores them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from config.settings import Settings
from scoring.fact_values import FactValue
from scoring.facts import derive
from sync.mapping import maps_of
from sync.people import gather
from sync.store import tables

#: enough to tell 63 % from 50 %, and read in a moment
SAMPLE = 2_000


def sampled_facts(tx: Connection, settings: Settings, at_most: int = SAMPLE) -> list[Mapping[str, FactValue]]:
    """The facts, derived ones among them, of so many people spread evenly by number; of all where there are fewer."""
    person = tables.person
    people = tx.execute(select(func.count()).select_from(person)).scalar_one()
    place = func.row_number().over(order_by=person.c.number)
    ranked = select(person.c.number, place.label("place")).subquery()
    every = max(1, -(-people // at_most))
    numbers = list(tx.execute(select(ranked.c.number).where(ranked.c.place % every == 0)).scalars())
    named = frozenset[str]().union(*(model.facts_read() for model in settings.models.values()))
    return [
        derive(one.facts.values, settings.tables, named)
        for one in gather(tx, numbers, maps_of(settings), settings.time_zone)
        if one.read and one.facts.values.get("do_not_profile") is not True
    ]


def shares_of(people: Sequence[Mapping[str, FactValue]]) -> dict[str, float]:
    """Fact -> the share of the people of whom it is known, above 0 and at most 1; other facts are left out.

    >>> shares_of([{"country": "NO"}, {}])
    {'country': 0.5}
    """
    counts = Counter(name for facts in people for name in facts)
    return {name: count / len(people) for name, count in counts.items()}
