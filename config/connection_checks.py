"""What must hold within connections: facts, activities and writing, beyond one value.

Every check reads the documents as written, so it finds its mistakes even where another part is wrong.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args

from config.hubspot import ATTRIBUTES, EventType, HubSpotOutputFields, Source
from config.parts import FLAGS, SALES_WORDS, Policy
from config.problems import Problem, error, listed, unknown, warning
from config.reading import Document, Loc, texts_in
from config.salesforce import SalesforceOutputFields
from config.salesforce_checks import check_salesforce
from scoring.wording import OUTPUT_TYPES

#: CRM -> the key under which a connection names the account it must reach
ACCOUNTS: Mapping[str, str] = {"hubspot": "portal", "salesforce": "org"}
_OUTPUT_FIELDS: Mapping[str, type[HubSpotOutputFields | SalesforceOutputFields]] = {
    "hubspot": HubSpotOutputFields,
    "salesforce": SalesforceOutputFields,
}
#: how long the name of a field may be; __c included
_LONGEST = {"hubspot": 100, "salesforce": 43}
#: key -> the source it goes with
_NARROWING: Mapping[str, Source] = {
    "forms": "form_submissions",
    "lists": "lists",
    "type": "email_events",
    "property": "date_property",
}
#: where the name of a field that is read may stand
_READING = (("facts", "*"), ("facts", "*", "*"), ("activities", "*", "*"), ("links", "*", "*"))
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def crm_of(connection: Document) -> str | None:
    """The CRM a connection says it is of, else the one whose account it names; None when neither tells."""
    written = connection.get(("crm",))
    if isinstance(written, str) and written in ACCOUNTS:
        return written
    return next((crm for crm, account in ACCOUNTS.items() if connection.get((account,)) is not None), None)


def check_connections(connections: Collection[Document], models: Collection[str]) -> Iterator[Problem]:
    """Everything that does not fit together in the connections; ``models`` are the names of the model files."""
    for connection in connections:
        crm = crm_of(connection)
        yield from _facts(connection, crm)
        yield from _sales_word(connection)
        yield from _kinds(connection)
        if crm == "salesforce":
            yield from check_salesforce(connection)
        elif crm == "hubspot":
            yield from _hubspot_activities(connection)
        yield from _writing(connection, models)
        if crm is not None:
            yield from _fields(connection, crm)
    yield from _kinds_once(connections)
    yield from _accounts_once(connections)


def _facts(connection: Document, crm: str | None) -> Iterator[Problem]:
    for loc, source in connection.each("facts", "*"):
        fact = str(loc[-1])
        if not _NAME.fullmatch(fact):
            yield error(connection.key(loc), f'"{fact}" is no fact\'s name: use small letters, digits and _')
        if isinstance(source, dict) and not source.keys() - {"values", "optional"}:
            named = "field; write {lead: Field, contact: Field}"
            if crm != "salesforce":
                named = "property; write {contact: property}"
            yield error(connection.key(loc), f'fact "{fact}" names no {named}')
    for loc, property_ in connection.each("facts", "*", "owner"):
        if crm == "hubspot" and property_ != "email":
            yield error(connection.at(loc), "of an owner only the e-mail address is read: {owner: email}")


def _sales_word(connection: Document) -> Iterator[Problem]:
    """The fact ``hand_off`` stands on the person's own record, and its values are words of sales."""
    for loc, word in connection.each("facts", "hand_off", "values", "*"):
        if isinstance(word, str) and word not in SALES_WORDS:
            advice = f"sales' words are {', '.join(SALES_WORDS)}"
            yield unknown(connection.at(loc), "unknown word of sales", word, SALES_WORDS, advice)
    for loc, source in connection.each("facts", "hand_off"):
        if not isinstance(source, dict) or not source.get("values"):
            message = "hand_off says nothing without values: {the CRM's value: a word of sales}"
            yield warning(connection.key(loc), f"{message}; words are {', '.join(SALES_WORDS)}")
    for fact in sorted(FLAGS):
        for loc, _ in connection.each("facts", fact, "values"):
            message = f"{fact} is true or false, which a checkbox says without values"
            yield error(connection.key(loc), f"{message}; map a checkbox, and take values out")
    for loc, field in (*connection.each("facts", "hand_off"), *connection.each("facts", "hand_off", "*")):
        if loc[-1] in ("company", "owner") or (isinstance(field, str) and "." in field):
            yield error(connection.at(loc), "hand_off is said of one person: name a field of the person's own record")


