"""What must hold within connections: facts, activities and writing, beyond one value.

Every check reads the documents as written, so it finds its mistakes even where another part is wrong.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from config.hubspot import ATTRIBUTES, EventType, Source
from config.parts import SALES_WORDS, Policy
from config.problems import Problem, Spot, error, listed, unknown
from config.reading import Document, Loc, texts_in
from scoring.wording import OUTPUT_TYPES

#: key -> the source it goes with
_NARROWING: Mapping[str, Source] = {
    "forms": "form_submissions",
    "lists": "lists",
    "type": "email_events",
    "property": "date_property",
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_connections(connections: Collection[Document], models: Collection[str]) -> Iterator[Problem]:
    """Everything that does not fit together in the connections; ``models`` are the names of the model files."""
    crms = {Path(connection.path).stem: connection.get(("crm",)) for connection in connections}
    for connection in connections:
        yield from _facts(connection)
        if connection.get(("crm",)) == "salesforce":
            yield from _salesforce_facts(connection)
            yield from _salesforce_activities(connection)
        else:
            yield from _activities(connection)
        yield from _links(connection, crms)
        yield from _writing(connection, models)
    yield from _kinds_once(connections)


def check_order(installation: Document, connections: Collection[str], facts: Collection[str]) -> Iterator[Problem]:
    """Connections and facts that ``order`` and ``prefer`` name and that are not there."""
    for step, name in texts_in(installation.get(("order",))):
        yield from _known_connection(installation.at(("order", *step)), name, connections)
    for loc, names in installation.each("prefer", "*"):
        if loc[-1] not in facts:
            yield unknown(installation.key(loc), "no connection maps the fact", str(loc[-1]), facts, "take it out")
        for step, name in texts_in(names):
            yield from _known_connection(installation.at((*loc, *step)), name, connections)


def _known_connection(spot: Spot, name: str, connections: Collection[str]) -> Iterator[Problem]:
    if name not in connections:
        advice = f"connections here: {listed(sorted(connections)) or 'none'}"
        yield unknown(spot, "there is no connection", name, connections, advice)


def _links(connection: Document, crms: Mapping[str, Any]) -> Iterator[Problem]:
    """Links name another connection, and an object of people there."""
    for loc, _ in connection.each("links", "*"):
        other = str(loc[-1])
        if other == Path(connection.path).stem:
            yield error(connection.key(loc), f'"{other}" is this connection; a link leads to another one')
        else:
            yield from _known_connection(connection.key(loc), other, crms.keys())
    for loc, _ in connection.each("links", "*", "*"):
        people = ("lead", "contact") if crms.get(str(loc[-2])) == "salesforce" else ("contact",)
        if loc[-2] in crms and loc[-1] not in people:
            advice = f"{loc[-2]} has {listed(people)}"
            yield unknown(
                connection.key(loc), "a link leads to a person's record, not to", str(loc[-1]), people, advice
            )


def _salesforce_facts(connection: Document) -> Iterator[Problem]:
    for loc, path in connection.each("facts", "*", "lead"):
        if isinstance(path, str) and path.startswith("Account."):
            message = "a lead has no account; write one of its own fields, such as Company, or leave lead out"
            yield error(connection.at(loc), message)
    for loc, path in connection.each("facts", "*"):
        if isinstance(path, str) and path.startswith("Account."):
            message = f"a lead has no account; write {{contact: {path}}}, with a lead: field of its own beside it"
            yield error(connection.at(loc), message)


def _salesforce_activities(connection: Document) -> Iterator[Problem]:
    for loc, activity in connection.each("activities", "*"):
        if not _NAME.fullmatch(str(loc[-1])):
            yield error(connection.key(loc), f'"{loc[-1]}" is no activity kind: use small letters, digits and _')
        if not isinstance(activity, dict):
            continue
        source = activity.get("from")
        if source == "date_field" and not activity.get("field"):
            yield error(connection.key(loc), f'"{loc[-1]}" comes from date_field: say which in "field"')
        if source != "date_field" and "field" in activity:
            yield error(connection.key((*loc, "field")), f'"field" goes with from: date_field, not with from: {source}')
        for place, path in [
            *((place, str(place[-1])) for place, _ in connection.each(*map(str, loc), "where", "*")),
            *((place, path) for place, path in connection.each(*map(str, loc), "keep", "*") if isinstance(path, str)),
        ]:
            if path.partition(".")[0] == "Campaign" and source != "CampaignMember":
                spot = connection.at(place) if place[-2] == "keep" else connection.key(place)
                yield error(spot, f'"{path}" goes with from: CampaignMember; a {source} has no campaign')


def _facts(connection: Document) -> Iterator[Problem]:
    for loc, source in connection.each("facts", "*"):
        fact = str(loc[-1])
        if not _NAME.fullmatch(fact):
            yield error(connection.key(loc), f'"{fact}" is no fact\'s name: use small letters, digits and _')
        if isinstance(source, dict) and not source.keys() - {"values", "optional"}:
            named = "field; write {lead: Field, contact: Field}"
            if connection.get(("crm",)) != "salesforce":
                named = "property; write {contact: property}"
            yield error(connection.key(loc), f'fact "{fact}" names no {named}')
    for loc, property_ in connection.each("facts", "*", "owner"):
        if property_ != "email":
            yield error(connection.at(loc), "of an owner only the e-mail address is read: {owner: email}")
    for loc, word in connection.each("facts", "hand_off", "values", "*"):
        if isinstance(word, str) and word not in SALES_WORDS:
            advice = f"sales' words are {', '.join(SALES_WORDS)}"
            yield unknown(connection.at(loc), "unknown word of sales", word, SALES_WORDS, advice)


def _activities(connection: Document) -> Iterator[Problem]:
    for loc, activity in connection.each("activities", "*"):
        if not _NAME.fullmatch(str(loc[-1])):
            yield error(connection.key(loc), f'"{loc[-1]}" is no activity kind: use small letters, digits and _')
        source = activity.get("from") if isinstance(activity, dict) else None
        for known in ATTRIBUTES:
            if source == known:
                yield from _narrowed(connection, loc, activity, known)
                yield from _attributes(connection, loc, known)


def _narrowed(connection: Document, loc: Loc, activity: Mapping[str, Any], source: Source) -> Iterator[Problem]:
    """Each source's own key stands, and no other source's."""
    for key, owner in _NARROWING.items():
        if owner != source:
            if key in activity:
                yield error(connection.key((*loc, key)), f'"{key}" goes with from: {owner}, not with from: {source}')
        elif not activity.get(key) and connection.get((*loc, "where", key)) is None:
            choice = f" ({listed(get_args(EventType))})" if key == "type" else ""
            yield error(connection.key(loc), f'"{loc[-1]}" comes from {source}: say which in "{key}"{choice}')


def _attributes(connection: Document, loc: Loc, source: Source) -> Iterator[Problem]:
    """``where`` and ``keep`` name what the source knows."""
    known = ATTRIBUTES[source]
    advice = f"{source} has {', '.join(known)}"
    for place, _ in connection.each(*map(str, loc), "where", "*"):
        if place[-1] not in known:
            yield unknown(connection.key(place), "unknown attribute", str(place[-1]), known, advice)
    for place, attribute in connection.each(*map(str, loc), "keep", "*"):
        if isinstance(attribute, str) and attribute not in known:
            yield unknown(connection.at(place), "unknown attribute", attribute, known, advice)


def _writing(connection: Document, models: Collection[str]) -> Iterator[Problem]:
    if connection.get(("write", "mode")) == "canary" and connection.get(("write", "canary")) is None:
        advice = "add canary: {if: {…}, at_most: 20} below write"
        yield error(connection.at(("write", "mode")), f"mode canary needs to know whom to write; {advice}")
    taken: dict[str, str] = {}
    for loc, fields in connection.each("write", "fields", "*"):
        model = str(loc[-1])
        if model not in models:
            advice = f"models here: {listed(models) or 'none'}"
            yield unknown(connection.key(loc), "there is no model", model, models, advice)
        if isinstance(fields, dict):
            yield from _outputs(connection, loc, fields)
            prefix = str(fields.get("prefix", "leadmark_"))
            for step, output in texts_in(fields.get("outputs")):
                other = taken.setdefault(f"{prefix}{output}", model)
                if other != model:
                    field = f'field "{prefix}{output}"'
                    message = f'{field} is already written by model "{other}"; give each model its own prefix'
                    yield error(connection.at((*loc, "outputs", *step)), message)


def _outputs(connection: Document, loc: Loc, fields: Mapping[str, Any]) -> Iterator[Problem]:
    outputs: list[str] = []
    advice = f"outputs are {', '.join(OUTPUT_TYPES)}"
    for step, output in texts_in(fields.get("outputs")):
        spot = connection.at((*loc, "outputs", *step))
        if output not in OUTPUT_TYPES:
            yield unknown(spot, "unknown output", output, OUTPUT_TYPES, advice)
        elif output in outputs:
            yield error(spot, f'output "{output}" stands twice; keep one')
        outputs.append(output)
    for place, policy in connection.each(*map(str, loc), "policy", "*"):
        output = str(place[-1])
        if output not in outputs:
            yield unknown(
                connection.key(place), "a policy for no output here:", output, outputs, "add it to outputs, or drop it"
            )
        elif policy == "raise_only" and OUTPUT_TYPES.get(output) in {"text", "option"}:
            message = f'"{output}" is no number and no date: it has no higher; use {" or ".join(get_args(Policy)[:2])}'
            yield error(connection.at(place), message)


def _kinds_once(connections: Iterable[Document]) -> Iterator[Problem]:
    first: dict[str | int, str] = {}
    for connection in connections:
        for loc, _ in connection.each("activities", "*"):
            other = first.setdefault(loc[-1], connection.path)
            if other != connection.path:
                message = f'activity kind "{loc[-1]}" already comes from {other}; one connection delivers a kind'
                yield error(connection.key(loc), message)
