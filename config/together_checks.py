"""What must hold between several connections: the links among them, and whose values count first."""

from collections.abc import Iterator, Mapping

from config.connection_checks import crm_of
from config.model_checks import DERIVED, HAND_OFF
from config.problems import Problem, Spot, error, listed, unknown
from config.reading import Document, texts_in

#: CRM -> the objects whose records are people
_PEOPLE = {"hubspot": ("contact",), "salesforce": ("contact", "lead")}


def check_links(connections: Mapping[str, Document]) -> Iterator[Problem]:
    """Links that lead to no other connection, or to no object of people there."""
    for name, connection in connections.items():
        for loc, _ in connection.each("links", "*"):
            other = str(loc[-1])
            if other == name:
                yield error(connection.key(loc), f'"{other}" is this connection; a link leads to another one')
            else:
                yield from _known(connection.key(loc), other, connections)
        for loc, _ in connection.each("links", "*", "*"):
            other, object_ = str(loc[-2]), str(loc[-1])
            crm = crm_of(connections[other]) if other in connections else None
            people = _PEOPLE[crm] if crm else (object_,)
            if object_ not in people:
                spot, advice = connection.key(loc), f"{other} has {listed(people)}"
                yield unknown(spot, "a link leads to a person's record, not to", object_, people, advice)


def check_order(installation: Document, connections: Mapping[str, Document]) -> Iterator[Problem]:
    """Connections and facts that ``order`` and ``prefer`` name in vain."""
    yield from _named(installation, ("order",), connections)
    mapped = {name: {str(loc[-1]) for loc, _ in one.each("facts", "*")} for name, one in connections.items()}
    every = frozenset[str]().union(*mapped.values())
    for loc, names in installation.each("prefer", "*"):
        fact, spot = str(loc[-1]), installation.key(loc)
        if fact == HAND_OFF:
            yield error(spot, "hand_off is sales' word: all of them count, whichever CRM has it, and none is preferred")
        elif fact not in every and fact in DERIVED:
            bases = " or ".join(DERIVED[fact]) or "other facts"
            yield error(spot, f'fact "{fact}" is derived from {bases} and has no connection; prefer a value of {bases}')
        elif fact not in every:
            yield unknown(spot, "no connection maps the fact", fact, every, "take it out")
        else:
            yield from _named(installation, ("prefer", fact), connections)
            for step, name in texts_in(names):
                if name in connections and fact not in mapped[name]:
                    message = f'{name} does not map the fact "{fact}"; map it under facts there, or take it out here'
                    yield error(installation.at((*loc, *step)), message)


def _named(installation: Document, loc: tuple[str, ...], connections: Mapping[str, Document]) -> Iterator[Problem]:
    """Each connection of a list is there, and named once."""
    before: set[str] = set()
    for step, name in texts_in(installation.get(loc)):
        spot = installation.at((*loc, *step))
        yield from _known(spot, name, connections)
        if name in before:
            yield error(spot, f'connection "{name}" stands twice; keep one')
        before.add(name)


def _known(spot: Spot, name: str, connections: Mapping[str, Document]) -> Iterator[Problem]:
    if name not in connections:
        advice = f"connections here: {listed(sorted(connections)) or 'none'}"
        yield unknown(spot, "there is no connection", name, connections, advice)