def _kinds(connection: Document) -> Iterator[Problem]:
    """Kinds have names, and each can get an item: the first kind that takes one has it."""
    before: dict[str, Mapping[str, Any]] = {}
    for loc, activity in connection.each("activities", "*"):
        kind = str(loc[-1])
        if not _NAME.fullmatch(kind):
            yield error(connection.key(loc), f'"{kind}" is no activity kind: use small letters, digits and _')
        if not isinstance(activity, dict):
            continue
        chosen = {key: value for key, value in activity.items() if key not in {"keep", "classes"}}
        for other, wider in before.items():
            if all(chosen.get(key) == value for key, value in wider.items()):
                message = f'"{kind}" gets nothing: "{other}" above takes all that it would; put it above'
                yield warning(connection.key(loc), f"{message}, or give them a different where")
                break
        before[kind] = chosen
        yield from _classes(connection, loc)


def _hubspot_activities(connection: Document) -> Iterator[Problem]:
    for loc, activity in connection.each("activities", "*"):
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


def _classes(connection: Document, loc: Loc) -> Iterator[Problem]:
    """Classes of what is not kept, and classes that an earlier one leaves nothing."""
    keep = connection.get((*loc, "keep"))
    kept = [str(name) for name in keep] if isinstance(keep, dict) else []
    for place, classes in connection.each(*map(str, loc), "classes", "*"):
        if place[-1] not in kept:
            advice = f"keep has {listed(kept) or 'nothing'}; only what is kept is classed"
            yield unknown(connection.key(place), "unknown attribute", str(place[-1]), kept, advice)
        names = list(classes) if isinstance(classes, dict) else []
        for before, name in pairwise(names):
            if "*" in [word for _, word in texts_in(classes[before])]:
                message = f'"{before}" takes every text (*), so no later class ever fits; put it last'
                yield error(connection.key((*place, name)), message)


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
    for loc, fields in connection.each("write", "fields", "*"):
        model = str(loc[-1])
        if model not in models:
            advice = f"models here: {listed(models) or 'none'}"
            yield unknown(connection.key(loc), "there is no model", model, models, advice)
        if isinstance(fields, dict):
            yield from _outputs(connection, loc, fields)


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


def _fields(connection: Document, crm: str) -> Iterator[Problem]:
    """Our fields: one model writes each, their names are short enough, and none is read."""
    taken: dict[str, str] = {}
    for loc, fields in connection.each("write", "fields", "*"):
        if not isinstance(fields, dict):
            continue
        names = _named(crm, fields)
        for step, field in names:
            other = taken.setdefault(field.casefold(), str(loc[-1]))
            if other != loc[-1]:
                message = f'field "{field}" is already written by model "{other}"; give each model its own prefix'
                yield error(connection.at((*loc, "outputs", *step)), message)
        longest = max((field for _, field in names), key=len, default="")
        if len(longest) > _LONGEST[crm]:
            message = f'"{longest}" is longer than the {_LONGEST[crm]} characters the CRM allows; shorten the prefix'
            yield error(connection.at((*loc, "prefix")), message)
    for pattern in _READING:
        for loc, name in connection.each(*pattern):
            if isinstance(name, str) and name.casefold() in taken:
                message = f'"{name}" is a field that leadmark writes; it would read its own words. Name another one'
                yield error(connection.at(loc), message)


def _named(crm: str, fields: Mapping[str, Any]) -> list[tuple[Loc, str]]:
    """The names of the fields, each with the step in ``outputs`` that leads to it."""
    kind = _OUTPUT_FIELDS[crm]
    ours = kind.model_construct(prefix=str(fields.get("prefix", kind.model_fields["prefix"].default)), outputs=())
    return [(step, ours.field(output)) for step, output in texts_in(fields.get("outputs")) if output in OUTPUT_TYPES]


def _kinds_once(connections: Iterable[Document]) -> Iterator[Problem]:
    first: dict[str | int, str] = {}
    for connection in connections:
        for loc, _ in connection.each("activities", "*"):
            other = first.setdefault(loc[-1], connection.path)
            if other != connection.path:
                message = f'activity kind "{loc[-1]}" already comes from {other}; one connection delivers a kind'
                yield error(connection.key(loc), message)


def _accounts_once(connections: Iterable[Document]) -> Iterator[Problem]:
    """One connection reaches an account, or two would write over each other."""
    first: dict[tuple[str, str], str] = {}
    for connection in connections:
        crm = crm_of(connection)
        for loc, id_ in connection.each(ACCOUNTS[crm], "id") if crm else ():
            other = first.setdefault((str(loc[0]), str(id_)), connection.path)
            if other != connection.path:
                message = f"{other} already reaches this {loc[0]}, and two would write over each other"
                yield error(connection.at(loc), f"{message}; name another {loc[0]}, or take one file out")
